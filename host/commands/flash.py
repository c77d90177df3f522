"""``tinyrobust flash``: build a real board's firmware and write it to the one that is plugged in."""

from __future__ import annotations

import argparse

HELP = "build a real board's firmware and flash it"


def add(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("--board", required=True, help="a name that `tinyrobust boards` lists")


def main(args: argparse.Namespace) -> int:
    """Runs it."""
    from host.boards import get_board
    from host.flash import upload

    upload(get_board(args.board))
    return 0
