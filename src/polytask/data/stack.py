"""From a dict or list of tasks to the long table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from polytask.data.frames import is_frame

__all__ = ["stack_tasks"]


def stack_tasks(
    tasks: Mapping[Any, tuple[Any, Any]] | Iterable[tuple[Any, Any]], task: str = "task"
) -> tuple[Any, np.ndarray]:
    """Stack one (X_i, y_i) per task into a long table with a task column.

    Parameters
    ----------
    tasks : dict {id: (X_i, y_i)} or list of (X_i, y_i)
        Each X_i has shape (n_i, d) and each y_i shape (n_i,). A list gets the ids 0, 1, 2, ...
    task : str
        Name of the task column when the X_i are tables.

    Returns
    -------
    X : DataFrame or ndarray or csr matrix of shape (sum n_i, d + 1)
        The rows of all tasks; the task id is the last column. Tables give a DataFrame (use
        ``task="task"``), arrays an array (use ``task=-1``).
    y : ndarray of shape (sum n_i,)

    Examples
    --------
    >>> import numpy as np
    >>> from polytask import stack_tasks
    >>> X, y = stack_tasks({"a": (np.ones((2, 1)), [1, 2]), "b": (np.zeros((1, 1)), [3])})
    >>> X.shape, y.tolist()
    ((3, 2), [1, 2, 3])
    """
    named = dict(tasks) if isinstance(tasks, Mapping) else dict(enumerate(tasks))
    if not named:
        raise ValueError("stack_tasks: tasks must hold at least one (X_i, y_i); got none.")
    pairs = {key: _read_pair(key, pair) for key, pair in named.items()}
    _check_columns(pairs)
    y = np.concatenate([y_i for _, y_i in pairs.values()])
    blocks = [X_i for X_i, _ in pairs.values()]
    sizes = [len(y_i) for _, y_i in pairs.values()]
    if any(is_frame(X_i) for X_i in blocks):
        return _stack_frames(pairs, task), y
    ids = np.repeat(_as_ids(list(pairs)), sizes)
    if any(sparse.issparse(X_i) for X_i in blocks):
        if ids.dtype.kind not in "iufb":
            raise ValueError(
                "stack_tasks: task ids must be numbers where an X_i is sparse, because a sparse "
                f"matrix holds no text; got {ids[0]!r}. Number the tasks, or pass them as a list."
            )
        return sparse.hstack([sparse.vstack(blocks), ids[:, None].astype(float)]).tocsr(), y
    X = np.vstack([np.asarray(X_i) for X_i in blocks])
    if ids.dtype.kind in "iufb":
        return np.column_stack([X, ids]), y
    return np.column_stack([X.astype(object), ids.astype(object)]), y


def _stack_frames(pairs: dict[Any, tuple[Any, Any]], task: str) -> pd.DataFrame:
    parts = []
    for key, (X_i, _) in pairs.items():
        frame = X_i if isinstance(X_i, pd.DataFrame) else X_i.to_pandas()
        if task in frame.columns:
            raise ValueError(f"stack_tasks: task must be a new column name; tables have {task!r}.")
        parts.append(frame.assign(**{task: key}))
    return pd.concat(parts, ignore_index=True)


def _as_ids(keys: list[Any]) -> np.ndarray:
    for key in keys:
        if not isinstance(key, str | int | float | np.generic):
            raise TypeError(
                f"stack_tasks: task ids must be strings or numbers; got {key!r}, a "
                f"{type(key).__name__}."
            )
    return np.asarray(keys)


def _check_columns(pairs: Mapping[Any, tuple[Any, Any]]) -> None:
    """Refuse tables among arrays, and tasks with other features than the first."""
    (first, (X, _)), *others = pairs.items()
    for key, (X_i, _) in others:
        if is_frame(X_i) != is_frame(X):
            raise ValueError(
                "stack_tasks: the X_i must be all tables or all arrays; got a "
                f"{type(X).__name__} for task {first!r} and a {type(X_i).__name__} for {key!r}."
            )
        names = [list(X.columns), list(X_i.columns)] if is_frame(X) else [X.shape[1], X_i.shape[1]]
        if (set(names[0]) != set(names[1])) if is_frame(X) else names[0] != names[1]:
            raise ValueError(
                f"stack_tasks: tasks must have the same features; got {names[0]} for task "
                f"{first!r} and {names[1]} for task {key!r}."
            )


def _read_pair(key: Any, pair: Any) -> tuple[Any, np.ndarray]:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise ValueError(f"stack_tasks: task {key!r} must be a pair (X_i, y_i).")
    X, y = pair[0] if hasattr(pair[0], "shape") else np.asarray(pair[0]), np.asarray(pair[1])
    if len(X.shape) != 2 or y.ndim != 1:
        raise ValueError(
            f"stack_tasks: X_i of task {key!r} must have two dimensions and y_i one; got shapes "
            f"{X.shape} and {y.shape}."
        )
    n_rows, n_targets = X.shape[0], len(y)
    if n_rows != n_targets:
        raise ValueError(
            f"stack_tasks: X_i and y_i of task {key!r} must have the same number of rows; "
            f"got {n_rows} and {n_targets}."
        )
    return X, y
