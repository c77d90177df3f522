"""A ``bench.toml`` to a Config. The file is untrusted: an unknown key is an error."""

from __future__ import annotations

import sys
from pathlib import Path

from tinyrobust.core.errors import UsageError
from tinyrobust.core.plain import one_line
from tinyrobust.host.config.bench import Config
from tinyrobust.host.config.settings import settings
from tinyrobust.host.config.values import table

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MAX_BYTES = 1 << 16

_READ = table({name: one.read for name, one in settings(Config).items()}, Config)


def parse(text: str, where: str) -> Config:
    """TOML text to a Config. Raises UsageError that names ``where`` and the key."""
    try:
        raw = tomllib.loads(text)
    except RecursionError:
        raise UsageError(f"{where}: nested too deeply: not a bench.toml") from None
    except ValueError as err:  # TOMLDecodeError is one; a number of thousands of digits is another
        raise UsageError(f"{where}: {one_line(err)}") from None
    try:
        config: Config = _READ(raw)
    except (UsageError, ValueError) as err:
        raise UsageError(f"{where}: {err}") from None
    return config


def load(path: Path) -> Config:
    """Reads a ``bench.toml``. Raises UsageError."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise UsageError(f"{path}: longer than {MAX_BYTES} bytes: not a bench.toml")
        text = data.decode()
    except (OSError, UnicodeDecodeError) as err:
        raise UsageError(f"{path}: {getattr(err, 'strerror', None) or 'not UTF-8 text'}") from None
    return parse(text, str(path))
