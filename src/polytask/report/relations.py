"""What the page shows of how the tasks are related."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from polytask.inspection import TaskRelatedness
from polytask.inspection.displays import CoefficientSpreadDisplay, TaskRelatednessDisplay
from polytask.inspection.displays.style import digits_for
from polytask.report import formats as f
from polytask.report.figures import draw
from polytask.report.tables import Cell, Column, Table, cut

__all__ = ["relatedness_content"]

_MOST_FEATURES = 60
_MOST_DEVIATIONS = 60


def relatedness_content(found: TaskRelatedness) -> dict[str, Any]:
    """Sentences, figures and tables of the section."""
    map_, spread = TaskRelatednessDisplay(found), CoefficientSpreadDisplay.from_results(found)
    headline, _, rest = found.text.partition(". ")
    return {
        "headline": f"{headline}.",
        "text": rest.replace(" %", "\u00a0%"),
        "map": draw(
            map_, key="rel", title="Correlations of tasks", height=map_.height(), narrow_height=4.9
        ),
        "block": map_.block_,
        "spread": draw(spread, key="spread", title="Coefficients", height=spread.height()),
        "tasks": _tasks_table(found),
        "coefficients": _coefficients_table(found),
        "deviations": _deviations_table(found),
        "apart": bool(found.outliers["outlier"].any()),
        "method": found.method,
    }


def _tasks_table(found: TaskRelatedness) -> Table:
    frame = found.outliers.sort_values("distance", ascending=False, kind="stable")
    columns = [
        Column("Task", "text"),
        Column("Group"),
        Column("Rows"),
        Column("Correlation with the others"),
        Column("Distance"),
        Column("Directions"),
        Column("q"),
        Column("Stands apart", "words"),
    ]
    rows = [
        [
            Cell(str(row["task"])),
            Cell(_group(row["group"], found.groups.count)),
            Cell(f.count(row["rows"])),
            Cell(f.number(row["mean_correlation"], 2)),
            Cell(f.number(np.sqrt(row["distance"]), 1)),
            Cell(f.count(row["directions"])),
            Cell(f.number(row["q"], 3)),
            Cell("apart" if row["outlier"] else ""),
        ]
        for _, row in frame.iterrows()
    ]
    caption = "Tasks by their robust distance from what the tasks have in common, farthest first"
    return cut(Table("relations", caption, columns, rows))


def _group(group: int, count: int) -> str:
    if count < 2:
        return f.MISSING
    return "none" if group < 0 else str(group + 1)


def _coefficients_table(found: TaskRelatedness) -> Table:
    frame = found.coefficients.sort_values("spread", ascending=False, kind="stable")
    digits = digits_for(pd.concat([frame["common"], frame["spread"]]))
    columns = [
        Column("Feature", "text"),
        Column("Common (w0)"),
        Column("95\u00a0% interval", "interval"),
        Column("Spread between tasks"),
        Column("95\u00a0% interval", "interval"),
        Column("q"),
        Column("Differs", "words"),
    ]
    rows = [
        [
            Cell(str(row["feature"])),
            Cell(f.difference(row["common"], digits)),
            Cell(f.interval(row["common_low"], row["common_high"], digits, sign=True)),
            Cell(f.number(row["spread"], digits)),
            Cell(f.interval(row["spread_low"], row["spread_high"], digits)),
            Cell(f.number(row["q"], 3)),
            Cell("differs" if row["differs"] else ""),
        ]
        for _, row in frame.head(_MOST_FEATURES).iterrows()
    ]
    shown = f", the {_MOST_FEATURES} largest spreads of {len(frame):,}"
    more = shown if len(frame) > _MOST_FEATURES else ", largest spread first"
    caption = f"Coefficients per standard deviation of the feature{more}"
    return Table("spread", caption, columns, rows)


def _deviations_table(found: TaskRelatedness) -> Table:
    """The deviations of tasks that are largest for their standard errors."""
    common = found.coefficients["common"].to_numpy()
    deviation, error = found.coef - common, np.maximum(found.coef_std, 1e-300)
    sure = np.abs(deviation) / error
    first = np.argsort(-sure, axis=None, kind="stable")[:_MOST_DEVIATIONS]
    digits = digits_for(deviation.ravel()[first])
    columns = [
        Column("Task", "text"),
        Column("Feature", "words"),
        Column("Common (w0)"),
        Column("Deviation (Δw)"),
        Column("95\u00a0% interval", "interval"),
    ]
    rows = []
    for task, feature in zip(*np.unravel_index(first, deviation.shape), strict=True):
        value, half = deviation[task, feature], 1.96 * error[task, feature]
        rows.append(
            [
                Cell(str(found.tasks[task])),
                Cell(str(found.coefficients["feature"].iloc[feature])),
                Cell(f.difference(common[feature], digits)),
                Cell(f.difference(value, digits)),
                Cell(f.interval(value - half, value + half, digits, sign=True)),
            ]
        )
    caption = (
        f"Deviations of tasks from the common coefficients, the {len(rows)} clearest of "
        f"{deviation.size:,}"
    )
    return Table("deviations", caption, columns, rows)
