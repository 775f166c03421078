"""Scorers, and splitters with them, through scikit-learn's tools."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LinearRegression
from sklearn.metrics import roc_auc_score, root_mean_squared_error
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
)
from sklearn.svm import LinearSVC

from polytask.model_selection import LeaveTasksOut, TaskKFold, TaskShuffleSplit, task_scorer
from tests.model_selection.helpers import TaskMeans, TaskRates, codes_of, frame_of


@pytest.fixture
def regression():
    codes = codes_of([1, 3, 5, 20, 11])
    X = frame_of(codes)
    return X, pd.Series(codes + np.random.default_rng(0).normal(size=codes.size))


@pytest.fixture
def classes():
    codes = codes_of([1, 6, 8, 20, 11])
    y = np.random.default_rng(0).uniform(size=codes.size) < codes / 5
    return frame_of(codes), np.where(y, "yes", "no")


def by_school(X, y, pred, metric):
    return [metric(y[rows], pred[rows]) for _, rows in X.groupby("school").indices.items()]


def test_averages(regression):
    X, y = regression
    model = TaskMeans(shrink=0.5).fit(X, y)
    own = by_school(X, y.to_numpy(), model.predict(X), root_mean_squared_error)
    score = {
        average: task_scorer("rmse", task="school", average=average)(model, X, y)
        for average in ("tasks", "rows", "worst")
    }
    assert score["tasks"] == pytest.approx(-np.mean(own))
    assert score["worst"] == pytest.approx(-max(own))
    assert score["rows"] == pytest.approx(-root_mean_squared_error(y, model.predict(X)))


def test_per_task_scores_carry_the_ids_and_no_sign(regression):
    X, y = regression
    model = TaskMeans(shrink=0.5).fit(X, y)
    values = task_scorer("rmse", task="school").per_task(model, X, y)
    assert values.index.tolist() == ["s0", "s1", "s2", "s3", "s4"]
    assert values["s0"] == pytest.approx(abs(y[X["school"] == "s0"].item() - model.mean_) / 2)


def test_sample_weight_is_used(regression):
    X, y = regression
    model = DummyRegressor().fit(X, y)
    scorer = task_scorer("mae", average="rows")
    weight = np.arange(len(y)) < 3
    assert scorer(model, X, y, weight) == pytest.approx(scorer(model, X[:3], y[:3]))


def test_classifiers_with_string_labels_and_one_class_tasks(classes):
    X, y = classes
    model = TaskRates().fit(X, y)
    noisy = model.predict_proba(X)[:, 1]
    assert task_scorer("auc", task="school", average="rows")(model, X, y) == pytest.approx(
        roc_auc_score(y == "yes", noisy)
    )
    assert task_scorer("auc", task="school")(model, X, y) == 0.5  # the rate orders nothing inside
    assert np.isnan(task_scorer("auc", task="school").per_task(model, X, y)["s0"])
    accuracy = task_scorer("accuracy", task="school", average="rows")(model, X, y)
    assert accuracy == pytest.approx(np.mean(model.predict(X) == y))
    assert task_scorer("log_loss", average="rows")(model, X, y) < 0


def test_ranking_takes_a_decision_function(classes):
    X, y = classes
    numeric = X.drop(columns="school")
    model = LinearSVC().fit(numeric, y)
    expected = roc_auc_score(y == "yes", model.decision_function(numeric))
    assert task_scorer("auc", average="rows")(model, numeric, y) == pytest.approx(expected)
    with pytest.raises(TypeError, match="must have predict_proba for 'brier'; got Linear"):
        task_scorer("brier")(model, numeric, y)


def test_three_classes_have_accuracy_and_a_mean_auc_over_classes():
    X, y = np.zeros((6, 1)), np.array([0, 1, 2, 0, 1, 2])
    model = DummyClassifier().fit(X, y)
    assert task_scorer("accuracy")(model, X, y) == pytest.approx(1 / 3)
    assert task_scorer("auc")(model, X, y) == 0.5
    assert task_scorer("log_loss")(model, X, y) == pytest.approx(-np.log(3))


@pytest.mark.parametrize("as_frame", [False, True])
def test_wide_labels_with_nan(as_frame):
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(30, 2)), rng.normal(size=(30, 3))
    model = LinearRegression().fit(X, Y)
    holes = np.where(rng.uniform(size=Y.shape) < 0.4, np.nan, Y)
    table = pd.DataFrame(holes, columns=list("abc")).astype("Float64") if as_frame else holes
    values = task_scorer("rmse").per_task(model, X, table)
    expected = np.sqrt(np.nanmean((holes - model.predict(X)) ** 2, axis=0))
    np.testing.assert_allclose(values, expected)
    assert values.index.tolist() == (list("abc") if as_frame else [0, 1, 2])
    weight = np.where(np.arange(3) == 1, 1.0, 0.0) * np.ones((30, 1))
    assert task_scorer("rmse")(model, X, table, weight) == pytest.approx(-expected[1])


class WideProba(BaseEstimator):
    """Constant probabilities for wide labels, in one of the shapes that estimators give."""

    def __init__(self, shape, classes=(0, 1)):
        self.shape = shape
        self.classes_ = [np.array(classes)] * 2 if shape == "list" else np.array(classes)

    def predict_proba(self, X):
        positive = np.tile([0.25, 0.5], (len(X), 1))
        if self.shape == "matrix":
            return positive
        both = np.stack([1 - positive, positive], axis=-1)
        return both if self.shape == "stacked" else list(both.transpose(1, 0, 2))


@pytest.mark.parametrize("shape", ["list", "stacked", "matrix"])
@pytest.mark.parametrize("labels", [(0.0, 1.0), ("no", "yes")])
def test_wide_probabilities_in_every_shape(shape, labels):
    Y = np.array([[labels[1], np.nan], [labels[0], labels[1]]], dtype=object)
    values = task_scorer("brier").per_task(WideProba(shape, labels), np.zeros((2, 1)), Y)
    np.testing.assert_allclose(values, [(0.75**2 + 0.25**2) / 2, 0.25])


@pytest.mark.parametrize("cv", [TaskKFold(3, task="school"), TaskShuffleSplit(3, task="school")])
def test_scikit_learns_tools_never_meet_an_unseen_task(regression, cv):
    X, y = regression
    scorer = task_scorer("rmse", task="school")
    assert np.isfinite(cross_val_score(TaskMeans(), X, y, cv=cv)).all()
    many = {"tasks": scorer, "worst": task_scorer("rmse", task="school", average="worst")}
    result = cross_validate(TaskMeans(), X, y, cv=cv, scoring=many, error_score="raise")
    assert (result["test_worst"] <= result["test_tasks"]).all()


@pytest.mark.parametrize("n_jobs", [None, pytest.param(2, marks=pytest.mark.slow)])
def test_grid_search_alone_and_nested(regression, n_jobs):
    X, y = regression
    scorer = task_scorer("mae", task="school")
    cv = TaskKFold(3, task="school", random_state=0)
    grid = {"shrink": [0.0, 0.5, 1.0]}
    search = GridSearchCV(
        TaskMeans(), grid, cv=cv, scoring=scorer, n_jobs=n_jobs, error_score="raise"
    ).fit(X, y)
    assert search.best_params_["shrink"] < 1
    assert scorer(search, X, y) == pytest.approx(scorer(search.best_estimator_, X, y))
    nested = cross_val_score(search, X, y, cv=cv, scoring=scorer, error_score="raise")
    assert np.isfinite(nested).all()


def test_multimetric_search(regression):
    X, y = regression
    cv = TaskKFold(2, task="school", random_state=0)
    scoring = {"tasks": task_scorer("rmse", task="school"), "r2": "r2"}
    grid = {"shrink": [0.0, 1.0]}
    search = GridSearchCV(TaskMeans(), grid, cv=cv, scoring=scoring, refit="tasks").fit(X, y)
    assert search.best_params_ == {"shrink": 0.0}
    assert "mean_test_r2" in search.cv_results_


@pytest.mark.parametrize("several", [False, True])
def test_grid_search_passes_its_weights_to_the_scorer(several):
    X = np.zeros((8, 1))
    y = np.array([0.0, 0, 0, 9, 0, 0, 0, 9])
    weight = np.array([1.0, 1, 1, 0, 1, 1, 1, 0])
    scorer = task_scorer("mae")
    search = GridSearchCV(
        DummyRegressor(),
        {"strategy": ["mean"]},
        cv=KFold(2),
        scoring={"mae": scorer, "rmse": task_scorer("rmse")} if several else scorer,
        refit="mae",
        error_score="raise",
    ).fit(X, y, sample_weight=weight)
    result = search.cv_results_["mean_test_mae" if several else "mean_test_score"]
    assert result[0] == 0  # the nines weigh nothing, in fitting and in scoring


def test_learning_curve_prefixes_hold_every_task(regression):
    X, y = regression
    sizes, _, scores = learning_curve(
        TaskMeans(),
        X,
        y,
        cv=TaskKFold(3, task="school", random_state=0),
        scoring=task_scorer("rmse", task="school"),
        train_sizes=[5, 10, 20],
        error_score="raise",
    )
    assert sizes.tolist() == [5, 10, 20]
    assert np.isfinite(scores).all()


def test_cross_val_predict_takes_kfold_where_every_row_is_tested(regression):
    X, y = regression
    keep = X["school"] != "s0"
    cv = TaskKFold(3, task="school", random_state=0)
    assert cross_val_predict(TaskMeans(), X[keep], y[keep], cv=cv).shape == (keep.sum(),)


def test_stratified_folds_as_cv(classes):
    X, y = classes
    cv = TaskKFold(3, task="school", stratify=True, random_state=0)
    scores = cross_val_score(
        TaskRates(), X, y, cv=cv, scoring=task_scorer("brier", task="school"), error_score="raise"
    )
    assert ((scores < 0) & (scores > -1)).all()


def test_few_shot_evaluation_needs_support(regression):
    X, y = regression
    scorer = task_scorer("rmse", task="school")
    cv = LeaveTasksOut(2, task="school", n_support=2, random_state=0)
    assert np.isfinite(cross_val_score(TaskMeans(), X, y, cv=cv, scoring=scorer)).all()
    with pytest.raises(KeyError):
        cross_val_score(TaskMeans(), X, y, cv=LeaveTasksOut(2, task="school"), error_score="raise")


def test_wide_labels_in_cross_validation():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 2))
    Y = X @ rng.normal(size=(2, 3))
    cv = TaskKFold(4, random_state=0)
    scores = cross_val_score(LinearRegression(), X, Y, cv=cv, scoring=task_scorer("rmse"))
    np.testing.assert_allclose(scores, 0, atol=1e-12)


def test_metadata_routing_does_not_disturb(regression):
    X, y = regression
    with config_context(enable_metadata_routing=True):
        scores = cross_val_score(
            TaskMeans(),
            X,
            y,
            cv=TaskKFold(3, task="school", random_state=0),
            scoring=task_scorer("rmse", task="school"),
            error_score="raise",
        )
    assert np.isfinite(scores).all()


def test_scorers_pickle_compare_and_name_mistakes():
    scorer = task_scorer("rmse", task="school", average="worst")
    assert pickle.loads(pickle.dumps(scorer)) == scorer
    assert repr(scorer) == "TaskScorer(metric='rmse', task='school', average='worst')"
    with pytest.raises(ValueError, match="average must be 'tasks', 'rows' or 'worst'; got 'macro'"):
        task_scorer("rmse", average="macro")
    with pytest.raises(ValueError, match="metric must be one of"):
        task_scorer("mse")
