"""What an image with its network in flash is linked with, for ``run`` and ``flash``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tinyrobust.host.boards.tflm_library import refuse
from tinyrobust.host.config.parts import TFLM

if TYPE_CHECKING:
    from tinyrobust.models.plan.bundle import Bundle


def linked_sources(bundle: Bundle, engine: str) -> tuple[Path, ...]:
    """The generated sources of ``bundle`` for ``engine``.

    Raises UsageError where the engine would run it wrongly.
    """
    from tinyrobust.models.plan.c_sources import emit_linked
    from tinyrobust.models.tflite.tflm_limits import per_channel_dense, without_bias

    if engine == TFLM:
        refuse(per_channel_dense(bundle.tflite), without_bias(bundle.tflite))
    return emit_linked(bundle, bundle.folder, engine)
