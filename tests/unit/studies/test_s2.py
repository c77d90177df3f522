"""S2: weights on their grids, the fitted curve, and a crossing that is one only when it is sure."""

import numpy as np
import pytest

from tests.support.runs.rows import group
from tinyrobust.core.cells import Cell
from tinyrobust.core.errors import UsageError
from tinyrobust.studies.s2.__main__ import _widths
from tinyrobust.studies.s2.answers import ATTACKS, FGSM, LEVELS, STRONG, Answers
from tinyrobust.studies.s2.curve import crossing, falling, fit
from tinyrobust.studies.s2.page import page

EPS = np.array(LEVELS) / 255


def answered(bits, fooled_from, seed=0, n=40, single_step=1):
    """Right when clean; wrong from a level of its own on, which one step needs ``single_step``
    times as large.
    """
    cells = {Cell("clean", "-", 0.0): np.ones(n, bool)}
    for attack in ATTACKS[STRONG]:
        for level in LEVELS:
            need = fooled_from * (single_step if attack == "fgsm" else 1)
            cells[Cell(attack, "twin", level / 255)] = level < need
    groups = {cell: {"tflm": group("tflm", cell, right)} for cell, right in cells.items()}
    whole = np.arange(1000) < 975
    return Answers(bits, seed, groups, whole, whole)


def spread(low, high, n=40):
    return np.linspace(low, high, n)


def test_the_strong_attack_is_the_worst_case_of_all():
    one = answered(4, spread(1, 40), single_step=2)
    for level in LEVELS:
        assert one.standing(FGSM, level).sum() >= one.standing(STRONG, level).sum()
    assert one.matrix(STRONG).shape == (40, len(LEVELS))
    assert one.matrix(FGSM).sum() > one.matrix(STRONG).sum()


def test_a_curve_is_found_again():
    rng = np.random.default_rng(0)
    shares = falling(EPS, 1.0, 0.06, 3.0, 0.1)
    standing = rng.random((20_000, len(EPS))) < shares
    curve = fit(EPS, np.ones(20_000, bool), standing)
    for found, true in ((curve.eps50, 0.06), (curve.slope, 3.0), (curve.floor, 0.1)):
        assert found.value == pytest.approx(true, rel=0.1)
        assert found.low < found.value < found.high


def test_a_crossing_needs_both_signs_and_both_to_be_sure():
    steep = answered(2, spread(20, 22)).matrix(STRONG)
    flat = answered(8, spread(1, 60)).matrix(STRONG)
    places = crossing(LEVELS, steep, flat)
    assert places.crosses
    assert max(places.better) < min(places.worse)
    assert not crossing(LEVELS, flat, flat).crosses
    one_more = flat.copy()
    one_more[0] = True
    assert crossing(LEVELS, one_more, flat).better == (), "one image more is no sure difference"


def test_the_page_says_where_curves_cross_and_where_they_do_not():
    found = [answered(2, spread(20, 22), seed=seed, single_step=1) for seed in (0, 1)] + [
        answered(8, spread(1, 60), seed=seed) for seed in (0, 1)
    ]
    text = page(found, "native", "python -m tinyrobust.studies.s2", "images/x.png")
    assert "Under *fgsm* the curves of 1 of 1 widths cross that of 8 bits: 2 bits." in text
    assert "2 training seeds, the first 40" in text
    assert "| 2 | 96.41 | 97.50 (97.50 to 97.50) | 97.50 (97.50 to 97.50) | no |" in text
    assert "| 8 | 97.61 | 97.50 (97.50 to 97.50) | 97.50 (97.50 to 97.50) | yes |" in text
    assert "nan" not in text


@pytest.mark.parametrize("text", ["", "8", "0,1", "1,eleven", "8,8"])
def test_widths_that_are_none_are_refused(text):
    with pytest.raises(UsageError, match="two or more of"):
        _widths(text)


def test_widths_are_sorted():
    assert _widths("8, 2") == (2, 8)


@pytest.mark.slow
def test_the_flashed_network_is_the_trained_one_on_grids():
    from tinyrobust.models.export.lower import lower
    from tinyrobust.models.keras.tf import keras
    from tinyrobust.models.rungs.predictors import TflmPredictor
    from tinyrobust.studies.s2.network import SPEC, build, build_flashed, fixed_point, grids_of

    assert set(np.unique(fixed_point(1)(np.array([-0.3, 0.0, 0.2], "f4")))) == {-1.0, 1.0}
    steps = np.asarray(fixed_point(3)(np.linspace(-2, 2, 50).astype("f4")))
    assert (steps.min(), steps.max()) == (-1, 0.75)
    assert np.array_equal(steps * 4, np.rint(steps * 4))

    keras.utils.set_random_seed(0)
    q = np.random.default_rng(0).integers(-128, 128, (50, 28, 28, 1)).astype(np.int8)
    for bits in (1, 4, 10):
        trained = build(bits)
        flashed = build_flashed(bits, grids_of(trained, SPEC.dequantize(q)))
        flashed.set_weights(trained.get_weights())
        chip = TflmPredictor(lower(flashed, SPEC), "s2")
        answers = chip.predict(q).logits
        chip.close()
        largest = np.abs(answers).max()
        exact = flashed.predict(SPEC.dequantize(q), verbose=0)
        assert np.abs(answers - exact).max() <= largest / 60, "no further than a level or two"
        if bits <= 8:
            real = trained.predict(SPEC.dequantize(q), verbose=0)
            assert np.abs(answers - real).max() <= largest / 30


@pytest.mark.slow
def test_training_starts_from_the_next_wider_network_and_is_kept(tmp_path):
    from tinyrobust.models.data.splits import Splits, dataset
    from tinyrobust.studies.s2 import training

    rng = np.random.default_rng(0)

    def part(n):
        labels = rng.integers(0, 10, n)
        q = np.full((n, 28, 28, 1), -128, np.int8)
        q[np.arange(n), labels * 2, :, 0] = 127
        return dataset(f"stripes/{n}", q, labels)

    data = Splits(*(part(n) for n in (640, 100, 50, 50)))
    said = []
    made = training.networks(data, 9, 0, tmp_path, said.append)
    assert sorted(made) == [9, 10, 16]
    assert len(said) == 3
    again = training.networks(data, 9, 0, tmp_path, said.append)
    assert len(said) == 3, "a second call trains nothing"
    for bits in made:
        for one, other in zip(made[bits].get_weights(), again[bits].get_weights(), strict=True):
            assert np.array_equal(one, other)
