"""Several groupings of the same rows, crossed or nested: which level of each a row belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from polytask.data.columns import drop_task_column, read_task_ids
from polytask.data.frames import check_columns, is_frame, refuse_dates, to_array
from polytask.data.parse import FLOATS, read_rows, task_codes
from polytask.data.task_spec import Name, column_names, grouping_names

__all__ = ["Grouping", "read_grouped_rows", "read_groupings"]


@dataclass(frozen=True, eq=False)
class Grouping:
    """A grouping as training saw it.

    Parameters
    ----------
    name : str
    columns : tuple
        Columns of X whose ids count together.
    ids : tuple of ndarray
        Known ids of each column, sorted.
    keys : int ndarray of shape (m,)
        Level by level, the positions of its ids in ``ids`` as digits of one number; sorted.
    """

    name: str
    columns: tuple[Name, ...]
    ids: tuple[np.ndarray, ...]
    keys: np.ndarray

    @classmethod
    def of(
        cls, columns: tuple[Name, ...], of_rows: Sequence[np.ndarray]
    ) -> tuple[Grouping, np.ndarray]:
        """From the ids of rows, with the level of each row."""
        ids, codes = zip(
            *(np.unique(column, return_inverse=True) for column in of_rows), strict=True
        )
        keys, code = np.unique(_key(codes, ids), return_inverse=True)
        return cls(grouping_names([columns])[0], columns, tuple(ids), keys), code

    @property
    def n_levels(self) -> int:
        """Number of levels m."""
        return len(self.keys)

    @property
    def levels(self) -> np.ndarray:
        """Ids of the levels: of one column as they are, of several as text "a/b"."""
        parts, rest = [], self.keys
        for ids in reversed(self.ids):
            parts.append(ids[rest % len(ids)])
            rest = rest // len(ids)
        if len(parts) == 1:
            return np.asarray(parts[0])
        texts = ["/".join(map(str, level)) for level in zip(*reversed(parts), strict=True)]
        return np.array(texts)

    def code(self, of_rows: Sequence[np.ndarray]) -> np.ndarray:
        """Level of each row, -1 where training had it not."""
        codes = [
            task_codes(column, ids, len(column))
            for column, ids in zip(of_rows, self.ids, strict=True)
        ]
        key = _key(codes, self.ids)
        at = np.minimum(np.searchsorted(self.keys, key), len(self.keys) - 1)
        known = (self.keys[at] == key) & (np.array(codes) >= 0).all(axis=0)
        return np.where(known, at, -1)

    def to_dict(self) -> dict[str, Any]:
        """Arrays and names only, for a saved estimator."""
        return {
            "name": self.name, "columns": list(self.columns), "ids": list(self.ids),
            "keys": self.keys,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, kept: dict[str, Any]) -> Grouping:
        """The inverse of `to_dict`."""
        return cls(kept["name"], tuple(kept["columns"]), tuple(kept["ids"]), kept["keys"])


def _key(codes: Sequence[np.ndarray], ids: Sequence[np.ndarray]) -> np.ndarray:
    key = np.zeros(len(codes[0]), dtype=np.int64)
    for code, known in zip(codes, ids, strict=True):
        key = key * len(known) + code
    return key


def read_groupings(X: Any, groupings: Sequence[tuple[Name, ...]]) -> dict[Name, np.ndarray]:
    """Ids of the rows in every column that a grouping names."""
    return {name: read_task_ids(X, name) for name in column_names(groupings)}


def read_grouped_rows(
    estimator: Any, X: Any, groupings: Sequence[tuple[Name, ...]], *, reset: bool
) -> tuple[Any, dict[Name, np.ndarray]]:
    """Numeric features (n, d) of X, and the ids in the columns of groupings.

    Names and counts are checked, and with ``reset`` recorded, as scikit-learn does.
    """
    if not groupings:
        return read_rows(estimator, X, reset=reset).X, {}
    if is_frame(X):
        check_columns(estimator, X, reset=reset)
    else:
        X = validate_data(
            estimator, X, dtype=None, accept_sparse="csr", ensure_all_finite=False, reset=reset,
            ensure_min_features=len(column_names(groupings)),
        )  # fmt: skip
    ids = read_groupings(X, groupings)
    features = drop_task_column(X, list(ids))
    refuse_dates(features, f"{type(estimator).__name__}: X")
    left = to_array(features)
    if left.shape[1] == 0:  # groupings alone: levels are all there is to learn
        return np.zeros((X.shape[0], 0)), ids
    return check_array(
        left, dtype=FLOATS, accept_sparse="csr", estimator=estimator, input_name="X"
    ), ids  # fmt: skip
