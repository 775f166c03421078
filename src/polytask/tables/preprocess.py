"""What happens to the columns before a model sees them, fitted inside the training folds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from polytask.tables.columns import Column, as_labels
from polytask.tables.errors import TableError

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.pipeline import Pipeline

__all__ = ["check_names", "level_name", "make_task_pipeline"]

MAX_CATEGORIES = 50  # of a feature; the rarest share one column


def make_task_pipeline(
    model: Any, task: str, numeric: Sequence[str], categorical: Sequence[str]
) -> Pipeline:
    """A model behind the preprocessing that linear models need.

    Numbers: median for missing values, an indicator column where some were missing in training,
    then mean 0 and standard deviation 1. Categories: a 0/1 column per category; missing is a
    category of its own, categories not seen in training are all zeros. The task column passes
    untouched and comes last.

    Parameters
    ----------
    model : estimator
        With its ``task`` set to `task`.
    task : str
    numeric, categorical : sequence of str

    Returns
    -------
    Pipeline
        Steps ``prepare`` and ``model``.

    Examples
    --------
    >>> from sklearn.dummy import DummyRegressor
    >>> make_task_pipeline(DummyRegressor(), "school", ["age"], ["sex"]).steps[-1][0]
    'model'
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OneHotEncoder

    one_hot = OneHotEncoder(
        handle_unknown="infrequent_if_exist",
        max_categories=MAX_CATEGORIES,
        sparse_output=False,
        feature_name_combiner=level_name,
    )
    steps = [
        ("numeric", _scaled_numbers(), list(numeric)),
        ("categorical", one_hot, list(categorical)),
        ("task", "passthrough", [task]),
    ]
    prepare = ColumnTransformer([s for s in steps if s[2]], verbose_feature_names_out=False)
    return Pipeline([("prepare", prepare.set_output(transform="pandas")), ("model", model)])


def level_name(feature: str, level: Any) -> str:
    """Name of the column of one category, such as ``sex=F``; missing is ``sex=(missing)``."""
    return f"{feature}=(missing)" if level is None or level != level else f"{feature}={level}"


def check_names(columns: Sequence[Column], rows: pd.DataFrame, task: str) -> None:
    """Refuse column names that the columns made by preprocessing would repeat."""
    names = {column.name for column in columns} | {task}
    for column in columns:
        made = {f"missingindicator_{column.name}"}
        if column.kind == "categorical":
            levels = as_labels(rows[column.name]).dropna().unique()
            made = {level_name(column.name, level) for level in (*levels, None)}
        for name in sorted(made & names):
            raise TableError(
                f"columns must have names that preprocessing does not make; {name!r} would also "
                f"be made from {column.name!r}. Rename it or leave it out with --features."
            )


def _scaled_numbers() -> Pipeline:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    impute = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    return Pipeline([("impute", impute), ("scale", StandardScaler())])
