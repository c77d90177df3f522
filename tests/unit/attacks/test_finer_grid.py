"""Attacks on the own points of an int16 input: in budget, on the grid, no weaker than on 256."""

import numpy as np
import pytest

from tests.support.networks.victim import SPEC, Asked, Net, right, samples
from tinyrobust.attacks.base.input_grid import change, size, tolerance
from tinyrobust.attacks.base.problem import Lattice, Needs, Norm
from tinyrobust.attacks.make import AttackRequest, make
from tinyrobust.attacks.registry import ATTACKS
from tinyrobust.core.cells import Cell, FlagKind
from tinyrobust.core.errors import UsageError
from tinyrobust.core.grid import own_grid
from tinyrobust.core.types import Prediction, TensorSpec

FINE = own_grid(SPEC, TensorSpec(SPEC.shape, SPEC.scale / 256, 0, "int16"))
N = 48
QUICK = {"noise", "gaussian", "pgd", "ddn", "square-linf", "square-l2"}
NAMES = [
    pytest.param(
        name,
        marks=()
        if name in QUICK
        else pytest.mark.deep
        if name == "boundary-s1"
        else pytest.mark.slow,
    )
    for name in (
        *("noise", "gaussian", "uniform-repeated", "fgsm", "pgd", "apgd-t", "deepfool", "ddn"),
        *("cw-linf", "ead-s4", "fab", "fab-t", "jsma", "square-linf", "square-l2", "zoo"),
        *("salt-and-pepper", "boundary", "boundary-s1", "hopskipjump", "geoda"),
    )
]


class Fine:
    """The victim fed on the finer grid."""

    input = FINE

    def predict(self, q):
        assert q.dtype == np.int16
        assert q.min(initial=0) >= FINE.bottom
        assert q.max(initial=0) <= FINE.top
        return Prediction(np.asarray(self.model(FINE.dequantize(q))))


class FineNet(Fine, Net):
    """With its gradients."""


class FineAsked(Fine, Asked):
    """Without."""


def fine(q):
    return q.astype(np.int16) * 256


def made(name, eps, lattice=None, grid=FINE):
    q, labels = (part[:N] for part in samples())
    needs = ATTACKS[name].needs
    gradients, asked = (FineNet, FineAsked) if grid is FINE else (Net, Asked)
    source = (
        None if needs is Needs.NOTHING else (gradients if needs is Needs.GRADIENTS else asked)()
    )
    cell = Cell(name, source.rung if source else "-", eps, 3)
    q = fine(q) if grid is FINE else q
    return q, make(AttackRequest(cell, source, q, labels, grid, lattice))


def still_right(adversarial):
    q = fine(samples()[0]).copy()
    q[:N] = adversarial
    return right(FineNet(), q)[:N]


def test_the_finer_grid_spans_the_same_range():
    assert (FINE.low, FINE.high) == (SPEC.low, SPEC.high)
    assert FINE.steps == 255 * 256
    assert 1e-3 < tolerance(FINE) < 0.1
    assert tolerance(SPEC) == 1e-3


@pytest.mark.parametrize("name", NAMES)
def test_attacks_keep_their_budget_on_a_finer_grid_and_use_its_points(name):
    info = ATTACKS[name]
    eps = 1.0 if info.minimises or info.norm is Norm.L2 else 23.5 / 255
    q, found = made(name, eps)
    assert not found.failed.any()
    assert found.q.dtype == np.int16
    moved = change(q, found.q)
    if info.norm is not Norm.L0:  # these go to an end of the range, which both grids have
        assert np.any(moved % 256), "points between the 256 levels"
    assert np.array_equal(np.abs(moved).max(axis=(1, 2, 3)), found.linf)
    assert np.allclose(size(moved, Norm.L2, FINE.steps), found.l2)
    if not info.minimises:
        assert size(moved, info.norm, FINE.steps).max() <= eps * (1 + 1e-6)
        assert found.levels == (int(eps * FINE.steps) if info.norm is Norm.LINF else FINE.steps)
    if info.needs is not Needs.NOTHING and "noise" not in info.title.lower():
        assert still_right(found.q).mean() < 0.8


@pytest.mark.parametrize("name", ["ddn", pytest.param("hopskipjump", marks=pytest.mark.slow)])
def test_smallest_perturbations_are_no_larger_than_on_256_levels(name):
    (_, coarse), (_, finer) = (made(name, 1.0, grid=grid) for grid in (SPEC, FINE))
    assert np.median(finer.l2) <= np.median(coarse.l2) * 1.02


def test_half_a_level_of_int8_is_a_budget_there():
    q, found = made("pgd", 0.5 / 255)
    assert found.levels == 128 == np.abs(change(q, found.q)).max()
    assert not found.flags


def test_a_labelled_sample_of_another_type_is_refused():
    q, labels = (part[:N] for part in samples())
    request = AttackRequest(Cell("noise", "-", 0.1), None, q, labels, FINE)
    with pytest.raises(UsageError, match=r"int8 .* do not fit int16"):
        make(request)


def test_a_study_rounds_each_element_to_its_nearest_level_and_is_flagged():
    for eps, levels, over in ((0.51, 1, True), (0.45, 0, False), (2.4, 2, False), (2.6, 3, True)):
        q, found = made("pgd", eps / 255, Lattice.STUDY, SPEC)
        assert found.levels == levels == np.abs(change(q, found.q)).max()
        kinds = {flag.kind for flag in found.flags}
        assert (FlagKind.OVER_BUDGET in kinds) == over
        if over:
            (flag,) = [flag for flag in found.flags if flag.kind is FlagKind.OVER_BUDGET]
            assert f"{N} of {N} samples were moved farther than eps" in flag.detail


def test_a_studys_smallest_perturbation_is_the_nearest_point_even_where_it_does_not_fool():
    (_, ours), (_, studys) = (made("ddn", 1.0, lattice, SPEC) for lattice in (None, Lattice.STUDY))
    fooled = [
        np.mean(Net().predict(one.q).logits.argmax(axis=1) != samples()[1][:N])
        for one in (ours, studys)
    ]
    assert fooled[1] < fooled[0]
    assert "until they were rounded" in studys.notes[-1]
