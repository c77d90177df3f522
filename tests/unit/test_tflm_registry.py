"""ENGINE=tflm without TFLM_DIR: asks for PlatformIO's registry briefly, and only where something is missing."""

import subprocess
import sys

import pytest

from host import tflm_library
from host.boards import get_board
from host.types import UsageError

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
    assert subprocess.run(probe, cwd=tmp_path, capture_output=True, text=True, check=False).stderr == ""
    assert subprocess.run(probe, cwd=tmp_path, check=False).returncode == 1
