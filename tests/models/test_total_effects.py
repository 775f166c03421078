"""Importance of features in shared trees, made when it is asked for."""

import numpy as np
import pytest

from polytask import SharedTreesRegressor


def test_importance_that_was_interrupted_can_be_asked_for_again(monkeypatch):
    """The rows that it is made of were gone, and the model said that it was not fitted."""
    rng = np.random.default_rng(0)
    x, ids = rng.normal(size=(120, 2)), np.repeat(np.arange(4), 30)
    X, y = np.column_stack([x, ids]), np.abs(x[:, 0]) + 0.1 * rng.normal(size=120)
    model = SharedTreesRegressor(task=2, max_iter=20).fit(X, y)

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(SharedTreesRegressor, "_table_of", interrupt)
    with pytest.raises(KeyboardInterrupt):
        _ = model.importance_
    monkeypatch.undo()
    assert model.importance_[0] > 5 * model.importance_[1]
