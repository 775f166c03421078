"""Numbers that are no amounts: counters of the rows, ids of each, names such as a ZIP code."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from pandas.api import types

__all__ = ["FEW_LEVELS", "why_counter", "why_names"]

UNNAMED = re.compile(r"(unnamed: \d+(_level_\d+)?|\.\.\.\d+|__index_level_\d+__|level_\d+|)")
ROW_IDS = re.compile(
    r"(index|idx|rows?|row[ _.]?(names?|ids?|nr|no|num|number|index|count|labels?)|rn|rowid|rownum|"
    r"n[ro]|(s|sl|sr|lfd)[ _.]*n[ro]|serial([ _.]?n(o|r|umber))?|seq(uence)?|counter|line|"
    r"obs(ervation)?([ _.]?(id|nr|no|number))?|record([ _.]?(id|nr|no|number))?|"
    r"id|uid|uuid|pk|key|ids?|.*[ _.-]id|id[ _.-].*)"
)
CAMEL_ID = re.compile(r".*[a-z](Id|ID)")
NAMES = re.compile(
    r"(.*[ _.-])?(id|ids|uid|uuid|guid|code|zip|zip ?code|post ?code|plz|student|pupil|teacher|"
    r"patient|doctor|subject|person|participant|user|customer|school|hospital|clinic|store|shop|"
    r"site|district|county|region|village|farm)"
)
CAMEL_NAMES = re.compile(r".*[a-z](Id|ID|Code)")
FEW_LEVELS = 5  # values that may be steps of something
LEAST_STEPS = 50  # rows of one step throughout: fewer may be years
LEAST_ROWS = 10  # a feature that rises with a few rows does so by chance


def why_counter(known: pd.Series, n_rows: int) -> str:
    """Why a column without its gaps is a number of the row and no measurement, "" where it is one.

    Whole numbers, a different one in every row, under a name for them, are an id. Under any
    name, numbers that rise from row to row inside 0 … n_rows count the rows, also where some of
    the rows are left out, and so do those that rise or fall by the same step in every row.

    Examples
    --------
    >>> why_counter(pd.Series(range(1, 31), name="rownames"), 30)
    'counts the rows'
    >>> why_counter(pd.Series([7, 3, 5], name="row_id"), 3)
    'has a number of its own in every row'
    >>> why_counter(pd.Series([3, 4, 5], name="hours"), 3)
    ''
    """
    if not types.is_numeric_dtype(known.dtype) or types.is_bool_dtype(known.dtype):
        return ""
    values = known.to_numpy(dtype=float, na_value=np.nan)
    if len(values) < 3 or not np.isfinite(values).all() or (values != np.round(values)).any():
        return ""
    name = str(known.name).strip()
    steps = np.diff(values)
    unnamed = UNNAMED.fullmatch(name.lower()) is not None
    rising = bool((steps > 0).all()) and values[0] >= 0 and values[-1] <= n_rows
    named = unnamed or bool(ROW_IDS.fullmatch(name.lower()) or CAMEL_ID.fullmatch(name))
    if rising and (named or len(values) >= max(LEAST_ROWS, 0.5 * n_rows)):
        return "counts the rows"
    if len(values) >= LEAST_STEPS and steps[0] != 0 and (steps == steps[0]).all():
        return "counts the rows"
    if named and known.is_unique:
        return "has a number of its own in every row"
    if unnamed and (steps == 1).mean() > 0.9:  # files put together, each with its own index
        return "counts the rows of each part of the table"
    return ""


def why_names(known: pd.Series) -> str:
    """Why whole numbers are names by their own, such as ``placeID``; "" where they are amounts.

    Examples
    --------
    >>> why_names(pd.Series([10115, 20095, 80331, 50667, 60311, 4109], name="zip"))
    'holds numbers that by its name are names, not amounts'
    >>> why_names(pd.Series([1, 2, 3, 1, 2, 3], name="grade"))
    ''
    """
    if not types.is_numeric_dtype(known.dtype) or types.is_bool_dtype(known.dtype):
        return ""
    name = str(known.name).strip()
    if not (NAMES.fullmatch(name.lower()) or CAMEL_NAMES.fullmatch(name)):
        return ""
    values = known.to_numpy(dtype=float, na_value=np.nan)
    whole = np.isfinite(values).all() and (values == np.round(values)).all()
    if not whole or known.nunique() <= FEW_LEVELS:
        return ""
    return "holds numbers that by its name are names, not amounts"
