"""The one door to TensorFlow: ``from tinyrobust.models.keras.tf import tf, keras``.

Settings must be made before its first import.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tinyrobust.models.keras import onednn

os.environ["TF_USE_LEGACY_KERAS"] = (
    "1"  # QKeras 0.9 needs Keras 2; without it, it silently builds on Keras 3
)
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # off on some CPUs by default, twice as fast on
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")  # results must not depend on a GPU being there


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Keeps TensorFlow's C++ libraries quiet, which talk on stderr whatever the log level.

    Python errors still propagate.
    """
    saved, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)


with quiet_stderr():
    import tensorflow as tf

    tf.config.list_physical_devices()  # looks for a GPU now, while its complaints are unheard
    keras: Any = tf.keras
    _module = keras.Model.__module__

tf.get_logger().setLevel("ERROR")
if not _module.startswith("tf_keras"):
    raise ImportError(
        "tf.keras is not tf_keras: TensorFlow was imported before tinyrobust.models.keras.tf"
    )
onednn.mend()

__all__ = ["keras", "quiet_stderr", "tf"]
