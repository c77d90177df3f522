"""Hypothesis strategies: one random single-operator .tflite per draw, every operator the bench
supports, both types.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from tests.support.tflite.factory import Affine, Factory, Ref, Window
from tinyrobust.core.grid import to_model_input
from tinyrobust.core.types import Int8Array, IntArray, TensorSpec

relaxed = settings(
    phases=[Phase.explicit, Phase.reuse, Phase.generate], suppress_health_check=list(HealthCheck)
)
"""For tests that trace a graph or load a plan for each case: shrinking would take minutes, and
cases name their parameters as they are.
"""


@dataclass(frozen=True)
class Case:
    """A model and the input shape it takes, batch included. ``str`` names every parameter drawn."""

    operator: str
    parameters: str
    grid: TensorSpec
    """The model's input."""
    spec: TensorSpec
    """The 256 levels that it is fed through: for int8 the same."""
    tflite: bytes = field(repr=False)

    def samples(self, n: int, seed: int = 0) -> Int8Array:
        """int8 [n, *shape]: random, then all lowest, then all highest where ``n`` >= 3."""
        out = np.random.default_rng(seed).integers(-128, 128, (n, *self.grid.shape), np.int8)
        if n >= 3:
            out[-2], out[-1] = -128, 127
        return out

    def fed(self, q: Int8Array) -> IntArray:
        """What the model gets for ``q``, in its input's type."""
        return to_model_input(q, self.spec, self.grid)


scales = st.floats(-12, 2, width=32).map(lambda e: float(np.float32(2.0**e)))
zero_points = st.integers(-128, 127)
activations = st.sampled_from(["NONE", "RELU", "RELU6"])
seeds = st.integers(0, 2**32 - 1)
gains = st.floats(-2, 3, width=32).map(lambda e: 2.0**e)
"""How far the output range is from the one that random data would just fill."""


def affines(wide: bool, scale: st.SearchStrategy[float] | None = None) -> st.SearchStrategy[Affine]:
    """Quantization of an activation; int16 has steps 256 times finer, and no zero point."""
    unit = scales if scale is None else scale
    if not wide:
        return st.builds(Affine, unit, zero_points)
    return unit.map(lambda s: Affine(float(np.float32(s / 256 if scale is None else s))))


@st.composite
def made(draw, operator: str, parameters: str, f: Factory, source: Ref, sink: Ref) -> Case:
    """``f`` as a case, an int16 input under an input grid of any step and zero point."""
    shape, q = source.shape[1:], source.q
    grid = spec = TensorSpec(shape, q.scale, q.zero_point, "int16" if f.wide else "int8")
    if f.wide:
        spec = TensorSpec(shape, q.scale * draw(st.floats(1, 300)), draw(zero_points))
    return Case(operator, f"{parameters} input grid={spec}", grid, spec, f.build(source, sink))


@st.composite
def windows(draw, height: int, width: int, dilated: bool = False) -> Window:
    kernel = (draw(st.integers(1, min(4, height + 1))), draw(st.integers(1, min(4, width + 1))))
    stride = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    dilation = (
        (draw(st.integers(1, 2)), draw(st.integers(1, 2)))
        if dilated and stride == (1, 1)
        else (1, 1)
    )
    same = draw(st.booleans())
    valid = Window(kernel, stride, dilation, same)
    return (
        valid if min(valid.output(height, width)) >= 1 else Window(kernel, stride, dilation, True)
    )


def _near(scale: float, wide: bool) -> st.SearchStrategy[Affine]:
    return affines(wide, gains.map(lambda g: float(np.float32(scale * g))))


def bias_types(wide: bool) -> st.SearchStrategy[type | None]:
    """Types of a bias on int16 activations, and of the sums with it; None for int8 ones."""
    return st.sampled_from([np.int64, np.int32] if wide else [None])


