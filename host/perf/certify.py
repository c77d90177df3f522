"""How fast certificates are made, by each method."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from tinyrobust.core.cache import cache_folder
from tinyrobust.core.progress import Say
from tinyrobust.core.types import TensorSpec
from tinyrobust.host.perf.table import Table
from tinyrobust.models.bounds.certifier import Certifier, Method
from tinyrobust.models.bounds.verdicts import box
from tinyrobust.models.export.converter import Activations, converted
from tinyrobust.models.keras.tf import keras
from tinyrobust.models.plan.compiler import compile_plan
from tinyrobust.models.zoo.catalog import open_model

SPEC = TensorSpec((32, 32, 3), 1 / 128, 0)
SEED = 0
LEVELS = 2
MANY, SOME, FEW = 10_000, 500, 32


def certificate_table(say: Say) -> Table:
    """Intervals on as many images as CIFAR-10 tests with, dearer bounds on fewer."""
    say("certificates")
    large = Certifier(compile_plan(_small_convolutional()).data, SPEC, SPEC)
    digits = open_model("digits-8bit", cache_folder(), say)
    small = Certifier(digits.bundle.plan, digits.bundle.input, digits.bundle.grid)
    rng = np.random.default_rng(SEED)
    images = rng.integers(-128, 128, (MANY, *SPEC.shape), np.int8)
    rows = [
        _row("Conv-Small, 32x32x3", large, images, Method.INTERVAL),
        _row("Conv-Small, 32x32x3", large, images[:SOME], Method.CROWN_IBP),
        _row("digits-8bit, 8x8x1", small, digits.test.q[:SOME], Method.INTERVAL),
        _row("digits-8bit, 8x8x1", small, digits.test.q[:SOME], Method.CROWN_IBP),
        _row("digits-8bit, 8x8x1", small, digits.test.q[:FEW], Method.LINEAR),
    ]
    digits.close()
    return Table(
        "Certificates",
        f"Boxes of {LEVELS} levels bounded, without any search, after one batch to warm up. "
        "Conv-Small (Wong and Kolter, 2018) has 214,918 weights, untrained here, 0.93 M "
        "multiplications and random images; its intervals have to take less than 60 s.",
        ("network", "method", "samples", "s", "ms a sample"),
        tuple(rows),
    )


def _row(title: str, certifier: Certifier, q: Any, method: Method) -> tuple[str, ...]:
    labels = certifier.predict(q)
    low, high = box(q, LEVELS)
    certifier.bound(low[:FEW], high[:FEW], labels[:FEW], method)
    started = time.perf_counter()
    certifier.bound(low, high, labels, method)
    took = time.perf_counter() - started
    return title, method.value, f"{len(q):,}", f"{took:.1f}", f"{1e3 * took / len(q):.2f}"


def _small_convolutional() -> bytes:
    """Two convolutions and two dense layers in int8, seeded weights."""
    layers = keras.layers
    keras.utils.set_random_seed(SEED)
    x = inputs = layers.Input(SPEC.shape)
    for filters in (16, 32):
        x = layers.Conv2D(filters, 4, strides=2, padding="same", activation="relu")(x)
    x = layers.Dense(100, activation="relu")(layers.Flatten()(x))
    model = keras.Model(inputs, layers.Dense(10)(x))
    samples = np.random.default_rng(SEED).integers(-128, 128, (64, *SPEC.shape), np.int8)
    return converted(model, SPEC, samples, Activations.INT8)


if __name__ == "__main__":
    from tinyrobust.core.progress import to_stderr
    from tinyrobust.host.perf.table import markdown

    print(markdown(certificate_table(to_stderr)))
