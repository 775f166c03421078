"""The rank penalty and the limit: against the closed form, exhaustive search and its own starts."""

import itertools

import numpy as np
import pytest

from polytask import LowRankRegressor
from polytask.penalties import LimitedTraceNorm, Rank, TraceNorm
from polytask.responses import Squared
from polytask.solvers import select
from polytask.solvers.low_rank.rank_limit import RankLimit, rank_fits
from polytask.solvers.low_rank.reduced_rank import ReducedRank
from tests.low_rank.problems import LOSSES, low_rank, make_data


def risk_of_ranks(problem) -> dict[int, float]:
    """R at the closed-form optimum of every rank."""
    most = min(problem.data.n_tasks, problem.data.n_features)
    out = {}
    for r in range(1, most + 1):
        limited = low_rank(problem.data, problem.loss, Rank(0.0, r))
        out[r] = ReducedRank().solve(limited, None, 1e-8, 1).objective
    return out


def test_alternation_reaches_the_closed_form_on_shared_rows(rng):
    data = make_data(rng, Squared(), m=7, d=5, n=40, rank=3, shared=True)
    for r in (1, 2, 3):
        problem = low_rank(data, Squared(), Rank(0.0, r))
        exact = ReducedRank().solve(problem, None, 1e-8, 1)
        found = RankLimit().solve(problem, None, 1e-12, 2000)
        assert exact.certificate == "global"
        assert found.certificate == "stationary"
        assert found.objective == pytest.approx(exact.objective, rel=1e-6)
        assert found.objective >= exact.objective * (1 - 1e-12)


def test_closed_form_is_chosen_where_it_holds(rng):
    shared = make_data(rng, Squared(), shared=True)
    own = make_data(rng, Squared())
    assert isinstance(select(low_rank(shared, Squared(), Rank(0.1))), ReducedRank)
    assert isinstance(select(low_rank(own, Squared(), Rank(0.1))), RankLimit)
    assert isinstance(select(low_rank(shared, Squared(), Rank(0.1), level=0.1)), RankLimit)


def test_penalty_keeps_the_rank_that_pays(rng):
    data = make_data(rng, Squared(), m=7, d=5, n=40, rank=3, shared=True)
    problem = low_rank(data, Squared(), Rank(0.0))
    risks = risk_of_ranks(problem)
    for alpha in (0.005, 0.05, 0.3):
        penalized = low_rank(data, Squared(), Rank(alpha))
        exact = ReducedRank().solve(penalized, None, 1e-8, 1)
        found = RankLimit().solve(penalized, None, 1e-10, 2000)
        zero = rank_fits(penalized, 0, 1e-8, 10)[0].objective
        best = min([zero, *(value + alpha * r for r, value in risks.items())])
        assert exact.objective == pytest.approx(best, rel=1e-9)
        assert found.objective == pytest.approx(best, rel=1e-6)


def test_diagonal_problem_against_every_support(rng):
    # Orthonormal rows and diagonal targets: R = const + ½ sum_j (t_j - l_j)² / (m n).
    m = 4
    t = rng.uniform(0.5, 3.0, size=m)
    data = make_data(rng, Squared(), m=m, d=m, n=m, shared=True)
    from polytask.data import TaskData, make_design

    index, start = np.tile(np.arange(m), m), m * np.arange(m + 1)
    design = make_design(np.eye(m), index, start, False)
    y = np.diag(t).ravel()
    data = TaskData(design, y, np.ones(m * m), np.full(m, 1 / m), data.tasks, False, index)
    alpha = 0.5 * np.median(t) ** 2 / m**2
    problem = _no_intercept(data, Rank(alpha))
    supports = itertools.chain(*(itertools.combinations(range(m), r) for r in range(m + 1)))
    best = min(
        alpha * len(kept) + 0.5 * sum(t[j] ** 2 for j in range(m) if j not in kept) / m**2
        for kept in supports
    )
    for solver in (ReducedRank(), RankLimit()):
        assert solver.solve(problem, None, 1e-12, 500).objective == pytest.approx(best, rel=1e-9)


