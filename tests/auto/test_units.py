"""Tasks in units of their own: no task pays for the unit of another."""

import numpy as np
import pandas as pd
import pytest

from polytask import AutoMultiTaskRegressor, MeanRegularizedRegressor, SingleTaskRegressor

QUICK = ["single-task", "pooled", "mean-regularized", "mean-regularized-reml"]


def errors_alone_and_by_auto(seed):
    """Expected error of each of twenty assays, in units of its noise, shape (2, 20)."""
    rng = np.random.default_rng(seed)
    assay, unit = np.repeat(np.arange(20), 15), 10 ** np.linspace(0, 3, 20)
    W = np.array([1, -1, 0.5, 0.8]) + 0.25 * rng.normal(size=(20, 4))
    x = rng.normal(size=(300, 4))
    y = unit[assay] * ((x * W[assay]).sum(axis=1) + rng.normal(size=300))
    X = pd.DataFrame(x, columns=list("abcd")).assign(assay=assay)
    new, z = np.repeat(np.arange(20), 300), rng.normal(size=(6000, 4))
    fresh = pd.DataFrame(z, columns=list("abcd")).assign(assay=new)

    def loss(model):
        error = model.fit(X, y).predict(fresh) / unit[new] - (z * W[new]).sum(axis=1)
        return 1 + np.bincount(new, error**2) / 300

    alone = loss(SingleTaskRegressor(task="assay"))
    return np.stack([alone, loss(AutoMultiTaskRegressor(QUICK, task="assay"))])


def test_assays_in_small_units_do_not_pay_for_those_in_large_ones():
    alone, together = np.mean([errors_alone_and_by_auto(seed) for seed in range(100, 104)], axis=0)
    assert (together / alone)[:10].max() < 1.02
    assert np.mean(together / alone) < 0.95


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # units 10^7 apart
def test_a_model_that_fails_one_assay_has_no_weight_there():
    """REML shrinks the assay in thousands to nothing and suits those in small units."""
    g, unit = np.repeat(np.arange(6), 60), np.array([1, 1e-2, 1e3, 50, 1, 1e-4])
    apart = []
    for seed in (10, 11, 12):
        rng = np.random.default_rng(seed)
        B = np.array([1.0, -1.0, 0.5]) + 0.2 * rng.normal(size=(6, 3))
        x = rng.normal(size=(360, 3))
        truth = (x * B[g]).sum(axis=1)
        y = (truth + 0.7 * rng.normal(size=360)) * unit[g]
        X = pd.DataFrame(x, columns=list("uvw")).assign(assay=g)

        def error(model, X=X, y=y, truth=truth):
            off = model.fit(X, y).predict(X) / unit[g] - truth
            return np.sqrt(np.bincount(g, off**2) / 60)

        alone = error(SingleTaskRegressor(task="assay"))
        apart.append(error(AutoMultiTaskRegressor(QUICK, task="assay")) - alone)
    assert np.max(apart) < 0.1  # in standard deviations of the noise of 0.7


@pytest.mark.slow
def test_assays_in_units_from_one_to_a_thousand_keep_their_single_task_error():
    """One draw of 15 rows can favour either by a third; the mean of twenty draws tells."""
    alone, together = np.mean([errors_alone_and_by_auto(seed) for seed in range(100, 120)], axis=0)
    assert (together / alone).max() < 1.02


def test_a_candidate_with_correlated_deviations_is_weighed_by_folds():
    rng = np.random.default_rng(5)
    task, x = np.repeat(np.arange(25), 8), rng.uniform(0.0, 1.0, size=200)
    both = rng.normal(size=25)
    y = both[task] * (1.0 + 3.0 * x) + 0.2 * rng.normal(size=200)
    X = pd.DataFrame({"x": x, "task": task})
    alone = MeanRegularizedRegressor("reml", task="task").fit(X, y)
    assert np.ndim(alone.alpha_) == 2
    model = AutoMultiTaskRegressor(task="task").fit(X, y)
    assert np.isfinite(model.predict(X)).all()
    assert model.common_weights_.max() > 0
