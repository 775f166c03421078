"""The regressor and the classifier half of a formulation: labels, links, tags; no mathematics."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from scipy.special import softmax
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets

from polytask.data import TaskData, read_target
from polytask.models.labels import encode_labels, refuse_unusable
from polytask.responses import Response, find_response

__all__ = ["ClassifierRole", "RegressorRole"]

_REACH = (1e-150, 1e152)


def _has_levels(estimator: Any) -> bool:
    return hasattr(estimator._learned(), "probabilities")


class RegressorRole(RegressorMixin):
    """Numbers, of the kind that ``loss`` says; predictions are expected targets."""

    def _loss(self) -> Response:
        return find_response(type(self).__name__, self.loss, has_labels=False)

    def _encode(self, y: np.ndarray) -> np.ndarray:
        numbers = y.astype(np.float64)
        self._loss().check(numbers, type(self).__name__)
        size = max(float(numbers.max(initial=0.0)), -float(numbers.min(initial=0.0)))
        if not np.isfinite(size):
            size = float(np.abs(numbers[np.isfinite(numbers)]).max(initial=0.0))
        if size and not _REACH[0] <= size <= _REACH[1]:
            raise ValueError(
                f"{type(self).__name__}: y must be of a size between {_REACH[0]:.0e} and "
                f"{_REACH[1]:.0e}, whose squares a float can hold; got one of about {size:.0e}. "
                "Divide it by its standard deviation."
            )
        return numbers

    def predict(self, X: Any) -> np.ndarray:
        """Expected targets, shape (n,), or (n, m) after a fit to a wide y."""
        return self._learned().inverse_link(self._linear_predictor(X))

    @available_if(_has_levels)
    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of ordered levels, ``response_.levels``: shape (n, K), or (n, m, K)."""
        return self._learned().probabilities(self._linear_predictor(X))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """R² over rows (D², the share of deviance explained, of counts and other targets).

        With a wide y the mean over tasks on measured entries; ``sample_weight`` then has shape
        (n,) or (n, m).
        """
        target, _ = read_target(self, y)
        prediction, score = self.predict(X), self._learned().score
        if target.ndim == 1:
            return score(target.astype(float), prediction, sample_weight)
        return _mean_over_tasks(score, target.astype(float), prediction, sample_weight)

    def __sklearn_tags__(self) -> Any:
        """Tags: targets of one sign where the response asks for it."""
        tags = super().__sklearn_tags__()
        with suppress(ValueError):  # of a loss that fit will refuse
            tags.target_tags.positive_only = self._loss().targets.low >= 0
        return tags


class ClassifierRole(ClassifierMixin):
    """Logistic loss of two classes, multinomial of more; the same classes in all tasks.

    With more than two, ``coef_`` and its like have an axis of classes before that of features.
    """

    many_classes: ClassVar[bool] = False  # whether the formulation takes more than two

    def _loss(self) -> Response:
        said = find_response(type(self).__name__, self.loss, has_labels=True)
        return said.of_classes(len(getattr(self, "classes_", ())))

    def _encode(self, y: np.ndarray) -> np.ndarray:
        refuse_unusable(y)
        if y.ndim == 1:
            check_classification_targets(y)
        self.classes_, code = encode_labels(type(self).__name__, y, self.many_classes)
        return code

    def _check_data(self, data: TaskData) -> None:
        if data.y.min() == data.y.max():
            raise ValueError(
                f"{type(self).__name__}: y must hold two classes; rows of positive sample_weight "
                "hold one class only."
            )

    def decision_function(self, X: Any) -> np.ndarray:
        """Log odds of ``classes_[1]``, shape (n,), or (n, m) after a fit to a wide y.

        Of more than two classes the predictors of each, which sum to zero, in a last axis.
        """
        return self._linear_predictor(X)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities, shape (n, K) in the order of ``classes_``.

        After a fit to a wide y: shape (n, m), the probability of ``classes_[1]`` in each task, or
        of more than two classes (n, m, K).
        """
        f = self._linear_predictor(X)
        if len(self.classes_) > 2:
            return np.asarray(softmax(f, axis=-1))
        p = self._learned().inverse_link(f)
        return p if self._wide else np.column_stack([1.0 - p, p])

    def predict(self, X: Any) -> np.ndarray:
        """Predicted classes, shape (n,), or (n, m) after a fit to a wide y."""
        f = self._linear_predictor(X)
        many = len(self.classes_) > 2
        return self.classes_[f.argmax(axis=-1) if many else (f > 0).astype(int)]

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Accuracy over rows; with a wide y the mean over tasks on measured entries.

        With a wide y, ``sample_weight`` has shape (n,) or (n, m).
        """
        target, _ = read_target(self, y)
        prediction = self.predict(X)
        if target.ndim == 1:
            return float(accuracy_score(target, prediction, sample_weight=sample_weight))
        return _mean_over_tasks(_accuracy, target, prediction, sample_weight)

    def __sklearn_tags__(self) -> Any:
        """Tags: whether there may be more than two classes."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = self.many_classes
        tags.target_tags.multi_output = False
        return tags


def _accuracy(y: np.ndarray, prediction: np.ndarray, weight: np.ndarray) -> float:
    return float(accuracy_score(y, prediction, sample_weight=weight))


def _mean_over_tasks(metric: Any, y: np.ndarray, prediction: np.ndarray, weight: Any) -> float:
    weights = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=float)
    weights = np.broadcast_to(weights[:, None] if weights.ndim == 1 else weights, y.shape)
    scores = []
    for target, predicted, w in zip(y.T, prediction.T, weights.T, strict=True):
        known = ~pd.isna(target) & (w > 0)
        if known.any():
            truth = np.asarray(target[known].tolist())  # objects become numbers or text
            scores.append(metric(truth, predicted[known], w[known]))
    return float(np.mean(scores))
