"""Compiled Newton equations at a rank have the solution that numpy finds."""

from dataclasses import replace

import numpy as np
import pytest

from polytask import LowRankRegressor
from polytask.data import make_design
from polytask.penalties import Ridge, TraceNorm
from polytask.penalties.spectral import numerical_rank, singular
from polytask.problem import Problem
from polytask.responses import Squared
from polytask.solvers.norms import rank_model, rank_newton
from polytask.solvers.norms.profile import zero_factor
from polytask.solvers.norms.rank_newton import RankNewton
from polytask.structures import CommonDeviation, SlopesPlus
from tests.golden.cases import tables
from tests.low_rank.problems import low_rank, make_data

pytest.importorskip("numba")


def without_intercepts(data, penalty):
    design = make_design(data.design.X[:, :-1], None, data.start, False)
    none, d = np.zeros(data.n_features, dtype=bool), data.n_features
    ridges = {"common": Ridge(np.zeros(0)), "deviation": Ridge(np.zeros(0))}
    structure = SlopesPlus(CommonDeviation(none, none), d)
    slopes = replace(data, design=design, intercept=False)
    return Problem(slopes, Squared(), structure, {"low_rank": penalty, **ridges})


@pytest.mark.parametrize("share", [0.3, 0.001])
@pytest.mark.parametrize("level", [None, 0.0, 0.3])
def test_both_roads_take_one_way(share, level, rng, monkeypatch) -> None:
    data = make_data(rng, Squared(), m=14, d=8, n=40, rank=3)

    def problem(alpha):
        if level is None:
            return without_intercepts(data, TraceNorm(alpha))
        return low_rank(data, Squared(), TraceNorm(alpha), level)

    asked, used = problem(share * zero_factor(problem(1.0))), []
    loops = rank_newton.loops
    monkeypatch.setattr(rank_newton, "loops", lambda name: used.append(name) or loops(name))
    found = RankNewton().solve(asked, None, 1e-10, 1000)
    assert "rank_steps" in used
    monkeypatch.setattr(rank_newton, "loops", lambda _: None)
    wanted = RankNewton().solve(asked, None, 1e-10, 1000)
    assert found.n_iter == wanted.n_iter
    np.testing.assert_allclose(found.coefs, wanted.coefs, rtol=0, atol=1e-9)
    if share < 0.1:
        assert numerical_rank(singular(found.blocks["low_rank"])[1]) == data.n_features


def test_both_roads_choose_one_strength(monkeypatch) -> None:
    Z, y = tables()["made"]
    found = LowRankRegressor(task=0).fit(Z, y)
    for module in (rank_newton, rank_model):
        monkeypatch.setattr(module, "loops", lambda _: None)
    wanted = LowRankRegressor(task=0).fit(Z, y)
    assert found.alpha_ == pytest.approx(wanted.alpha_, rel=1e-5)
    np.testing.assert_allclose(found.coef_, wanted.coef_, atol=1e-4)
