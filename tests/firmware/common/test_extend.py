"""Runs the C++ checks of extend.h."""

from tests.support.boards.native import make


def test_no_wrap_is_lost():
    assert "no wrap is lost" in make("unit")
