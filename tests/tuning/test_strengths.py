"""Strengths are declared once, and nothing knows them by name."""

import numpy as np
import pytest

from polytask import LowRankRegressor, MeanRegularizedRegressor, SingleTaskRegressor
from polytask.datasets import make_related_tasks
from polytask.inspection.roles import strengths_of
from polytask.models import estimators
from polytask.models.roles import RegressorRole
from polytask.models.single_task import _SingleTask
from polytask.penalties import TraceNorm
from polytask.responses import Squared
from polytask.tuning import (
    TUNING_TOL,
    KFoldRisk,
    LeaveOneOut,
    Strength,
    choose,
    choose_strengths,
    fitted_strengths,
    one_by_one,
)
from tests.low_rank.problems import low_rank
from tests.solvers.helpers import make_data, random_tasks


class Renamed(RegressorRole, _SingleTask):
    """Single-task, its strength called gamma."""

    fit_intercept, task_weight, unseen, tol, max_iter = True, "equal", "error", 1e-8, 100
    strengths = (Strength("gamma", _SingleTask.strengths[0].grid, label="ridge"),)

    def __init__(self, gamma="cv", *, task=None):
        self.gamma = gamma
        self.task = task

    def _make_problem(self, data, loss, strengths):
        strengths = {"alpha": strengths["gamma"], "alpha_intercept": 0.0}
        return super()._make_problem(data, loss, strengths)


def test_a_strength_that_is_not_called_alpha():
    """From moments it was 100 for 8.9e-4: the first of the grid, all risks infinite."""
    X, y, _ = make_related_tasks(n_tasks=8, n_features=3, random_state=0)
    for fit in ("fit", "partial_fit"):
        ours = getattr(Renamed(task="task"), fit)(X, y)
        known = getattr(SingleTaskRegressor(task="task", task_weight="equal"), fit)(X, y)
        assert ours.gamma_ == known.alpha_ < 0.1
        assert np.isfinite(ours.cv_scores_).any()
        np.testing.assert_array_equal(ours.coef_, known.coef_)
    assert strengths_of(ours) == {"ridge": (ours.gamma_, ours.gamma_)}


@pytest.mark.parametrize("name", estimators())
def test_every_formulation_declares_the_parameters_that_it_has(name):
    model = estimators()[name]()
    for strength in getattr(model, "strengths", ()):
        assert strength.name in model.get_params()
    first = next(iter(getattr(model, "strengths", [None])))
    if first is not None:
        assert getattr(model, first.name) == "cv"


def test_auto_goes_with_the_leading_strength():
    chosen = MeanRegularizedRegressor()._given()
    assert chosen == {"alpha": None, "alpha_intercept": None, "alpha_common": None}
    some = MeanRegularizedRegressor([0.1, 0.3])._given()
    assert some == {"alpha": [0.1, 0.3], "alpha_intercept": 0.2, "alpha_common": 0.0}
    assert LowRankRegressor(0.1)._given()["max_rank"] == np.inf
    assert LowRankRegressor(0.1, max_rank="cv")._given()["max_rank"] is None


def test_an_estimator_of_another_library_is_asked_by_convention():
    from sklearn.linear_model import Ridge, RidgeCV

    X, y = np.eye(4), np.arange(4.0)
    assert fitted_strengths(RidgeCV([0.5]).fit(X, y)) == {"alpha": 0.5}
    assert fitted_strengths(Ridge().fit(X, y)) == {}


def test_penalties_that_leave_one_out_cannot_serve_are_chosen_by_folds():
    """It raised AttributeError: no object has the attribute 'strength'."""
    data = make_data(*random_tasks(np.random.default_rng(0), [20, 15, 25], 3))

    def make(part, strengths):
        return low_rank(part, Squared(), TraceNorm(strengths["alpha"]))

    assert "needs a common part" in LeaveOneOut.why_not(make(data, {"alpha": 0.1}))
    grid = np.geomspace(1.0, 1e-3, 5)
    choice = choose_strengths(make, data, {"alpha": grid}, {}, 500)
    folds = KFoldRisk(data, 5, TUNING_TOL, 500)
    again = choose(one_by_one(lambda s: folds(lambda part: make(part, s))), {"alpha": grid}, {})
    np.testing.assert_allclose(choice.risks, again.risks, rtol=1e-12)
    assert choice.strengths["alpha"] == grid[np.argmin(choice.risks)]
