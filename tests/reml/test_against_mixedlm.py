"""The optimum is the one of statsmodels' MixedLM and of published lme4 fits."""

import warnings

import numpy as np
import pytest

from polytask import MeanRegularizedRegressor
from polytask.datasets import load_exam
from polytask.tuning.reml import MixedModel
from polytask.tuning.reml_search import Variances, estimate_diagonal
from tests.reml.worlds import task_data

sm = pytest.importorskip("statsmodels.api")


@pytest.fixture(scope="module")
def exam():
    table = load_exam()
    X = table[["standLRT", "school"]].rename(columns={"school": "task"})
    return X, table["normexam"].to_numpy(float)


def mixed_lm(X, y, **kwargs):
    rows = np.column_stack([X["standLRT"], np.ones(len(y))])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return sm.MixedLM(y, rows, groups=X["task"], **kwargs).fit(reml=True, gtol=1e-8)


def test_random_intercept_has_the_published_variances(exam):
    model = MixedModel.from_data(task_data(*exam))
    found = estimate_diagonal(Variances(model, np.array([-1, 0]), random_common=False))
    level = found.point.noise * found.point.L[1, 0] ** 2
    assert found.converged
    # lme4: normexam ~ standLRT + (1 | school), REML
    assert level == pytest.approx(0.0938, abs=1e-4)
    assert found.point.noise == pytest.approx(0.5659, abs=1e-4)
    theirs = mixed_lm(*exam)
    assert level == pytest.approx(np.asarray(theirs.cov_re).item(), rel=1e-4)
    assert found.point.noise == pytest.approx(theirs.scale, rel=1e-4)


def test_full_covariance_is_mixedlm(exam):
    X, y = exam
    ours = MeanRegularizedRegressor("reml", covariance="full", alpha_common=0, task="task")
    ours.fit(X, y)
    rows = np.column_stack([X["standLRT"], np.ones(len(y))])
    theirs = mixed_lm(X, y, exog_re=rows)
    covariance = np.asarray(theirs.cov_re)
    np.testing.assert_allclose(ours.deviation_covariance_, covariance, rtol=2e-4, atol=1e-5)
    np.testing.assert_allclose(ours.noise_variance_, theirs.scale, rtol=1e-4)
    np.testing.assert_allclose(
        np.append(ours.common_coef_, ours.common_intercept_), theirs.fe_params, atol=1e-4
    )
    # theirs also counts the error of the variances
    np.testing.assert_allclose(
        ours.common_covariance_, np.asarray(theirs.cov_params())[:2, :2], rtol=1e-2
    )
    effects = np.array([theirs.random_effects[task] for task in ours.tasks_])
    deviation = np.column_stack([ours.deviation_coef_, ours.intercept_ - ours.common_intercept_])
    np.testing.assert_allclose(deviation, effects, atol=1e-3)


def test_log_likelihood_differs_by_the_constant_of_the_data(exam):
    X, y = exam
    ours = MeanRegularizedRegressor("reml", covariance="full", alpha_common=0, task="task")
    ours.fit(X, y)
    rows = np.column_stack([X["standLRT"], np.ones(len(y))])
    theirs = mixed_lm(X, y, exog_re=rows)
    n, p = rows.shape
    scale = np.sqrt((rows**2).mean(axis=0))
    # the full restricted log likelihood: minus half of deviance + n - p + (n - p) log 2 pi, with
    # log|X'V^-1 X| in the units of X
    likelihood = -0.5 * (
        ours.deviance_ + 2.0 * np.log(scale).sum() + (n - p) * (1.0 + np.log(2.0 * np.pi))
    )
    assert likelihood == pytest.approx(theirs.llf, abs=1e-4)
    assert likelihood >= theirs.llf - 1e-7  # and ours is the better of the two


def test_diagonal_is_mixedlm_with_independent_effects(exam):
    X, y = exam
    ours = MeanRegularizedRegressor("reml", covariance="diagonal", alpha_common=0, task="task")
    ours.fit(X, y)
    rows = np.column_stack([X["standLRT"], np.ones(len(y))])
    free = sm.regression.mixed_linear_model.MixedLMParams.from_components(
        fe_params=np.ones(2), cov_re=np.eye(2)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = sm.MixedLM(y, rows, groups=X["task"], exog_re=rows).fit(free=free, gtol=1e-8)
    np.testing.assert_allclose(
        np.diag(ours.deviation_covariance_), np.diag(theirs.cov_re), rtol=5e-4
    )
    assert ours.noise_variance_ == pytest.approx(theirs.scale, rel=1e-4)
