"""What will be a problem in a table, one small function for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from pandas.util import hash_pandas_object

from polytask.sources.prepare import MAX_CATEGORIES
from polytask.tables.care import take_care
from polytask.tables.columns import filled
from polytask.tables.dependence import dependent_rows
from polytask.tables.errors import name_list, plural
from polytask.tables.facts import Facts
from polytask.tables.finding import SEVERITIES, Finding
from polytask.tables.target_shape import target_shape
from polytask.tables.targets import flat_tasks

__all__ = ["Finding", "find_all"]


_ODD = np.array([1, 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], dtype=np.uint64)


def find_all(facts: Facts, more: tuple[Finding, ...] = ()) -> tuple[Finding, ...]:
    """Every finding, and more that are known already, the worst first."""
    found = [*more, *(finding for check in CHECKS for finding in check(facts))]
    return tuple(sorted(found, key=lambda finding: SEVERITIES.index(finding.severity)))


def _target(facts: Facts) -> Iterator[Finding]:
    if facts.target_problem:
        yield Finding("error", facts.target_problem)
    missing = len(facts.table) - len(filled(facts.table[facts.target], words=True))
    if missing:
        share = f"{plural(missing, 'row')} ({missing / len(facts.table):.1%})"
        yield Finding("note", f"{share} without a target will be left out.")


def _tasks(facts: Facts) -> Iterator[Finding]:
    missing = len(facts.table) - len(filled(facts.table[facts.task]))
    if missing:
        yield Finding("note", f"{plural(missing, 'row')} without a task id will be left out.")
    m, n = len(facts.sizes), len(facts.rows)
    if m == 1:
        remedy = "Choose the column that says which rows belong together."
        yield Finding("error", f"{facts.task!r} holds a single task: nothing to compare.", remedy)
    elif m == n:
        remedy = "Choose the column that says which rows belong together."
        yield Finding("error", f"Every row has a {facts.task!r} of its own.", remedy)
    elif m > n / 2:
        what = f"{m:,} tasks in {n:,} rows: most tasks are too small to be learned or scored."
        yield Finding("warning", what, "Is there a coarser grouping?")
    for note in facts.id_notes:
        yield Finding("warning", note)


def _single_rows(facts: Facts) -> Iterator[Finding]:
    single = facts.sizes.index[facts.sizes == 1]
    if 0 < len(single) < len(facts.rows):
        what = f"{plural(len(single), 'task')} of a single row ({name_list(single, 4)})"
        yield Finding("note", f"{what}: used for training, but cannot be scored.")


def _small_tasks(facts: Facts) -> Iterator[Finding]:
    small = int((facts.sizes < facts.width).sum())
    if small:
        have = "has" if small == 1 else "have"
        what = (
            f"{small:,} of {plural(len(facts.sizes), 'task')} {have} fewer rows than the "
            f"{facts.width} columns a linear model sees: alone they cannot be fitted without a "
            "penalty."
        )
        yield Finding("note", what, "Here learning together can help most.")


def _target_by_task(facts: Facts) -> Iterator[Finding]:
    if facts.found is None:
        return
    flat = flat_tasks(facts.found.y, facts.ids)
    if not flat:
        return
    if len(flat) == (facts.sizes > 1).sum() and facts.found.y.nunique() > 1:
        what = f"{facts.target!r} is the same in all rows of every task: nothing is left to predict"
        remedy = (
            "Keep one row a task, for an ordinary model; or name another target, or ask about new "
            "tasks (polytask.inspection.NewTasks)."
        )
        yield Finding("error", f"{what} inside a known task.", remedy)
        return
    count = f"{plural(len(flat), 'task')} ({name_list(flat, 4)})"
    if facts.found.kind == "classification":
        what = f"{count} hold a single class: they have no AUC, and alone can only repeat it."
    else:
        what = f"{count} have a constant target: alone they can only repeat it."
    yield Finding("warning", what, "Scores of such tasks mean little; look at the others.")


def _rare_class(facts: Facts) -> Iterator[Finding]:
    if facts.found is None or facts.found.kind != "classification":
        return
    share = float(facts.found.y.value_counts(normalize=True).min())
    if share < 0.02:
        rarest = "rarer" if len(facts.found.classes) == 2 else "rarest"
        what = f"The {rarest} class has {share:.2%} of the rows."
        yield Finding("warning", what, "Accuracy says nothing here; judge by AUC or log-loss.")


def _left_out(facts: Facts) -> Iterator[Finding]:
    for column in facts.columns:
        if column.usable:
            continue
        remedy = column.remedy[:1].upper() + column.remedy[1:] + "."
        if column.kind == "mixed":
            yield Finding("error", f"Column {column.name!r} {column.problem}.", remedy)
        else:
            what = f"Column {column.name!r} {column.problem} and will be left out."
            yield Finding("note", what, remedy)
    if not facts.columns:
        what = "There is no column to learn from: models know the levels of the tasks alone."
        yield Finding("note", what, "Add numbers or categories, if there are any.")
    elif not facts.usable:
        yield Finding("error", "No column is left to learn from.", "Add numbers or categories.")


def _infinite(facts: Facts) -> Iterator[Finding]:
    numbers = facts.X.select_dtypes("number")
    endless = [c for c in numbers.columns if np.isinf(numbers[c].to_numpy()).any()]
    if endless:
        what = f"Infinite values in {name_list(endless)}."
        yield Finding("error", what, "Correct them, or leave them empty.")


def _missing(facts: Facts) -> Iterator[Finding]:
    n = len(facts.rows)
    sparse = [c.name for c in facts.usable if c.missing > n / 2]
    if sparse:
        what = f"More than half of the values are missing in {name_list(sparse)}."
        yield Finding("warning", what, "Consider to leave them out.")
    absent = [name for name in facts.X if (facts.levels[name] == 0).any()]
    if absent:
        what = f"In some tasks no row has a value of {name_list(absent)}."
        remedy = "Imputed values there come from the other tasks."
        yield Finding("warning", what, remedy)


def _constant(facts: Facts) -> Iterator[Finding]:
    overall = [c.name for c in facts.usable if c.distinct == 1 and not c.missing]
    if overall:
        what = f"Constant in the whole table, so without information: {name_list(overall)}."
        yield Finding("note", what, "Leave out what never varies.")
    task_level = [name for name in task_level_features(facts) if name not in overall]
    if task_level:
        what = (
            f"Constant inside every task: {name_list(task_level)}. They tell tasks apart, and only "
            "a model that learns tasks together can use them."
        )
        yield Finding("note", what)
    some = [name for name in facts.X if name not in (*overall, *task_level)]
    shares = facts.levels.loc[facts.sizes.index[facts.sizes > 1], some] <= 1
    partly = [name for name in some if shares[name].mean() > 0.2]
    if partly:
        yield Finding(
            "note", f"Constant inside more than a fifth of the tasks: {name_list(partly)}."
        )


def task_level_features(facts: Facts) -> list[str]:
    """Features that vary over the table but never inside a task of two rows or more."""
    several = facts.levels[facts.sizes.reindex(facts.levels.index) > 1]
    return [] if several.empty else [str(n) for n in facts.X if (several[n] <= 1).all()]


def _duplicates(facts: Facts) -> Iterator[Finding]:
    target, ids = facts.rows[facts.target], facts.ids
    if not pd.api.types.is_numeric_dtype(target.dtype):
        target = target.astype(str)
    parts = (hash_pandas_object(part, index=False).to_numpy() for part in (facts.X, target, ids))
    mixed = sum(k * part for k, part in zip(_ODD, parts, strict=True))
    alike = pd.Series(mixed).duplicated(keep=False).to_numpy()  # few rows are held side by side
    plain = facts.X[alike].assign(**{facts.target: target[alike], facts.task: ids[alike]})
    copies = int(plain.duplicated().sum())
    if copies:
        repeat = "repeats" if copies == 1 else "repeat"
        what = f"{plural(copies, 'row')} {repeat} another row in task, features and target."
        # Rows of counts and categories meet by chance; rows with a continuous target do not.
        continuous = facts.rows[facts.target].nunique() > 0.5 * len(facts.rows)
        severity = "warning" if continuous else "note"
        remedy = "If they are copies, remove them: a copy in the test rows makes scores too good."
        yield Finding(severity, what, remedy)


def _care(facts: Facts) -> Iterator[Finding]:
    """What may make the answer wrong; the same is told above a verdict."""
    if facts.found is not None:
        yield from take_care(facts.as_rows(facts.found))


def _target_shape(facts: Facts) -> Iterator[Finding]:
    """Numbers that plain squared error serves badly, where nothing else was asked for."""
    found = facts.found
    if (
        found is not None
        and found.kind == "regression"
        and facts.asked_loss == found.loss == "auto"
    ):
        yield from target_shape(found.numbers, facts.ids, facts.target)


def _dependence(facts: Facts) -> Iterator[Finding]:
    """Rows that look like those of a few people, or like rows in time."""
    if facts.found is not None and not facts.held:
        y = facts.found.numbers
        yield from dependent_rows(facts.rows, facts.X, y, facts.ids, facts.task, facts.target)


def _id_inside(facts: Facts) -> Iterator[Finding]:
    """Whole numbers of which nearly every row of a task has one of its own."""
    suspects = []
    for column in facts.usable:
        if column.kind != "numeric" or column.distinct < 20 or len(facts.sizes) < 2:
            continue
        values = facts.X[column.name].dropna()
        own = facts.levels[column.name].sum() > 0.9 * len(values)
        each = column.distinct == len(values) == np.ptp(values) + 1  # numbers all the rows
        some = column.distinct < len(values) or each
        if own and some and (values == values.round()).all():
            suspects.append(column.name)
    if suspects:
        what = f"Whole numbers, nearly all distinct inside a task: {name_list(suspects)}."
        yield Finding("note", what, "Leave such a column out if it is an id inside the task.")


def _many_levels(facts: Facts) -> Iterator[Finding]:
    many = [c.name for c in facts.usable if c.kind == "categorical" and c.distinct > MAX_CATEGORIES]
    if many:
        what = f"More than {MAX_CATEGORIES} categories in {name_list(many)}"
        yield Finding(
            "note",
            f"{what}: the rarest share a column.",
            "Or take such a column as the task.",
        )


def _dominant(facts: Facts) -> Iterator[Finding]:
    share = float(facts.sizes.max() / facts.sizes.sum())
    if len(facts.sizes) > 3 and share > 0.5:
        what = f"Task {str(facts.sizes.idxmax())!r} has {share:.0%} of the rows."
        remedy = "Averages over rows speak mostly of it; look at averages over tasks."
        yield Finding("note", what, remedy)


CHECKS: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
    _target, _tasks, _target_by_task, _rare_class, _left_out, _infinite, _missing, _constant,
    _duplicates, _care, _target_shape, _dependence, _single_rows, _small_tasks, _id_inside,
    _many_levels, _dominant,
)  # fmt: skip
