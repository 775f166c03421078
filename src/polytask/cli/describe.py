"""``polytask describe``: a table before anything is fitted."""

from __future__ import annotations

import argparse
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from polytask.cli.inputs import read_frame
from polytask.cli.screen import number, plain, print_json, screen, show_list, show_table
from polytask.tables.database import without_password

if TYPE_CHECKING:
    from rich.console import Console

    from polytask.tables import TableDescription

__all__ = ["run"]

TITLES = {
    "error": ("Stops a comparison", "red"),
    "warning": ("May make the answer wrong or weak", "yellow"),
    "note": ("Good to know", ""),
}


def run(args: argparse.Namespace) -> int:
    """Print the description; 0 also where a comparison could not run."""
    from polytask.tables import describe_table

    frame = read_frame(args)
    notes = frame.reading.notes
    found = describe_table(
        frame.reading.table, frame.task, frame.target, groupings=frame.groupings, **frame.choices
    )
    if args.json:
        print_json(
            {"table": without_password(args.table), "reading": list(notes), **found.to_dict()}
        )
        return 0
    console = screen()
    _show_head(console, without_password(args.table), found, notes)
    _show_columns(console, found)
    for severity, (title, style) in TITLES.items():
        lines = [f"{f.what} {f.remedy}".strip() for f in found.findings if f.severity == severity]
        show_list(console, title, lines, style)
    if not found.findings:
        console.print("Nothing that would be a problem.")
    return 0


def _show_head(
    console: Console, path: str, found: TableDescription, notes: tuple[str, ...]
) -> None:
    sizes = found.sizes
    lines = [
        f"{path}: {found.rows:,} rows, {found.tasks:,} tasks in {found.task!r}",
        f"rows per task: {sizes['min']:,.0f} to {sizes['max']:,.0f}, median {sizes['median']:,.0f} "
        f"(half of the tasks between {sizes['q25']:,.0f} and {sizes['q75']:,.0f})",
        f"target {found.target!r}: {_target(found)}",
        f"columns that a linear model sees: {found.encoded_columns}",
    ]
    lines += [f"grouping {name!r}: {count:,} levels" for name, count in found.groupings.items()]
    for line in (*lines, *notes):
        console.print(plain(line))
    console.print()


def _target(found: TableDescription) -> str:
    summary = found.target_summary
    if found.kind == "regression":
        mean, std, between = (float(summary[k]) for k in ("mean", "std", "between_tasks"))
        loss = f" (--loss {summary['loss']})" if "loss" in summary else ""
        return (
            f"regression{loss}, mean {number(mean)}, standard deviation {number(std)}, "
            f"{between:.0%} of its variance between tasks"
        )
    if found.kind == "classification":
        shares = ", ".join(f"{float(summary[c]):.1%} are {c!s}" for c in summary)
        return f"classification, {shares}"
    if found.kind == "survival":
        events, median = float(summary["events"]), float(summary["median"])
        half = f"half of them by {number(median)}" if median == median else "fewer than half come"
        return f"time to an event, which comes in {events:.1%} of the rows ({half})"
    return "cannot be used as it is, see below"


def _show_columns(console: Console, found: TableDescription) -> None:
    head = [("column", "left"), ("kind", "left"), ("missing", "right"), ("distinct", "right")]
    rows = [_column_row(record) for record in found.columns.to_dict("records")]
    if rows:
        show_table(console, "", [*head, ("constant in tasks", "right")], rows)


def _column_row(record: dict[Hashable, Any]) -> tuple[str, ...]:
    missing, constant = record["missing"], record["constant_tasks"]
    flat = "all" if record["task_level"] else f"{constant:.0f}" if constant and constant > 0 else ""
    kind, distinct = str(record["kind"]), f"{record['distinct']:,}"
    return (str(record["name"]), kind, f"{missing:,}" if missing else "", distinct, flat)
