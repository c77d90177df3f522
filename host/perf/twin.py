"""How fast the differentiable, bit-exact twin is beside the interpreter it equals."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy as np

from tinyrobust.core.progress import Say
from tinyrobust.core.types import Int8Array
from tinyrobust.host.perf.table import Table
from tinyrobust.models.keras.tf import tf
from tinyrobust.models.rungs.predictors import TflmPredictor
from tinyrobust.models.rungs.twin.predictor import TwinPredictor

SAMPLES = 32
REPEATS = 3
SEED = 0


def twin_table(models: tuple[tuple[str, bytes], ...], say: Say) -> Table:
    """tflite-micro against the twin, forward and with an input gradient.

    Each is the best of ``REPEATS``, taken in turn.
    """
    rows = []
    for title, tflite in models:
        say(f"twin of {title}")
        twin, tflm = TwinPredictor(tflite), TflmPredictor(tflite, title)
        q = np.random.default_rng(SEED).integers(-128, 128, (SAMPLES, *twin.input.shape), np.int8)
        calls: tuple[Callable[[], object], ...] = (
            partial(tflm.predict, q),
            partial(twin.predict, q),
            partial(_gradient, twin, q),
        )
        best = [
            min(times)
            for times in zip(
                *([_seconds(call) for call in calls] for _ in range(REPEATS)), strict=True
            )
        ]
        oracle, forward, gradient = (1e3 * seconds / SAMPLES for seconds in best)
        ratio = f"{oracle / forward:.1f}"
        rows.append((title, f"{oracle:.2f}", f"{forward:.2f}", f"{gradient:.2f}", ratio))
    return Table(
        "The twin beside tflite-micro",
        f"Milliseconds per sample in batches of {SAMPLES}, the best of {REPEATS}; the gradient is "
        "that of the summed logits with respect to the input. tflite-micro runs one thread, "
        "TensorFlow all cores.",
        ("model", "tflite-micro ms", "twin ms", "twin gradient ms", "tflm/twin"),
        tuple(rows),
    )


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _gradient(twin: TwinPredictor, q: Int8Array) -> object:
    real = tf.constant(twin.input.dequantize(q))
    with tf.GradientTape() as tape:
        tape.watch(real)
        total = tf.reduce_sum(twin.logits(real))
    return tape.gradient(total, real).numpy()
