"""The trace norm: the optimum, its certificate, and where it is zero."""

import numpy as np
import pytest

from polytask.penalties import TraceNorm
from polytask.responses import Squared
from polytask.solvers import Status, select
from polytask.solvers.norms.admm import Admm
from polytask.solvers.norms.profile import zero_factor, zero_profile
from polytask.solvers.norms.proximal import ProximalGradient
from tests.low_rank.problems import LOSSES, low_rank, make_data

SOLVERS = {"admm": Admm(), "proximal": ProximalGradient()}


def alpha_max(data, loss, **kwargs) -> float:
    return zero_factor(low_rank(data, loss, TraceNorm(1.0), **kwargs))


def cvxpy_optimum(problem) -> float:
    cp = pytest.importorskip("cvxpy", reason="cvxpy is in the extra `test`")
    data, d = problem.data, problem.data.n_features
    split = bool(problem.structure.rest.common[:d].any())
    L, w0 = cp.Variable((data.n_tasks, d)), cp.Variable(d)
    b0, db = cp.Variable(), cp.Variable(data.n_tasks)
    value = problem.penalties["low_rank"].alpha * cp.normNuc(L)
    value += float(problem.penalties["deviation"].strength[0]) * cp.sum_squares(db)
    for i in range(data.n_tasks):
        X, y, omega = data.block(i)
        f = X[:, :d] @ (L[i] + (w0 if split else 0)) + b0 + db[i]
        loss = cp.square(y - f) / 2 if problem.loss.name == "squared" else cp.logistic(f)
        value += cp.sum(cp.multiply(omega, loss))
        if problem.loss.name == "logistic":
            value -= cp.sum(cp.multiply(omega * y, f))
    done = cp.Problem(cp.Minimize(value))
    done.solve(solver="CLARABEL", tol_gap_rel=1e-9, tol_gap_abs=1e-9, tol_feas=1e-9)
    return float(done.value)


@pytest.mark.parametrize("shared", [False, True], ids=["own rows", "shared rows"])
@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize(("level", "common"), [(0.0, False), (0.02, False), (0.02, True)])
def test_optimum_is_that_of_cvxpy(name, shared, level, common):
    rng, loss = np.random.default_rng(0), LOSSES[name]
    data = make_data(rng, loss, m=4, d=3, n=25, shared=shared)
    alpha = 0.3 * alpha_max(data, loss, level=level, common=common)
    problem = low_rank(data, loss, TraceNorm(alpha), level, common)
    expected = cvxpy_optimum(problem)
    for solver in SOLVERS.values():
        solution = solver.solve(problem, None, 1e-8, 5000)
        assert solution.objective == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("share", [0.5, 0.1, 0.02])
@pytest.mark.parametrize("solver", SOLVERS)
def test_gap_is_below_its_tolerance_and_bounds_the_error(rng, name, share, solver):
    loss = LOSSES[name]
    data = make_data(rng, loss)
    alpha = share * alpha_max(data, loss, level=0.02)
    problem = low_rank(data, loss, TraceNorm(alpha), 0.02)
    solution = SOLVERS[solver].solve(problem, None, 1e-6, 5000)
    better = Admm().solve(problem, None, 1e-10, 20000)
    scale = zero_profile(problem).smooth
    assert solution.status is Status.SOLVED
    assert 0 <= solution.gap <= 1e-6
    assert solution.objective == pytest.approx(problem.objective(solution.blocks), rel=1e-12)
    assert (solution.objective - better.objective) / scale <= solution.gap + 1e-9


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("common", [False, True])
def test_from_its_maximum_on_alpha_gives_exactly_zero(rng, name, common):
    loss = LOSSES[name]
    data = make_data(rng, loss)
    top = alpha_max(data, loss, level=0.02, common=common)
    for share, zero in [(2.0, True), (1.0, True), (0.99, False)]:
        problem = low_rank(data, loss, TraceNorm(share * top), 0.02, common)
        solution = select(problem).solve(problem, None, 1e-8, 5000)
        assert (np.abs(solution.blocks["low_rank"]).max() == 0) == zero
        assert solution.gap <= 1e-8


def test_solutions_are_exactly_low_rank():
    data = make_data(np.random.default_rng(1), Squared(), m=20, d=8, n=30)
    problem = low_rank(data, Squared(), TraceNorm(0.1 * alpha_max(data, Squared())))
    L = select(problem).solve(problem, None, 1e-8, 5000).blocks["low_rank"]
    assert 0 < np.linalg.matrix_rank(L) < 8


def test_wide_tasks_form_no_gram_matrix(monkeypatch):
    rng = np.random.default_rng(0)
    data = make_data(rng, Squared(), m=4, d=60, n=12)

    def refuse(*args, **kwargs):
        raise AssertionError("a Gram matrix per task")

    monkeypatch.setattr(type(data.design), "grams", refuse)
    problem = low_rank(data, Squared(), TraceNorm(0.2 * alpha_max(data, Squared())))
    solution = select(problem).solve(problem, None, 1e-6, 3000)
    assert solution.solver == "proximal gradient"
    assert solution.status is Status.SOLVED


def test_prox_is_the_minimizer(rng):
    B = rng.normal(size=(5, 4))
    penalty = TraceNorm(0.7)
    at, norm = penalty.shrink(B, 0.5)
    assert norm == pytest.approx(penalty.value(at))

    def value(L):
        return 0.5 * ((L - B) ** 2).sum() + 0.5 * penalty.value(L)

    assert all(value(at) <= value(at + 1e-3 * rng.normal(size=B.shape)) for _ in range(200))


def test_residual_vanishes_at_the_prox(rng):
    # L = prox(B) solves 0 in (L - B) / step + subdifferential(L).
    B = rng.normal(size=(6, 4))
    penalty = TraceNorm(0.7)
    L = penalty.shrink(B, 0.5).matrix
    np.testing.assert_allclose(penalty.residual(L, (L - B) / 0.5), 0, atol=1e-10)
