"""What a fitted curved model says of single features."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from polytask.algebra.splines import SplineColumns

__all__ = ["FeatureCurves"]

_STRAIGHT = 1e-3  # of the largest variance of bends, below which a feature counts as straight


class FeatureCurves:
    """Curves of single features, in common and by task."""

    task: str | int | None
    tasks_: np.ndarray
    model_: Any
    bends_: list[dict[str, np.ndarray]]
    mean_: np.ndarray
    bend_variance_: np.ndarray
    bend_deviation_variance_: np.ndarray
    _say_doubts: Any

    @property
    def _columns(self) -> SplineColumns:
        """The lines and bends of the features."""
        return SplineColumns(self.mean_, self.bends_)

    def curve(self, feature: int | str, x: Any, task: Any = None, return_std: bool = False) -> Any:
        """What a feature adds to the linear predictor: f0_k, or f0_k + Δf_ik of a task.

        Parameters
        ----------
        feature : int or str
            Position among the features, or name.
        x : array of shape (n,)
            Values of the feature.
        task : task id or None, default=None
            None is the common curve.
        return_std : bool, default=False
            Also return standard errors at the estimated variances.

        Returns
        -------
        curve : ndarray of shape (n,)
            Zero on average over the training rows, in the common curve.
        std : ndarray of shape (n,), with ``return_std=True``
        """
        check_is_fitted(self)
        k, model = self._position(feature), self.model_
        x = np.asarray(x, dtype=float)
        Z, here = self._columns.of_feature(k, x), np.flatnonzero(self._columns.feature == k)
        coef, covariance = model.common_coef_, model.common_covariance_
        if task is not None:
            i = np.flatnonzero(np.asarray(self.tasks_) == task)
            if len(i) == 0:
                raise ValueError(
                    f"{type(self).__name__}: task must be one of those in training; got {task!r}."
                )
            coef, covariance = model.coef_[i[0]], model.coef_covariance_[i[0]]
        f = Z @ coef[here]
        if not return_std:
            return f
        self._say_doubts()
        return f, np.sqrt(((Z @ covariance[np.ix_(here, here)]) * Z).sum(axis=1))

    def range_of(self, feature: int | str) -> tuple[float, float]:
        """Least and greatest value in training of a feature that may bend.

        Raises
        ------
        ValueError
            If it has a line only.
        """
        check_is_fitted(self)
        bends = self.bends_[self._position(feature)]
        if not bends:
            raise ValueError(
                f"{type(self).__name__}: feature must have three values or more to bend; "
                f"{feature!r} has a line only."
            )
        return float(bends["knots"][0]), float(bends["knots"][-1])

    def bending(self) -> list[int]:
        """Features that bend, in common or between tasks, those that bend most first."""
        check_is_fitted(self)
        size = self.bend_variance_ + self.bend_deviation_variance_
        order = np.argsort(-size, kind="stable")
        return [int(k) for k in order if size[k] > _STRAIGHT * size.max() and self.bends_[k]]

    def _position(self, feature: int | str) -> int:
        names = [n for n in getattr(self, "feature_names_in_", ()) if n != self.task]
        if feature in names:
            return names.index(feature)
        if isinstance(feature, Integral) and 0 <= feature < len(self.bends_):
            return int(feature)
        raise ValueError(
            f"{type(self).__name__}: feature must be one of {names or len(self.bends_)}; got "
            f"{feature!r}."
        )