@st.composite
def _weighted(
    draw, shape: tuple[int, ...], axis: int, x: Affine, per_channel: bool, bias_type: type | None
):
    seed = draw(seeds)
    rng = np.random.default_rng(seed)
    channels = shape[axis]
    depth = int(np.prod(shape)) // channels
    weights = rng.integers(-127, 128, shape, np.int8)
    base = draw(scales)
    count = channels if per_channel else 1
    w_scales = [float(np.float32(base * s)) for s in rng.uniform(0.25, 1, count)]
    fill = 74.0 * 73.0 * np.sqrt(depth)
    spread = fill if bias_type is None else 256 * fill
    bias = (
        rng.normal(0, spread, channels).round().astype(bias_type or np.int32)
        if draw(st.booleans())
        else None
    )
    out = draw(
        affines(
            bias_type is not None,
            gains.map(lambda g: float(np.float32(x.scale * base * fill / 60 * g))),
        )
    )
    return weights, w_scales, bias, out, seed


@st.composite
def conv_2d(draw, wide: bool) -> Case:
    x, h, w, c, out_c = draw(affines(wide)), *(draw(st.integers(1, n)) for n in (7, 7, 9, 9))
    window = draw(windows(h, w, dilated=True))
    weights, w_scales, bias, out, seed = draw(
        _weighted((out_c, *window.kernel, c), 0, x, draw(st.booleans()), draw(bias_types(wide)))
    )
    activation = draw(activations)
    f = Factory(wide)
    source = f.input((1, h, w, c), x)
    sink = f.conv_2d(source, weights, w_scales, bias, window, out, activation)
    text = (
        f"x={x} {h}x{w}x{c}->{out_c} {window} out={out} {activation} "
        f"scales={len(w_scales)} bias={bias is not None}"
    )
    text += f" seed={seed}"
    return draw(made("CONV_2D", text, f, source, sink))


@st.composite
def depthwise_conv_2d(draw, wide: bool) -> Case:
    x, h, w, c, mult = draw(affines(wide)), *(draw(st.integers(1, n)) for n in (7, 7, 9, 3))
    window = draw(windows(h, w, dilated=True))
    weights, w_scales, bias, out, seed = draw(
        _weighted(
            (1, *window.kernel, c * mult), 3, x, draw(st.booleans()), np.int64 if wide else None
        )
    )
    activation = draw(activations)
    f = Factory(wide)
    source = f.input((1, h, w, c), x)
    sink = f.depthwise_conv_2d(source, weights, w_scales, bias, window, out, activation)
    text = (
        f"x={x} {h}x{w}x{c}*{mult} {window} out={out} {activation} scales={len(w_scales)} "
        f"bias={bias is not None}"
    )
    text += f" seed={seed}"
    return draw(made("DEPTHWISE_CONV_2D", text, f, source, sink))


@st.composite
def fully_connected(draw, wide: bool) -> Case:
    x, depth, out_c = draw(affines(wide)), draw(st.integers(1, 70)), draw(st.integers(1, 12))
    weights, w_scales, bias, out, seed = draw(
        _weighted((out_c, depth), 0, x, draw(st.booleans()), draw(bias_types(wide)))
    )
    activation = draw(activations)
    f = Factory(wide)
    source = f.input((1, depth), x)
    sink = f.fully_connected(source, weights, w_scales, bias, out, activation)
    text = (
        f"x={x} {depth}->{out_c} out={out} {activation} scales={len(w_scales)} "
        f"bias={bias is not None}"
    )
    text += f" seed={seed}"
    return draw(made("FULLY_CONNECTED", text, f, source, sink))


@st.composite
def add(draw, wide: bool) -> Case:
    """``x + quantize(x)``: the second operand is the input on another scale."""
    a, shape = draw(affines(wide)), (1, *(draw(st.integers(1, n)) for n in (5, 5, 7)))
    b = draw(_near(a.scale, wide))
    out = draw(_near(max(a.scale, b.scale), wide))
    activation = draw(activations)
    f = Factory(wide)
    source = f.input(shape, a)
    sink = f.add(source, f.quantize(source, b), out, activation)
    return draw(made("ADD", f"{shape} a={a} b={b} out={out} {activation}", f, source, sink))


