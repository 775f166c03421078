"""Rows that are grossly wrong: a cell or a target far from all others, with a gap between."""

from __future__ import annotations

import numpy as np

__all__ = ["gross_cells", "gross_targets"]

_NORMAL = 1.4826022185056018  # standard deviation of a normal variable, in median deviations
_FAR = 8.0  # scales: fewer are no gross error
_GAP = 2.5  # times as far as the farthest that is not gross
_MOST = 0.02  # share of the rows: more are no errors but a part of the data


def gross_cells(X: np.ndarray) -> np.ndarray:
    """Rows (n,) of X (n, d) with a cell far from all others of its column; NaN is not judged.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.append(np.linspace(-2, 2, 99), 700.0)
    >>> np.flatnonzero(gross_cells(x[:, None])).tolist()
    [99]
    """
    found = np.zeros(len(X), dtype=bool)
    if not X.size:
        return found
    away = np.abs(X - np.nanmedian(X, axis=0))
    scale = _NORMAL * np.nanmedian(away, axis=0)
    for j in np.flatnonzero((scale > 0) & (np.nanmax(away, axis=0) > _FAR * scale)):
        found |= _beyond_gap(away[:, j] / scale[j])
    return found if found.sum() <= max(1.0, _MOST * len(X)) else np.zeros_like(found)


def gross_targets(y: np.ndarray, code: np.ndarray) -> np.ndarray:
    """Rows (n,) with a target far from all others of their tasks 0, ..., m - 1.

    In scales of the task or of all tasks, whichever is larger: a few rows of a task may be near to
    one another by chance, and tasks may be in units of their own.

    Examples
    --------
    >>> import numpy as np
    >>> y, task = np.append(np.linspace(-2, 2, 99), 700.0), np.repeat([0, 1], 50)
    >>> np.flatnonzero(gross_targets(y, task)).tolist()
    [99]
    """
    away = np.abs(y - _median(y, code)[code])
    scale = np.maximum(_median(away, code)[code], np.median(away))
    if not (scale > 0).all():
        return np.zeros(len(y), dtype=bool)
    found = _beyond_gap(away / (_NORMAL * scale))
    return found if found.sum() <= max(1.0, _MOST * len(y)) else np.zeros_like(found)


def _median(values: np.ndarray, code: np.ndarray) -> np.ndarray:
    """Median of each task, (m,); of an even number the mean of the middle two."""
    order = np.lexsort((values, code))
    count = np.bincount(code)
    first = np.cumsum(count) - count
    low, high = (values[order][first + half] for half in ((count - 1) // 2, count // 2))
    found: np.ndarray = (low + high) / 2
    return found


def _beyond_gap(away: np.ndarray) -> np.ndarray:
    """Those beyond the first gap among the far ones."""
    there = np.sort(away[np.isfinite(away)])
    far = np.flatnonzero(there > _FAR)
    far = far[far > 0]
    gaps = far[there[far] > _GAP * there[far - 1]]
    return away >= there[gaps[0]] if len(gaps) else np.zeros(len(away), dtype=bool)
