"""A ladder on the own points of its int16 input: every rung is fed them, byte for byte."""

from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest

from tests.support.networks.boxes import every_operator
from tinyrobust.core.errors import UsageError
from tinyrobust.core.types import Dataset
from tinyrobust.models.rungs import oracle
from tinyrobust.models.rungs.ladder import tflm_rung
from tinyrobust.models.rungs.own_grid import on_own_grid
from tinyrobust.models.rungs.twin.predictor import TwinPredictor

CASE = every_operator(wide=True)
Q = np.random.default_rng(2).integers(-128, 128, (5, *CASE.spec.shape), np.int8)


@dataclass(frozen=True)
class Bundle:
    input: object
    grid: object


@dataclass(frozen=True)
class Small:
    """What of a ladder is looked at."""

    bundle: Bundle
    rungs: tuple
    test: Dataset
    finer: object = None


def ladder(*rungs):
    data = Dataset("d", Q, np.zeros(5, np.int64), "5a")
    return Small(Bundle(CASE.spec, CASE.grid), rungs, data)


def test_rungs_and_samples_are_on_the_networks_own_points():
    coarse = ladder(TwinPredictor(CASE.tflite, CASE.spec))
    fine = on_own_grid(coarse)
    grid = fine.bundle.input
    assert (grid.dtype, fine.rungs[0].input, fine.test.q.dtype) == ("int16", grid, np.int16)
    assert grid.high == pytest.approx(CASE.spec.high, abs=1e-4)
    assert grid.low == CASE.grid.low, "as far as the tensor reaches"
    same = [one.rungs[0].predict(one.test.q).raw for one in (coarse, fine)]
    assert np.array_equal(*same), "the same real values"
    assert fine.test.sha256 != coarse.test.sha256


def test_gradients_and_answers_are_of_the_points_between_the_256_levels():
    (twin,) = on_own_grid(ladder(TwinPredictor(CASE.tflite, CASE.spec))).rungs
    grid = twin.input
    q = np.random.default_rng(3).integers(grid.bottom, grid.top + 1, (6, *grid.shape), np.int16)
    logits = np.asarray(twin.logits(grid.dequantize(q)))
    assert np.allclose(logits, twin.predict(q).logits)


@pytest.mark.skipif(oracle.unavailable() is not None, reason="tflite-micro is not to be had here")
def test_the_oracle_gives_the_bytes_of_the_twin_there():
    tflm, _ = tflm_rung(CASE.tflite, "all", CASE.spec)
    fine = on_own_grid(ladder(TwinPredictor(CASE.tflite, CASE.spec), tflm))
    grid = fine.bundle.input
    q = np.random.default_rng(4).integers(grid.bottom, grid.top + 1, (6, *grid.shape), np.int16)
    twin, oracles = (rung.predict(q).raw for rung in fine.rungs)
    assert np.array_equal(twin, oracles)
    fine.rungs[1].close()


def test_samples_of_a_finer_file_are_read_again():
    finer = Dataset("fine", Q.astype(np.int16) + 7, np.zeros(5, np.int64), "6b")
    asked = []
    coarse = replace(ladder(), finer=lambda grid: asked.append(grid) or finer)
    assert on_own_grid(coarse).test is finer
    assert asked == [on_own_grid(ladder()).bundle.input]


def test_an_int8_network_stays_as_it_is_and_a_rung_without_another_grid_is_one_line():
    eight = Small(Bundle(CASE.spec, CASE.spec), (), ladder().test)
    assert on_own_grid(eight) is eight
    stubborn = SimpleNamespace(rung="odd", input=CASE.spec, predict=None)
    with pytest.raises(UsageError, match="lattice native: odd has no other input grid"):
        on_own_grid(ladder(stubborn))
