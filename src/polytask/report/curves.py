"""What the page shows of the learning curve."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from polytask.inspection import TaskLearningCurve
from polytask.inspection.displays import TaskLearningCurveDisplay
from polytask.inspection.displays.style import digits_for
from polytask.report import formats as f
from polytask.report.figures import draw
from polytask.report.tables import Cell, Column, Table

__all__ = ["curve_content"]


def curve_content(found: TaskLearningCurve) -> dict[str, Any]:
    """Sentences, figure and tables of the section."""
    display = TaskLearningCurveDisplay(found)
    return {
        "text": found.text.replace(" %", "\u00a0%"),
        "figure": draw(
            display, key="curve", title="Learning curve", height=3.8, narrow={"columns": 2}
        ),
        "losses": _losses_table(found),
        "equal": _equivalence_table(found) if len(found.equivalence) else None,
        "failed": [f"{name} failed and is left out: {why}" for name, why in found.failed.items()],
        "method": _method(found),
    }


def _method(found: TaskLearningCurve) -> str:
    few = (
        f"; {found.tasks - found.tasks_tested} of the {found.tasks} tasks have too few rows to be "
        "tested and only train"
        if found.tasks_tested < found.tasks
        else ""
    )
    times = "once" if found.n_repeats == 1 else f"{found.n_repeats} times anew"
    return (
        f"The rows of every task were shuffled {times}; the first ones train and the same last "
        f"ones are tested at every number of rows{few}. Intervals are bootstraps over the tasks. "
        "Rows in between measured numbers are interpolated on the logarithmic axis. "
        f"Computed in {f.seconds(found.seconds)}."
    )


def _losses_table(found: TaskLearningCurve) -> Table:
    digits = digits_for(found.curve["loss"])
    level = "95\u00a0% interval"
    columns = [
        Column("Model", "text"),
        Column("Rows per task"),
        Column(f.sentence(found.loss_title)),
        Column(level, "interval"),
        Column(f"Gain over {found.baseline}"),
        Column(level, "interval"),
    ]
    rows = []
    for _, row in found.curve.iterrows():
        against = row["name"] != found.baseline
        rows.append(
            [
                Cell(str(row["title"])),
                Cell(f.count(row["rows"])),
                Cell(f.number(row["loss"], digits)),
                Cell(f.interval(row["low"], row["high"], digits)),
                Cell(f.percent(row["gain"], sign=True) if against else f.MISSING),
                Cell(
                    f.percent_interval(row["gain_low"], row["gain_high"]) if against else f.MISSING
                ),
            ]
        )
    return Table("curve", "Mean over tasks at each number of training rows", columns, rows)


def _equivalence_table(found: TaskLearningCurve) -> Table:
    points = found.curve["rows"]
    columns = [
        Column("Model", "text"),
        Column("Rows per task"),
        Column(f"Rows that {found.baseline} needs"),
        Column("95\u00a0% interval", "words"),
    ]
    rows = [
        [
            Cell(str(row["title"])),
            Cell(f.count(row["rows"])),
            Cell(_rows(row["equal_rows"], row["beyond"], points)),
            Cell(_interval(row["low"], row["high"], points)),
        ]
        for _, row in found.equivalence.iterrows()
    ]
    return Table("equal", f"Rows at which {found.baseline} does as well", columns, rows)


def _rows(value: float, beyond: str, points: pd.Series) -> str:
    if beyond == "above":
        return f"more than {points.max()}"
    return f"fewer than {points.min()}" if beyond == "below" else f.number(value, 0)


def _interval(low: float, high: float, points: pd.Series) -> str:
    ends = dict.fromkeys((_end(low, points), _end(high, points)))
    return " to ".join(ends)


def _end(value: float, points: pd.Series) -> str:
    if not np.isfinite(value):
        return f"more than {points.max()}"
    return f.number(value, 0) if value > 0 else f"fewer than {points.min()}"
