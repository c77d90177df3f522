"""What a run leaves behind: one row per prediction, and the manifest that says how they were made.

Schema only.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

import pyarrow as pa

from tinyrobust.core.cells import Flag
from tinyrobust.core.errors import UsageError
from tinyrobust.host.records.typed_json import parse_json, read

SCHEMA = pa.schema(
    [
        pa.field("rung", pa.string()),
        pa.field("attack", pa.string()),
        pa.field("source", pa.string()),
        pa.field("eps", pa.float64()),
        pa.field("seed", pa.int32()),
        pa.field("levels", pa.int32()),
        pa.field("linf", pa.int32()),
        pa.field("l2", pa.float32()),
        pa.field("l1", pa.float32()),
        pa.field("l0", pa.int32()),
        pa.field("unsnapped", pa.float32()),
        pa.field("failed", pa.bool_()),
        pa.field("sample", pa.int32()),
        pa.field("label", pa.int32()),
        pa.field("predicted", pa.int32()),
        pa.field("target", pa.int32()),
        pa.field("input_crc", pa.uint32()),
        pa.field("logits", pa.list_(pa.float32())),
        pa.field("raw", pa.binary()),
        pa.field("ticks", pa.int64()),
        pa.field("retries", pa.int32()),
    ]
)
"""One row per prediction.

