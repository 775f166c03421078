"""Sums and forms over the rows of all tasks: with numba in one pass, else batch by batch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from polytask.compiled import loops
from polytask.data.design import Design

__all__ = ["added", "quadratic_forms", "residual_sums"]

_MANY, _FEW = 20_000, 8  # rows from which on, columns up to which loops are worth loading


def added(values: np.ndarray, start: np.ndarray) -> NDArray[np.float64]:
    """Sums over the observations of each task, shape (m,)."""
    out = np.zeros(len(start) - 1)
    there = start[:-1] < start[1:]
    if there.any():
        out[there] = np.add.reduceat(values, start[:-1][there])
    return out


def residual_sums(
    design: Design, y: np.ndarray, weight: np.ndarray, theta: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Of e = y - w_i'x, theta (m, p): sum weight e x (m, p) and sum weight e² (m,) of each task."""
    if _is_plain(design) and (compiled := loops("rows")) is not None:
        found: tuple[np.ndarray, np.ndarray]
        found = compiled.residual_sums(design.X, design.start, y, weight, theta)
        return found
    e = y - design.predict(theta)
    weighed = weight * e
    cross = design.adjoint(weighed)
    weighed *= e
    return cross, added(weighed, design.start)


def quadratic_forms(design: Design, V: np.ndarray) -> NDArray[np.float64]:
    """x'V_i x of every observation, V of shape (m, p, p), symmetric."""
    if _is_plain(design) and (compiled := loops("rows")) is not None:
        return np.asarray(compiled.quadratic_forms(design.X, design.start, V))
    out = np.zeros(design.start[-1])
    if design.sparse:
        for i in range(design.n_tasks):
            rows = design.block(i)
            forms = rows.multiply(rows @ V[i]).sum(axis=1)
            out[design.start[i] : design.start[i + 1]] = np.asarray(forms).ravel()
        return out
    for batch in design.batches:
        rows = design.rows(batch)
        batch.collect(((rows @ V[batch.tasks]) * rows).sum(axis=2), out)
    return out


def _is_plain(design: Design) -> bool:
    """Whether observations are the rows of an array, many rows of few numbers."""
    X = design.X
    return (
        isinstance(X, np.ndarray)
        and X.dtype == np.float64
        and X.shape[1] <= _FEW
        and len(X) >= _MANY
        and design.index is None
        and design.shift is None
        and X.flags.c_contiguous
    )
