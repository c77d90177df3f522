"""Which small sums TensorFlow gets wrong with oneDNN, on this processor and with less of it in use.

``python -m tinyrobust.studies.tensorflow.page`` writes docs/tensorflow.md. Each instruction set has
a process of its own: oneDNN reads which it may use when it is loaded.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tinyrobust.core.errors import GateFailed
from tinyrobust.studies.pages import arguments, write_page

PAGE = Path("docs/tensorflow.md")
INSTRUCTIONS = ("DEFAULT", "AVX2", "SSE41")
"""Values of oneDNN's ONEDNN_MAX_CPU_ISA; DEFAULT is all that the processor has."""


class Row(NamedTuple):
    """How many of ``cases`` were wrong in any answer, and how many of those still are mended."""

    what: str
    mode: str
    cases: int
    wrong: int
    mended: int


class Result(NamedTuple):
    """One process's answers."""

    tensorflow: str
    rows: tuple[Row, ...]


def measure(number: int) -> Result:
    """Every operator in this process: ``number`` shapes each, a quarter of them in graphs too."""
    from tinyrobust.models.keras.tf import tf
    from tinyrobust.studies.tensorflow.sums import (
        OPERATORS,
        cases,
        findings,
        one_column,
        taken_for_another,
    )

    rows = []
    chosen = [(name, cases(name, number)) for name in OPERATORS]
    for what, every in (*chosen, ("Conv2D of one channel to one column", one_column())):
        for eager in (True, False):
            asked = every if eager else every[::4]
            wrong = list(dict.fromkeys(f.case for f in findings(asked, mended=False, eager=eager)))
            still = {f.case for f in findings(wrong, mended=True, eager=eager)}
            rows.append(
                Row(what, "eager" if eager else "graph", len(asked), len(wrong), len(still))
            )
    after, before = (int(taken_for_another(mended)) for mended in (True, False))
    rows.append(Row("Depthwise of one channel, then Conv2D with a bias", "graph", 1, before, after))
    return Result(tf.__version__, tuple(rows))


def measured(instructions: str, number: int) -> Result:
    """``measure`` in a child that may use ``instructions``. Raises GateFailed if it fails."""
    argv = [
        sys.executable,
        "-m",
        "tinyrobust.studies.tensorflow.page",
        "--measure",
        "--cases",
        str(number),
    ]
    environment = {**os.environ, "ONEDNN_MAX_CPU_ISA": instructions, "TF_ENABLE_ONEDNN_OPTS": "1"}
    child = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    if child.returncode:
        last = (child.stderr.strip().splitlines() or ["no output"])[-1]
        raise GateFailed(f"oneDNN with {instructions}: {last}")
    version, rows = json.loads(child.stdout)
    return Result(version, tuple(Row(*row) for row in rows))


def page(number: int) -> str:
    """The page, as Markdown."""
    results = {name: measured(name, number) for name in INSTRUCTIONS}
    version = results["DEFAULT"].tensorflow
    table = [
        f"| {row.what} | {row.mode} | {name} | {row.cases:,} | {row.wrong} | {row.mended} |"
        for name, result in results.items()
        for row in result.rows
    ]
    return TEXT.format(version=version, number=number, table="\n".join(table))


TEXT = """# Sums that TensorFlow gets wrong

Written by `python -m tinyrobust.studies.tensorflow.page --cases {number}`, with TensorFlow
{version} and its oneDNN 3.7.3.

`float32`, `qat` and the twin are computed by TensorFlow with oneDNN, twice as fast as without it.
At two kinds of small convolutions it goes wrong. `models/keras/onednn.py` computes both in
float64, which TensorFlow never hands to oneDNN, whether the twin asks for them or a layer of
Keras or QKeras, nested or not, from `.h5`, `.keras` or a SavedModel. All other shapes pass as
they are. TFLiteConverter is shown the layers as they are written.

- **CONV_2D of one input channel, stride (1, more than 1), to one column**, where the kernel is
  wider than one, the output more than one row high and the batch two or more. oneDNN's
  `brg_conv_fwd:avx512_core`, so only on processors with AVX-512, reads memory there that is not
  the image's. Operator by operator and in graphs, in both orders of channels. The gradients to
  input and weights are right, and so is the mirrored shape, stride (more than 1, 1) to one row. A
  random case of the twin's test found it; it is an explicit one now
  (`tests/support/tflite/once_wrong.py`).
- **DEPTHWISE_CONV_2D of one channel and CONV_2D with a bias of the same sizes in one process**,
  in graphs, in either order. TensorFlow finds oneDNN's primitives again by their dimensions in
  one row, which do not say where one ends: the later is taken for the earlier. The call fails
  with "could not create a primitive descriptor", or gives sums with another's bias. A random
  network found it.

`TF_ENABLE_ONEDNN_OPTS=0` in the environment turns oneDNN off altogether.

## What was tried

Shapes drawn from batches of 1 to 3, 1 to 5 rows and columns, 1 to 3 channels, 1 to 3 outputs or
multipliers, kernels and strides of 1 to 3 each way, SAME, VALID and uneven padding, dilations of
1 and 2 (outputs only: TensorFlow has no gradient of those on a CPU); matrix products up to 17 x
33 x 17; of the first kind, 200 of its own. Operands are integers so small that float32 holds
every partial sum; the reference is the definition in NumPy's integers. Compared are the output,
the output with a bias and ReLU, which graphs fuse, and the gradients to input and weights; a
quarter of the shapes also in graphs. DEFAULT is a processor with AVX-512; the others are the same
one with oneDNN told to use no more (`ONEDNN_MAX_CPU_ISA`). Processors with AMX, and others than
x86-64, have not been tried.

| operator | mode | instructions | shapes | wrong | wrong when mended |
|---|---|---|---|---|---|
{table}

`make test` runs twenty shapes of each operator and those of the first kind, `make test-deep`
thousands (`tests/unit/models/keras/test_onednn.py`).
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code; 1 where a process failed."""
    parser = arguments("tensorflow.page", __doc__)
    parser.add_argument(
        "--cases", type=int, default=1000, help="shapes of each operator (default: %(default)s)"
    )
    parser.add_argument("--measure", action="store_true", help="print this process's rows as JSON")
    given = parser.parse_args(argv)
    if given.measure:
        print(json.dumps(measure(given.cases)))
        return 0
    return write_page(PAGE, lambda: page(given.cases))


if __name__ == "__main__":
    sys.exit(main())
