"""Rows that are grossly wrong: a cell or a target far from all others, with a gap between."""

from __future__ import annotations

import numpy as np

from polytask.data.task_medians import task_medians

__all__ = ["gross_cells", "gross_targets"]

_NORMAL = 1.4826022185056018  # standard deviation of a normal variable, in median deviations
_FAR = 8.0  # scales: fewer are no gross error
_GAP = 2.5  # times as far as the farthest that is not gross
_FAR_TARGET = 5.0  # scales, of a target whose gap is in what slopes leave
_ROWS_A_SLOPE = 4  # from which on slopes are asked what they leave
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


def gross_targets(y: np.ndarray, code: np.ndarray, X: np.ndarray | None = None) -> np.ndarray:
    """Rows (n,) with a target far from all others of their tasks 0, ..., m - 1.

    In scales of the task or of all tasks, whichever is larger: a few rows of a task may be near to
    one another by chance, and tasks may be in units of their own. With features X (n, d) the gap
    may also be in what slopes that all tasks share leave of the targets.

    Examples
    --------
    >>> import numpy as np
    >>> y, task = np.append(np.linspace(-2, 2, 99), 700.0), np.repeat([0, 1], 50)
    >>> np.flatnonzero(gross_targets(y, task)).tolist()
    [99]
    """
    away = _scales_away(y, code)
    found = _beyond_gap(away)
    far = away > _FAR_TARGET
    if X is not None and (far & ~found).any():
        found |= far & _beyond_gap(_scales_away(_left_by_slopes(y, code, X), code))
    return found if found.sum() <= max(1.0, _MOST * len(y)) else np.zeros_like(found)


def _scales_away(y: np.ndarray, code: np.ndarray) -> np.ndarray:
    """Distance of each row from the median of its task; zero where a scale is."""
    away = np.abs(y - task_medians(y, code)[code])
    scale = np.maximum(task_medians(away, code)[code], np.median(away))
    found: np.ndarray = away / (_NORMAL * scale) if (scale > 0).all() else np.zeros(len(y))
    return found


def _left_by_slopes(y: np.ndarray, code: np.ndarray, X: np.ndarray) -> np.ndarray:
    """Targets less what slopes in common say, of rows about the means of their tasks."""
    n, m = len(y), int(code.max(initial=-1)) + 1
    sound = np.isfinite(X).all(axis=1) & ~gross_cells(X)
    if n - m < _ROWS_A_SLOPE * X.shape[1] or not X.shape[1]:
        return y
    size = np.maximum(np.bincount(code, sound, m), 1.0)
    columns = np.where(sound[:, None], np.column_stack([X, y]), 0.0)
    inside = columns - np.column_stack([np.bincount(code, c, m) / size for c in columns.T])[code]
    inside[~sound] = 0.0
    slopes = np.linalg.lstsq(inside[:, :-1], inside[:, -1], rcond=None)[0]
    return np.where(sound, y - columns[:, :-1] @ slopes, y)


def _beyond_gap(away: np.ndarray) -> np.ndarray:
    """Those beyond the first gap among the far ones."""
    there = np.sort(away[np.isfinite(away)])
    far = np.flatnonzero(there > _FAR)
    far = far[far > 0]
    gaps = far[there[far] > _GAP * there[far - 1]]
    return away >= there[gaps[0]] if len(gaps) else np.zeros(len(away), dtype=bool)
