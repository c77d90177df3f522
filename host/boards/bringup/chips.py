"""The chips on the boards: where registers are, and what this checkout's firmware puts there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tinyrobust.host.boards.bringup import clocks_f7, clocks_h7, clocks_l4
from tinyrobust.host.boards.bringup.bits import Tree, Words

FLASH = 0x08000000
"""Vector table of every image: initial stack pointer, reset handler."""


@dataclass(frozen=True)
class Bit:
    """One bit of a register."""

    address: int
    bit: int


@dataclass(frozen=True)
class Pin:
    """A pin of a GPIO port, such as PD8, and the alternate function that it is to have."""

    name: str
    gpio: int
    number: int
    function: int


@dataclass(frozen=True)
class Serial:
    """The USART or LPUART behind the probe's virtual COM port."""

    name: str
    base: int
    hz: int
    """Kernel clock that its divider is made for."""
    source: str
    """Where that comes from."""
    unit: int
    """BRR = unit * clock / baud: 1, or 256 for an LPUART."""
    prescaled: bool
    """Whether it has a prescaler, PRESC."""
    enable: Bit
    """Its bus clock in RCC."""
    pins: tuple[Pin, Pin]
    """TX and RX."""
    pins_enable: Bit
    """Clock of their GPIO port in RCC."""


@dataclass(frozen=True)
class Chip:
    """One chip. ``tree`` reads its clock tree off ``clock_registers``."""

    name: str
    device_id: int
    """DEV_ID, the low 12 bits of DBGMCU_IDCODE."""
    idcode: int
    """Address of that register."""
    core_hz: int
    serial: Serial
    tree: Callable[[Words], Tree]
    clock_registers: tuple[int, ...]


F746 = Chip(
    name="STM32F746",
    device_id=0x449,  # RM0385, DBGMCU_IDCODE
    idcode=0xE0042000,
    core_hz=216_000_000,
    serial=Serial(
        name="USART3",
        base=0x40004800,  # RM0385 2.2.2
        hz=216_000_000,
        source="SYSCLK",
        unit=1,
        prescaled=False,
        enable=Bit(clocks_f7.RCC + 0x40, 18),  # RM0385 5.3.13
        pins=(
            Pin("PD8", 0x40020C00, 8, 7),
            Pin("PD9", 0x40020C00, 9, 7),
        ),  # UM1974 6.9, DS10916 table 12
        pins_enable=Bit(clocks_f7.RCC + 0x30, 3),  # RM0385 5.3.10
    ),
    tree=clocks_f7.tree,
    clock_registers=clocks_f7.REGISTERS,
)
H743 = Chip(
    name="STM32H743",
    device_id=0x450,  # RM0433, DBGMCU_IDC
    idcode=0x5C001000,
    core_hz=400_000_000,
    serial=Serial(
        name="USART3",
        base=0x40004800,  # RM0433, memory map
        hz=100_000_000,
        source="PCLK1",
        unit=1,
        prescaled=True,
        enable=Bit(clocks_h7.RCC + 0xE8, 18),  # RM0433, RCC_APB1LENR
        pins=(Pin("PD8", 0x58020C00, 8, 7), Pin("PD9", 0x58020C00, 9, 7)),  # UM2407, DS12110
        pins_enable=Bit(clocks_h7.RCC + 0xE0, 3),  # RM0433, RCC_AHB4ENR
    ),
    tree=clocks_h7.tree,
    clock_registers=clocks_h7.REGISTERS,
)
L475 = Chip(
    name="STM32L475",
    device_id=0x415,  # RM0351, DBGMCU_IDCODE
    idcode=0xE0042000,
    core_hz=80_000_000,
    serial=Serial(
        name="USART1",
        base=0x40013800,  # RM0351 2.2.2
        hz=80_000_000,
        source="SYSCLK",
        unit=1,
        prescaled=False,
        enable=Bit(clocks_l4.RCC + 0x60, 14),  # RM0351 6.4.21
        pins=(Pin("PB6", 0x48000400, 6, 7), Pin("PB7", 0x48000400, 7, 7)),  # UM2153, DS10969
        pins_enable=Bit(clocks_l4.RCC + 0x4C, 1),  # RM0351 6.4.17
    ),
    tree=clocks_l4.L4(pllm_bits=3, select_bit=0, apb_bit=11, apb="PCLK2").tree,
    clock_registers=clocks_l4.REGISTERS,
)
L4R5 = Chip(
    name="STM32L4R5",
    device_id=0x470,  # RM0432, DBGMCU_IDCODE
    idcode=0xE0042000,
    core_hz=120_000_000,
    serial=Serial(
        name="LPUART1",
        base=0x40008000,  # RM0432, memory map
        hz=120_000_000,
        source="SYSCLK",
        unit=256,
        prescaled=True,
        enable=Bit(clocks_l4.RCC + 0x5C, 0),  # RM0432, RCC_APB1ENR2
        pins=(Pin("PG7", 0x48001800, 7, 8), Pin("PG8", 0x48001800, 8, 8)),  # UM2179, DS12023
        pins_enable=Bit(clocks_l4.RCC + 0x4C, 6),  # RM0432, RCC_AHB2ENR
    ),
    tree=clocks_l4.L4(pllm_bits=4, select_bit=10, apb_bit=8, apb="PCLK1").tree,
    clock_registers=clocks_l4.REGISTERS,
)

CHIPS = {"nucleo_f746": F746, "nucleo_h743zi": H743, "disco_l475": L475, "nucleo_l4r5zi": L4R5}
"""By the board's name."""
