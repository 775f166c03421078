"""The one error of this room: something about the user's table, said in one line."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["TableError", "find_column", "name_list", "name_made_twice", "plural", "target_words"]


class TableError(ValueError):
    """A table, or a choice about it, cannot be used.

    Parameters
    ----------
    message : str
        ``must be <rule>; got <value>.`` and the remedy, on one line. Read after `argument`.
    argument : str, optional
        The argument at fault (``"task"``), so that a command line can print ``--task``.
    """

    def __init__(self, message: str, argument: str | None = None) -> None:
        self.message = " ".join(str(message).split())
        self.argument = argument
        super().__init__(f"{argument} {self.message}" if argument else self.message)


def find_column(name: str, columns: Sequence[str], argument: str) -> str:
    """The column called ``name``, or an error that suggests the closest one.

    Names that differ only in how Unicode composes their letters are the same name.

    Examples
    --------
    >>> find_column("school", ["school", "score"], "task")
    'school'
    """
    if name in columns:
        return name
    composed = unicodedata.normalize("NFC", name)
    same = [c for c in columns if unicodedata.normalize("NFC", c) == composed]
    if len(same) == 1:
        return same[0]
    raise TableError(
        f"must name a column of the table; got {name!r}. {_hint(name, columns)}", argument
    )


def name_list(names: Iterable[Any], most: int = 8) -> str:
    """Names for a sentence, at most ``most`` of them.

    Examples
    --------
    >>> name_list(["a", "b", "c"], most=2)
    "'a', 'b' and 1 more"
    """
    names = list(names)
    shown = ", ".join(repr(str(name)) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def plural(count: int, noun: str) -> str:
    """A count with its noun.

    Examples
    --------
    >>> plural(1, "row"), plural(1200, "row")
    ('1 row', '1,200 rows')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def target_words(kind: str) -> str:
    """A kind of target in a sentence."""
    return "times to an event" if kind == "survival" else f"a {kind}"


def _hint(name: str, columns: Sequence[str]) -> str:
    folded = {c.casefold().strip(): c for c in columns}
    close = difflib.get_close_matches(name.casefold().strip(), list(folded), n=1)
    if close:
        return f"Did you mean {folded[close[0]]!r}?"
    return f"Its columns are {name_list(columns)}."


def name_made_twice(name: str, source: str) -> TableError:
    """The refusal of a column, or of one made from another, that is called as one made here."""
    return TableError(
        f"columns must have names that preprocessing does not make; {name!r} would also "
        f"be made from {source!r}. Rename it or leave it out with --features."
    )
