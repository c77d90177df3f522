"""What the attack of each cell asks, and under which name its answers are kept."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tinyrobust.attacks.base.problem import AttackInfo, Needs, asks
from tinyrobust.attacks.registry import find
from tinyrobust.core.cells import Cell
from tinyrobust.core.progress import Say
from tinyrobust.core.types import Predictor
from tinyrobust.host.config.bench import Config
from tinyrobust.host.config.choices import FLASHED, LOGITS
from tinyrobust.host.runs.asking.questions import Identified, journaled
from tinyrobust.host.runs.asking.views import Held, LogitsOf, SearchedOn, Slot
from tinyrobust.host.runs.sweep import searchable

if TYPE_CHECKING:
    from tinyrobust.models.rungs.ladder import Ladder
    from tinyrobust.models.rungs.logits import LogitsNetwork


@dataclass(frozen=True)
class Source:
    """``rung`` is None where the attack asks nothing; ``identity`` says what answers."""

    rung: Predictor | None
    identity: str


@dataclass
class Sources:
    """The rungs of ``ladder`` and its device as attacks are shown them.

    ``firmware`` is the device's. Journals are opened as they are needed; ``stack`` closes them.
    """

    config: Config
    ladder: Ladder
    slot: Slot
    firmware: str
    cache: Path
    say: Say
    stack: ExitStack
    most: int = 0
    """Questions that a budget allows the device at all, 0 where there is none."""
    _made: dict[str, Predictor] = field(default_factory=dict)

    @property
    def device(self) -> str:
        """The device's rung."""
        return self.slot.device.rung

    def of(self, cell: Cell) -> Source:
        """The source of ``cell``."""
        rungs = {rung.rung: rung for rung in self.ladder.rungs}
        if cell.source not in (*rungs, self.device):
            return Source(None, "")
        info = find(cell.attack)
        if self.config.search and asks(info) and searchable(cell.source, self.config.search):
            return self._searched(info, cell.source, rungs.get(cell.source))
        if cell.source != self.device:
            rung = rungs[cell.source]
            return Source(rung, rung.digest if isinstance(rung, Identified) else self.ladder.digest)
        network = self.logits(info)
        if network is None:
            return self._whole
        identity = f"{self._identity}\nup to its logits {network.plan_id}"
        return Source(self._once(identity, partial(self._logits, network, identity)), identity)

    def logits(self, info: AttackInfo) -> LogitsNetwork | None:
        """The network that ``info`` asks the device in place of the flashed one, None: that one."""
        asked = self.slot.device.uploaded and not self.config.search
        return self._scored(info) if asked else None

    def notes(self, todo: tuple[Cell, ...]) -> tuple[str, ...]:
        """What the report has to say of attacks on the device's scores."""
        asking = {c.attack for c in todo if c.source == self.device}
        named = ", ".join(name for name in sorted(asking) if self._scored(find(name)) is not None)
        if not named or self.config.search:
            return ()
        if not self.slot.device.uploaded:
            return (
                f"{named} asked {self.device} for scores of its SOFTMAX, which saturate: its plan "
                "is built in, and cannot be uploaded without it",
            )
        return (
            f"{named} asked {self.device} for logits: its plan was uploaded without the SOFTMAX at "
            "the end, whose scores saturate; whatever they found is judged on the whole network",
        )

    def _scored(self, info: AttackInfo) -> LogitsNetwork | None:
        wanted = self.config.scores == LOGITS and info.needs is Needs.SCORES
        return self.ladder.logits if wanted else None

    @property
    def _identity(self) -> str:
        # The same bytes are another question on another grid of an int16 input.
        bundle = self.ladder.bundle
        grid = "" if bundle.grid.dtype == "int8" else f"\n{bundle.input}"
        return f"{self.ladder.digest}\n{self.firmware}{grid}"

    @property
    def _whole(self) -> Source:
        """The flashed network on the device, journaled."""
        bundle, identity = self.ladder.bundle, self._identity
        held = Held(self.slot, bundle, bundle.input, bundle.output)
        return Source(self._once(identity, lambda: self._journaled(held, identity)), identity)

    def _logits(self, network: LogitsNetwork, identity: str) -> Predictor:
        held = Held(self.slot, network, self.ladder.bundle.input, network.output)
        return LogitsOf(self._journaled(held, identity), network)

    def _journaled(self, held: Held, identity: str) -> Predictor:
        opened = journaled(held, identity, self.cache, self.say, self.most)
        return self.stack.enter_context(opened)

    def _searched(self, info: AttackInfo, source: str, rung: Predictor | None) -> Source:
        """A host's rung in place of ``source``, which is ``rung`` or the device."""
        exact = self._whole if rung is None else Source(rung, self.ladder.digest)
        assert exact.rung is not None
        network = self._scored(info)
        name = f"{self.config.search}{'' if network is None else ' up to its logits'}"
        fast = self._once(f"\nsearch {name}", lambda: self._fast(network))
        # One for each cell's source: its tally is that of whoever asks.
        searched = self._once(
            f"\nsearch {name} for {source}", partial(SearchedOn, fast, exact.rung)
        )
        from tinyrobust.models.rungs.litert import VERSION

        return Source(searched, f"{exact.identity}\nsearched on {name}, {VERSION}")

    def _fast(self, network: LogitsNetwork | None) -> Predictor:
        from tinyrobust.models.rungs.litert import LiteRtPredictor
        from tinyrobust.models.rungs.twin.predictor import TwinPredictor

        bundle = self.ladder.bundle
        tflite = bundle.tflite if network is None else network.tflite
        kind = TwinPredictor if self.config.search == TwinPredictor.rung else LiteRtPredictor
        fast = kind(tflite, bundle.input)
        return fast if network is None else LogitsOf(fast, network)

    def _once(self, name: str, make: Callable[[], Predictor]) -> Predictor:
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]


def scores_of(sources: Sources, todo: tuple[Cell, ...]) -> tuple[str, str]:
    """What attacks on scores ask of the device: its word, and the plan where it is another one."""
    for cell in todo:
        network = sources.logits(find(cell.attack)) if cell.source == sources.device else None
        if network is not None:
            return LOGITS, network.plan_id
    return FLASHED, ""
