"""Newton's method in the directions on products with sparse rows."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

from polytask.penalties import TraceNorm
from polytask.problem import Problem
from polytask.responses import Logistic, Loss, Squared
from polytask.solvers.low_rank.heads import FreeHeads, HeadModel, MeanHeads, TraceHeads
from polytask.solvers.low_rank.row_alternation import RowPoint, alternate_rows
from tests.low_rank.problems import low_rank
from tests.solvers.helpers import make_data, random_tasks

MODELS: list[HeadModel] = [FreeHeads(0.02), MeanHeads(0.05, 0.01), TraceHeads(0.05, 2)]
LOSSES: list[Loss] = [Squared(), Logistic()]


def problem_and_directions(loss: Loss, dense: bool = False) -> tuple[Problem, np.ndarray]:
    """Four tasks of 9 to 14 rows, 45 thin features: wide."""
    rng = np.random.default_rng(0)
    X, y, ids = random_tasks(rng, [12, 9, 14, 10], 45)
    X *= rng.random(X.shape) < 0.4
    y = y if loss.is_quadratic else (y > 0).astype(float)
    data = make_data(X if dense else sparse.csr_matrix(X), y, ids)
    return low_rank(data, loss, TraceNorm(1.0), level=0.01), rng.normal(size=(2, 45))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("model", MODELS)
def test_slope_and_curvature_are_those_of_differences(model: HeadModel, loss: Loss) -> None:
    problem, V = problem_and_directions(loss)
    at = RowPoint(problem, model, V)
    D = at.across(np.random.default_rng(1).normal(size=V.shape))
    size = 1e-3
    up, down = at.moved(D, size), at.moved(D, -size)
    slope, curvature = float((at.slope * D).sum()), float((at.curvature(D)[0] * D).sum())
    assert_allclose(slope, (up.value - down.value) / (2 * size), rtol=1e-3, atol=1e-6)
    second = (up.value - 2 * at.value + down.value) / size**2
    assert_allclose(curvature, second, rtol=2e-3, atol=1e-5)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("model", MODELS)
def test_sparse_rows_take_the_steps_of_dense_ones(model: HeadModel, loss: Loss) -> None:
    problem, V = problem_and_directions(loss)
    dense, _ = problem_and_directions(loss, dense=True)
    found, path = alternate_rows(problem, model, V, 1e-9, 500)
    same, _ = alternate_rows(dense, model, V, 1e-9, 500)
    assert found.violation <= 1e-9
    assert found.value == pytest.approx(same.value, rel=1e-9)
    assert max(np.diff(path)) <= 1e-12
