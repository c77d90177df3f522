"""Hypothesis strategies: one random single-operator int8 .tflite per draw, every operator the bench supports."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.tflite_factory import Affine, Factory, Window


@dataclass(frozen=True)
class Case:
    """A model and the input shape it takes, batch included. ``str`` names every parameter drawn."""

    operator: str
    parameters: str
    input_shape: tuple[int, ...]
    tflite: bytes = field(repr=False)

    def samples(self, n: int, seed: int = 0) -> NDArray[np.int8]:
        """int8 [n, *shape]: random, then all lowest, then all highest where ``n`` >= 3."""
        out = np.random.default_rng(seed).integers(-128, 128, (n, *self.input_shape[1:]), np.int8)
        if n >= 3:
            out[-2], out[-1] = -128, 127
        return out


scales = st.floats(-12, 2, width=32).map(lambda e: float(np.float32(2.0**e)))
zero_points = st.integers(-128, 127)
affines = st.builds(Affine, scales, zero_points)
activations = st.sampled_from(["NONE", "RELU", "RELU6"])
seeds = st.integers(0, 2**32 - 1)
gains = st.floats(-2, 3, width=32).map(lambda e: 2.0**e)
"""How far the output range is from the one that random data would just fill."""


@st.composite
def windows(draw, height: int, width: int, dilated: bool = False) -> Window:
    kernel = (draw(st.integers(1, min(4, height + 1))), draw(st.integers(1, min(4, width + 1))))
    stride = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    dilation = (draw(st.integers(1, 2)), draw(st.integers(1, 2))) if dilated and stride == (1, 1) else (1, 1)
    same = draw(st.booleans())
    valid = Window(kernel, stride, dilation, same)
    return valid if min(valid.output(height, width)) >= 1 else Window(kernel, stride, dilation, True)


@st.composite
def _weighted(draw, shape: tuple[int, ...], axis: int, x: Affine, per_channel: bool):
    rng = np.random.default_rng(draw(seeds))
    channels = shape[axis]
    depth = int(np.prod(shape)) // channels
    weights = rng.integers(-127, 128, shape, np.int8)
    base = draw(scales)
    count = channels if per_channel else 1
    w_scales = [float(np.float32(base * s)) for s in rng.uniform(0.25, 1, count)]
    fill = 74.0 * 73.0 * np.sqrt(depth)
    bias = rng.normal(0, fill, channels).round().astype(np.int32) if draw(st.booleans()) else None
    out = Affine(float(np.float32(x.scale * base * fill / 60 * draw(gains))), draw(zero_points))
    return weights, w_scales, bias, out


@st.composite
def conv_2d(draw) -> Case:
    x, h, w, c, out_c = draw(affines), *(draw(st.integers(1, n)) for n in (7, 7, 9, 9))
    window = draw(windows(h, w, dilated=True))
    weights, w_scales, bias, out = draw(_weighted((out_c, *window.kernel, c), 0, x, draw(st.booleans())))
    activation = draw(activations)
    f = Factory()
    source = f.input((1, h, w, c), x)
    sink = f.conv_2d(source, weights, w_scales, bias, window, out, activation)
    text = f"x={x} {h}x{w}x{c}->{out_c} {window} out={out} {activation} scales={len(w_scales)} bias={bias is not None}"
    return Case("CONV_2D", text, source.shape, f.build(source, sink))


@st.composite
def depthwise_conv_2d(draw) -> Case:
    x, h, w, c, mult = draw(affines), *(draw(st.integers(1, n)) for n in (7, 7, 9, 3))
    window = draw(windows(h, w, dilated=True))
    weights, w_scales, bias, out = draw(_weighted((1, *window.kernel, c * mult), 3, x, draw(st.booleans())))
    activation = draw(activations)
    f = Factory()
    source = f.input((1, h, w, c), x)
    sink = f.depthwise_conv_2d(source, weights, w_scales, bias, window, out, activation)
    text = f"x={x} {h}x{w}x{c}*{mult} {window} out={out} {activation} scales={len(w_scales)} bias={bias is not None}"
    return Case("DEPTHWISE_CONV_2D", text, source.shape, f.build(source, sink))


@st.composite
def fully_connected(draw) -> Case:
    x, depth, out_c = draw(affines), draw(st.integers(1, 70)), draw(st.integers(1, 12))
    weights, w_scales, bias, out = draw(_weighted((out_c, depth), 0, x, draw(st.booleans())))
    activation = draw(activations)
    f = Factory()
    source = f.input((1, depth), x)
    sink = f.fully_connected(source, weights, w_scales, bias, out, activation)
    text = f"x={x} {depth}->{out_c} out={out} {activation} scales={len(w_scales)} bias={bias is not None}"
    return Case("FULLY_CONNECTED", text, source.shape, f.build(source, sink))


@st.composite
def add(draw) -> Case:
    """``x + quantize(x)``: the second operand is the input on another scale."""
    a, b, shape = draw(affines), draw(zero_points), (1, *(draw(st.integers(1, n)) for n in (5, 5, 7)))
    b = Affine(float(np.float32(a.scale * draw(gains))), b)
    out = Affine(float(np.float32(max(a.scale, b.scale) * draw(gains))), draw(zero_points))
    activation = draw(activations)
    f = Factory()
    source = f.input(shape, a)
    sink = f.add(source, f.quantize(source, b), out, activation)
    return Case("ADD", f"{shape} a={a} b={b} out={out} {activation}", source.shape, f.build(source, sink))


@st.composite
def pool_2d(draw, operator: str) -> Case:
    x, h, w, c = draw(affines), *(draw(st.integers(1, n)) for n in (9, 9, 9))
    window, activation = draw(windows(h, w)), draw(activations)
    f = Factory()
    source = f.input((1, h, w, c), x)
    make = f.average_pool_2d if operator == "AVERAGE_POOL_2D" else f.max_pool_2d
    sink = make(source, window, activation)
    return Case(operator, f"x={x} {h}x{w}x{c} {window} {activation}", source.shape, f.build(source, sink))


@st.composite
def mean(draw) -> Case:
    x, h, w, c = draw(affines), *(draw(st.integers(1, n)) for n in (9, 9, 9))
    out = draw(
        st.one_of(st.just(x), st.builds(Affine, gains.map(lambda g: float(np.float32(x.scale * g))), zero_points))
    )
    keep = draw(st.booleans())
    f = Factory()
    source = f.input((1, h, w, c), x)
    sink = f.mean(source, out, keep)
    return Case("MEAN", f"{h}x{w}x{c} x={x} out={out} keep_dims={keep}", source.shape, f.build(source, sink))


@st.composite
def pad(draw) -> Case:
    x, shape = draw(affines), (1, *(draw(st.integers(1, n)) for n in (5, 5, 6)))
    widths = [(0, 0), *((draw(st.integers(0, 3)), draw(st.integers(0, 3))) for _ in range(3))]
    f = Factory()
    source = f.input(shape, x)
    sink = f.pad(source, widths)
    return Case("PAD", f"{shape} x={x} {widths}", source.shape, f.build(source, sink))


@st.composite
def reshape(draw) -> Case:
    x, a, b, c = draw(affines), *(draw(st.integers(1, 6)) for _ in range(3))
    shape = draw(st.sampled_from([(1, a * b * c), (1, c, b, a), (1, a * b, c)]))
    f = Factory()
    source = f.input((1, a, b, c), x)
    sink = f.reshape(source, shape)
    return Case("RESHAPE", f"x={x} {(1, a, b, c)} -> {shape}", source.shape, f.build(source, sink))


@st.composite
def softmax(draw) -> Case:
    x, width = draw(affines), draw(st.integers(1, 40))
    beta = draw(st.sampled_from([1.0, 0.5]))
    f = Factory()
    source = f.input((1, width), x)
    sink = f.softmax(source, beta)
    return Case("SOFTMAX", f"x={x} width={width} beta={beta}", source.shape, f.build(source, sink))


@st.composite
def quantize(draw) -> Case:
    x, shape = draw(affines), (1, *(draw(st.integers(1, n)) for n in (4, 4, 9)))
    out = Affine(float(np.float32(x.scale * draw(gains))), draw(zero_points))
    f = Factory()
    source = f.input(shape, x)
    sink = f.quantize(source, out)
    return Case("QUANTIZE", f"{shape} x={x} out={out}", source.shape, f.build(source, sink))


OPERATORS: dict[str, st.SearchStrategy[Case]] = {
    "CONV_2D": conv_2d(),
    "DEPTHWISE_CONV_2D": depthwise_conv_2d(),
    "FULLY_CONNECTED": fully_connected(),
    "ADD": add(),
    "AVERAGE_POOL_2D": pool_2d("AVERAGE_POOL_2D"),
    "MAX_POOL_2D": pool_2d("MAX_POOL_2D"),
    "MEAN": mean(),
    "PAD": pad(),
    "RESHAPE": reshape(),
    "SOFTMAX": softmax(),
    "QUANTIZE": quantize(),
}
