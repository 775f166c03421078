"""Metrics of a comparison: which columns, and their values per model and per fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from polytask.inspection.statistics import resampled_interval, resampled_t
from polytask.model_selection.metrics import METRICS
from polytask.responses import Response
from polytask.sources.loss_totals import LossTotals, scatter

__all__ = ["fold_scores", "metric_columns", "model_scores", "primary_column", "ranked"]

_WORDS = {"tasks": "mean over tasks", "rows": "over all rows"}


def primary_column(metric: str | None, response: Response) -> str:
    """The column that ranks models, from a metric's name, a column's name, or None.

    Examples
    --------
    >>> from polytask.responses import Logistic, Squared
    >>> primary_column(None, Squared()), primary_column("auc_rows", Logistic())
    ('rmse_tasks', 'auc_rows')
    """
    metric = metric or response.metrics[0]
    name, _, average = metric.rpartition("_")
    if name not in METRICS or average not in _WORDS:
        name, average = metric, "rows" if _is_share(metric) else "tasks"
    allowed = [name for name in METRICS if name in (*response.metrics, *response.other_metrics)]
    if name not in allowed:
        raise ValueError(
            f"compare_tasks: metric must be one of {', '.join(allowed)} for {response.kind} "
            f"(each with _tasks or _rows at its end, if wished); got {metric!r}."
        )
    return f"{name}_{average}"


def _is_share(name: str) -> bool:
    """Whether it is a share explained: its mean over tasks is ruled by those that hardly vary."""
    return "explained" in name


def metric_columns(response: Response, primary: str, *, rows: bool = True) -> pd.DataFrame:
    """The metrics shown: column, title, metric, average, greater_is_better; the primary first.

    Without ``rows`` those that look at their order are left out.

    Raises
    ------
    ValueError
        If the primary one is such.
    """
    columns = [primary]
    for name in response.metrics:
        averages = ("rows",) if _is_share(name) else ("tasks", "rows")
        columns += [f"{name}_{average}" for average in averages]
    found = pd.DataFrame([_describe(column) for column in dict.fromkeys(columns)])
    kept = found["metric"].map(lambda name: rows or not METRICS[name].by_rank)
    if not kept.iloc[0]:
        raise ValueError(
            f"compare_parquet: metric must be a mean over rows; got {primary!r}, which ranks all "
            "rows against one another. Take log_loss, brier or accuracy, or compare in memory."
        )
    return found[kept].reset_index(drop=True)


def _describe(column: str) -> dict[str, object]:
    name, _, average = column.rpartition("_")
    metric = METRICS[name]
    plain = _is_share(name) and average == "rows"
    return {
        "column": column,
        "title": metric.title if plain else f"{metric.title}, {_WORDS[average]}",
        "metric": name,
        "average": average,
        "greater_is_better": metric.greater_is_better,
    }


def ranked(
    columns: pd.DataFrame, response: Response, y: np.ndarray, predicted: np.ndarray,
    codes: np.ndarray, weight: np.ndarray | None = None,
) -> dict[str, float]:  # fmt: skip
    """Metrics that look at the order of the rows of a fold, which sums cannot tell."""
    found = {}
    for column, name, average in columns[["column", "metric", "average"]].itertuples(index=False):
        metric = METRICS[name]
        if not metric.by_rank:
            continue
        said = response.point(predicted) if metric.needs == "predict" else predicted
        if average == "tasks":
            found[column] = metric.summary(metric.per_task(y, said, codes, weight)).mean
        else:
            found[column] = float(metric.pooled(y, said, codes, weight))
    return found


def fold_scores(
    records: pd.DataFrame, totals: LossTotals, models: Sequence[str], columns: pd.DataFrame,
    response: Response, ranks: Mapping[tuple[str, int], dict[str, float]],
) -> pd.DataFrame:  # fmt: skip
    """``records`` with the metrics on each fold's rows, NaN where a model failed.

    ``ranks`` are those of `ranked` by model and position of the fold.
    """
    rows = []
    for name, mine in records.groupby("name", sort=False):
        for j in range(len(mine)):
            if name in models:
                sums = _Sums(totals, models.index(str(name)), np.array([j]), response)
                rows.append(_values(sums, columns) | ranks.get((str(name), j), {}))
            else:
                rows.append(dict.fromkeys(columns["column"], np.nan))
    return pd.concat([records, pd.DataFrame(rows, columns=list(columns["column"]))], axis=1)


def model_scores(
    folds: pd.DataFrame, totals: LossTotals, models: Sequence[str], columns: pd.DataFrame,
    response: Response, level: float,
) -> pd.DataFrame:  # fmt: skip
    """Per model: metrics over all out-of-fold rows, mean of the repeats; spread and interval.

    The value is that of all tested rows together, because a task with few rows has too few in a
    single fold for an RMSE or an AUC; the spread and the interval's width come from the folds.
    Rank metrics compare rows of one fold only (predictions of different fits need not be on one
    scale), so theirs is the mean over folds.
    """
    rows = []
    primary = columns["column"].iloc[0]
    for name, mine in folds.groupby("name", sort=False):
        values = mine[primary].to_numpy(float)
        found = dict.fromkeys(columns["column"], np.nan)
        if name in models:
            found = _over_folds(mine, totals, models.index(str(name)), columns, response)
        else:
            values = values[:0]  # a model that failed on one fold has no score
        sizes = float(mine["n_train"].mean()), float(mine["n_test"].mean())
        low, high = resampled_interval(
            found[primary], values, *sizes, bounds=METRICS[columns["metric"].iloc[0]].bounds,
            level=level,
        )  # fmt: skip
        spread = resampled_t(values, *sizes, level)[0]
        rows.append({"name": name, **found, "spread": spread, "low": low, "high": high})
    return pd.DataFrame(rows)


def _over_folds(
    mine: pd.DataFrame, totals: LossTotals, model: int, columns: pd.DataFrame, response: Response
) -> dict[str, float]:
    """Metrics over the rows of a repeat, mean of the repeats; of ranks the mean over folds."""
    repeats = mine["repeat"].to_numpy()
    each = [
        _values(_Sums(totals, model, np.flatnonzero(repeats == r), response), columns)
        for r in np.unique(repeats)
    ]
    means = pd.DataFrame(each).mean().to_dict()
    by_rank = [c for c in columns["column"] if c not in means]
    return {c: float(means[c] if c in means else mine[c].mean()) for c in (*means, *by_rank)}


class _Sums:
    """What a model's rows in some folds sum up to, by task."""

    def __init__(
        self, totals: LossTotals, model: int, folds: np.ndarray, response: Response
    ) -> None:
        self.rows = totals.rows[:, folds].sum(axis=1)
        self.losses = totals.losses[:, folds, model].sum(axis=1)
        self.places = {name: q for q, name in enumerate(response.row_losses)}
        y, square = (p[:, folds].sum(axis=1) for p in (totals.target, totals.target_square))
        self.within = scatter(self.rows, y, square)
        self.total = np.array([square.sum() - y.sum() ** 2 / (self.rows.sum() or 1.0)])

    def loss(self, metric: str) -> np.ndarray:
        """Sums of the row loss that stands for the metric, (m,)."""
        return self.losses[:, self.places.get(metric, 0)]


