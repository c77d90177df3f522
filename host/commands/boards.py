"""``tinyrobust boards``: what can be benched on, and what is plugged in."""

from __future__ import annotations

import argparse
import json

HELP = "list the known boards, and those attached"


def add(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("--json", action="store_true", help="as JSON on stdout")


def main(args: argparse.Namespace) -> int:
    """Runs it."""
    from rich.console import Console
    from rich.table import Table

    from host.boards import attached, load_boards

    rows = [
        {
            "board": board.name,
            "cpu": board.cpu,
            "port": board.port.value,
            "emulated": board.emulated,
            "flash_bytes": board.flash_bytes,
            "ram_bytes": board.ram_bytes,
            "attached": [f"{one.url} {one.serial_number}".strip() for one in attached(board)],
        }
        for board in load_boards().values()
    ]
    if args.json:
        print(json.dumps(rows, indent=2))
        return 0
    table = Table()
    for name in ("board", "cpu", "port", "what", "flash KiB", "RAM KiB", "attached"):
        table.add_column(name, justify="right" if name.endswith("KiB") else "left")
    for row in rows:
        what = "host process" if row["port"] == "child" else "emulated" if row["emulated"] else "real"
        sizes = (str(row[size] // 1024) if row[size] else "-" for size in ("flash_bytes", "ram_bytes"))
        table.add_row(row["board"], row["cpu"], row["port"], what, *sizes, ", ".join(row["attached"]))
    Console().print(table)
    return 0
