"""The ports' own start-up code on simulated registers, with the probe's clock and without.

Which clocks come of it is worked out from the registers by ST's headers. So this fails where a
setting goes to a wrong register or a wrong bit: the USART would run at another rate than the port
divides by.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.chips.st_headers import CHIPS, CORE
from tests.support.paths import ROOT, SOURCES, STM32, TESTS
from tinyrobust.host.setup.environment import NATIVE_STEPS
from tinyrobust.host.setup.tools import checkout

pytestmark = pytest.mark.skipif(
    shutil.which("g++") is None or not all(step.up_to_date(checkout()) for step in NATIVE_STEPS),
    reason="needs g++ and `make setup`",
)

NO_CLOCK = "HSI, no clock from the ST-LINK"


def start(chip: str, folder: Path, *arguments: str) -> dict[str, str]:
    binary = folder / chip
    if not binary.exists():
        includes = [
            f"-I{SOURCES}",
            f"-I{ROOT / 'firmware' / 'include'}",
            f"-isystem{CHIPS[chip].folder}",
            f"-isystem{CORE}",
        ]
        ours = TESTS / "firmware" / "port" / f"clock_tree_{chip}.cc"
        files = [ours, STM32 / chip / f"{chip}.cc"]
        argv = ["g++", "-std=c++17", "-O1", "-w", "-fpermissive", *includes, "-o", binary, *files]
        subprocess.run([*argv, STM32 / "hse" / "hse.cc"], check=True)
    said = subprocess.run([binary, *arguments], capture_output=True, text=True, check=True).stdout
    return dict(line.split("=") for line in said.splitlines())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("clock_tree")


@pytest.mark.parametrize(("clock", "source"), [("hse", "HSE"), ("none", NO_CLOCK)])
def test_f746_runs_at_216_mhz_with_and_without_the_probes_clock(folder, clock, source):
    assert start("f746", folder, clock) == {
        "external_on": str(int(clock == "hse")),
        "source": source,
        "assumed": "216000000 216000000",
        "clocks": "216000000 216000000",
        "reserved": "20000000",
        "wait_states": "7",
    }


@pytest.mark.parametrize(("clock", "source"), [("hse", "HSE"), ("none", NO_CLOCK)])
@pytest.mark.parametrize("revision", ["1001", "1003", "2001", "2003"])
def test_h743_runs_at_400_mhz_and_mends_only_early_chips(folder, clock, source, revision):
    """Revisions Z, Y, X and V (RM0433, DBGMCU_IDC): AXI SRAM fails up to Y (ES0392 2.2.9)."""
    override = str(int(revision < "2001"))
    assert start("h743", folder, clock, revision) == {
        "external_on": str(int(clock == "hse")),
        "source": source,
        "assumed": "400000000 100000000",
        "clocks": "400000000 100000000",
        "input_range": "1",
        "read_issue_override": override,
    }
