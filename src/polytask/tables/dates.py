"""Dates and times by their shape, in the ways that people and programs write them."""

from __future__ import annotations

import re

import pandas as pd
from pandas.api import types

__all__ = ["are_dates", "are_day_numbers"]

_MONTH = (
    r"(?:jan|feb|fév|mar|mär|mrz|apr|avr|may|mai|jun|jul|aug|aoû|sep|oct|okt|out|nov|dec|dez|dic|déc"
    r"|jän|ene|abr|ago|mag|giu|lug|set|ott|gen|juin|juil)[a-zà-ÿ]*\.?"
)
_DAY, _MON = r"(?:0?[1-9]|[12][0-9]|3[01])", r"(?:0?[1-9]|1[0-2])"
_YEAR = r"(?:1[0-9]{3}|2[0-9]{3})"
_SHORT = rf"(?:{_YEAR}|'?[0-9]{{2}})"
_TIME = r"(?:[01]?[0-9]|2[0-4]):[0-5][0-9](?::[0-6][0-9](?:[.,][0-9]+)?)?(?: ?[ap]\.?m\.?)?"
_ZONE = r"(?: ?(?:z|utc|gmt|[+-][0-9]{2}:?[0-9]{2}|[+-][0-9]{2}))?"
_DATES = "|".join(
    [
        rf"{_YEAR}([-/.]){_MON}\1{_DAY}",
        rf"{_YEAR}[-/]{_MON}",
        rf"{_YEAR}[年년] ?{_MON}[月월](?: ?{_DAY}[日일])?",
        rf"{_MON}[-/]{_YEAR}",
        rf"{_DAY}([-/.]) ?{_DAY}\2 ?{_SHORT}",
        rf"(?:[a-z]{{2,10}}\.?,? )?{_DAY}(?:st|nd|rd|th|\.)?[-/ ]?(?:of )?{_MONTH}[-/, ]*{_SHORT}",
        rf"(?:[a-z]{{2,10}}\.?,? )?{_MONTH}[-/ ]?{_DAY}(?:st|nd|rd|th)?[-/, ]+{_SHORT}",
        rf"{_MONTH}[-/, ]*{_SHORT}",
        rf"{_YEAR}[-/ ]?{_MONTH}(?:[-/ ]?{_DAY})?",
        rf"{_YEAR}[-/ ]?[qw][0-9]{{1,2}}(?:-?[1-7])?",
        rf"[qw][0-9]{{1,2}}[-/ ]?{_YEAR}",
    ]
)
_COMPACT = r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
_SHAPE = re.compile(
    rf"(?:(?:{_DATES})(?:[t, ]+{_TIME}{_ZONE})?|{_TIME}|"
    rf"{_COMPACT}t?(?:[0-9]{{4}}|[0-9]{{6}})?{_ZONE})",
    re.IGNORECASE,
)
_MOSTLY = 0.5  # a column of dates with a few words in it is no set of categories


def are_dates(texts: pd.Series) -> bool:
    """Whether most of these texts are dates or times of day.

    Examples
    --------
    >>> are_dates(pd.Series(["03-Jan-2020", "1/3/20", "2000-01", "20260131", "12:30"]))
    True
    >>> are_dates(pd.Series(["2020年2月2日", "2020年 12月"]))
    True
    >>> are_dates(pd.Series(["1.2.3", "12", "A-1", "18-25"]))
    False
    """
    counts = texts.value_counts()
    dates = [bool(_SHAPE.fullmatch(str(text).strip())) for text in counts.index]
    return bool(counts[dates].sum() > _MOSTLY * counts.sum())


def are_day_numbers(numbers: pd.Series) -> bool:
    """Whether these are days written as whole numbers, 20260131; other numbers hardly ever are.

    Examples
    --------
    >>> are_day_numbers(pd.Series([20260131, 20251224])), are_day_numbers(pd.Series([20261331, 1]))
    (True, False)
    """
    if not types.is_numeric_dtype(numbers.dtype) or types.is_bool_dtype(numbers.dtype):
        return False
    if not numbers.between(19000101, 20991231).all() or numbers.nunique() < 2:
        return False
    days = pd.to_datetime(
        numbers.astype(str).str.removesuffix(".0"), format="%Y%m%d", errors="coerce"
    )
    return bool(days.notna().all())
