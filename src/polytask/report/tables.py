"""The report's tables: plain strings in columns, ready for the template."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pandas as pd

from polytask.inspection.comparison import Comparison
from polytask.inspection.displays.style import digits_for
from polytask.report import formats as f

MOST_ROWS = 300  # a longer table keeps its best and worst rows in view, the rest in a template
METRIC_DIGITS = 4  # models differ in the third
_ENDS = 50
_ROLES = {
    "baseline": "baseline",
    "means": "looks at no feature",
    "non-joint": "not a multi-task model",
}


class Column(NamedTuple):
    """A column: its heading, and whether it holds text, numbers, intervals or labels."""

    title: str
    kind: str = "number"


class Spark(NamedTuple):
    """A small picture of an interval: places in per cent of the width of the cell."""

    low: float
    value: float
    high: float
    zero: float


class Cell(NamedTuple):
    """A cell: its text, a remark in small print, a label whose chip it is, a small picture."""

    text: str
    note: str = ""
    label: str = ""
    spark: Spark | None = None


class Table(NamedTuple):
    """A table; `rest` are rows from the middle that show on demand."""

    key: str
    caption: str
    columns: list[Column]
    rows: list[list[Cell]]
    best: int | None = None
    rest: Sequence[list[Cell]] = ()
    searchable: bool = False


def models_table(comparison: Comparison) -> Table:
    """Every model with the primary metric, its gain, the tasks it helps and its time."""
    models = comparison.models
    digits = digits_for(models["metric"], METRIC_DIGITS)
    level = f"{100 * comparison.level:g}\u00a0% interval"
    columns = [
        Column("Model", "text"),
        Column(f.sentence(comparison.metric_title)),
        Column(level, "interval"),
        Column("Spread"),
        Column(f"Gain over {comparison.baseline}"),
        Column(level, "interval"),
        Column("Tasks that gain"),
        Column("Tasks harmed"),
        Column("Time per fit"),
    ]
    rows = [_model_row(row, comparison, digits) for _, row in models.iterrows()]
    best = [i for i, chosen in enumerate(models["recommended"]) if chosen]
    caption = f"Models by {comparison.metric_title}, best first"
    return Table("models", caption, columns, rows, best[0] if best else None)


def _model_row(row: pd.Series, comparison: Comparison, digits: int) -> list[Cell]:
    against = row["name"] != comparison.baseline and row["status"] == "ok"
    note = _ROLES.get(row["role"], "")
    if row["recommended"]:
        note = "recommended"
    if row["status"] != "ok":
        note = f"failed: {row['reason']}"
    texts = [
        f.number(row["metric"], digits),
        f.interval(row["low"], row["high"], digits),
        f.number(row["spread"], digits),
        f.percent(row["gain"], sign=True) if against else f.MISSING,
        f.percent_interval(row["gain_low"], row["gain_high"]) if against else f.MISSING,
        f.count(row["n_gains"]) if against else f.MISSING,
        f.count(row["n_harmed"]) if against else f.MISSING,
        f.seconds(row["seconds"]),
    ]
    return [Cell(str(row["title"]), note), *map(Cell, texts)]


def metrics_table(comparison: Comparison) -> Table:
    """Every model with every metric."""
    columns = [Column("Model", "text")]
    digits = {}
    for _, metric in comparison.metrics.iterrows():
        columns.append(Column(f.sentence(str(metric["title"]))))
        digits[metric["column"]] = digits_for(comparison.models[metric["column"]], METRIC_DIGITS)
    rows = [
        [Cell(str(row["title"])), *(Cell(f.number(row[c], d)) for c, d in digits.items())]
        for _, row in comparison.models.iterrows()
        if row["status"] == "ok"
    ]
    return Table("metrics", "Every metric of every model, on held-out rows", columns, rows)


def tasks_table(comparison: Comparison) -> Table:
    """Every task with its gain and label, the largest gain first."""
    tasks = comparison.tasks.sort_values("gain", ascending=False, na_position="last", kind="stable")
    loss, gain = digits_for(tasks["loss_baseline"]), digits_for(tasks["gain"], 2)
    columns = [
        Column("Task", "text"),
        Column("Label", "label"),
        Column("Rows"),
        Column("Gain"),
        Column(f"{100 * comparison.level:g}\u00a0% interval", "interval"),
        Column("Shrunken gain"),
        Column("Loss alone"),
        Column("Loss together"),
        Column("q"),
        Column("Rows to decide"),
    ]
    frame = _frame(tasks)
    rows = [list(_task_row(row, loss, gain, frame)) for _, row in tasks.iterrows()]
    caption = (
        f"Gain of {comparison.verdict.focus} over {comparison.baseline} in "
        f"{comparison.loss_title}, by {comparison.task}"
    )
    return cut(Table("tasks", caption, columns, rows, searchable=True))


def cut(table: Table) -> Table:
    """Keep the ends of a long table in view, the rest on demand."""
    rows = table.rows
    if len(rows) <= MOST_ROWS:
        return table
    return table._replace(rows=rows[:_ENDS] + rows[-_ENDS:], rest=rows[_ENDS:-_ENDS])


def _frame(tasks: pd.DataFrame) -> tuple[float, float]:
    """Ends of the small pictures: nine tenths of the intervals and zero lie inside."""
    low, high = tasks["low"].dropna(), tasks["high"].dropna()
    if low.empty:
        return 0.0, 1.0
    left, right = min(float(low.quantile(0.05)), 0.0), max(float(high.quantile(0.95)), 0.0)
    return (left, right) if right > left else (left, left + 1.0)


def _spark(row: pd.Series, frame: tuple[float, float]) -> Spark | None:
    if not (row["low"] == row["low"] and row["high"] == row["high"]):
        return None
    left, right = frame
    places = [
        round(min(max(100 * (value - left) / (right - left), 0.0), 100.0), 1)
        for value in (row["low"], row["gain"], row["high"], 0.0)
    ]
    return Spark(*places)


def _task_row(row: pd.Series, loss: int, gain: int, frame: tuple[float, float]) -> Iterator[Cell]:
    yield Cell(str(row["task"]))
    yield Cell(str(row["label"]), label=str(row["label"]))
    yield Cell(f.count(row["rows"]))
    yield Cell(f.difference(row["gain"], gain))
    interval = f.interval(row["low"], row["high"], gain, sign=True)
    yield Cell(interval, spark=_spark(row, frame))
    yield Cell(f.difference(row["shrunken"], gain))
    yield Cell(f.number(row["loss_baseline"], loss))
    yield Cell(f.number(row["loss_focus"], loss))
    yield Cell(f.number(row["q"], 3))
    yield Cell(f.about(row["rows_to_decide"]))


def coefficients_table(summary: pd.DataFrame, most: int = 40) -> Table:
    """Return the largest coefficients: w0, and the spread of the tasks around it."""
    digits = digits_for(pd.concat([summary["common"], summary["spread_joint"]]))
    columns = [
        Column("Feature", "text"),
        Column("Common (w0)"),
        Column("Spread alone"),
        Column("Spread together"),
        Column("Smallest to largest task", "interval"),
    ]
    rows = [
        [
            Cell(str(row["feature"])),
            Cell(f.difference(row["common"], digits)),
            Cell(f.number(row["spread_single"], digits)),
            Cell(f.number(row["spread_joint"], digits)),
            Cell(f.interval(row["low_joint"], row["high_joint"], digits, sign=True)),
        ]
        for _, row in summary.head(most).iterrows()
    ]
    shown = f"the {most} largest of {len(summary):,}" if len(summary) > most else "largest first"
    caption = f"Coefficients of the joint model and their standard deviation over tasks, {shown}"
    return Table("coefficients", caption, columns, rows)


def strengths_table(comparison: Comparison) -> Table | None:
    """Return what each model chose inside the training folds; None where no model chooses."""
    models = comparison.models[comparison.models["status"] == "ok"]
    rows = [
        [Cell(str(title)), Cell(str(strengths))]
        for title, strengths in zip(models["title"], models["strengths"], strict=True)
        if strengths
    ]
    columns = [Column("Model", "text"), Column("Chosen", "words")]
    caption = "Hyper-parameters, chosen inside the training folds"
    return Table("strengths", caption, columns, rows) if rows else None


def folds_table(comparison: Comparison, most: int = 30) -> Table | None:
    """Return the recommended model fold by fold."""
    verdict = comparison.verdict
    name = verdict.model or verdict.focus
    folds = comparison.folds[comparison.folds["name"] == name].head(most)
    if folds.empty:
        return None
    digits = digits_for(folds[comparison.metric], METRIC_DIGITS)
    columns = [
        Column("Repeat and fold", "text"),
        Column("Training rows"),
        Column("Held-out rows"),
        Column(f.sentence(comparison.metric_title)),
        Column("Time"),
        Column("Chosen", "words"),
    ]
    rows = [
        [Cell(text) for text in _fold_row(row, comparison, digits)] for _, row in folds.iterrows()
    ]
    return Table("folds", f"{verdict.title or name}, fold by fold", columns, rows)


def _fold_row(row: pd.Series, comparison: Comparison, digits: int) -> list[str]:
    return [
        f"{row['repeat'] + 1}.{row['fold'] + 1}",
        f.count(row["n_train"]),
        f.count(row["n_test"]),
        f.number(row[comparison.metric], digits),
        f.seconds(row["seconds"]),
        str(row["strengths"]) or f.MISSING,
    ]
