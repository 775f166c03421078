"""What a metric asks an estimator for, as plain numbers in the shape of y."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from polytask.model_selection.metric import Metric

__all__ = ["encode_labels", "predict_for"]


def predict_for(metric: Metric, estimator: Any, X: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Predictions, or probabilities (scores, if only their order matters) of the second class.

    Of more than two classes those of all, in a last axis.
    """
    if metric.needs == "predict":
        return np.asarray(estimator.predict(X)).reshape(shape)
    if hasattr(estimator, "predict_proba"):
        return _probabilities(estimator.predict_proba(X), shape)
    if metric.by_rank and hasattr(estimator, "decision_function"):
        found = np.asarray(estimator.decision_function(X))
        return found if found.ndim > len(shape) else found.reshape(shape)
    raise TypeError(
        f"task_scorer: estimator must have predict_proba for {metric.name!r}; "
        f"got {type(estimator).__name__}, which has none."
    )


def encode_labels(
    metric: Metric, estimator: Any, y: Any, pred: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Truth and prediction as floats, NaN where y is missing; labels become class numbers."""
    values = np.asarray(y)
    missing = pd.isna(values)
    truth = np.full(values.shape, np.nan)
    if metric.kind != "classification":
        truth[~missing] = values[~missing].astype(float)
        return truth, pred.astype(float)
    if metric.needs == "predict_proba" and pred.ndim > values.ndim:
        truth[~missing] = np.searchsorted(estimator.classes_, values[~missing])
        return truth, pred.astype(float)
    if metric.needs == "predict_proba":
        truth[~missing] = (values == _second_class(estimator, values))[~missing]
        return truth, pred.astype(float)
    there = values[~missing]
    both = np.unique(np.concatenate([there, pred[~missing]]), return_inverse=True)[1]
    truth[~missing] = both[: there.size]
    guess = np.full(values.shape, np.nan)
    guess[~missing] = both[there.size :]
    return truth, guess


def _probabilities(proba: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Probability of the second class from (n, 2), a list of m of them, (n, m, 2) or (n, m).

    (n, K) and (n, m, K) stay.
    """
    if isinstance(proba, list):
        proba = np.stack(proba, axis=1)
    proba = np.asarray(proba)
    if proba.shape == shape:
        return proba
    if proba.shape[:-1] != shape or proba.shape[-1] < 2:
        raise ValueError(
            "task_scorer: predict_proba must give two classes or more for this metric; got shape "
            f"{proba.shape} for y of shape {shape}."
        )
    return proba[..., 1] if proba.shape[-1] == 2 else proba


def _second_class(estimator: Any, y: np.ndarray) -> Any:
    """The label whose probability is judged, one for each column if the estimator says so."""
    classes = getattr(estimator, "classes_", None)
    if classes is None:
        return 1
    if isinstance(classes, list):
        return np.array([column[1] for column in classes])
    return np.asarray(classes)[..., 1]
