"""The projected mean-regularized problem: identities, limits, descent."""

import numpy as np
import pytest

from polytask import ProjectedMeanRegularizedRegressor
from polytask.datasets import make_related_tasks
from polytask.penalties import Ridge
from polytask.problem import Problem
from polytask.solvers import BlockElimination, Newton, Status
from polytask.solvers.low_rank.alternating import alternate
from polytask.solvers.low_rank.gram_steps import head_step
from polytask.solvers.low_rank.heads import FreeHeads, TraceHeads
from polytask.solvers.low_rank.projection import Alternating, _core
from polytask.solvers.low_rank.row_alternation import RowPoint, alternate_rows, newton_step
from polytask.solvers.low_rank.starts import starting_directions
from polytask.solvers.low_rank.task_quadratic import task_quadratic
from polytask.structures import CommonDeviation
from tests.low_rank.problems import LOSSES, make_data, projected


def mean_regularized(data, loss, alpha, common, level):
    d = data.n_features
    everywhere = np.ones(d + 1, dtype=bool)
    ridges = {
        "common": Ridge(np.append(np.full(d, common), 0.0)),
        "deviation": Ridge(np.append(np.full(d, alpha), level)),
    }
    problem = Problem(data, loss, CommonDeviation(everywhere, everywhere), ridges)
    solver = BlockElimination() if loss.is_quadratic else Newton()
    return solver.solve(problem, None, 1e-10, 100)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize(("m", "d"), [(6, 4), (3, 6)])
def test_all_directions_are_the_mean_regularized_model(rng, name, m, d):
    loss = LOSSES[name]
    data = make_data(rng, loss, m=m, d=d)
    expected = mean_regularized(data, loss, 0.01, 1e-3, 0.01)
    for k in {min(m, d), d}:
        problem = projected(data, loss, k)
        solution = Alternating().solve(problem, None, 1e-8, 100)
        assert solution.certificate == "global"
        assert solution.objective == pytest.approx(expected.objective, rel=1e-8)
        np.testing.assert_allclose(solution.coefs, expected.coefs, atol=1e-6)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("k", [1, 2])
def test_strong_alpha_is_the_pooled_model_for_any_k(rng, name, k):
    loss = LOSSES[name]
    data = make_data(rng, loss)
    pooled = mean_regularized(data, loss, 1e7, 1e-3, 1e7)
    problem = projected(data, loss, k, alpha=1e7, level=1e7)
    solution = Alternating().solve(problem, None, 1e-12, 300)
    assert solution.objective == pytest.approx(pooled.objective, rel=1e-6)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("k", [1, 3])
def test_objective_never_rises_and_directions_stay_orthonormal(rng, name, k):
    loss = LOSSES[name]
    data = make_data(rng, loss, m=8, d=6, rank=3)
    problem = projected(data, loss, k)
    core, model = _core(problem)
    for V in starting_directions(core, k, 1e-8):
        path = alternate(core, model, V, 0.0, 8).history
        assert max(np.diff(path)) <= 1e-12
    solution = Alternating().solve(problem, None, 1e-10, 500)
    P = solution.blocks["projection"]
    np.testing.assert_allclose(P.T @ P, np.eye(k), atol=1e-10)
    assert solution.objective <= path[-1] + 1e-10
    assert solution.violation <= 1e-10
    assert solution.status is Status.SOLVED
    assert solution.objective == pytest.approx(problem.objective(solution.blocks), rel=1e-12)


def test_structure_adjoint_is_the_gradient(rng):
    data = make_data(rng, LOSSES["squared"])
    problem = projected(data, LOSSES["squared"], 2)
    blocks = {b: rng.normal(size=B.shape) for b, B in problem.zeros().items()}
    G = problem.risk_gradient(problem.predict(blocks))
    gradient = problem.structure.adjoint(G, blocks)
    for name, B in blocks.items():
        step = rng.normal(size=B.shape)
        values = []
        for size in (1e-6, -1e-6):
            f = problem.predict({**blocks, name: B + size * step})
            values.append(float(data.weight @ problem.loss.value(data.y, f)))
        slope = (values[0] - values[1]) / 2e-6
        assert slope == pytest.approx(float((gradient[name] * step).sum()), rel=1e-5)