def _no_intercept(data, penalty):
    from polytask.penalties import Ridge
    from polytask.problem import Problem
    from polytask.structures import CommonDeviation, SlopesPlus

    nothing = np.zeros(data.n_features, dtype=bool)
    structure = SlopesPlus(CommonDeviation(nothing, nothing), data.n_features)
    ridges = {"common": Ridge(np.zeros(0)), "deviation": Ridge(np.zeros(0))}
    return Problem(data, Squared(), structure, {"low_rank": penalty, **ridges})


@pytest.mark.parametrize("name", LOSSES)
def test_never_above_its_starts_and_never_rising(rng, name):
    from polytask.solvers.low_rank.alternating import alternate
    from polytask.solvers.low_rank.heads import FreeHeads
    from polytask.solvers.low_rank.starts import starting_directions

    loss = LOSSES[name]
    data = make_data(rng, loss, m=8, d=6, rank=3)
    problem = low_rank(data, loss, Rank(0.0, 2, 0.01), level=0.02)
    solution = RankLimit().solve(problem, None, 1e-8, 300)
    for V in starting_directions(problem, 2, 1e-8):
        path = alternate(problem, FreeHeads(0.01), V, 0.0, 6).history
        assert solution.objective <= path[0] + 1e-12
        assert max(np.diff(path)) <= 1e-12
    assert np.linalg.matrix_rank(solution.blocks["low_rank"]) == 2
    assert solution.violation < 1e-3


def test_limited_trace_norm_is_convex_where_the_limit_is_slack(rng):
    data = make_data(rng, Squared(), m=8, d=6, rank=3)
    free = low_rank(data, Squared(), TraceNorm(0.05))
    optimum = select(free).solve(free, None, 1e-9, 5000)
    rank = int(np.linalg.matrix_rank(optimum.blocks["low_rank"]))
    slack = RankLimit().solve(
        low_rank(data, Squared(), LimitedTraceNorm(0.05, rank)), None, 1e-9, 500
    )
    tight = RankLimit().solve(
        low_rank(data, Squared(), LimitedTraceNorm(0.05, rank - 1)), None, 1e-9, 500
    )
    assert slack.certificate == "global"
    assert slack.objective == pytest.approx(optimum.objective, rel=1e-8)
    assert tight.certificate == "stationary"
    assert tight.objective >= optimum.objective * (1 - 1e-8)
    assert np.linalg.matrix_rank(tight.blocks["low_rank"]) == rank - 1


def test_hard_threshold_is_the_prox(rng):
    B, penalty, step = rng.normal(size=(5, 4)), Rank(0.4, ridge=0.1), 0.8
    at = penalty.prox(B, step)

    def value(L):
        return 0.5 * ((L - B) ** 2).sum() + step * penalty.value(L)

    U, s, Vt = np.linalg.svd(B, full_matrices=False)
    kept = [value((U[:, :r] * (s[:r] / (1 + 2 * step * 0.1))) @ Vt[:r]) for r in range(5)]
    assert value(at) == pytest.approx(min(kept))


@pytest.mark.parametrize("rank", [2, 4])
def test_features_constant_inside_tasks_do_not_mislead_gram_matrices(rank):
    """Without a penalty the heads of singular tasks were read off lost digits: 1e27 for 0.4."""
    rng = np.random.default_rng(0)
    code = np.repeat(np.arange(30), 40)
    X = rng.normal(size=(1200, 8))
    X[:, 5:] = rng.normal(size=(30, 3))[code]
    X[:, 4] = X[:, 3] + X[:, 5]
    own = (X[:, :2] * rng.normal(size=(30, 2))[code]).sum(axis=1)
    y = X @ rng.normal(size=8) + own + rng.normal(size=1200)
    fits = [
        LowRankRegressor(0.0, penalty="rank", max_rank=r, task=8).fit(np.column_stack([X, code]), y)
        for r in (rank - 1, rank)
    ]
    assert fits[1].objective_ < fits[0].objective_ < 0.5 * np.var(y)
    assert fits[1].violation_ < 1e-3
    assert fits[1].status_ == "solved"
