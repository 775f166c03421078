"""Fits that are shared are made once, and change nothing."""

import numpy as np
import pytest

from polytask import AutoMultiTaskRegressor, MeanRegularizedRegressor, SingleTaskRegressor
from polytask.datasets import make_related_tasks
from polytask.models.shared_fits import SharedFits


def test_the_candidates_are_the_models_that_were_there():
    X, y, _ = make_related_tasks(5, 3, 12, random_state=0)
    fits = SharedFits(X, y)
    single = fits.fitted(SingleTaskRegressor(task="task"))
    shared = fits.fitted(AutoMultiTaskRegressor(["single-task", "pooled"], task="task"))
    assert shared.estimators_["single-task"].coef_ is single.coef_
    assert single.unseen == "error"
    assert shared.estimators_["single-task"].unseen == "common"
    alone = AutoMultiTaskRegressor(["single-task", "pooled"], task="task").fit(X, y)
    np.testing.assert_array_equal(shared.predict(X), alone.predict(X))


def test_either_rule_is_one_of_the_two():
    X, y, _ = make_related_tasks(8, 3, 12, random_state=1)
    found = MeanRegularizedRegressor("auto", task="task").fit(X, y)
    same = MeanRegularizedRegressor(found.alpha_rule_, task="task").fit(X, y)
    np.testing.assert_array_equal(found.predict(X), same.predict(X))
    assert found.alpha == "auto"
    with pytest.raises(ValueError, match="got 'auto'"):
        MeanRegularizedRegressor("auto", task="task").partial_fit(X, y)
