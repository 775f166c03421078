"""Printing: tables for people on stdout, plain text wherever a user's words may stand."""

from __future__ import annotations

import math
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["number", "plain", "print_json", "screen", "show_list", "show_table"]

LONG_CELL = 30  # wider ones are folded
NARROW = 9  # titles are not wrapped below this
LEAST_WIDTH = 80  # a narrower terminal wraps lines; tables made for it would lose columns
PIPE_WIDTH = 110  # where there is no terminal to ask


def screen() -> Console:
    """The terminal or pipe behind stdout; words of users are never read as markup."""
    from rich.console import Console

    class Screen(Console):
        """Leaves a closed pipe to `main`, where rich would end the process with code 1."""

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else PIPE_WIDTH
    return Screen(markup=False, emoji=False, highlight=False, width=max(width, LEAST_WIDTH))


def plain(value: Any) -> str:
    r"""Text without control characters, which could otherwise move the cursor or ring the bell.

    Examples
    --------
    >>> plain("a" + chr(27) + "[31m")
    'a\\x1b[31m'
    """
    text = str(value)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def number(value: float | None, digits: int = 3) -> str:
    """A number with as many digits as matter, "" for none.

    Examples
    --------
    >>> number(0.71234), number(1234567.0), number(float("nan"))
    ('0.712', '1,234,567', '')
    """
    if value is None or math.isnan(value):
        return ""
    if abs(value) >= 10**digits:
        return f"{value:,.0f}"
    return f"{value:#.{digits}g}".rstrip(".")


def show_table(
    console: Console,
    title: str,
    head: Sequence[tuple[str, str]],
    rows: Iterable[Sequence[Any]],
    *,
    bold: Sequence[int] = (),
) -> None:
    """Print a table; ``head`` pairs each column with its side, "left" or "right".

    Long values are folded, not cut.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    rows = list(rows)
    table = Table(
        title=title or None,
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
    )
    for position, (name, side) in enumerate(head):
        widest = max((len(plain(row[position])) for row in rows), default=0)
        words, least = _column(name, min(widest, LONG_CELL))
        table.add_column(Text(words), justify=side, overflow="fold", min_width=least)  # type: ignore[arg-type]
    for position, row in enumerate(rows):
        style = "bold" if position in bold else None
        table.add_row(*(Text(plain(cell)) for cell in row), style=style)
    console.print(table)
    console.print()


def _column(title: str, cells: int) -> tuple[str, int]:
    """A title wrapped to the width of the cells below it, and the width that both need."""
    import textwrap

    width = max(cells, min(len(title), NARROW), *(len(word) for word in title.split()), 1)
    return "\n".join(textwrap.wrap(title, width, break_long_words=False)), width


def show_list(console: Console, title: str, lines: Sequence[str], style: str = "") -> None:
    """Print sentences under a title, nothing for none."""
    from rich.table import Table
    from rich.text import Text

    if not lines:
        return
    console.print(Text(title, style=f"bold {style}".strip()))
    grid = Table.grid(padding=(0, 1), pad_edge=True)
    for line in lines:
        grid.add_row(Text("-"), Text(plain(line)))
    console.print(grid)
    console.print()


def print_json(value: Any) -> None:
    """Print JSON for programs: no NaN, no escapes for letters."""
    import json

    print(json.dumps(without_nan(value), indent=2, ensure_ascii=False, allow_nan=False))


def without_nan(value: Any) -> Any:
    """The same value with None for every number that JSON does not know."""
    if isinstance(value, dict):
        return {str(key): without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
