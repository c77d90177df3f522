"""Where things lie in the checkout that is tested: the one place that counts folders."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The checkout."""
TESTS = ROOT / "tests"
GOLDEN = TESTS / "golden"
"""Files that the code of today must reproduce byte for byte (``write.py`` there makes them)."""
FIRMWARE = ROOT / "firmware"
SOURCES = FIRMWARE / "src"
STM32 = SOURCES / "port" / "stm32"
