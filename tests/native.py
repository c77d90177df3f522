"""The firmware as a host process: built from these sources, once a session."""

import functools
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@functools.lru_cache(maxsize=1)
def native_firmware() -> str:
    """Path of build/native/tinyrobust_fw, up to date. Skips only where there is no compiler."""
    if shutil.which("g++") is None:
        pytest.skip("g++ is missing: the firmware cannot be built for this machine")
    done = subprocess.run(["make", "-C", str(ROOT / "firmware"), "native"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return str(ROOT / "build" / "native" / "tinyrobust_fw")
