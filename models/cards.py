"""The model cards: ``python -m models.cards > models/README.md`` writes them from the committed weights."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from host.types import BenchError
from models import oracle, parity, weight_files
from models.fold import DEPTHWISE
from models.lower import lower
from models.recipes import Recipe, recipe
from models.reference import KerasPredictor, TflmPredictor
from models.tf import keras

_HEAD = """# Networks with committed weights

Written by `python -m models.cards > models/README.md`; made by `python -m models.make_weights NAME`, which continues an
interrupted training from its checkpoint. `NAME.json` beside each `NAME.npz` holds command, seed and versions.

- *true size*: weights at their own bit width, biases at 32 bits. *stored size*: as flashed, every weight a whole byte.
- *accuracy*: on the whole test set, with its 95 % Wilson interval; measured once, after training.
- *agreement*: output bytes that the trained network and tflite-micro share on the calibration images.

| network | weights, bits | parameters | MACs | true size | stored size | test accuracy | n | agreement |
|---|---|---|---|---|---|---|---|---|"""


@dataclass(frozen=True)
class Size:
    """Multiply-accumulates of one inference, and the weights' bytes at their own width and as flashed."""

    macs: int
    true_bytes: int
    stored_bytes: int
    widths: tuple[int, ...]


def size_of(model: Any) -> Size:
    """Counts over the layers with kernels; a layer without a quantizer has 32-bit weights."""
    macs = true_bits = stored = 0
    widths = set()
    for layer in model.layers:
        if not isinstance(layer, keras.layers.DepthwiseConv2D | keras.layers.Conv2D | keras.layers.Dense):
            continue
        depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
        kernel = layer.depthwise_kernel if depthwise else layer.kernel
        source = "depthwise_quantizer_internal" if isinstance(layer, DEPTHWISE) else "kernel_quantizer_internal"
        quantizer = getattr(layer, source, None)
        bits = 32 if quantizer is None else int(quantizer.bits)
        weights, biases = int(np.prod(kernel.shape)), int(np.prod(layer.bias.shape)) if layer.use_bias else 0
        positions = 1 if isinstance(layer, keras.layers.Dense) else int(np.prod(layer.output_shape[1:3]))
        macs += positions * weights
        true_bits += bits * weights + 32 * biases
        stored += (4 if quantizer is None else 1) * weights + 4 * biases
        widths.add(bits)
    return Size(macs, -(-true_bits // 8), stored, tuple(sorted(widths)))


def row(name: str) -> str:
    """One line of the table. Raises UsageError when weights or data are missing."""
    card, chosen = weight_files.card(name), recipe(name)
    model = chosen.build()
    weight_files.load(name, model)
    size = size_of(model)
    cells = (
        name,
        ", ".join(str(w) for w in size.widths),
        f"{card.parameters:,}",
        f"{size.macs:,}",
        f"{size.true_bytes:,}",
        f"{size.stored_bytes:,}",
        f"{card.test_accuracy:.2%} [{card.low:.2%}, {card.high:.2%}]",
        f"{card.test_n:,}",
        "float" if chosen.start is None else _agreement(chosen, model),
    )
    return f"| {' | '.join(cells)} |"


def _agreement(chosen: Recipe, model: Any) -> str:
    reason = oracle.unavailable()
    if reason is not None:
        return reason
    spec = chosen.task.spec
    tflm = TflmPredictor(lower(model, spec), model.name)
    try:
        result = parity.compare(
            KerasPredictor(model, "qat", spec), tflm, tflm.output, chosen.task.splits().calibration.q
        )
    finally:
        tflm.close()
    return f"all bytes of {result.samples}" if result.exact else f"{result.equal:.2%}, within {result.worst}"


def main() -> int:
    """Prints the whole file."""
    try:
        lines = [row(name) for name in sorted(p.stem for p in weight_files.FOLDER.glob("*.npz"))]
    except BenchError as err:
        print(f"error: {err}", file=sys.stderr)
        return err.exit_code
    print("\n".join((_HEAD, *lines)))
    return os.EX_OK


if __name__ == "__main__":
    sys.exit(main())