def _values(sums: _Sums, columns: pd.DataFrame) -> dict[str, float]:
    found = {}
    for column, name, average in columns[["column", "metric", "average"]].itertuples(index=False):
        if not METRICS[name].by_rank:
            value = _metric(name, sums, average == "tasks")
            found[column] = float(np.nanmean(value)) if np.isfinite(value).any() else np.nan
    return found


def _metric(name: str, sums: _Sums, tasks: bool) -> np.ndarray:
    """Values of the tasks (m,), or of all rows (1,), by the formulas of `METRICS`."""
    loss, rows, within = sums.loss(name), sums.rows, sums.within
    if not tasks:
        loss, rows = loss.sum(keepdims=True), rows.sum(keepdims=True)
        within = sums.total if name == "nmse" else within.sum(keepdims=True)
    mean = _divide(loss, rows)
    if name == "rmse":
        return np.sqrt(mean)
    if name == "accuracy" or name.endswith(("_deviance_explained", "_loss_explained")):
        return 1.0 - mean
    if name == "nmse":
        return _divide(loss, within)
    if name == "explained_variance_within":
        return 1.0 - _divide(loss, within)
    if name == "explained_variance":
        return 1.0 - mean / _divide(sums.total, sums.rows.sum(keepdims=True))
    return mean


def _divide(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Quotient, and NaN where b is zero."""
    return np.divide(a, b, out=np.full(np.shape(b), np.nan), where=b > 0)
