"""New tasks for a fitted model, from their own rows alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from polytask.data import all_or_nothing, read_rows, read_target, read_weight
from polytask.data.center import shifted_covariance
from polytask.mixed.state import MixedState
from polytask.models._declared import Declared
from polytask.models.labels import known_targets, refuse_unusable
from polytask.models.unseen import refuse_known
from polytask.responses import Loss
from polytask.solvers.new_task import fit_near, prior_root

__all__ = ["FewShot"]


class FewShot(Declared):
    """`add_task` of the mean-regularized models."""

    @all_or_nothing
    def add_task(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Learn tasks that were not in training, from their rows and what the others share.

        With w0 held, the new task's deviation minimizes ``sum_j loss_j / N + alpha ‖Δw‖²``, N the
        number of training rows: each new row weighs as the average one in the fit. So few rows
        move a task little from w0, also where the fit weighs tasks alike: their weight in it,
        1 / (m n) a row, would let two rows of a new task pull as hard as hundreds.
        With ``alpha="reml"`` that is the posterior mean, and standard errors come with it. What
        the new rows say about w0 and so about other tasks is left out: of the order 1 / m. For
        the refit from sufficient statistics, without the old rows, see ``partial_fit``.

        Parameters
        ----------
        X : table or array of shape (n, d + 1)
            Rows of one or more new tasks, with the task column.
        y : array of shape (n,)
        sample_weight : array of shape (n,), default=None

        Returns
        -------
        self
            With the new tasks at the end of ``tasks_``, ``coef_``, ``intercept_`` and
            ``deviation_coef_``; nothing else changes.

        Raises
        ------
        ValueError
            If a task was in training, or the model was fitted without a task column.

        Examples
        --------
        >>> from polytask import MeanRegularizedRegressor
        >>> from polytask.datasets import make_related_tasks
        >>> X, y, truth = make_related_tasks(n_tasks=9, n_features=4, random_state=0)
        >>> old = X["task"] < 8
        >>> model = MeanRegularizedRegressor("reml", task="task").fit(X[old], y[old])
        >>> model.add_task(X[~old].head(3), y[~old][:3]).predict(X[~old]).shape
        (20,)
        """
        check_is_fitted(self)
        loss = self._learned()
        if not loss.by_rows:
            raise ValueError(
                f"{type(self).__name__}: add_task needs numbers or two classes; got {loss.title}. "
                "Fit again with the new rows."
            )
        rows = read_rows(self, X, reset=False)
        ids = refuse_known(self, rows.ids)
        target, _ = read_target(self, y)
        check_consistent_length(rows.X, target)
        weight, values = read_weight(sample_weight, target), known_targets(self, target)
        refuse_unusable(values)
        design = np.asarray(rows.X.toarray() if hasattr(rows.X, "toarray") else rows.X, dtype=float)
        design = design - self._center
        if self.fit_intercept:
            design = np.column_stack([design, np.ones(len(design))])
        for task in np.unique(ids):
            here = (ids == task) & (weight > 0)
            self._add_one(task, design[here], values[here], weight[here])
        return self

    def _add_one(self, task: Any, rows: np.ndarray, y: np.ndarray, s: np.ndarray) -> None:
        loss: Loss = self._learned()
        d = self.coef_.shape[1]
        mixed = hasattr(self, "deviation_covariance_")
        if mixed:
            ratio = getattr(self, "_noise_ratio", np.ones(1)).mean()  # of an average task
            s = s / (getattr(self, "_mean_weight", 1.0) * ratio)
        slopes, level = self._common() if mixed else (self.common_coef_, self.common_intercept_)
        common = np.append(slopes, level + slopes @ self._center)[: rows.shape[1]]
        if mixed:
            noise = getattr(self, "_model_noise", getattr(self, "noise_variance_", 1.0))
            L = np.sqrt(noise) * MixedState.from_dict(self._mixed_state_).deviation_root()
            weight = s / noise
        else:
            strength = np.append(np.broadcast_to(self.alpha_, d), self.alpha_intercept_)
            may = self._may_deviate(d, rows.shape[1])
            L = prior_root(np.where(may, strength[: rows.shape[1]], np.inf))
            weight = s / self.training_weight_
        half = np.full(L.shape[1], 0.5)
        deviation, posterior = fit_near(loss, rows, y, weight, common, L, half)
        theta = common + deviation
        self.tasks_ = np.append(self.tasks_, task)
        self.coef_ = np.vstack([self.coef_, theta[:d]])
        level = theta[d:].sum() - theta[:d] @ self._center
        self.intercept_ = np.append(self.intercept_, level)
        self.deviation_coef_ = np.vstack([self.deviation_coef_, theta[:d] - self.common_coef_])
        if hasattr(self, "coef_covariance_"):
            f = rows @ theta
            curvature = loss.curvature(y, f)
            gram = (rows * (weight * curvature)[:, None]).T @ rows
            left = np.eye(len(theta)) - posterior @ gram
            of_common = shifted_covariance(self.common_covariance_, -self._center)
            covariance = posterior + left @ of_common @ left.T
            covariance = shifted_covariance(covariance, self._center)
            self.coef_covariance_ = np.concatenate([self.coef_covariance_, covariance[None]])
            response = f - loss.gradient(y, f) / np.maximum(curvature, 1e-12)
            self._keep_task(rows, response, s * curvature)
