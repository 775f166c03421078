"""The metrics of a comparison from sums of losses, by the formulas of `METRICS`."""

from __future__ import annotations

import numpy as np
import pandas as pd

from polytask.inspection.scores import metric_columns
from polytask.inspection.statistics import resampled_interval, resampled_t
from polytask.model_selection.metrics import METRICS
from polytask.sources.score import LOSSES, LossTotals

__all__ = ["summed_columns", "summed_fold_scores", "summed_model_scores"]

_LOSS_OF = {
    "rmse": "squared error", "mae": "absolute error", "nmse": "squared error",
    "explained_variance": "squared error", "explained_variance_within": "squared error",
    "log_loss": "log loss", "brier": "Brier score", "accuracy": "wrong predictions",
}  # fmt: skip


def summed_columns(kind: str, primary: str) -> pd.DataFrame:
    """The metrics shown, without those that look at the order of rows.

    Raises
    ------
    ValueError
        If the primary one is such.
    """
    columns = metric_columns(kind, primary)
    kept = ~columns["metric"].map(lambda name: METRICS[name].by_rank)
    if not kept.iloc[0]:
        raise ValueError(
            f"compare_parquet: metric must be a mean over rows; got {primary!r}, which ranks all "
            "rows against one another. Take log_loss, brier or accuracy, or compare in memory."
        )
    return columns[kept].reset_index(drop=True)


def summed_fold_scores(
    records: pd.DataFrame, totals: LossTotals, names: list[str], columns: pd.DataFrame, kind: str
) -> pd.DataFrame:
    """``records`` with the metrics on each fold's rows; NaN where a model failed."""
    rows = []
    for name, fold in records[["name", "fold"]].itertuples(index=False):
        if name in names:
            only = np.arange(totals.rows.shape[1]) == fold
            rows.append(_values(totals, names.index(name), only, columns, kind))
        else:
            rows.append(dict.fromkeys(columns["column"], np.nan))
    return pd.concat([records, pd.DataFrame(rows)], axis=1)


def summed_model_scores(
    folds: pd.DataFrame, totals: LossTotals, names: list[str], columns: pd.DataFrame, kind: str,
    level: float,
) -> pd.DataFrame:  # fmt: skip
    """Per model: metrics over all out-of-fold rows; spread and interval from the folds."""
    rows = []
    every = np.ones(totals.rows.shape[1], dtype=bool)
    for name, mine in folds.groupby("name", sort=False):
        row: dict[str, object] = {"name": name}
        values = mine[columns["column"].iloc[0]].to_numpy(float)
        if name in names:
            row |= _values(totals, names.index(str(name)), every, columns, kind)
        else:
            row |= dict.fromkeys(columns["column"], np.nan)
            values = values[:0]
        sizes = float(mine["n_train"].mean()), float(mine["n_test"].mean())
        row["spread"] = resampled_t(values, *sizes, level)[0]
        row["low"], row["high"] = resampled_interval(
            float(row[columns["column"].iloc[0]]), values, *sizes,  # type: ignore[arg-type]
            bounds=METRICS[columns["metric"].iloc[0]].bounds, level=level,
        )  # fmt: skip
        rows.append(row)
    return pd.DataFrame(rows)


def _values(
    totals: LossTotals, model: int, folds: np.ndarray, columns: pd.DataFrame, kind: str
) -> dict[str, float]:
    rows = totals.rows[:, folds].sum(axis=1)
    scatter = _scatter(totals, folds, rows)
    found = {}
    for column, name, average in columns[["column", "metric", "average"]].itertuples(index=False):
        loss = list(LOSSES[kind]).index(_LOSS_OF[name])
        sums = totals.losses[:, folds, model, loss].sum(axis=1)
        tasks = average == "tasks"
        value = _metric(name, sums, rows, scatter, tasks)
        found[column] = float(np.nanmean(value)) if np.isfinite(value).any() else np.nan
    return found


def _scatter(
    totals: LossTotals, folds: np.ndarray, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Squares of y about each task's own mean (m,), and about the mean of all rows (1,)."""
    y, square = (part[:, folds].sum(axis=1) for part in (totals.target, totals.target_square))
    within = square - y**2 / np.maximum(rows, 1.0)
    within = np.where(within > 1e-13 * square, within, 0.0)  # less is rounding
    total = square.sum() - y.sum() ** 2 / max(rows.sum(), 1.0)
    return within, np.array([total])


def _metric(
    name: str, sums: np.ndarray, rows: np.ndarray, scatter: tuple[np.ndarray, np.ndarray],
    tasks: bool,
) -> np.ndarray:  # fmt: skip
    """Values of the tasks (m,), or of all rows (1,)."""
    within, total = scatter
    if not tasks:
        sums, count = sums.sum(keepdims=True), rows.sum(keepdims=True)
        within = total if name == "nmse" else within.sum(keepdims=True)
    else:
        count = rows
    mean = _divide(sums, count)
    if name == "rmse":
        return np.sqrt(mean)
    if name == "accuracy":
        return 1.0 - mean
    if name == "nmse":
        return _divide(sums, within)
    if name == "explained_variance_within":
        return 1.0 - _divide(sums, within)
    if name == "explained_variance":
        return 1.0 - mean / _divide(total, rows.sum(keepdims=True))
    return mean


def _divide(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Quotient, and NaN where b is zero."""
    return np.divide(a, b, out=np.full(np.shape(b), np.nan), where=b > 0)
