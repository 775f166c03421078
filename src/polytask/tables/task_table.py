"""From a table and the names of its task and target to what the models are fitted on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from polytask.data.order import stable_order
from polytask.tables.care import Rows, take_care
from polytask.tables.columns import Column, as_feature, inspect_column
from polytask.tables.dependence import dependent_rows, groups_of, times_of
from polytask.tables.errors import TableError, find_column, name_list, plural
from polytask.tables.event_times import event_column, read_event_times
from polytask.tables.further import further_columns
from polytask.tables.preprocess import check_names
from polytask.tables.restarts import crossed_or_nested
from polytask.tables.row_roles import held_columns, rows_to_keep, weights_of
from polytask.tables.target_shape import target_shape
from polytask.tables.targets import Target, flat_tasks, read_target
from polytask.tables.task_ids import check_repeats, read_ids
from polytask.tables.training import Seen

__all__ = ["TaskTable", "choose_features", "make_task_table"]


@dataclass(frozen=True, eq=False)
class TaskTable:
    """A table made ready: features, task ids, target, and what was decided on the way.

    Attributes
    ----------
    X : DataFrame of shape (n, d + 1)
        Numeric features as floats, categorical ones as text, NaN for missing; the task column
        last. Its index holds the row numbers of the source, from 0.
    y : Series of shape (n,), or DataFrame of times and events
    task, target : str
        Column names.
    numeric, categorical : tuple of str
        The feature columns by kind; true/false columns are numeric.
    kind : {"regression", "classification", "survival"}
    classes : tuple
        The two class labels, empty for a regression.
    id_form : {"integer", "text"}
        How task ids are stored.
    notes : tuple of str
        Rows and columns left out, decisions taken.
    booleans : tuple of str
        The numeric columns that hold true and false.
    units : dict of str to str
        Currencies and units that were left off in reading, by column.
    warnings : tuple of str
        What may make the answer wrong.
    targets : tuple of str
        Columns of the source of which each is a task, () where a column held the tasks.
    together : ndarray of shape (n,) or None
        Row of the source that each row is about, where several are about one.
    loss : str
        What models are to take the target for.
    groups, time, weights : ndarray of shape (n,) or None
        Who each row is of, when it was, and how much it counts.
    within_between : tuple of str
        Features whose means by task are features too, see `WithinBetween`.
    transform, scale_target : str or None
        What models are to do to the target, see `ScaledTargetRegressor`.
    groupings : tuple of tuple of str
        The columns of every grouping of the rows, the task first; () where the task is the only.
    id_forms : dict of str to str
        How the ids of the further columns are stored.
    levels : tuple of str
        Names of ordered levels, of which y holds the places; () for other targets.
    quantiles : tuple of float
        Those that models are to predict, () where they predict means.
    event : str
        The column that says whether the event came at the time in ``target``; "" for none.
    """

    X: pd.DataFrame
    y: Any
    task: str
    target: str
    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    kind: str
    classes: tuple[Any, ...]
    id_form: str
    notes: tuple[str, ...] = field(default=())
    booleans: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    together: np.ndarray | None = None
    loss: str = "auto"
    groups: np.ndarray | None = None
    time: np.ndarray | None = None
    weights: np.ndarray | None = None
    within_between: tuple[str, ...] = ()
    transform: str | None = None
    scale_target: str | None = None
    groupings: tuple[tuple[str, ...], ...] = ()
    id_forms: Mapping[str, str] = field(default_factory=dict)
    levels: tuple[str, ...] = ()
    quantiles: tuple[float, ...] = ()
    event: str = ""

    def ids_of(self, name: str) -> np.ndarray:
        """The ids in a column of a further grouping."""
        return np.asarray(self.X[name].unique())

    @property
    def spec(self) -> Any:
        """The parameter ``task`` of a model that knows all groupings."""
        return list(self.groupings) if self.groupings else self.task

    def in_task_order(self) -> TaskTable:
        """The same with the rows of each task together, which models then need not gather."""
        order = stable_order(pd.factorize(self.X[self.task], sort=True)[0])
        held = {name: getattr(self, name) for name in ("together", "groups", "time", "weights")}
        moved = {name: values[order] for name, values in held.items() if values is not None}
        return replace(self, X=self.X.iloc[order], y=self.y.iloc[order], **moved)

    def without_features(self) -> TaskTable:
        """What is known of the table; features are in memory no longer where nobody else has them.

        ``seen`` stays what it is, while `X` holds ids alone.
        """
        facts = replace(self, X=self.X[[self.task, *self.id_forms]])
        vars(facts)["seen"] = self.seen
        return facts

    @cached_property
    def seen(self) -> dict[str, Seen]:
        """What training sees of every feature."""
        return {name: self._seen(name) for name in self.features}

    def _seen(self, name: str) -> Seen:
        kind = "boolean" if name in self.booleans else "numeric"
        levels: tuple[str, ...] = ()
        if name in self.categorical:
            kind, levels = "categorical", tuple(sorted(self.X[name].dropna().unique().tolist()))
        gaps = bool(self.X[name].isna().any())
        return Seen(kind, gaps, levels, self.units.get(name, ""))

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the feature columns, in the order of `X`."""
        return tuple(n for n in self.X.columns if n != self.task and n not in self.id_forms)

    @property
    def task_ids(self) -> tuple[Any, ...]:
        """Every task."""
        return tuple(sorted(self.X[self.task].unique().tolist()))

    @property
    def n_rows(self) -> int:
        """Rows that have a task and a target."""
        return len(self.y)

    @property
    def sizes(self) -> pd.Series:
        """Rows of every task."""
        return self.X[self.task].value_counts(sort=False)


