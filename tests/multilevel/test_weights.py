"""Weights that count, as in glmmTMB, and weights that are precisions, as in lme4; doubts."""

import numpy as np
import pandas as pd
import pytest

from polytask import MultilevelRegressor
from polytask.datasets import make_crossed_rows
from polytask.mixed.doubts import DoubtWarning

GROUPS = ["user", "item"]
ASKED = {"task": GROUPS, "varying": [], "alpha_common": 0}
ROWS = 200


@pytest.fixture(scope="module")
def rows():
    X, y, _ = make_crossed_rows(ROWS, {"user": 12, "item": 8}, random_state=0)
    return X, y


def variances(model):
    return [*(model.variances_[name][-1] for name in model.groupings_), model.noise_variance_]


def test_precisions_as_lme4(rows):
    """lme4 1.1-31: lmer(y ~ x0 + x1 + (1 | user) + (1 | item), weights = w), bobyqa to 1e-10."""
    X, y = rows
    w = np.random.default_rng(1).uniform(0.2, 3.0, ROWS)
    model = MultilevelRegressor(**ASKED, weights="precision").fit(X, y, w)
    assert model.deviance_ == pytest.approx(637.43812374, abs=1e-6)
    user, item, noise = variances(model)
    found = [user, item, noise * w.mean()]
    np.testing.assert_allclose(found, [0.26583852, 0.54507405, 1.57416338], rtol=1e-4)
    np.testing.assert_allclose(
        [model.common_intercept_, *model.common_coef_], [0.53311718, 0.94625277, -0.98777025],
        rtol=1e-6,
    )  # fmt: skip
    assert [model.aic_, model.bic_] == pytest.approx([649.4381, 669.228], abs=1e-3)


def test_counts_as_glmmtmb(rows):
    """glmmTMB 1.1.5: the same formula, weights = k, REML = TRUE."""
    X, y = rows
    k = np.random.default_rng(2).integers(1, 4, ROWS)
    model = MultilevelRegressor(**ASKED).fit(X, y, k)
    assert model.deviance_ == pytest.approx(1154.543667, abs=1e-5)
    np.testing.assert_allclose(sorted(variances(model)), [0.297184, 0.516307, 0.897290], rtol=1e-4)


def test_only_ratios_of_precisions_matter(rows):
    X, y = rows
    w = np.random.default_rng(1).uniform(0.2, 3.0, ROWS)
    fits = [MultilevelRegressor(task=GROUPS, weights="precision").fit(X, y, k * w) for k in (1, 7)]
    np.testing.assert_allclose(fits[1].predict(X), fits[0].predict(X), rtol=1e-10)
    assert fits[1].deviance_ == pytest.approx(fits[0].deviance_, rel=1e-12)
    left = [fit.left_out(X, y, k * w) for k, fit in zip((1, 7), fits, strict=True)]
    np.testing.assert_allclose(left[1], left[0], rtol=1e-8)


def world(m, n, noise):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(m * n, 2)), columns=["a", "b"])
    g = np.repeat(np.arange(m), n)
    y = (X.to_numpy() * rng.normal(size=(m, 2))[g]).sum(axis=1) + rng.normal(size=m)[g]
    return X.assign(g=g), y + noise * rng.normal(size=m * n)


@pytest.mark.parametrize(
    ("m", "n", "noise", "said"),
    [
        (1, 30, 0.5, "one level of 'g' says nothing about variances between levels"),
        (30, 1, 0.5, "with one row in every level of 'g', differences between levels and noise"),
        (20, 9, 0.0, "explain the 180 rows next to perfectly and leave no noise to estimate"),
        (20, 3, 0.0, "explain the 60 rows next to perfectly and leave no noise to estimate"),
    ],
)
def test_what_rows_do_not_tell_is_said(m, n, noise, said):
    X, y = world(m, n, noise)
    with pytest.warns(DoubtWarning, match=said):
        MultilevelRegressor(task="g", varying="all").fit(X, y)


def test_little_noise_that_rows_tell_is_no_doubt():
    X, y = world(20, 9, 1e-3)
    model = MultilevelRegressor(task="g", varying="all").fit(X, y)  # a warning is an error
    assert model.noise_variance_ == pytest.approx(1e-6, rel=0.3)


@pytest.mark.parametrize("size", [1e4, 1e5])
def test_levels_of_any_size_leave_slopes_and_noise_as_they_are(size):
    rng = np.random.default_rng(0)
    g, h = np.repeat(np.arange(30), 20), rng.integers(0, 8, 600)
    x = rng.normal(size=600)
    y = (1 + 0.4 * rng.normal(size=30)[g]) * x + 0.5 * rng.normal(size=8)[h] + rng.normal(size=600)
    level = rng.normal(size=30)[g]
    X = pd.DataFrame({"x": x, "g": g, "h": h})
    asked = {"task": ["g", "h"], "varying": {"g": ["x"]}, "covariance": "diagonal"}
    model = MultilevelRegressor(**asked, alpha_common=0)
    near, far = (model.fit(X, y + each * level).variances_ for each in (30.0, size))
    assert far["g"][0] == pytest.approx(near["g"][0], rel=0.01)
    assert far["h"][1] == pytest.approx(near["h"][1], rel=0.01)
    assert model.noise_variance_ == pytest.approx(1.0, abs=0.1)
    assert far["g"][1] == pytest.approx(size**2 * level.reshape(30, 20)[:, 0].var(), rel=0.05)
