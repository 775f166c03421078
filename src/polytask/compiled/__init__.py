"""Loops over tasks as machine code, where numba is installed: the extra ``polytask[fast]``.

A file here is a kernel or a few that belong together, written as loops; nothing else imports numba.
Whoever has one asks `loops` for it and goes on with numpy where it is absent, to the same digits.
numba keeps what it compiled beside the file (or in the user's cache), so the first call on a
machine takes seconds, and later processes read it.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

__all__ = ["loops"]

_OFF = "POLYTASK_NUMPY_ONLY"  # any value: numba is left alone
_LOADING = 0.4  # seconds that numba and what it kept take in a new process
_saved = 0.0  # seconds that small calls of this process would have saved


def loops(name: str, saves: float = _LOADING) -> Any:
    """The module of compiled loops of that name; None where numba is absent or switched off.

    A call for which they save less seconds than loading takes goes without, until such calls
    together would have saved as much.
    """
    global _saved
    if "numba" not in sys.modules:
        _saved += saves
        if _saved < _LOADING:
            return None
    return _module(name)


@cache
def _module(name: str) -> Any:
    if os.environ.get(_OFF) or find_spec("numba") is None:
        return None
    return import_module(f"polytask.compiled.{name}")