def make_task_table(
    table: pd.DataFrame,
    task: str,
    target: str,
    *,
    features: Sequence[str] | None = None,
    categorical: Sequence[str] = (),
    kind: str = "auto",
    loss: str = "auto",
    units: Mapping[str, str] | None = None,
    groups: str | None = None,
    time: str | None = None,
    weights: str | None = None,
    groupings: Sequence[tuple[str, ...]] = (),
    event: str | None = None,
    within_between: Sequence[str] = (),
) -> TaskTable:
    """Choose rows, columns and kinds.

    Rows without a target or a task id are left out and counted in the notes; a task with a
    single row stays, for training.

    Parameters
    ----------
    table : DataFrame
    task, target : str
        Columns of the task ids and of the target.
    features : sequence of str, optional
        Columns to learn from; all others but dates, ids and empty columns by default.
    categorical : sequence of str
        Columns whose values are labels although they look like numbers.
    kind : {"auto", "regression", "classification", "ordinal"}
        "auto" takes a target with two distinct values for a classification.
    loss : str, default="auto"
        What regressors take the target for; "auto" tells counts and shares by themselves.
    units : dict of str to str, optional
        Currencies and units that were left off in reading, by column.
    groups, time, weights : str, optional
        Columns that say who each row is of, when it was, or how much it counts: no features, unless
        ``features`` names them too. Rows of weight zero are left out.
    groupings : sequence of tuple of str
        The columns of every grouping of the rows, that of the task first, where there are several.
    event : str, optional
        Column that says whether the event came at the time in ``target`` (1) or the row was
        censored (0).
    within_between : sequence of str
        Features of numbers whose means by task are to be features too.

    Raises
    ------
    TableError
        If a column is absent, cannot serve its purpose, or no row or feature is left.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"school": [1, 1, 2], "hours": [3.0, 4.0, 5.0], "score": [1, 2, 4]})
    >>> make_task_table(table, "school", "score").numeric
    ('hours',)
    """
    table = table.reset_index(drop=True)
    table.columns = [str(name) for name in table.columns]
    task, target = _roles(list(table.columns), task, target)
    groups, time, weights = held_columns(list(table.columns), task, target, groups, time, weights)
    taken = (task, target, groups, time, weights)
    event = event_column(list(table.columns), event, taken, features)
    further = further_columns(list(table.columns), groupings, task, target)
    rows, notes = rows_to_keep(table, task, target, further, weights=weights, event=event)
    whole = rows
    ids, id_form, id_notes = read_ids(rows[task])
    beside = {name: read_ids(rows[name])[:2] for name in further}
    rows = rows.drop(columns=[*further, *([event] if event else [])])
    check_repeats(ids.nunique(), len(ids), task)
    if event is None:
        found = read_target(rows[target], kind, loss)
    else:
        found = read_event_times(rows[target], whole[event], ids, kind, loss)
    held = [name for name in (groups, time, weights) if name and features is None]
    chosen, left_out = choose_features(
        rows.drop(columns=held), task, target, features, categorical, n_rows=len(table)
    )
    check_names(chosen, rows, task)
    numeric = tuple(c.name for c in chosen if c.kind != "categorical")
    means = tuple(dict.fromkeys(find_column(n, numeric, "within-between") for n in within_between))
    made = {c.name: as_feature(rows[c.name], c.kind) for c in chosen}
    X = pd.DataFrame(made, index=rows.index, copy=False)
    ordered = len(found.classes) <= 2
    counts = None if weights is None else weights_of(whole[weights])
    care = list(take_care(Rows(X, found.numbers, ids, task, target, means, ordered, counts)))
    by_name = {task: ids, **{name: values for name, (values, _) in beside.items()}}
    care += crossed_or_nested(by_name, groupings, X, found.numbers, target)
    if loss == found.loss == "auto" and found.kind == "regression":
        care += target_shape(found.numbers, ids, target)
    if groups is None and time is None and len(chosen):
        others = rows.drop(columns=held)
        care += dependent_rows(others, X, found.numbers, ids, task, target)
    X[task] = ids
    for name, (values, _) in beside.items():
        X[name] = values
    notes = (
        *notes,
        *id_notes,
        *found.notes,
        *left_out,
        *_missing_notes(chosen),
        *_flat(found, ids),
    )
    return TaskTable(
        X, found.y, task, target,
        numeric,
        tuple(c.name for c in chosen if c.kind == "categorical"),
        found.kind, found.classes, id_form, notes,
        tuple(c.name for c in chosen if c.kind == "boolean"), units or {},
        tuple(finding.text for finding in care), loss=found.loss,
        groups=None if groups is None else groups_of(whole[groups]),
        time=None if time is None else times_of(whole[time]),
        weights=counts,
        groupings=tuple(groupings), id_forms={name: form for name, (_, form) in beside.items()},
        levels=found.levels,
        event=event or "", within_between=means,
    )  # fmt: skip


