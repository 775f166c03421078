"""Noise that differs by task."""

import numpy as np
import pandas as pd
import pytest

from polytask import MeanRegularizedRegressor


def labs(seed, spread, sizes, heavy=False):
    """Laboratories whose noise is spread by a factor of 10^spread in all."""
    rng = np.random.default_rng(seed)
    m = len(sizes)
    lab, sd = np.repeat(np.arange(m), sizes), 10 ** (spread * np.linspace(-0.5, 0.5, m))
    W, X = 1 + 0.3 * rng.normal(size=(m, 3)), rng.normal(size=(len(lab), 3))
    noise = rng.standard_t(3, size=len(lab)) if heavy else rng.normal(size=len(lab))
    frame = pd.DataFrame(X, columns=list("abc")).assign(lab=lab)
    return frame, (X * W[lab]).sum(1) + sd[lab] * noise, W, sd


def test_intervals_hold_in_quiet_and_in_noisy_tasks():
    """With one noise for all they held 100 % in quiet and 60 % in noisy laboratories."""
    X, y, W, sd = labs(3, 1.0, [40] * 20)
    model = MeanRegularizedRegressor("reml", task="lab").fit(X, y)
    np.testing.assert_allclose(np.sqrt(model.task_noise_variance_), sd, rtol=0.35)
    rng, a = np.random.default_rng(4), np.repeat(np.arange(20), 500)
    Z = rng.normal(size=(10000, 3))
    new = pd.DataFrame(Z, columns=list("abc")).assign(lab=a)
    p, s = model.predict(new, return_std=True)
    t = (Z * W[a]).sum(1) + sd[a] * rng.normal(size=10000)
    held = np.bincount(a, abs(t - p) < 1.96 * s) / 500
    assert held.min() > 0.86  # 40 rows tell a deviation to 11 %; two of that less hold 87 %
    assert held.mean() == pytest.approx(0.95, abs=0.02)
    one = MeanRegularizedRegressor("reml", task="lab", noise="common").fit(X, y)
    assert np.mean((model.coef_ - W) ** 2) < 0.9 * np.mean((one.coef_ - W) ** 2)
    assert model.aic_ < one.aic_ - 100  # and the likelihood agrees


@pytest.mark.parametrize("heavy", [False, True])
def test_one_noise_where_tasks_do_not_clearly_differ(heavy):
    for seed in range(8):
        X, y, *_ = labs(seed, 0.0, [12] * 15, heavy)
        model = MeanRegularizedRegressor("reml", task="lab").fit(X, y)
        assert np.ptp(model.task_noise_variance_) == 0
        assert model.task_noise_variance_[0] == pytest.approx(model.noise_variance_)


def test_tasks_of_few_rows_stay_near_the_others():
    X, y, _, sd = labs(1, 1.5, [60] * 10 + [2])
    model = MeanRegularizedRegressor("reml", task="lab", noise="task").fit(X, y)
    found = np.sqrt(model.task_noise_variance_)
    assert found[:10] == pytest.approx(sd[:10], rel=0.35)
    assert sd[0] < found[10] < 2 * sd[10]


def test_an_added_task_has_the_noise_of_an_average_one():
    X, y, *_ = labs(2, 1.0, [30] * 12)
    old = X["lab"] < 11
    model = MeanRegularizedRegressor("reml", task="lab").fit(X[old], y[old])
    model.add_task(X[~old], y[~old])
    assert model.task_noise_variance_[-1] == pytest.approx(model.task_noise_variance_[:-1].mean())
    assert np.isfinite(model.predict(X, return_std=True)).all()
