"""``tinyrobust flash``: build a real board's firmware, write it, ask the board what runs."""

from __future__ import annotations

import argparse
from pathlib import Path

from tinyrobust.core.errors import UsageError
from tinyrobust.host.commands.options import add_setting
from tinyrobust.host.config.parts import CMSIS_NN, MLPERF_TINY, TFLM, TINYROBUST, Parts

HELP = "build a real board's firmware and flash it"


def add(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    add_setting(parser, "board", required=True, help="a name that `tinyrobust boards` lists")
    parser.add_argument(
        "--model",
        type=Path,
        metavar="M.tflite",
        help="link this network's plan into flash, for plans too large for the board's RAM",
    )
    add_setting(parser, "port", default="", help="its serial port (default: by USB id)")
    add_setting(parser, "serial", default="")
    add_setting(
        parser,
        "engine",
        default=CMSIS_NN,
        help="what runs the network (default cmsis-nn); tflm needs --model",
    )
    add_setting(
        parser,
        "protocol",
        default=TINYROBUST,
        help="what the firmware speaks (default tinyrobust); mlperf-tiny needs --model",
    )


def main(args: argparse.Namespace) -> int:
    """Runs it."""
    from tinyrobust.host.boards.table import get_board
    from tinyrobust.host.devices.flash import upload

    if args.model is None and (args.protocol == MLPERF_TINY or args.engine == TFLM):
        raise UsageError(
            "--protocol mlperf-tiny, --engine tflm: need --model M.tflite, "
            "they take none at run time"
        )
    from tinyrobust.core.progress import to_stderr

    board = get_board(args.board)
    sources = () if args.model is None else _linked(args.model, args.engine)
    upload(board, Parts(args.protocol, args.engine, sources), args.serial, args.port, to_stderr)
    return 0


def _linked(model: Path, engine: str) -> tuple[Path, ...]:
    """What an image of ``model`` is linked with.

    Raises UsageError where its plan or its engine cannot be had.
    """
    from tinyrobust.core.cache import cache_folder
    from tinyrobust.host.commands.linked import linked_sources
    from tinyrobust.models.plan.bundle import build
    from tinyrobust.models.tflite.reader import MAX_FILE
    from tinyrobust.models.user.model import read_bounded

    bundle = build(read_bounded(model, MAX_FILE), cache_folder())
    return linked_sources(bundle, engine)
