"""Every attack that only asks, on a small trained network with logits as coarse as int8 ones."""

import math
from functools import partial

import numpy as np
import pytest

from tests.support.networks.digits_net import SPEC, OnlyClasses, net, samples
from tinyrobust.attacks.base.input_grid import change, round_inward, size
from tinyrobust.attacks.base.problem import AttackInfo, Needs, Norm, Problem
from tinyrobust.attacks.batches import attack as attacked
from tinyrobust.attacks.black_box import (
    boundary,
    geoda,
    hopskipjump,
    noises,
    shares,
    square,
    zeroth_order,
)
from tinyrobust.attacks.black_box.queries import Decisions
from tinyrobust.attacks.black_box.starts import TRIES, starts, to_boundary
from tinyrobust.attacks.black_box.windows import as_images, draw_windows
from tinyrobust.core.types import Prediction, TensorSpec

N = 16
FAMILIES = (square, zeroth_order, boundary, hopskipjump, geoda, noises)
LEVELS, RADIUS = 25, 1.0

SQUARE_LINF = partial(square.square_linf, iterations=100, p=0.8)
SQUARE_L2 = partial(square.square_l2, iterations=100, p=0.1)
POPULATION = partial(boundary.population, steps=20, sideways=0.1, inwards=1.0)
SMALL = {
    "square-linf": (SQUARE_LINF, Norm.LINF, 101),
    "square-l2": (SQUARE_L2, Norm.L2, 101),
    "uniform-repeated": (noises.uniform_repeated, Norm.LINF, 101),
    "gaussian-repeated": (noises.gaussian_repeated, Norm.L2, 101),
    "zoo": (
        partial(zeroth_order.zoo, constant=10.0, searches=1, iterations=20),
        Norm.L2,
        zeroth_order.budget(1, 20, 64),
    ),
    "foolbox boundary": (partial(boundary.boundary, steps=300), Norm.L2, 2 + TRIES + 10 + 330),
    "boundary": (POPULATION, Norm.L2, 1 + TRIES + 10 + 20 * 21),
    "hopskipjump": (partial(hopskipjump.hopskipjump, iterations=4), Norm.L2, hopskipjump.budget(4)),
    "geoda": (
        partial(geoda.geoda, probes=400, tolerance=1e-3, side=16),
        Norm.L2,
        geoda.budget(400, 13),
    ),
    "salt-and-pepper": (partial(noises.salt_and_pepper, steps=200), Norm.L0, 202),
}
"""Every algorithm with a budget for unit tests: function, norm, most queries of a sample."""
BOUNDED = [name for name in SMALL if "square" in name or "repeated" in name]
MINIMISING = [name for name in SMALL if name not in BOUNDED]
SCORED = ["square-linf", "square-l2", "zoo"]


def pose(source, norm, bounded, n=N, seed=0, queries=None):
    q, labels = samples(n)
    eps = math.inf if not bounded else RADIUS if norm is Norm.L2 else LEVELS / 255
    return Problem(
        q,
        labels,
        SPEC,
        norm,
        eps,
        LEVELS if bounded and norm is Norm.LINF else 255,
        seed,
        source,
        queries=queries,
    )


def run(name, source, seed=0, n=N):
    function, norm, _ = SMALL[name]
    return round_inward(
        samples(n)[0], function(pose(source, norm, name in BOUNDED, n, seed)), SPEC, 255
    )


def right(q):
    return net().predict(q).logits.argmax(axis=1) == samples(len(q))[1]


def moved(name, q):
    return size(change(samples(len(q))[0], q), SMALL[name][1])


@pytest.mark.parametrize("name", SMALL)
def test_budget_and_repeatability(name):
    source = net()
    first = run(name, source)
    assert np.array_equal(first, run(name, net()))
    assert not np.array_equal(first, run(name, net(), seed=1))
    assert N < source.asked <= N * SMALL[name][2]
    if name in BOUNDED:
        assert (
            moved(name, first).max()
            <= (RADIUS if SMALL[name][1] is Norm.L2 else LEVELS / 255) + 1e-6
        )
    wrong_before = ~right(samples(N)[0])
    if name in MINIMISING:
        assert not moved(name, first)[wrong_before].any()


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize(("n", "queries"), [(1, 1), (1, 7), (1, 90), (6, 60)])
def test_a_users_budget_is_spent_to_the_question_and_not_exceeded(name, n, queries):
    function, norm, own = SMALL[name]
    source, minimises = net(), name in MINIMISING
    problem = pose(source, norm, name in BOUNDED, n, queries=queries)
    assert right(problem.q).all()
    row = AttackInfo(name, name, Needs.SCORES, norm, "a test", function, minimises)
    made = attacked(row, problem)
    assert made.failure == ""
    assert source.asked <= n * queries
    assert source.asked == queries or n > 1 or not minimises or queries > own
    if minimises:
        assert np.array_equal(right(made.q), moved(name, made.q) == 0)
    else:
        assert moved(name, made.q).max() <= problem.eps / problem.span + 1e-6


@pytest.mark.parametrize("name", [name for name in SMALL if name not in SCORED])
def test_a_decision_attack_needs_nothing_but_the_class(name):
    assert np.array_equal(run(name, OnlyClasses(net())), run(name, net()))


@pytest.mark.parametrize("name", MINIMISING)
def test_what_is_returned_is_adversarial_or_clean(name):
    q = run(name, net())
    assert np.array_equal(right(q), (moved(name, q) == 0) & right(samples(N)[0]))


@pytest.mark.parametrize("name", ["boundary", "foolbox boundary", "hopskipjump", "geoda"])
def test_an_attack_finds_nearer_points_than_chance(name):
    """Chance: as many random directions, each followed to the boundary."""
    q = run(name, net())
    assert not right(q).any()
    assert np.median(moved(name, q)[right(samples(N)[0])]) < 0.8 * np.median(by_chance())


