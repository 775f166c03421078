"""Numbers on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from itertools import pairwise

__all__ = ["between", "counts", "quantiles", "times"]


def quantiles(text: str) -> tuple[float, ...]:
    """Two or more numbers between 0 and 1, ascending."""
    try:
        each = tuple(float(part) for part in text.split(","))
    except ValueError:
        each = ()
    if len(each) < 2 or not all(a < b for a, b in pairwise((0.0, *each, 1.0))):
        raise argparse.ArgumentTypeError(
            f"must be two or more numbers between 0 and 1, ascending; got {text!r}"
        )
    return each


def times(text: str) -> list[float]:
    """Positive numbers."""
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = []
    if not found or not all(0 < t < float("inf") for t in found):
        raise argparse.ArgumentTypeError(
            f"must be positive numbers with commas between them; got {text!r}"
        )
    return found


def counts(text: str) -> list[int]:
    """Numbers of rows, one above 0 among them."""
    try:
        found = [int(part) for part in text.split(",")]
    except ValueError:
        found = []
    if not found or min(found) < 0 or max(found) < 1:
        raise argparse.ArgumentTypeError(
            "must be whole numbers of at least 0 with commas between them, one above 0; "
            f"got {text!r}"
        )
    return found


def between(least: int, most: int) -> Callable[[str], int]:
    """A reader of whole numbers in a range."""

    def read(text: str) -> int:
        rule = f"must be a whole number of at least {least} and at most {most}; got {text!r}"
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(rule) from None
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(rule)
        return value

    return read
