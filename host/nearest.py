"""What to say of a name that does not exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str:
    """The one of ``known`` that may have been meant by ``name``, and all there are."""
    names = sorted(known)
    meant = difflib.get_close_matches(name, names, 1)
    listed = f"choose from {', '.join(names)}"
    return f"did you mean {meant[0]!r}? Otherwise {listed}" if meant else listed
