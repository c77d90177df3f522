"""How an ordinary training becomes a certified one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinyrobust.models.keras.tf import tf

Tensor = Any


@dataclass(frozen=True)
class Certified:
    """Boxes of ``levels`` input levels to each side, reached after ``warm_up`` epochs of none and
    ``ramp`` epochs of growth; a loss of ``clean`` parts of the points and the rest of the worst of
    their boxes.

    ``part`` below 1 bounds a smaller box, of ``part`` of the levels, around the point that one step
    up the loss finds in the rest of the large one (Mueller et al. 2023, SABR, arXiv:2210.04871):
    more accurate networks, which need more than intervals to be certified afterwards.

    ``regularizer`` weighs what keeps boxes tight while they grow, and is gone when they have;
    ``l1`` the sum of all kernels' magnitudes. ``levels`` may be broken: somewhat more than what is
    certified afterwards is what most networks want.
    """

    levels: float
    warm_up: int = 0
    ramp: int = 0
    clean: float = 0.3
    regularizer: float = 0.0
    l1: float = 0.0
    part: float = 1.0

    def __post_init__(self) -> None:
        if not self.levels > 0 or self.warm_up < 0 or self.ramp < 0:
            raise ValueError("certified training takes levels above 0 and whole epochs from 0 on")
        if not 0 <= self.clean <= 1 or self.regularizer < 0 or self.l1 < 0:
            raise ValueError("certified training takes a share in [0, 1] and weights from 0 on")
        if not 0 < self.part <= 1:
            raise ValueError("certified training takes a part in (0, 1] of each box")

    def share(self, epoch: Tensor) -> Tensor:
        """Share of ``levels`` that is reached at ``epoch`` (a float, epochs done): 0 to 1."""
        if not self.ramp:
            return tf.cast(epoch >= self.warm_up, tf.float32)
        return tf.clip_by_value((epoch - self.warm_up) / self.ramp, 0.0, 1.0)
