"""What is computed from data once, and kept for as long as the data live: a path asks again."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from polytask.data.oracle import Oracle

__all__ = ["kept"]

T = TypeVar("T")

_KEPT: WeakKeyDictionary[Oracle, dict[Hashable, Any]] = WeakKeyDictionary()


def kept(data: Oracle, key: tuple[Hashable, ...], make: Callable[[], T]) -> T:
    """What ``make()`` gave for these data and this key the first time.

    The key starts with the name of the thing. What is kept must not hold the data itself, or both
    would live for ever.
    """
    store = _KEPT.setdefault(data, {})
    if key not in store:
        store[key] = make()
    found: T = store[key]
    return found
