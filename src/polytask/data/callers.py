"""Whose line a warning should name."""

from __future__ import annotations

import inspect

__all__ = ["callers_level"]

_OURS = ("polytask.", "sklearn.callback")  # the latter wraps the fits that report their progress


def callers_level() -> int:
    """``stacklevel`` of the first frame outside this package, for a warning of the caller."""
    frame, level = inspect.currentframe(), 0
    while frame is not None and frame.f_globals.get("__name__", "").startswith(_OURS):
        frame, level = frame.f_back, level + 1
    return level