def choose_features(
    rows: pd.DataFrame,
    task: str,
    target: str,
    features: Sequence[str] | None = None,
    categorical: Sequence[str] = (),
    *,
    n_rows: int,
) -> tuple[list[Column], tuple[str, ...]]:
    """The columns to learn from, and a note on each kind of column that was left out.

    ``n_rows`` counts the whole table, of which `rows` are those that can be used.
    """
    names = [name for name in rows.columns if name not in (task, target)]
    labels = {find_column(name, names, "categorical") for name in categorical}
    if features is None:
        wanted = names
    else:
        wanted = [_feature(name, list(rows.columns), task, target) for name in features]
    columns = [
        inspect_column(rows[name], categorical=name in labels, n_rows=n_rows)
        for name in dict.fromkeys(wanted)
    ]
    chosen, left_out = _sort_out(columns, rows, asked=features is not None)
    if columns and not chosen:  # a table of task and target alone is one of levels
        raise TableError(
            f"must leave a column to learn from; besides {task!r} and {target!r} the table has "
            f"{_without(left_out)}. Name columns that hold numbers or categories.",
            "features",
        )
    return chosen, _left_out_notes(left_out)


def _roles(columns: list[str], task: str, target: str) -> tuple[str, str]:
    task = find_column(task, columns, "task")
    target = find_column(target, columns, "target")
    if task == target:
        raise TableError(
            f"must be another column than the task; got {target!r} for both.", "target"
        )
    return task, target


def _feature(name: str, columns: list[str], task: str, target: str) -> str:
    found = find_column(name, columns, "features")
    if found in (task, target):
        role = "task" if found == task else "target"
        raise TableError(f"must not contain the {role}; got {found!r}. Leave it out.", "features")
    return found


def _sort_out(
    columns: list[Column], rows: pd.DataFrame, asked: bool
) -> tuple[list[Column], list[Column]]:
    chosen, left_out = [], []
    for column in columns:
        if column.usable:
            chosen.append(column)
        elif column.kind == "mixed" or (asked and column.kind not in ("id", "empty")):
            raise TableError(
                f"column {column.name!r} must be numeric or categorical; it {column.problem}. "
                f"To go on, {column.remedy}."
            )
        elif asked and column.kind == "id":
            chosen.append(_asked_for(column, rows[column.name]))
        else:
            left_out.append(column)
    return chosen, left_out


def _asked_for(column: Column, values: pd.Series) -> Column:
    """An id-like column that the user named: numbers are numbers, text is a category."""
    kind = "numeric" if pd.api.types.is_numeric_dtype(values.dtype) else "categorical"
    return replace(column, kind=kind, problem="", remedy="")


def _left_out_notes(columns: list[Column]) -> tuple[str, ...]:
    return tuple(f"Column {c.name!r} was left out: it {c.problem} ({c.remedy})." for c in columns)


def _without(columns: list[Column]) -> str:
    if not columns:
        return "no column"
    return f"only {name_list([c.name for c in columns])}, which cannot be used"


def _missing_notes(columns: list[Column]) -> tuple[str, ...]:
    holes = [c for c in columns if c.missing]
    if not holes:
        return ()
    count = sum(c.missing for c in holes)
    return (
        f"{plural(count, 'missing feature value')} in {name_list([c.name for c in holes])} filled "
        "inside the training folds: numbers by their mean with an indicator column, categories "
        "by a category of their own.",
    )


def _flat(found: Target, ids: pd.Series) -> tuple[str, ...]:
    """A note on tasks in which the target never varies."""
    flat = flat_tasks(found.y, ids)
    if not flat:
        return ()
    what = "a single class" if found.kind == "classification" else "a constant target"
    verb = "holds" if len(flat) == 1 else "hold"
    return (
        f"{plural(len(flat), 'task')} ({name_list(flat, 4)}) {verb} {what}: alone such a task can "
        "only repeat it, and its score means little.",
    )
