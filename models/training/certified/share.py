"""What share of a data set a network's own intervals certify."""

from __future__ import annotations

from typing import Any

from tinyrobust.core.types import Dataset, TensorSpec
from tinyrobust.models.keras.tf import tf
from tinyrobust.models.training.certified.margins import Margins
from tinyrobust.models.training.certified.step import box

_BATCH = 500


def certified_count(model: Any, data: Dataset, spec: TensorSpec, levels: float) -> int:
    """Samples of ``data`` for which no input within ``levels`` lattice levels gets another label
    than their own, as far as intervals through ``model`` can tell.
    """
    margins = Margins(model)

    def count(images: Any, labels: Any) -> Any:
        low, high = box(images, levels, spec)
        return tf.reduce_sum(tf.cast(margins(low, high, images, labels).certified, tf.int32))

    compiled = tf.function(count)
    total = 0
    for start in range(0, len(data.q), _BATCH):
        rows = slice(start, start + _BATCH)
        images = tf.constant(spec.dequantize(data.q[rows]))
        total += int(compiled(images, tf.constant(data.labels[rows])))
    return total
