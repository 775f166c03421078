"""Metrics of a comparison: which columns, and their values per model and per fold."""

from __future__ import annotations

import numpy as np
import pandas as pd

from polytask.inspection.out_of_fold import OutOfFold
from polytask.inspection.sample import Sample
from polytask.inspection.statistics import resampled_interval, resampled_t
from polytask.model_selection.metrics import METRICS, Metric

__all__ = ["fold_scores", "metric_columns", "model_scores", "primary_column"]

_SHOWN = {
    "regression": ("rmse", "mae", "explained_variance", "explained_variance_within"),
    "classification": ("log_loss", "auc", "average_precision", "brier", "accuracy"),
}
# An average over tasks of these is ruled by the tasks whose target hardly varies.
_ROWS_ONLY = {"explained_variance", "explained_variance_within"}
_WORDS = {"tasks": "mean over tasks", "rows": "over all rows"}


def primary_column(metric: str | None, kind: str) -> str:
    """The column that ranks models, from a metric's name, a column's name, or None.

    Examples
    --------
    >>> primary_column(None, "regression"), primary_column("auc_rows", "classification")
    ('rmse_tasks', 'auc_rows')
    """
    metric = metric or _SHOWN[kind][0]
    name, _, average = metric.rpartition("_")
    if name not in METRICS or average not in _WORDS:
        name, average = metric, "rows" if metric in _ROWS_ONLY else "tasks"
    allowed = [m.name for m in METRICS.values() if m.kind == kind]
    if name not in allowed:
        raise ValueError(
            f"compare_tasks: metric must be one of {', '.join(allowed)} for {kind} "
            f"(each with _tasks or _rows at its end, if wished); got {metric!r}."
        )
    return f"{name}_{average}"


def metric_columns(kind: str, primary: str) -> pd.DataFrame:
    """The metrics shown: column, title, metric, average, greater_is_better; the primary first."""
    columns = [primary]
    for name in _SHOWN[kind]:
        averages = ("rows",) if name in _ROWS_ONLY else ("tasks", "rows")
        columns += [f"{name}_{average}" for average in averages]
    return pd.DataFrame([_describe(column) for column in dict.fromkeys(columns)])


def _describe(column: str) -> dict[str, object]:
    name, _, average = column.rpartition("_")
    metric = METRICS[name]
    plain = name in _ROWS_ONLY and average == "rows"
    return {
        "column": column,
        "title": metric.title if plain else f"{metric.title}, {_WORDS[average]}",
        "metric": name,
        "average": average,
        "greater_is_better": metric.greater_is_better,
    }


def _values(
    columns: pd.DataFrame, y: np.ndarray, predicted: np.ndarray, codes: np.ndarray
) -> dict[str, float]:
    found = {}
    for column, name, average in columns[["column", "metric", "average"]].itertuples(index=False):
        metric = METRICS[name]
        guess = _as_needed(metric, predicted)
        if average == "tasks":
            found[column] = metric.summary(metric.per_task(y, guess, codes)).mean
        else:
            found[column] = float(metric.pooled(y, guess, codes))
    return found


def _as_needed(metric: Metric, predicted: np.ndarray) -> np.ndarray:
    if metric.kind == "classification" and metric.needs == "predict":
        return (predicted > 0.5).astype(float)
    return predicted


def fold_scores(found: OutOfFold, sample: Sample, columns: pd.DataFrame) -> pd.DataFrame:
    """The records of all fits with the metrics on each fold's test rows, NaN where failed."""
    records = found.records()
    rows = []
    for fits in found.fits.values():
        for fold, fit in zip(found.folds, fits, strict=True):
            test = fold.test
            if fit.predictions is None:
                rows.append(dict.fromkeys(columns["column"], np.nan))
            else:
                rows.append(_values(columns, sample.y[test], fit.predictions, sample.codes[test]))
    return pd.concat([records, pd.DataFrame(rows)], axis=1)


def model_scores(
    found: OutOfFold, sample: Sample, columns: pd.DataFrame, folds: pd.DataFrame, level: float
) -> pd.DataFrame:
    """Per model: metrics over all out-of-fold rows, mean of the repeats; spread and interval.

    The value is that of all tested rows together, because a task with few rows has too few in a
    single fold for an RMSE or an AUC; the spread and the interval's width come from the folds.
    Rank metrics compare rows of one fold only (predictions of different fits need not be on one
    scale), so theirs is the mean over folds.
    """
    rows = []
    for name in found.fits:
        mine = folds[folds["name"] == name]
        row: dict[str, object] = {"name": name}
        row |= _overall(found.predictions.get(name), sample, columns, mine)
        values = mine[columns["column"].iloc[0]].to_numpy(float)
        if name not in found.predictions:
            values = values[:0]  # a model that failed on one fold has no score
        sizes = float(mine["n_train"].mean()), float(mine["n_test"].mean())
        row["spread"] = resampled_t(values, *sizes, level)[0]
        row["low"], row["high"] = resampled_interval(
            _number(row[columns["column"].iloc[0]]), values, *sizes,
            bounds=METRICS[columns["metric"].iloc[0]].bounds, level=level,
        )  # fmt: skip
        rows.append(row)
    return pd.DataFrame(rows)


def _number(value: object) -> float:
    assert isinstance(value, float)
    return value


def _overall(
    predictions: np.ndarray | None, sample: Sample, columns: pd.DataFrame, folds: pd.DataFrame
) -> dict[str, float]:
    if predictions is None:
        return dict.fromkeys(columns["column"], np.nan)
    repeats = []
    for predicted in predictions:
        there = np.isfinite(predicted)
        repeats.append(_values(columns, sample.y[there], predicted[there], sample.codes[there]))
    means = pd.DataFrame(repeats).mean()
    overall = {str(column): float(value) for column, value in means.items()}
    for column, name in columns[["column", "metric"]].itertuples(index=False):
        if METRICS[name].by_rank and folds[column].notna().any():
            overall[column] = float(folds[column].mean())
    return overall
