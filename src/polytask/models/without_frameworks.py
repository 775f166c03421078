"""Imports that ask for all of scikit-learn, without the frameworks that it can work with."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["without_frameworks"]

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
