"""What training saw of each feature, and where a table to predict for is unlike it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from polytask.tables.columns import inspect_column
from polytask.tables.errors import TableError, name_list, plural

__all__ = ["Seen", "unlike_training"]


@dataclass(frozen=True)
class Seen:
    """A feature in training.

    Attributes
    ----------
    kind : {"numeric", "boolean", "categorical"}
    gaps : bool
        Whether values were missing.
    levels : tuple of str
        Categories, empty for numbers.
    unit : str
        Currency or unit that stood beside the numbers.
    """

    kind: str
    gaps: bool
    levels: tuple[str, ...] = ()
    unit: str = ""


def unlike_training(
    table: pd.DataFrame, X: pd.DataFrame, seen: Mapping[str, Seen], units: Mapping[str, str]
) -> tuple[str, ...]:
    """A sentence on every feature with values that training had not, or that are filled.

    Parameters
    ----------
    table : DataFrame
        As read.
    X : DataFrame
        The features made of it.
    seen : dict of str to Seen
    units : dict of str to str
        As read now.

    Raises
    ------
    TableError
        If a column holds another kind of thing than in training: another unit, numbers that were
        true or false.
    """
    told: list[str] = []
    for name, feature in seen.items():
        if feature.kind == "categorical":
            told += _new_levels(X[name], feature)
        else:
            told += _other_kind(table[name], X[name], feature, units.get(name, ""))
        told += _gaps(X[name], feature)
    return tuple(told)


def _new_levels(labels: pd.Series, feature: Seen) -> list[str]:
    new = labels[labels.notna() & ~labels.isin(feature.levels)]
    if new.empty:
        return []
    count = plural(len(new), "row")
    verb = "holds" if len(new) == 1 else "hold"
    return [
        f"{count} {verb} a category of {labels.name!r} that was not in training "
        f"({name_list(new.unique(), 4)}): predicted as no known category, or as the rare ones."
    ]


def _other_kind(raw: pd.Series, numbers: pd.Series, feature: Seen, unit: str) -> list[str]:
    if unit != feature.unit and numbers.notna().any():
        now, then = (f"numbers with {u!r}" if u else "numbers without a unit" for u in
                     (unit, feature.unit))  # fmt: skip
        raise TableError(
            f"column {raw.name!r} must be written as in training; it holds {now}, and the model "
            f"was fitted on {then}. Write them alike."
        )
    kind = inspect_column(raw).kind
    if feature.kind == "boolean" and not numbers.dropna().isin([0.0, 1.0]).all():
        raise TableError(
            f"column {raw.name!r} must hold true and false as in training; it holds numbers, "
            f"such as {numbers.dropna().max():.10g}. Write the truth values, or 0 and 1."
        )
    if feature.kind == "numeric" and kind == "boolean":
        return [f"{raw.name!r} holds true and false where training had numbers: taken as 1 and 0."]
    return []


def _gaps(values: pd.Series, feature: Seen) -> list[str]:
    count = int(values.isna().sum())
    if not count:
        return []
    where = "" if feature.gaps else ", where training had none"
    filled = "filled as the model learned to"
    if feature.kind == "categorical":
        filled = "a category of its own" if feature.gaps else "predicted as no known category"
    return [f"{plural(count, 'gap')} in {values.name!r}{where}: {filled}."]
