"""Square attack: random search with windows of one sign per channel. Scores only, never a gradient.

Andriushchenko et al. 2020. All samples of the problem step together, one query each. A step that
leaves the margin where it was is taken too: quantized logits have plateaus, and only a walk crosses
them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from tinyrobust.attacks.base.problem import AttackInfo, Needs, Norm, Problem
from tinyrobust.attacks.black_box.queries import Scores
from tinyrobust.attacks.black_box.shares import LEAST, SCHEDULE, share
from tinyrobust.attacks.black_box.windows import as_images, bumps, cut, draw_windows, paste, tiles
from tinyrobust.core.types import BoolArray, FloatArray, Int64Array, TensorSpec

Step = Callable[[np.random.Generator, FloatArray, FloatArray, float], FloatArray]
"""(generator, clean images, current images, share of the image to change) -> proposals; all [k, h,
w, c] in levels.
"""


def square_linf(
    problem: Problem, iterations: int, p: float, schedule: int | None = None, least: float = LEAST
) -> FloatArray:
    """At most ``iterations`` queries a sample, windows of ``p`` of the image at first.

    Starts from vertical stripes. What stays right is returned where its margin was smallest.
    ``schedule`` and ``least`` are those of ``share``; the schedule is stretched to ``iterations``
    unless it is given.
    """
    rng = np.random.default_rng(problem.seed)
    clean = as_images(problem.q.astype(np.float32))
    stripes = rng.choice([-1, 1], size=(len(clean), 1, *clean.shape[2:]))
    spec = problem.spec
    start = np.clip(clean + problem.levels * stripes, spec.bottom, spec.top).astype(np.float32)
    covered = partial(share, p=p, schedule=schedule or iterations, least=least)
    step = partial(_repaint, problem.levels, spec)
    return _search(problem, rng, start, step, iterations, covered)


def published(problem: Problem) -> FloatArray:
    """Square as AutoAttack has it: the schedule of 10,000 iterations as it stands, any window."""
    return square_linf(problem, AUTOATTACK_QUERIES, AUTOATTACK_SHARE, SCHEDULE, least=0.0)


def square_l2(problem: Problem, iterations: int, p: float) -> FloatArray:
    """Square for an L2 budget: moves its mass from one window to another.

    Starts from a grid of bumps.
    """
    rng = np.random.default_rng(problem.seed)
    clean = as_images(problem.q.astype(np.float32))
    radius = problem.eps / problem.spec.scale
    spec = problem.spec
    start = np.clip(clean + _scaled(tiles(rng, clean.shape), radius), spec.bottom, spec.top)
    covered = partial(share, p=p, schedule=iterations, least=0.0)  # 3 x 3 at least, as published
    step = partial(_move_mass, radius, spec)
    return _search(problem, rng, start, step, iterations, covered)


def _search(
    problem: Problem,
    rng: np.random.Generator,
    start: FloatArray,
    step: Step,
    iterations: int,
    covered: Callable[[int], float],
) -> FloatArray:
    queries = Scores(problem, iterations + 1)
    clean = as_images(queries.clean)
    points = clean.copy()
    margins = queries.first_margins.copy()
    active = queries.right
    for iteration in range(iterations):
        active = queries.open(active)
        if not len(active):
            break
        proposals = (
            start[active]
            if iteration == 0
            else step(rng, clean[active], points[active], covered(iteration))
        )
        found = queries.margins(active, proposals.reshape(-1, *problem.spec.shape))
        better = (found <= margins[active]) if iteration else np.ones(len(active), np.bool_)
        _accept(points, margins, active, better, proposals, found)
        active = active[margins[active] >= 0]
    return problem.spec.dequantize(
        queries.inside(np.arange(len(points)), points.reshape(problem.q.shape))
    )


def _accept(
    points: FloatArray,
    margins: FloatArray,
    at: Int64Array,
    better: BoolArray,
    proposals: FloatArray,
    found: FloatArray,
) -> None:
    points[at[better]] = proposals[better]
    margins[at[better]] = found[better]


def _repaint(
    levels: int,
    spec: TensorSpec,
    rng: np.random.Generator,
    clean: FloatArray,
    now: FloatArray,
    share: float,
) -> FloatArray:
    """One square window moves to a corner of the Linf ball, each channel with a sign of its own."""
    windows = draw_windows(rng, now.shape, share)
    sign = rng.choice([-1, 1], size=(len(now), 1, 1, now.shape[3]))
    there, here = cut(clean, windows), cut(now, windows)
    corner = np.clip(there + levels * sign, spec.bottom, spec.top)
    same = (corner == here).all(axis=(1, 2, 3), keepdims=True)
    other = np.clip(there - levels * sign, spec.bottom, spec.top)
    corner = np.where(same, other, corner)
    return paste(now, windows, corner)


def _move_mass(
    radius: float,
    spec: TensorSpec,
    rng: np.random.Generator,
    clean: FloatArray,
    now: FloatArray,
    share: float,
) -> FloatArray:
    """The L2 mass of one window goes to another that gets a new pair of bumps.

    With it goes what the budget has left.
    """
    change = now - clean
    grown, emptied = (draw_windows(rng, now.shape, share, odd=True) for _ in range(2))
    without = paste(change, emptied, np.float32(0))
    without = paste(without, grown, np.float32(0))
    total, kept = (np.square(d).sum(axis=(1, 2), keepdims=True) for d in (change, without))
    spare = np.maximum(radius**2 - total.sum(axis=3, keepdims=True), 0) / now.shape[3]
    here = cut(change, grown)
    size = np.sqrt(np.square(here).sum(axis=(1, 2), keepdims=True))
    fresh = here / (size + 1e-10) + bumps(rng, here.shape)
    norm = np.sqrt(np.square(fresh).sum(axis=(1, 2), keepdims=True))
    fresh *= np.sqrt(np.maximum(spare + total - kept, 0)) / (norm + 1e-10)
    moved = clean + _scaled(paste(without, grown, fresh), radius)
    return np.asarray(np.clip(moved, spec.bottom, spec.top))


def _scaled(change: FloatArray, radius: float) -> FloatArray:
    size = np.sqrt(np.square(change).sum(axis=(1, 2, 3), keepdims=True))
    return np.asarray(change * (radius / (size + 1e-10)), np.float32)


AUTOATTACK_QUERIES, AUTOATTACK_SHARE = 5000, 0.8
"""Croce and Hein 2020, arXiv:2003.01690."""

PAPER = "Andriushchenko et al. 2020, arXiv:1912.00049"


def _row(
    name: str,
    norm: Norm,
    iterations: int,
    p: float,
    paper: str = PAPER,
    eps: tuple[float, ...] = (),
) -> AttackInfo:
    attack = square_linf if norm is Norm.LINF else square_l2
    title = f"Square {'Linf' if norm is Norm.LINF else 'L2'}, {iterations:,} queries, p {p}"
    return AttackInfo(
        name, title, Needs.SCORES, norm, paper, partial(attack, iterations=iterations, p=p), eps=eps
    )


TITLE = f"Square Linf, {AUTOATTACK_QUERIES:,} queries, p {AUTOATTACK_SHARE}"
S3 = f"{PAPER}; Ayaz et al. 2023, arXiv:2304.12829 state no parameters: AutoAttack's"
S4 = f"{PAPER}, as in Costa and Pinto 2024, arXiv:2404.05688"
ROWS = (
    _row("square-linf", Norm.LINF, 1000, 0.8),
    _row("square-l2", Norm.L2, 1000, 0.1),
    AttackInfo(
        "square",
        TITLE,
        Needs.SCORES,
        Norm.LINF,
        f"{PAPER}, as in AutoAttack, arXiv:2003.01690",
        published,
    ),
    AttackInfo("square-s3", TITLE, Needs.SCORES, Norm.LINF, S3, published),
    _row("square-linf-s4", Norm.LINF, 1000, 0.05, S4, (0.015,)),
    _row("square-l2-s4", Norm.L2, 2000, 0.8, S4, (1.0,)),
)
