"""A table of task and target alone: levels, pooled as the formulation pools them."""

import inspect

import numpy as np
import pandas as pd
import pytest
from sklearn.base import is_classifier

from polytask import MeanRegularizedRegressor, PooledRegressor, SingleTaskRegressor
from polytask.cli.main import main
from polytask.models.registry import formulations


def is_free(kind):
    """Whether it takes no table of its own, such as a graph."""
    parameters = inspect.signature(kind).parameters.values()
    return all(p.default is not p.empty for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD)


KINDS = [
    kind if formulation.default else pytest.param(kind, marks=pytest.mark.slow)
    for formulation in formulations().values()
    for kind in (formulation.regressor, formulation.classifier)
    if kind is not None and is_free(kind)
]


def levels(rng, n_tasks=8, n_rows=10):
    g = np.repeat(np.arange(n_tasks), n_rows)
    return pd.DataFrame({"g": g}), rng.normal(size=n_tasks)[g] + 0.5 * rng.normal(size=len(g))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_every_formulation_fits_levels(kind):
    X, y = levels(np.random.default_rng(0))
    target = (y > 0).astype(int) if is_classifier(kind()) else y
    model = kind(task="g").fit(X, target)
    f = model.predict(X)
    assert all(len(np.unique(f[X["g"] == i])) == 1 for i in range(8))  # a level a task
    assert model.score(X, target) >= model.score(X, np.roll(target, 40))


def test_levels_between_their_own_mean_and_that_of_all(rng):
    X, y = levels(rng)
    alone = SingleTaskRegressor(0.0, task="g").fit(X, y).predict(X)
    pooled = PooledRegressor(task="g").fit(X, y).predict(X)
    reml = MeanRegularizedRegressor("reml", task="g").fit(X, y)
    np.testing.assert_allclose(alone, pd.Series(y).groupby(X["g"]).transform("mean"), rtol=1e-6)
    np.testing.assert_allclose(pooled, y.mean())
    share = (reml.predict(X) - pooled) / (alone - pooled)
    np.testing.assert_allclose(share, share[0])  # equal tasks shrink alike
    assert 0 < share[0] < 1
    assert reml.coef_.shape == (8, 0)


@pytest.mark.parametrize(
    "models",
    [
        ["--models", "single-task,mean-regularized,curved"],
        pytest.param([], id="default", marks=pytest.mark.slow),
    ],
)
def test_the_command_compares_levels(models, rng, tmp_path):
    X, y = levels(rng)
    table = tmp_path / "levels.csv"
    X.assign(y=y).to_csv(table, index=False)
    out = tmp_path / "out"
    words = ["compare", str(table), "--task", "g", "--target", "y", *models, "--out", str(out)]
    assert main(words) == 0
    assert (out / "report.html").exists()
    assert (
        main(["predict", str(out / "model.skops"), str(table), "--out", str(tmp_path / "p.csv")])
        == 0
    )