``rung, attack, source, eps, seed, sample`` is the key: no two rows share it. ``eps`` is the budget
asked for, in the attack's norm and in multiples of the input range, 1 for an attack that minimises;
``levels`` an Linf budget in whole levels of the input grid, all of them in any other norm (255 for
int8). What reached the chip of this
sample: ``linf`` in levels, ``l2`` and ``l1`` in multiples of the input range (``l1`` null in
records of versions before it), ``l0`` in elements; ``unsnapped`` is the size of what the attack
returned before that, in its own norm. ``failed``: the attack ended with an error here, and the
sample is clean. ``label`` is -1 where the data has none, ``target`` the class that the attack
wanted the sample to be taken for, -1 for any but the label. ``input_crc`` is of the levels (int16:
little-endian), whatever the rung made of them. ``raw`` is the output tensor, int8 or int16
(little-endian), null on float rungs. ``ticks`` is null where the rung cannot count, ``retries``
where there is no link.
"""


STATES = ("running", "complete")
MOST_SAMPLES = 2**31 - 1
"""``sample`` is an int32."""
MOST_DIGITS = 18
"""Of a number that a board stated; int64 holds it."""
_ALWAYS = ("notes", "link", "kinds", "flags")
"""Fields with a default for whoever makes a manifest; in a file they stand, or it was damaged."""


@dataclass(frozen=True)
class RungInfo:
    """One rung of a run: ``available``, or the ``reason`` why not.

    ``detail`` is free text: engine, board, versions.
    """

    rung: str
    available: bool
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True)
class AttackKind:
    """What the figures and the report have to know of an attack."""

    name: str
    title: str
    needs: str
    """Of its source: ``nothing``, ``decisions``, ``scores`` or ``gradients``."""
    norm: str
    """``linf``, ``l2``, ``l1`` or ``l0``."""
    minimises: bool
    """Looks for the smallest perturbation, and has no eps."""
    paper: str


@dataclass(frozen=True)
class Manifest:
    """How the records were made.

    Written before the first record; ``state`` is ``running`` or ``complete``.
    """

    run_id: str
    created: str
    """UTC, ISO 8601."""
    state: str
    model: str
    data: str
    data_sha256: str
    samples: int
    board: str
    emulated: bool
    tick_unit: str
    seeds: tuple[int, ...]
    attacks: tuple[str, ...]
    eps: tuple[float, ...]
    input_shape: tuple[int, ...]
    input_scale: float
    input_zero_point: int
    class_names: tuple[str, ...]
    tflite_sha256: str
    plan_id: str
    tflite_bytes: int
    plan_bytes: int
    arena_bytes: int
    tflm_arena_bytes: int | None
    git: str
    versions: tuple[tuple[str, str], ...]
    """(package or tool, version)."""
    board_info: tuple[tuple[str, str], ...]
    """What the board said of itself in INFO, as (name, value)."""
    rungs: tuple[RungInfo, ...]
    notes: tuple[str, ...] = ()
    """Lines the report must show: parity of the export, warnings of the attacks."""
    link: tuple[tuple[str, int], ...] = ()
    """Counters of the link: frames, retries, bytes both ways."""
    command: str = ""
    """The command line that began the run."""
    protocol: str = "tinyrobust"
    """What the device was spoken to in; from another one than ours there are scores, no bytes."""
    input_dtype: str = "int8"
    """Of the input grid's levels: ``int16`` where attacks had all points of an int16 input."""
    input_lowest: int = -128
    """The lowest level."""
    input_highest: int = 127
    """The highest level."""
    lattice: str = "after"
    """Whether attacks are brought to the input grid ``after`` they end, or at every step
    (``inner``); ``own`` where that was left to each attack, ``native`` where it was on a grid of
    all points of the network's input, ``study`` where each element went to its nearest level.
    """
    queries: int | None = None
    """Most questions that attacks which only ask could put for each sample; None where that was
    left to them.
    """
    scores: str = "flashed"
    """What attacks on scores asked of the device: ``logits``, its network uploaded without the
    SOFTMAX at its end, or the ``flashed`` one.
    """
    search: str = ""
    """The host's rung that attacks which only ask searched on in place of an integer one, which
    confirmed what they found; empty: none.
    """
    target: str = ""
    """What the attacks wanted samples to be taken for: a class, ``least-likely``; empty: any class
    but the right one.
    """
    kinds: tuple[AttackKind, ...] = ()
    """One for each of ``attacks``."""
    flags: tuple[Flag, ...] = ()
    """What was suspect when the attacks were made; ``host/analysis/flags.py`` adds what the records
    show.
    """

    @property
    def input_steps(self) -> int:
        """From the input grid's lowest level to its highest: ``levels / input_steps`` is an eps."""
        return self.input_highest - self.input_lowest

    def kind(self, attack: str) -> AttackKind | None:
        """The kind called ``attack``, None where the manifest has none."""
        return next((kind for kind in self.kinds if kind.name == attack), None)

    def to_json(self) -> str:
        """Pretty JSON, stable key order."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """The inverse of ``to_json``. Raises ValueError on text that is not a manifest."""
        try:
            raw = parse_json(text)
            made = read(cls, raw)
            for name in _ALWAYS:
                if name not in raw:
                    raise ValueError(f"{name} is missing")
            made.check()
        except ValueError as err:
            raise ValueError(f"not a run manifest: {err}") from None
        return made

    def check(self) -> None:
        """Raises ValueError on values of the right type that no run has."""
        if self.state not in STATES:
            raise ValueError(f"state {self.state!r} is none of {', '.join(STATES)}")
        if not 0 <= self.samples <= MOST_SAMPLES:
            raise ValueError(f"samples {self.samples}: 0 to {MOST_SAMPLES} are possible")
        if not -32768 <= self.input_lowest < self.input_highest <= 32767:
            raise ValueError(
                f"input_lowest {self.input_lowest}, input_highest {self.input_highest}: no grid"
            )
        if any(size < 1 for size in self.input_shape):
            raise ValueError(f"input_shape {list(self.input_shape)}: sizes are 1 or more")

    def stated(self, name: str) -> int | None:
        """The number that the board stated as ``name``, None where it stated none.

        Raises UsageError on a text.
        """
        text = dict(self.board_info).get(name)
        if text is None:
            return None
        if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
            raise UsageError(
                f"{self.run_id}: its manifest's board_info has {name} {text!r}: "
                "not a number of a board's"
            )
        return int(text)
