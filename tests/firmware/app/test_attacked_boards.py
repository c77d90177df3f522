"""Attacks on the native board of a network whose SOFTMAX saturates: what they are shown, and what
is judged.
"""

import numpy as np
import pytest

from tests.support.boards.softmaxed import SAMPLES, Counting, bench
from tests.support.runs.rows import read
from tinyrobust.core.errors import LinkError, UsageError
from tinyrobust.models.rungs.litert import LiteRtPredictor

BOARD = {"attacks": ("square-linf",), "access": ("board",), "queries": 60}


def records(made, rung="native", attack="square-linf"):
    return [r for r in read(made.path) if (r["rung"], r["attack"]) == (rung, attack)]


def wrong(made, **where):
    return sum(r["predicted"] != r["label"] for r in records(made, **where))


def test_attacks_on_scores_are_shown_logits_and_judged_on_what_is_flashed(native, tmp_path):
    shown, said, device = bench(native, tmp_path, **BOARD)
    hidden, quiet, _ = bench(native, tmp_path, **BOARD, scores="flashed")
    assert wrong(shown) > wrong(hidden), "saturated scores hide the way"
    assert (shown.manifest.scores, hidden.manifest.scores) == ("logits", "flashed")
    assert any("asked native for logits" in note for note in shown.manifest.notes)
    assert any("asked native for logits" in line for line in said)
    assert not any("asked native" in line for line in (*quiet, *hidden.manifest.notes))
    assert shown.path != hidden.path
    assert device.info.plan_id.hex() == shown.manifest.plan_id, "the whole network stands there"
    for made in (shown, hidden):
        assert [r["raw"] for r in records(made)] == [r["raw"] for r in records(made, rung="twin")]
        assert all(max(r["logits"]) <= 1 for r in records(made)), "scores of the SOFTMAX"


def test_attacks_on_decisions_are_shown_the_flashed_network(native, tmp_path):
    settings = BOARD | {"attacks": ("uniform-repeated",)}
    made, said, _ = bench(native, tmp_path, **settings)
    assert made.manifest.scores == "flashed"
    assert not any("logits" in line for line in said)


def test_a_network_that_is_built_in_is_asked_as_it_is(native, tmp_path):
    class BuiltIn(Counting):
        uploaded = False

    made, said, _ = bench(native, tmp_path, BuiltIn, **BOARD)
    (line,) = [line for line in said if "asked native" in line]
    assert "its plan is built in, and cannot be uploaded without it" in line
    assert line in made.manifest.notes
    assert made.manifest.scores == "flashed"


@pytest.mark.parametrize("search", ["litert", "twin"])
def test_a_search_on_the_host_leaves_the_board_what_was_found(native, tmp_path, search):
    asked, _, whole = bench(native, tmp_path / "asked", **BOARD)
    made, _, device = bench(native, tmp_path, **BOARD, search=search)
    assert (made.manifest.search, made.manifest.scores) == (search, "flashed")
    assert not any("asked native" in note for note in made.manifest.notes)
    assert device.counted <= SAMPLES * 3 < whole.counted
    assert wrong(made) >= wrong(asked) - 3
    (note,) = [note for note in made.manifest.notes if "not confirmed" in note]
    assert f"0 of {wrong(made)} points" in note or search == "litert"


def test_what_the_board_does_not_confirm_does_not_count(native, tmp_path, monkeypatch):
    sound = LiteRtPredictor.predict

    def unsound(self, q):
        answer = sound(self, q)
        answer.logits[:] = np.roll(answer.logits, q.sum() % 2, axis=1)
        return answer

    monkeypatch.setattr(LiteRtPredictor, "predict", unsound)
    made, _, _ = bench(native, tmp_path, **BOARD, search="litert", scores="flashed")
    (note,) = [note for note in made.manifest.notes if "not confirmed" in note]
    refuted, found = (int(word) for word in note.split(": ")[1].split() if word.isdigit())
    assert refuted > 0
    assert found - refuted == wrong(made), "and what counts is wrong on the board"


def test_a_search_that_was_interrupted_asks_the_board_nothing_twice(native, tmp_path):
    settings = BOARD | {"attacks": ("boundary",), "search": "twin", "queries": 300}
    _, _, whole = bench(native, tmp_path / "whole", **settings)

    class Dying(Counting):
        after = whole.counted // 2

    with pytest.raises(LinkError, match="cable"):
        bench(native, tmp_path, Dying, **settings)
    resumed, _, device = bench(native, tmp_path, **settings)
    assert device.counted == whole.counted - Dying.after
    assert [r["input_crc"] for r in records(resumed, attack="boundary")] == [
        r["input_crc"]
        for r in records(bench(native, tmp_path / "whole", **settings)[0], attack="boundary")
    ]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"attacks": ("pgd",), "sources": ("twin",)}, "search twin: no attack of pgd asks"),
        ({"attacks": ("square-linf",), "sources": ("twin",)}, "asks another integer rung"),
    ],
)
def test_a_search_that_nobody_needs_is_refused(native, tmp_path, settings, says):
    with pytest.raises(UsageError, match=says):
        bench(native, tmp_path, **settings, search="twin")
