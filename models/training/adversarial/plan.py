"""What the adversary of a training may do, and the schedule it is part of."""

from __future__ import annotations

from dataclasses import dataclass

from tinyrobust.models.training.trainer import TrainingPlan


@dataclass(frozen=True)
class LinfAttack:
    """``steps`` steps of ``size * levels`` along the sign of the gradient, from a random point of
    the Linf ball of ``levels`` input levels.

    One step of 1.25 is FGSM with a random start: Wong, Rice and Kolter 2020, "Fast is better than
    free" (arXiv:2001.03994). More of them are PGD: Madry et al. 2018 (arXiv:1706.06083).
    """

    levels: int
    steps: int = 1
    size: float = 1.25

    def __post_init__(self) -> None:
        if not 1 <= self.levels <= 255 or self.steps < 1 or not self.size > 0:
            raise ValueError("an Linf attack takes 1 to 255 levels, a step or more, a size above 0")


@dataclass(frozen=True, kw_only=True, repr=False)
class AdversarialPlan(TrainingPlan):
    """A ``TrainingPlan`` whose every batch is attacked by ``attack`` before the update.

    ``average``: decay of the weights' moving average, which is what is validated and kept.
    """

    attack: LinfAttack
    average: float = 0.999

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.certified:
            raise ValueError("a training has bounds or an adversary, not both")
        if not 0 <= self.average < 1:
            raise ValueError("a moving average takes a decay in [0, 1)")
