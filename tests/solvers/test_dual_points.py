"""Fits that compare strengths: subgradients of the norm as dual points, proven and nearly sharp."""

from typing import Any

import numpy as np
import pytest

from polytask.models.dirty import DirtyTasksClassifier
from polytask.models.fused import FusedTasksClassifier
from polytask.models.robust_low_rank import RobustLowRankClassifier
from polytask.models.sparse_limited_trace import SparseLimitedTraceClassifier
from polytask.models.temporal_features import TemporalFeaturesClassifier
from polytask.problem import Problem
from polytask.responses import Logistic
from polytask.solvers import select
from polytask.solvers.norms.parts import norm_of, stacked
from polytask.solvers.norms.profile import duality_gap, profile, zero_profile
from tests.solvers.helpers import make_data

TOL, EXACT = 1e-4, 1e-9
CASES: dict[str, tuple[Any, dict[str, float]]] = {
    "dirty": (DirtyTasksClassifier(), {"alpha": 4e-3, "alpha_own": 2e-4}),
    "trace ball": (SparseLimitedTraceClassifier(), {"alpha": 2e-4, "max_trace": 9.0}),
    "outliers": (RobustLowRankClassifier(), {"alpha": 5e-4, "alpha_outlier": 4e-4}),
    "temporal": (TemporalFeaturesClassifier(), {"alpha": 3e-5, "alpha_difference": 2e-4}),
    "fused": (FusedTasksClassifier(), {"alpha": 3e-5, "alpha_difference": 2e-4}),
}


def problem_of(name: str) -> Problem:
    """Weak penalties, few positive rows, tasks of many sizes."""
    rng = np.random.default_rng(3)
    sizes = rng.integers(60, 200, size=8)
    ids = np.repeat(np.arange(8), sizes)
    X = rng.standard_t(4, size=(len(ids), 5))
    W = rng.normal(size=5) + 0.5 * rng.normal(size=(8, 5))
    y = rng.random(len(ids)) < 1.0 / (1.0 + np.exp(3.0 - (X * W[ids]).sum(axis=1)))
    model, strengths = CASES[name]
    data = make_data(X, y.astype(float), ids)
    return model._make_problem(data, Logistic(), {**strengths, "alpha_intercept": 1e-4})


@pytest.mark.parametrize("name", CASES)
def test_gap_holds_and_is_near_the_distance(name: str) -> None:
    problem = problem_of(name)
    scale = zero_profile(problem).smooth
    least = select(problem).solve(problem, None, EXACT, 100_000).objective
    found = select(problem).solve(problem, None, TOL, 10_000)
    above = (found.objective - least) / scale
    assert found.gap is not None
    assert above - EXACT <= found.gap <= TOL

    at = profile(problem, stacked(problem, found.blocks), found.blocks)
    scaled = duality_gap(problem, at, norm_of(problem).value(at.B)) / scale
    # What residuals scaled into the dual ball prove there, unless they prove enough by themselves
    assert found.gap < max(0.1 * scaled, 0.1 * TOL)


@pytest.mark.parametrize("name", CASES)
def test_gap_holds_from_a_start_that_is_near(name: str) -> None:
    problem = problem_of(name)
    accurate = select(problem).solve(problem, None, EXACT, 100_000)
    blocks = {b: 1.02 * B for b, B in accurate.blocks.items()}
    if name == "trace ball":
        blocks["shared"] = accurate.blocks["shared"]
    found = select(problem).solve(problem, blocks, TOL, 10_000)
    scale = zero_profile(problem).smooth
    assert found.gap is not None
    assert (found.objective - accurate.objective) / scale - EXACT <= found.gap <= TOL
