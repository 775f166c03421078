"""Newton's method on the support beside proximal gradients, and what a path starts from."""

import numpy as np
import pytest

from polytask.penalties import (
    JointFeatures,
    Lasso,
    MaxTasks,
    Penalty,
    Ridge,
    TraceNorm,
    sparse_group,
)
from polytask.penalties.joint import shortened
from polytask.problem import Problem
from polytask.responses import Logistic, Loss, Squared
from polytask.solvers import Status, select
from polytask.solvers.norms import sweeps
from polytask.solvers.norms.continuation import SupportContinuation
from polytask.solvers.norms.outer import squares_at
from polytask.solvers.norms.profile import duality_gap, profile, zero_factor, zero_profile
from polytask.solvers.norms.proximal import ProximalGradient
from polytask.solvers.norms.support import SupportNewton
from polytask.structures import CommonDeviation, SlopesPlus
from polytask.tuning import norm_path
from tests.solvers.helpers import make_data, single_task

NORMS = [Lasso, JointFeatures, lambda alpha: sparse_group(alpha, 0.4)]
M, D = 6, 8


@pytest.fixture(autouse=True)
def _without_compiled_loops(monkeypatch):
    monkeypatch.setattr(sweeps, "loops", lambda _: None)


def problem(norm: Penalty, loss: Loss, *, own: float = 0.0, shared: bool = False) -> Problem:
    rng = np.random.default_rng(3)
    ids = np.repeat(np.arange(M), 30)
    W = np.where(np.arange(D) < 4, rng.normal(size=(M, D)), 0.0)
    X = rng.normal(size=(180, D))
    X[:, 1] += X[:, 0]
    y = (X * W[ids]).sum(axis=1) + ids + rng.normal(size=180)
    if shared:
        data = make_data(X[:30], X[:30] @ W.T + rng.normal(size=(30, M)))
    else:
        y = (y > np.median(y)).astype(float) if isinstance(loss, Logistic) else y
        data = make_data(X, y, ids)
    level = np.arange(D + 1) == D
    penalties = {"slopes": norm, "common": Ridge(np.zeros(1)), "deviation": Ridge(np.full(1, own))}
    return Problem(data, loss, SlopesPlus(CommonDeviation(level, level), D, ("slopes",)), penalties)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(("own", "shared"), [(0.0, False), (0.2, False), (0.0, True)])
def test_two_roads_lead_to_one_optimum(norm, own, shared) -> None:
    alpha = 0.3 * zero_factor(problem(norm(1.0), Squared(), own=own, shared=shared))
    asked = problem(norm(alpha), Squared(), own=own, shared=shared)
    assert isinstance(select(asked), SupportNewton)
    found = SupportNewton().solve(asked, None, 1e-12, 1000)
    other = ProximalGradient().solve(asked, None, 1e-12, 100_000)
    assert found.gap <= 1e-12
    assert found.objective == pytest.approx(other.objective, rel=1e-11)
    np.testing.assert_array_equal(found.coefs[:, :D] == 0, other.coefs[:, :D] == 0)
    assert (found.coefs[:, :D] == 0).any()


@pytest.mark.parametrize("norm", NORMS)
def test_labels_are_left_to_other_solvers(norm) -> None:
    asked = problem(norm(0.01), Logistic(), own=0.1)
    assert not isinstance(select(asked), SupportNewton)


@pytest.mark.parametrize("norm", NORMS)
def test_the_gap_of_gram_matrices_is_that_of_the_rows(norm) -> None:
    alpha = 0.1 * zero_factor(problem(norm(1.0), Squared()))
    asked = problem(norm(alpha), Squared())
    found = SupportNewton().solve(asked, None, 1e-3, 1000)  # far from the optimum
    at = profile(asked, found.blocks["slopes"])
    gap = duality_gap(asked, at, norm(alpha).value(at.B))
    assert found.gap > 1e-6
    assert found.gap == pytest.approx(gap / zero_profile(asked).smooth, rel=1e-6)
    assert found.objective == pytest.approx(at.smooth + norm(alpha).value(at.B), rel=1e-12)


