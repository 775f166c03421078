"""The regressor and the classifier half of a formulation: labels, links, tags; no mathematics."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils.multiclass import check_classification_targets

from polytask.data import TaskData, read_target
from polytask.models.labels import encode_labels, refuse_unusable
from polytask.responses import Logistic, Loss, Squared

__all__ = ["ClassifierRole", "RegressorRole"]


class RegressorRole(RegressorMixin):
    """Squared loss; predictions are numbers."""

    def _loss(self) -> Loss:
        return Squared()

    def _encode(self, y: np.ndarray) -> np.ndarray:
        return y.astype(np.float64)

    def predict(self, X: Any) -> np.ndarray:
        """Predicted targets, shape (n,), or (n, m) after a fit to a wide y."""
        return self._linear_predictor(X)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """R² over rows; with a wide y the mean over tasks of R² on measured entries.

        With a wide y, ``sample_weight`` has shape (n,) or (n, m).
        """
        target, _ = read_target(self, y)
        prediction = self.predict(X)
        if target.ndim == 1:
            return float(r2_score(target, prediction, sample_weight=sample_weight))
        return _mean_over_tasks(r2_score, target.astype(float), prediction, sample_weight)


class ClassifierRole(ClassifierMixin):
    """Logistic loss; two classes, the same in all tasks."""

    def _loss(self) -> Loss:
        return Logistic()

    def _encode(self, y: np.ndarray) -> np.ndarray:
        refuse_unusable(y)
        if y.ndim == 1:
            check_classification_targets(y)
        self.classes_, code = encode_labels(type(self).__name__, y)
        return code

    def _check_data(self, data: TaskData) -> None:
        if data.y.min() == data.y.max():
            raise ValueError(
                f"{type(self).__name__}: y must hold two classes; rows of positive sample_weight "
                "hold one class only."
            )

    def decision_function(self, X: Any) -> np.ndarray:
        """Log odds of ``classes_[1]``, shape (n,), or (n, m) after a fit to a wide y."""
        return self._linear_predictor(X)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities, shape (n, 2) in the order of ``classes_``.

        After a fit to a wide y: shape (n, m), the probability of ``classes_[1]`` in each task.
        """
        p = self._loss().inverse_link(self._linear_predictor(X))
        return p if self._wide else np.column_stack([1.0 - p, p])

    def predict(self, X: Any) -> np.ndarray:
        """Predicted classes, shape (n,), or (n, m) after a fit to a wide y."""
        above = self._linear_predictor(X) > 0
        return self.classes_[above.astype(int)]

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Accuracy over rows; with a wide y the mean over tasks on measured entries.

        With a wide y, ``sample_weight`` has shape (n,) or (n, m).
        """
        target, _ = read_target(self, y)
        prediction = self.predict(X)
        if target.ndim == 1:
            return float(accuracy_score(target, prediction, sample_weight=sample_weight))
        return _mean_over_tasks(accuracy_score, target, prediction, sample_weight)

    def __sklearn_tags__(self) -> Any:
        """Tags: two classes."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.target_tags.multi_output = False
        return tags


def _mean_over_tasks(metric: Any, y: np.ndarray, prediction: np.ndarray, weight: Any) -> float:
    weights = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=float)
    weights = np.broadcast_to(weights[:, None] if weights.ndim == 1 else weights, y.shape)
    scores = []
    for target, predicted, w in zip(y.T, prediction.T, weights.T, strict=True):
        known = ~pd.isna(target) & (w > 0)
        if known.any():
            truth = np.asarray(target[known].tolist())  # objects become numbers or text
            scores.append(metric(truth, predicted[known], sample_weight=w[known]))
    return float(np.mean(scores))
