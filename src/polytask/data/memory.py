"""Memory that nobody holds, handed back to the system."""

from __future__ import annotations

import ctypes
import sys

import pyarrow as pa

__all__ = ["MANY_CELLS", "give_back", "keep_arrays_apart"]

MANY_CELLS = 4_000_000  # of a table, from which memory is worth a detour: 32 MB as floats
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt
_APART, _KEPT = 1 << 23, 1 << 25  # bytes of an array that is apart, and of what is kept for others


def give_back() -> None:
    """Hand it back: the texts of a table leave holes between them that no column fits into."""
    pa.default_memory_pool().release_unused()
    if (libc := _gnu()) is not None:
        libc.malloc_trim(0)


def keep_arrays_apart() -> None:
    """Have the process hand back every array of 8 MB or more as soon as nobody holds it.

    Without, the GNU library learns from the first arrays that go to keep the next, up to 32 MB
    each, and memory grows by the work space of fits that have ended. Smaller ones are taken again
    and again in a search: handed back each time, their pages take longer than what is computed.
    """
    if (libc := _gnu()) is not None:
        libc.mallopt(_MMAP_THRESHOLD, _APART)
        libc.mallopt(_TRIM_THRESHOLD, _KEPT)


def _gnu() -> ctypes.CDLL | None:
    """The GNU library, where the process runs on it."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    return libc if hasattr(libc, "malloc_trim") else None