def by_chance():
    best = np.full(N, np.inf)
    for seed in range(20):
        queries = Decisions(pose(net(), Norm.L2, False), 1000)
        at, points = starts(pose(None, Norm.L2, False), queries, np.random.default_rng(seed))
        to_boundary(queries, at, points, 10)
        best = np.minimum(best, queries.distance)
    return best[right(samples(N)[0])]


@pytest.mark.parametrize(
    ("attack", "noise"), [("square-linf", "uniform-repeated"), ("square-l2", "gaussian-repeated")]
)
def test_square_beats_noise_of_the_same_budget(attack, noise):
    assert right(run(attack, net(), n=50)).sum() + 6 < right(run(noise, net(), n=50)).sum() < 50


def test_square_crosses_the_plateaus_of_quantized_logits():
    """Half of what a plateau hides from a strict descent is found by walking on it."""
    coarse = net(step=2.0)
    q, labels = samples(80)
    found = SQUARE_LINF(Problem(q, labels, SPEC, Norm.LINF, 0.2, 51, 0, coarse))
    after = coarse.predict(round_inward(q, found, SPEC, 255)).logits.argmax(axis=1) == labels
    assert after.mean() < 0.5


def test_zoo_widens_its_difference_until_quantized_logits_notice():
    q, labels = samples(N)
    function = partial(zeroth_order.zoo, constant=10.0, searches=1, iterations=30)
    coarse = net(step=1.0)
    found = function(Problem(q, labels, SPEC, Norm.L2, math.inf, 255, 0, coarse))
    after = coarse.predict(round_inward(q, found, SPEC, 255)).logits.argmax(axis=1) == labels
    assert after.mean() < 0.3


def test_salt_and_pepper_changes_few_elements_to_the_ends():
    q = run("salt-and-pepper", net())
    assert set(np.unique(q[q != samples(N)[0]])) <= {-128, 127}
    assert np.median(moved("salt-and-pepper", q)) < 10


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("shape", [(12,), (17, 5, 1), (4, 4, 3), (1, 1, 4)])
def test_any_input_shape(name, shape):
    spec = TensorSpec(shape, 1 / 128, 3)
    rng = np.random.default_rng(0)
    weights = rng.standard_normal((spec.size, 3)).astype(np.float32)

    class Linear:
        rung, input = "board", spec

        def predict(self, q):
            return Prediction(spec.dequantize(q).reshape(len(q), -1) @ weights)

    q = rng.integers(-128, 128, (4, *shape), np.int8)
    labels = Linear().predict(q).logits.argmax(axis=1)
    function, norm, _ = SMALL[name]
    bounded = name in BOUNDED
    eps = (1.0 if norm is Norm.L2 else 25 / 255) * (spec.high - spec.low) if bounded else math.inf
    found = function(
        Problem(
            q, labels, spec, norm, eps, 25 if bounded and norm is Norm.LINF else 255, 0, Linear()
        )
    )
    assert found.shape == q.shape
    assert np.array_equal(spec.dequantize(round_inward(q, found, spec, 255)), found)


@pytest.mark.parametrize("shape", [(12,), (49, 10), (8, 8, 3), (3, 3, 1), (1, 1, 1)])
@pytest.mark.parametrize("share", [0.001, 0.05, 0.8, 1.0])
def test_windows_fit_their_image(shape, share):
    images = as_images(np.zeros((5, *shape), np.float32))
    for odd in (False, True):
        windows = draw_windows(np.random.default_rng(0), images.shape, share, odd)
        assert windows.rows.max() < images.shape[1]
        assert windows.columns.max() < images.shape[2]
        assert windows.rows.min() >= 0
        assert windows.columns.min() >= 0


def test_cosines_are_orthonormal():
    basis = geoda.cosines(10, 6)
    assert np.allclose(basis.T @ basis, np.eye(6), atol=1e-5)


@pytest.mark.deep
@pytest.mark.parametrize(
    "row", [row for family in FAMILIES for row in family.ROWS], ids=lambda row: row.name
)
def test_every_preset_does_harm(row):
    q, _ = samples(40)
    given = pose(net() if row.needs is not Needs.NOTHING else None, row.norm, not row.minimises, 40)
    adversarial = round_inward(q, row.function(given), SPEC, 255)
    lost = (right(q) & ~right(adversarial)).sum()
    assert lost > (5 if row.needs is not Needs.NOTHING and "noise" not in row.title.lower() else -1)


@pytest.mark.parametrize(
    ("p", "iteration", "covered"),
    [(0.8, 0, 0.8), (0.8, 999, 0.02), (0.05, 999, 0.02), (0.01, 0, 0.01)],
)
def test_windows_stay_what_a_quantized_score_notices(p, iteration, covered):
    assert shares.share(iteration, p, 1000, shares.LEAST) == pytest.approx(covered)


def test_autoattacks_square_keeps_the_published_schedule():
    """Without a stretch, 5,000 iterations end with 0.8 / 2 ** 7 of the image: 3 x 3 of 32 x 32."""
    assert shares.share(4999, 0.8, shares.SCHEDULE, 0.0) == pytest.approx(0.8 / 2**7)
    rows = {row.name: row for row in square.ROWS}
    assert rows["square"].function is rows["square-s3"].function is square.published
    asked = []

    def search(problem, rng, start, step, iterations, covered):
        asked.append((iterations, covered(4999)))
        return problem.real

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(square, "_search", search)
        square.published(pose(net(), Norm.LINF, True))
    assert asked == [(5000, pytest.approx(0.8 / 2**7))]
