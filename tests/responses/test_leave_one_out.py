"""Strengths by approximate leave-one-out against refits without every row."""

import numpy as np
import pytest

from polytask import SingleTaskRegressor
from polytask.problem import Problem
from polytask.responses import Response
from polytask.solvers import select
from polytask.tuning import LeaveOneOut, deviation_grid
from tests.responses.helpers import draw, every_response
from tests.solvers.helpers import make_data, mean_regularized
from tests.tuning.test_leave_one_out import without

NUMBERS = [r for r in every_response() if not (r.has_labels or r.is_quadratic)]


def refitted_risk(problem: Problem, make, response: Response) -> float:
    """The leave-one-out risk by a fit for every row."""
    data, risk = problem.data, 0.0
    start = select(problem).solve(problem, None, 1e-9, 100).blocks
    for j in range(len(data.y)):
        part = make(without(data, j))
        coefs = select(part).solve(part, start, 1e-8, 100).coefs
        f = data.design.predict(coefs)[j : j + 1]
        risk += data.weight[j] * float(response.value(data.y[j : j + 1], f)[0])
    return risk


@pytest.mark.slow
@pytest.mark.parametrize("response", NUMBERS, ids=lambda r: r.name)
@pytest.mark.parametrize("seed", range(3))
def test_the_choice_is_as_good_as_that_of_refits(response: Response, seed: int) -> None:
    rng = np.random.default_rng(seed)
    ids = np.repeat(np.arange(4), 25)
    X = rng.normal(size=(100, 2))
    W = 0.5 * rng.normal(size=2) + 0.4 * rng.normal(size=(4, 2))
    f = np.clip((X * W[ids]).sum(axis=1) + 0.3 + 0.5 * rng.normal(size=4)[ids], -3, 3)
    y = draw(response, response.inverse_link(f), rng)
    data = make_data(X, y, ids)
    grid = deviation_grid(data, response, 12)[::2]
    makes = [lambda part, a=a: mean_regularized(part, a, 0.001, a, response) for a in grid]
    quick = np.array([LeaveOneOut(1e-8, 100)(make(data)) for make in makes])
    exact = np.array([refitted_risk(make(data), make, response) for make in makes])
    assert exact[np.argmin(quick)] <= 1.01 * exact.min()
    best = int(np.argmin(exact))  # far from it, where penalties are weak, one step is too short
    assert quick[best] == pytest.approx(exact[best], rel=0.01)


@pytest.mark.parametrize("response", NUMBERS, ids=lambda r: r.name)
def test_tables_of_few_rows_are_solved_anew(response: Response) -> None:
    """Where one step is short by up to ten percent of the risk (Huber), three (gamma).

    All rows move, since a row also moves what all tasks share.
    """
    rng = np.random.default_rng(5)
    ids = np.repeat(np.arange(4), 8)
    X = rng.normal(size=(32, 2))
    f = np.clip(X @ [0.6, -0.4] + 0.5 * rng.normal(size=4)[ids] + 0.3, -3, 3)
    data = make_data(X, draw(response, response.inverse_link(f), rng), ids)
    alpha = deviation_grid(data, response, 12)[5]

    def make(part):
        return mean_regularized(part, alpha, 0.001, alpha, response)

    exact = refitted_risk(make(data), make, response)
    assert LeaveOneOut(1e-8, 100)(make(data)) == pytest.approx(exact, rel=1e-3)


def test_a_kink_that_takes_all_curvature_leaves_a_choice() -> None:
    """Newton's systems of a quantile in tasks of twenty rows were singular: the fit ended."""
    rng = np.random.default_rng(0)
    ids, X = np.repeat(np.arange(12), 20), rng.normal(size=(240, 2))
    level = 4.0 + 5.0 * rng.normal(size=12)[ids]
    y = np.round(level + X @ [5.0, -4.0] + 5.0 * rng.standard_t(2, 240), 2)
    model = SingleTaskRegressor(loss="quantile(0.9)", task=2).fit(np.column_stack([X, ids]), y)
    assert np.isfinite(model.coef_).all()
