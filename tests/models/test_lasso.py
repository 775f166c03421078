"""The lasso of every task: its optimum by other means, and its zeros."""

import pytest
from numpy.testing import assert_allclose
from sklearn.linear_model import Lasso

from polytask import LassoTasksClassifier, LassoTasksRegressor
from tests.models.helpers import long_table
from tests.models.reference import norm_optimum

MODELS = {"Regressor": LassoTasksRegressor, "Classifier": LassoTasksClassifier}


def test_every_task_has_the_lasso_of_its_own() -> None:
    Z, y = long_table()
    found = LassoTasksRegressor(0.03, task=0, tol=1e-13).fit(Z, y)
    for i in range(4):
        rows = Z[:, 0] == i
        known = Lasso(4 * 0.03, tol=1e-14, max_iter=100_000).fit(Z[rows, 1:], y[rows])
        assert_allclose(found.coef_[i], known.coef_, atol=1e-6)
        assert_allclose(found.support_[i], known.coef_ != 0)
        assert found.intercept_[i] == pytest.approx(known.intercept_, abs=1e-6)


@pytest.mark.parametrize("role", MODELS)
@pytest.mark.parametrize("alpha", [0.05, 0.005])
def test_optimum_is_that_of_cvxpy(role: str, alpha: float) -> None:
    cp = pytest.importorskip("cvxpy", reason="cvxpy is in the extra `test`")
    Z, y = long_table(role)
    best = norm_optimum(Z, y, role, 0.02, lambda W: alpha * cp.sum(cp.abs(W)))
    model = MODELS[role](alpha, alpha_intercept=0.02, task=0, tol=1e-10).fit(Z, y)
    assert model.objective_ == pytest.approx(best, rel=1e-6)
    assert model.gap_ <= 1e-10


@pytest.mark.parametrize("role", MODELS)
def test_it_is_zero_exactly_from_the_computed_strength_on(role: str) -> None:
    Z, y = long_table(role)
    top = MODELS[role]("cv", alpha_intercept=0.0, task=0).fit(Z, y).alpha_path_[0]
    for share, zero in [(1.0, True), (0.999, False)]:
        model = MODELS[role](share * top, alpha_intercept=0.0, task=0, tol=1e-10).fit(Z, y)
        assert (model.coef_ == 0).all() == zero
