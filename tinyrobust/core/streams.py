"""Streams whose encoding lacks a character: ASCII and Latin-1 terminals, logs of a machine without
a locale.
"""

from __future__ import annotations

import codecs
import io
from typing import TextIO


def lossy(*streams: TextIO) -> None:
    """Characters that a stream cannot encode are ``?`` from here on, never an error."""
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper) and codecs.lookup(stream.encoding).name != "utf-8":
            stream.reconfigure(errors="replace")
