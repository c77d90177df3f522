"""The model cards: ``python -m tinyrobust.models.zoo.cards > models/README.md``.

They are written from the committed weights.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from tinyrobust.core.errors import BenchError
from tinyrobust.core.progress import Say, to_stderr
from tinyrobust.core.stats import wilson
from tinyrobust.models.export.fold import DEPTHWISE
from tinyrobust.models.export.lower import lower
from tinyrobust.models.keras.tf import keras
from tinyrobust.models.rungs import oracle, parity
from tinyrobust.models.rungs.predictors import KerasPredictor, TflmPredictor
from tinyrobust.models.tflite.reader import read_graph
from tinyrobust.models.training import weight_files
from tinyrobust.models.training.recipes import Recipe, recipe
from tinyrobust.models.zoo import on_board, proven, robust
from tinyrobust.models.zoo.catalog import ENTRIES, open_model

_CONVERSION = re.compile(r"-(ptq|int16x8|tfmot)(-at\d+)?(-jr)?$")
_WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")

_HEAD = """# Networks with committed weights

Written by `python -m tinyrobust.models.zoo.cards > models/README.md`; made by
`python -m tinyrobust.models.training.make_weights NAME`, which continues an interrupted training
from its checkpoint. `NAME.json` beside each `NAME.npz` holds command, seed and versions.
`python -m tinyrobust.studies.board_agreement` measures the agreement on the emulated board and
keeps it in `weights/on_board.json`.

- *true size*: weights at their own bit width, biases at 32 bits. *stored size*: as flashed, every
  weight a whole byte.
- *accuracy*: on the whole test set, with its 95 % Wilson interval; measured once, after training.
- *agreement*: output bytes that the trained network and tflite-micro share on the calibration
  images.
- *on board*: output bytes that the firmware on an emulated Cortex-M7 (`qemu_an500`) and
  tflite-micro share.

| network | weights, bits | parameters | MACs | true size | stored size | \
test accuracy | n | agreement | on board |
|---|---|---|---|---|---|---|---|---|---|"""
_PROVEN = """
## Proven

By `tinyrobust certify --model zoo:NAME`, on the integers that are flashed: the share of the first n
test samples whose label no change of at most so many input levels in each element can turn, with
its 95 % Wilson interval ([Certified robustness](../docs/certified.md)). `python -m
tinyrobust.studies.proven_shares FOLDER` keeps the figures of a finished folder in
`weights/certified.json`.

| network | levels | method | n | clean | certified |
|---|---|---|---|---|---|"""
_CONVERTED = """
## Quantized after training, or with TFMOT

The float network through TFLiteConverter, weights int8 per channel, activations int8 (`-ptq`,
`-tfmot`) or int16 (`-int16x8`), calibrated on 200 images of the calibration part.

- *agreement*: predictions that the float network and the export share on the whole test set.

| network | parameters | MACs | size | test accuracy | n | agreement | on board |
|---|---|---|---|---|---|---|---|"""
_UNTRAINED = """
## On the board only

Untrained networks: their predictions mean nothing, their bytes are those of tflite-micro.

| network | on board |
|---|---|"""


@dataclass(frozen=True)
class Size:
    """Multiply-accumulates of one inference, and what the weights take.

    The weights are counted in bytes at their own width and as flashed.
    """

    macs: int
    true_bytes: int
    stored_bytes: int
    widths: tuple[int, ...]


def size_of(model: Any) -> Size:
    """Counts over the layers with kernels; a layer without a quantizer has 32-bit weights."""
    macs = true_bits = stored = 0
    widths = set()
    for layer in model.layers:
        if not isinstance(
            layer, keras.layers.DepthwiseConv2D | keras.layers.Conv2D | keras.layers.Dense
        ):
            continue
        depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
        kernel = layer.depthwise_kernel if depthwise else layer.kernel
        source = (
            "depthwise_quantizer_internal"
            if isinstance(layer, DEPTHWISE)
            else "kernel_quantizer_internal"
        )
        quantizer = getattr(layer, source, None)
        bits = 32 if quantizer is None else int(quantizer.bits)
        weights, biases = (
            int(np.prod(kernel.shape)),
            int(np.prod(layer.bias.shape)) if layer.use_bias else 0,
        )
        positions = (
            1 if isinstance(layer, keras.layers.Dense) else int(np.prod(layer.output_shape[1:3]))
        )
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
        _agreement(chosen, model) if chosen.quantized else "float",
        _on_board(name) if chosen.quantized else "",
    )
    return f"| {' | '.join(cells)} |"


def converted_row(name: str, say: Say) -> str:
    """One line for zoo entry ``name`` that TFLiteConverter made.

    Raises UsageError as opening it does.
    """
    with TemporaryDirectory() as cache:
        ladder = open_model(name, Path(cache), say)
    full, twin = (next(r for r in ladder.rungs if r.rung == rung) for rung in ("float32", "twin"))
    assert isinstance(full, KerasPredictor)
    ours, theirs = (rung.predict(ladder.test.q).logits.argmax(axis=1) for rung in (full, twin))
    right, n = int(np.sum(theirs == ladder.test.labels)), len(theirs)
    low, high = wilson(right, n)
    ladder.close()
    cells = (
        name,
        f"{full.model.count_params():,}",
        f"{size_of(full.model).macs:,}",
        f"{constant_bytes(ladder.bundle.tflite):,}",
        f"{right / n:.2%} [{low:.2%}, {high:.2%}]",
        f"{n:,}",
        f"{np.mean(ours == theirs):.2%}",
        _on_board(name),
    )
    return f"| {' | '.join(cells)} |"


def constant_bytes(tflite: bytes) -> int:
    """Weights and biases of a .tflite in bytes: int8 weights are as large as they are stored."""
    graph = read_graph(tflite)
    weighted = (op for op in graph.operators if op.name.split()[0] in _WEIGHTED)
    tensors = (graph.tensors[i] for op in weighted for i in op.inputs[1:] if i >= 0)
    return sum(t.data.size for t in tensors if t.data is not None)


def _on_board(name: str) -> str:
    made = on_board.read().get(name)
    return "not measured" if made is None else str(made)


def _agreement(chosen: Recipe, model: Any) -> str:
    reason = oracle.unavailable()
    if reason is not None:
        return reason
    spec = chosen.task.spec
    tflm = TflmPredictor(lower(model, spec), model.name)
    try:
        result = parity.compare(
            KerasPredictor(model, "qat", spec),
            tflm,
            tflm.output,
            chosen.task.splits().calibration.q,
        )
    finally:
        tflm.close()
    return (
        f"all bytes of {result.samples}"
        if result.exact
        else f"{result.equal:.2%}, within {result.worst}"
    )


def main() -> int:
    """Prints the whole file."""
    try:
        lines = [
            _HEAD,
            *(row(name) for name in sorted(p.stem for p in weight_files.FOLDER.glob("*.npz"))),
        ]
        lines += [_PROVEN, *map(str, proven.read())]
        converted = [
            name for name in sorted(ENTRIES) if _CONVERSION.search(name) and "untrained" not in name
        ]
        lines += [_CONVERTED, *(converted_row(name, to_stderr) for name in converted)]
        lines += robust.section(robust.read())
        lines += [
            _UNTRAINED,
            *(f"| {name} | {_on_board(name)} |" for name in sorted(ENTRIES) if "untrained" in name),
        ]
    except BenchError as err:
        print(f"error: {err}", file=sys.stderr)
        return err.exit_code
    print("\n".join(lines))
    return os.EX_OK


if __name__ == "__main__":
    sys.exit(main())
