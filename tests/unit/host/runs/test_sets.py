"""Cached sets: one batch lost at most, damaged ones made again, the same for whoever asks; and how
long it takes.
"""

import dataclasses

import numpy as np
import pytest

from tests.support.networks.victim import SPEC, Asked, samples
from tinyrobust.attacks import versions
from tinyrobust.attacks.base.problem import Lattice, Needs
from tinyrobust.attacks.registry import ATTACKS, HOME
from tinyrobust.core import progress
from tinyrobust.core.cells import Cell
from tinyrobust.core.progress import Pace, duration
from tinyrobust.core.types import Dataset
from tinyrobust.host.runs.sets import Sets, key

DATA = Dataset("d", *samples(), "5a")
CELL = Cell("counted", "native", 0.1)
CELL_OF_NOISE = Cell("noise", "-", 0.1)


@pytest.fixture
def calls(monkeypatch):
    """How many samples the attack ``counted`` was given, call by call; it dies where the list says
    so.
    """
    made = []

    def counted(problem):
        made.append(len(problem.q))
        if made == [128, 72]:
            raise KeyboardInterrupt
        return problem.real + problem.eps

    row = dataclasses.replace(
        ATTACKS["noise"], name="counted", function=counted, needs=Needs.NOTHING
    )
    monkeypatch.setitem(ATTACKS, "counted", row)
    monkeypatch.setitem(HOME, "counted", HOME["noise"])
    return made


def sets(tmp_path, lattice=Lattice.AFTER):
    return Sets(tmp_path, DATA, SPEC, lattice, lambda line: None)


def test_an_interrupted_set_loses_one_batch(tmp_path, calls):
    with pytest.raises(KeyboardInterrupt):
        sets(tmp_path).get(CELL, Asked(), "m")
    made = sets(tmp_path).get(CELL, Asked(), "m")
    assert calls == [128, 72, 72]
    again = sets(tmp_path).get(CELL, Asked(), "m")
    assert calls == [128, 72, 72]
    for field in dataclasses.fields(made):
        assert np.array_equal(getattr(again, field.name), getattr(made, field.name)), field.name


def test_a_damaged_or_forged_batch_is_made_again(tmp_path, calls):
    calls.append(0)
    made = sets(tmp_path).get(CELL, Asked(), "m")
    first, second = sorted(tmp_path.glob("*/*.npz"))
    first.write_bytes(first.read_bytes()[:-30])
    with np.load(second) as file:
        arrays = dict(file)
    np.savez(
        second, **(arrays | {"q": np.clip(arrays["q"].astype(int) + 5, -128, 127).astype(np.int8)})
    )
    assert np.array_equal(sets(tmp_path).get(CELL, Asked(), "m").q, made.q)
    assert calls == [0, 128, 72, 128, 72]


def test_a_batch_that_failed_is_tried_again(tmp_path, calls, monkeypatch):
    calls.append(0)
    whole = ATTACKS["counted"].function
    broken = dataclasses.replace(
        ATTACKS["counted"],
        function=lambda problem: whole(problem) if len(problem.q) > 72 else 1 / 0,
    )
    with monkeypatch.context() as patch:
        patch.setitem(ATTACKS, "counted", broken)
        first = sets(tmp_path).get(CELL, Asked(), "m")
    assert first.failed.tolist() == [False] * 128 + [True] * 72
    again = sets(tmp_path).get(CELL, Asked(), "m")
    assert calls == [0, 128, 72]
    assert (again.failed.any(), again.notes, again.flags) == (False, (), ())


def test_damaged_flags_are_judged_again(tmp_path, calls):
    calls.append(0)
    sets(tmp_path).get(CELL, Asked(), "m")
    (flags,) = tmp_path.glob("*/flags-*.json")
    flags.write_text('[["no such flag", "?"]]')
    assert sets(tmp_path).get(CELL, Asked(), "m").flags == ()
    assert flags.read_text() == "[]"


def test_a_key_covers_whatever_changes_the_bytes(monkeypatch):
    base = key(CELL_OF_NOISE, "m", DATA, SPEC, Lattice.AFTER)
    others = [
        key(dataclasses.replace(CELL_OF_NOISE, seed=1), "m", DATA, SPEC, Lattice.AFTER),
        key(CELL_OF_NOISE, "n", DATA, SPEC, Lattice.AFTER),
        key(
            CELL_OF_NOISE,
            "m",
            dataclasses.replace(DATA, labels=DATA.labels + 1),
            SPEC,
            Lattice.AFTER,
        ),
        key(CELL_OF_NOISE, "m", DATA, dataclasses.replace(SPEC, scale=1.0), Lattice.AFTER),
        key(CELL_OF_NOISE, "m", DATA, SPEC, Lattice.INNER),
    ]
    square = Cell("square-linf", "native", 0.1)
    assert (
        len({key(square, "m", DATA, SPEC, Lattice.AFTER, queries) for queries in (None, 9, 10)})
        == 3
    )
    others.append(key(CELL_OF_NOISE, "m", DATA, SPEC, Lattice.AFTER, target="1"))
    monkeypatch.setattr("tinyrobust.host.runs.sets.of_attack", lambda name: "changed")
    others.append(key(CELL_OF_NOISE, "m", DATA, SPEC, Lattice.AFTER))
    assert len({base, *others}) == 8


def test_an_attack_that_asks_nothing_has_one_set_whatever_may_be_asked(tmp_path):
    for queries in (None, 9):
        Sets(tmp_path, DATA, SPEC, Lattice.AFTER, lambda line: None, queries).get(
            CELL_OF_NOISE, None, "m"
        )
    assert len(list(tmp_path.iterdir())) == 1


def test_an_attack_depends_on_what_it_imports_and_on_no_other_family():
    families = {home.removeprefix("tinyrobust.attacks.") for home in HOME.values()}
    noise = set(versions.reached(("control", "batches")))
    assert {"control", "batches", "base.input_grid", "base.problem"} <= noise
    assert noise & families == {"control"}
    assert "registry" not in versions.reached(("checks",))
    assert versions.of_attack("noise") == versions.of_attack("clean") != versions.of_attack("pgd")


def test_a_slow_attack_says_how_long_it_will_take_and_does_not_count_the_cache():
    now, said = [0.0], []
    pace = Pace("pgd", "samples attacked", said.append, lambda: now[0])
    pace(300, 1000)
    for done in (400, 500):
        now[0] += 0.7 * progress.LINE_SECONDS
        pace(done, 1000)
    assert said == ["pgd: 500 of 1000 samples attacked, about 35 s left"]
    now[0] += 100
    pace(1000, 1000)
    assert len(said) == 1


@pytest.mark.parametrize(("seconds", "text"), [(40, "40 s"), (600, "10 min"), (12600, "3.5 h")])
def test_durations(seconds, text):
    assert duration(seconds) == text
