"""How much the rows of files count."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from polytask.data.weights import check_weights
from polytask.sources.column_sums import is_number

__all__ = ["check_weights_column", "rows_that_count", "weights_in"]


def check_weights_column(schema: pa.Schema, name: str, others: Sequence[str]) -> None:
    """Refuse a column of weights that is absent, in another role or not of numbers.

    Raises
    ------
    ValueError
    """
    if name not in schema.names:
        raise ValueError(
            f"fit_parquet: weights must be a column of the file; got {name!r}. Columns are "
            f"{schema.names[:20]}."
        )
    if name in others:
        raise ValueError(
            f"fit_parquet: weights must be another column than the task and the target; got "
            f"{name!r}."
        )
    kind = schema.field(name).type
    if not is_number(kind) and not pa.types.is_decimal(kind):
        raise ValueError(
            f"fit_parquet: weights must be a column of numbers; {name!r} holds {kind}. Write it "
            "as numbers."
        )


def weights_in(table: pa.RecordBatch, name: str) -> np.ndarray:
    """Weights (n,) of the rows."""
    return np.asarray(table.column(name).to_numpy(zero_copy_only=False), dtype=np.float64)


def rows_that_count(table: pa.RecordBatch, name: str) -> pa.RecordBatch:
    """The rows whose weight is above zero.

    Raises
    ------
    ValueError
        If a row has no weight, a negative one, or one so far from 1 that rounding decides.
    """
    found = weights_in(table, name)
    missing = int(np.isnan(found).sum())
    if missing:
        raise ValueError(
            f"fit_parquet: weights must have a value in every row; {name!r} has none in {missing} "
            f"of {len(found)} rows that were read together. Give zero to rows that are not to "
            "count."
        )
    if (found < 0).any():
        raise ValueError(
            f"fit_parquet: weights must be zero or positive; {name!r} is {found.min():g} in a row. "
            "Give zero to rows that are not to count."
        )
    try:
        check_weights(found)
    except ValueError as error:
        raise ValueError(f"fit_parquet: {str(error).replace('sample_weight', 'weights', 1)}") from (
            error
        )
    return table if found.all() else table.filter(pa.array(found > 0))
