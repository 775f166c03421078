"""Where no path of strengths reaches what suits columns of all units, none at all is tried."""

import numpy as np
import pandas as pd
import pytest

import polytask


@pytest.mark.parametrize("stem", ["PooledClassifier", "TaskInterceptClassifier"])
def test_a_column_in_bytes_beside_one_in_thousandths(stem):
    """The log loss rose from .516 to .587."""
    rng = np.random.default_rng(0)
    task, Z = np.tile(np.arange(8), 200), rng.normal(size=(1600, 5))
    W = rng.normal(size=5) + 0.2 * rng.normal(size=(8, 5))
    y = rng.random(1600) < 1 / (1 + np.exp(-(Z * W[task]).sum(axis=1)))
    unit, zero = np.array([1, 10, 1e9, 1e-3, 1e4]), np.array([0, 2000, 3e9, 0, 5e4])
    loss = []
    for X in (Z, Z * unit + zero):
        frame = pd.DataFrame(X).rename(columns=str).assign(task=task)
        model = getattr(polytask, stem)(task="task")
        model.fit(frame[:400], y[:400])  # without a warning: nothing is lost
        p = model.predict_proba(frame[400:])[np.arange(1200), y[400:].astype(int)]
        loss.append(-np.log(p).mean())
    assert loss[1] < loss[0] + 0.01
