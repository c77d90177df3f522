"""A board as a Predictor: HELLO, LOAD a plan, stream samples.

What it cannot prove about the board it refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np

from tinyrobust.core.abi.wire import (
    PROTOCOL,
    Error,
    Hello,
    Infer,
    Info,
    Layer,
    OperatorTicks,
    Profile,
    Reset,
    TickUnit,
)
from tinyrobust.core.errors import LinkError
from tinyrobust.core.grid import input_grid, to_model_input
from tinyrobust.core.progress import Say
from tinyrobust.core.types import Int64Array, IntArray, Prediction, TensorSpec
from tinyrobust.host.devices.believed import believed, spec, ticks, timed
from tinyrobust.host.devices.loading import edges, hold
from tinyrobust.host.devices.streaming import streamed
from tinyrobust.host.devices.target import Identity, Network, identity_of
from tinyrobust.host.link.exchange import Link
from tinyrobust.host.link.patience import NoisyError, silent
from tinyrobust.host.link.ports import Port
from tinyrobust.host.link.requests import Counters, RefusedError, Request

MAX_RECOVERIES = 5
"""How often in a row a board may fail without one more answer."""
REFLASH = "build and flash the firmware of this checkout"

Recover = Callable[["Device", LinkError], None]
"""Gets a board back that failed, or raises."""


class Device:
    """One board behind one port; the ``board`` (or ``native``) rung.

    A context manager that closes its port.

    ``emulated`` says that its ticks are no cycles. ``ended`` is called after the port is closed, to
    stop whatever was started for this device, ``pid`` the process that runs its firmware (0: none
    of this host's). ``image`` is the SHA-256 of that firmware's file, or the build id that a real
    board states. ``recover``, where there is one, gets a board back that fails while it predicts:
    unplugged, reset, hung. ``say`` is told how a line does that damages much.
    """

    def __init__(
        self,
        port: Port,
        rung: str = "board",
        emulated: bool = False,
        ended: Callable[[], None] = lambda: None,
        pid: int = 0,
        image: str = "",
        recover: Recover | None = None,
        say: Say = silent,
    ) -> None:
        self.link = Link(port, say=say)
        self.emulated = emulated
        self.pid = pid
        self.image = image
        self.flash_bytes = 0
        self._rung = rung
        self._ended = ended
        self._recover = recover
        self._info: Info | None = None
        self._input: TensorSpec | None = None
        self._model_input: TensorSpec | None = None
        self._bundle: Network | None = None
        self._output: TensorSpec | None = None

    def __enter__(self) -> Device:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the port and stops what was started for it."""
        try:
            self.link.port.close()
        finally:
            self._ended()

    @property
    def counters(self) -> Counters:
        """Frames, retries and bytes so far."""
        return self.link.counters

    @property
    def rung(self) -> str:
        """``native`` for a process of this host, ``board`` for an emulated or attached board."""
        return self._rung

    @property
    def identity(self) -> Identity:
        """What the board last said of itself, readable."""
        return identity_of(self.info, self.image, self.flash_bytes)

    @property
    def info(self) -> Info:
        """What the board last said of itself."""
        return self._info if self._info is not None else self.hello()

    def hello(self, baud: int = 0, tries: int | None = None) -> Info:
        """Asks the board who it is, and to go on at ``baud`` (0: as before).

        Raises LinkError where its protocol is not ours, LostError after ``tries`` losses.
        """
        try:
            return self._accept(self.link.request(Hello(PROTOCOL, baud), tries=tries).body)
        except RefusedError as err:
            if err.code != Error.BAD_LENGTH:
                raise
            raise LinkError(
                f"the board speaks another version of the protocol ({err}): {REFLASH}"
            ) from None

    def reopen(self, port: Port) -> None:
        """Goes on with the board behind another port; counters and network stay what they were."""
        self.link = Link(port, counters=self.link.counters, say=self.link.say)
        self._info = None

    def reset(self) -> Info:
        """Makes the board forget an uploaded plan."""
        self._input = None
        return self._accept(self.link.request(Reset(0)).body)

    def _accept(self, info: Info) -> Info:
        if info.protocol != PROTOCOL:
            raise LinkError(
                f"{info.board or 'the board'} runs firmware {info.firmware} of protocol "
                f"{info.protocol:08x}, this host speaks {PROTOCOL:08x}: {REFLASH}"
            )
        self._info = believed(info, self._info)
        return info

    def load(
        self,
        bundle: Network,
        input: TensorSpec | None = None,
        output: TensorSpec | None = None,
    ) -> Info:
        """Makes ``bundle`` the board's network, uploading its plan unless the board holds it.

        ``input`` is the ladder's input grid; a network of int16 activations is sent what
        ``tinyrobust.core.grid`` makes of it. ``output`` is the network's. Raises RefusedError where
        the board rejects the plan (PLAN_REJECTED), LinkError where the plan is too large for its
        RAM, the board's input tensor does not take ``input``, or its output tensor is not
        ``output``.
        """
        info = hold(self.link, self.hello, bundle)
        theirs = edges(info, input, output)
        self._input = input or input_grid(theirs)
        self._model_input = (
            self._input if theirs.dtype == "int8" else replace(theirs, shape=self._input.shape)
        )
        self._bundle, self._output = bundle, output
        return info

    @property
    def uploaded(self) -> bool:
        """Whether its network stands in RAM, so that another one may take its place."""
        return bool(self.info.plan_in_ram)

    @property
    def input(self) -> TensorSpec:
        """The input grid that samples are on. Raises LinkError before ``load``."""
        if self._input is None:
            raise LinkError("no plan has been loaded yet")
        return self._input

    def stream(
        self, samples: Iterable[IntArray | None], window: int | None = None
    ) -> Iterator[tuple[int, bytes, int, int]]:
        """Answers, as they come, to ``samples``, levels of ``input`` [*input.shape].

        Each is (index, output bytes, ticks, retries). None among the samples says that the next
        depends on an answer under way.

        At most ``window`` requests are under way, or as many as the board can hold.
        """
        ask = Infer(self.info.plan_crc)
        requests = (
            None if q is None else Request(ask, self._fed(q[None]).tobytes()) for q in samples
        )
        output = spec(self.info.output)
        expected = output.size * np.dtype(output.dtype).itemsize
        for answer in self.link.exchange(requests, window or self.info.window):
            if len(answer.tail) != expected:
                raise LinkError(
                    f"the board answered {len(answer.tail)} bytes, its output tensor has {expected}"
                )
            yield answer.index, answer.tail, ticks(answer.body.ticks), answer.retries

    def predict(self, q: IntArray) -> Prediction:
        """Answers ``q``, levels of ``input`` [n, *input.shape].

        ``ticks`` are in ``info.tick_unit``, None where the board does not count.
        """
        self._check(q)
        output = spec(self.info.output)
        raw = np.zeros((len(q), output.size), output.dtype)
        ticks, retries = np.zeros((2, len(q)), np.int64)
        for i, answer in streamed(self, iter(q)):
            raw[i], ticks[i], retries[i] = answer.raw, answer.ticks, answer.retries
        counts = self.info.tick_unit != TickUnit.NONE
        return Prediction(output.dequantize(raw), raw, ticks if counts else None, retries)

    def answers(self, questions: Iterator[IntArray | None]) -> Iterator[tuple[int, Prediction]]:
        """See ``tinyrobust.host.devices.target.Streaming``."""
        output = spec(self.info.output)
        for i, answer in streamed(self, questions):
            yield i, Prediction(output.dequantize(answer.raw[None]), answer.raw[None])

    def time(self, q: IntArray) -> Int64Array:
        """Ticks of each sample of ``q``, int64 [n], one request at a time.

        While ``predict`` streams, the board receives the next samples as it computes: those
        interrupts are in its ticks.
        """
        return np.array([ticks for _, _, ticks, _ in self.stream(q, 1)], np.int64)

    def reload(self) -> None:
        """Makes the board hold the network of the last ``load`` again, where there was one."""
        if self._bundle is not None:
            self.load(self._bundle, self._input, self._output)

    def survive(self, err: LinkError, failures: int) -> None:
        """Back to a board that answers, or ``err`` again: what it refuses it would refuse again.

        ``failures`` of it came in a row. That it holds no plan is no refusal: it has restarted
        behind a port that stayed open. A line that is too noisy is no better for a board that
        restarts.
        """
        if isinstance(err, NoisyError):
            raise err
        restarted = isinstance(err, RefusedError) and err.code == Error.NO_PLAN
        refused = isinstance(err, RefusedError) and not restarted
        if self._recover is None or failures > MAX_RECOVERIES or refused:
            raise err
        if not restarted:
            self._recover(self, err)

    def layer(self, op: int, q: IntArray) -> IntArray:
        """Output of operator record ``op`` for each sample of ``q``.

        It is [n, size of it] in the type of the network's output.
        """
        ask = Layer(self.info.plan_crc, op)
        dtype = np.dtype(spec(self.info.output).dtype).newbyteorder("<")
        tails = [self.link.request(ask, row.tobytes()).tail for row in self._fed(q)]
        lengths = sorted({len(tail) for tail in tails})
        if len(lengths) != 1 or not lengths[0] or lengths[0] % dtype.itemsize:
            raise LinkError(
                f"the board answered operator {op} with {lengths} bytes: "
                f"no outputs of one {dtype} tensor"
            )
        return np.stack([np.frombuffer(tail, dtype) for tail in tails])

    def profile(self, q: IntArray) -> list[list[OperatorTicks]]:
        """What each operator took, in the order in which they ran, for each sample of ``q``.

        One request is under way at a time.
        """
        ask = Profile(self.info.plan_crc)
        answers = (self.link.request(ask, row.tobytes()) for row in self._fed(q))
        return [timed(answer.body, answer.tail) for answer in answers]

    def _fed(self, q: IntArray) -> IntArray:
        """``q`` as the bytes of the board's input, C-contiguous."""
        self._check(q)
        return np.ascontiguousarray(to_model_input(q, self.input, self._model_input or self.input))

    def _check(self, q: IntArray) -> None:
        """Raises LinkError where ``q`` is no batch on the input grid of a loaded network."""
        grid = self.input
        if q.dtype != grid.dtype or q.shape[1:] != grid.shape:
            raise LinkError(
                f"samples are {q.dtype} {q.shape[1:]}, the board takes {grid.dtype} {grid.shape}"
            )
