"""The target: whether it is a number to estimate or a class."""

from __future__ import annotations

import decimal
import numbers
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from polytask.responses import Response, find_response, likely_response
from polytask.tables.columns import as_feature, as_labels, inspect_column
from polytask.tables.errors import TableError, name_list, plural

__all__ = [
    "KINDS", "Target", "check_ends", "find_loss", "flat_tasks", "read_target", "taken_for",
]  # fmt: skip

MOST_CLASSES = 30
KINDS = ("auto", "regression", "classification", "ordinal")


@dataclass(frozen=True)
class Target:
    """The target of every row that has one.

    Attributes
    ----------
    y : Series or DataFrame
        Floats for a regression, of named levels their places in the order; class labels (integers,
        booleans or text) for a classification; of a survival a DataFrame, the times and whether
        the event came (1 or 0).
    kind : {"regression", "classification", "survival"}
    classes : tuple
        The labels in the order of a classifier's ``classes_``; empty for a regression.
    notes : tuple of str
    loss : str
        What models are to take it for.
    levels : tuple of str
        Names of ordered levels, the lowest first; () where y are numbers or classes.
    """

    y: Any
    kind: str
    classes: tuple[Any, ...] = ()
    notes: tuple[str, ...] = ()
    loss: str = "auto"
    levels: tuple[str, ...] = ()

    @property
    def numbers(self) -> np.ndarray:
        """The target as floats: of classes their places among ``classes``, of a survival times."""
        if self.kind == "survival":
            return self.y.iloc[:, 0].to_numpy(dtype=float)
        if not self.classes:
            return self.y.to_numpy(dtype=float)
        return self.y.map({label: k for k, label in enumerate(self.classes)}).to_numpy(dtype=float)


def read_target(values: pd.Series, kind: str = "auto", loss: str = "auto") -> Target:
    """Decide what the target is: text, or two distinct values, make a classification.

    An ordered categorical column makes ordered levels.

    Parameters
    ----------
    values : Series
        The target without missing values.
    kind : {"auto", "regression", "classification", "ordinal"}
        Overrules the decision; "ordinal" is a regression with the loss of that name.
    loss : str, default="auto"
        What regressors are to take it for, such as "poisson". "auto" is decided by the numbers
        (counts, shares, amounts with zeros) where the kind is "auto" too.

    Raises
    ------
    TableError
        If the target is constant, holds text that is nearly everywhere another, dates, or text
        among numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> read_target(pd.Series(["no", "yes", "no"], name="passed")).classes
    ('no', 'yes')
    """
    if kind not in KINDS:
        raise TableError(f"must be one of {name_list(KINDS)}; got {kind!r}.", "kind")
    column = inspect_column(values)
    _refuse(values, column.kind, column.problem, column.remedy)
    distinct = int(values.nunique())
    if distinct == 1:
        raise TableError(
            f"must vary; {str(values.name)!r} is {values.iloc[0]!s} in every row, so there is "
            "nothing to learn. Choose another column.",
            "target",
        )
    if kind == "ordinal" and loss not in ("auto", "ordinal"):
        raise TableError(f"must be ordinal, or left out, for --kind ordinal; got {loss!r}.", "loss")
    if _is_ordered(values) and kind in ("auto", "ordinal") and loss in ("auto", "ordinal"):
        return _of_levels(values)
    if kind == "ordinal":
        kind, loss = "regression", "ordinal"
    unsaid = kind == "auto" and loss == "auto"
    if kind == "classification" or (unsaid and distinct == 2 and not _measured(values)):
        return _classes(values, distinct)
    if column.kind not in ("numeric", "boolean") and not _numbers(values):
        if not unsaid or distinct > _most_classes(values):
            raise TableError(_not_numeric(values, distinct, unsaid), "target")
        return _classes(values, distinct)
    return _of_numbers(as_feature(values, "numeric"), kind, loss)


def _numbers(values: pd.Series) -> bool:
    """Whether the values are stored as numbers; those that count the rows may be a target."""
    return bool(values.map(lambda v: isinstance(v, numbers.Number | decimal.Decimal)).all())


def _measured(values: pd.Series) -> bool:
    """Whether the values are numbers with fractions: two of them are no classes."""
    return _numbers(values) and not (values.astype(float) % 1 == 0).all()


def _is_ordered(values: pd.Series) -> bool:
    return isinstance(values.dtype, pd.CategoricalDtype) and bool(values.dtype.ordered)


def _of_levels(values: pd.Series) -> Target:
    """Places of the levels that occur, in their order."""
    held = values.cat.remove_unused_categories().cat
    levels = tuple(as_labels(pd.Series(held.categories)))
    note = (
        f"The target {str(values.name)!r} has ordered levels, {' < '.join(levels)}, so models take "
        "it for that (--loss ordinal); --kind classification takes them for classes."
    )
    return Target(held.codes.astype(float), "regression", (), (note,), "ordinal", levels)


def _of_numbers(y: pd.Series, kind: str, loss: str) -> Target:
    values, name = y.to_numpy(dtype=float), str(y.name)
    if loss == "auto" and kind == "auto":
        loss, why = likely_response(values)
        notes = (taken_for(name, loss, why),) if why else ()
        return Target(y, "regression", (), notes, loss)
    response = find_loss(loss)
    try:
        place = response.targets.first_outside(values)
        if place is None:
            response.check(values, "")
    except ValueError as error:
        raise TableError(f"must suit the target {name!r}{error}", "loss") from error
    if place is not None:
        row = f"got {values[place]:g} in row {y.index[place[0]] + 1} of the table (its first is 1)"
        raise _unsuited(name, loss, response, row)
    return Target(y, "regression", (), (), loss)


