"""Builds of the firmware as host processes, made once per session by firmware/Makefile."""

from pathlib import Path

import pytest

from tests.support.boards.firmware import Board
from tests.support.boards.native import make
from tests.support.paths import ROOT


@pytest.fixture(scope="session")
def native() -> Path:
    """The firmware as users run it with BOARD=native."""
    make("native")
    return ROOT / "build/native/tinyrobust_fw"


@pytest.fixture(scope="session")
def asan() -> Path:
    """The same under AddressSanitizer and UndefinedBehaviorSanitizer; any finding ends the
    process.
    """
    make("asan")
    return ROOT / "build/asan/tinyrobust_fw"


@pytest.fixture
def board(asan):
    """A fresh sanitized board; fails the test where a sanitizer spoke."""
    with Board(asan) as running:
        yield running
