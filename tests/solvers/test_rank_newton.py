"""Newton's method among matrices of one rank beside proximal methods."""

import numpy as np
import pytest

from polytask.compiled import loops
from polytask.penalties import TraceNorm
from polytask.penalties.spectral import numerical_rank
from polytask.responses import Logistic, Squared
from polytask.solvers import Status, select
from polytask.solvers.norms import rank_newton
from polytask.solvers.norms.admm import Admm
from polytask.solvers.norms.outer import squares_at
from polytask.solvers.norms.profile import duality_gap, profile, zero_factor, zero_profile
from polytask.solvers.norms.proximal import ProximalGradient
from polytask.solvers.norms.rank_model import RankAt, RankModel, is_worth
from polytask.solvers.norms.rank_newton import RankNewton
from polytask.tuning import trace_path
from tests.low_rank.problems import low_rank, make_data

LEVELS = [(0.0, False), (0.3, False), (0.1, True)]


@pytest.fixture
def data(rng):
    """Features whose scales differ by ten: their curvatures are uneven."""
    made = make_data(rng, Squared(), m=14, d=8, n=40, rank=3)
    made.design.X[:, :8] *= np.logspace(0, 1, 8)
    return made


def at_share(data, share, level=0.0, common=False):
    top = zero_factor(low_rank(data, Squared(), TraceNorm(1.0), level, common))
    return low_rank(data, Squared(), TraceNorm(share * top), level, common)


def rank(fit):
    return numerical_rank(np.linalg.svd(fit.blocks["low_rank"], compute_uv=False))


@pytest.mark.parametrize(("level", "common"), LEVELS)
@pytest.mark.parametrize("share", [0.5, 0.1, 0.01])
def test_three_roads_lead_to_one_optimum(data, share, level, common) -> None:
    asked = at_share(data, share, level, common)
    assert isinstance(select(asked), RankNewton)
    found = RankNewton().solve(asked, None, 1e-11, 5000)
    assert found.status is Status.SOLVED
    for other in (ProximalGradient(), Admm()):
        theirs = other.solve(asked, None, 1e-11, 100_000)
        assert found.objective == pytest.approx(theirs.objective, rel=1e-9)
        np.testing.assert_allclose(found.coefs, theirs.coefs, atol=1e-4)
    at = profile(asked, found.blocks["low_rank"])
    gap = duality_gap(asked, at, asked.penalties["low_rank"].value(at.B))
    assert gap <= 1.1e-11 * zero_profile(asked).smooth


@pytest.mark.parametrize(("before", "after"), [(0.5, 0.05), (0.02, 0.4)])
def test_directions_join_and_leave(data, before, after) -> None:
    start = RankNewton().solve(at_share(data, before), None, 1e-9, 1000)
    asked = at_share(data, after)
    found = RankNewton().solve(asked, start.blocks, 1e-9, 1000)
    exact = ProximalGradient().solve(asked, None, 1e-12, 100_000)
    assert rank(start) != rank(found) == rank(exact)
    assert found.gap <= 1e-9


def test_labels_are_left_to_other_solvers(rng) -> None:
    classes = make_data(rng, Logistic(), m=14, d=8, n=40, rank=3)
    assert not isinstance(select(low_rank(classes, Logistic(), TraceNorm(0.01))), RankNewton)


def test_even_features_are_brought_near_by_accelerated_gradient(rng, monkeypatch) -> None:
    even = make_data(rng, Squared(), m=14, d=8, n=400, rank=3)
    assert isinstance(select(at_share(even, 0.1)), ProximalGradient) == (
        loops("rank_steps") is None
    )
    monkeypatch.setattr(rank_newton, "AdmmInner", lambda: pytest.fail("splitting is slower here"))
    asked = at_share(even, 0.02)
    found = RankNewton().solve(asked, None, 1e-10, 1000)
    theirs = ProximalGradient().solve(asked, None, 1e-12, 10_000)
    assert found.gap <= 1e-10
    assert found.objective == pytest.approx(theirs.objective, abs=1e-9 * theirs.objective)
    assert rank(found) == rank(theirs)


