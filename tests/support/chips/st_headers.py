"""The firmware's STM32 register constants beside those of the vendors' headers, by the compiler.

The CMSIS wheel that set-up unpacks carries ST's headers of the F746 and the H743, and Arm's of both
cores. For the L4 chips, and for what no header has, the expected values are written down with their
manual.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.paths import ROOT, SOURCES

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

WHEEL = ROOT / ".deps" / "cmsis" / "aidge_export_arm_cortexm" / "boards" / "stm32"
CORE = WHEEL / "F7" / "Drivers" / "CMSIS" / "Include"

NAMES_OF_ST = {
    "USART_CR1_RXNEIE": "USART_CR1_RXNEIE_RXFNEIE",
    "USART_ISR_RXNE": "USART_ISR_RXNE_RXFNE",
    "USART_ISR_TXE": "USART_ISR_TXE_TXFNF",
    "USART_ICR_NECF": "USART_ICR_NCF",
}
"""Other names of the same bits, in the headers of chips with a FIFO or of older ones."""

WRITTEN = {
    "SCB_AIRCR_VECTKEY": 0x05FA,  # DDI 0403E, B3.2.6
    "DWT_LAR_KEY": 0xC5ACCE55,  # DDI 0403E, D1.1
    "IWDG_KR_START": 0xCCCC,  # IWDG_KR in RM0351, RM0385, RM0432 and RM0433; so are the next two
    "IWDG_KR_UNLOCK": 0x5555,
    "IWDG_KR_REFRESH": 0xAAAA,
    "IWDG_PR_DIV256": 6,  # IWDG_PR, same manuals
    "DBGMCU_IDCODE_REV_ID_X": 0x2001,  # RM0433, DBGMCU_IDC
    "AXI_TARG7_FN_MOD": 0x51008108,  # RM0433, AXI_TARGx_FN_MOD: 0x51000000 + 0x1108 + 0x1000 * 7
    "AXI_TARG7_FN_MOD_READ_ISS_OVERRIDE": 1,  # RM0433, AXI_TARGx_FN_MOD, bit 0
}
"""Constants that no header has."""

CORTEX_M4 = """#include <stdint.h>
typedef enum {SysTick_IRQn = -1} IRQn_Type;
#define __CM4_REV 1
#define __MPU_PRESENT 1
#define __NVIC_PRIO_BITS 4
#define __Vendor_SysTickConfig 0
#define __FPU_PRESENT 1
#include "core_cm4.h"
"""


@dataclass(frozen=True)
class Chip:
    """The firmware's headers that make up one chip, and what they are held against."""

    ours: tuple[str, ...]
    vendor: str
    """C that includes the vendor's header."""
    folder: Path
    table: Path | None = None
    """Expected values, where the vendor's header is only that of the core."""


def _family(letter: str) -> Path:
    return WHEEL / letter / "Drivers" / "CMSIS" / "Device" / "ST" / f"STM32{letter}xx" / "Include"


L4 = Path(__file__).with_name("registers_l4.toml")
M7 = ("cortex", "cortex_m7", "stm32")
CHIPS = {
    "f746": Chip((*M7, "f746"), '#include "stm32f746xx.h"', _family("F7")),
    "h743": Chip((*M7, "h743"), '#include "stm32h743xx.h"', _family("H7")),
    "l475": Chip(("cortex", "stm32", "l4", "l475"), CORTEX_M4, CORE, L4),
    "l4r5": Chip(("cortex", "stm32", "l4", "l4r5"), CORTEX_M4, CORE, L4),
}


def constants(text: str) -> list[str]:
    """Names of the constants that a header of ours declares. Fails on any other declaration."""
    code = re.sub(r"//.*", "", text)
    names = re.findall(r"\b(\w+) = ", code)
    declared = re.findall(r"\bconstexpr (?:uintptr_t|uint32_t) ([^;]+);", code)
    assert names == [part.split(" = ")[0].strip() for line in declared for part in line.split(",")]
    assert code.count("=") == len(names) == len(set(names)), "a constant that would not be compared"
    return names


def registers(header: str, sources: Path = SOURCES) -> Path:
    """Our header ``header`` in ``sources``, the firmware's or a copy with the same folders."""
    return sources / "port" / _room(header) / "registers" / f"{header}.h"


def compare(chip: Chip, sources: Path = SOURCES) -> str:
    """The names of the constants in ``sources`` that are not the vendor's, in one string.

    Raises LookupError, with the names, where there is nothing to hold a constant against.
    """
    flags = [f"-I{sources}", f"-isystem{chip.folder}", f"-isystem{CORE}"]
    preprocessed = _compile(["-dM", "-E", *flags], chip.vendor).stdout
    macros = set(re.findall(r"^#define (\w+)", preprocessed, re.M))
    table = {} if chip.table is None else tomllib.loads(chip.table.read_text())
    parts = (WRITTEN, *table.values())
    expected = {name: str(value) for part in parts for name, value in part.items()}
    copies, checks, unknown = [], [], []
    for header in chip.ours:
        space = "cortex" if _room(header) == "cortex_m" else "stm32"
        for name in constants(registers(header, sources).read_text()):
            value = expected.get(name)
            if value is None and (chip.table is None or space == "cortex"):
                value = _vendors(name, header, macros)
            if value is None:
                unknown.append(f"{header}.h: {name}")
            copies.append(f"constexpr Number {name}_ = {space}::{name};")
            checks.append(f'static_assert(ours::{name}_ == Number({value}), "{name}");')
    if unknown:
        raise LookupError(", ".join(unknown))
    # Ours are copied under other names before the vendor's macros could take their place.
    code = [f'#include "{registers(header, sources)}"' for header in chip.ours]
    code += ["using Number = unsigned long long;", "namespace ours {", *copies, "}"]
    code += ["#include <cstddef>", chip.vendor, *checks]
    done = _compile(["-fsyntax-only", *flags], "\n".join(code))
    wrong = re.findall(r"static assertion failed: (\w+)", done.stderr)
    assert bool(wrong) == bool(done.returncode), done.stderr[:2000]
    return " ".join(wrong)


def _room(header: str) -> str:
    return "cortex_m" if header.startswith("cortex") else "stm32"


def _vendors(name: str, header: str, macros: set[str]) -> str | None:
    """The vendor's expression for a constant: macro, interrupt's number, address or offset."""
    for macro in (name, NAMES_OF_ST.get(name, name)):
        if macro in macros:
            return macro
    if name.endswith("_IRQn"):
        return name
    block, register = name.split("_", 1)
    if header == "stm32":
        return f"offsetof({block}_TypeDef, {register})" if "_" not in register else None
    base = next((base for base in (f"{block}_R_BASE", f"{block}_BASE") if base in macros), None)
    if base is None or "_" in register:
        return None
    kind = "Type" if header.startswith("cortex") else "TypeDef"
    return f"{base} + offsetof({block}_{kind}, {register})"


def _compile(arguments: list[str], code: str) -> subprocess.CompletedProcess[str]:
    # Arm's headers cast pointers to 32 bits in functions that are not used here.
    argv = ["g++", "-std=c++17", "-w", "-fpermissive", *arguments, "-x", "c++", "-"]
    return subprocess.run(argv, input=code, capture_output=True, text=True, check=False)
