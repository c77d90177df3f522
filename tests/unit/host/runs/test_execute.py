"""A whole run on a small ladder and a board in memory: every record once, resumed after any end,
reused when done.
"""

import dataclasses
import itertools

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.support.boards.simulated import MemoryBoard, NoisyPort
from tests.support.runs.rows import read
from tests.support.runs.small_ladder import ladder
from tinyrobust.attacks.base.problem import Needs
from tinyrobust.attacks.registry import ATTACKS, HOME
from tinyrobust.core.cells import FlagKind
from tinyrobust.core.errors import LinkError, UsageError
from tinyrobust.host.config.bench import Config
from tinyrobust.host.devices.device import Device
from tinyrobust.host.records.examples import read_examples
from tinyrobust.host.runs.execute import UNLABELLED, execute


def run(tmp_path, board, ladder=None, image="", attacks=("clean", "noise"), **settings):
    config = Config(
        board="native", attacks=attacks, eps=(2 / 255, 8 / 255), out=tmp_path / "runs", **settings
    )
    ladder = ladder or globals()["ladder"]()
    lines = []
    with Device(board, image=image) as device:
        outcome = execute(
            config,
            ladder,
            device,
            tmp_path / "cache",
            lines.append,
            lambda *_: None,
            "tinyrobust run",
        )
    return outcome, lines


def test_every_record_once_and_reused(tmp_path):
    outcome, _ = run(tmp_path, MemoryBoard())
    rows = read(outcome.path)
    assert len(rows) == outcome.made == 3 * 2 * 150
    halves = {rung: [r["raw"] for r in rows if r["rung"] == rung] for rung in ("board", "tflm")}
    assert halves["board"] == halves["tflm"]
    assert outcome.manifest.state == "complete"
    assert {r.rung: r.available for r in outcome.manifest.rungs} == {
        "tflm": True,
        "qat": False,
        "board": True,
    }
    again, lines = run(tmp_path, MemoryBoard())
    assert again.path == outcome.path
    assert again.made == 0
    assert "nothing to run" in lines[0]


class DyingBoard(MemoryBoard):
    """Gone after so many inferences."""

    def __init__(self, after):
        super().__init__()
        self.after = after

    def read(self, timeout):
        if self.inferences >= self.after:
            raise LinkError("memory: the emulator was killed")
        return super().read(timeout)


def test_interrupted_run_resumes_without_loss_or_double(tmp_path):
    clean, _ = run(tmp_path / "whole", MemoryBoard())
    for after in (70, 200, 1):
        with pytest.raises(LinkError, match="killed"):
            run(tmp_path, DyingBoard(after))
    outcome, lines = run(tmp_path, MemoryBoard())
    assert "going on after" in lines[0]
    assert 0 < outcome.made < clean.made

    def essence(o):
        return [{k: v for k, v in r.items() if k != "retries"} for r in read(o.path)]

    assert essence(outcome) == essence(clean)
    assert dict(outcome.manifest.link)["frames_sent"] > 450


def test_noise_on_the_line_changes_no_record(tmp_path):
    clean, _ = run(tmp_path / "clean", MemoryBoard(), samples=20)
    noisy, _ = run(tmp_path / "noisy", NoisyPort(MemoryBoard(), 0.05, 1), samples=20)
    pairs = itertools.zip_longest(read(clean.path), read(noisy.path))
    assert all({**a, "retries": 0} == {**b, "retries": 0} for a, b in pairs if a["rung"] == "board")
    assert dict(noisy.manifest.link)["retries"] > 100


def test_changed_firmware_or_changed_weights_make_a_new_run(tmp_path):
    first, _ = run(tmp_path, MemoryBoard(), samples=5, image="f1")
    assert dict(first.manifest.board_info)["image_sha256"] == "f1"
    assert run(tmp_path, MemoryBoard(), samples=5, image="f1")[0].made == 0
    assert run(tmp_path, MemoryBoard(), samples=5, image="f2")[0].path != first.path
    retrained = dataclasses.replace(ladder(), digest="d2")
    assert run(tmp_path, MemoryBoard(), retrained, samples=5, image="f1")[0].path != first.path


def test_pictures_of_every_attack_and_the_command_are_kept(tmp_path):
    outcome, _ = run(tmp_path, MemoryBoard())
    examples = read_examples(outcome.path / "examples.npz")
    assert [(cell.attack, cell.eps) for cell in examples.cells] == [
        ("noise", 2 / 255),
        ("noise", 8 / 255),
    ]
    assert np.abs(examples.adversarial[1].astype(int) - examples.clean[1]).max() == 8
    assert outcome.manifest.command == "tinyrobust run"


def test_different_questions_get_different_folders(tmp_path):
    paths = {
        run(tmp_path, MemoryBoard(), samples=n, seeds=(s,))[0].path
        for n, s in [(5, 0), (6, 0), (5, 1)]
    }
    assert len(paths) == 3


@pytest.mark.parametrize(
    ("labels", "says"), [([8] * 150, "label 8 of sample 0"), ([-2] * 150, "label -2")]
)
def test_labels_out_of_range_are_refused(tmp_path, labels, says):
    with pytest.raises(UsageError, match=says):
        run(tmp_path, MemoryBoard(), ladder(np.array(labels)))


