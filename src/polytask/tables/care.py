"""What may make the answer about a table wrong, seen in its rows: told above every verdict."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from polytask.data.distinct import has_more_than
from polytask.data.gross_rows import gross_targets
from polytask.data.task_medians import task_medians
from polytask.tables.errors import name_list, plural
from polytask.tables.finding import Finding
from polytask.tables.leaks import NEAR_ONE, correlations, fixing_features, some_rows
from polytask.tables.levels import level_slopes
from polytask.tables.number_cells import GAP_MARKS
from polytask.tables.restarts import restarting
from polytask.tables.wide import TASK, VALUE

__all__ = ["Rows", "spread_by_task", "take_care"]

COPY, ALIKE = 0.98, 0.5  # correlations of a near copy, and of what has the target's name
HUNDREDFOLD, TENTH = 100.0, 0.1
LEAST_ROWS = 6  # of a task whose spread is looked at
MOST_SHOWN = 3
FAR = 10.0  # times the middle half's width
APART = 3.0  # times as far as the farthest of the others
FEW = 0.02  # share of the cells
MOST_LABELS = 30  # of a target of classes, levels or small counts
TOTAL = re.compile(
    r"((grand|sub)[ -]?)?totals?|total g[eé]n[eé]ral|totale?n?|totaal|summe|sum|suma|"
    r"(gesamt|zwischen|end)[ -]?(summe)?|insgesamt|overall|всего|итого|合計|总计|總計"
)


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows as the models see them.

    Attributes
    ----------
    X : DataFrame of shape (n, d)
        Features: floats, or text; missing values as NaN.
    y : ndarray of shape (n,)
        The target, of classes their places among them.
    ids : Series of shape (n,)
        Task of each row.
    task, target : str
        Names.
    with_means : tuple of str
        Features whose means by task are features too.
    ordered : bool
        Whether a larger y means more, which it does not of three classes.
    weights : ndarray of shape (n,) or None
        How much rows count, such as trials or exposure.
    """

    X: pd.DataFrame
    y: np.ndarray
    ids: pd.Series
    task: str
    target: str
    with_means: tuple[str, ...] = ()
    ordered: bool = True
    weights: np.ndarray | None = None

    @cached_property
    def code(self) -> np.ndarray:
        """Task of each row as a number from 0 on, shape (n,)."""
        return np.asarray(pd.factorize(self.ids)[0])


def take_care(rows: Rows) -> tuple[Finding, ...]:
    """Findings of all checks."""
    return tuple(finding for check in CHECKS for finding in check(rows))


def _restarts(rows: Rows) -> Iterator[Finding]:
    """Ids inside tasks that would be taken for numbers."""
    for name in restarting(rows.X, rows.y, rows.code):
        yield Finding(
            "warning",
            f"{name!r} counts from the start in every {rows.task!r}, and one number means another "
            f"level of the target in another {rows.task!r}: it looks like an id inside, such as a "
            "class in a school, and is taken for a slope.",
            f"If so, write --task {rows.task}/{name} (task=['{rows.task}/{name}'] in Python).",
        )


def _leaks(rows: Rows) -> Iterator[Finding]:
    remedy = "Leave out what is not known before the target is."
    for told in fixing_features(rows.X, rows.y, rows.code):
        yield Finding("warning", told, remedy)
    if rows.weights is None or not rows.ordered:
        return
    for name in rows.X.select_dtypes("number"):  # hits or misses, where the target is hits / trials
        same = [
            max(map(abs, correlations(values, rows.y, rows.code))) > NEAR_ONE
            for values in (rows.X[name] / rows.weights, rows.X[name])
        ]
        if same == [True, False]:
            what = (
                f"{name!r} over the weights fixes the target: all but equal to it, up to its unit."
            )
            yield Finding("warning", what, remedy)


def _other_outcomes(rows: Rows) -> Iterator[Finding]:
    """Near copies of the target, and what is called like it and goes with it."""
    words, some = set(_words(rows.target)), some_rows(len(rows.y))
    X, y, code = rows.X.select_dtypes("number").iloc[some], rows.y[some], rows.code[some]
    for name in X:
        like = bool(words) and words <= set(_words(str(name)))
        goes = max(abs(r) for r in correlations(X[name], y, code))
        if not (COPY if not like else ALIKE) <= goes <= NEAR_ONE:
            continue
        what = "is called like the target" if like else "is nearly a copy of the target"
        yield Finding(
            "warning",
            f"{name!r} {what} {rows.target!r} and goes with it (correlation {goes:.2f}): is it "
            "known before the target is, or another outcome?",
            "Leave it out if it is not.",
        )


