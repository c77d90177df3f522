"""Hypothesis strategy: random whole networks, with skip connections, for what single operators
cannot show.

Arena reuse, tensors that outlive several operators, reshapes that share memory, clamps in the
middle.
"""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from tests.support.tflite.cases import Case, made
from tests.support.tflite.factory import Affine, Factory, Ref, Window

LAST = ["nothing", "dense", "dense, softmax"]
STEPS = ["conv", "pointwise", "depthwise", "add", "average_pool", "max_pool", "pad", "quantize"]


@st.composite
def networks(draw, wide: bool | None = None) -> Case:
    """3 to 9 convolutional steps, then possibly a classifier head, on int8 or (``wide``) int16;
    None: either.
    """
    wide = draw(st.booleans()) if wide is None else wide
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    size, channels = draw(st.integers(4, 9)), draw(st.integers(1, 4))
    steps = draw(st.lists(st.sampled_from(STEPS), min_size=3, max_size=9))
    pool, last = draw(st.sampled_from(["mean", "reshape"])), draw(st.sampled_from(LAST))
    f = Factory(wide)
    source = x = f.input((1, size, size, channels), _affine(f, rng, 0.05 / 256 if wide else 0.05))
    before = [x]
    for step in steps:
        x = _step(f, step, x, before, rng)
        before.append(x)
    if last != "nothing":
        x = (
            f.mean(x, _affine(f, rng, x.q.scale))
            if pool == "mean"
            else f.reshape(x, (1, int(np.prod(x.shape))))
        )
        x = _dense(f, x, rng)
    if last == "dense, softmax":
        x = f.softmax(x)
    return draw(made("NETWORK", f"{source.shape} {steps} {pool} {last} seed={seed}", f, source, x))


def _step(f: Factory, step: str, x: Ref, before: list[Ref], rng: np.random.Generator) -> Ref:
    twins = [other for other in before if other.shape == x.shape]
    window = (
        Window((2, 2), (1, 1), same=True)
        if rng.random() < 0.5
        else Window((3, 3), (2, 2), same=True)
    )
    match step:
        case "conv" | "pointwise":
            window = Window() if step == "pointwise" else window
            w = rng.integers(
                -127, 128, (int(rng.integers(1, 9)), *window.kernel, x.shape[3]), np.int8
            )
            scales, bias, out = _arithmetic(f, x, w[0].size, w.shape[0], rng)
            return f.conv_2d(x, w, scales, bias, window, out, _activation(rng))
        case "depthwise":
            w = rng.integers(-127, 128, (1, *window.kernel, x.shape[3]), np.int8)
            scales, bias, out = _arithmetic(f, x, w[..., 0].size, w.shape[3], rng)
            return f.depthwise_conv_2d(x, w, scales, bias, window, out, _activation(rng))
        case "add":
            other = twins[int(rng.integers(len(twins)))]
            return f.add(x, other, _affine(f, rng, x.q.scale + other.q.scale), _activation(rng))
        case "average_pool":
            return f.average_pool_2d(x, window)
        case "max_pool":
            return f.max_pool_2d(x, window)
        case "pad":
            return f.pad(x, [(0, 0), (1, 0), (0, 2), (0, 0)])
        case _:
            return f.quantize(x, _affine(f, rng, x.q.scale))


def _dense(f: Factory, x: Ref, rng: np.random.Generator) -> Ref:
    w = rng.integers(-127, 128, (int(rng.integers(2, 8)), int(np.prod(x.shape[1:]))), np.int8)
    scales, bias, out = _arithmetic(f, x, w.shape[1], w.shape[0], rng)
    return f.fully_connected(x, w, scales, bias, out)


def _arithmetic(f: Factory, x: Ref, depth: int, channels: int, rng: np.random.Generator):
    """Scales, bias and an output range that random data fill about right."""
    fill = 74.0 * 73.0 * np.sqrt(depth)
    scales = [
        float(np.float32(s))
        for s in rng.uniform(0.0003, 0.002, channels if rng.random() < 0.5 else 1)
    ]
    bias = rng.normal(0, fill / 2, channels).round() if rng.random() < 0.7 else None
    if bias is not None:
        bias = (256 * bias).astype(np.int64) if f.wide else bias.astype(np.int32)
    return scales, bias, _affine(f, rng, x.q.scale * max(scales) * fill / 40)


def _affine(f: Factory, rng: np.random.Generator, around: float) -> Affine:
    """Quantization of about ``around`` a step; of an input, of an int8 one."""
    unit = float(np.float32(around * rng.uniform(0.5, 1.5)))
    zero_point = int(rng.integers(-128, 128))
    return Affine(unit, 0 if f.wide else zero_point)


def _activation(rng: np.random.Generator) -> str:
    return str(rng.choice(["NONE", "NONE", "RELU", "RELU6"]))
