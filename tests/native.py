"""The firmware as a host process, built from these sources by firmware/Makefile."""

import functools
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from host.flash import alone

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def building(*words: str) -> Iterator[str]:
    """What ``make -C firmware words`` said. Until the block is left, nobody else builds: workers share ``build/``."""
    with alone(ROOT):
        done = subprocess.run(["make", "-C", ROOT / "firmware", "-j2", *words], capture_output=True, text=True)
        assert done.returncode == 0, f"make {' '.join(words)}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        yield done.stdout


def make(*words: str) -> str:
    """The same, where nobody makes anything else of the files that these words make."""
    with building(*words) as said:
        return said


@functools.lru_cache(maxsize=1)
def native_firmware() -> str:
    """Path of build/native/tinyrobust_fw, up to date. Skips only where there is no compiler."""
    if shutil.which("g++") is None:
        pytest.skip("g++ is missing: the firmware cannot be built for this machine")
    make("native")
    return str(ROOT / "build" / "native" / "tinyrobust_fw")
