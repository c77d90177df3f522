"""With ``TINYROBUST_REQUIRE_DATA=1`` (set by .ci/run) a skip is a failure: CI has the data and
every tool.

Tests of real boards are the exception: a machine without a board is not at fault. Each of several
workers has one core.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.paths import TESTS

HARDWARE = TESTS / "hardware"
STRICT = os.environ.get("TINYROBUST_REQUIRE_DATA") == "1"

if "PYTEST_XDIST_WORKER" in os.environ:
    # Read when TensorFlow is imported: with threads for every core, workers would wait for each
    # other's.
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")

# How long an example takes says how busy the machine is. Every run draws anew: runs add up, and it
# was such a draw that found a wrong sum in TensorFlow. What fails is printed with the line that
# replays it, and is tried first when the test is run again.
settings.register_profile("any machine", deadline=None, derandomize=False, print_blob=True)
settings.load_profile("any machine")


def _forbid_skip(path: Path, report: pytest.TestReport | pytest.CollectReport) -> None:
    if (
        STRICT
        and report.skipped
        and not hasattr(report, "wasxfail")
        and HARDWARE not in path.parents
    ):
        report.outcome = "failed"
        why = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.longrepr = f"{path.name}: skipped where TINYROBUST_REQUIRE_DATA forbids it: {why}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _forbid_skip(item.path, report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _forbid_skip(collector.path, report)
    return report
