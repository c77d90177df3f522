"""What an image is linked with that carries its network in flash, as ``run`` and ``flash`` build it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from host.parts import TFLM
from host.tflm_library import refuse

if TYPE_CHECKING:
    from models.bundle import Bundle


def linked_sources(bundle: Bundle, engine: str) -> tuple[Path, ...]:
    """The generated sources of ``bundle`` for ``engine``. Raises UsageError where the engine would run it wrongly."""
    from models.emit import emit_linked
    from models.tflm_limits import per_channel_dense, without_bias

    if engine == TFLM:
        refuse(per_channel_dense(bundle.tflite), without_bias(bundle.tflite))
    return emit_linked(bundle, bundle.folder, engine)
