"""Runs the C++ checks of frame.{h,cc}."""

from tests.golden.write import messages
from tests.support.boards.native import make


def test_frame():
    assert f"{len(messages())} golden frames and all checks passed" in make("unit")
