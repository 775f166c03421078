"""What models with learned features share: `transform`, and heads of new tasks on frozen P."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin, is_classifier
from sklearn.utils import check_array, check_consistent_length, column_or_1d
from sklearn.utils.validation import check_is_fitted

from polytask.data import read_rows
from polytask.models.base import MultiTaskLinear
from polytask.models.labels import known_targets
from polytask.solvers.new_task import fit_near

__all__ = ["LearnedFeatures", "TaskHead"]


@dataclass(frozen=True, eq=False)
class TaskHead:
    """The head of one task on frozen directions.

    Parameters
    ----------
    task_coef : ndarray of shape (k,)
        Coefficients on P'x.
    coef : ndarray of shape (d,)
        The same on x.
    intercept : float
    classes : ndarray of shape (2,) or None
        Labels of a classifier.
    """

    task_coef: np.ndarray
    coef: np.ndarray
    intercept: float
    classes: np.ndarray | None

    def decision_function(self, X: Any) -> np.ndarray:
        """W'x + b of feature rows X (n, d)."""
        X = check_array(X, accept_sparse="csr")
        return np.asarray(X @ self.coef + self.intercept)

    def predict(self, X: Any) -> np.ndarray:
        """Numbers, or classes where the model is a classifier."""
        f = self.decision_function(X)
        return f if self.classes is None else self.classes[(f > 0).astype(int)]


class LearnedFeatures(ClassNamePrefixFeaturesOutMixin, TransformerMixin, MultiTaskLinear):
    """P'x as features, and heads of new tasks on them."""

    def transform(self, X: Any) -> np.ndarray:
        """P'x of every row, shape (n, k); the task column, if there is one, is left out.

        Parameters
        ----------
        X : table, array or sparse matrix, as in `fit`
        """
        check_is_fitted(self)
        return np.asarray(read_rows(self, X, reset=False).X @ self.components_.T)

    @property
    def _n_features_out(self) -> int:
        return len(self.components_)

    def fit_task(self, X: Any, y: Any) -> TaskHead:
        """Learn the head of a task that was not in training, on the frozen directions.

        The head minimizes the mean loss over its rows, with the weight that a task has in R, plus
        the penalty that its head would have had in training, everything else held fixed. A
        handful of rows is enough, because k numbers are learned instead of d.

        Parameters
        ----------
        X : array or sparse matrix of shape (n, d)
            Features, without a task column.
        y : array of shape (n,)

        Returns
        -------
        TaskHead
            With ``coef``, ``intercept`` and ``predict``.
        """
        check_is_fitted(self)
        X = check_array(X, accept_sparse="csr")
        if X.shape[1] != self.components_.shape[1]:
            raise ValueError(
                f"{type(self).__name__}: X must have {self.components_.shape[1]} columns, the "
                f"features without the task column; got {X.shape[1]}."
            )
        target = column_or_1d(y)
        check_consistent_length(X, target)
        target = known_targets(self, target)
        Z = np.asarray(X @ self.components_.T) - self._center @ self.components_.T
        centre, strength = self._head_prior(len(target))
        if self.fit_intercept:
            Z = np.hstack([Z, np.ones((len(Z), 1))])
            centre, strength = np.append(centre, self._level), np.append(strength, self._pull)
        kept = np.isfinite(strength)
        omega = np.full(len(target), 1.0 / (len(self.tasks_) * len(target)))
        free = np.eye(len(centre))[:, kept]
        deviation, _ = fit_near(self._learned(), Z, target, omega, centre, free, strength[kept])
        a = centre + deviation
        k = len(self.components_)
        coef = a[:k] @ self.components_
        level = float(a[k] - coef @ self._center) if self.fit_intercept else 0.0
        classes = self.classes_ if is_classifier(self) else None
        return TaskHead(a[:k], coef, level, classes)

    def _head_prior(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Centre and strength of a new head's coordinates (k,); infinite keeps one there."""
        raise NotImplementedError
