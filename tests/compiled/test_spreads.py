"""Compiled passes over residuals are those of numpy, to rounding."""

from importlib import import_module

import numpy as np
import pytest

from polytask.data import TaskData
from polytask.data.design import Design
from polytask.mixed import task_noise

ROUNDING = {"rtol": 1e-12, "atol": 1e-13}


@pytest.mark.parametrize("ties", [False, True])
def test_every_size_of_a_task(ties, monkeypatch):
    pytest.importorskip("numba")
    rng = np.random.default_rng(0)
    sizes = np.array([0, 1, 2, 3, 4, 49, 50, 51, 52, 300, 301, 0, 20_000])
    m, N = len(sizes), int(sizes.sum())
    X, y = rng.normal(size=(N, 2)), rng.standard_cauchy(size=N)
    coefs, half = rng.normal(size=(m, 2)), 0.1 * rng.normal(size=(m, 2, 2))
    weight = rng.uniform(0.5, 2.0, size=N)
    if ties:  # residuals of few values, most of them the median itself
        y, coefs, weight = rng.integers(-1, 2, size=N) * (rng.random(N) < 0.4), 0 * coefs, weight**0
    start = np.append(0, np.cumsum(sizes))
    share = np.full(m, 1.0 / m)
    tasks, design = np.arange(m), Design(X, None, start)
    data = TaskData(design, y.astype(float), weight, share, tasks, False, np.arange(N))
    args = data, coefs, half @ half.transpose(0, 2, 1)
    with monkeypatch.context() as m:
        m.setattr(task_noise, "row_loops", lambda *_: import_module("polytask.compiled.spreads"))
        with_loops = task_noise._spreads(*args)
    monkeypatch.setattr(task_noise, "row_loops", lambda *_: None)
    for compiled, plain in zip(with_loops, task_noise._spreads(*args), strict=True):
        np.testing.assert_allclose(compiled, plain, **ROUNDING)