@pytest.mark.parametrize("intercept_pull", [0.0, 0.02])
def test_steps_on_gram_matrices_are_those_on_rows(rng, intercept_pull):
    loss = LOSSES["squared"]
    data = make_data(rng, loss, m=8, d=6, rank=3)
    core, model = _core(projected(data, loss, 2, level=intercept_pull))
    V = np.linalg.qr(rng.normal(size=(6, 2)))[0].T
    rows = RowPoint(core, model, V)
    grams = head_step(task_quadratic(core), V, model.prior)
    np.testing.assert_allclose(grams.A @ V, rows.A @ rows.V, atol=1e-10)
    assert grams.value == pytest.approx(rows.value, rel=1e-10)
    coarse, fine = (alternate(core, model, V, tol, 500) for tol in (1e-2, 1e-11))
    assert fine.violation < 1e-11
    assert fine.objective <= coarse.objective
    start = coarse.V  # from afar the two may end at different places
    by_rows, _ = alternate_rows(core, model, start, 1e-11, 500)
    by_grams = alternate(core, model, start, 1e-11, 500)
    assert by_rows.value == pytest.approx(by_grams.objective, rel=1e-10)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("kind", ["mean", "free", "trace"])
def test_slope_and_curvature_in_the_directions_are_those_of_differences(rng, name, kind):
    loss = LOSSES[name]
    data = make_data(rng, loss, m=7, d=5, rank=3)
    core, model = _core(projected(data, loss, 2, level=0.02))
    model = {"mean": model, "free": FreeHeads(0.02), "trace": TraceHeads(0.05, 2)}[kind]
    at = RowPoint(core, model, np.linalg.qr(rng.normal(size=(5, 2)))[0].T)
    D = at.across(rng.normal(size=(2, 5)))
    size = 1e-4
    ahead, behind = at.moved(D, size), at.moved(D, -size)
    first = (ahead.value - behind.value) / (2 * size)
    second = (ahead.value - 2 * at.value + behind.value) / size**2
    assert float((at.slope * D).sum()) == pytest.approx(first, rel=1e-5, abs=1e-9)
    assert float((at.curvature(D)[0] * D).sum()) == pytest.approx(second, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_newton_converges_at_the_speed_of_newton(rng, name):
    loss = LOSSES[name]
    data = make_data(rng, loss, m=8, d=6, rank=3)
    core, model = _core(projected(data, loss, 2))
    at, _ = alternate_rows(core, model, np.eye(6)[:2], 1e-4, 200)
    after = at.moved(newton_step(at), 1.0)
    assert after.violation < max(1e-2 * at.violation, 1e-12)


@pytest.mark.parametrize("alpha", [1e-300, 1e-40])
def test_a_strength_next_to_none_is_none(alpha):
    X, y, _ = make_related_tasks(8, 4, 20, random_state=0)
    kwargs = {"n_components": 2, "task": "task"}
    small = ProjectedMeanRegularizedRegressor(alpha, **kwargs).fit(X, y)
    none = ProjectedMeanRegularizedRegressor(1e-20, **kwargs).fit(X, y)
    assert small.status_ == "solved"
    np.testing.assert_allclose(small.coef_, none.coef_, atol=1e-6)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_strength_next_to_infinite_leaves_the_common_head():
    X, y, _ = make_related_tasks(8, 4, 20, random_state=0)
    kwargs = {"n_components": 2, "task": "task", "alpha_common": 0.01}
    huge = ProjectedMeanRegularizedRegressor(1e300, **kwargs).fit(X, y)
    large = ProjectedMeanRegularizedRegressor(1e7, **kwargs).fit(X, y)
    np.testing.assert_allclose(huge.coef_, large.coef_, atol=1e-5)
