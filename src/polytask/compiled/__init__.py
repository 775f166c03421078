"""Loops over tasks as machine code, where numba is installed: the extra ``polytask[fast]``.

A file here is a kernel or a few that belong together, written as loops; nothing else imports numba.
Whoever has one asks `loops` for it and goes on with numpy where it is absent, to the same digits.
numba keeps what it compiled beside the file (or in the user's cache), so the first call on a
machine takes seconds, and later processes read it.
"""

from __future__ import annotations

import os
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

__all__ = ["loops"]

_OFF = "POLYTASK_NUMPY_ONLY"  # any value: numba is left alone


@cache
def loops(name: str) -> Any:
    """The module of compiled loops of that name; None where numba is absent or switched off."""
    if os.environ.get(_OFF) or find_spec("numba") is None:
        return None
    return import_module(f"polytask.compiled.{name}")
