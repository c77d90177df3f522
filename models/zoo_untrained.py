"""Zoo entries whose data are not at hand: 4-bit networks with seeded, untrained weights, on generated inputs.

They show that a network is exported, compiled and run bit for bit; their predictions mean nothing, and their names and
their ladders' notes say so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from host.types import Dataset, TensorSpec
from models import coffee_cnn, ds_cnn, fc_autoencoder, mlp_s2, mobilenet_v1
from models.batchnorm import copy_folded
from models.chain import Chain
from models.data import Splits, dataset
from models.dense_chain import DenseChain
from models.export import export_qat
from models.ladder import Ladder
from models.quantizers import W4
from models.tf import keras

Say = Callable[[str], None]
NOTE = "untrained, seeded weights on generated inputs: agreement between the rungs is the only thing measured"
SEED = 0
_CHAINS: tuple[Chain | DenseChain, ...] = (
    ds_cnn.CHAIN,
    mobilenet_v1.CHAIN,
    fc_autoencoder.CHAIN,
    mlp_s2.CHAIN,
    coffee_cnn.CHAIN,
)


def entries() -> dict[str, Callable[[Path, Say], Ladder]]:
    """``NAME-untrained`` for every network of this kind."""
    return {f"{chain.name.replace('_', '-')}-untrained": _entry(chain) for chain in _CHAINS}


def _entry(chain: Chain | DenseChain) -> Callable[[Path, Say], Ladder]:
    def ladder(cache: Path, say: Say) -> Ladder:
        name = f"{chain.name.replace('_', '-')}-untrained"
        say(f"{name}: {NOTE}")
        keras.utils.set_random_seed(SEED)
        full, qat = chain.build_float(), chain.build_qat(W4)
        copy_folded(full, qat)
        spec = TensorSpec(tuple(full.input_shape[1:]), 1 / 128, 0)
        names = tuple(str(i) for i in range(full.output_shape[-1]))
        made = export_qat(name, full, qat, spec, _generated(name, spec), names, cache, say)
        return replace(made, notes=(NOTE, *made.notes))

    return ladder


def _generated(name: str, spec: TensorSpec) -> Splits:
    """Uniform random inputs without labels (-1), another 16 in each part."""

    def part(kind: str, seed: int) -> Dataset:
        q = np.random.default_rng((SEED, seed)).integers(-128, 128, (16, *spec.shape)).astype(np.int8)
        return dataset(f"{name}/{kind}", q, np.full(16, -1, np.int64))

    return Splits(part("train", 1), part("validation", 2), part("calibration", 3), part("test", 4))
