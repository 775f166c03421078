"""Logistic fits against cvxpy and scipy, and where a Newton step alone would fail."""

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, sparse

from polytask.data import oracle
from polytask.problem import Problem
from polytask.responses import Logistic, Loss, Poisson
from polytask.solvers import Newton, Solution, Status, select
from polytask.solvers.arrow_problem import ArrowProblem, arrow_problem
from tests.solvers.helpers import (
    as_vector,
    expanded,
    make_data,
    mean_regularized,
    objective_at,
    pooled,
    random_tasks,
    single_task,
    task_intercept,
)

LOGISTIC = Logistic()


def labels(rng: np.random.Generator, sizes: list[int], d: int) -> tuple[np.ndarray, ...]:
    X, y, ids = random_tasks(rng, sizes, d)
    return X, (y + rng.normal(size=len(y)) > 0).astype(float), ids


def solve(problem: Problem, tol: float = 1e-8) -> Solution:
    solution = select(problem).solve(problem, None, tol, 100)
    assert solution.solver == "newton"
    assert solution.status is Status.SOLVED
    assert solution.violation <= tol
    found = objective_at(problem, as_vector(solution.blocks))
    assert solution.objective == pytest.approx(found, rel=1e-10)
    return solution


def best_of_scipy(problem: Problem) -> float:
    A, strength = expanded(problem)
    data = problem.data

    def both(b: np.ndarray) -> tuple[float, np.ndarray]:
        f = A @ b
        slope = A.T @ (data.weight * LOGISTIC.gradient(data.y, f)) + 2 * strength * b
        return objective_at(problem, b), slope

    start = np.zeros(A.shape[1])
    options = {"maxiter": 5000, "ftol": 1e-15, "gtol": 1e-9}
    return float(optimize.minimize(both, start, jac=True, method="L-BFGS-B", options=options).fun)


def test_against_cvxpy() -> None:
    X, y, ids = labels(np.random.default_rng(0), [9, 30, 3, 1], 4)
    data = make_data(X, y, ids)
    for problem in (
        mean_regularized(data, 0.05, 0.01, 0.2, LOGISTIC), single_task(data, 0.1, 0.05, LOGISTIC),
        pooled(data, 0.1, LOGISTIC), task_intercept(data, 0.1, 0.3, LOGISTIC),
    ):  # fmt: skip
        A, strength = expanded(problem)
        b = cp.Variable(A.shape[1])
        risk = data.weight @ (cp.logistic(A @ b) - cp.multiply(data.y, A @ b))
        cvx = cp.Problem(cp.Minimize(risk + strength @ cp.square(b)))
        best = cvx.solve(solver=cp.CLARABEL, tol_gap_rel=1e-11, tol_gap_abs=1e-11)
        assert solve(problem).objective == pytest.approx(best, rel=1e-6)


SHAPES = {
    "plain": ([40] * 6, 5),
    "one row to more than d": ([1, 2, 3, 7, 8, 9, 20], 8),
    "some tasks wide": ([50, 4, 30], 20),
    "all tasks wide": ([5, 9, 3], 40),
    "all rows together wide": ([3, 2], 100),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("intercept", [True, False])
def test_against_scipy(shape: str, intercept: bool) -> None:
    X, y, ids = labels(np.random.default_rng(1), *SHAPES[shape])
    data = make_data(X, y, ids, intercept=intercept)
    for alpha in (1e-3, 0.1, 100.0):
        for problem in (
            mean_regularized(data, alpha, 0.01, 0.2, LOGISTIC),
            single_task(data, alpha, 0.1, LOGISTIC),
            pooled(data, alpha, LOGISTIC),
        ):
            assert solve(problem).objective <= best_of_scipy(problem) * (1 + 1e-6) + 1e-12


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 12), min_size=1, max_size=5), st.integers(1, 9), st.integers(0, 9999),
    st.sampled_from([1e-5, 1e-2, 10.0]), st.sampled_from([1e-4, 1.0, 1e4]),
)  # fmt: skip
def test_random_shapes(sizes: list[int], d: int, seed: int, alpha: float, scale: float) -> None:
    """Stationary to the tolerance, which for a convex problem is optimal."""
    X, y, ids = labels(np.random.default_rng(seed), sizes, d)
    X[:, 0] = X[:, -1]
    data = make_data(X * scale, y, ids)
    solve(mean_regularized(data, alpha * scale**2, 1e-3 * scale**2, 0.1, LOGISTIC))
    solve(single_task(data, alpha * scale**2, 0.1, LOGISTIC))


@pytest.mark.parametrize("alpha", [1e-10, 1e-6])
def test_separable_tasks_with_next_to_no_penalty(alpha: float) -> None:
    """Coefficients run far out; full Newton steps would overshoot."""
    rng = np.random.default_rng(2)
    ids = np.repeat([0, 1, 2], [4, 10, 20])
    X = rng.normal(size=(34, 6))
    data = make_data(X, (X[:, 0] > 0).astype(float), ids)
    for problem in (
        mean_regularized(data, alpha, alpha, alpha, LOGISTIC),
        single_task(data, alpha, alpha, LOGISTIC),
        pooled(data, alpha, LOGISTIC),
    ):
        solution = solve(problem)
        assert np.isfinite(solution.coefs).all()
        assert solution.objective < 1e-2


def test_features_far_from_zero_and_of_other_units() -> None:
    X, y, ids = labels(np.random.default_rng(3), [30, 12, 9], 5)
    for features in (X + 1e3, X * np.logspace(-4, 4, 5)):
        data = make_data(features, y, ids)
        solve(mean_regularized(data, 0.01, 0.0, 0.1, LOGISTIC))
        solve(pooled(data, 1e-6, LOGISTIC))


