"""The lasso of every task is the lasso of each."""

import pytest
from numpy.testing import assert_allclose
from sklearn.linear_model import Lasso

from polytask import LassoTasksRegressor
from tests.models.helpers import long_table


def test_every_task_has_the_lasso_of_its_own() -> None:
    Z, y = long_table()
    found = LassoTasksRegressor(0.03, task=0, tol=1e-13).fit(Z, y)
    for i in range(4):
        rows = Z[:, 0] == i
        known = Lasso(4 * 0.03, tol=1e-14, max_iter=100_000).fit(Z[rows, 1:], y[rows])
        assert_allclose(found.coef_[i], known.coef_, atol=1e-6)
        assert_allclose(found.support_[i], known.coef_ != 0)
        assert found.intercept_[i] == pytest.approx(known.intercept_, abs=1e-6)
