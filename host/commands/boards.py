"""``tinyrobust boards``: what can be benched on, and what is plugged in."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from tinyrobust.host.commands.options import add_json

if TYPE_CHECKING:
    from tinyrobust.host.boards.table import Board

HELP = "list the known boards, and those attached"


def add(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    add_json(parser)


def main(args: argparse.Namespace) -> int:
    """Runs it."""
    from tinyrobust.host.boards.probes import attached
    from tinyrobust.host.boards.table import load_boards
    from tinyrobust.host.commands.terminal.tables import Column, show

    boards = load_boards().values()
    plugged = {
        board.name: [f"{one.url} {one.serial_number}".strip() for one in attached(board)]
        for board in boards
    }
    if args.json:
        print(
            json.dumps(
                [_row(board) | {"attached": plugged[board.name]} for board in boards], indent=2
            )
        )
        return 0
    names = ("board", "cpu", "port", "what", "flash KiB", "RAM KiB", "attached probes")
    rows = []
    for board in boards:
        what = "host process" if board.cpu == "host" else "emulated" if board.emulated else "real"
        sizes = (
            str(size // 1024) if size else "-" for size in (board.flash_bytes, board.ram_bytes)
        )
        rows.append(
            (board.name, board.cpu, board.port.value, what, *sizes, ", ".join(plugged[board.name]))
        )
    show([Column(name, name.endswith("KiB"), name == "board") for name in names], rows)
    return 0


def _row(board: Board) -> dict[str, str | int]:
    return {
        "board": board.name,
        "cpu": board.cpu,
        "port": board.port.value,
        "emulated": board.emulated,
        "flash_bytes": board.flash_bytes,
        "ram_bytes": board.ram_bytes,
    }
