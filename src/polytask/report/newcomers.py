"""What the page shows of new tasks, and of new levels of several groupings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from polytask.inspection import NewLevels, NewTasks
from polytask.inspection.displays import NewTasksDisplay
from polytask.inspection.displays.style import digits_for
from polytask.report import formats as f
from polytask.report.figures import draw
from polytask.report.tables import Cell, Column, Table, cut

__all__ = ["new_levels_content", "new_tasks_content"]

_ROADS = {
    "alone": "its own rows alone",
    "common": "what the others share",
    "refit": "fitted again with its rows",
    "added": "added, without the old rows",
}


def new_tasks_content(found: NewTasks) -> dict[str, Any]:
    """Sentences, figure and tables of the section."""
    display = NewTasksDisplay(found)
    return {
        "text": found.text.replace(" %", "\u00a0%"),
        "figure": draw(
            display, key="new", title="New tasks", height=3.8, narrow={"columns": 1},
            narrow_height=4.4,
        ),
        "answers": _answers_table(found),
        "tasks": _tasks_table(found),
        "failed": [f"{name}: {why}" for name, why in found.failed.items()],
        "method": _method(found),
    }  # fmt: skip


def new_levels_content(found: NewLevels) -> dict[str, Any]:
    """Sentences and table of the section."""
    digits = digits_for(found.table[["loss_seen", "loss_new"]].to_numpy().ravel())
    columns = [
        Column("Grouping", "text"),
        Column("Levels"),
        Column("Of levels seen"),
        Column("Of new levels"),
        Column("More"),
    ]
    rows = [
        [
            Cell(str(row["grouping"])),
            Cell(f.count(row["levels"])),
            Cell(f.number(row["loss_seen"], digits)),
            Cell(f.number(row["loss_new"], digits)),
            Cell(
                f.percent(row["more"], sign=True),
                f.percent_interval(row["low"], row["high"]).replace(f.MISSING, ""),
            ),
        ]
        for _, row in found.table.iterrows()
    ]
    caption = (
        f"{f.sentence(found.loss_title)}, mean over levels; 95\u00a0% intervals in small print"
    )
    return {
        "text": found.text.replace(" %", "\u00a0%"),
        "table": Table("newlevels", caption, columns, rows) if rows else None,
    }


def _method(found: NewTasks) -> str:
    times = "" if found.n_repeats == 1 else f", {found.n_repeats} times anew"
    few = found.tasks_known - found.tasks_tested
    small = f"; {few} tasks with too few rows are never held out" if few else ""
    return (
        f"The tasks were dealt into {found.cv} parts at random{times}, and each part was held out "
        f"whole (LeaveTasksOut){small}. All answers are judged on the same rows, those that no "
        "answer was given. Gains and intervals as in the comparison, with the tasks as the "
        f"sampling unit. Computed in {f.seconds(found.seconds)}."
    )


def _answers_table(found: NewTasks) -> Table:
    digits = digits_for(found.answers["loss"])
    columns = [
        Column("Model", "text"),
        Column("Rows of the new task"),
        Column("Learns from", "words"),
        Column(f.sentence(found.loss_title)),
        Column("Gain over alone"),
        Column("Gain over pooled"),
    ]
    rows = [
        [
            Cell(str(row["title"])),
            Cell(f.count(row["n_support"])),
            Cell(_ROADS[str(row["road"])]),
            Cell(f.number(row["loss"], digits)),
            *(_gain(row, name) for name in ("gain", "over_pooled")),
        ]
        for _, row in found.answers.iterrows()
    ]
    caption = (
        f"Mean over {found.tasks_tested} tasks that were held out whole; 95\u00a0% intervals in "
        "small print"
    )
    return Table("newcomers", caption, columns, rows)


def _gain(row: pd.Series, name: str) -> Cell:
    """The gain, its interval in small print."""
    ends = f.percent_interval(row[f"{name}_low"], row[f"{name}_high"])
    return Cell(f.percent(row[name], sign=True), "" if ends == f.MISSING else ends)


def _tasks_table(found: NewTasks) -> Table | None:
    """A row per task, its gain at each k."""
    if found.tasks.empty:
        return None
    wide = found.tasks.pivot(index="task", columns="n_support", values=["gain", "label", "loss"])
    order = found.tasks.groupby("task")["shrunken"].mean().sort_values(ascending=False).index
    rows_of = found.tasks.drop_duplicates("task").set_index("task")["rows"]
    ks = sorted(found.tasks["n_support"].unique())
    against = found.tasks.drop_duplicates("n_support").set_index("n_support")["reference"]
    columns = [Column("Task", "text"), Column("Rows")]
    for k in ks:
        columns += [
            Column(f"Gain over {against[k]}, {k} rows"),
            Column(f"Label, {k} rows", "label"),
        ]
    digits = digits_for(found.tasks["gain"], 2)
    rows = []
    for task in order:
        row = [Cell(str(task)), Cell(f.count(rows_of[task]))]
        for k in ks:
            label = str(wide.loc[task, ("label", k)])
            row += [
                Cell(f.difference(_number(wide.loc[task, ("gain", k)]), digits)),
                Cell(label, label=label),
            ]
        rows.append(row)
    caption = f"What {found.focus} gains on each task as a new one, in {found.loss_title}"
    return cut(Table("newtasks", caption, columns, rows))


def _number(value: Any) -> float:
    return float(value) if value is not None else float(np.nan)
