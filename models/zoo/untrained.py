"""Zoo entries whose weights are not at hand: seeded, untrained, on generated inputs.

They show that a network is exported, compiled and run bit for bit; their predictions mean nothing,
and their names and their ladders' notes say so.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tinyrobust.core.progress import Say
from tinyrobust.core.types import Dataset, TensorSpec
from tinyrobust.models.data.splits import Splits, dataset
from tinyrobust.models.export.qkeras import export_qat
from tinyrobust.models.keras.batchnorm import copy_folded
from tinyrobust.models.keras.quantizers import BINARY, W2, W4, Bits
from tinyrobust.models.keras.tf import keras
from tinyrobust.models.networks import published, s3_cnn
from tinyrobust.models.networks.chain import Chain
from tinyrobust.models.networks.dense_chain import DenseChain
from tinyrobust.models.rungs.ladder import Entry, Ladder

NOTE = (
    "untrained, seeded weights on generated inputs: "
    "agreement between the rungs is the only thing measured"
)
SEED = 0
FLOAT: dict[str, Chain | DenseChain] = {
    f"{chain.name.replace('_', '-')}-untrained": chain
    for chain in (
        published.DS_CNN,
        published.MOBILENET_V1,
        published.FC_AUTOENCODER,
        published.MLP_S2,
        published.COFFEE_CNN,
        s3_cnn.CHAIN,
    )
}
"""Every network of this kind, by the name of its 4-bit entry."""
_OTHER_BITS: tuple[tuple[str, str, Bits], ...] = (
    ("s3-untrained", "2bit", W2),
    ("s3-untrained", "binary", BINARY),
    ("mlp-untrained", "s2", published.MLP_S2_BITS),
)
"""Entries ``NAME-SUFFIX`` at another precision than 4 bits."""


def entries() -> dict[str, Entry]:
    """``NAME-untrained`` at 4 bits for every network of this kind.

    Some of them are there at other precisions, too.
    """
    four = {name: _entry(name, name, W4) for name in FLOAT}
    return four | {
        f"{name}-{suffix}": _entry(f"{name}-{suffix}", name, bits)
        for name, suffix, bits in _OTHER_BITS
    }


def seeded_float(name: str) -> Any:
    """The float network of ``FLOAT[name]`` with its seeded weights."""
    keras.utils.set_random_seed(SEED)
    return FLOAT[name].build_float()


def task_of(full: Any, name: str) -> tuple[TensorSpec, Splits, tuple[str, ...]]:
    """Input grid, generated samples and class names for network ``full``."""
    spec = TensorSpec(tuple(full.input_shape[1:]), 1 / 128, 0)
    return spec, _generated(name, spec), tuple(str(i) for i in range(full.output_shape[-1]))


def _entry(name: str, start: str, bits: Bits) -> Entry:
    def ladder(cache: Path, say: Say) -> Ladder:
        say(f"{name}: {NOTE}")
        full = seeded_float(start)
        qat = FLOAT[start].build_qat(bits)
        copy_folded(full, qat)
        spec, splits, class_names = task_of(full, name)
        made = export_qat(name, full, qat, spec, splits, class_names, cache, say)
        return replace(made, notes=(NOTE, *made.notes))

    return ladder


def _generated(name: str, spec: TensorSpec) -> Splits:
    """Uniform random inputs without labels (-1), another 16 in each part."""

    def part(kind: str, seed: int) -> Dataset:
        q = (
            np.random.default_rng((SEED, seed))
            .integers(-128, 128, (16, *spec.shape))
            .astype(np.int8)
        )
        return dataset(f"{name}/{kind}", q, np.full(16, -1, np.int64))

    return Splits(part("train", 1), part("validation", 2), part("calibration", 3), part("test", 4))