def _words(name: str) -> list[str]:
    return [w.lower() for w in re.findall(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+|\d+", name)]


def _counted_cells(rows: Rows) -> Iterator[Finding]:
    """A table of counts: each label of a combination of features once, weighted by how often."""
    s, y = rows.weights, rows.y
    if s is None or (s != np.round(s)).any() or np.ptp(s) == 0 or has_more_than(y, MOST_LABELS):
        return
    cell = rows.X.assign(**{rows.task: rows.ids})
    codes = cell.groupby(list(cell), dropna=False, sort=False).ngroup().to_numpy()
    once = not pd.DataFrame({"cell": codes, "y": y}).duplicated().any()
    if once and (np.bincount(codes)[codes] > 1).mean() > 0.5 and (y == np.round(y)).all():
        what = (
            f"Rows seem to be counts: each {rows.target!r} of a combination of features is there "
            "once, with a weight. A row that is held out takes all that it counts with it."
        )
        yield Finding("warning", what, "Write the table out, a row for each that was counted.")


def _scales(rows: Rows) -> Iterator[Finding]:
    """Numbers whose spread differs a hundredfold: one coefficient means other things by task."""
    for name in rows.X.select_dtypes("number"):
        x = rows.X[name].to_numpy(float)
        if _in_one_unit(x, rows.code):
            continue
        spread = spread_by_task(x, rows.code)
        known = np.bincount(rows.code, np.isfinite(x))[spread.index]
        size = np.bincount(rows.code, np.abs(np.nan_to_num(x)))[spread.index] / known
        unit = spread.clip(lower=TENTH * size)  # what hardly varies in a task is in no other unit
        if len(unit) < 2 or unit.max() < HUNDREDFOLD * unit.min():
            continue
        ends = (unit.idxmax(), unit.idxmin())
        most, least = (rows.ids.iloc[int(np.argmax(rows.code == at))] for at in ends)
        yield Finding(
            "warning",
            f"{name!r} varies {spread.max() / spread.min():,.0f} times as much in task {most!s} as "
            f"in {least!s}: one coefficient cannot mean the same in both.",
            "Take its logarithm, its share of the task's total, or scale it by task.",
        )


def _in_one_unit(x: np.ndarray, code: np.ndarray) -> bool:
    """Whether spreads surely differ less than a hundredfold, told by squares without medians.

    With n rows of a task, squares Q about its mean and at most F of one of them, values in a range
    r, the spread about any middle is at most sqrt(n Q) / (n - 1), and without one row at least
    (Q - F n / (n - 1)) / (r (n - 1)).
    """
    known = np.isfinite(x)
    if not known.all():
        x, code = x[known], code[known]
    count = np.bincount(code)
    many = count >= LEAST_ROWS
    if many.sum() < 2:
        return True
    n, total, sizes = count[many], np.bincount(code, x), np.bincount(code, np.abs(x))
    mean = total / np.maximum(count, 1)
    squares = np.bincount(code, (x - mean[code]) ** 2)[many]
    low, high, mean = x.min(), x.max(), mean[many]
    farthest = np.maximum(high - mean, mean - low) ** 2
    most = np.sqrt(n * squares) / (n - 1)
    least = (squares - farthest * n / (n - 1)) / np.maximum((high - low) * (n - 1), 1e-300)
    tenth = TENTH * sizes[many] / n
    return bool(np.maximum(most, tenth).max() < HUNDREDFOLD * np.maximum(least, tenth).min())


def _levels(rows: Rows) -> Iterator[Finding]:
    """Features whose means go with the levels of the tasks."""
    if not rows.ordered:
        return
    for name, inside, between in level_slopes(rows.X, rows.y, rows.code):
        if name in rows.with_means:
            continue
        yield Finding(
            "warning",
            f"{name!r} goes with the level of the tasks: {rows.target!r} changes by {inside:.3g} a "
            f"unit of it inside a task, by {between:.3g} between the tasks' means. A coefficient "
            "in common mixes the two.",
            f"Say --within-between {name}: its mean by task is then one more feature "
            "(WithinBetween in Python).",
        )


def spread_by_task(values: np.ndarray, code: np.ndarray) -> pd.Series:
    """Mean absolute deviation of each task without its largest, which one wrong cell makes.

    Of tasks by their numbers in ``code``, as far as they have rows enough and vary.
    """
    known = np.isfinite(values)
    x, code = values[known], code[known]
    away = np.abs(x - task_medians(x, code)[code])
    count = np.bincount(code)
    largest = np.zeros(len(count))
    np.maximum.at(largest, code, away)
    spread = (np.bincount(code, away) - largest) / np.maximum(count - 1, 1)
    return pd.Series(spread)[(count >= LEAST_ROWS) & (spread > 0)]


def _far_cells(rows: Rows) -> Iterator[Finding]:
    """A few cells far outside all others, as where a value has another unit."""
    for name in rows.X.select_dtypes("number"):
        values = rows.X[name].dropna()
        if _is_narrow(values.to_numpy(float)):
            continue
        low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
        away = (values - middle).abs()
        far = away > FAR * (high - low)
        of_task = far[far].groupby(rows.ids[values[far].index].to_numpy()).size()
        wide = (rows.task, rows.target) == (TASK, VALUE)  # each task has all rows of the table
        count = int(of_task.max() if wide and far.any() else far.sum())
        if not (low < high and 0 < count <= max(1, FEW * len(values))):
            continue
        if away[far].min() > APART * away[~far].max():
            first = values[far].index[0]
            yield Finding(
                "warning",
                f"{plural(count, 'cell')} of {name!r} far from all others, such as "
                f"{values[first]:.6g} in row {first + 1}: such cells decide what linear models "
                "learn.",
                "Are they in another unit? Correct them, or leave them empty.",
            )


def _is_narrow(values: np.ndarray) -> bool:
    """Whether no value can be far from the others, told without their quartiles.

    More than a quarter of them are up to one value, and from another on: the quartiles are outside.
    """
    if not len(values):
        return True
    low, high = np.quantile(values[some_rows(len(values))], [0.3, 0.7])
    ends = np.count_nonzero(values <= low), np.count_nonzero(values >= high)
    return bool(min(ends) > len(values) // 4 + 1 and np.ptp(values) <= FAR * (high - low))


def _far_targets(rows: Rows) -> Iterator[Finding]:
    """Targets far from all others of their tasks, of positive ones in logarithms, too."""
    if not rows.ordered or not has_more_than(rows.y, MOST_LABELS):
        return
    far = gross_targets(rows.y, rows.code)
    if far.any() and rows.y.min() > 0:
        far &= gross_targets(np.log(rows.y), rows.code)
    if far.any():
        first, count = int(np.argmax(far)), int(far.sum())
        whose = "its task" if count == 1 else "their tasks"
        yield Finding(
            "warning",
            f"{plural(count, 'value')} of {rows.target!r} far from all others of {whose}, such as "
            f"{rows.y[first]:.6g} in row {rows.ids.index[first] + 1}: such values decide what is "
            "learned, and what is said of it.",
            "Correct them, or leave them empty, or say --loss huber.",
        )


def _spellings(rows: Rows) -> Iterator[Finding]:
    """North, NORTH and "North " are three labels, and probably one thing."""
    for name, labels in _labels(rows):
        same = labels.groupby(labels.map(_spelled)).agg(list)
        several = [sorted(found) for found in same if len(found) > 1]
        if several:
            shown = "; ".join(name_list(found, 4) for found in several[:MOST_SHOWN])
            yield Finding(
                "warning",
                f"Labels in {name!r} that differ by blanks, case or accents only: {shown}.",
                "Where they are one thing, write them alike.",
            )


def _gap_words(rows: Rows) -> Iterator[Finding]:
    """NA is a label where a column holds labels, and may have been meant as none."""
    for name, labels in _labels(rows):
        found = sorted({label for label in labels if label.strip() in GAP_MARKS})
        if found:
            what = f"Labels in {name!r} that may stand for a gap: {name_list(found)}."
            yield Finding("warning", what, f"If so, say --missing {','.join(found)}.")


def _totals(rows: Rows) -> Iterator[Finding]:
    """Rows that are the sum of others."""
    remedy = "Leave out rows that are sums of others."
    for name, labels in _labels(rows):
        found = [label for label in labels if TOTAL.fullmatch(label.strip(" :.").casefold())]
        if found:
            what = f"{name!r} holds {name_list(found)}: are these rows totals of the others?"
            yield Finding("warning", what, remedy)
    n = len(rows.y)
    whole = has_more_than(rows.y, 2)
    if n > 3 and whole and _is_sum(rows.y[-1], rows.y[:-1]):
        row = rows.ids.index[-1] + 1
        yield Finding("warning", f"{rows.target!r} in row {row} is the sum of all others.", remedy)
    sums = pd.Series(rows.y).groupby(rows.ids.to_numpy()).sum()
    if len(sums) > 3 and whole and _is_sum(sums.max(), sums.drop(sums.idxmax()).to_numpy()):
        what = f"{rows.target!r} of task {sums.idxmax()!s} sums to that of all other tasks."
        yield Finding("warning", what, remedy)


def _is_sum(value: float, parts: np.ndarray) -> bool:
    total, size = float(parts.sum()), float(np.abs(parts).sum())
    return size > 0 and value != 0 and abs(value - total) <= 1e-9 * size


def _labels(rows: Rows) -> Iterator[tuple[str, pd.Series]]:
    """Distinct labels of the task and of every column of labels."""
    for name, values in [(rows.task, rows.ids), *rows.X.items()]:
        if not pd.api.types.is_numeric_dtype(values.dtype):
            distinct = values.dropna().drop_duplicates()
            yield str(name), distinct[distinct.map(lambda v: isinstance(v, str)).astype(bool)]


def _spelled(label: str) -> str:
    """The label without case, accents and blanks at the ends or doubled."""
    letters = unicodedata.normalize("NFKD", label.casefold())
    shown = (c for c in letters if unicodedata.category(c) != "Cf")  # no invisible marks
    plain = "".join(c for c in shown if not unicodedata.combining(c))
    return " ".join(plain.split())


CHECKS: tuple[Callable[[Rows], Iterator[Finding]], ...] = (
    _restarts,
    _leaks,
    _other_outcomes,
    _counted_cells,
    _scales,
    _levels,
    _far_cells,
    _far_targets,
    _totals,
    _spellings,
    _gap_words,
)
