"""Norms on features whose curvatures are far apart."""

import numpy as np
import pytest

from polytask import FusedTasksRegressor


@pytest.mark.parametrize("alpha", [0.01, 0.1, 1.0])
def test_a_column_in_thousands_has_a_rho_of_its_own(alpha):
    """With one rho for all ADMM ended at 200 iterations; 4,000 to 10,000 gradient steps came on."""
    rng = np.random.default_rng(3)
    ids, X = np.repeat(np.arange(6), 25), rng.normal(size=(150, 3)) * [1e3, 1, 1]
    W = (np.array([1, -1, 0.5]) + 0.3 * rng.normal(size=(6, 3))) / [1e3, 1, 1]
    y = (X * W[ids]).sum(axis=1) + rng.normal(size=150)
    model = FusedTasksRegressor(alpha, task=0).fit(np.column_stack([ids, X]), y)
    assert (model.status_, model.solver_) == ("solved", "admm")
    assert model.n_iter_ < 100
