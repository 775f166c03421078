"""One level's own sums say what the general elimination says, at any point."""

import numpy as np
import pytest

from polytask.mixed.crossed.laplace import CrossedLaplace
from polytask.mixed.crossed.level import LevelLaplace
from polytask.mixed.crossed.rows import GroupedRows, Term
from polytask.responses import Logistic, NegativeBinomial, Poisson

LOSSES = {"poisson": (Poisson(), False), "labels": (Logistic(), False),
          "negative_binomial": (NegativeBinomial(0.7), True)}  # fmt: skip


@pytest.mark.parametrize("restricted", [False, True])
@pytest.mark.parametrize("name", LOSSES)
def test_both_say_the_same(name: str, restricted: bool) -> None:
    rng = np.random.default_rng(3)
    code, n = rng.integers(0, 12, 90), 90
    X = np.column_stack([rng.normal(size=(n, 2)), rng.uniform(0.5, 1.5, n)])
    f = X @ [0.4, -0.3, 0.5] + 0.6 * rng.normal(size=12)[code]
    loss, learn = LOSSES[name]
    y = (rng.random(n) < 0.5 + 0.1 * f) if loss.has_labels else rng.poisson(np.exp(f))
    weight = rng.integers(1, 3, n).astype(float)
    rows = GroupedRows(X, [Term(code, 12, np.array([2]))])
    models = [
        kind(rows, X, y.astype(float), weight, loss, restricted, 0.1, learn)
        for kind in (CrossedLaplace, LevelLaplace)
    ]
    for s in (0.8, 0.0, 0.3):  # each search begins at the last one's mode
        roots = [np.array([[s]])]
        beside = models[0].first(roots) if models[0].last is None else models[0].last.beside + 0.05
        one, other = (model(roots, beside) for model in models)
        assert other.deviance == pytest.approx(one.deviance, rel=1e-10)
        for what in ("common", "common_covariance", "inner_common", "beside_slope",
                     "beside_curvature", "common_turn"):  # fmt: skip
            np.testing.assert_allclose(
                getattr(other, what), getattr(one, what), rtol=1e-5, atol=1e-5, err_msg=what
            )
        for what in ("deviations", "gradients", "pulls", "log_det_gradients"):
            mine, theirs = getattr(other, what)[0], getattr(one, what)[0]
            np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-5, err_msg=what)
        slopes = [(0, np.array([[1.7]]))]
        np.testing.assert_allclose(other.information(slopes), one.information(slopes), rtol=1e-5)
