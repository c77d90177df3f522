"""What a ``.npz`` file that is damaged, or was made to do harm, ends in when numpy reads it."""

from __future__ import annotations

import lzma
import tokenize
import zipfile
import zlib

UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    KeyError,  # an array is missing
    TypeError,
    SyntaxError,
    tokenize.TokenError,  # like the three before it: a header that is no Python literal
    RuntimeError,  # an encrypted file, or a way of packing that zipfile does not know
    MemoryError,
    OverflowError,  # a header that states a size beyond this machine's
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)
"""To be caught around ``np.load(path, allow_pickle=False)`` and the reading of its arrays."""
