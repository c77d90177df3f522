"""`certify --run` on a real, small network: bands in the report, and a planted defect is told."""

import dataclasses
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.runs import synthetic
from tests.support.runs.rows import cell_of
from tests.support.runs.small_ladder import SmallBundle, SmallLadder
from tests.support.tflite.factory import Affine, Factory
from tinyrobust.core.cells import Cell
from tinyrobust.core.types import Dataset, TensorSpec
from tinyrobust.host import cli
from tinyrobust.host.commands import run as run_command
from tinyrobust.models.bounds.certifier import Certifier
from tinyrobust.models.plan.compiler import compile_plan

SPEC = TensorSpec((3,), 1 / 32, 0)
CLEAN, PGD = Cell("clean", "-", 0.0), Cell("pgd", "twin", 2 / 255)


@dataclasses.dataclass(frozen=True)
class Bundle(SmallBundle):
    plan: bytes = b""
    sha256: str = "cd" * 32
    input = output = grid = SPEC


@dataclasses.dataclass(frozen=True)
class Ladder(SmallLadder):
    name: str = "small"

    def close(self):
        """Nothing is open."""


def tiny(softmax_inside=False):
    """Two classes: the first input against the second."""
    f = Factory()
    x = f.input((1, 3), Affine(1 / 32))
    w = np.array([[100, -100, 0], [-100, 100, 0]], np.int8)
    y = f.softmax(x) if softmax_inside else x
    y = f.fully_connected(y, w, [1 / 128], None, Affine(1 / 16))
    return compile_plan(f.build(x, y)).data


@pytest.fixture
def ladder(monkeypatch):
    """Five samples: one misclassified, one within two levels of the other class, three far off."""
    q = np.array([[40, 0, 0], [50, 0, 0], [60, 0, 0], [2, 0, 0], [0, 40, 0]], np.int8)
    data = Dataset("d", q, np.zeros(5, np.int64), "ab" * 32)
    made = Ladder(data, Bundle(tiny()))
    monkeypatch.setattr(run_command, "ladder_of", lambda config: lambda cache: made)
    return made


def run_folder(tmp_path, turned, level=2):
    fell = np.array([0, 0, 0, 0, 1])
    under = np.where(np.isin(np.arange(5), turned), 1, fell)
    parts = [cell_of(CLEAN, "native", fell, level=0), cell_of(PGD, "native", under, level=level)]
    return synthetic.run_folder(tmp_path, pa.concat_tables(parts), n=5, eps=(2 / 255,))


def test_a_run_gets_its_band_at_its_own_budgets(ladder, tmp_path, capsys):
    run = run_folder(tmp_path, turned=[3])
    argv = ["certify", "--run", str(run), "--out", str(tmp_path), "--method", "interval"]
    assert cli.main(argv) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == "robust at 2/255: between 60.0 and 60.0 %, n = 5"
    assert "Robust at 2/255" in (run / "report.html").read_text()
    assert cli.main([*argv, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["certified"]["bands"][0]["certified"]["share"] == 0.6
    assert [box["levels"] for box in said["boxes"]] == [2]


def test_a_planted_defect_is_one_line_and_exit_code_1(ladder, tmp_path, capsys):
    """A run that says an attack of 2 levels turned what is proven to stand at 2."""
    run = run_folder(tmp_path, turned=[1, 3])
    argv = ["certify", "--run", str(run), "--out", str(tmp_path), "--method", "interval"]
    assert cli.main(argv) == 1
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert (
        "sample 1 is certified at 2 levels, but pgd from twin turned it on native by 2"
        in captured.err
    )
    assert cli.main(["gate", str(run)]) == 1


def test_a_turn_beyond_the_certified_levels_is_no_defect(ladder, tmp_path):
    run = run_folder(tmp_path, turned=[1], level=3)
    argv = ["certify", "--run", str(run), "--out", str(tmp_path), "--method", "interval"]
    assert cli.main(argv) == 0


@pytest.mark.parametrize("name", ["tflite_sha256", "data_sha256"])
def test_a_run_of_something_else_is_refused(name, ladder, tmp_path, capsys):
    run = run_folder(tmp_path, turned=[])
    manifest = synthetic.manifest(n=5, **{name: "00" * 32})
    (run / "manifest.json").write_text(manifest.to_json())
    assert cli.main(["certify", "--run", str(run), "--out", str(tmp_path)]) == 2
    assert "other data" in (err := capsys.readouterr().err) or "another network" in err
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_an_operator_without_a_bound_is_named_before_any_work(monkeypatch, tmp_path, capsys):
    data = Dataset("d", np.zeros((2, 3), np.int8), np.zeros(2, np.int64), "ab" * 32)
    made = Ladder(data, Bundle(tiny(softmax_inside=True)))
    monkeypatch.setattr(run_command, "ladder_of", lambda config: lambda cache: made)
    assert cli.main(["certify", "--out", str(tmp_path)]) == 2
    captured = capsys.readouterr()
    assert "operator 0, SOFTMAX inside of a network, has no bound" in captured.err
    assert (captured.out, list(tmp_path.iterdir())) == ("", [])


def test_a_defect_of_the_bounds_is_told_too(ladder, tmp_path, monkeypatch, capsys):
    """Bounds that prove everything: sample 3 falls to the run's attack."""
    sound = Certifier.bound

    def careless(self, *args):
        found = sound(self, *args)
        return dataclasses.replace(found, proven=np.ones_like(found.proven))

    monkeypatch.setattr(Certifier, "bound", careless)
    run = run_folder(tmp_path, turned=[3])
    assert cli.main(["certify", "--run", str(run), "--out", str(tmp_path)]) == 1
    assert "sample 3 is certified at 2 levels" in capsys.readouterr().err
    assert pq.read_table(run / "certified.parquet").num_rows == 5
