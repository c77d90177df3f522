"""Which operators a plan can hold."""

from __future__ import annotations

from enum import IntEnum


class Kind(IntEnum):
    """Operator kinds by tensor type; weights are int8.

    S8 has int8 activations, S16 int16 ones (zero point 0).
    """

    CONV_2D_S8 = 1
    """Also a FULLY_CONNECTED with per-channel weights, as a 1x1 convolution over one pixel."""
    DEPTHWISE_CONV_2D_S8 = 2
    FULLY_CONNECTED_S8 = 3
    ADD_S8 = 4
    AVERAGE_POOL_2D_S8 = 5
    MAX_POOL_2D_S8 = 6
    MEAN_S8 = 7
    PAD_S8 = 8
    RESHAPE = 9
    SOFTMAX_S8 = 10
    QUANTIZE_S8 = 11
    CONV_2D_S16 = 17
    """Accumulates in int64 and rounds once, by a multiplier of 15 bits, as do the two that
    follow.
    """
    DEPTHWISE_CONV_2D_S16 = 18
    FULLY_CONNECTED_S16 = 19
    ADD_S16 = 20
    AVERAGE_POOL_2D_S16 = 21
    MAX_POOL_2D_S16 = 22
    MEAN_S16 = 23
    PAD_S16 = 24
    SOFTMAX_S16 = 26
    QUANTIZE_S16 = 27
    CONV_2D_S16_B32 = 28
    """Its bias is int32: TFLite Micro then accumulates in int32 and rounds twice, as for int8. Also
    FULLY_CONNECTED.
    """


S16 = frozenset(kind for kind in Kind if kind >= Kind.CONV_2D_S16)
WIDE_SUMS = frozenset({Kind.CONV_2D_S16, Kind.DEPTHWISE_CONV_2D_S16, Kind.FULLY_CONNECTED_S16})
"""Kinds with an int64 accumulator and bias."""
