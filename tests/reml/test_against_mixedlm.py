"""The optimum is the one of statsmodels' MixedLM and of published lme4 fits."""

import warnings

import numpy as np
import pytest

from polytask import MeanRegularizedRegressor
from polytask.datasets import load_exam, make_related_tasks
from polytask.mixed.reml import MixedModel
from polytask.mixed.search import Variances, estimate_diagonal
from tests.reml.worlds import restricted_likelihood, task_data

sm = pytest.importorskip("statsmodels.api")


@pytest.fixture(scope="module")
def exam():
    table = load_exam()
    X = table[["standLRT", "school"]].rename(columns={"school": "task"})
    return X, table["normexam"].to_numpy(float)


def reml(covariance):
    """MixedLM's model: w0 free, and one noise variance for all tasks."""
    return MeanRegularizedRegressor(
        "reml", covariance=covariance, alpha_common=0, noise="common", task="task"
    )


def mixed_lm(X, y, **kwargs):
    rows = np.column_stack([X["standLRT"], np.ones(len(y))])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return sm.MixedLM(y, rows, groups=X["task"], **kwargs).fit(reml=True, gtol=1e-8)


def test_random_intercept_has_the_published_variances(exam):
    model = MixedModel.from_data(task_data(*exam))
    found = estimate_diagonal(Variances(model, np.array([-1, 0])))
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
    ours = reml("full").fit(X, y)
    rows = np.column_stack([X["standLRT"], np.ones(len(y))])
    theirs = mixed_lm(X, y, exog_re=rows)
    likelihood = ours.log_likelihood_
    assert likelihood == pytest.approx(theirs.llf, abs=1e-4)
    assert likelihood >= theirs.llf - 1e-7  # and ours is the better of the two


@pytest.mark.parametrize("covariance", ["diagonal", "full"])
@pytest.mark.parametrize("data", ["exam", pytest.param("4 slopes", marks=pytest.mark.slow)])
def test_mixedlm_stops_short_and_meets_us_when_it_goes_on(exam, data, covariance):
    """At its default tolerance MixedLM's variances are up to 2e-4 off; the optimum is ours."""
    X, y = exam
    if data == "4 slopes":
        X, y, _ = make_related_tasks(200, 4, 20, level=0.5, random_state=0)
    ours = reml(covariance).fit(X, y)
    Sigma, noise = ours.deviation_covariance_, ours.noise_variance_
    rows = np.column_stack([X.drop(columns="task"), np.ones(len(y))])
    p, code = rows.shape[1], X["task"].to_numpy()
    uncorrelated = sm.regression.mixed_linear_model.MixedLMParams.from_components(
        fe_params=np.ones(p), cov_re=np.eye(p)
    )
    model = sm.MixedLM(y, rows, groups=code, exog_re=rows)
    free = uncorrelated if covariance == "diagonal" else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        short, full = model.fit(free=free), model.fit(free=free, gtol=1e-8)

    def likelihood(Sigma, noise):
        return restricted_likelihood(rows, y, code, Sigma, noise)

    best = likelihood(Sigma, noise)
    for theirs in (short, full):
        assert best >= likelihood(np.asarray(theirs.cov_re), theirs.scale) - 1e-8
    np.testing.assert_allclose(np.diag(Sigma), np.diag(full.cov_re), rtol=1e-5)
    assert noise == pytest.approx(full.scale, rel=1e-6)
    # flat at our answer: in the log of every variance, of the noise too
    step = 1e-3
    up, down = (
        [likelihood(Sigma * np.outer(a, a), noise) for a in np.exp(s * step * np.eye(p) / 2)]
        + [likelihood(Sigma, noise * np.exp(s * step))]
        for s in (1, -1)
    )
    np.testing.assert_allclose((np.array(up) - down) / (2 * step), 0.0, atol=5e-4)
