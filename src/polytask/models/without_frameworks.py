"""Imports that ask for all of scikit-learn: without what it is not needed for."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType

__all__ = ["to_write", "without_frameworks"]

_BRIDGES = tuple(f"sklearn.externals.array_api_compat.{name}" for name in ("cupy", "dask", "torch"))


@contextmanager
def without_frameworks() -> Iterator[None]:
    """Import inside what lists scikit-learn's estimators, as `skops.io` does.

    The list is made by importing every package below scikit-learn, among them bridges to torch,
    dask and cupy that load these where they are installed, in seconds, and hold no estimator.
    """
    spared = {name: None for name in _BRIDGES if name not in sys.modules}
    sys.modules.update(spared)  # type: ignore[arg-type]  # None: not to be imported
    try:
        yield
    finally:
        for name in spared:
            sys.modules.pop(name, None)


def to_write(name: str) -> ModuleType:
    """A module of `skops` to write with, without the lists of types that who reads may trust.

    They are made by importing all of scikit-learn and looking for numpy's and scipy's functions in
    every module that is loaded: up to half a second. skops is forgotten again, so that who imports
    it to read has the lists.
    """
    lists, before = "skops.io._trusted_types", dict(sys.modules)
    if lists in before:
        return import_module(name)
    try:
        sys.modules[lists] = _NoNames(lists)
        return import_module(name)
    except ImportError:  # of a skops that asks its lists for more than names
        _back_to(before)
        with without_frameworks():
            return import_module(name)
    finally:
        _back_to(before)


class _NoNames(ModuleType):
    """A module of empty lists of names."""

    def __getattr__(self, name: str) -> list[str]:
        if name.endswith("_NAMES"):
            return []
        raise AttributeError(name)


def _back_to(before: dict[str, ModuleType]) -> None:
    for name in [n for n in sys.modules if n.partition(".")[0] == "skops" and n not in before]:
        del sys.modules[name]
