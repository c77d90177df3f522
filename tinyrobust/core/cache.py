"""Where downloads, bundles, sets and journals are kept between runs."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """``TINYROBUST_CACHE``, or the user's cache folder."""
    import platformdirs

    return Path(os.environ.get("TINYROBUST_CACHE") or platformdirs.user_cache_dir("tinyrobust"))
