"""What several estimators do to the features before their last step, done once."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import joblib
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from polytask.data.memory import MANY_CELLS, give_back
from polytask.models.held_fit import takes_held
from polytask.models.shared_fits import SharedFits

__all__ = ["Prepared", "by_preparation"]


def by_preparation(estimators: dict[str, Any]) -> list[dict[str, Any]]:
    """Estimators in groups: Pipelines whose steps before the last are equal, and others.

    Examples
    --------
    >>> from sklearn.linear_model import Lasso, Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> one, two = (make_pipeline(StandardScaler(), model) for model in (Ridge(), Lasso()))
    >>> [list(group) for group in by_preparation({"a": one, "b": Ridge(), "c": two, "d": Lasso()})]
    [['a', 'c'], ['b', 'd']]
    """
    groups: dict[tuple[str, ...], dict[str, Any]] = {}
    for name, estimator in estimators.items():
        groups.setdefault(_key(name, estimator), {})[name] = estimator
    return list(groups.values())


def _key(name: str, estimator: Any) -> tuple[str, ...]:
    """Equal for equal preparations, also for none; the name where nobody can tell."""
    if type(estimator) is not Pipeline:
        return ("none",)
    if len(estimator.steps) < 2 or estimator.transform_input:
        return (name,)
    try:
        return ("steps", joblib.hash(clone(estimator[:-1])))
    except Exception:  # noqa: BLE001  a step that cannot be pickled is prepared for its model alone
        return (name,)


class Prepared:
    """Training and test rows as the estimators of a group see them before their last step.

    An estimator that is made of others, such as `AutoMultiTask`, takes those of the group that
    were fitted before it (`SharedFits`).

    Parameters
    ----------
    X, y : table of shape (n, d + 1), array of shape (n,)
        The training rows.
    shared : bool
        Whether the estimators are Pipelines that prepare alike; the first one does it for all.
    told : dict
        Groups, times and weights of the training rows, for estimators that take them.
    """

    def __init__(self, X: Any, y: Any, shared: bool, told: Mapping[str, Any] | None = None) -> None:
        self.told, self.shared = dict(told or {}), shared
        self.steps: Any = None  # that prepare, fitted
        self.seconds = 0.0  # that the preparation took: each model would need them
        self.fits = SharedFits(X, y, **self.told)

    def fit(self, estimator: Any) -> tuple[Any, float]:
        """What predicts the rows of `test`, the estimator or its last step, and its seconds."""
        if self.shared and self.steps is None:
            start, steps, y = time.perf_counter(), estimator[:-1], self.fits.y
            X = steps.fit_transform(self.fits.X, y)
            self.fits, self.steps = SharedFits(X, y, **self.told), steps
            if X.size >= MANY_CELLS:
                give_back()  # the rows as read, which nobody else holds
            self.seconds = time.perf_counter() - start
        asked = estimator[-1] if self.shared else estimator
        fits = self.fits if takes_held(asked, "sample_weight") else self.fits.without_weights()
        model, seconds = fits.timed(asked)
        return model, seconds + self.seconds

    def forget_training(self) -> None:
        """Leave the training rows, of which no further fit will ask."""
        self.fits.X = None

    def test(self, take: Callable[[], Any]) -> Any:
        """The rows that ``take`` gives the first time, prepared."""
        if not hasattr(self, "_test"):
            X = take()
            self._test = X if self.steps is None else self.steps.transform(X)
        return self._test