@st.composite
def pool_2d(draw, operator: str, wide: bool) -> Case:
    x, h, w, c = draw(affines(wide)), *(draw(st.integers(1, n)) for n in (9, 9, 9))
    window, activation = draw(windows(h, w)), draw(activations)
    f = Factory(wide)
    source = f.input((1, h, w, c), x)
    make = f.average_pool_2d if operator == "AVERAGE_POOL_2D" else f.max_pool_2d
    sink = make(source, window, activation)
    return draw(made(operator, f"x={x} {h}x{w}x{c} {window} {activation}", f, source, sink))


@st.composite
def mean(draw, wide: bool) -> Case:
    x, h, w, c = draw(affines(wide)), *(draw(st.integers(1, n)) for n in (9, 9, 9))
    out = draw(st.one_of(st.just(x), _near(x.scale, wide)))
    keep = draw(st.booleans())
    f = Factory(wide)
    source = f.input((1, h, w, c), x)
    sink = f.mean(source, out, keep)
    return draw(made("MEAN", f"{h}x{w}x{c} x={x} out={out} keep_dims={keep}", f, source, sink))


@st.composite
def pad(draw, wide: bool) -> Case:
    x, shape = draw(affines(wide)), (1, *(draw(st.integers(1, n)) for n in (5, 5, 6)))
    widths = [(0, 0), *((draw(st.integers(0, 3)), draw(st.integers(0, 3))) for _ in range(3))]
    f = Factory(wide)
    source = f.input(shape, x)
    sink = f.pad(source, widths)
    return draw(made("PAD", f"{shape} x={x} {widths}", f, source, sink))


@st.composite
def reshape(draw, wide: bool) -> Case:
    x, a, b, c = draw(affines(wide)), *(draw(st.integers(1, 6)) for _ in range(3))
    shape = draw(st.sampled_from([(1, a * b * c), (1, c, b, a), (1, a * b, c)]))
    f = Factory(wide)
    source = f.input((1, a, b, c), x)
    sink = f.reshape(source, shape)
    return draw(made("RESHAPE", f"x={x} {(1, a, b, c)} -> {shape}", f, source, sink))


@st.composite
def softmax(draw, wide: bool) -> Case:
    x, width = draw(affines(wide)), draw(st.integers(1, 40))
    beta = draw(st.sampled_from([1.0, 0.5]))
    f = Factory(wide)
    source = f.input((1, width), x)
    sink = f.softmax(source, beta)
    return draw(made("SOFTMAX", f"x={x} width={width} beta={beta}", f, source, sink))


@st.composite
def quantize(draw, wide: bool) -> Case:
    x, shape = draw(affines(wide)), (1, *(draw(st.integers(1, n)) for n in (4, 4, 9)))
    out = draw(_near(x.scale, wide))
    f = Factory(wide)
    source = f.input(shape, x)
    sink = f.quantize(source, out)
    return draw(made("QUANTIZE", f"{shape} x={x} out={out}", f, source, sink))


def _every(wide: bool) -> dict[str, st.SearchStrategy[Case]]:
    return {
        "CONV_2D": conv_2d(wide),
        "DEPTHWISE_CONV_2D": depthwise_conv_2d(wide),
        "FULLY_CONNECTED": fully_connected(wide),
        "ADD": add(wide),
        "AVERAGE_POOL_2D": pool_2d("AVERAGE_POOL_2D", wide),
        "MAX_POOL_2D": pool_2d("MAX_POOL_2D", wide),
        "MEAN": mean(wide),
        "PAD": pad(wide),
        "RESHAPE": reshape(wide),
        "SOFTMAX": softmax(wide),
        "QUANTIZE": quantize(wide),
    }


OPERATORS = _every(wide=False) | {
    f"{name} int16": cases for name, cases in _every(wide=True).items()
}
