"""From a reading of a chip to one line that says what is wrong with it.

Pure; nothing here asks a board.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tinyrobust.core.abi.wire import FIRST_BAUD
from tinyrobust.host.boards.bringup.bits import Tree, UnreadError, field, word
from tinyrobust.host.boards.bringup.chips import FLASH, Bit, Chip, Pin
from tinyrobust.host.boards.bringup.reading import (
    AFRL,
    BFAR,
    BRR,
    CFSR,
    CR1,
    MODER,
    PRESC,
    S_HALT,
    S_LOCKUP,
    Reading,
)

TOLERANCE = 0.03
"""What a UART bears of a wrong rate, with some left for the other side."""
SAME = 0.01
"""Two clocks so close are one."""
PRESCALERS = (1, 2, 4, 6, 8, 10, 12, 16, 32, 64, 128, 256)
"""PRESC (RM0433, USART_PRESC; RM0432, LPUART_PRESC); greater codes are as the last."""
CAUSES = {  # CFSR, DDI 0403E, B3.2.15
    0: "an instruction fetched from where none may be",
    1: "data where none may be",
    8: "a bus error on an instruction fetch",
    9: "a bus error on the address 0x{bfar:08x}",
    10: "an imprecise bus error",
    16: "an undefined instruction",
    17: "an invalid execution state",
    19: "the floating-point unit, which is off",
    24: "an unaligned access",
    25: "a division by zero",
}
ERASED = 0xFFFFFFFF

Name = Callable[[int], str]
"""A code address in words: the function it is in."""


@dataclass(frozen=True)
class Line:
    """What the serial line runs at."""

    baud: float
    divider: int
    """BRR, or with OVER8 what it stands for."""
    clock: float
    """Hz, behind the prescaler."""


def line(chip: Chip, reading: Reading, tree: Tree) -> Line:
    """The serial line's rate, 0 where it has none.

    From RM0385, RM0351 and RM0433, USART baud rate generation.

    Raises UnreadError.
    """
    serial, words = chip.serial, reading.words
    brr, control = word(words, serial.base + BRR), word(words, serial.base + CR1)
    clock = tree.serial.hz
    if serial.prescaled:
        clock /= PRESCALERS[min(field(word(words, serial.base + PRESC), 0, 4), len(PRESCALERS) - 1)]
    scale = float(serial.unit)
    divider = field(brr, 0, 20 if serial.unit > 1 else 16)
    if serial.unit == 1 and field(control, 15, 1):
        # OVER8: 2 * clock / USARTDIV, whose low 3 bits are shifted.
        divider, scale = divider & 0xFFF0 | field(brr, 0, 3) << 1, 2.0
    return Line(scale * clock / divider if divider else 0.0, divider, clock)


def judge(chip: Chip, reading: Reading, name: Name = lambda pc: f"0x{pc:08x}") -> str:
    """The first thing that is wrong, from the core outwards, or that nothing is: in one line."""
    try:
        return next(_faults(chip, reading, name))
    except StopIteration:
        where = f", last seen in {name(reading.stops[-1].pc)}" if reading.stops else ""
        return (
            f"the chip looks right: the core runs at {_mhz(chip.core_hz)} MHz{where}, "
            f"{chip.serial.name} at {FIRST_BAUD:,} baud: it still works for an earlier host, or "
            "this is not its probe's serial port"
        )
    except UnreadError as err:
        return f"the chip answers its probe, but {err}"


def _faults(chip: Chip, reading: Reading, name: Name) -> Iterator[str]:
    yield from _identity(chip, reading)
    yield from _core(reading, name)
    tree = chip.tree(reading.words)
    yield from _clocks(chip, tree)
    yield from _line(chip, reading, tree)
    yield from _pins(chip, reading)


def _identity(chip: Chip, reading: Reading) -> Iterator[str]:
    device = field(word(reading.words, chip.idcode), 0, 12)
    if device != chip.device_id:
        yield (
            f"the chip has device id 0x{device:03x}, not 0x{chip.device_id:03x} of an "
            f"{chip.name}: another board"
        )
    if word(reading.words, FLASH + 4) == ERASED:
        yield "the flash is empty: flash the board (make flash)"


def _core(reading: Reading, name: Name) -> Iterator[str]:
    if (reading.before | reading.after) & S_LOCKUP:
        yield "the core is locked up: a fault within a fault handler"
    if reading.caught:
        pc = reading.frame[6] if len(reading.frame) == 8 else reading.caught.pc
        yield (
            f"the core faults over and over: {reading.caught.fault} in {name(pc)}{_cause(reading)}"
        )
    for stop in reading.stops:
        if stop.fault:
            yield f"the core is in {stop.fault}, at {name(stop.pc)}{_cause(reading)}"
    if reading.restarted:
        where = f", last seen in {name(reading.stops[-1].pc)}" if reading.stops else ""
        yield f"the chip restarts over and over{where}: its watchdog, or its supply"
    if reading.before & S_HALT:
        yield "the core was halted: by another debugger? Close that and press the reset button"
    if not reading.stops:
        yield "the core could not be stopped to see where it is"
    if all(stop.pc >> 20 == 0x1FF for stop in reading.stops):
        yield "the chip's boot loader runs, not the flash: BOOT0 is high at reset"


def _cause(reading: Reading) -> str:
    status = reading.words.get(CFSR, 0)
    for bit, cause in CAUSES.items():
        if field(status, bit, 1):
            address = reading.words.get(BFAR, 0)
            valid = bit != 9 or field(status, 15, 1)  # BFARVALID
            return f" ({cause.format(bfar=address) if valid else 'a bus error'})"
    return ""


def _clocks(chip: Chip, tree: Tree) -> Iterator[str]:
    if tree.waiting:
        which = " and ".join(tree.waiting)
        no_input = ": no 8 MHz from the ST-LINK's MCO" if "HSE" in tree.waiting else ""
        runs = f"the core runs at {_mhz(tree.core.hz)} MHz ({tree.core.source})"
        yield f"{which} on, but not ready{no_input}; {runs}, not at {_mhz(chip.core_hz)}"
    if not _near(tree.core.hz, chip.core_hz, SAME):
        yield (
            f"the core runs at {_mhz(tree.core.hz)} MHz ({tree.core.source}), "
            f"not at {_mhz(chip.core_hz)}"
        )


def _line(chip: Chip, reading: Reading, tree: Tree) -> Iterator[str]:
    serial = chip.serial
    if not _on(reading, serial.enable):
        yield f"{serial.name} has no bus clock: its bit in RCC is not set"
    control = word(reading.words, serial.base + CR1)
    off = [
        what
        for what, bit in (("itself", 0), ("its receiver", 2), ("its transmitter", 3))
        if not control >> bit & 1
    ]
    if off:
        yield f"{serial.name} is off: {' and '.join(off)}"
    at = line(chip, reading, tree)
    if _near(at.baud, FIRST_BAUD, TOLERANCE):
        return
    made_for = FIRST_BAUD * at.divider / serial.unit
    if _near(made_for, serial.hz, SAME) or not _near(tree.serial.hz, serial.hz, SAME):
        yield (
            f"{serial.name} runs at {at.baud:,.0f} baud: its clock is {_mhz(at.clock)} MHz "
            f"({tree.serial.source}), not {_mhz(serial.hz)} ({serial.source})"
        )
    yield (
        f"{serial.name} runs at {at.baud:,.0f} baud, not {FIRST_BAUD:,}: its divider is "
        f"{at.divider} for a clock of {_mhz(at.clock)} MHz; "
        "an earlier host may have raised it: press the reset button"
    )


def _pins(chip: Chip, reading: Reading) -> Iterator[str]:
    serial = chip.serial
    if not _on(reading, serial.pins_enable):
        yield (
            f"the port of {serial.pins[0].name} and {serial.pins[1].name} has no clock: "
            "its bit in RCC is not set"
        )
    for pin, role in zip(serial.pins, ("TX", "RX"), strict=True):
        mode, function = _function(reading, pin)
        if mode != 2:  # MODER: alternate function
            yield (
                f"{pin.name} is not {serial.name}_{role}: it is in mode {mode}, "
                "not 2 (alternate function)"
            )
        if function != pin.function:
            yield (
                f"{pin.name} is not {serial.name}_{role}: it has AF{function}, not AF{pin.function}"
            )


def _function(reading: Reading, pin: Pin) -> tuple[int, int]:
    """Mode and alternate function of a pin.

    Registers: MODER, AFRL and AFRH (RM0385 6.4, the same in the others).
    """
    mode = field(word(reading.words, pin.gpio + MODER), 2 * pin.number, 2)
    functions = word(reading.words, pin.gpio + AFRL + 4 * (pin.number // 8))
    return mode, field(functions, 4 * (pin.number % 8), 4)


def _on(reading: Reading, bit: Bit) -> bool:
    return bool(field(word(reading.words, bit.address), bit.bit, 1))


def _near(a: float, b: float, share: float) -> bool:
    return abs(a - b) <= share * b


def _mhz(hz: float) -> str:
    return f"{hz / 1e6:.6g}"
