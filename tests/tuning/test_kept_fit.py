"""The fit at the choice is made of what the search has: the one that a factorization finds."""

import numpy as np
import pytest

from polytask.solvers import BlockElimination
from polytask.solvers.arrow_problem import keep_fit, kept_fit
from polytask.tuning import LeaveOneOut
from tests.solvers.helpers import make_data, mean_regularized, random_tasks, single_task

SIZES = [12, 1, 40, 25]


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("strengths", [(0.1, 0.0, 0.02), (1e-3, 0.5, 1e-4), (5.0, 0.01, 1e-3)])
def test_it_is_the_fit_of_the_solver(rng, intercept, strengths):
    X, y, ids = random_tasks(rng, SIZES, 6)
    data = make_data(X, y, ids, intercept=intercept, sample_weight=rng.uniform(0.5, 2.0, len(y)))
    problem = mean_regularized(data, *strengths)
    expected = BlockElimination().solve(problem, None, 1e-10, 100)
    held_out = LeaveOneOut()
    held_out.risks([problem])
    found = held_out.fitted(problem)
    assert found is not None
    for name, block in expected.blocks.items():
        np.testing.assert_allclose(found[name], block, rtol=1e-9, atol=1e-10)
    other = make_data(X, y, ids, intercept=intercept, sample_weight=data.sample_weight)
    again = mean_regularized(other, *strengths)
    keep_fit(again, found)
    by_search = BlockElimination().solve(again, None, 1e-8, 100)
    assert by_search.violation < 1e-12
    np.testing.assert_allclose(by_search.coefs, expected.coefs, rtol=1e-9, atol=1e-10)
    assert kept_fit(mean_regularized(other, 2.0, *strengths[1:])) is None  # of other strengths


def test_blocks_that_are_no_optimum_are_not_taken(rng):
    X, y, ids = random_tasks(rng, SIZES, 4)
    problem = mean_regularized(make_data(X, y, ids), 0.1)
    expected = BlockElimination().solve(problem, None, 1e-10, 100)
    other = mean_regularized(make_data(X, y, ids), 0.1)
    keep_fit(other, {name: block + 1e-6 for name, block in expected.blocks.items()})
    found = BlockElimination().solve(other, None, 1e-8, 100)
    assert found.violation < 1e-12
    np.testing.assert_allclose(found.coefs, expected.coefs, rtol=1e-10)


@pytest.mark.parametrize("why", ["alike", "no common part"])
def test_none_where_nothing_determines_the_common_part(rng, why):
    X, y, ids = random_tasks(rng, SIZES, 4)
    X[:, 2] = X[:, 1]
    data = make_data(X, y, ids)
    problem = mean_regularized(data, 0.1, 0.0) if why == "alike" else single_task(data, 0.1, 0.1)
    held_out = LeaveOneOut()
    assert held_out.fitted(problem) is None  # nothing was asked
    held_out.risks([problem])
    assert held_out.fitted(problem) is None
