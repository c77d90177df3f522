"""Where ENGINE=tflm takes its library from: the registry is asked briefly, and what the library
cannot do is said.
"""

import subprocess
import sys

import numpy as np
import pytest

from tests.support.tflite.factory import Affine, Factory, Window
from tinyrobust.core.errors import UsageError
from tinyrobust.host.boards import tflm_library
from tinyrobust.host.boards.table import get_board
from tinyrobust.host.commands.linked import linked_sources
from tinyrobust.host.config.parts import CMSIS_NN, TFLM
from tinyrobust.models.plan.bundle import build

BOARD = get_board("qemu_an500")


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.delenv("TFLM_DIR", raising=False)
    return tmp_path


def answer(root, script):
    python = root / ".pio-venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)


@pytest.mark.parametrize("script", ["exit 1", "exec sleep 60"])
def test_a_registry_out_of_reach_is_one_line(root, script, monkeypatch):
    monkeypatch.setattr(tflm_library, "PROBE_SECONDS", 1)
    answer(root, script)
    with pytest.raises(UsageError, match=r"registry cannot be reached for \S+@2.0.0: set TFLM_DIR"):
        tflm_library.require(BOARD, root)


def test_a_registry_that_answers_is_left_to_platformio(root):
    answer(root, "exit 0")
    tflm_library.require(BOARD, root)


def test_nothing_is_asked_where_nothing_is_to_be_fetched(root, monkeypatch):
    answer(root, "exit 1")
    (root / ".pio/libdeps/qemu_an500/Chirale_TensorFLowLite").mkdir(parents=True)
    tflm_library.require(BOARD, root)
    with pytest.raises(UsageError):
        tflm_library.require(get_board("nucleo_f746"), root)
    with pytest.raises(UsageError, match="native with --engine tflm: set TFLM_DIR"):
        tflm_library.require(get_board("native"), root)
    monkeypatch.setenv("TFLM_DIR", str(root))
    tflm_library.require(get_board("nucleo_f746"), root)


def test_the_probe_finds_no_host_that_does_not_exist(tmp_path):
    (tmp_path / "platformio.py").write_text("__registry_mirror_hosts__ = ['registry.invalid']\n")
    probe = [sys.executable, "-c", tflm_library.PROBE]
    assert (
        subprocess.run(probe, cwd=tmp_path, capture_output=True, text=True, check=False).stderr
        == ""
    )
    assert subprocess.run(probe, cwd=tmp_path, check=False).returncode == 1


def bundle_of(scales, tmp_path):
    f = Factory()
    x = f.input((1, 4), Affine(0.1))
    weights = np.ones((len(scales), 4), np.int8)
    dense = f.fully_connected(x, weights, scales, np.zeros(len(scales), np.int32), Affine(0.1))
    return build(f.build(x, dense), tmp_path)


def tree_of(tmp_path, *known, suffix=".cc"):
    """A tree whose named sources know scales by channel, and the others do not."""
    kernels = tmp_path / "tree" / "tensorflow/lite/micro/kernels"
    for name in ("fully_connected", "fully_connected_common", "cmsis_nn/fully_connected"):
        path = kernels / f"{name}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            "data->is_per_channel = true;"
            if name in known
            else "int32_t* per_channel_output_shift;"
        )
    return tmp_path / "tree"


def test_dense_scales_that_the_registrys_library_gets_wrong_are_one_line(root):
    """As the digits network has them: answered, one output in ten was halved."""
    said = (
        r"^model: FULLY_CONNECTED \(operator 0\) has a scale for each channel and "
        r"Chirale_TensorFLowLite 2.0.0 takes "
        r"the first for all: take --engine cmsis-nn, set TFLM_DIR to [^\n]* or convert "
        r"with one scale [^\n]*$"
    )
    with pytest.raises(UsageError, match=said):
        linked_sources(bundle_of([0.1, 0.2], root), TFLM)
    assert len(linked_sources(bundle_of([0.1, 0.1], root), TFLM)) == 3
    assert len(linked_sources(bundle_of([0.1], root), TFLM)) == 3
    assert len(linked_sources(bundle_of([0.1, 0.2], root), CMSIS_NN)) == 1


@pytest.mark.parametrize("suffix", [".cc", ".cpp"])
@pytest.mark.parametrize(
    ("known", "right"),
    [
        (("fully_connected_common", "cmsis_nn/fully_connected"), True),
        (("fully_connected_common", "fully_connected"), False),
        (("cmsis_nn/fully_connected",), False),
        ((), False),
    ],
)
def test_a_tree_tells_by_its_sources(root, monkeypatch, known, right, suffix):
    tree = tree_of(root, *known, suffix=suffix)
    monkeypatch.setenv("TFLM_DIR", str(tree))
    if right:
        assert len(linked_sources(bundle_of([0.1, 0.2], root), TFLM)) == 3
    else:
        with pytest.raises(UsageError, match="and tree takes the first"):
            linked_sources(bundle_of([0.1, 0.2], root), TFLM)


@pytest.mark.parametrize("name", ["conv_2d", "depthwise_conv_2d"])
def test_a_convolution_without_a_bias_is_one_line(root, monkeypatch, name):
    f = Factory()
    x = f.input((1, 4, 4, 1), Affine(0.1))
    y = getattr(f, name)(
        x, np.ones((1, 3, 3, 1), np.int8), [0.1], None, Window((3, 3), same=True), Affine(0.1)
    )
    bundle = build(f.build(x, y), root)
    with pytest.raises(
        UsageError,
        match=rf"^model: {name.upper()} \(operator 0\) has no bias and Chirale_\S+ 2.0.0 reads",
    ):
        linked_sources(bundle, TFLM)
    kernels = root / "tensorflow/lite/micro/kernels"
    kernels.mkdir(parents=True)
    monkeypatch.setenv("TFLM_DIR", str(root))
    (kernels / "conv_common.cc").write_text("if (bias != nullptr) {")
    with pytest.raises(UsageError, match="or convert with a bias"):
        linked_sources(bundle, TFLM)
    (kernels / "depthwise_conv_common.cpp").write_text("if (bias != nullptr) {")
    assert len(linked_sources(bundle, TFLM)) == 3


def test_a_tree_without_cmsis_nn_is_judged_by_the_reference_kernel(root):
    tree = tree_of(root, "fully_connected_common", "fully_connected")
    (tree / "tensorflow/lite/micro/kernels/cmsis_nn/fully_connected.cc").unlink()
    assert tflm_library.takes_per_channel(tree)
    assert not tflm_library.takes_per_channel(root)
