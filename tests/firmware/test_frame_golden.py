"""Runs the C++ checks of frame.{h,cc}."""

from tests.firmware.conftest import make
from tests.golden.write import messages


def test_frame():
    assert f"{len(messages())} golden frames and all checks passed" in make("unit")
