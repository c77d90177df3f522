"""One line on what is wrong with a board that does not answer, read through its probe."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tinyrobust.core.errors import LinkError
from tinyrobust.host.boards.bringup import openocd
from tinyrobust.host.boards.bringup.bits import UnreadError
from tinyrobust.host.boards.bringup.chips import CHIPS, Chip
from tinyrobust.host.boards.bringup.reading import S_HALT, Reading
from tinyrobust.host.boards.bringup.symbols import Image, build_id, plain
from tinyrobust.host.boards.bringup.verdict import Name, judge, line
from tinyrobust.host.boards.table import Board


@dataclass(frozen=True)
class Finding:
    """What was read of a chip: one line on what is wrong, and the facts behind it."""

    verdict: str
    facts: tuple[tuple[str, str], ...]


def examine(board: Board, serial_number: str, elf: Path, fresh: bool = False) -> Finding:
    """Looks at the chip of ``board`` through the probe of ``serial_number`` (empty: the only one).

    ``elf`` is the image that it may hold: its symbols are used where it does. ``fresh`` says that
    it was just flashed. The core is stopped a few times for milliseconds and runs on. Raises
    LinkError where it cannot be looked at.
    """
    if board.name not in CHIPS:
        raise LinkError(f"the registers of {board.name}'s chip are not known to this bench")
    chip, image = CHIPS[board.name], Image(elf)
    at = image.build_id_words() if elf.is_file() else ()
    reading = openocd.read(board, chip, serial_number, at)
    held = b"".join(reading.words.get(address, 0).to_bytes(4, "little") for address in at)
    known = bool(at) and held == build_id(elf)
    name = image.function if known else plain
    verdict = judge(chip, reading, name)
    if fresh and at and not known:
        verdict = (
            f"the flash does not hold the image just built (another board's probe?); {verdict}"
        )
    return Finding(verdict, tuple(_facts(chip, reading, name)))


def _facts(chip: Chip, reading: Reading, name: Name) -> Iterator[tuple[str, str]]:
    if reading.volts is not None:
        yield "supply", f"{reading.volts:.2f} V"
    yield "core", "halted" if reading.before & S_HALT else "running"
    for stop in reading.stops:
        yield "stopped at", f"{name(stop.pc)}{f', in {stop.fault}' if stop.fault else ''}"
    try:
        tree = chip.tree(reading.words)
        at = line(chip, reading, tree)
    except UnreadError as err:
        yield "not read", str(err)
        return
    yield "core clock", f"{tree.core.hz / 1e6:.6g} MHz ({tree.core.source})"
    yield f"{chip.serial.name} clock", f"{tree.serial.hz / 1e6:.6g} MHz ({tree.serial.source})"
    yield f"{chip.serial.name} divider", str(at.divider)
    yield f"{chip.serial.name} rate", f"{at.baud:,.0f} baud"
