"""Convolutions that TensorFlow 2.21 computes wrongly with oneDNN, computed another way.

docs/tensorflow.md lists them.

Every convolution that Python builds, those of Keras's and QKeras's layers among them, goes through
one of two functions of TensorFlow. These are wrapped, not the layers: no layer, however nested, can
be missed, and the gradients follow. Convolutions that oneDNN computes rightly pass as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

Tensor = Any
_TO_NHWC, _TO_NCHW = (0, 2, 3, 1), (0, 3, 1, 2)


@dataclass(frozen=True)
class Geometry:
    """What decides whether oneDNN is right. Sizes that are not known are None, and may be any.

    ``shape`` [n, height, width, channels], ``kernel`` [height, width, channels, outputs]; strides
    and dilations four to each, in the order of ``shape``; ``padding`` SAME, VALID or EXPLICIT, the
    last with ``sides``: how many columns come before and after the input.
    """

    shape: tuple[int | None, ...]
    kernel: tuple[int | None, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    padding: str
    sides: tuple[int, ...]


def reads_beside_its_input(g: Geometry) -> bool:
    """CONV_2D of one input channel, stride (1, more than 1), to an output one column wide.

    With batches of two or more, oneDNN 3.7.3's ``brg_conv_fwd:avx512_core`` takes memory there for
    the image that is not the image's.
    """
    stride = g.strides[2]
    if g.strides[1] != 1 or stride == 1 or g.shape[3] not in (1, None):
        return False
    width, taps = g.shape[2], g.kernel[1]
    if width is None or taps is None:
        return True
    if g.padding == "SAME":
        return width <= stride
    return (width + sum(g.sides) - (taps - 1) * g.dilations[2] - 1) // stride == 0


def is_taken_for_another(g: Geometry) -> bool:
    """DEPTHWISE_CONV_2D of one channel.

    TensorFlow finds oneDNN's primitives again by their dimensions in one row, which can be those of
    an ordinary convolution with a bias: what it last held is then added.
    """
    return g.kernel[2] in (1, None)


def mend() -> None:
    """Puts the wrappers in place. ``tinyrobust.models.keras.tf`` calls it, once."""
    from tensorflow.python.ops import gen_nn_ops as ops

    ops.conv2d = _mended(ops.conv2d, reads_beside_its_input)
    ops.depthwise_conv2d_native = _mended(ops.depthwise_conv2d_native, is_taken_for_another)


_keep = False


@contextmanager
def as_written() -> Iterator[None]:
    """Graphs made within hold what their layers ask for: to be translated, not to be run."""
    global _keep
    before, _keep = _keep, True
    try:
        yield
    finally:
        _keep = before


def _mended(
    operator: Callable[..., Tensor], is_wrong: Callable[[Geometry], bool]
) -> Callable[..., Tensor]:
    """``operator``, where it ``is_wrong`` in float64, which TensorFlow never hands to oneDNN."""
    import tensorflow as tf

    def mended(
        input: Tensor,  # TensorFlow's own names: it passes them as keywords
        filter: Tensor,
        strides: Sequence[int],
        padding: str | bytes,
        explicit_paddings: Sequence[int] = (),
        data_format: str | bytes | None = "NHWC",
        dilations: Sequence[int] = (1, 1, 1, 1),
        name: str | None = None,
        **rest: Any,
    ) -> Tensor:
        x = tf.convert_to_tensor(input)
        w = tf.convert_to_tensor(filter, x.dtype)
        order = _TO_NHWC if tf.compat.as_str(data_format or "") == "NCHW" else range(4)
        paddings = _by_axis(explicit_paddings, order)
        asked = Geometry(
            tuple(_sizes(x)[i] for i in order),
            _sizes(w),
            tuple(strides[i] for i in order),
            tuple(dilations[i] for i in order),
            tf.compat.as_str(padding),
            tuple(paddings[4:6]),
        )
        if _keep or x.dtype == tf.float64 or not is_wrong(asked):
            given = dict(data_format=data_format, dilations=dilations, name=name, **rest)
            return operator(x, w, strides, padding, explicit_paddings=explicit_paddings, **given)
        wide = tf.cast(x if order == range(4) else tf.transpose(x, order), tf.float64)
        y = operator(
            wide,
            tf.cast(w, tf.float64),
            asked.strides,
            padding,
            explicit_paddings=paddings,
            dilations=asked.dilations,
            **rest,
        )
        return tf.cast(y if order == range(4) else tf.transpose(y, _TO_NCHW), x.dtype, name)

    return mended


def _sizes(x: Tensor) -> tuple[int | None, ...]:
    return tuple(x.shape) if x.shape.rank == 4 else (None,) * 4


def _by_axis(paddings: Sequence[int], order: Sequence[int]) -> list[int]:
    """``paddings``, before and after each axis in turn, with the axes in ``order``; or none."""
    return [paddings[2 * i + side] for i in order for side in (0, 1)] if paddings else []
