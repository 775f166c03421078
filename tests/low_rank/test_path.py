"""Paths of the trace norm: their certificates, what they do once, and where each fit starts."""

import numpy as np
import pytest

from polytask import LowRankRegressor, low_rank_path
from polytask.algebra import curvature
from polytask.algebra.curvature import TaskGrams
from polytask.data import Design
from polytask.datasets import make_low_rank_tasks
from polytask.penalties import TraceNorm
from polytask.penalties.spectral import singular_above, spectral_norm
from polytask.responses import Squared
from polytask.solvers import select
from polytask.solvers.norms.admm import Admm
from polytask.solvers.norms.continuation import Continuation
from polytask.solvers.norms.profile import duality_gap, profile, zero_factor, zero_profile
from polytask.tuning import trace_path
from tests.low_rank.problems import low_rank, make_data


def test_the_gap_is_that_of_the_residuals_where_the_fit_is_nearly_perfect():
    rng = np.random.default_rng(0)
    data = make_data(rng, Squared(), m=8, d=4, n=30, rank=2)
    W = rng.normal(size=(8, 2)) @ rng.normal(size=(2, 4))
    data.y[:] = 1e3 + data.design.predict(np.hstack([W, np.zeros((8, 1))]))
    data.y[:] += 1e-6 * rng.normal(size=len(data.y))
    top = zero_factor(low_rank(data, Squared(), TraceNorm(1.0)))
    problem = low_rank(data, Squared(), TraceNorm(1e-9 * top))
    solution = select(problem).solve(problem, None, 1e-8, 3000)
    L = solution.blocks["low_rank"]
    at = profile(problem, L)
    norm = float(np.linalg.svd(L, compute_uv=False).sum())
    gap = duality_gap(problem, at, 1e-9 * top * norm) / zero_profile(problem).smooth
    exact = select(problem).solve(problem, None, 1e-13, 3000)
    above = (solution.objective - exact.objective) / zero_profile(problem).smooth
    assert solution.gap <= 1e-8
    assert above - 1e-10 <= solution.gap <= gap + 1e-10  # rounding at means of 1e3
    assert at.smooth < 1e-8 * zero_profile(problem).smooth  # R squared is one but for 1e-8


def test_a_path_makes_gram_matrices_once_and_starts_where_coefficients_are_zero(monkeypatch):
    X, y, _ = make_low_rank_tasks(8, 5, 30, rank=2, random_state=0)
    calls, grams = [], Design.grams

    def counted(self, *args, **kwargs):
        calls.append(1)
        return grams(self, *args, **kwargs)

    monkeypatch.setattr(Design, "grams", counted)
    path = low_rank_path(LowRankRegressor(task="task"), X, y, n_alphas=10)
    assert len(calls) == 1
    assert path.ranks[0] == 0
    assert path.ranks[1] >= 1
    assert (path.gaps <= 1e-7).all()
    just_below = low_rank_path(
        LowRankRegressor(task="task"), X, y, alphas=path.alphas[0] * np.array([1.0, 0.999])
    )
    assert just_below.ranks.tolist() == [0, 1]


def test_singular_values_above_a_threshold(rng):
    B = rng.normal(size=(7, 4))
    for A in (B, B.T):
        s = np.linalg.svd(A, compute_uv=False)
        U, found, V = singular_above(A, 0.5 * (s[1] + s[2]))
        np.testing.assert_allclose(found, s[:2])
        np.testing.assert_allclose(U.T @ A @ V, np.diag(s[:2]), atol=1e-12)
        assert spectral_norm(A) == pytest.approx(s[0])


@pytest.mark.parametrize(("level", "common"), [(0.0, False), (0.3, False), (0.1, True)])
def test_a_path_is_certified_by_the_rows(rng, level, common):
    data = make_data(rng, Squared(), m=12, d=6, n=40, rank=2)
    top = zero_factor(low_rank(data, Squared(), TraceNorm(1.0), level, common))
    alphas = top * np.logspace(0, -2, 20)

    def problem(alpha):
        return low_rank(data, Squared(), TraceNorm(alpha), level, common)

    for alpha, fit in zip(alphas, trace_path(problem, alphas, 1e-7, 2000), strict=True):
        at = profile(problem(alpha), fit.blocks["low_rank"])
        norm = float(np.linalg.svd(at.L, compute_uv=False).sum())
        scale = zero_profile(problem(alpha)).smooth
        near = Admm().solve(problem(alpha), fit.blocks, 1e-12, 10_000).blocks["low_rank"]
        best = profile(problem(alpha), near)
        value = best.smooth + alpha * float(np.linalg.svd(near, compute_uv=False).sum())
        dual = value - duality_gap(problem(alpha), best, value - best.smooth)
        above = at.smooth + alpha * norm - dual
        assert above <= (fit.gap + 1e-9) * scale <= 1.01e-7 * scale
        assert fit.objective == pytest.approx(at.smooth + alpha * norm, rel=1e-10)
        assert fit.violation == pytest.approx(problem(alpha).violation(fit.blocks), abs=1e-6)


def test_continuation_is_closer_than_the_last_optimum(rng):
    data = make_data(rng, Squared(), m=12, d=6, n=40, rank=2)
    top = zero_factor(low_rank(data, Squared(), TraceNorm(1.0)))
    alphas = top * np.logspace(-0.6, -0.8, 4)
    ahead, last = Continuation(), None
    for alpha in alphas:
        start = ahead.start(alpha)
        fit = Admm().solve(
            low_rank(data, Squared(), TraceNorm(alpha)), last and last.blocks, 1e-9, 500
        )
        if last is not None:
            reached = np.linalg.norm(start["low_rank"] - fit.blocks["low_rank"])
            behind = np.linalg.norm(last.blocks["low_rank"] - fit.blocks["low_rank"])
        ahead.add(alpha, fit.blocks)
        last = fit
    assert reached < 0.1 * behind


def test_products_shared_among_threads_are_the_same(rng, monkeypatch):
    A = rng.normal(size=(7, 9, 5))
    H, theta = TaskGrams(A.transpose(0, 2, 1) @ A), rng.normal(size=(7, 5))
    alone = H.apply(theta)
    monkeypatch.setattr(curvature, "_THREADS_FROM", 0)
    np.testing.assert_array_equal(H.apply(theta), alone)
