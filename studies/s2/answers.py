"""What the networks of S2 answered on the bytes of the chip, by width and seed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinyrobust.core.cache import cache_folder
from tinyrobust.core.errors import UsageError
from tinyrobust.core.progress import to_stderr
from tinyrobust.core.types import BoolArray, Dataset, Predictor
from tinyrobust.host.analysis.groups import Groups, groups
from tinyrobust.host.analysis.worst_case import CLEAN
from tinyrobust.host.config.bench import Config
from tinyrobust.host.records.read import read_run
from tinyrobust.models.data.mnist import CLASS_NAMES, MNIST, splits
from tinyrobust.models.data.splits import Splits
from tinyrobust.models.export.qkeras import export_qat
from tinyrobust.models.rungs.ladder import Ladder
from tinyrobust.models.rungs.predictors import KerasPredictor
from tinyrobust.studies.runs import run, standing
from tinyrobust.studies.s2.network import SPEC, build_flashed, grids_of
from tinyrobust.studies.s2.training import networks

FGSM, STRONG = "fgsm", "strong"
ATTACKS: dict[str, tuple[str, ...]] = {FGSM: ("fgsm",), STRONG: ("fgsm", "apgd-ce", "apgd-t")}
"""The paper's kind of attack, and the worst case over it and Auto-PGD on cross-entropy and towards
nine targets (Croce and Hein 2020, arXiv:2003.01690)."""
LEVELS = (2, 4, 8, 12, 16, 24, 32, 64)
"""Strengths in levels of 255."""
RUNG = "tflm"
COMMAND = "python -m tinyrobust.studies.s2"
FLOOR = 0.99
"""Share of predictions that the deployed network has in common with its own Keras form: 8-bit
weights in front of signed logits leave no spare bit for the kernels' two roundings."""


@dataclass(frozen=True)
class Answers:
    """What the network of one width and seed answered on ``RUNG``, by cell."""

    bits: int
    seed: int
    cells: Groups
    trained: BoolArray
    """Which of the whole test set the network answers right as it was trained, bool [10,000]."""
    flashed: BoolArray
    """The same as it is flashed, on ``RUNG``."""

    def standing(self, kind: str, level: int) -> BoolArray:
        """Which samples are right under every attack of ``kind`` at ``level``, bool [n].

        Level 0 is without a perturbation.
        """
        return standing(self.cells, RUNG, level, ATTACKS[kind], ("twin",))

    def matrix(self, kind: str) -> BoolArray:
        """``standing`` at every one of ``LEVELS``, bool [n, levels]."""
        return np.stack([self.standing(kind, level) for level in LEVELS], axis=1)


def answers(
    bits: tuple[int, ...], seeds: tuple[int, ...], samples: int, board: str, out: Path
) -> list[Answers]:
    """Trains what is not trained, runs what is not run; every width of every seed."""
    data = splits(MNIST)
    found = []
    for seed in seeds:
        models = networks(data, min(bits), seed, cache_folder(), to_stderr)
        for width in bits:
            found.append(_answers(models[width], width, seed, data, samples, board, out))
    return found


def _answers(
    model: Any, bits: int, seed: int, data: Splits, samples: int, board: str, out: Path
) -> Answers:
    name = f"s2-{bits}bit-seed{seed}"
    config = Config(
        model=f"zoo:{name}",
        board=board,
        attacks=(CLEAN, *ATTACKS[STRONG]),
        eps=tuple(level / 255 for level in LEVELS),
        sources=("twin",),
        samples=samples,
        out=out,
    )
    flashed = []

    def opened(cache: Path) -> Ladder:
        ladder = ladder_of(name, model, bits, data, cache)
        (chip,) = (rung for rung in ladder.rungs if rung.rung == RUNG)
        flashed.append(_right(chip, data.test))
        return ladder

    folder = run(config, opened, COMMAND)
    as_trained = _right(KerasPredictor(model, "float32", SPEC), data.test)
    _, table = read_run(folder)
    return Answers(bits, seed, groups(table), as_trained, flashed[0])


def ladder_of(name: str, model: Any, bits: int, data: Splits, cache: Path) -> Ladder:
    """The ladder of a trained network: as trained, as flashed, and what it is on the chip.

    Raises UsageError where tflite-micro is not at hand.
    """
    flashed = build_flashed(bits, grids_of(model, SPEC.dequantize(data.calibration.q)))
    flashed.set_weights(model.get_weights())
    ladder = export_qat(
        name, model, flashed, SPEC, data, CLASS_NAMES, cache, to_stderr, floor=FLOOR
    )
    for rung, reason in ladder.unavailable:
        raise UsageError(f"{name}: the study needs {rung}: {reason}")
    return ladder


def _right(rung: Predictor, data: Dataset) -> BoolArray:
    return np.asarray(rung.predict(data.q).logits.argmax(axis=1) == data.labels)
