"""The cards' figures: sizes counted from the file itself, and what was measured on the board, kept
and read back.
"""

import numpy as np
import pytest

from tinyrobust.core.errors import UsageError
from tinyrobust.core.types import TensorSpec
from tinyrobust.models.export.converter import Activations, converted
from tinyrobust.models.networks.digits_cnn import build_float
from tinyrobust.models.zoo.cards import constant_bytes, size_of
from tinyrobust.models.zoo.on_board import BoardAgreement, read, write

pytestmark = pytest.mark.slow

WEIGHTS, BIASES = 15_248, 90


def test_a_converted_network_is_as_large_as_its_weights_and_biases():
    model = build_float()
    model.set_weights(
        [w if w.ndim > 1 else w + 0.1 for w in model.get_weights()]
    )  # biases of 0 are left out
    assert model.count_params() == WEIGHTS + BIASES
    assert size_of(model).macs == 231_680
    q = np.random.default_rng(0).integers(-128, 128, (4, 8, 8, 1)).astype(np.int8)
    sizes = [
        constant_bytes(converted(model, TensorSpec((8, 8, 1), 1 / 128, 0), q, kind))
        for kind in Activations
    ]
    assert sizes == [WEIGHTS + 4 * BIASES, WEIGHTS + 8 * BIASES], (
        "biases are int32 beside int8, int64 beside int16"
    )


def test_agreements_are_kept_and_a_damaged_file_is_named(tmp_path):
    path = tmp_path / "on_board.json"
    assert read(path) == {}
    rows = {
        "b": BoardAgreement("qemu_an500", 3, 29, 30, "00"),
        "a": BoardAgreement("qemu_an500", 10, 100, 100, "ff"),
    }
    write(rows, path)
    assert read(path) == rows
    assert [str(read(path)[name]) for name in "ab"] == [
        "all 100 bytes, 10 samples",
        "29 of 30 bytes, 3 samples",
    ]
    assert [p.name for p in tmp_path.iterdir()] == ["on_board.json"]
    for text in ("", "[]", '{"a": {"board": "x"}}', '{"a": 1}'):
        path.write_text(text)
        with pytest.raises(UsageError, match=r"on_board\.json: no agreement file"):
            read(path)
