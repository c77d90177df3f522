"""A board against tflite-micro, byte by byte, for the cards.

``python -m tinyrobust.studies.board_agreement [NAME ...]`` compares them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tinyrobust.core.errors import UsageError
from tinyrobust.host.devices.device import Device
from tinyrobust.studies.pages import arguments, exit_code

if TYPE_CHECKING:
    from tinyrobust.models.rungs.ladder import Ladder
    from tinyrobust.models.zoo.on_board import BoardAgreement

BOARD = "qemu_an500"
SAMPLES = 10


def agreement(ladder: Ladder, device: Device, board: str, samples: int) -> BoardAgreement:
    """The first ``samples`` of the ladder's test set on ``device`` and tflite-micro.

    Raises UsageError without it.
    """
    from tinyrobust.models.zoo.on_board import BoardAgreement

    tflm = next((rung for rung in ladder.rungs if rung.rung == "tflm"), None)
    if tflm is None:
        raise UsageError(f"{ladder.name}: {dict(ladder.unavailable)['tflm']}")
    q = np.ascontiguousarray(ladder.test.q[:samples])
    device.load(ladder.bundle, ladder.bundle.input)
    ours, theirs = (_bytes(rung.predict(q).raw) for rung in (device, tflm))
    equal = int(np.count_nonzero(ours == theirs))
    return BoardAgreement(board, len(q), equal, ours.size, ladder.bundle.sha256)


def _bytes(raw: np.ndarray | None) -> np.ndarray:
    assert raw is not None, "integer rungs give raw outputs"
    return np.ascontiguousarray(raw).view(np.uint8).reshape(-1)


def measure(names: Sequence[str], board: str, samples: int) -> int:
    """Measures and keeps each zoo entry as it is done. Exit code 1 where a byte differs."""
    from tinyrobust.core.cache import cache_folder
    from tinyrobust.core.progress import to_stderr
    from tinyrobust.host.boards.table import get_board
    from tinyrobust.host.devices.attach import attach
    from tinyrobust.models.zoo import on_board
    from tinyrobust.models.zoo.catalog import ENTRIES, open_model

    differing = 0
    with attach(get_board(board), to_stderr) as device:
        for name in names or sorted(ENTRIES):
            ladder = open_model(name, cache_folder(), lambda _: None)
            made = agreement(ladder, device, board, samples)
            on_board.write({**on_board.read(), name: made})
            to_stderr(f"{name}: {made}")
            differing += made.equal != made.compared
            ladder.close()
    return 1 if differing else os.EX_OK


def main() -> int:
    """Measures the entries that are named, or all."""
    parser = arguments("board_agreement", __doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="zoo entries (default: all)")
    parser.add_argument("--board", default=BOARD, help=f"default {BOARD}")
    parser.add_argument(
        "--samples", type=int, default=SAMPLES, help=f"of each test set (default {SAMPLES})"
    )
    args = parser.parse_args()
    return exit_code(lambda: measure(args.names, args.board, args.samples))


if __name__ == "__main__":
    sys.exit(main())
