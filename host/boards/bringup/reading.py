"""What is read of a chip through its probe, and in which order.

Core registers are those of DDI 0403E (Armv7-M ARM).
"""

from __future__ import annotations

from dataclasses import dataclass

from tinyrobust.host.boards.bringup.bits import Words
from tinyrobust.host.boards.bringup.chips import FLASH, Chip

DHCSR, DEMCR = 0xE000EDF0, 0xE000EDFC  # C1.6.2, C1.6.5
CFSR, BFAR = 0xE000ED28, 0xE000ED38  # B3.2.15, B3.2.18
S_HALT, S_LOCKUP, S_RESET = 1 << 17, 1 << 19, 1 << 25  # DHCSR; S_RESET_ST is cleared by reading
EXCEPTIONS = {2: "NMI", 3: "HardFault", 4: "MemManage", 5: "BusFault", 6: "UsageFault"}
"""By the exception number in xPSR (B1.5.2)."""
CATCH_FAULTS = 1 << 24 | 0x7F << 4  # DEMCR: TRCENA; VC_MMERR to VC_HARDERR
CR1, BRR, ISR, PRESC = (
    0x00,
    0x0C,
    0x1C,
    0x2C,
)  # USART registers, the same in RM0385, RM0351, RM0432, RM0433
MODER, AFRL = 0x00, 0x20  # GPIO registers, likewise
SAMPLES = 3
"""How often the core is stopped to see where it is."""
STACKED = 8
"""Words of an exception's stack frame (B1.5.6): R0 to R3, R12, LR, PC, xPSR."""


@dataclass(frozen=True)
class Stop:
    """The core where it was stopped: program counter and xPSR.

    The low 9 bits of xPSR are the exception that it serves.
    """

    pc: int
    xpsr: int

    @property
    def fault(self) -> str:
        """The fault whose handler it is in, empty where it is in none."""
        return EXCEPTIONS.get(self.xpsr & 0x1FF, "")


@dataclass(frozen=True)
class Reading:
    """What came of it.

    ``words`` of the chip's registers and of its flash, read while the core ran.
    """

    words: Words
    before: int
    """DHCSR as the probe found it."""
    after: int
    """DHCSR a fifth of a second later."""
    restarted: bool
    """Whether the chip was reset in that time."""
    stops: tuple[Stop, ...]
    caught: Stop | None
    """Where a fault was caught in that time, None where there was none."""
    frame: tuple[int, ...]
    """What the fault stacked, eight words, or nothing."""
    volts: float | None
    """The chip's supply, where the probe measures it."""


def registers(chip: Chip) -> tuple[int, ...]:
    """Addresses of the words that a verdict takes, but for those of the core."""
    serial = chip.serial
    usart = [serial.base + offset for offset in (CR1, BRR, ISR)]
    if serial.prescaled:
        usart.append(serial.base + PRESC)
    gpio = serial.pins[0].gpio
    pins = [gpio + offset for offset in (MODER, AFRL, AFRL + 4)]
    enables = [serial.enable.address, serial.pins_enable.address]
    return (chip.idcode, FLASH, FLASH + 4, *chip.clock_registers, *enables, *usart, *pins)
