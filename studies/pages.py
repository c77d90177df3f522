"""How a study ends: its page written, or one line that says why not."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from tinyrobust.core.errors import BenchError


def write_page(path: Path, made: Callable[[], str]) -> int:
    """Writes what ``made`` returns to ``path``; the exit code, with the reason on stderr where it
    is not 0.
    """
    try:
        text = made()
        path.write_text(text, encoding="utf-8")
    except BenchError as err:
        print(f"error: {err}", file=sys.stderr)
        return err.exit_code
    except OSError as err:
        print(f"error: {path}: {err.strerror}", file=sys.stderr)
        return BenchError.exit_code
    print(f"{path} written")
    return 0
