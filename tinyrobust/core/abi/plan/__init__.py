"""The plan: a flat, checksummed binary of operator records with every parameter resolved.

A plan is ``PlanHeader``, then ``n_ops`` records back to back, then constants: its layout is here,
what makes one is ``tinyrobust.models.plan``. Batch size is always 1. ``kinds`` names the operators,
``records`` lays them out, ``bounds`` limits them; ``firmware/include/plan.gen.h`` is generated from
these modules.
"""

from __future__ import annotations

from tinyrobust.core.abi.plan.bounds import (
    ARENA_ALIGN,
    CONSTANT_ALIGN,
    MAX_COLUMN,
    MAX_COUNT_S16,
    MAX_DIM,
    MAX_EXTENT,
    MAX_MEAN_COUNT,
    MAX_OPS,
    MAX_SHIFT_S16,
    MAX_SOFTMAX_ROW,
    MAX_TABLE_SHIFT,
    TABLE_ENTRIES,
)
from tinyrobust.core.abi.plan.kinds import S16, WIDE_SUMS, Kind
from tinyrobust.core.abi.plan.layouts import LAYOUT, MAGIC, RECORDS, Record
from tinyrobust.core.abi.plan.records import (
    Add,
    Conv,
    DepthwiseConv,
    FullyConnected,
    Head,
    Mean,
    Pad,
    PlanHeader,
    Pool,
    Quantize,
    Reshape,
    Softmax,
    SoftmaxTable,
)

__all__ = [
    "ARENA_ALIGN",
    "CONSTANT_ALIGN",
    "LAYOUT",
    "MAGIC",
    "MAX_COLUMN",
    "MAX_COUNT_S16",
    "MAX_DIM",
    "MAX_EXTENT",
    "MAX_MEAN_COUNT",
    "MAX_OPS",
    "MAX_SHIFT_S16",
    "MAX_SOFTMAX_ROW",
    "MAX_TABLE_SHIFT",
    "RECORDS",
    "S16",
    "TABLE_ENTRIES",
    "WIDE_SUMS",
    "Add",
    "Conv",
    "DepthwiseConv",
    "FullyConnected",
    "Head",
    "Kind",
    "Mean",
    "Pad",
    "PlanHeader",
    "Pool",
    "Quantize",
    "Record",
    "Reshape",
    "Softmax",
    "SoftmaxTable",
]
