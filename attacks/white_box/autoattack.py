"""AutoAttack: four attacks without a parameter to choose, each on what those before left right.

Croce and Hein 2020, the standard Linf ensemble: Auto-PGD on the cross-entropy, Auto-PGD towards
nine classes on the difference of logits ratio, FAB towards nine classes, Square with 5,000 queries.
With three classes the ratio is untargeted; with two there is no ratio, and the margin takes its
place.
"""

from __future__ import annotations

import numpy as np

from tinyrobust.attacks.base.problem import AttackInfo, Needs, Norm, Problem
from tinyrobust.attacks.black_box import square
from tinyrobust.attacks.gradients.attempts import Attempts
from tinyrobust.attacks.gradients.graphs import graph
from tinyrobust.attacks.gradients.losses import unsaturated
from tinyrobust.attacks.gradients.targets import TARGETS
from tinyrobust.attacks.white_box import apgd, fab
from tinyrobust.core.types import FloatArray


def autoattack(problem: Problem) -> FloatArray:
    """Linf. A sample counts as fooled when what the chip would be given fools the source.

    Reports how many samples are left after each part.
    """
    attempts, classes = Attempts(problem), graph(problem).classes
    attempts.add(apgd.ascend(problem, unsaturated, problem.labels, 0))
    problem.report("apgd-ce", len(attempts.left))
    apgd.climb_targets(attempts, classes)
    problem.report("apgd-t", len(attempts.left))
    for rank in range(min(TARGETS, classes - 1)):
        if len(attempts.left):
            attempts.add(fab.inside(attempts.rest, rank))
    problem.report("fab-t", len(attempts.left))
    if len(attempts.left):
        rest = attempts.rest
        real = square.published(rest)
        attempts.add(np.clip((real - rest.spec.low) / rest.span, 0, 1).astype(np.float32))
    problem.report("square", len(attempts.left))
    return attempts.real()


_PAPER = "Croce and Hein 2020, arXiv:2003.01690"
_TITLE = "AutoAttack, standard"
ROWS = (
    AttackInfo(
        "autoattack", _TITLE, Needs.GRADIENTS, Norm.LINF, _PAPER, autoattack, loss=unsaturated
    ),
    AttackInfo(
        "autoattack-s4",
        _TITLE,
        Needs.GRADIENTS,
        Norm.LINF,
        f"{_PAPER}, as in Costa and Pinto 2024, arXiv:2404.05688",
        autoattack,
        eps=(0.004,),
        loss=unsaturated,
    ),
)
