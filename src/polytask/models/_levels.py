"""Deviations of levels, row by row, and the names that stand for features."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
from scipy import sparse

from polytask.data.task_spec import column_names, spelled_out

__all__ = ["along", "chosen_positions", "feature_names", "level_texts", "positions", "with_zero"]


def feature_names(estimator: Any, d: int) -> list[Any]:
    """Names of the features that an estimator has seen, or their positions."""
    if not hasattr(estimator, "feature_names_in_"):
        return list(range(d))
    names = list(estimator.feature_names_in_)
    gone = set(column_names(spelled_out(estimator.task, names)))
    gone |= {names[int(k)] for k in gone if isinstance(k, Integral) and k not in names}
    return [name for name in names if name not in gone]


def chosen_positions(estimator: Any, varying: Sequence[Any], d: int) -> np.ndarray:
    """Positions, sorted, of the features that a parameter ``varying`` names."""
    names, caller = feature_names(estimator, d), type(estimator).__name__
    return np.unique(np.array([k for n in varying for k in positions(n, names, caller)], dtype=int))


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
