"""TensorFlow and Foolbox, imported by the first attack that uses them.

The registry must stay quick to load.

The source that an attack is given has already configured TensorFlow (``models/keras/tf.py``).
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


class _Lazy:
    """A module by its name, imported when one of its members is asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, member: str) -> Any:
        return getattr(import_module(self._name), member)


tf: Any = _Lazy("tensorflow")
foolbox: Any = _Lazy("foolbox")
