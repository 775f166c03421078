"""Mean-regularized models on lines and bends, their variances estimated in groups."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from polytask.data import TaskData
from polytask.mixed.fit import MixedFit, fit_groups
from polytask.models.mean_regularized import MeanRegularizedClassifier, MeanRegularizedRegressor
from polytask.responses import Response

__all__ = ["ClassifierOnBends", "RegressorOnBends"]

_MANY_TASKS = 10  # from which on every feature may have variances between tasks of its own
_ROWS_A_CURVE = 10  # from which on every feature has a roughness of its own


class _OnBends:
    """Variances of lines and bends, estimated in groups."""

    feature: np.ndarray  # of each column
    is_bend: np.ndarray
    doubts: list[str]

    def _estimate(
        self, data: TaskData, loss: Response, last: MixedFit | None = None, covariance: str = ""
    ) -> MixedFit:
        """Lines of a feature share a variance between tasks, and its bends; or all features do.

        Where that leaves no noise, tasks differ in level and lines only.
        """
        feature, is_bend = self.feature, self.is_bend
        p, d = len(feature), int(feature.max(initial=-1)) + 1
        few = data.counts.sum() < _ROWS_A_CURVE * d
        common = np.where(is_bend, 1 + (0 if few else 1) * feature, 0)
        together = [0 * feature] if data.n_tasks < _MANY_TASKS else [0 * feature, feature]
        between = [np.where(is_bend, d + own, own) for own in together]
        between.append(np.where(is_bend, -1, 0))
        if data.n_tasks == 1:  # its deviations and the common part are one
            between = [np.full(p, -1)]
        unit = np.where(is_bend, p + feature, np.arange(p))
        if data.intercept:
            common = np.append(common, -1)
            between = [
                np.append(groups, 2 * d if len(data.tasks) > 1 else -1) for groups in between
            ]
            unit = np.append(unit, 2 * p)
        fit = fit_groups(data, loss, [(groups, common) for groups in between], unit, last)
        self.doubts = fit.doubts if data.n_tasks > 1 else []
        return replace(fit, doubts=[])  # whoever made the columns says them


class RegressorOnBends(_OnBends, MeanRegularizedRegressor):
    """A regressor on the columns of lines and bends."""


class ClassifierOnBends(_OnBends, MeanRegularizedClassifier):
    """A classifier on them."""
