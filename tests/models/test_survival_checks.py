"""scikit-learn's estimator checks of the Cox models, told times of events from the checks' y."""

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from polytask import (
    MeanRegularizedSurvival,
    PooledSurvival,
    SingleTaskSurvival,
    TaskInterceptSurvival,
)

pytestmark = pytest.mark.slow


class _OfNumbers:
    """Of targets of one column, the checks' own: their ranks are times of events."""

    def fit(self, X, y, sample_weight=None):
        if y is None:
            raise ValueError("requires y to be passed, but the target y is None")
        y = np.asarray(y)
        if y.dtype.kind == "c":
            raise ValueError("Complex data not supported")
        times = np.unique(y.astype(float).ravel(), return_inverse=True)[1] + 1.0
        return super().fit(X, np.column_stack([times, np.ones(len(times))]), sample_weight)

    def score(self, X, y):
        return super().score(X, np.column_stack([np.abs(y) + 1.0, np.ones(len(y))]))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.single_output, tags.target_tags.multi_output = True, False
        return tags


class SingleTask(_OfNumbers, SingleTaskSurvival, own_text=True):
    pass


class Pooled(_OfNumbers, PooledSurvival, own_text=True):
    pass


class MeanRegularized(_OfNumbers, MeanRegularizedSurvival, own_text=True):
    pass


class TaskIntercept(_OfNumbers, TaskInterceptSurvival, own_text=True):
    pass


# Efron's correction does not take a weight of two for two rows, and few rows leave w0 no bound.
MODELS = [
    SingleTask(0.1, ties="breslow"),
    Pooled(0.1, ties="breslow"),
    MeanRegularized(0.1, alpha_common=0.1, ties="breslow"),
    TaskIntercept(0.1, ties="breslow"),
]


@parametrize_with_checks(MODELS)
def test_scikit_learns_checks(estimator, check):
    check(estimator)
