"""What is mutated, and which tests have to notice: the one place that names files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Row:
    """One part of the project under mutation."""

    name: str
    sources: tuple[str, ...]
    """Modules by their dotted names."""
    tests: tuple[str, ...]
    """Files below ``tests/unit``, without ``test_`` and ``.py``.

    Of their tests, those that are not slow.
    """
    libraries: tuple[str, ...] = ("numpy",)
    """What the tests import from others, imported once for all mutants."""

    def test_files(self) -> list[Path]:
        """The files of ``tests``."""
        paths = [ROOT / "tests" / "unit" / name for name in self.tests]
        return [path.with_name(f"test_{path.name}.py") for path in paths]


def source_file(module: str) -> Path:
    """Where ``module`` is."""
    return ROOT / f"{module.replace('.', '/')}.py"


_ARROW = ("numpy", "pyarrow", "pyarrow.compute", "pyarrow.parquet", "scipy.stats")

ROWS = (
    Row(
        "wire",
        (
            "tinyrobust.core.abi.wire.codes",
            "tinyrobust.core.abi.wire.messages",
            "tinyrobust.core.abi.wire.protocol",
            "tinyrobust.core.abi.layout",
            "tinyrobust.host.link.frame",
        ),
        ("host/link/frame_bounds", "host/link/frame", "core/abi/layout", "core/abi/headers"),
        ("cobs",),
    ),
    Row(
        "link",
        (
            "tinyrobust.host.link.exchange",
            "tinyrobust.host.link.requests",
            "tinyrobust.host.link.timing",
            "tinyrobust.host.link.vote",
        ),
        (
            "host/link/timing",
            "host/link/vote",
            "host/link/vote_copies",
            "host/link/exchange",
            "core/values",
        ),
        (*_ARROW, "cobs"),
    ),
    Row(
        "plan",
        (
            "tinyrobust.models.plan.compiler",
            "tinyrobust.models.plan.operators.checks",
            "tinyrobust.models.plan.operators.weighted",
            "tinyrobust.models.plan.operators.arithmetic",
            "tinyrobust.models.plan.operators.windows",
            "tinyrobust.models.plan.operators.pointwise",
            "tinyrobust.models.plan.operators.softmax",
            "tinyrobust.models.plan.operators.table",
            "tinyrobust.models.plan.constants",
            "tinyrobust.core.abi.plan.bounds",
            "tinyrobust.core.abi.plan.kinds",
            "tinyrobust.core.abi.plan.layouts",
            "tinyrobust.core.abi.plan.records",
        ),
        (
            "models/plan/operators/records",
            "models/plan/operators/sums",
            "models/plan/operators/weighted",
            "models/plan/operators/unweighted",
            "models/plan/edges",
            "models/plan/memory",
            "core/abi/headers",
            "core/values",
            "models/plan/compiler",
        ),
        (*_ARROW, "flatbuffers", "ai_edge_litert.schema_py_generated"),
    ),
    Row(
        "requantization",
        ("tinyrobust.models.plan.fixed_point", "tinyrobust.models.rungs.twin.requantize"),
        ("models/plan/fixed_point", "models/rungs/twin/requantize", "core/values"),
        (*_ARROW, "tensorflow", "tf_keras"),
    ),
    Row(
        "metrics",
        (
            "tinyrobust.host.analysis.metrics",
            "tinyrobust.core.stats",
            "tinyrobust.host.analysis.scores",
        ),
        (
            "host/analysis/metrics_figures",
            "host/analysis/metrics",
            "core/stats",
            "host/analysis/scores",
            "core/values",
        ),
        _ARROW,
    ),
)
