"""The best perturbation of each sample so far.

One that fools beats one that does not, then the larger loss wins.
"""

from __future__ import annotations

from typing import NamedTuple

from tinyrobust.attacks.gradients.graphs import Tensor
from tinyrobust.attacks.gradients.lazy import tf


class Best(NamedTuple):
    """The best so far, inside a compiled loop.

    ``pixels`` [n, *shape], whether they fool, bool [n], and their loss, float32 [n].
    """

    pixels: Tensor
    fooled: Tensor
    loss: Tensor

    def update(self, pixels: Tensor, fooled: Tensor, loss: Tensor) -> Best:
        """The better of the two, sample by sample."""
        better = (fooled & ~self.fooled) | ((fooled == self.fooled) & (loss > self.loss))
        return Best(
            where(better, pixels, self.pixels),
            fooled | self.fooled,
            tf.where(better, loss, self.loss),
        )


def nothing(x: Tensor) -> Best:
    """What every perturbation of ``x`` beats."""
    n = tf.shape(x)[:1]
    return Best(x, tf.fill(n, False), tf.fill(n, tf.float32.min))


def where(mask: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """``left`` for the samples of ``mask`` bool [n], ``right`` for the others; both [n, *shape]."""
    return tf.where(wide(mask, left), left, right)


def wide(per_sample: Tensor, like: Tensor) -> Tensor:
    """[n] as [n, 1, ...], to be broadcast over the elements of ``like``."""
    return tf.reshape(per_sample, (-1, *(1 for _ in like.shape[1:])))
