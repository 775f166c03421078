"""What "solved" means without convexity: a violation below the tolerance, at the returned point."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

import polytask
from polytask.datasets import make_low_rank_tasks
from polytask.penalties import LimitedTraceNorm, TraceNorm
from polytask.responses import Logistic
from polytask.solvers import Status
from polytask.solvers.low_rank import rank_limit
from polytask.solvers.low_rank.progress import Progress
from polytask.solvers.low_rank.rank_limit import RankLimit
from tests.low_rank.problems import low_rank, make_data

FITS = {
    "rank": ("LowRank", {"alpha": 0.0, "penalty": "rank", "max_rank": 2}),
    "alpha rank": ("LowRank", {"alpha": 0.01, "penalty": "rank", "max_rank": 2}),
    "rank, split": ("LowRank", {"alpha": 0.0, "penalty": "rank", "max_rank": 2, "common": True}),
    "trace": ("ProjectedLowRank", {"alpha": 0.01, "n_components": 1}),
    "projected": (
        "ProjectedMeanRegularized",
        {"alpha": 0.01, "alpha_common": 0.01, "n_components": 2},
    ),
}


def sample(shape: str) -> tuple[np.ndarray, np.ndarray]:
    m, d, n = {"narrow": (10, 5, 25), "wide": (4, 50, 10)}[shape]
    frame, y, _ = make_low_rank_tasks(m, d, n, rank=3, noise=0.5, random_state=0)
    return _columns(frame), y


def _columns(frame) -> np.ndarray:
    """The task first, then the features."""
    return np.column_stack([frame["task"], frame.drop(columns="task")])


@pytest.mark.parametrize("kind", ["narrow", "wide", pytest.param("sparse", marks=pytest.mark.slow)])
@pytest.mark.parametrize("role", ["Regressor", "Classifier"])
@pytest.mark.parametrize("fit", list(FITS))
def test_solved_is_a_violation_below_the_tolerance(fit, role, kind):
    family, strengths = FITS[fit]
    if role == "Classifier" and kind == "wide" and "split" in fit:
        pytest.skip("w0 without a penalty has no optimum where it separates the classes")
    X, y = sample("wide" if kind == "wide" else "narrow")
    X = sparse.csr_matrix(X) if kind == "sparse" else X
    y = y if role == "Regressor" else (y > 0).astype(float)
    model = getattr(polytask, family + role)(task=0, tol=1e-8, **strengths)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        model.fit(X, y)
    assert model.status_ == "solved"
    assert model.violation_ <= 1e-8


def test_a_fit_that_is_cut_short_says_so():
    X, y = sample("narrow")
    model = polytask.LowRankClassifier(0.0, penalty="rank", max_rank=2, task=0, max_iter=1)
    with pytest.warns(ConvergenceWarning, match="KKT violation .* above tol"):
        model.fit(X, (y > 0).astype(float))
    assert model.violation_ > model.tol
    assert model.status_ == Status.MAX_ITER.value


def test_a_tolerance_below_rounding_stalls_and_says_so():
    X, y = sample("narrow")
    model = polytask.LowRankRegressor(0.0, penalty="rank", max_rank=2, task=0, tol=1e-18)
    with pytest.warns(ConvergenceWarning, match="no further progress"):
        model.fit(X, y)
    assert 1e-18 < model.violation_ < 1e-12


def test_separable_tasks_keep_the_limited_trace_norm_in_bounds():
    """Heads without a ridge separated the classes; the objective was above that at zero."""
    X, y, _ = make_low_rank_tasks(12, 6, 25, rank=2, noise=0.3, random_state=0)
    X, y = _columns(X), (y > np.median(y)).astype(float)
    objectives = [
        polytask.LowRankClassifier(0.01, max_rank=rank, task=0).fit(X, y).objective_
        for rank in (1, 2, 3, None)
    ]
    assert objectives == sorted(objectives, reverse=True)
    assert objectives[0] < np.log(2.0)


def test_a_singular_value_on_its_way_to_zero_ends_at_the_convex_optimum(monkeypatch):
    """The convex method may leave more of them than the optimum has; the limit then cuts one."""
    data = make_data(np.random.default_rng(0), Logistic(), m=8, d=6, n=30, rank=3)
    problem = low_rank(data, Logistic(), TraceNorm(0.02))
    slack = low_rank(data, Logistic(), LimitedTraceNorm(0.02, 6))
    best = RankLimit().solve(slack, None, 1e-10, 2000)
    assert best.certificate == "global"
    rank = int(np.linalg.matrix_rank(best.blocks["low_rank"], tol=1e-6))
    assert rank < 5
    convex = rank_limit.solve_convex

    def with_a_trace_more(asked, *args):
        found = convex(asked, *args)
        noise = 1e-5 * np.random.default_rng(1).normal(size=found.blocks["low_rank"].shape)
        found.blocks["low_rank"] += noise
        return found

    monkeypatch.setattr(rank_limit, "solve_convex", with_a_trace_more)
    limited = low_rank(data, Logistic(), LimitedTraceNorm(0.02, rank + 1))
    found = RankLimit().solve(limited, None, 1e-8, 2000)
    assert found.certificate == "global"
    assert found.gap <= 1e-8
    assert found.violation <= 1e-8
    assert np.linalg.matrix_rank(found.blocks["low_rank"]) == rank
    assert found.objective == pytest.approx(problem.objective(best.blocks), rel=1e-8)


def test_creeping_without_an_optimum_comes_to_an_end():
    """The objective falls by less and less, the violation does not halve: no need for max_iter."""
    progress, value = Progress(1.0, 1e-3, 1e-14), 1.0
    steps = 0
    while not progress.over:
        steps, value = steps + 1, value - 1e-6
        progress.note(value, 0.9e-3)
    assert 10 < steps < 100
    falls = Progress(1.0, 1e-3, 1e-14)
    for step in range(200):  # slow, and yet on its way
        falls.note(1.0 - 1e-6 * step, 1e-3 * 0.97**step)
    assert not falls.over


@pytest.mark.slow
def test_a_rank_limit_that_has_no_optimum_ends_and_says_so(shared_data):
    """School without intercepts: inside a school no rows tell some directions apart."""
    frame = pd.read_parquet(shared_data / "school" / "data.parquet")
    X = frame.drop(columns=["task", "target"]).to_numpy(float)
    X = (X - X.mean(axis=0)) / np.maximum(X.std(axis=0), 1e-12)
    X[:, X.std(axis=0) == 0] = 1.0
    code = np.unique(frame["task"], return_inverse=True)[1]
    model = polytask.LowRankRegressor(
        0.0, max_rank=5, task=0, fit_intercept=False, task_weight="equal", max_iter=2000
    )
    with pytest.warns(ConvergenceWarning, match="no further progress"):
        model.fit(np.column_stack([code, X]), frame["target"])
    assert model.n_iter_ < 1000
    assert np.abs(model.coef_).max() > 1e3 * np.abs(np.median(model.coef_))
