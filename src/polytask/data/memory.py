"""Memory that nobody holds, handed back to the system."""

from __future__ import annotations

import ctypes
import sys

import pyarrow as pa

__all__ = ["MANY_CELLS", "give_back"]

MANY_CELLS = 4_000_000  # of a table, from which memory is worth a detour: 32 MB as floats


def give_back() -> None:
    """Hand it back: the texts of a table leave holes between them that no column fits into."""
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:  # the GNU library's
        trim(0)
