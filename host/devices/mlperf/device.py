"""Any firmware of the MLPerf Tiny protocol as a Predictor: rounded scores, never bytes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinyrobust.core.errors import LinkError, UsageError
from tinyrobust.core.types import IntArray, Prediction, TensorSpec
from tinyrobust.host.config.choices import INT8, UINT8
from tinyrobust.host.config.parts import MLPERF_TINY
from tinyrobust.host.devices.mlperf.session import Counters, Session
from tinyrobust.host.devices.target import Identity, Network
from tinyrobust.host.link.ports import Port

OFFSETS = {INT8: 0x00, UINT8: 0x80}
"""XOR from the int8 tensor to what ``db`` loads: itself, or pixels, from which the firmware
subtracts 128.
"""
BENCHMARKS = {"ic01": UINT8, "vww01": UINT8, "kws01": INT8, "custom": INT8}
"""Encoding by the benchmark that the firmware states, as in the reference submissions; ``custom``
is our own.
"""
ANOMALY = "ad01"
BAUD = 115200
"""The rate that the runner and the reference firmwares begin with."""


class MlperfDevice:
    """One board behind one port; the ``board`` (or ``native``) rung.

    A context manager that closes its port.

    ``encoding`` is one of ``config.choices.ENCODINGS``, or empty for the benchmark's own. The other
    arguments are those of ``tinyrobust.host.devices.device.Device``.
    """

    def __init__(
        self,
        port: Port,
        rung: str = "board",
        emulated: bool = False,
        encoding: str = "",
        ended: Callable[[], None] = lambda: None,
        image: str = "",
    ) -> None:
        self.emulated = emulated
        self._port, self._rung, self._ended, self._image = port, rung, ended, image
        self._session = Session(port)
        self._encoding = encoding
        self._said = ("", "", "")
        self._specs: tuple[TensorSpec, TensorSpec] | None = None

    def __enter__(self) -> MlperfDevice:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the port and ends what was started for it."""
        self._port.close()
        self._ended()

    @property
    def rung(self) -> str:
        """``native`` for a process of this host, ``board`` for an emulated or attached board."""
        return self._rung

    @property
    def input(self) -> TensorSpec:
        """The int8 input grid that samples are on. Raises LinkError before ``load``."""
        return self._edges()[0]

    @property
    def uploaded(self) -> bool:
        """The protocol cannot load a network."""
        return False

    @property
    def counters(self) -> Counters:
        """What went over the wire so far."""
        return self._session.counters

    def _edges(self) -> tuple[TensorSpec, TensorSpec]:
        if self._specs is None:
            raise LinkError("no network has been named yet")
        return self._specs

    def hello(self, seconds: float | None = None) -> None:
        """Asks the device who it is and settles the encoding.

        Raises LinkError where no firmware answers within a few times ``seconds`` (None: as
        patiently as any command).
        """
        name = self._session.name(seconds)
        profile, model = self._session.profile()
        self._said = (name, profile, model)
        if model == ANOMALY:
            raise UsageError(
                f"{name}: {ANOMALY} answers one anomaly score, not the network's outputs: no rung"
            )
        if not self._encoding and model not in BENCHMARKS:
            known = ", ".join(BENCHMARKS)
            raise UsageError(
                f"{name}: benchmark {model!r} is none of {known}: say --encoding {INT8} or {UINT8}"
            )
        self._encoding = self._encoding or BENCHMARKS[model]

    def load(self, bundle: Network, input: TensorSpec, output: TensorSpec) -> None:
        """States which network the firmware is held to have.

        The protocol cannot ask for it, nor load one.
        """
        if {input.dtype, output.dtype} != {"int8"}:
            raise UsageError(
                f"--protocol {MLPERF_TINY} takes int8 networks, this one is {input.dtype}"
            )
        self._specs = (input, output)

    @property
    def identity(self) -> Identity:
        """What the firmware said of itself, and what is assumed of it."""
        name, profile, model = self._said
        note = (
            f"{self._rung} is driven by the MLPerf Tiny protocol (benchmark {model}, input "
            f"encoding {self._encoding}): its scores have three decimals, its wire no checksum, "
            "and which network it holds it cannot say. Agreement with the oracle is judged on the "
            "rounded scores, never on bytes."
        )
        return Identity(
            detail=f"{name}: {profile}, benchmark {model}",
            firmware=f"{MLPERF_TINY} {name} {profile} {model} {self._encoding} {self._image}",
            tick_unit="microseconds",
            facts=(
                ("board", name),
                ("profile", profile),
                ("benchmark", model),
                ("input_encoding", self._encoding),
            ),
            image=self._image,
            notes=(note,),
            protocol=MLPERF_TINY,
        )

    def predict(self, q: IntArray) -> Prediction:
        """Answers ``q``, int8 [n, *input.shape].

        ``logits`` are the firmware's rounded scores, ``raw`` is None, ``ticks`` microseconds.
        """
        input, output = self._edges()
        if q.dtype != np.int8 or q.shape[1:] != input.shape:
            raise LinkError(
                f"samples are {q.dtype} {q.shape[1:]}, the network takes int8 {input.shape}"
            )
        scores = np.zeros((len(q), output.size), np.float64)
        ticks = np.zeros(len(q), np.int64)
        retries = np.zeros(len(q), np.int64)
        timed = True
        for i, row in enumerate(q.view(np.uint8) ^ np.uint8(OFFSETS[self._encoding])):
            answer, retries[i] = self._session.classify(row.tobytes(), output.size)
            scores[i] = answer.thousandths
            timed = timed and answer.microseconds is not None
            ticks[i] = answer.microseconds or 0
        return Prediction(
            (scores / 1000).astype(np.float32), None, ticks if timed else None, retries
        )
