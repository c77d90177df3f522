"""``bench.toml`` and the command line to one typed, validated Config.

An unknown key is an error.
"""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from tinyrobust.core.errors import UsageError
from tinyrobust.core.plain import one_line
from tinyrobust.host.config.floors import Floor, Gate
from tinyrobust.host.config.parts import CMSIS_NN, ENGINES, MLPERF_TINY, PROTOCOLS, TINYROBUST

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MAX_BYTES = 1 << 16
MAX_SEED = 2**31 - 1
MAX_QUERIES = 10**9
MOST_DIGITS = 100
"""Of a number that is written as a text."""
MODEL_FILES = (".tflite", ".h5", ".hdf5", ".keras")

TRANSFER, TWIN, BOARD = ACCESS = ("transfer", "twin", "board")
OWN, AFTER, INNER = LATTICES = ("own", "after", "inner")
INT8, UINT8 = ENCODINGS = ("int8", "uint8")
ACTIVATIONS = ("int8", "int16x8")


@dataclass(frozen=True)
class Config:
    """What to bench.

    Every field may stand in ``bench.toml`` under its name; raises UsageError on a bad value.
    """

    model: str = "digits"
    """A model of the zoo (``digits``, ``zoo:digits``), or the path of a full-integer ``.tflite``,
    of a Keras or QKeras ``.h5`` or ``.keras``, or of a SavedModel folder (written with a slash).
    """
    float_model: Path | None = None
    """Keras ``.h5`` of the float baseline, for a ``.tflite`` or a QKeras model."""
    data: Path | None = None
    """For a model file: ``.npz`` with ``x`` and ``y``, or the name of a data set
    (``docs/datasets.md``).
    """
    activations: str = ""
    """What a plain Keras model is quantized to after training: ``int8`` (also when empty) or
    ``int16x8``.
    """
    board: str = "qemu_an500"
    protocol: str = TINYROBUST
    """What the board's firmware speaks: ``tinyrobust``, or ``mlperf-tiny`` for the scores of any
    such firmware.
    """
    engine: str = CMSIS_NN
    """What runs the network in the firmware that is built for this run: ``cmsis-nn`` or
    ``tflm``.
    """
    encoding: str = ""
    """What an ``mlperf-tiny`` firmware is fed: ``int8`` or ``uint8``; empty: as its benchmark's
    reference is.
    """
    emulator: str = ""
    """Runs the image of a real ``board`` without it: ``qemu`` or ``renode``."""
    port: str = ""
    """pyserial URL of a real board; empty: it is found by its USB id."""
    serial: str = ""
    """Serial number of its debug probe, where several of a kind are attached."""
    attacks: tuple[str, ...] = ("quick",)
    """Attacks and groups of ``docs/attacks.md``."""
    eps: tuple[float, ...] = tuple(n / 255 for n in (2, 4, 8, 12, 16, 24, 32))
    """Budgets in multiples of the input range, for Linf 0 to 1; in TOML numbers or texts such as
    ``"8/255"``.
    """
    access: tuple[str, ...] = ()
    """What the adversary has: ``transfer`` (float32, or qat without one), ``twin`` (the integer
    network with straight-through gradients), ``board`` (the device's answers). Empty: what
    ``sources`` says.
    """
    sources: tuple[str, ...] = ()
    """Rungs that attacks are made on; empty: float32 and qat as far as the model has them, else
    twin.
    """
    lattice: str = OWN
    """Whether an attack's result is brought to the int8 input grid ``after`` it, or at each step
    (``inner``); ``own``: as suits the attack, ``inner`` where it minimises by gradients.
    """
    queries: int | None = None
    """Most questions that an attack which asks for scores or decisions may put for each sample;
    without it, the attack's own number.
    """
    target: str = ""
    """What samples shall be taken for: a class by its number, ``least-likely``, or ``any`` but the
    right one (empty, too).
    """
    samples: int | None = None
    """The first so many of the test set; all without it."""
    seeds: tuple[int, ...] = (0,)
    out: Path = Path("runs")
    gate: Gate = field(default_factory=Gate)
    """What the run must reach; in TOML the table ``[gate]`` and its ``[[gate.floors]]``."""

    def __post_init__(self) -> None:
        for eps in self.eps:
            if not (math.isfinite(eps) and eps >= 0):
                raise UsageError(
                    f"eps {eps:g}: a budget is a multiple of the input range, 0 or more"
                )
        if self.samples is not None and self.samples < 1:
            raise UsageError(f"samples {self.samples}: at least 1")
        if self.queries is not None and not 1 <= self.queries <= MAX_QUERIES:
            raise UsageError(f"queries {self.queries}: 1 to {MAX_QUERIES} for each sample")
        for seed in self.seeds:
            if not 0 <= seed <= MAX_SEED:
                raise UsageError(f"seed {seed}: 0 to {MAX_SEED}")
        for name in ("attacks", "eps", "seeds"):
            values = getattr(self, name)
            if not values:
                raise UsageError(f"{name}: at least one")
        for name in ("attacks", "eps", "seeds", "access", "sources"):
            values = getattr(self, name)
            if len(set(values)) != len(values):
                raise UsageError(f"{name}: {', '.join(map(str, values))} names one twice")
        for name in self.access:
            if name not in ACCESS:
                raise UsageError(f"access {name!r}: give one or more of {', '.join(ACCESS)}")
        if self.access and self.sources:
            raise UsageError(
                "access and sources both say what attacks are made on: give one of them"
            )
        if self.activations and self.activations not in ACTIVATIONS:
            raise UsageError(f"activations {self.activations!r}: give {' or '.join(ACTIVATIONS)}")
        if self.protocol not in PROTOCOLS:
            raise UsageError(f"protocol {self.protocol!r}: give {' or '.join(PROTOCOLS)}")
        if self.engine not in ENGINES:
            raise UsageError(f"engine {self.engine!r}: give {' or '.join(ENGINES)}")
        if self.encoding and self.encoding not in ENCODINGS:
            raise UsageError(f"encoding {self.encoding!r}: give {' or '.join(ENCODINGS)}")
        if self.encoding and self.protocol != MLPERF_TINY:
            raise UsageError(f"encoding goes with protocol {MLPERF_TINY}")
        if self.lattice not in LATTICES:
            raise UsageError(f"lattice {self.lattice!r}: give one of {', '.join(LATTICES)}")
        if self.is_file:
            if self.data is None:
                raise UsageError(
                    f"model {self.model}: a model of your own needs --data D.npz or a data set"
                )
        elif self.float_model is not None or self.data is not None or self.activations:
            raise UsageError(
                f"model {self.model}: --float, --data and --activations go with a model file of your own"
            )

    @property
    def is_file(self) -> bool:
        """Whether ``model`` is a file or a folder of the user's; a folder is told from a zoo name
        by a slash.
        """
        return not self.model.startswith("zoo:") and (
            self.model.endswith(MODEL_FILES) or "/" in self.model
        )


