"""``polytask init``: what would be done with a table, before anything is said about it."""

from __future__ import annotations

import argparse
import dataclasses
import shlex
from typing import TYPE_CHECKING

from polytask.cli.screen import plain, print_json, screen, show_list, show_table
from polytask.tables.database import without_password

if TYPE_CHECKING:
    from polytask.tables.suggest import Suggestion

__all__ = ["run"]

MOST = 8  # candidates that are shown


def run(args: argparse.Namespace) -> int:
    """Look, print the guesses and the command that follows."""
    from polytask.tables import TableError, read_table, suggest

    table, notes = read_table(args.table)
    found = suggest(table, args.task, args.target)
    command = _command(args.table, found)
    if args.json:
        about = {"table": without_password(args.table), "reading": list(notes), "compare": command}
        print_json({**about, **dataclasses.asdict(found)})
        return 0
    _show(without_password(args.table), len(table), notes, found)
    if command is None:
        raise TableError(
            "must name a column whose values repeat; no column looks like one. Choose it with "
            "--task, or add a column that says which rows belong together. Where several columns "
            "are answers, each a task, take them all: polytask compare TABLE --target COL,COL,...",
            "task",
        )
    print(f"Next:\n  {plain(command)}")
    return 0


def _command(table: str, found: Suggestion) -> str | None:
    """The words for the shell."""
    if found.task is None:
        return None
    words = [
        "polytask",
        "compare",
        without_password(table),
        "--task",
        found.task,
        "--target",
        found.target,
    ]
    if found.features is not None:
        quoted = [f'"{name}"' if "," in name else name for name in found.features]
        words += ["--features", ",".join(quoted)]
    return shlex.join(words)


def _show(path: str, rows: int, notes: tuple[str, ...], found: Suggestion) -> None:
    console = screen()
    why = f"target {found.target!r}, a {found.kind} ({found.target_reason})"
    for line in (f"{path}: {rows:,} rows", why, *notes):
        console.print(plain(line))
    if found.other_targets and found.target_reason != "as you said":
        others = ", ".join(repr(name) for name in found.other_targets[:MOST])
        console.print(plain(f"if that is wrong, name it with --target: {others}"))
    console.print()
    head = [("may be the task", "left"), ("values", "right"), ("rows each", "right"),
            ("of variance", "right"), ("but", "left")]  # fmt: skip
    cells = [(t.name, f"{t.levels:,}", f"{t.rows_median:,}", f"{t.share:.0%}", t.concern)
             for t in found.tasks[:MOST]]  # fmt: skip
    if cells:
        show_table(console, "", head, cells, bold=(0,))
    lines = [f"{name}: {reason}" for name, reason in found.left_out]
    show_list(console, "Columns to leave out", lines)
