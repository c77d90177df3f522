"""Every register constant of the STM32 boards is the vendor's, and none can be forgotten.

A constant of ``firmware/src/port/*/registers`` that no header and no table knows is an error. So is
a port that writes an address, an offset or a bit itself, instead of taking it from there.
"""

import re
import shutil

import pytest

from tests.support.chips.st_headers import CHIPS, WHEEL, compare, constants, registers
from tests.support.paths import SOURCES
from tinyrobust.host.setup.environment import NATIVE_STEPS
from tinyrobust.host.setup.tools import checkout

PORTS = SOURCES / "port"

pytestmark = pytest.mark.skipif(
    shutil.which("g++") is None or not all(step.up_to_date(checkout()) for step in NATIVE_STEPS),
    reason="needs g++ and `make setup`",
)


@pytest.mark.parametrize("chip", CHIPS)
def test_every_constant_is_the_vendors(chip):
    assert compare(CHIPS[chip]) == ""


@pytest.mark.parametrize("chip", CHIPS)
def test_each_wrong_constant_is_named(chip, tmp_path):
    """All of them off by one: none is compared in a way that cannot fail."""
    shutil.copytree(PORTS, tmp_path / "port")
    names = set()
    for header in CHIPS[chip].ours:
        path = registers(header, tmp_path)
        names |= set(constants(path.read_text()))
        path.write_text(path.read_text().replace(" = ", " = 1 + "))
    assert set(compare(CHIPS[chip], tmp_path).split()) == names


def test_the_f4s_offset_is_noticed(tmp_path):
    """0x94 is RCC_DCKCFGR2 on the F446; on the F746 it left USART3 on a quarter of its clock."""
    shutil.copytree(PORTS, tmp_path / "port")
    path = registers("f746", tmp_path)
    right = "RCC_DCKCFGR2 = RCC_BASE + 0x90"
    assert right in path.read_text()
    path.write_text(path.read_text().replace(right, right.replace("0x90", "0x94")))
    assert compare(CHIPS["f746"], tmp_path) == "RCC_DCKCFGR2"


def test_a_constant_without_a_counterpart_is_an_error(tmp_path):
    shutil.copytree(PORTS, tmp_path / "port")
    for header, name in (("f746", "RCC_CR_NEW"), ("l475", "RCC_NEW")):
        path = registers(header, tmp_path)
        space = "namespace stm32 {\n"
        line = f"constexpr uint32_t {name} = 1;\n"
        path.write_text(path.read_text().replace(space, space + line, 1))
        with pytest.raises(LookupError, match=rf"^{header}\.h: {name}$"):
            compare(CHIPS[header], tmp_path)


def test_every_header_belongs_to_a_chip_and_every_chip_to_a_port():
    ours = {name for chip in CHIPS.values() for name in chip.ours}
    assert {path.stem for path in PORTS.glob("*/registers/*.h")} == ours
    ports = "".join(path.read_text() for path in PORTS.glob("stm32/*/*.cc"))
    included = set(re.findall(r'#include "port/stm32/registers/(\w+)\.h"', ports))
    assert included - {"l4"} == set(CHIPS)


def test_ports_write_no_address_offset_or_bit_themselves():
    sources = [path for room in ("stm32", "cortex_m") for path in (PORTS / room).rglob("*.*")]
    ports = [path for path in sources if path.parent.name != "registers"]
    assert len(ports) >= 12
    for path in ports:
        code = re.sub(r"//.*", "", path.read_text())
        assert not re.findall(r"\b0[xX]\w+|<<\s*\d\w*", code), path.name


def test_the_address_of_the_axi_workaround_is_that_of_sts_startup_code():
    startup = (WHEEL / "H7" / "Src" / "system_stm32h7xx.c").read_text()
    code = registers("h743").read_text()
    early = r"IDCODE & 0xFFFF0000U\) < 0x20000000U\)"
    assert re.search(early + r"[^}]*\*\)0x51008108\) = 0x0*1U", startup)
    assert "AXI_TARG7_FN_MOD = 0x51008108" in code