def find_loss(loss: str) -> Response:
    """The response that ``--loss`` names for numbers."""
    try:
        return find_response("", loss, has_labels=False)
    except ValueError as error:
        told = str(error).removeprefix(": ").removeprefix("loss ")
        if not told.startswith("must"):
            told = f"must be one that can be used; got {loss!r}. {told}"
        raise TableError(told, "loss") from error


def check_ends(target: str, loss: str, low: float, high: float) -> None:
    """Refuse a loss that the smallest or the largest number of a target does not suit."""
    response, ends = find_loss(loss), np.array([low, high])
    place = response.targets.first_outside(ends)
    if place is not None:
        raise _unsuited(target, loss, response, f"it holds {ends[place]:g}")


def _unsuited(target: str, loss: str, response: Response, found: str) -> TableError:
    rule, remedy = response.targets.rule, response.targets.remedy
    told = f"must suit the target {target!r}, which must be {rule} for {loss!r}; {found}. {remedy}"
    return TableError(told, "loss")


def taken_for(target: str, loss: str, why: str) -> str:
    """The note on a loss that nobody named."""
    return (
        f"The target {target!r} holds {why}, so models take it for that (--loss {loss}); "
        "--loss squared takes it for plain numbers."
    )


def flat_tasks(y: pd.Series | pd.DataFrame, ids: pd.Series) -> list[Any]:
    """Ids of the tasks of two rows or more in which the target is the same in every row.

    Examples
    --------
    >>> import pandas as pd
    >>> flat_tasks(pd.Series([1, 1, 0, 1, 0]), pd.Series(["a", "a", "b", "b", "c"]))
    ['a']
    """
    if isinstance(y, pd.DataFrame):  # times and events
        return []
    code, tasks = pd.factorize(ids, sort=True)
    numbers = isinstance(y.dtype, np.dtype) and y.dtype.kind in "bif"
    values = y.to_numpy() if numbers else pd.factorize(y)[0]
    first = np.zeros(len(tasks), dtype=values.dtype)
    first[code[::-1]] = values[::-1]
    differ = np.bincount(code, values != first[code], len(tasks))
    flat: list[Any] = tasks[(differ == 0) & (np.bincount(code, minlength=len(tasks)) > 1)].tolist()
    return flat


def _refuse(values: pd.Series, kind: str, problem: str, remedy: str) -> None:
    if kind in ("date", "nested", "empty"):
        raise TableError(
            f"must be numeric or have two classes; {str(values.name)!r} {problem}: {remedy}.",
            "target",
        )
    if kind == "mixed":
        raise TableError(
            f"must be numeric or have two classes; {str(values.name)!r} {problem}. Correct the "
            "value, or leave it empty: rows without a target are left out.",
            "target",
        )


def _classes(values: pd.Series, distinct: int) -> Target:
    if distinct > _most_classes(values):
        raise TableError(
            f"must have at most {_most_classes(values)} distinct values for a classification (of "
            f"two rows each, and {MOST_CLASSES} in all); {str(values.name)!r} has {distinct}. Join "
            "rare ones, or make a column of the class that matters (this class or not).",
            "target",
        )
    y = _class_labels(values)
    classes = tuple(sorted(y.unique().tolist()))
    if distinct > 2:
        counts = y.value_counts()
        (most, *_, rarest), times = counts.index.tolist(), counts.to_numpy()
        note = (
            f"The target {str(values.name)!r} has {distinct} values, so this is a classification: "
            f"{most!r} is the most frequent ({times[0] / len(y):.1%}), "
            f"{rarest!r} the rarest ({plural(int(times[-1]), 'row')}). Of levels "
            "that have an order, --levels says it."
        )
        return Target(y, "classification", classes, (note,))
    note = (
        f"The target {str(values.name)!r} has two values, so this is a classification of "
        f"{classes[1]!r} against {classes[0]!r} ({(y == classes[1]).mean():.1%} are "
        f"{classes[1]!r})."
    )
    return Target(y, "classification", classes, (note,))


def _most_classes(values: pd.Series) -> int:
    """Distinct values from which a target is text or numbers, but no class."""
    return max(2, min(MOST_CLASSES, len(values) // 2))


def _class_labels(values: pd.Series) -> pd.Series:
    """Integers stay integers (also when stored as floats), booleans booleans; the rest is text."""
    if pd.api.types.is_bool_dtype(values.dtype):
        return values.astype(bool)
    if values.map(lambda v: isinstance(v, bool | np.bool_)).all():
        return values.astype(bool)
    if pd.api.types.is_numeric_dtype(values.dtype):
        found = as_feature(values, "numeric")
        if (found == found.round()).all():
            return found.astype(np.int64)
    return as_labels(values)


def _not_numeric(values: pd.Series, distinct: int, unsaid: bool) -> str:
    shown = name_list(values.astype(str).value_counts().index.tolist(), most=4)
    ordered = "Say their order if they have one (--levels low,medium,high)"
    if not unsaid:
        return (
            f"must be numeric for a regression; {str(values.name)!r} has {distinct} of text "
            f"({shown}). {ordered}, or leave --kind and --loss out."
        )
    return (
        f"must be numeric for a regression, or have at most {_most_classes(values)} distinct "
        f"values, which are classes; {str(values.name)!r} has {distinct} of text ({shown}). Join "
        "rare ones, or give them numbers if they are ordered."
    )
