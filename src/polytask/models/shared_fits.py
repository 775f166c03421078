"""Fits to one set of rows, each made once, whoever asks for it."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from typing import Any, TypeVar

import joblib
import numpy as np
from sklearn.utils import _safe_indexing

from polytask.data import as_table
from polytask.models.held_fit import fit_held

__all__ = ["SharedFits"]

T = TypeVar("T")
_NO_MATTER = ("verbose",)  # parameters that do not change a fit


class SharedFits:
    """Estimators fitted to the same rows, so that who combines others refits none of them.

    An estimator that is made of others says ``shares_fits`` and has a method
    ``_fit_sharing(fits)``, which asks ``fits`` for its parts; where they were asked for before,
    they are there already.

    Parameters
    ----------
    X, y
        The rows.
    sample_weight : array, default=None
    groups, time : array, default=None
        What rows are held out by, for estimators that take them.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> fits = SharedFits([[0.0], [1.0], [2.0]], [0.0, 1.0, 2.0])
    >>> fits.fitted(Ridge(0.0)).coef_ is fits.fitted(Ridge(0.0)).coef_
    True
    """

    def __init__(
        self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None, time: Any = None
    ) -> None:
        self.X, self.y, self.sample_weight = as_table(X), y, sample_weight
        self.groups, self.time = groups, time
        self._kept: dict[str, tuple[Any, float]] = {}
        self._spared = 0.0  # seconds that what was there already had taken

    def subset(self, keep: np.ndarray) -> SharedFits:
        """Fits to some of the rows: other fits."""
        X, y = (_safe_indexing(each, keep) for each in (self.X, self.y))
        weight, groups, time = (
            None if each is None else np.asarray(each)[keep]
            for each in (self.sample_weight, self.groups, self.time)
        )
        return SharedFits(X, y, weight, groups=groups, time=time)

    def without_weights(self) -> SharedFits:
        """The same, or of rows that all count alike: other fits."""
        if self.sample_weight is None:
            return self
        return SharedFits(self.X, self.y, groups=self.groups, time=self.time)

    def fitted(self, estimator: Any) -> Any:
        """A fitted estimator with these parameters: this one, or one that was there before."""
        found, _ = self.timed(estimator)
        return found

    def timed(self, estimator: Any) -> tuple[Any, float]:
        """The same, and the seconds that it takes where nothing is there already."""
        found, seconds = self._once(_key(estimator), lambda: self._fit(estimator))
        given = {k: v for k, v in estimator.get_params(deep=False).items() if k in _NO_MATTER}
        return copy.copy(found).set_params(**given), seconds

    def once(self, estimator: Any, what: tuple[Any, ...], make: Callable[[], T]) -> T:
        """What ``make()`` finds of a fit of the estimator, ``what`` it is."""
        found: T = self._once(joblib.hash((_key(estimator), what)), make)[0]
        return found

    def _once(self, key: str, make: Callable[[], Any]) -> tuple[Any, float]:
        if key in self._kept:
            self._spared += self._kept[key][1]
        else:
            spared, begun = self._spared, time.perf_counter()
            found = make()
            self._kept[key] = found, time.perf_counter() - begun + self._spared - spared
        return self._kept[key]

    def _fit(self, estimator: Any) -> Any:
        if getattr(estimator, "shares_fits", False):
            return estimator._fit_sharing(self)
        held = {"groups": self.groups, "time": self.time}
        return fit_held(estimator, self.X, self.y, self.sample_weight, **held)


def _key(estimator: Any) -> str:
    given = estimator.get_params(deep=False)
    fixed = {name: value for name, value in given.items() if name not in _NO_MATTER}
    try:
        return str(joblib.hash((type(estimator), sorted(fixed.items()))))
    except Exception:  # noqa: BLE001  what cannot be pickled is like nothing else
        return str(id(estimator))