def number(value: object) -> float:
    """A number, or a text such as ``8/255``. Raises ValueError on anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError("must be a number or a fraction such as 8/255")
    try:
        return _fraction(value.strip()) if isinstance(value, str) else float(value)
    except (ValueError, ZeroDivisionError, OverflowError):
        raise ValueError("must be a number or a fraction such as 8/255") from None


def _fraction(text: str) -> float:
    """A Fraction holds every digit of ``1e999999999``: numbers with an exponent are read as
    floats.
    """
    if len(text) > MOST_DIGITS:
        raise ValueError("too long")
    return float(text) if "e" in text.lower() else float(Fraction(text))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a text")
    return value


def _integer(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("must be a whole number")
    return value


def _path(value: object) -> Path:
    return Path(_text(value)).expanduser()


def _each(item: Callable[[object], Any]) -> Callable[[object], tuple[Any, ...]]:
    def parse(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise ValueError("must be a list")
        return tuple(item(v) for v in value)

    return parse


def _table(
    parsers: Mapping[str, Callable[[object], Any]], make: Callable[..., Any]
) -> Callable[[object], Any]:
    """A TOML table whose keys are those of ``parsers`` to what ``make`` builds of their values."""

    def parse(value: object) -> Any:
        if not isinstance(value, dict):
            raise ValueError("must be a table")
        values: dict[str, Any] = {}
        for key, item in value.items():
            if key not in parsers:
                raise ValueError(f"unknown key {key!r}; known are {', '.join(parsers)}")
            try:
                values[key] = parsers[key](item)
            except ValueError as err:
                raise ValueError(f"{key} {err}") from None
        return make(**values)

    return parse


def _floor(attack: str | None = None, accuracy: float | None = None, **more: Any) -> Floor:
    if attack is None or accuracy is None:
        raise ValueError("needs attack and accuracy")
    return Floor(attack, accuracy, **more)


_FLOOR = {"attack": _text, "accuracy": number, "source": _text, "eps": number}
_GATE = {"rung": _text, "floors": _each(_table(_FLOOR, _floor)), "differing_bytes": _integer}
_PARSERS: dict[str, Callable[[object], Any]] = {
    "model": _text,
    "float_model": _path,
    "data": _path,
    "activations": _text,
    "board": _text,
    "protocol": _text,
    "engine": _text,
    "encoding": _text,
    "emulator": _text,
    "port": _text,
    "serial": _text,
    "attacks": _each(_text),
    "eps": _each(number),
    "access": _each(_text),
    "sources": _each(_text),
    "lattice": _text,
    "queries": _integer,
    "target": _text,
    "samples": _integer,
    "seeds": _each(_integer),
    "out": _path,
    "gate": _table(_GATE, Gate),
}


def parse(text: str, where: str) -> Config:
    """TOML text to a Config. Raises UsageError that names ``where`` and the key."""
    try:
        raw = tomllib.loads(text)
    except RecursionError:
        raise UsageError(f"{where}: nested too deeply: not a bench.toml") from None
    except ValueError as err:  # TOMLDecodeError is one; a number of thousands of digits is another
        raise UsageError(f"{where}: {one_line(err)}") from None
    try:
        config: Config = _table(_PARSERS, Config)(raw)
    except (UsageError, ValueError) as err:
        raise UsageError(f"{where}: {err}") from None
    return config


def load(path: Path) -> Config:
    """Reads a ``bench.toml``. Raises UsageError."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise UsageError(f"{path}: longer than {MAX_BYTES} bytes: not a bench.toml")
        text = data.decode()
    except (OSError, UnicodeDecodeError) as err:
        raise UsageError(f"{path}: {getattr(err, 'strerror', None) or 'not UTF-8 text'}") from None
    return parse(text, str(path))


def override(config: Config, **given: Any) -> Config:
    """``config`` with every ``given`` value that is not None in its place; validated again."""
    return dataclasses.replace(config, **{k: v for k, v in given.items() if v is not None})
