"""DDN: decoupled direction and norm.

The direction follows the gradient, the norm shrinks while the source is fooled and grows while it
is not; Foolbox's.
"""

from __future__ import annotations

from tinyrobust.attacks.base.problem import AttackInfo, Needs, Norm, Problem
from tinyrobust.attacks.gradients.lazy import foolbox
from tinyrobust.attacks.gradients.minimal import run_foolbox
from tinyrobust.core.types import FloatArray


def ddn(problem: Problem, steps: int = 100, first: float = 1.0, factor: float = 0.05) -> FloatArray:
    """L2 from a ball of ``first``, which ``factor`` shrinks or grows at each step.

    The defaults are the paper's.
    """
    return run_foolbox(
        problem, foolbox.attacks.DDNAttack(init_epsilon=first, steps=steps, gamma=factor)
    )


ROWS = (
    AttackInfo(
        "ddn",
        "DDN, 100 steps",
        Needs.GRADIENTS,
        Norm.L2,
        "Rony et al. 2019, arXiv:1811.09600",
        ddn,
        minimises=True,
    ),
)