@pytest.mark.parametrize("norm", NORMS)
def test_a_path_keeps_its_gaps_from_where_all_is_zero(norm) -> None:
    top = zero_factor(problem(norm(1.0), Squared()))
    data = problem(norm(1.0), Squared()).data

    def at(alpha: float) -> Problem:
        made = problem(norm(alpha), Squared())
        return Problem(data, made.loss, made.structure, made.penalties)

    fits = norm_path(at, top * np.logspace(0, -3, 30), 1e-8, 1000)
    assert not fits[0].blocks["slopes"].any()
    assert fits[1].blocks["slopes"].any()
    for fit, alpha in zip(fits, top * np.logspace(0, -3, 30), strict=True):
        assert fit.gap <= 1e-8
        exact = ProximalGradient().solve(at(alpha), fit.blocks, 1e-11, 100_000)
        assert fit.objective - exact.objective <= 1e-8 * zero_profile(at(alpha)).smooth
    last = top * np.logspace(0, -3, 30)[-10:]  # nothing joins there: a start saves products
    cold = [norm_path(at, np.array([alpha]), 1e-8, 1000)[0].n_iter for alpha in last]
    assert sum(fit.n_iter for fit in fits[-10:]) < 0.75 * sum(cold)


def test_a_start_goes_on_along_a_cubic_where_nothing_is_zero() -> None:
    ahead = SupportContinuation()
    assert ahead.start(1.0) is None

    def at(alpha: float) -> np.ndarray:
        t = np.log(alpha)
        return np.array([[t**3 - t, 0.0 if alpha > 0.3 else 2.0]])

    for alpha in (0.5, 0.4, 0.35, 0.25):
        ahead.add(alpha, {"slopes": at(alpha)})
    start = ahead.start(0.2)
    assert start is not None
    np.testing.assert_allclose(start["slopes"], at(0.2), rtol=1e-10)
    ahead.add(0.2, {"slopes": np.zeros((1, 2))})
    again = ahead.start(0.1)
    assert again is not None
    assert not again["slopes"].any()


def test_a_feature_alone_goes_to_its_own_optimum() -> None:
    rng = np.random.default_rng(0)
    c, pull = rng.uniform(0.1, 3.0, size=(5, 4)), rng.uniform(0.0, 1.0, size=(5, 4))
    pull[0, 0] = 0.0
    l2 = np.linalg.norm(pull, axis=0) * np.array([0.0, 0.1, 0.5, 0.9])
    b = shortened(pull, c, l2)
    length = np.linalg.norm(b, axis=0)
    np.testing.assert_allclose(c * b - pull + l2 * b / length, 0.0, atol=1e-8)


@pytest.mark.parametrize(
    "norm", [Lasso, JointFeatures, TraceNorm, MaxTasks, lambda a: sparse_group(a, 0.4)]
)
@pytest.mark.parametrize("own", [0.0, 0.2])
def test_next_to_no_norm_is_certified_by_the_least_squares(norm, own) -> None:
    """No dual point is feasible to 1e-300; they ended at max_iter, a fifth of the objective off."""
    asked = problem(norm(1e-300), Squared(), own=own)
    found = select(asked).solve(asked, None, 1e-7, 10_000)
    assert found.status is Status.SOLVED
    one = single_task(asked.data, 0.0, alpha_intercept=0.0)
    if own == 0:
        free = select(one).solve(one, None, 1e-10, 100)
        assert found.objective == pytest.approx(free.objective, rel=1e-6)
    gap = profile(asked, found.blocks["slopes"]).risk_gradient[:, :D]
    assert np.abs(gap).max() < 1e-4 * np.abs(zero_profile(asked).gradient).max()


def test_the_bound_by_least_squares_is_one() -> None:
    """F less its minimum, exactly where intercepts are free and from above where they are not."""
    for own, exact in ((0.0, True), (0.2, False)):
        asked = problem(Lasso(1.0), Squared(), own=own)
        F = squares_at(asked, zero_profile(asked))
        near = problem(Lasso(1e-13), Squared(), own=own)
        least = SupportNewton().solve(near, None, 1e-11, 10_000).objective
        bound = F.above_least(F.gradient_at_zero)
        assert bound >= F.value_at_zero - least - 1e-9
        if exact:
            assert bound == pytest.approx(F.value_at_zero - least, rel=1e-8)
