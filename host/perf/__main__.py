"""``make perf``: measures everything, prints it and writes docs/performance.md.

It is ``python -m tinyrobust.host.perf``.

The four MLPerf Tiny models and CIFAR-10 are read from the folder that ``BENCH_DATA`` names; without
it only the digits network is measured, and the page says so.
"""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

from tinyrobust.core.cache import cache_folder
from tinyrobust.core.errors import BenchError, UsageError
from tinyrobust.core.files import write_whole
from tinyrobust.core.progress import to_stderr
from tinyrobust.host.perf.attacks import attack_table
from tinyrobust.host.perf.certify import certificate_table
from tinyrobust.host.perf.device.instructions import instruction_table
from tinyrobust.host.perf.device.overhead import overhead_tables
from tinyrobust.host.perf.device.queries import query_table
from tinyrobust.host.perf.device.side_by_side import side_by_side_table
from tinyrobust.host.perf.device.stages import stage_table
from tinyrobust.host.perf.device.streaming import streaming_table
from tinyrobust.host.perf.jacobian import jacobian_table
from tinyrobust.host.perf.strength.table import strength_table
from tinyrobust.host.perf.table import Table, markdown
from tinyrobust.host.perf.twin import twin_table

PAGE = Path("docs/performance.md")
MLPERF = (
    ("ResNet8", "pretrainedResnet_quant.tflite"),
    ("DS-CNN", "kws_ref_model.tflite"),
    ("MobileNetV1 VWW", "vww_96_int8.tflite"),
    ("FC autoencoder", "ad01_int8.tflite"),
)


def reference_models() -> tuple[tuple[tuple[str, bytes], ...], str]:
    """(title, .tflite) of the MLPerf Tiny models, and what to say where there are none."""
    root = os.environ.get("BENCH_DATA")
    if not root:
        return (
            (),
            "`BENCH_DATA` was not set: the MLPerf Tiny models, and attacks on ResNet8, "
            "were not measured.",
        )
    folder = Path(root) / "mlperf_tiny"
    try:
        return tuple((title, (folder / name).read_bytes()) for title, name in MLPERF), ""
    except OSError as err:
        raise UsageError(
            f"BENCH_DATA={root}: {err.filename} cannot be read: {err.strerror}"
        ) from None


def page(tables: list[Table], remark: str) -> str:
    """The whole page."""
    head = (
        "# Performance\n\nWritten by `make perf`; every figure below is from one run of it, on "
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}. "
        "Instruction counts repeat; seconds do not, so compare ratios. Emulated boards count "
        "instructions, never cycles or milliseconds.\n"
    )
    return "\n".join([head, *([remark + "\n"] if remark else []), *map(markdown, tables)])


def main() -> int:
    """Measures and writes; exit codes as the command line's."""
    models, remark = reference_models()
    from tinyrobust.models.zoo.catalog import open_model

    digits = open_model("digits", cache_folder(), to_stderr)
    named = (("digits CNN", digits.bundle.tflite), *models)
    streaming = streaming_table(named, cache_folder(), to_stderr)
    tables = [
        instruction_table(named, to_stderr),
        *overhead_tables(named, to_stderr),
        side_by_side_table(named, to_stderr),
        streaming,
        query_table(named, to_stderr),
        stage_table(to_stderr),
        twin_table(named, to_stderr),
        *([attack_table(to_stderr)] if models else []),
        strength_table(to_stderr),
        jacobian_table(to_stderr),
        certificate_table(to_stderr),
    ]
    text = page(tables, remark)
    write_whole(PAGE, text.encode())
    print(text)
    to_stderr(f"written to {PAGE}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchError as err:
        print(f"tinyrobust: error: {err}", file=sys.stderr)
        sys.exit(err.exit_code)
