"""What rows of a comparison lose that have times to an event, beside their training rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from polytask.inspection.sample import RowSample
from polytask.model_selection import partial_deviance
from polytask.model_selection.survival import brier_by_row, rows_by_task

__all__ = ["survival_scores"]

_GRID = np.linspace(0.05, 0.9, 18)  # quantiles of all times, between which curves are judged


def survival_scores(
    model: Any, sample: RowSample, X: Any, train: np.ndarray, X_test: Any, test: np.ndarray
) -> np.ndarray:
    """Partial deviance, log relative hazard and integrated Brier score of each test row, (n, 3).

    The first compares rows inside their tasks, the last the survival curves of all rows; the
    probability of not being censored is the Kaplan-Meier estimate of the training rows.
    """
    if isinstance(model, Pipeline):
        X, X_test, model = model[:-1].transform(X), model[:-1].transform(X_test), model[-1]
    if not hasattr(model, "predict_survival"):
        raise TypeError("it has no predict_survival, which a comparison of survival models needs")
    time, event = np.abs(sample.y), sample.y > 0
    risk_train, risk = (np.asarray(model.predict(rows), dtype=float) for rows in (X, X_test))
    lost = np.zeros(len(test))
    here, there = (rows_by_task(sample.codes[rows], sample.n_tasks) for rows in (train, test))
    for i, held in enumerate(there):
        known, rows = train[here[i]], test[held]
        lost[held] = partial_deviance(
            time[known], event[known], risk_train[here[i]], time[rows], event[rows], risk[held]
        )
    times = np.unique(np.quantile(time, _GRID))
    times = times[times < time[train].max()]  # beyond, nothing is known of censoring
    curves = np.asarray(model.predict_survival(X_test, times), dtype=float)
    brier = brier_by_row(time[train], event[train], time[test], event[test], curves, times)
    return np.column_stack([lost, risk, brier])
