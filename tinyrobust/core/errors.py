"""What can go wrong, as types: each is told to the user in one line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class BenchError(Exception):
    """An error the user can act on: one line that says what, where and what to do."""

    exit_code = 2


class UsageError(BenchError):
    """Bad configuration, model, data or a missing tool. Exit code 2."""

    exit_code = 2


class LinkError(BenchError):
    """The board, the emulator or the wire failed. Exit code 3."""

    exit_code = 3


class GateFailed(BenchError):  # noqa: N818  (a verdict, not a fault)
    """A stated floor was not reached. Exit code 1."""

    exit_code = 1


def nearest(name: str, known: Iterable[str]) -> str:
    """The one of ``known`` that may have been meant by ``name``, and all there are."""
    names = sorted(known)
    meant = difflib.get_close_matches(name, names, 1)
    listed = f"choose from {', '.join(names)}"
    return f"did you mean {meant[0]!r}? Otherwise {listed}" if meant else listed
