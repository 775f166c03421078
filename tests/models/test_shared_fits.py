"""Fits that are shared are made once, and change nothing."""

import numpy as np
import pytest

from polytask import (
    AutoMultiTaskRegressor,
    MeanRegularizedRegressor,
    SharedTreesRegressor,
    SingleTaskRegressor,
)
from polytask.datasets import make_related_tasks
from polytask.inspection import default_estimators
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


def test_auto_weighs_the_trees_of_a_default_comparison_without_another_fit(monkeypatch):
    X, y, _ = make_related_tasks(4, 2, 20, random_state=0)
    fits, models = SharedFits(X, y), default_estimators("regression", task="task")
    fits.fitted(models["shared-trees"])
    names = ["pooled", "shared-trees"]
    monkeypatch.setattr("polytask.models.auto.default_names", lambda *_: list(names))
    monkeypatch.setattr(SharedTreesRegressor, "fit", lambda *_, **__: pytest.fail("fitted again"))
    auto = fits.fitted(models["auto"])
    assert [*auto.candidates_, *auto.left_out_] == names


def test_either_rule_is_one_of_the_two():
    X, y, _ = make_related_tasks(8, 3, 12, random_state=1)
    found = MeanRegularizedRegressor("auto", task="task").fit(X, y)
    same = MeanRegularizedRegressor(found.alpha_rule_, task="task").fit(X, y)
    np.testing.assert_array_equal(found.predict(X), same.predict(X))
    assert found.alpha == "auto"
    with pytest.raises(ValueError, match="got 'auto'"):
        MeanRegularizedRegressor("auto", task="task").partial_fit(X, y)
