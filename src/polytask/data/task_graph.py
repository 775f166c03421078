"""A graph over tasks, as people have it, as a Laplacian."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from polytask.data.frames import is_frame

__all__ = ["laplacian_of"]


def laplacian_of(graph: Any, tasks: np.ndarray, who: str) -> tuple[np.ndarray, np.ndarray]:
    """Laplacian L (k, k) of a graph, and the ids of its tasks: ``tasks`` first, then others.

    Parameters
    ----------
    graph : "clique", mapping, table or array
        "clique" is an edge of weight 1/m between any two tasks. A mapping has pairs of ids and
        weights. A table has either three columns (id, id, weight), or ids as its index and as its
        columns. An array (m, m) is in the order of ``tasks``: weights, zero or positive, or, where
        it has negative entries, the Laplacian itself.
    tasks : ndarray of shape (m,)
    who : str
        Class name for messages.

    Raises
    ------
    ValueError
        If a task is in no edge, or weights or ids are not what they must be.
    """
    if isinstance(graph, str):
        m = len(tasks)
        return np.eye(m) - np.full((m, m), 1.0 / m), tasks
    if isinstance(graph, Mapping):
        return _of_edges([(*_pair(ends, who), w) for ends, w in graph.items()], tasks, who)
    if is_frame(graph):
        return _of_table(graph, tasks, who)
    A = np.asarray(graph, dtype=float)
    if A.shape != (len(tasks), len(tasks)):
        raise ValueError(
            f"{who}: graph must be an array of shape ({len(tasks)}, {len(tasks)}), a row and a "
            f"column per task in the order of tasks_; got shape {A.shape}. Pass a mapping "
            "{(task, task): weight}, which needs no order."
        )
    return _of_array(A, who), tasks


def _pair(ends: Any, who: str) -> tuple[Any, Any]:
    if not isinstance(ends, tuple) or len(ends) != 2:
        raise ValueError(f"{who}: graph must have pairs of task ids as keys; got {ends!r}.")
    return ends


def _of_edges(
    edges: Iterable[tuple[Any, Any, Any]], tasks: np.ndarray, who: str
) -> tuple[np.ndarray, np.ndarray]:
    edges = list(edges)
    place = {task: i for i, task in enumerate(tasks.tolist())}
    for a, b, _ in edges:
        place.setdefault(a, len(place))
        place.setdefault(b, len(place))
    lonely = set(tasks.tolist()) - {end for a, b, _ in edges for end in (a, b)}
    if lonely:
        raise ValueError(
            f"{who}: graph must name every task; no edge has {sorted(lonely, key=str)[:5]}. Give "
            "them an edge, or one to themselves of weight 1 if nothing is near them."
        )
    A = np.zeros((len(place), len(place)))
    for a, b, weight in edges:
        if a != b:
            A[place[a], place[b]] += float(weight)
            A[place[b], place[a]] += float(weight)
    return _of_array(A, who), _ids(place, tasks, who)


def _of_table(table: Any, tasks: np.ndarray, who: str) -> tuple[np.ndarray, np.ndarray]:
    frame = nw.from_native(table, eager_only=True)
    columns = list(table.columns) if isinstance(table, pd.DataFrame) else list(frame.columns)
    if list(getattr(table, "index", [])) != columns and len(columns) == 3:
        return _of_edges(zip(*(frame[name].to_list() for name in columns), strict=True), tasks, who)
    if list(getattr(table, "index", [])) != columns or not set(tasks.tolist()) <= set(columns):
        raise ValueError(
            f"{who}: graph must be a table of three columns (task, task, weight), or one whose "
            f"index and columns are the same task ids, all of them; got columns {columns[:5]}."
        )
    known = set(tasks.tolist())
    order = [*tasks.tolist(), *(task for task in columns if task not in known)]
    place = {task: i for i, task in enumerate(order)}
    L = _of_array(table.loc[order, order].to_numpy(dtype=float), who)
    return L, _ids(place, tasks, who)


def _ids(place: dict[Any, int], tasks: np.ndarray, who: str) -> np.ndarray:
    others = np.array(list(place)[len(tasks) :])
    if not len(others):
        return tasks
    if (others.dtype.kind == "U") != (tasks.dtype.kind == "U"):
        raise ValueError(
            f"{who}: graph must name tasks as the task column does; got {others.tolist()[:5]} "
            f"beside {tasks.tolist()[:5]}. Convert one of them."
        )
    return np.concatenate([tasks, others])


def _of_array(A: np.ndarray, who: str) -> np.ndarray:
    """The Laplacian of weights, or A itself where it is one."""
    if not np.isfinite(A).all() or not np.allclose(A, A.T, rtol=1e-9, atol=0.0):
        raise ValueError(
            f"{who}: graph must be symmetric and finite; got one that is not. For a directed "
            "graph pass (A + A.T) / 2."
        )
    off = A - np.diag(np.diag(A))
    if (off >= 0).all():
        return np.diag(off.sum(axis=1)) - off
    size = max(float(np.abs(A).max()), 1e-300)
    if (off > 0).any() or np.abs(A.sum(axis=1)).max() > 1e-9 * size:
        raise ValueError(
            f"{who}: graph must hold weights, zero or positive, or be a Laplacian (no positive "
            "entry off the diagonal, rows that sum to zero); got negative weights. Tasks that "
            "repel each other are no convex penalty: leave those edges out."
        )
    return A