def test_sparse_is_dense() -> None:
    X, y, ids = labels(np.random.default_rng(4), [9, 30, 2], 40)
    X[np.random.default_rng(5).random(X.shape) < 0.7] = 0.0
    a = solve(mean_regularized(make_data(X, y, ids), 0.01, 0.01, 0.1, LOGISTIC), 1e-11)
    thin = make_data(sparse.csr_matrix(X), y, ids)
    b = solve(mean_regularized(thin, 0.01, 0.01, 0.1, LOGISTIC), 1e-11)
    np.testing.assert_allclose(a.coefs, b.coefs, rtol=1e-7, atol=1e-9)


def test_tasks_without_rows() -> None:
    X, y, ids = labels(np.random.default_rng(6), [9, 30, 5], 4)
    data = make_data(X, y, ids)
    part = data.subset(data.code != 1)
    solution = solve(mean_regularized(part, 0.01, 0.0, 0.1, LOGISTIC))
    np.testing.assert_allclose(solution.blocks["deviation"][1], 0.0, atol=1e-9)


def test_a_warm_start_ends_where_a_cold_one_does() -> None:
    X, y, ids = labels(np.random.default_rng(7), [9, 30, 5], 4)
    data = make_data(X, y, ids)
    first = solve(mean_regularized(data, 0.1, 0.0, 0.1, LOGISTIC))
    problem = mean_regularized(data, 0.01, 0.0, 0.1, LOGISTIC)
    warm = Newton().solve(problem, first.blocks, 1e-10, 100)
    cold = Newton().solve(problem, None, 1e-10, 100)
    np.testing.assert_allclose(warm.coefs, cold.coefs, rtol=1e-6, atol=1e-8)
    kept = mean_regularized(data, 0.1, 0.0, 0.1, LOGISTIC).objective(first.blocks)
    assert kept == pytest.approx(first.objective, rel=1e-14), "the start is left alone"


def test_few_steps_say_so() -> None:
    X, y, ids = labels(np.random.default_rng(8), [9, 30, 5], 4)
    problem = mean_regularized(make_data(X, y, ids), 1e-4, 0.0, 0.1, LOGISTIC)
    solution = Newton().solve(problem, None, 1e-10, 2)
    assert solution.status is Status.MAX_ITER
    assert solution.n_iter == 2
    assert solution.violation > 1e-10


def test_newton_agrees_with_the_closed_form() -> None:
    X, y, ids = random_tasks(np.random.default_rng(9), [9, 30, 5], 4)
    problem = mean_regularized(make_data(X, y, ids), 0.01, 0.0, 0.1)
    exact = select(problem).solve(problem, None, 1e-12, 100)
    newton = Newton().solve(problem, None, 1e-12, 100)
    assert (exact.solver, newton.solver) == ("block elimination", "newton")
    np.testing.assert_allclose(newton.coefs, exact.coefs, rtol=1e-9, atol=1e-12)


def test_why_no_solver_fits() -> None:
    class NotQuadratic:
        def value(self, B: np.ndarray) -> float:
            return 0.0

        def residual(self, B: np.ndarray, G: np.ndarray) -> np.ndarray:
            return G

    X, y, ids = random_tasks(np.random.default_rng(9), [9, 30], 4)
    problem = mean_regularized(make_data(X, y, ids))
    odd = Problem(
        problem.data, problem.loss, problem.structure,
        {"common": NotQuadratic(), "deviation": NotQuadratic()},
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"no solver fits.*quadratic penalty"):
        select(odd)


@pytest.mark.parametrize("loss", [Logistic(), Poisson()], ids=lambda loss: loss.name)
def test_longer_steps_and_held_factors_lead_to_the_same_end(
    loss: Loss, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where Gram matrices are dear, fewer of them are made; the optimum is the same."""
    rng = np.random.default_rng(3)
    X, f, ids = random_tasks(rng, [60] * 20, 12)
    y = (f > 0).astype(float) if loss.has_labels else rng.poisson(np.exp(f / np.abs(f).max()))
    problem = mean_regularized(make_data(X, y, ids), 1e-4, 1e-4, 1e-4, loss)
    real, made = ArrowProblem.factor_at, []
    monkeypatch.setattr(ArrowProblem, "factor_at", lambda *a: made.append(0) or real(*a))
    found = Newton().solve(problem, None, 1e-9, 100)
    fewer = len(made)
    monkeypatch.setattr(oracle, "_DEAR", np.inf)
    plain = Newton().solve(problem, None, 1e-9, 100)
    assert found.status is Status.SOLVED
    assert fewer < len(made) - fewer
    assert found.objective == pytest.approx(plain.objective, rel=1e-12)
    np.testing.assert_allclose(found.coefs, plain.coefs, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("alpha", [1e-3, 1.0, 1e9])
def test_a_newton_system_of_all_coefficients_keeps_no_copy_of_gram_matrices(alpha, rng):
    """Roots stand where those stood, but where the strength leaves no digits to do without."""
    X, y, ids = random_tasks(rng, [30, 12, 25], 4)
    problem = mean_regularized(make_data(X, y, ids), alpha, 0.1, 0.2)
    arrow, curvature = arrow_problem(problem), rng.uniform(0.1, 1.0, len(y))
    factor = arrow.factor(curvature)
    assert (factor.coupling is None) == (alpha < 1e3)
    (H, strength), (m, p) = expanded(problem), (3, problem.data.n_coefs)
    rhs = {"common": rng.normal(size=p), "deviation": rng.normal(size=(m, p))}
    weight = problem.data.weight * curvature
    hessian = (H.T * weight) @ H + np.diag(2.0 * strength)
    expected = np.linalg.solve(hessian, as_vector(rhs))
    np.testing.assert_allclose(as_vector(factor.solve(rhs)), expected, rtol=1e-8)
