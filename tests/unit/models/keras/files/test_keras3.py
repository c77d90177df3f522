"""Files that Keras 3 itself wrote: plain layers are read into Keras 2 and compute the same, the
rest is told."""

import os
import subprocess
import sys

import numpy as np
import pytest

from tinyrobust.core.errors import UsageError
from tinyrobust.models.keras.files.load import load_keras

pytestmark = pytest.mark.slow
KINDS = (".keras", ".h5")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keras3")
    env = {**os.environ, "TF_USE_LEGACY_KERAS": "0", "TF_CPP_MIN_LOG_LEVEL": "3"}
    made = subprocess.run(
        [sys.executable, "-m", "tests.support.keras_files.keras3", str(folder)],
        env=env,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert made.returncode == 0, made.stderr[-2000:]
    return folder


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["residual", "sequential", "activations"])
def test_plain_layers_of_keras_3_compute_the_same(written, name, kind):
    known = np.load(written / f"{name}.npz")
    model = load_keras(written / f"{name}{kind}")
    np.testing.assert_allclose(model(known["x"]), known["y"], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (
            "hard",
            r"layer hard \(Dense\) has activation 'hard_sigmoid', which is another "
            r"function in Keras 2",
        ),
        ("operation", r"layer get_item \(GetItem\)"),
    ],
)
def test_what_keras_2_has_not_is_refused_with_how_to_save(written, name, reason, kind):
    with pytest.raises(UsageError, match=f"{reason}.*Keras 3 wrote it.*TF_USE_LEGACY_KERAS=1"):
        load_keras(written / f"{name}{kind}")
