"""Decides a box by cutting it at the clamps of activations, until every part is proven.

One other class at a time: the label's output less that class's is bounded over all parts. What a
bound points to on the way, a corner of the box, is asked of the network itself: a prediction that
changes there ends the search, as a counterexample.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from tinyrobust.core.types import Int64Array, IntArray
from tinyrobust.models.bounds.certifier import Certifier
from tinyrobust.models.bounds.clamps.parts import Part
from tinyrobust.models.bounds.clamps.refine import Float64Array, Refined, Refiner, Root
from tinyrobust.models.bounds.decision import Scores, clear
from tinyrobust.models.bounds.split import Search, Status

PARTS = 8
"""Parts cut at a time; each gives two."""
_MOST_PARTS = 1 << 12
"""Parts kept: a search that needs more is given up, as one whose time is up."""


class ClampSearch:
    """Branch and bound over the clamps of one network's activations.

    ``queries``: whether its operators are bounded by lines first, or by intervals alone.
    """

    def __init__(self, certifier: Certifier, queries: bool = True) -> None:
        self._certifier = certifier
        self._refiner = Refiner(certifier.linear, queries)

    def __call__(
        self,
        low: IntArray,
        high: IntArray,
        label: int,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> Search:
        """Decides the box from ``low`` to ``high``, int8 [*shape], within about ``seconds``."""
        end = clock() + seconds
        certifier = self._certifier
        last, activations = certifier.last, self._refiner.activations
        if last is None or activations is None:
            return Search(Status.UNDECIDED, 0)
        root, whole = self._refiner.root(*(certifier.fed(at[None]) for at in (low, high)))
        outputs = root.y[:, -certifier.classes :].astype(np.int64)
        scores = Scores(outputs[:1], outputs[1:], None)
        others = np.arange(certifier.classes) != label
        if not clear(scores, np.array([label]), last, certifier.lead)[0, others].all():
            return Search(Status.UNDECIDED, 0)
        bounded, corner = 0, self._corner(low, high, label)
        for other in np.flatnonzero(others):
            c = np.zeros(certifier.classes)
            c[label], c[other] = 1.0, -1.0
            enough = float(last.error[label] + last.error[other]) + certifier.lead - 1
            found = self._against(root, whole, c, enough, corner, lambda: clock() >= end)
            bounded += found.boxes
            if found.status is not Status.CERTIFIED:
                return replace(found, boxes=bounded)
        return Search(Status.CERTIFIED, bounded)

    def _corner(
        self, low: IntArray, high: IntArray, label: int
    ) -> Callable[[Float64Array], IntArray | None]:
        """From coefficients of the input, [n, in], to a corner that gives another class."""

        def ask(coefficients: Float64Array) -> IntArray | None:
            up = coefficients.reshape(-1, *low.shape) < 0
            asked = np.where(up, high, low)
            turned = np.flatnonzero(self._certifier.predict(asked) != label)
            return asked[turned[0]] if len(turned) else None

        return ask

    def _against(
        self,
        root: Root,
        whole: Part,
        c: Float64Array,
        enough: float,
        corner: Callable[[Float64Array], IntArray | None],
        late: Callable[[], bool],
    ) -> Search:
        refine = self._refiner.refine
        taken, first = [whole], True
        open_: list[tuple[Part, Float64Array]] = []
        bounded = 0
        while True:
            found = refine(root, taken, c, np.nextafter(enough, np.inf), first)
            bounded, first = bounded + len(taken), False
            left = np.flatnonzero(found.bound <= enough)
            if len(left):
                turned = corner(found.coefficients[left])
                if turned is not None:
                    return Search(Status.BROKEN, bounded, turned)
            open_ += _kept(taken, found, left)
            if not open_:
                return Search(Status.CERTIFIED, bounded)
            if late() or len(open_) > _MOST_PARTS:
                return Search(Status.UNDECIDED, bounded)
            # The newest first: what is kept stays few.
            now, open_ = open_[-PARTS:], open_[:-PARTS]
            if not all(score.any() for _, score in now):  # every activation has one level: a tie
                return Search(Status.UNDECIDED, bounded)
            taken = [half for part, score in now for half in self._halves(root, part, score)]

    def _halves(self, root: Root, part: Part, score: Float64Array) -> tuple[Part, Part]:
        at = int(np.argmax(score))
        activations = self._refiner.activations
        assert activations is not None
        return activations.cut(part, at, self._refiner.reach(root, at))


def _kept(taken: list[Part], found: Refined, left: Int64Array) -> list[tuple[Part, Float64Array]]:
    """The parts that are still open, with what served them; the least hopeful last."""
    order = left[np.argsort(-found.bound[left])]
    return [(replace(taken[i], parameters=found.parameters[i]), found.score[i]) for i in order]
