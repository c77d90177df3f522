"""``tinyrobust doctor``: each tool and its version, or what is wrong with a board."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Sequence

from tinyrobust.core.errors import LinkError, UsageError
from tinyrobust.host.commands.options import add_json, add_setting

HELP = "list each tool, its version and what is missing; or say what is wrong with a board"


def add(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    add_setting(
        parser, "board", metavar="NAME", help="a real board: whether it answers, and if not, why"
    )
    add_setting(parser, "port", default="", help="its serial port (default: by USB id)")
    add_setting(parser, "serial", default="", help="serial number of its probe")
    add_json(parser)


def main(args: argparse.Namespace) -> int:
    """Runs it; 0 also where a tool is missing, which may not be needed.

    LinkError where the board does not answer.
    """
    if args.board:
        return _board(args)
    if args.port or args.serial:
        raise UsageError("--port and --serial say where a board is: name it, too (--board)")
    from tinyrobust.host.commands.terminal.tables import Column, show
    from tinyrobust.host.setup.doctor import doctor

    rows = doctor()
    if args.json:
        print(json.dumps([dataclasses.asdict(row) for row in rows], indent=2))
        return 0
    columns = [Column(name) for name in ("tool", "version", "needed for", "remedy")]
    show(
        columns, [(row.tool, row.version or "MISSING", row.needed_for, row.remedy) for row in rows]
    )
    return 0


def _board(args: argparse.Namespace) -> int:
    """Asks the board for HELLO, and where it is mute, its probe for what is wrong."""
    from tinyrobust.core.progress import to_stderr
    from tinyrobust.host.boards.build import newest_image
    from tinyrobust.host.boards.probes import probe_to_program
    from tinyrobust.host.boards.table import get_board
    from tinyrobust.host.devices.attached_board import AttachedBoard
    from tinyrobust.host.devices.device import Device
    from tinyrobust.host.devices.rate import NoAnswerError
    from tinyrobust.host.devices.target import facts

    board = get_board(args.board)
    if board.emulated:
        raise UsageError(f"{board.name} is not a real board: there is nothing to look at")
    number = probe_to_program(board, args.serial, args.port)
    there = AttachedBoard(board, args.port, number, to_stderr)
    with Device(there.open()) as device:
        try:
            said = facts(there.meet(device))
        except NoAnswerError as err:
            mute: LinkError | None = err
        else:
            mute = None
    if mute is None:
        _tell(args.json, said, f"{board.name} answers")
        return 0
    try:
        finding = there.look(newest_image(board))
    except LinkError as why:
        raise LinkError(f"{mute}; {why}") from None
    _tell(args.json, finding.facts, finding.verdict)
    raise LinkError(f"{mute}; through its probe: {finding.verdict}")


def _tell(as_json: bool, facts: Sequence[tuple[str, str]], verdict: str) -> None:
    if as_json:
        print(json.dumps({"verdict": verdict, "facts": facts}, indent=2))
    elif facts:
        from tinyrobust.host.commands.terminal.tables import Column, show

        show([Column("what"), Column("value")], facts)
