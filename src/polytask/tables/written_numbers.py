"""Numbers that people wrote, in a table that is passed over: its first rows say how they are read.

A column tells its decimal mark and its unit by its first rows, as by all in memory; what further
rows hold is read by them, or refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from polytask.tables.columns import filled
from polytask.tables.number_cells import MARKS, read_cells
from polytask.tables.number_columns import TextColumn
from polytask.tables.text_values import Conventions, is_plain, settle_values

__all__ = ["NumberReader", "read_written"]


@dataclass(frozen=True)
class NumberReader:
    """Text of a column as numbers.

    Attributes
    ----------
    name : str
        Of the column.
    mark : {".", ","}
        What stands before decimals.
    unit : str
        Currency or unit beside every number, "" for none.
    """

    name: str
    mark: str
    unit: str

    def __call__(self, text: pa.Array) -> pa.Array:
        """Numbers (n,), null where the text is; an error names a cell that is written otherwise."""
        coded = text.cast(pa.string()).dictionary_encode()
        cells = read_cells(coded.dictionary)
        values = cells.values[self.mark]
        other = np.isnan(values) | (cells.unit != self.unit) | cells.glued | cells.code
        if other.any():
            beside = f" and {self.unit!r} beside them" if self.unit else ""
            raise ValueError(
                f"column {self.name!r} must hold numbers as in its first rows, with {self.mark!r} "
                f"before decimals{beside}; got {cells.text[int(other.argmax())]!r}. Write all of "
                "them in one way, or name marks that mean a gap in --missing."
            )
        return pc.take(pa.array(values, pa.float64()), coded.indices)


def read_written(
    rows: pd.DataFrame, but: Sequence[str], given: Conventions
) -> tuple[pd.DataFrame, tuple[NumberReader, ...], tuple[str, ...]]:
    """The first rows with numbers that people wrote made such, how they were read, and notes.

    Numbers that programs write (`is_plain`) are left, and so are the columns ``but``.
    """
    texts = [n for n in rows.columns if n not in but and _is_text(rows[n])]
    made, notes, units = settle_values(rows[texts].astype("str"), lambda _: False, given)
    readers = {}
    for name in texts:
        known = filled(rows[name])
        if pd.api.types.is_bool_dtype(made[name].dtype) or known.empty or is_plain(known):
            continue
        if pd.api.types.is_numeric_dtype(made[name].dtype):
            readers[name] = NumberReader(name, _mark(rows[name], made[name]), units.get(name, ""))
    return rows.assign(**{n: made[n] for n in readers}), tuple(readers.values()), notes


def _is_text(values: pd.Series) -> bool:
    return pd.api.types.infer_dtype(values, skipna=True) == "string"


def _mark(values: pd.Series, made: pd.Series) -> str:
    """The mark by which the numbers were made."""
    column = TextColumn.of(values)
    some = column.codes >= 0
    numbers = made.to_numpy(dtype=float)[some]
    by = {mark: column.cells.values[mark][column.codes[some]] for mark in MARKS}
    return next(mark for mark in MARKS if np.array_equal(by[mark], numbers))
