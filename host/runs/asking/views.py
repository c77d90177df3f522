"""What an attack is shown of a rung: one network, its logits, a faster rung in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

from tinyrobust.attacks.base.lanes import side_by_side
from tinyrobust.attacks.base.searched import Tally, decided
from tinyrobust.core.types import IntArray, Prediction, Predictor, TensorSpec
from tinyrobust.host.devices.target import Network, Target
from tinyrobust.host.runs.asking.parts import stream_of

T = TypeVar("T")


class Logits(Network, Protocol):
    """A network up to its logits; see ``tinyrobust.models.rungs.logits``."""

    output: TensorSpec

    def outputs(self, raw: IntArray) -> IntArray:
        """The whole network's outputs of its logits ``raw`` [n, outputs]."""
        ...


class Slot:
    """The one place of a device for a network."""

    def __init__(self, device: Target) -> None:
        self.device = device
        self._held: Network | None = None

    def hold(self, network: Network, input: TensorSpec, output: TensorSpec) -> None:
        """Uploads ``network`` unless it was the last."""
        if self._held is not network:
            self._held = None
            self.device.load(network, input, output)
            self._held = network


class Held:
    """The device of ``slot`` with ``network``, whatever it held before; a rung."""

    def __init__(self, slot: Slot, network: Network, input: TensorSpec, output: TensorSpec) -> None:
        self._slot, self._network = slot, network
        self._stream = stream_of(slot.device)
        self.input, self._output = input, output

    @property
    def rung(self) -> str:
        """The device's."""
        return self._slot.device.rung

    def hold(self) -> None:
        """Makes it the device's network."""
        self._slot.hold(self._network, self.input, self._output)

    def predict(self, q: IntArray) -> Prediction:
        """See Predictor."""
        self.hold()
        return self._slot.device.predict(q)

    def answers(self, questions: Iterator[IntArray | None]) -> Iterator[tuple[int, Prediction]]:
        """See ``tinyrobust.host.devices.target.Streaming``."""
        self.hold()
        return self._stream(questions)


class LogitsOf:
    """The logits that ``asked`` answers, a network without its SOFTMAX; the whole one's classes.

    An int8 SOFTMAX makes ties of what its logits tell apart, and the first of a tie is the class.
    """

    def __init__(self, asked: Predictor, network: Logits) -> None:
        self._asked, self._network = asked, network
        self.rung, self.input = asked.rung, asked.input

    def predict(self, q: IntArray) -> Prediction:
        """See Predictor."""
        answer = self._asked.predict(q)
        assert answer.raw is not None
        classes = self._network.outputs(answer.raw).argmax(axis=1)
        return Prediction(decided(answer.logits, classes))

    def interleave(self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        """See Interleaving."""
        return side_by_side(self._asked, tasks)


class SearchedOn:
    """``fast`` in the place of ``exact``, which confirms: ``attacks.base.searched.Searched``."""

    def __init__(self, fast: Predictor, exact: Predictor) -> None:
        self._fast, self._exact = fast, exact
        self.rung, self.input = exact.rung, exact.input
        self.tally = Tally()

    def predict(self, q: IntArray) -> Prediction:
        """What the fast one answers."""
        return self._fast.predict(q)

    def confirm(self, q: IntArray) -> Prediction:
        """What the exact one answers."""
        return self._exact.predict(q)
