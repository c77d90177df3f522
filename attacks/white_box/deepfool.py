"""DeepFool: to the nearest boundary as the gradients draw it, again and again; Foolbox's."""

from __future__ import annotations

from functools import partial

from tinyrobust.attacks.base.problem import AttackInfo, Lattice, Needs, Norm, Problem
from tinyrobust.attacks.gradients.lazy import foolbox
from tinyrobust.attacks.gradients.losses import lead
from tinyrobust.attacks.gradients.minimal import run_foolbox
from tinyrobust.core.types import FloatArray


def deepfool(
    problem: Problem, steps: int = 50, candidates: int = 10, overshoot: float = 0.02
) -> FloatArray:
    """L2, towards the ``candidates`` most likely classes. The defaults are the paper's."""
    return run_foolbox(
        problem,
        foolbox.attacks.L2DeepFoolAttack(steps=steps, candidates=candidates, overshoot=overshoot),
    )


_PAPER = "Moosavi-Dezfooli et al. 2016, arXiv:1511.04599"
_S4 = f"{_PAPER}, as in Costa and Pinto 2024, arXiv:2404.05688"
ROWS = (
    AttackInfo(
        "deepfool",
        "DeepFool",
        Needs.GRADIENTS,
        Norm.L2,
        _PAPER,
        deepfool,
        minimises=True,
        loss=lead,
        lattice=Lattice.INNER,
    ),
    AttackInfo(
        "deepfool-s4",
        "DeepFool, 100 steps",
        Needs.GRADIENTS,
        Norm.L2,
        _S4,
        partial(deepfool, steps=100),
        minimises=True,
        loss=lead,
        lattice=Lattice.INNER,
    ),
)
