"""From a dict or list of tasks to the long table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from polytask.data.columns import is_frame

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
    pairs = dict(tasks) if isinstance(tasks, Mapping) else dict(enumerate(tasks))
    if not pairs:
        raise ValueError("stack_tasks: tasks must hold at least one (X_i, y_i); got none.")
    for key, pair in pairs.items():
        _check_pair(key, pair)
    y = np.concatenate([np.asarray(y_i) for _, y_i in pairs.values()])
    blocks = [X_i for X_i, _ in pairs.values()]
    sizes = [len(np.asarray(y_i)) for _, y_i in pairs.values()]
    if any(is_frame(X_i) for X_i in blocks):
        return _stack_frames(pairs, task), y
    ids = np.repeat(np.asarray(list(pairs)), sizes)
    if any(sparse.issparse(X_i) for X_i in blocks):
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


def _check_pair(key: Any, pair: Any) -> None:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise ValueError(f"stack_tasks: task {key!r} must be a pair (X_i, y_i).")
    n_rows, n_targets = pair[0].shape[0], len(pair[1])
    if n_rows != n_targets:
        raise ValueError(
            f"stack_tasks: X_i and y_i of task {key!r} must have the same number of rows; "
            f"got {n_rows} and {n_targets}."
        )