def test_more_samples_than_there_are(tmp_path):
    with pytest.raises(UsageError, match="samples 151: d has 150"):
        run(tmp_path, MemoryBoard(), samples=151)


def test_damaged_cached_set_is_made_again(tmp_path):
    first, _ = run(tmp_path, MemoryBoard())
    for path in (tmp_path / "cache" / "sets").glob("*/*"):
        path.write_bytes(path.read_bytes()[: len(path.read_bytes()) // 2])
    first.path.rename(tmp_path / "first")
    second, _ = run(tmp_path, MemoryBoard())
    assert second.made == first.made
    assert pq.read_table(tmp_path / "first" / "records.parquet").equals(
        pq.read_table(second.path / "records.parquet")
    )


def searching(problem):
    """Asks eight random points of the ball for each sample, and keeps the one that lowers the
    label's score most.
    """
    rng = np.random.default_rng(problem.seed)
    best, lowest = problem.q.copy(), np.full(len(problem.q), np.inf)
    for _ in range(8):
        step = rng.integers(-problem.levels, problem.levels + 1, problem.q.shape)
        q = np.clip(problem.q + step, -128, 127).astype(np.int8)
        score = problem.queried().predict(q).logits[np.arange(len(q)), problem.labels]
        best[score < lowest], lowest = q[score < lowest], np.minimum(score, lowest)
    return problem.spec.dequantize(best)


@pytest.fixture
def search(monkeypatch):
    row = dataclasses.replace(
        ATTACKS["noise"], name="search", function=searching, needs=Needs.SCORES
    )
    monkeypatch.setitem(ATTACKS, "search", row)
    monkeypatch.setitem(HOME, "search", HOME["noise"])


def test_the_board_itself_is_attacked_and_never_asked_twice(tmp_path, search):
    settings = {"attacks": ("search",), "access": ("board",)}
    board = MemoryBoard()
    whole, _ = run(tmp_path / "whole", board, **settings)
    questions = board.inferences
    assert {(r["attack"], r["source"]) for r in read(whole.path)} == {
        ("clean", "-"),
        ("search", "board"),
    }
    assert questions > 2 * 8 * 150 + 3 * 150 - 50, "a few questions are alike"

    asked = 0
    for after in (700, 900, 1100):
        board = DyingBoard(after)
        with pytest.raises(LinkError, match="killed"):
            run(tmp_path, board, **settings)
        asked += board.inferences
    board = MemoryBoard()
    resumed, _ = run(tmp_path, board, **settings)
    again = asked + board.inferences - questions
    assert again <= 3 * 64, "only what was in flight, or recorded but not flushed, is asked again"
    assert [r["input_crc"] for r in read(resumed.path)] == [
        r["input_crc"] for r in read(whole.path)
    ]


def test_a_failed_attack_is_tried_again_by_the_same_command(tmp_path, search, monkeypatch):
    settings = {"attacks": ("search",), "sources": ("tflm",)}
    broken = dataclasses.replace(ATTACKS["search"], function=lambda problem: 1 / 0)
    with monkeypatch.context() as patch:
        patch.setitem(ATTACKS, "search", broken)
        first, _ = run(tmp_path, MemoryBoard(), **settings)
    assert {r["failed"] for r in read(first.path) if r["attack"] == "search"} == {True}
    assert {flag.kind for flag in first.manifest.flags} == {FlagKind.FAILED}
    again, lines = run(tmp_path, MemoryBoard(), **settings)
    assert again.path == first.path
    assert "600 records of attacks that failed are made again" in lines[0]
    whole, _ = run(tmp_path / "whole", MemoryBoard(), **settings)
    assert read(again.path) == read(whole.path)
    assert (again.manifest.flags, again.manifest.notes) == ((), whole.manifest.notes)


def test_a_query_budget_holds_on_the_board_and_is_in_the_manifest(tmp_path):
    board = MemoryBoard()
    made, _ = run(
        tmp_path, board, attacks=("square-linf",), access=("board",), samples=10, queries=3
    )
    assert board.inferences <= 2 * 10 * 3 + 3 * 10, (
        "questions of two cells, and the records of three"
    )
    assert made.manifest.queries == 3
    other, _ = run(
        tmp_path, MemoryBoard(), attacks=("square-linf",), access=("board",), samples=10, queries=4
    )
    assert other.path != made.path


def test_sets_made_on_the_host_are_shared_by_boards_and_the_boards_own_are_not(tmp_path, search):
    settings = {"attacks": ("noise", "search"), "samples": 20}
    run(tmp_path, MemoryBoard(), image="f1", access=("board",), **settings)
    before = {path.name for path in (tmp_path / "cache" / "sets").iterdir()}
    run(tmp_path, MemoryBoard(), image="f2", access=("board",), **settings)
    after = {path.name for path in (tmp_path / "cache" / "sets").iterdir()}
    assert (len(before), len(after - before)) == (5, 2)


def test_attacks_on_unlabelled_samples_are_noted(tmp_path, search):
    unlabelled = ladder(np.full(150, -1))
    made, _ = run(
        tmp_path, MemoryBoard(), unlabelled, attacks=("search",), access=("board",), samples=5
    )
    assert UNLABELLED in made.manifest.notes
    assert UNLABELLED not in run(tmp_path, MemoryBoard(), unlabelled, samples=5)[0].manifest.notes
