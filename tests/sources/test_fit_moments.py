"""A fit to moments is the fit to the rows."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import polytask
from polytask import (
    LowRankRegressor,
    MeanRegularizedRegressor,
    PooledRegressor,
    ProjectedLowRankRegressor,
    ProjectedMeanRegularizedRegressor,
    SingleTaskRegressor,
    TaskInterceptRegressor,
)
from polytask.data import TaskMoments
from polytask.datasets import make_low_rank_tasks, make_related_tasks

MODELS = [
    SingleTaskRegressor(0.01),
    PooledRegressor(0.01),
    TaskInterceptRegressor(0.01, alpha_intercept=0.05),
    MeanRegularizedRegressor(0.02, alpha_common=0.001, alpha_intercept=0.005),
    MeanRegularizedRegressor([0.1, 0.2, 0.3, 0.0], alpha_intercept=0.0),
]

LOW_RANK = [
    LowRankRegressor(0.01, alpha_intercept=0.05),
    LowRankRegressor(0.01, common=True, alpha_intercept=0.1),
    LowRankRegressor(0.001, max_rank=2),
    LowRankRegressor(0.02, penalty="rank", tol=1e-10),  # steps beside the closed form of rows
    ProjectedLowRankRegressor(0.01, n_components=2),
    ProjectedMeanRegularizedRegressor(0.01, n_components=2),
    ProjectedMeanRegularizedRegressor(0.01, n_components=None),
]


@pytest.fixture(scope="module")
def sample():
    X, y, _ = make_related_tasks(15, 4, (8, 40), level=2.0, random_state=5)
    return X, y


def model_for(template, **options):
    return template.__class__(**(template.get_params() | {"task": "task"} | options))


def in_parts(X, y, **options):
    third = len(y) // 3
    parts = [slice(0, third), slice(third, 2 * third), slice(2 * third, None)]
    a, b, c = (TaskMoments.from_rows(X[p], y[p], task="task", **options) for p in parts)
    return c + (a + b)


@pytest.mark.parametrize("template", MODELS, ids=lambda m: type(m).__name__)
@pytest.mark.parametrize("options", [{}, {"task_weight": "size"}])
def test_equals_fit(sample, template, options):
    X, y = sample
    here = model_for(template, **options).fit(X, y)
    there = model_for(template, **options).fit_moments(in_parts(X, y))
    assert_allclose(there.coef_, here.coef_, rtol=1e-10, atol=1e-12)
    assert_allclose(there.intercept_, here.intercept_, rtol=1e-10)
    assert_allclose(there.objective_, here.objective_, rtol=1e-12)
    assert_allclose(there.predict(X), here.predict(X), rtol=1e-10)
    assert there.violation_ < 1e-12
    assert there.status_ == "solved"


@pytest.mark.parametrize("template", LOW_RANK, ids=lambda m: type(m).__name__)
def test_low_rank_and_projections_run_on_moments(template):
    X, y, _ = make_low_rank_tasks(12, 6, 30, rank=2, noise=0.3, random_state=0)
    here = model_for(template).fit(X, y)
    there = model_for(template).fit_moments(in_parts(X, y))
    assert_allclose(there.coef_, here.coef_, atol=1e-9)
    assert_allclose(there.intercept_, here.intercept_, atol=1e-9)
    assert_allclose(there.objective_, here.objective_, rtol=1e-10)
    assert there.status_ == "solved"
    assert there.certificate_ == here.certificate_


@pytest.mark.parametrize(
    "template",
    [
        LowRankRegressor(),
        LowRankRegressor(penalty="rank"),
        ProjectedLowRankRegressor(0.01, n_components="cv"),
        ProjectedMeanRegularizedRegressor(),
    ],
    ids=lambda m: type(m).__name__,
)
def test_low_rank_strengths_by_the_folds_of_the_moments(template):
    X, y, _ = make_low_rank_tasks(12, 6, 30, rank=2, noise=0.3, random_state=0)
    here = model_for(template).fit(X, y)
    there = model_for(template).fit_moments(in_parts(X, y, n_folds=5))
    assert_allclose(there.score(X, y), here.score(X, y), atol=0.005)
    with pytest.raises(ValueError, match="n_folds=5"):
        model_for(template).fit_moments(in_parts(X, y))


def wide_sample(gaps):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 5))
    W = rng.normal(size=(7, 2)) @ rng.normal(size=(2, 5))
    Y = X @ W.T + rng.normal(size=7) + 0.3 * rng.normal(size=(120, 7))
    if gaps:
        Y[rng.random(Y.shape) < 0.3] = np.nan
    return X, pd.DataFrame(Y, columns=list("gfedcba"))


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("template", MODELS[:4] + LOW_RANK[:5], ids=lambda m: type(m).__name__)
def test_a_wide_y_with_gaps(template, gaps):
    X, Y = wide_sample(gaps)
    parts = [slice(0, 50), slice(50, None)]
    a, b = (TaskMoments.from_rows(X[p], Y[p]) for p in parts)
    here = template.__class__(**template.get_params()).fit(X, Y)
    there = template.__class__(**template.get_params()).fit_moments(a + b)
    assert there.tasks_.tolist() == list("gfedcba")
    assert_allclose(there.predict(X), here.predict(X), atol=1e-8)


def test_a_row_of_a_wide_y_is_in_one_fold():
    X, Y = wide_sample(gaps=False)
    moments = TaskMoments.from_rows(X, Y, n_folds=4)
    first = moments.sums[0, :, :-1, :-1]
    for task in moments.sums:
        assert_allclose(task[:, :-1, :-1], first, rtol=1e-12)
    later = moments.extended(X[:6], Y[:6])
    assert (later.rows.sum(axis=1) == 126).all()
    assert np.ptp(later.rows) <= 1


def test_wide_moments_keep_their_columns(tmp_path):
    X, Y = wide_sample(gaps=True)
    moments = TaskMoments.from_rows(X, Y, sample_weight=np.full(len(X), 2.0))
    moments.save(tmp_path / "wide.npz")
    again = TaskMoments.load(tmp_path / "wide.npz")
    assert again.wide
    assert again.tasks.tolist() == list("gfedcba")
    with pytest.raises(ValueError, match=r"columns of y must agree.*one order"):
        moments + TaskMoments.from_rows(X, Y[list("abcdefg")])
    with pytest.raises(ValueError, match="same targets"):
        TaskMoments.from_batches([(X, Y), (X, Y["a"])])
    with pytest.raises(ValueError, match=r"at least one measured value.*'g'"):
        PooledRegressor(0.1).fit_moments(TaskMoments.from_rows(X, Y.assign(g=np.nan)))


def test_equals_fit_with_weights_and_no_intercept(sample):
    X, y = sample
    weight = np.random.default_rng(0).uniform(0.5, 2.0, size=len(y))
    model = MeanRegularizedRegressor(0.02, task="task", fit_intercept=False)
    here = model.fit(X, y, sample_weight=weight).coef_
    moments = TaskMoments.from_rows(X, y, task="task", sample_weight=weight)
    assert_allclose(model.fit_moments(moments).coef_, here, rtol=1e-10)


def test_tasks_with_fewer_rows_than_features():
    X, y, _ = make_related_tasks(30, 12, (1, 6), random_state=1)
    model = MeanRegularizedRegressor(0.05, task="task")
    here = model.fit(X, y).coef_
    there = model.fit_moments(TaskMoments.from_rows(X, y, task="task")).coef_
    assert_allclose(there, here, rtol=1e-9, atol=1e-10)


def test_a_constant_and_a_duplicated_column(sample):
    X, y = sample
    X = X.assign(one=3.0, twin=X["x0"])[[*X.columns[:-1], "one", "twin", "task"]]
    model = MeanRegularizedRegressor(0.05, alpha_common=0.01, task="task")
    here = model.fit(X, y).predict(X)
    there = model.fit_moments(TaskMoments.from_rows(X, y, task="task")).predict(X)
    assert_allclose(there, here, rtol=1e-8)


def test_a_mean_of_1e8_is_no_harm_once_standardized(sample):
    X, y = sample
    features = X.columns[:-1]
    far = X.assign(**{name: X[name] + 1e8 for name in features})
    moments = TaskMoments.from_rows(far, y, task="task")
    model = MeanRegularizedRegressor(0.02, task="task")
    there = model.fit_moments(moments.standardized(*moments.mean_and_scale())).coef_
    scaled = X.assign(**{n: (X[n] - X[n].mean()) / X[n].std(ddof=0) for n in features})
    assert_allclose(there, model.fit(scaled, y).coef_, rtol=1e-6)


@pytest.mark.filterwarnings("ignore::polytask.mixed.doubts.DoubtWarning")
def test_variances_by_reml_need_no_rows(sample):
    X, y = sample
    model = MeanRegularizedRegressor("reml", covariance="diagonal", task="task")
    here = model.fit(X, y)
    noise, prediction = here.noise_variance_, here.predict(X)
    there = model.fit_moments(in_parts(X, y))
    assert_allclose(there.noise_variance_, noise, rtol=1e-6)
    assert_allclose(there.predict(X), prediction, rtol=1e-5)


def held_out_risk(model, X, y, moments):
    """The K-fold risk by the definition: rows in the folds that the moments dealt them to."""
    risk, weight = 0.0, 0.0
    sizes = X["task"].map(X["task"].value_counts())
    omega = (1.0 / sizes / X["task"].nunique()).to_numpy()
    for k in range(moments.n_folds):
        part = TaskMoments(
            moments.tasks, moments.shift, np.delete(moments.sums, k, axis=1),
            np.delete(moments.rows, k, axis=1), moments.columns, moments.task,
        )  # fmt: skip
        fitted = model_for(model).fit_moments(part)
        held = moments.sums[:, k]
        for i, coef in enumerate(np.column_stack([fitted.coef_, fitted.intercept_])):
            row = np.append(-coef[:-1], 1.0)
            level = row @ moments.shift - coef[-1]
            z = np.concatenate([[level], row])  # y - f = z'(1, x - shift, y - shift_y)
            w = omega[X["task"] == moments.tasks[i]][0]
            risk += 0.5 * w * z @ held[i] @ z
            weight += w * held[i, 0, 0]
    return risk / weight


@pytest.mark.parametrize("template", MODELS[:4], ids=lambda m: type(m).__name__)
def test_cv_is_k_fold_over_the_folds_of_the_moments(sample, template):
    X, y = sample
    moments = in_parts(X, y, n_folds=4)
    tasks = {"task": "task", "task_weight": "equal"}
    chosen = type(template)(**tasks).fit_moments(moments)
    assert len(chosen.cv_scores_) == len(chosen.alpha_path_)
    names = [n for n in ("alpha", "alpha_common", "alpha_intercept") if hasattr(chosen, f"{n}_")]
    given = type(template)(**{n: getattr(chosen, f"{n}_") for n in names}, **tasks)
    assert_allclose(-chosen.cv_scores_.max(), held_out_risk(given, X, y, moments), rtol=1e-8)


def test_cv_needs_folds(sample):
    X, y = sample
    moments = TaskMoments.from_rows(X, y, task="task")
    with pytest.raises(ValueError, match=r"by fold; got n_folds=1.*n_folds=5"):
        MeanRegularizedRegressor(task="task").fit_moments(moments)


def test_moments_of_another_task_column(sample):
    X, y = sample
    with pytest.raises(ValueError, match="estimator's task"):
        PooledRegressor(0.1, task="school").fit_moments(TaskMoments.from_rows(X, y, task="task"))
    with pytest.raises(TypeError, match=r"must be TaskMoments.*from_batches"):
        PooledRegressor(0.1, task="task").fit_moments(X)


def test_partial_fit_adds_rows_and_tasks(sample):
    X, y = sample
    late = X["task"] == X["task"].max()
    model = MeanRegularizedRegressor(0.02, task="task")
    model.partial_fit(X[~late][:100], y[~late][:100])
    assert len(model.tasks_) < X["task"].nunique()
    model.partial_fit(X[~late][100:], y[~late][100:]).partial_fit(X[late], y[late])
    here = MeanRegularizedRegressor(0.02, task="task").fit(X, y)
    assert_allclose(model.coef_, here.coef_, rtol=1e-9)
    assert_allclose(model.predict(X), here.predict(X), rtol=1e-9)


def test_partial_fit_chooses_strengths_by_folds(sample):
    X, y = sample
    model = TaskInterceptRegressor(alpha_intercept=0.01, task="task")
    model.partial_fit(X[:200], y[:200]).partial_fit(X[200:], y[200:])
    assert model.moments_.n_folds == 5
    best = TaskInterceptRegressor(alpha_intercept=0.01, task="task").fit(X, y)
    assert_allclose(-model.cv_scores_.max(), -best.cv_scores_.max(), rtol=0.2)


def test_partial_fit_of_arrays_and_of_a_single_task(sample):
    X, y = sample
    both = np.column_stack([X.drop(columns="task"), pd.factorize(X["task"])[0]])
    model = SingleTaskRegressor(0.1, task=-1).partial_fit(both[:150], y[:150])
    model.partial_fit(both[150:], y[150:])
    assert_allclose(model.coef_, SingleTaskRegressor(0.1, task=-1).fit(both, y).coef_, rtol=1e-9)
    plain = both[:, :-1]
    alone = PooledRegressor(0.1).partial_fit(plain[:9], y[:9]).partial_fit(plain[9:], y[9:])
    assert_allclose(alone.coef_, PooledRegressor(0.1).fit(plain, y).coef_, rtol=1e-9)


def test_partial_fit_after_fit_says_that_it_starts_anew_and_fit_forgets(sample):
    X, y = sample
    model = PooledRegressor(0.1, task="task").fit(X, y)
    with pytest.warns(UserWarning, match="starts anew from these rows"):
        model.partial_fit(X, y)
    again = PooledRegressor(0.1, task="task").partial_fit(X, y)
    again.fit(X[:50], y[:50])
    assert not hasattr(again, "moments_")


def test_partial_fit_of_a_wide_y():
    X, Y = wide_sample(gaps=True)
    model = MeanRegularizedRegressor(0.1).partial_fit(X[:60], Y[:60]).partial_fit(X[60:], Y[60:])
    assert_allclose(model.predict(X), MeanRegularizedRegressor(0.1).fit(X, Y).predict(X))


def test_partial_fit_refuses_other_columns(sample):
    X, y = sample
    model = PooledRegressor(0.1, task="task").partial_fit(X, y)
    coef = model.coef_.copy()
    with pytest.raises(ValueError, match="feature names"):
        model.partial_fit(X.rename(columns={"x0": "z"}), y)
    assert_allclose(model.coef_, coef)


def test_a_fit_that_fails_leaves_the_last_one(sample):
    X, y = sample
    model = PooledRegressor(0.1, task="task").partial_fit(X[:100], y[:100])
    before = model.coef_.copy()
    with pytest.raises(ValueError, match="NaN"):
        model.partial_fit(X[100:].assign(x0=np.nan), y[100:])
    assert_allclose(model.coef_, before)
    assert model.moments_.rows.sum() == 100


def test_public_name():
    assert polytask.TaskMoments is TaskMoments
