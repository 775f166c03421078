"""Numbers, dates and shares as a reader wants them."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from polytask.inspection.displays.style import signed

MISSING = "–"
_NBSP = "\u00a0"


def number(value: Any, digits: int) -> str:
    """Write a number with a fixed number of decimals.

    Examples
    --------
    >>> number(-0.5, 2), number(float("nan"), 2), number(12345.6, 0)
    ('−0.50', '–', '12,346')
    """
    if not _known(value):
        return MISSING
    text = f"{value:,.{digits}f}"
    return text.replace("-", "−") if text.strip("-0.,") else text.lstrip("-")


def difference(value: Any, digits: int) -> str:
    """Write a number with its sign."""
    return signed(value, digits) if _known(value) else MISSING


def interval(low: Any, high: Any, digits: int, *, sign: bool = False) -> str:
    """Write "low to high", a dash where both are unknown."""
    if not (_known(low) or _known(high)):
        return MISSING
    write = difference if sign else number
    return f"{write(low, digits)} to {write(high, digits)}".replace(" ", _NBSP)


def percent(share: Any, digits: int = 1, *, sign: bool = False) -> str:
    r"""Write a share as percent.

    Examples
    --------
    >>> percent(0.0612), percent(-0.03, sign=True)
    ('6.1\xa0%', '−3.0\xa0%')
    """
    if not _known(share):
        return MISSING
    if abs(share) > 1e4:
        return f"{'over ' if share > 0 else 'under −'}1,000,000{_NBSP}%".replace(" ", _NBSP)
    write = difference if sign else number
    return f"{write(100 * share, digits)}{_NBSP}%"


def percent_interval(low: Any, high: Any) -> str:
    """Write an interval of shares as percent."""
    if not (_known(low) and _known(high)):
        return MISSING
    return f"{difference(100 * low, 1)} to {difference(100 * high, 1)}{_NBSP}%".replace(" ", _NBSP)


def count(value: Any) -> str:
    """Write a count with thousands separated."""
    return number(value, 0 if not _known(value) or float(value).is_integer() else 1)


def about(value: Any, most: int = 100_000) -> str:
    """Write a rough count with two digits that matter.

    Examples
    --------
    >>> about(1234.5), about(3e7)
    ('1,200', '100,000+')
    """
    if not _known(value):
        return MISSING
    return f"{most:,}+" if value > most else f"{float(f'{value:.2g}'):,.0f}"


def seconds(value: Any) -> str:
    """Write a duration.

    Examples
    --------
    >>> seconds(0.0123), seconds(12.3), seconds(95)
    ('0.01 s', '12.3 s', '1 min 35 s')
    """
    if not _known(value):
        return MISSING
    if value < 1:
        return f"{value:.2f} s"
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s"


def sentence(text: str) -> str:
    """Begin with a capital, leave the rest as it is."""
    return text[:1].upper() + text[1:]


def moment(text: str) -> str:
    """Write an ISO date as "5 January 2026, 10:00"; other text stays.

    Examples
    --------
    >>> moment("2026-01-05T10:00:00+00:00")
    '5 January 2026, 10:00 UTC'
    """
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{when.day} {when:%B %Y, %H:%M} {when.tzname() or ''}".rstrip()


def _known(value: Any) -> bool:
    return value is not None and math.isfinite(value)
