"""Sums and forms over the rows of all tasks: with numba in one pass, else batch by batch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from polytask.data.design import Design
from polytask.data.task_loops import floats, row_loops

__all__ = ["added", "quadratic_forms", "residual_sums", "summed", "total_adjoint"]

_FORMS = 16  # columns up to which compiled loops of their squares pay


def added(values: np.ndarray, start: np.ndarray) -> NDArray[np.float64]:
    """Sums over the observations of each task, shape (m,)."""
    out = np.zeros(len(start) - 1)
    there = start[:-1] < start[1:]
    if there.any():
        out[there] = np.add.reduceat(values, start[:-1][there])
    return out


def summed(A: np.ndarray) -> NDArray[np.float64]:
    """The sum over the first axis, a product: where others are short numpy's takes ten times."""
    return np.asarray((np.ones(len(A)) @ A.reshape(len(A), -1)).reshape(A.shape[1:]))


def total_adjoint(design: Design, u: np.ndarray) -> NDArray[np.float64]:
    """sum_k u_k x_k over all tasks, shape (p,)."""
    return np.asarray(u @ design.X if design.plain else summed(design.adjoint(u)))


def residual_sums(
    design: Design, y: np.ndarray, weight: np.ndarray, theta: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Of e = y - w_i'x, theta (m, p): sum weight e x (m, p) and sum weight e² (m,) of each task."""
    if (compiled := row_loops(design, 3.0)) is not None:
        found: tuple[np.ndarray, np.ndarray]
        found = compiled.residual_sums(design.X, design.start, *map(floats, (y, weight, theta)))
        return found
    e = y - design.predict(theta)
    weighed = weight * e
    cross = design.adjoint(weighed)
    weighed *= e
    return cross, added(weighed, design.start)


def quadratic_forms(design: Design, V: np.ndarray) -> NDArray[np.float64]:
    """x'V_i x of every observation, V of shape (m, p, p), symmetric."""
    if (compiled := row_loops(design, 2.0, _FORMS)) is not None:
        return np.asarray(compiled.quadratic_forms(design.X, design.start, floats(V)))
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
