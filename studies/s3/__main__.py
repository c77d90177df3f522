"""S3's claim, taken apart: is the deeply quantized, regularized network the more robust one?

And which of the steps between it and MLPerf Tiny's ResNet8 makes it so?

``python -m tinyrobust.studies.s3`` attacks four networks (``tinyrobust.studies.s3.networks``) with
Auto-PGD at the same budgets on the same CIFAR-10 test images, on the float and on the integer
network, and writes the page. It resumes where it was interrupted.
"""

from __future__ import annotations

import sys

from tinyrobust.studies.pages import bench_arguments, write_page
from tinyrobust.studies.s3.answers import COMMAND, answers
from tinyrobust.studies.s3.networks import NETWORKS
from tinyrobust.studies.s3.page import page

SAMPLES = 1_000


def main() -> int:
    """Writes the page."""
    parser = bench_arguments("s3", __doc__, "native", "docs/s3-claim.md")
    parser.add_argument(
        "--samples", type=int, default=SAMPLES, help="the first so many test images"
    )
    args = parser.parse_args()
    command = f"{COMMAND} --board {args.board} --samples {args.samples}"
    rung = "native" if args.board == "native" else "board"

    def made() -> str:
        found = {name: answers(name, args.board, args.samples, args.out) for name in NETWORKS}
        return page(found, rung, command)

    return write_page(args.page, made)


if __name__ == "__main__":
    sys.exit(main())
