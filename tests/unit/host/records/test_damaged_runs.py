"""A run's folder that was damaged: a report, a gate and a comparison, or one line with exit code 2;
nothing else.
"""

import numpy as np
import pytest

from tests.support.runs import synthetic
from tests.support.runs.damaged import copy, damage
from tinyrobust.core.abi.wire import OperatorTicks
from tinyrobust.core.cells import Cell
from tinyrobust.host import cli
from tinyrobust.host.records.layers import record
from tinyrobust.host.report.figures import Drawing

CELLS = (*synthetic.FEW, Cell("deepfool", "float32", 1.0))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = synthetic.run_folder(
        tmp_path_factory.mktemp("whole"),
        synthetic.table(CELLS, n=12),
        pictures=True,
        n=12,
        attacks=("clean", "pgd", "deepfool"),
        board_info=(
            ("clock_hz", "16000000"),
            ("plan_bytes", "9"),
            ("plan_in_ram", "1"),
            ("arena_bytes", "7"),
            ("flash_bytes", "8"),
        ),
        tick_unit="systick",
    )
    record(folder, [[OperatorTicks(9, "CONV_2D"), OperatorTicks(4, "RESHAPE")]] * 3)
    return folder


def held(argv, capfd):
    """Runs a command; it ends with a result, or in one printable line, and in nothing
    unexpected.
    """
    status = cli.main([str(arg) for arg in argv])
    out, err = capfd.readouterr()
    assert status in (0, 1, 2), err
    lines = [line for line in err.splitlines() if line]
    assert len(lines) == (status != 0), err
    assert all(line.startswith("tinyrobust: error: ") and line.isprintable() for line in lines)
    assert "unexpected" not in err, err
    assert "Traceback" not in err
    assert all(c.isprintable() or c == "\n" for c in out), out
    return status


def all_held(folder, whole, capfd):
    return [
        held(["report", folder], capfd),
        held(["gate", folder, "--junit", folder / "junit.xml"], capfd),
        held(["compare", folder, whole], capfd),
    ]


@pytest.fixture
def undrawn(monkeypatch):
    """Figures are made, and not rendered: that takes seconds."""
    monkeypatch.setattr(
        "tinyrobust.host.report.page.draw", lambda figure: Drawing("<svg></svg>", b"png")
    )


def test_what_is_damaged_is_whole_before_that(whole, capfd, undrawn):
    assert all_held(whole, whole, capfd) == [0, 0, 0]


def one_round(seed, whole, tmp_path, capfd):
    folder = copy(whole, tmp_path / "damaged")
    what = damage(folder, np.random.default_rng(seed))
    try:
        all_held(folder, whole, capfd)
    except AssertionError as err:
        raise AssertionError(f"seed {seed}: {what}: {err}") from None


@pytest.mark.parametrize("seed", range(25))
def test_a_damaged_run_is_one_line(whole, tmp_path, capfd, seed, undrawn):
    one_round(seed, whole, tmp_path, capfd)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(25, 30))
def test_a_damaged_run_is_drawn_or_one_line(whole, tmp_path, capfd, seed):
    one_round(seed, whole, tmp_path, capfd)


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(30, 1000))
def test_any_damaged_run_is_one_line(whole, tmp_path, capfd, seed, undrawn):
    one_round(seed, whole, tmp_path, capfd)
