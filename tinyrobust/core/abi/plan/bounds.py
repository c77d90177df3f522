"""What no plan may exceed: bounds of the kernels, and of what the firmware checks."""

from __future__ import annotations

MAX_OPS = 512
MAX_DIM = 1 << 16
"""Bound of every dimension, stride, pad and dilation; products are checked in 64 bit."""
MAX_EXTENT = 32767
"""Bound of whatever a window slides over, of its reach, and of its channels: CMSIS-NN keeps
positions in int16.
"""
MAX_COLUMN = 65535
"""Bound of k_h * k_w * in_c: CMSIS-NN keeps the length of an im2col column in uint16."""
MAX_SOFTMAX_ROW = 511
"""SOFTMAX_S8: from 512 equal values on the sum of exponentials, Q12.19, has 29 bits, and the
kernels shift an int32 by 32: CMSIS-NN's result depends on the core, tflite-micro ends its
process.
"""
MAX_MEAN_COUNT = 1 << 23
"""MEAN_S8: 255 times as much still fits into int32."""
MAX_COUNT_S16 = 65535
"""MEAN_S16, AVERAGE_POOL_2D_S16: 32768 times as much still fits into int32."""
MAX_SHIFT_S16 = 7
"""Largest left shift of the rounding from int64 that TFLite defines."""
MAX_TABLE_SHIFT = 15
"""SOFTMAX_S16: a difference of 65535 shifted left by so much still fits into int32."""
TABLE_ENTRIES = 513
"""Of a SOFTMAX_S16 table: 512 intervals."""
CONSTANT_ALIGN = 16
ARENA_ALIGN = 16
