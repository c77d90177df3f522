"""S2, on the chip's bytes: do fewer bits help or hurt?

And does the answer still depend on the attack's strength when the attack is a strong one?

``python -m tinyrobust.studies.s2`` trains the paper's network in 1 to 10 bits, attacks every one on
its deployed integer form and writes the page. It resumes where it was interrupted.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tinyrobust.core.errors import UsageError
from tinyrobust.studies.pages import bench_arguments, write_page
from tinyrobust.studies.s2.answers import COMMAND, answers
from tinyrobust.studies.s2.network import BITS
from tinyrobust.studies.s2.page import page
from tinyrobust.studies.s2.picture import draw

SEEDS = 5
SAMPLES = 500
PICTURE = Path("images") / "s2_bits.png"


def main() -> int:
    """Writes the page."""
    parser = bench_arguments("s2", __doc__, "native", "docs/s2-bits.md")
    parser.add_argument("--samples", type=int, default=SAMPLES, help="test images for each network")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="training seeds, 1 or more")
    parser.add_argument("--bits", default=",".join(map(str, BITS)), help="two or more of them")
    args = parser.parse_args()

    def made() -> str:
        bits = _widths(args.bits)
        if args.seeds < 1:
            raise UsageError(f"--seeds {args.seeds}: 1 or more")
        found = answers(bits, tuple(range(args.seeds)), args.samples, args.board, args.out)
        picture = args.page.parent / PICTURE
        picture.parent.mkdir(parents=True, exist_ok=True)
        draw(found, picture)
        asked = f"--board {args.board} --samples {args.samples} --seeds {args.seeds}"
        return page(found, args.board, f"{COMMAND} {asked}", PICTURE.as_posix())

    return write_page(args.page, made)


def _widths(text: str) -> tuple[int, ...]:
    """The widths in ``text``, rising. Raises UsageError on another, or fewer than two."""
    names = {str(bits) for bits in BITS}
    given = {part.strip() for part in text.split(",")}
    if not given <= names or len(given) < 2:
        raise UsageError(f"--bits {text}: two or more of {', '.join(map(str, BITS))}")
    return tuple(sorted(int(part) for part in given))


if __name__ == "__main__":
    sys.exit(main())
