"""The firmware as a host process, built from these sources by firmware/Makefile."""

import functools
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.paths import ROOT
from tinyrobust.host.setup.alone import alone
from tinyrobust.host.setup.guard import guarded


@contextmanager
def building(*words: str) -> Iterator[str]:
    """What ``make -C firmware words`` said.

    Until the block is left, nobody else builds: workers share ``build/``.
    """
    argv = ["make", "-C", str(ROOT / "firmware"), "-j2", *words]
    with alone(ROOT) as lock:
        with guarded(argv, ROOT, [lock], stderr=subprocess.STDOUT) as process:
            said, _ = process.communicate()
        assert process.returncode == 0, f"make {' '.join(words)}:\n{said[-4000:]}"
        yield said


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
