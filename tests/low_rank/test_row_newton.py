"""Newton's method on products with sparse rows, against differences and against other methods."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

from polytask.losses import Logistic, Loss, Squared
from polytask.penalties import TraceNorm
from polytask.problem import Problem
from polytask.solvers.alternating import _heads_on, alternate, objective_of
from polytask.solvers.heads import FreeHeads, HeadModel, MeanHeads, TraceHeads
from polytask.solvers.row_newton import RowPoint
from polytask.solvers.truncated_newton import Direction
from tests.low_rank.problems import low_rank
from tests.solvers.helpers import make_data, random_tasks

MODELS: list[HeadModel] = [FreeHeads(0.02), MeanHeads(0.05, 0.01), TraceHeads(0.05)]
LOSSES: list[Loss] = [Squared(), Logistic()]


def problem_and_directions(loss: Loss, k: int = 2) -> tuple[Problem, np.ndarray]:
    """Four tasks of 9 to 14 rows, 45 thin features: wide."""
    rng = np.random.default_rng(0)
    X, y, ids = random_tasks(rng, [12, 9, 14, 10], 45)
    X *= rng.random(X.shape) < 0.4
    y = y if loss.constant_curvature else (y > 0).astype(float)
    data = make_data(sparse.csr_matrix(X), y, ids)
    return low_rank(data, loss, TraceNorm(1.0), level=0.01), rng.normal(size=(k, 45))


def value_at(problem: Problem, model: HeadModel, V: np.ndarray) -> float:
    """The objective at the best heads of directions V of any length."""
    if model.turns:
        at, heads = _heads_on(problem, model, V, FreeHeads(0.1).fit(problem, V, None))
        return objective_of(problem, model, heads, at)
    ridge = FreeHeads(0.5 * model.prior.own)  # beside half the squares of V: the balanced form
    heads = ridge.fit(problem, V, None)
    return objective_of(problem, ridge, heads, V) + ridge.ridge * float((V * V).sum())


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("model", MODELS)
def test_slope_and_curvature_are_those_of_differences(model: HeadModel, loss: Loss) -> None:
    problem, V = problem_and_directions(loss)
    at, heads = _heads_on(problem, model, V, FreeHeads(0.1).fit(problem, V, None))
    point = RowPoint(problem, model, at, heads)
    rng, h = np.random.default_rng(1), 1e-3
    D = rng.normal(size=V.shape)
    up, here, down = (value_at(problem, model, point.V + t * D) for t in (h, 0.0, -h))
    slope = -float((point.descent(convex=False).C.T * D).sum())
    assert_allclose(slope, (up - down) / (2 * h), rtol=1e-3, atol=1e-6)
    assert_allclose(_curvature(point, D), (up - 2 * here + down) / h**2, rtol=2e-3, atol=1e-5)


def _curvature(point: RowPoint, D: np.ndarray) -> float:
    """D'HD where the common intercept and w0 give way."""
    c = len(point.descent(False).common)
    straight = point.product(Direction(D.T, np.zeros(c)), convex=False)
    unit = [point.product(Direction(np.zeros_like(D.T), e), convex=False).common for e in np.eye(c)]
    give = np.linalg.lstsq(np.array(unit), straight.common, rcond=None)[0] if c else np.zeros(0)
    return float((straight.C * D.T).sum() - give @ straight.common)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("model", MODELS)
def test_steps_end_where_alternation_on_dense_rows_ends(model: HeadModel, loss: Loss) -> None:
    problem, V = problem_and_directions(loss)
    V0, heads = _heads_on(problem, model, V, FreeHeads(0.1).fit(problem, V, None))
    found = alternate(problem, model, V0, 1e-13, 200)
    dense = make_data(problem.data.design.X[:, :-1].toarray(), problem.data.y, problem.data.code)
    other = low_rank(dense, loss, TraceNorm(1.0), level=0.01)
    slow = alternate(other, model, V0, 1e-13, 2000)
    assert found.converged
    assert found.objective <= slow.objective * (1 + 1e-3)  # not always the same local optimum
    start, end = (RowPoint(problem, model, *at) for at in ((V0, heads), (found.V, found.heads)))
    assert np.abs(end.descent(False).C).max() <= 1e-5 * np.abs(start.descent(False).C).max()
