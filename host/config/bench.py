"""What to bench: every setting of a run, declared once, as one typed and validated value."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyrobust.host.config import choices, values
from tinyrobust.host.config.checks import check
from tinyrobust.host.config.floors import Gate, read_gate
from tinyrobust.host.config.parts import CMSIS_NN, ENGINES, PROTOCOLS, TINYROBUST
from tinyrobust.host.config.settings import setting

MODEL_FILES = (".tflite", ".h5", ".hdf5", ".keras")


@dataclass(frozen=True)
class Config:
    """What to bench: every field may stand in ``bench.toml`` under its name.

    Raises UsageError on a bad value.
    """

    model: str = setting(
        "digits",
        values.text,
        "--model",
        "digits (default), zoo:NAME, or your own M.tflite, M.h5, M.keras, folder/",
    )
    """A model of the zoo (``digits``, ``zoo:digits``), or the path of a full-integer ``.tflite``,
    of a Keras or QKeras ``.h5`` or ``.keras``, or of a SavedModel folder (written with a slash).
    """
    float_model: Path | None = setting(
        None, values.path, "--float", "its float baseline", metavar="M.h5", typed=Path
    )
    """Keras ``.h5`` of the float baseline, for a ``.tflite`` or a QKeras model."""
    data: Path | None = setting(
        None,
        values.path,
        "--data",
        "data for your own model: D.npz, or e.g. cifar10",
        metavar="D",
        typed=Path,
    )
    """For a model file: ``.npz`` with ``x`` and ``y``, or a data set of ``docs/datasets.md``."""
    activations: str = setting(
        "",
        values.text,
        "--activations",
        "of a plain Keras model (default int8)",
        choices=choices.ACTIVATIONS,
    )
    """What a plain Keras model is quantized to: ``int8`` (also when empty) or ``int16x8``."""
    board: str = setting(
        "qemu_an500",
        values.text,
        "--board",
        "a name that `tinyrobust boards` lists (default qemu_an500)",
    )
    engine: str = setting(
        CMSIS_NN,
        values.text,
        "--engine",
        "what runs the network on an emulated board or native",
        choices=ENGINES,
    )
    """What runs the network in the firmware that is built for this run."""
    protocol: str = setting(
        TINYROBUST,
        values.text,
        "--protocol",
        "what its firmware speaks (default tinyrobust)",
        choices=PROTOCOLS,
    )
    """What the board's firmware speaks; any MLPerf Tiny firmware gives scores, never bytes."""
    encoding: str = setting(
        "",
        values.text,
        "--encoding",
        "what an mlperf-tiny firmware is fed (default: its model's)",
        choices=choices.ENCODINGS,
    )
    """What an ``mlperf-tiny`` firmware is fed; empty: as its benchmark's reference is."""
    emulator: str = setting(
        "",
        values.text,
        "--emulator",
        "run a real board's image without the board",
        offered=choices.EMULATORS,
    )
    """Runs the image of a real ``board`` without it; which can, the board's row says."""
    port: str = setting(
        "",
        values.text,
        "--port",
        "serial port of a real board (default: by USB id)",
        metavar="URL",
    )
    """pyserial URL of a real board; empty: it is found by its USB id."""
    serial: str = setting(
        "",
        values.text,
        "--serial",
        "serial number of its probe, where two alike are attached",
        metavar="NUMBER",
    )
    """Serial number of its debug probe, where several of a kind are attached."""
    attacks: tuple[str, ...] = setting(
        ("quick",),
        values.each(values.text),
        "--attacks",
        "attacks and groups: clean,pgd or standard",
        metavar="A,B",
        typed=values.typed_names,
    )
    eps: tuple[float, ...] = setting(
        tuple(n / 255 for n in (2, 4, 8, 12, 16, 24, 32)),
        values.each(values.number),
        "--eps",
        "budgets, e.g. 2/255,8/255,0.1",
        metavar="E,E",
        typed=values.typed_numbers,
    )
    """Budgets in multiples of the input range, for Linf 0 to 1; also texts such as ``"8/255"``."""
    access: tuple[str, ...] = setting(
        (),
        values.each(values.text),
        "--access",
        "what the adversary has: transfer, twin, board",
        metavar="A,A",
        typed=values.typed_names,
    )
    """What the adversary has: ``transfer`` (float32, or qat without one), ``twin`` (the integer
    network with straight-through gradients), ``board`` (the device's answers). Empty: what
    ``sources`` says.
    """
    sources: tuple[str, ...] = setting(
        (),
        values.each(values.text),
        "--sources",
        "instead: the very rungs attacks are made on",
        metavar="R,R",
        typed=values.typed_names,
    )
    """Rungs that attacks are made on; empty: float32 and qat where the model has them, or twin."""
    lattice: str = setting(
        choices.OWN,
        values.text,
        "--lattice",
        "how attacks are brought to the input grid (default own: as suits each)",
        choices=choices.LATTICES,
    )
    """How attacks are brought to the input grid, 256 levels of the input range: ``own``, as suits
    the attack (``inner`` where it minimises by gradients); ``after`` they end; at each step
    (``inner``). ``native``: as ``own``, on all points of an int16 input. ``study``: each element to
    its nearest level, though that may be more than the budget.
    """
    queries: int | None = setting(
        None,
        values.integer,
        "--queries",
        "most questions for each sample, of attacks that ask",
        metavar="N",
        typed=int,
    )
    """Most questions that an attack which asks for scores or decisions may put for each sample;
    without it, the attack's own number.
    """
    scores: str = setting(
        choices.LOGITS,
        values.text,
        "--scores",
        "shown to attacks on scores by a board whose network ends in SOFTMAX (default logits)",
        choices=choices.SCORES,
    )
    """What attacks on scores ask of a device whose network ends in SOFTMAX: the plan uploaded
    without it (``logits``), or the one that is ``flashed``.
    """
    search: str = setting(
        "",
        values.text,
        "--search",
        "attacks that only ask search here, and have what they find confirmed",
        choices=choices.SEARCHES,
    )
    """The host's rung that attacks which only ask an integer rung search on in its place; what they
    find counts once that rung confirms it. Empty: they ask it themselves.
    """
    target: str = setting(
        "",
        values.text,
        "--target",
        "class that samples shall be taken for: 3, least-likely, any",
        metavar="T",
    )
    """A class by its number, ``least-likely``, or ``any`` but the right one (empty, too)."""
    samples: int | None = setting(
        None,
        values.integer,
        "--samples",
        "only the first N of the test set",
        metavar="N",
        typed=int,
    )
    """The first so many of the test set; all without it."""
    seeds: tuple[int, ...] = setting(
        (0,),
        values.each(values.integer),
        "--seed",
        "seed of the attacks (default 0)",
        metavar="S",
        typed=values.typed_single,
    )
    certify: str = setting(
        "",
        values.text,
        "--certify",
        "after the attacks: bounds from below, by this method",
        choices=choices.METHODS,
    )
    """How the samples of the run are certified at its Linf budgets when the attacks are done;
    empty: not at all.
    """
    certify_budget: float = setting(
        0.0,
        values.number,
        "--certify-budget",
        "seconds of branch and bound for each undecided sample (default 0)",
        metavar="S",
        typed=float,
    )
    """Seconds of branch and bound for each sample that its bounds leave undecided."""
    out: Path = setting(
        Path("runs"), values.path, "--out", "folder of the runs (default runs)", typed=Path
    )
    gate: Gate = setting(Gate(), read_gate)
    """What the run must reach; in TOML the table ``[gate]`` and its ``[[gate.floors]]``."""

    def __post_init__(self) -> None:
        check(self)

    @property
    def is_file(self) -> bool:
        """Whether ``model`` is a file or a folder of the user's: a zoo name has no slash."""
        return not self.model.startswith("zoo:") and (
            self.model.endswith(MODEL_FILES) or "/" in self.model
        )


def override(config: Config, **given: Any) -> Config:
    """``config`` with every ``given`` value that is not None in its place; validated again."""
    return dataclasses.replace(config, **{k: v for k, v in given.items() if v is not None})
