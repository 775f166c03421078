"""A full covariance found from moments is that of a search from a diagonal one."""

import numpy as np
import pytest

from polytask.mixed import chosen
from polytask.mixed.correlated import full_by_moments
from polytask.mixed.reml import MixedModel
from tests.reml.worlds import draw, task_data


def full(model):
    kept = np.ones(model.n_coefs, dtype=bool)
    return chosen.choose(model, "full", {}, len(model.grams), 2, False, 1, kept)[1]["full"]


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_the_end_is_the_same(rank, monkeypatch):
    from_moments = 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        X, y, _ = draw(rng, [5, 9, 14] * 12, np.zeros(3), np.ones(3))
        U = rng.normal(size=(36, rank)) @ rng.normal(size=(rank, 3))
        y = y + (np.column_stack([X[["x0", "x1"]], np.ones(len(y))]) * U[X["task"]]).sum(axis=1)
        model = MixedModel.from_data(task_data(X, y))
        found = full(model)
        begun = full_by_moments(model, np.ones(3, dtype=bool), None)
        from_moments += begun.converged and found.point.deviance == begun.point.deviance
        with monkeypatch.context() as m:
            for room in ("polytask.mixed.chosen", "polytask.mixed.correlated"):
                m.setattr(f"{room}.full_by_moments", lambda *_: None)
            other = full(model)
        assert found.converged
        assert found.point.deviance == pytest.approx(other.point.deviance, abs=1e-7)
        for a in (found, other):
            assert a.violation < 1e-3
        np.testing.assert_allclose(
            found.point.L @ found.point.L.T, other.point.L @ other.point.L.T, atol=1e-3
        )
    assert from_moments >= 4
