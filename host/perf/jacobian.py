"""What Jacobian regularization adds to a training step, as a table."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyrobust.core.progress import Say
from tinyrobust.host.perf.table import Table
from tinyrobust.models.keras.quantizers import TERNARY, W4
from tinyrobust.models.keras.tf import keras, tf
from tinyrobust.models.networks import resnet8, s3_cnn
from tinyrobust.models.training.jacobian import Penalty
from tinyrobust.models.training.recipes import per_layer
from tinyrobust.models.training.trainer import TrainingPlan, compiled_step


def jacobian_table(say: Say) -> Table:
    """Plain and regularized training speeds side by side (host/perf/jacobian.py)."""
    say("Jacobian-regularized training steps")
    rows = tuple(
        (
            cost.network,
            cost.penalty,
            f"{cost.plain:.0f}",
            f"{cost.regularized:.0f}",
            f"{cost.ratio:.2f}",
        )
        for cost in step_costs()
    )
    return Table(
        "Jacobian regularization",
        "Training steps of batch 128 with one random projection; *share* is the part of each "
        "batch that pays for the penalty. Plain and regularized steps alternate; the ratio is "
        "time per regularized step over a plain one.",
        ("network", "penalty", "plain images/s", "regularized images/s", "ratio"),
        rows,
    )


_BATCH = 128
_WARM_UP, _ROUNDS = 2, 9


@dataclass(frozen=True)
class Cost:
    """Median training speeds of one network, in images per second.

    ``ratio`` is plain over regularized.
    """

    network: str
    penalty: str
    plain: float
    regularized: float

    @property
    def ratio(self) -> float:
        """How many times a plain step one regularized step takes."""
        return self.plain / self.regularized


def step_costs(rounds: int = _ROUNDS) -> list[Cost]:
    """Measures ResNet8 (float, 4 bits) and the S3 net (ternary).

    Plain and regularized steps alternate, so that other load on the machine meets both alike.
    """
    cases: tuple[tuple[str, Callable[[], Any], dict[str, Penalty]], ...] = (
        ("resnet8 float", resnet8.build_float, _whole()),
        ("resnet8 4 bits", lambda: resnet8.build_qat(W4), _whole()),
        (
            "s3 ternary",
            lambda: s3_cnn.build_qat(TERNARY),
            {"per layer, share 0.5": per_layer(0.01)},
        ),
    )
    return [
        cost
        for name, build, penalties in cases
        for cost in _compare(name, build, penalties, rounds)
    ]


def _whole() -> dict[str, Penalty]:
    return {f"whole, share {share:g}": Penalty(0.01, share=share) for share in (1.0, 0.5)}


def _compare(
    name: str, build: Callable[[], Any], penalties: dict[str, Penalty], rounds: int
) -> list[Cost]:
    variants: dict[str, Penalty | None] = {"plain": None, **penalties}
    steps = {}
    for label, penalty in variants.items():
        model = build()
        optimizer = keras.optimizers.AdamW(1e-4)
        optimizer.build(model.trainable_variables)
        steps[label] = compiled_step(
            model, optimizer, TrainingPlan(1, _BATCH, 1e-4, penalty=penalty)
        )
    images, labels = tf.random.uniform((_BATCH, 32, 32, 3), -1, 1), tf.zeros(_BATCH, tf.int64)
    seconds: dict[str, list[float]] = {label: [] for label in steps}
    for i in range(_WARM_UP + rounds):
        for label, step in steps.items():
            start = time.perf_counter()
            float(step(images, labels)[0])
            if i >= _WARM_UP:
                seconds[label].append(time.perf_counter() - start)
    speed = {label: _BATCH / float(np.median(times)) for label, times in seconds.items()}
    return [Cost(name, label, speed["plain"], speed[label]) for label in penalties]


if __name__ == "__main__":
    print(
        "| network | Jacobian penalty, one projection | plain, images/s | regularized, "
        "images/s | ratio |"
    )
    print("|---|---|---|---|---|")
    for c in step_costs():
        print(
            f"| {c.network} | {c.penalty} | {c.plain:.0f} | {c.regularized:.0f} | {c.ratio:.2f} |",
            flush=True,
        )
