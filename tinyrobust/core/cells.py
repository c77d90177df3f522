"""A point of the sweep, and the adversarial set that was made for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from tinyrobust.core.types import BoolArray, FloatArray, Int64Array, IntArray


@dataclass(frozen=True)
class Cell:
    """One point of the sweep: an attack, the rung it was made on, and its budget."""

    attack: str
    """``clean``, ``noise``, ``fgsm``, ``pgd`` ..."""
    source: str
    """Rung the attack was made on; ``-`` where it needs none."""
    eps: float
    """Budget in the attack's norm, in multiples of the input range (``high - low``); 0 for clean, 1
    for an attack that minimises.
    """
    seed: int = 0


class FlagKind(str, Enum):
    """A sign that an attack is broken; after arXiv:1902.06705.

    Accuracy under such an attack is no robustness.
    """

    FAILED = "attack failed"
    MASKED_GRADIENTS = "gradients zero or masked"
    LOSS_NOT_RISING = "loss does not rise"
    WEAKER_THAN_ONE_STEP = "weaker than one step"
    NOISE_AS_STRONG = "noise is as strong"
    TRANSFER_STRONGER = "transfer is stronger than white-box"
    BLACK_BOX_STRONGER = "black box is stronger than white-box"
    BELOW_ONE_LEVEL = "eps below one level"
    OVER_BUDGET = "more than the budget"
    NOT_MONOTONE = "more eps, less effect"
    UNBOUNDED_SURVIVED = "survived an unbounded attack"


@dataclass(frozen=True)
class Flag:
    """One sign that an attack is broken: where it was seen, and its figures in one sentence."""

    kind: FlagKind
    cell: Cell
    detail: str


@dataclass(frozen=True)
class AdversarialSet:
    """The bytes the chip is fed for one cell.

    ``q`` [n, *shape] in the input grid's dtype; every |q - clean| <= ``levels``.
    """

    cell: Cell
    q: IntArray
    levels: int
    """Linf budget in whole levels: floor(eps * steps), with tolerance for float error; in any other
    norm all ``steps`` of the input grid (255 for int8).
    """
    linf: Int64Array
    """Largest change of each sample that reached the input grid, in levels, int64 [n]."""
    l2: FloatArray
    """Euclidean length of it in multiples of the input range, float32 [n]."""
    l1: FloatArray
    """Sum of its absolute changes in multiples of the input range, float32 [n]."""
    l0: Int64Array
    """Elements changed, int64 [n]."""
    unsnapped: FloatArray
    """Size of what the attack itself returned, before it was brought to the input grid and into the
    budget: in the attack's norm, in multiples of the input range (L0: elements), float32 [n].
    """
    failed: BoolArray
    """Samples on which the attack ended with an error; they are left clean. bool [n]."""
    target: Int64Array | None = None
    """The class that each sample was to be taken for, int64 [n]; None: any but its label."""
    notes: tuple[str, ...] = field(default=())
    flags: tuple[Flag, ...] = field(default=())