def test_gaps_of_warm_fits_are_no_less_than_what_is_left(data) -> None:
    for share in (0.3, 0.03):
        asked = at_share(data, share)
        exact = RankNewton().solve(asked, None, 1e-13, 5000)
        scale = zero_profile(asked).smooth
        near = RankNewton().solve(at_share(data, 1.2 * share), None, 1e-7, 5000).blocks
        proven = []
        for tol in (1e-3, 1e-5, 1e-7):
            for solver in (ProximalGradient(), Admm(), RankNewton()):
                found = solver.solve(asked, near, tol, 5000)
                assert found.status is Status.SOLVED
                assert found.objective - exact.objective <= (found.gap + 1e-12) * scale
                at = profile(asked, found.blocks["low_rank"])
                penalty = asked.penalties["low_rank"].value(at.B)
                proven.append(found.gap < 0.5 * duality_gap(asked, at, penalty) / scale)
        assert any(proven)  # residuals alone would have asked for more


@pytest.mark.parametrize("share", [0.4, 0.01])
def test_curvature_and_its_inverse(data, rng, share) -> None:
    asked = at_share(data, share)
    F, alpha = squares_at(asked, zero_profile(asked)), asked.penalties["low_rank"].alpha
    L = ProximalGradient().solve(asked, None, 1e-11, 100_000).blocks["low_rank"]

    def nearest(matrix):
        U, s, Vt = np.linalg.svd(matrix)
        r = numerical_rank(np.linalg.svd(L, compute_uv=False))
        return U[:, :r], s[:r], Vt[:r].T, Vt[r:].T

    U, s, V, across = nearest(L)
    at = RankAt(U, s, V, F.gradient(L)[0], alpha)
    assert at.left < 1e-4 * alpha

    def value(step):
        U, s, V, _ = nearest(L + step)
        return F.value((U * s) @ V.T, F.gradient((U * s) @ V.T)[0]) + alpha * s.sum()

    x = at.part(rng.normal(size=L.shape))
    x *= 1e-2 * s[-1] / np.linalg.norm(x)
    Hx = at.curve(x, F.change(at.whole(x))[0][:, : L.shape[1]])
    second = value(at.whole(x)) + value(-at.whole(x)) - 2.0 * value(0.0 * L)
    assert float(np.vdot(x, Hx)) == pytest.approx(second, rel=1e-3)
    model = RankModel()
    assert model.ready(F, at, across)
    np.testing.assert_allclose(model.solve(at, Hx), x, atol=1e-8 * np.abs(x).max())


def test_a_warm_path_takes_fewer_iterations_than_cold_fits_and_than_splitting(data) -> None:
    data.design.X[:, 0] = data.code % 3  # tasks do not know this feature: residuals are the proof
    top = zero_factor(low_rank(data, Squared(), TraceNorm(1.0)))
    alphas = top * np.logspace(0, -2, 30)

    def problem(alpha):
        return low_rank(data, Squared(), TraceNorm(alpha))

    fits = trace_path(problem, alphas, 1e-7, 2000)
    cold = [select(problem(alpha)).solve(problem(alpha), None, 1e-7, 2000) for alpha in alphas]
    split = [Admm().solve(problem(alphas[0]), None, 1e-7, 2000)]
    for alpha in alphas[1:]:
        split.append(Admm().solve(problem(alpha), split[-1].blocks, 1e-7, 2000))
    assert all(fit.gap <= 1e-7 for fit in fits)
    warm = sum(fit.n_iter for fit in fits)
    assert warm < sum(fit.n_iter for fit in cold)
    assert warm < 0.5 * sum(fit.n_iter for fit in split)


def test_a_rank_at_which_factorizations_cost_too_much_is_left_to_splitting(
    data, monkeypatch
) -> None:
    monkeypatch.setattr(rank_newton, "is_worth", lambda m, r, d, most: r < 4)
    asked = at_share(data, 0.01)
    found = RankNewton().solve(asked, None, 1e-8, 1000)
    assert rank(found) >= 4
    assert found.gap <= 1e-8
    assert is_worth(139, 16, 28)
    assert not is_worth(300, 60, 60)
