"""Compiled products with a few directions are those of numpy, and fits end at one optimum."""

import numpy as np
import pytest

from polytask.algebra.linalg import COLLINEAR
from polytask.compiled import loops
from polytask.penalties import Rank
from polytask.responses import Squared
from polytask.solvers.low_rank import gram_alternation, gram_steps, starts
from polytask.solvers.low_rank.gram_steps import _kronecker
from polytask.solvers.low_rank.heads import FreeHeads
from polytask.solvers.low_rank.rank_limit import RankLimit
from tests.low_rank.problems import low_rank, make_data

pytest.importorskip("numba")

M, D, K = 13, 7, 3


@pytest.fixture
def squares(rng):
    X = rng.normal(size=(M, 20, D))
    return X.transpose(0, 2, 1) @ X


def test_products_with_directions(squares, rng) -> None:
    s, V = rng.normal(size=(M, D)), rng.normal(size=(K, D))
    HV, G, r, inverse, clear = loops("head_steps").products(squares, s, V, 0.3, COLLINEAR)
    assert clear
    np.testing.assert_allclose(HV, squares @ V.T, atol=1e-12)
    np.testing.assert_allclose(G, V @ squares @ V.T, atol=1e-11)
    np.testing.assert_allclose(r, s @ V.T, atol=1e-12)
    np.testing.assert_allclose(inverse, np.linalg.inv(G + 0.3 * np.eye(K)), rtol=1e-9)
    alike = np.vstack([V, V[:1]])
    assert not loops("head_steps").products(squares, s, alike, 0.0, COLLINEAR)[-1]


def test_the_system_of_directions_and_ridge_fits(squares, rng) -> None:
    A, B, s = rng.normal(size=(M, K)), rng.normal(size=(K, K)), rng.normal(size=(M, D))
    B, packed = B + B.T, squares[:, *np.triu_indices(D)]
    found = loops("head_steps").kronecker(A, np.ascontiguousarray(packed), B)
    np.testing.assert_allclose(found, _kronecker(A, squares, B), atol=1e-11)
    slopes = loops("head_steps").ridges(squares, s, 0.5)
    wanted = np.linalg.solve(squares + 0.5 * np.eye(D), s[:, :, None])[:, :, 0]
    np.testing.assert_allclose(slopes, wanted, atol=1e-12)


def test_what_is_left_along_turns(rng) -> None:
    A, V, g = (
        rng.normal(size=(M, K)),
        np.linalg.qr(rng.normal(size=(D, K)))[0].T,
        rng.normal(size=(M, D)),
    )
    A, V, bound = A * [1.0, 1e-3, 1e3], np.ascontiguousarray(V), rng.uniform(1, 2, D)
    wanted = (np.abs(FreeHeads().residual(A, V, g)) / bound).max()
    assert loops("head_steps").left_along(A, V, g, bound, 1e-9) == pytest.approx(wanted, rel=1e-6)
    A[:, 2] = A[:, 0]
    assert loops("head_steps").left_along(A, V, g, bound, 1e-6) < 0


@pytest.mark.parametrize("level", [0.0, 0.3])
def test_both_roads_lead_to_one_optimum(level, monkeypatch) -> None:
    def fit():  # of new data, as fits are kept with theirs
        data = make_data(np.random.default_rng(5), Squared(), m=14, d=8, n=40, rank=3)
        return RankLimit().solve(low_rank(data, Squared(), Rank(0.0, 2), level), None, 1e-9, 1000)

    found = fit()
    for module in (gram_steps, gram_alternation, starts):
        monkeypatch.setattr(module, "loops", lambda _: None)
    wanted = fit()
    assert found.objective == pytest.approx(wanted.objective, rel=1e-10)
    np.testing.assert_allclose(found.coefs, wanted.coefs, atol=1e-6)
