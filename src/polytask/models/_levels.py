"""Deviations of levels, row by row, and the names that stand for features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse

__all__ = ["along", "level_texts", "positions", "with_zero"]


def positions(name: Any, names: Sequence[Any], caller: str) -> list[int]:
    """Where a feature stands, or the columns that were made of it."""
    found = [
        k
        for k, there in enumerate(names)
        if there == name
        or (isinstance(there, str) and isinstance(name, str)
            and (there.startswith(f"{name}=") or there == f"missingindicator_{name}"))
    ]  # fmt: skip
    if not found:
        raise ValueError(
            f"{caller}: varying must name features; got {name!r}. There are {list(names)[:10]}."
        )
    return found


def level_texts(ids: Sequence[np.ndarray]) -> np.ndarray:
    """Ids of a column, or of several columns together as text."""
    return ids[0] if len(ids) == 1 else np.array(["/".join(map(str, t)) for t in zip(*ids)])  # noqa: B905


def with_zero(deviations: np.ndarray) -> np.ndarray:
    """With a last row of zeros, which code -1 points at."""
    return np.vstack([deviations, np.zeros(deviations.shape[1])])


def along(X: Any, deviations: np.ndarray, code: np.ndarray) -> np.ndarray:
    """x'Δw + Δb of each row's level."""
    out = deviations[code, -1]
    used = np.flatnonzero(deviations[:, :-1].any(axis=0))
    if len(used):
        own = deviations[code][:, used]
        part = X[:, used]
        product = part.multiply(own).sum(axis=1) if sparse.issparse(X) else (part * own).sum(axis=1)
        out = out + np.asarray(product).ravel()
    return np.asarray(out)
