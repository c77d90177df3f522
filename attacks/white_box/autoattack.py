"""AutoAttack: four attacks without a parameter to choose, each on what those before left right.

Croce and Hein 2020, the standard Linf ensemble: Auto-PGD on the cross-entropy, Auto-PGD towards
nine classes on the difference of logits ratio, FAB towards nine classes, Square with 5,000 queries.
With three classes the ratio is untargeted; with two there is no ratio, and Auto-PGD on the
cross-entropy, FAB and Square remain.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinyrobust.attacks.base.problem import AttackInfo, Needs, Norm, Problem
from tinyrobust.attacks.black_box.square import square_linf
from tinyrobust.attacks.gradients import ball
from tinyrobust.attacks.gradients.attempts import Attempts
from tinyrobust.attacks.gradients.graphs import clean, graph
from tinyrobust.attacks.gradients.losses import cross_entropy, ratio, targeted_ratio
from tinyrobust.attacks.gradients.targets import TARGETS, likeliest
from tinyrobust.attacks.white_box import apgd, fab
from tinyrobust.core.types import FloatArray

SQUARE_QUERIES = 5000
SQUARE_SHARE = 0.8


def autoattack(problem: Problem) -> FloatArray:
    """Linf. A sample counts as fooled when what the chip would be given fools the source."""
    attempts, classes = Attempts(problem), graph(problem).classes
    attempts.add(apgd.ascend(problem, cross_entropy, problem.labels, 0))
    if classes == 3 and len(attempts.left):
        attempts.add(apgd.ascend(attempts.rest, ratio, attempts.rest.labels, 1))
    targets = range(min(TARGETS, classes - 1))
    for rank in targets if classes > 3 else ():
        if len(attempts.left):
            rest = attempts.rest
            attempts.add(apgd.ascend(rest, targeted_ratio, likeliest(rest)[rank], 1 + rank))
    for rank in targets:
        if len(attempts.left):
            attempts.add(_nearest(attempts.rest, rank))
    if len(attempts.left):
        rest = attempts.rest
        real = square_linf(rest, SQUARE_QUERIES, SQUARE_SHARE)
        attempts.add(np.clip((real - rest.spec.low) / rest.span, 0, 1).astype(np.float32))
    return attempts.real()


def _nearest(problem: Problem, rank: int) -> FloatArray:
    """FAB towards the likeliest class but ``rank``, drawn out to the border of the ball: just over
    the boundary, rounding would bring it back.
    """
    x, eps = clean(problem), ball.radius(problem)
    at, length = fab.approach(replace(problem, norm=Norm.LINF), likeliest(problem)[rank])
    stretch = np.where(np.isfinite(length), eps / np.maximum(length, 1e-12), 0).astype(np.float32)
    away = np.clip((at - x) * stretch.reshape(-1, *(1,) * (x.ndim - 1)), -eps, eps)
    drawn: FloatArray = np.clip(x + away, 0, 1).astype(np.float32)
    return drawn


_PAPER = "Croce and Hein 2020, arXiv:2003.01690"
ROWS = (
    AttackInfo(
        "autoattack", "AutoAttack, standard", Needs.GRADIENTS, Norm.LINF, _PAPER, autoattack
    ),
    AttackInfo(
        "autoattack-s4",
        "AutoAttack, standard",
        Needs.GRADIENTS,
        Norm.LINF,
        f"{_PAPER}, as in Costa and Pinto 2024, arXiv:2404.05688",
        autoattack,
        eps=(0.004,),
    ),
)
