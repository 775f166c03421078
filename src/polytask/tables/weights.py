"""How much each row of a table counts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from polytask.data.weights import check_weights
from polytask.tables.columns import as_feature, is_blank
from polytask.tables.errors import TableError, plural

__all__ = ["weights_of"]


def weights_of(values: pd.Series) -> np.ndarray:
    """Weights (n,) out of a column of numbers.

    Raises
    ------
    TableError
        If a row has none, or one that is negative or no number, or all are zero.

    Examples
    --------
    >>> weights_of(pd.Series([1, 0, 2.5], name="w"))
    array([1. , 0. , 2.5])
    """
    name, missing = str(values.name), int(is_blank(values).sum())
    if missing:
        raise TableError(
            f"must have a value in every row; {name!r} has none in {plural(missing, 'row')}. Give "
            "zero to rows that are not to count.",
            "weights",
        )
    try:
        found = as_feature(values, "numeric").to_numpy(dtype=float)
    except TableError as error:
        raise TableError(f"must hold numbers. {error}", "weights") from error
    if (found < 0).any():
        first = values[found < 0]
        raise TableError(
            f"must be zero or positive; {name!r} is {first.iloc[0]} in row {first.index[0] + 1}.",
            "weights",
        )
    try:
        check_weights(found)
    except ValueError as error:
        raise TableError(f"must hold weights. {error}", "weights") from error
    if not found.any():
        raise TableError(f"must be positive somewhere; {name!r} is zero in every row.", "weights")
    return found
