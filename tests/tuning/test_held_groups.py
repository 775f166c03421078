"""Rows that are held out together: exact leave-group-out, folds of groups, later rows."""

import dataclasses
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import is_classifier
from sklearn.metrics import log_loss

from polytask import (
    AutoMultiTaskRegressor,
    CurvedClassifier,
    CurvedRegressor,
    LowRankRegressor,
    MeanRegularizedClassifier,
    MeanRegularizedRegressor,
    PooledRegressor,
    SharedTreesRegressor,
    SingleTaskRegressor,
)
from polytask.data import TaskData
from polytask.data.held_rows import group_folds, later_folds
from polytask.models._rows_alike import correlation
from polytask.models.boosted_trees import BoostedTreesRegressor
from polytask.problem import Problem
from polytask.solvers import select
from polytask.tuning import LeaveOneOut, held_out_folds, leave_one_out
from tests.solvers.helpers import make_data, random_tasks
from tests.tuning.test_leave_one_out import SHAPES, formulations

NESTED, CROSSED = "nested", "crossed"


def with_groups(data: TaskData, kind: str) -> TaskData:
    rng = np.random.default_rng(3)
    group = np.arange(len(data.y)) // 2 if kind == NESTED else rng.integers(0, 6, len(data.y))
    if kind == NESTED:  # no group in two tasks
        group = np.unique(group * data.n_tasks + data.code, return_inverse=True)[1]
    return dataclasses.replace(data, group=group)


def without(data: TaskData, rows: np.ndarray) -> TaskData:
    """The data with these observations at weight 0; all other weights stay as they are."""
    weight = np.where(rows, 0.0, data.weight)
    held = dataclasses.replace(data, group=None)
    held.__dict__["weight"] = weight
    return held


def refitted(make: Callable[[TaskData], Problem], data: TaskData, rows: np.ndarray) -> np.ndarray:
    problem = make(without(data, rows))
    solution = select(problem).solve(problem, None, 1e-11, 200)
    return np.asarray(data.design.predict(solution.coefs)[rows])


@pytest.mark.parametrize("kind", [NESTED, CROSSED])
@pytest.mark.parametrize("shape", ["narrow", "all wide", "some wide", "all rows together wide"])
@pytest.mark.parametrize("name", ["mean-regularized", "single-task", "pooled", "task-intercept"])
def test_leave_group_out_is_the_fit_without_the_group(shape: str, name: str, kind: str) -> None:
    sizes, d = SHAPES[shape]
    rng = np.random.default_rng(0)
    X, y, ids = random_tasks(rng, sizes, d)
    weight = rng.uniform(0.5, 1.5, len(y))
    data = with_groups(make_data(X, y, ids, sample_weight=weight), kind)
    assert data.group is not None
    make = formulations()[name]
    f = leave_one_out(make(data))
    for g in np.unique(data.group)[:6]:
        rows = data.group == g
        np.testing.assert_allclose(
            f[rows], refitted(make, data, rows), rtol=1e-6, atol=1e-7, err_msg=str(g)
        )


def test_groups_of_one_row_are_leave_one_out() -> None:
    X, y, ids = random_tasks(np.random.default_rng(1), [12, 7, 20], 4)
    data = make_data(X, y, ids)
    alone = dataclasses.replace(data, group=np.arange(len(y)))
    for make in formulations().values():
        np.testing.assert_allclose(leave_one_out(make(alone)), leave_one_out(make(data)), rtol=1e-9)
        some = [make(alone)]
        expected = LeaveOneOut().risks([make(data)])
        np.testing.assert_allclose(LeaveOneOut().risks(some), expected, rtol=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_folds_of_groups_keep_groups_whole_and_tasks_in_training(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, m, k = rng.integers(2, 80), rng.integers(1, 8), rng.integers(1, 20)
    codes = np.unique(rng.integers(0, m, n), return_inverse=True)[1]
    groups = rng.integers(0, k, n)
    fold = group_folds(codes, groups, 3, seed, rng.integers(0, 2, n))
    assert all(len(set(fold[groups == g])) == 1 for g in set(groups))
    assert all(set(codes[fold != f]) == set(codes) for f in range(3))


def test_folds_of_groups_are_even() -> None:
    codes, groups = np.repeat(np.arange(12), 30), np.repeat(np.arange(72), 5)
    fold = group_folds(codes, groups, 3, 0)
    assert (np.bincount(codes * 3 + fold) == 10).all()  # two of a task's six people in each


def test_folds_of_groups_do_not_hang_on_the_order_of_rows_or_on_names() -> None:
    rng = np.random.default_rng(2)
    X, y, ids = random_tasks(rng, [20, 30, 16], 3)
    group = np.unique(ids * 100 + rng.integers(0, 6, len(y)), return_inverse=True)[1]
    data = dataclasses.replace(make_data(X, y, ids), group=group)
    first = held_out_folds(data, 3).fold
    name = rng.permutation(group.max() + 1)
    order = np.lexsort((rng.random(len(y)), ids))
    again = dataclasses.replace(make_data(X[order], y[order], ids), group=name[group[order]])
    np.testing.assert_array_equal(held_out_folds(again, 3).fold, first[order])


def test_later_rows_are_judged_by_earlier_ones() -> None:
    time = np.random.default_rng(0).permutation(40).astype(float)
    fold = later_folds(time, 5)
    assert (fold[time < 20] == -1).all()
    assert (np.bincount(fold[fold >= 0]) == 4).all()
    assert (np.diff(fold[np.argsort(time)]) >= 0).all()


def visits() -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Lab values that are nearly the same at each visit, and a level of each patient."""
    rng = np.random.default_rng(7)
    ward, who = np.repeat(np.arange(10), 72), np.repeat(np.arange(120), 6)
    x = rng.normal(size=(120, 8))[who] + 0.05 * rng.normal(size=(720, 8))
    own = 2 * rng.normal(size=120)[who] + 0.3 * rng.normal(size=10)[ward]
    y = x[:, 0] + own + 0.3 * rng.normal(size=720)
    return pd.DataFrame(x).rename(columns=str).assign(ward=ward), y, who


@pytest.mark.parametrize(
    "model",
    [
        SingleTaskRegressor,
        MeanRegularizedRegressor,
        pytest.param(LowRankRegressor, marks=pytest.mark.slow),
    ],
)
def test_strengths_are_those_for_new_patients(model: type) -> None:
    X, y, who = visits()
    new = who % 4 == 0

    def error(**given: object) -> float:
        found = model(task="ward").fit(X[~new], y[~new], **given).predict(X[new])
        return float(np.sqrt(np.mean((found - y[new]) ** 2)))

    assert error() > 4  # 7.2 where rows are taken as independent
    assert error(groups=who[~new]) < 2.0


def test_auto_is_near_pooled_on_new_people() -> None:
    rng, errors = np.random.default_rng(2), []
    for _ in range(3):
        who = np.repeat(np.arange(72), 5)
        Z, u = rng.normal(size=(1272, 5)), rng.normal(size=1272)
        level = 0.3 * Z[:, 0] - 0.3 * Z[:, 1] + u + 0.3 * rng.normal(size=1272)
        X = pd.DataFrame(Z[who], columns=list("abcde")).assign(clinic=who // 6)
        y = level[who] + 0.3 * rng.normal(size=360)
        new = pd.DataFrame(Z[72:], columns=list("abcde")).assign(clinic=np.arange(1200) // 100)
        found = []
        for model in (AutoMultiTaskRegressor, SingleTaskRegressor, PooledRegressor):
            fitted = model(task="clinic")
            if model is AutoMultiTaskRegressor:  # low-rank takes seconds
                names = ["single-task", "pooled", "task-intercept", "mean-regularized"]
                fitted.set_params(candidates=names)
            fitted.fit(X, y, groups=who)
            found.append(np.mean((fitted.predict(new) - level[72:]) ** 2))
        errors.append(found)
    auto, single, pooled = np.mean(errors, axis=0)
    assert auto < 1.1 * pooled  # the candidates are told apart by 72 people
    assert single < 2 * pooled  # 14,739 where rows are taken as independent


def test_labels_and_rows_in_time_are_judged_by_folds() -> None:
    X, y, who = visits()
    labels = (y > 0).astype(int)
    keep = who % 4 == 0
    free = MeanRegularizedClassifier(task="ward").fit(X[keep], labels[keep])
    held = MeanRegularizedClassifier(task="ward").fit(X[keep], labels[keep], groups=who[keep])
    assert held.alpha_ > free.alpha_


def test_rows_in_time_are_numbers_or_dates() -> None:
    X, y, _ = visits()
    hour = np.random.default_rng(0).permutation(len(y))
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(hour, unit="h")
    timed = SingleTaskRegressor(task="ward").fit(X, y, time=days)
    numbered = SingleTaskRegressor(task="ward").fit(X, y, time=hour)
    assert timed.alpha_ == numbered.alpha_
    with pytest.raises(ValueError, match="time must leave later rows of tasks that have earlier"):
        SingleTaskRegressor(task="ward").fit(X, y, time=np.arange(len(y)))  # a ward after another


def test_a_wide_y_has_groups_of_its_rows() -> None:
    rng = np.random.default_rng(4)
    X, who = rng.normal(size=(60, 4)), np.repeat(np.arange(20), 3)
    Y = X @ rng.normal(size=(4, 3)) + rng.normal(size=(20, 3))[who] + 0.1 * rng.normal(size=(60, 3))
    Y[rng.random(Y.shape) < 0.2] = np.nan
    wide = MeanRegularizedRegressor().fit(X, Y, groups=who)
    row, code = np.nonzero(~np.isnan(Y))
    long = MeanRegularizedRegressor(task=4).fit(
        np.column_stack([X[row], code]), Y[row, code], groups=who[row]
    )
    np.testing.assert_allclose(wide.coef_, long.coef_, rtol=1e-9)


def test_what_cannot_be_meant_is_refused() -> None:
    X, y, who = visits()
    model = SingleTaskRegressor(task="ward")
    with pytest.raises(ValueError, match="groups and time must not both be given"):
        model.fit(X, y, groups=who, time=np.arange(len(y)))
    with pytest.raises(ValueError, match="groups must have a value for every row; got 1 missing"):
        model.fit(X, y, groups=[None, *who[1:]])
    with pytest.raises(ValueError, match="time must hold numbers or dates; got text"):
        model.fit(X, y, time=["monday"] * len(y))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.fit(X, y, groups=who[1:])


def test_a_likelihood_of_independent_rows_says_that_it_takes_no_groups() -> None:
    X, y, who = visits()
    with pytest.warns(UserWarning, match="takes rows as independent"):
        MeanRegularizedRegressor("reml", task="ward").fit(X, y, groups=who)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        AutoMultiTaskRegressor(["single-task", "pooled"], task="ward").fit(X, y, groups=who)


def test_trees_stop_where_new_people_are_predicted_worse() -> None:
    X, y, who = visits()
    new = who % 4 == 0
    trees = [BoostedTreesRegressor(task="ward").fit(X[~new], y[~new], **given) for given in
             ({}, {"groups": who[~new]}, {"time": np.arange((~new).sum())})]  # fmt: skip
    free, held, timed = (int(model.n_iter_) for model in trees)
    assert held < free
    assert timed < free
    errors = [np.mean((model.predict(X[new]) - y[new]) ** 2) for model in trees]
    assert errors[1] < errors[0]


@pytest.mark.parametrize(
    "model",
    [
        CurvedRegressor,
        *(
            pytest.param(m, marks=pytest.mark.slow)
            for m in (SharedTreesRegressor, CurvedClassifier)
        ),
    ],
)
def test_rows_of_one_person_count_for_fewer_where_variances_are_estimated(model: type) -> None:
    X, y, who = visits()

    new, labels = who % 4 == 0, is_classifier(model())
    y = (y > 0).astype(int) if labels else y

    def error(**given: Any) -> float:
        fitted = model(task="ward").fit(X[~new], y[~new], **given)
        if labels:
            return float(log_loss(y[new], fitted.predict_proba(X[new])))
        return float(np.mean((fitted.predict(X[new]) - y[new]) ** 2))

    assert error(groups=who[~new]) < 0.7 * error()


def test_the_correlation_inside_groups_is_that_of_the_draws() -> None:
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(2000), rng.integers(1, 6, 2000))
    together, own = rng.normal(size=2000)[group], rng.normal(size=len(group))
    assert correlation(together + 2 * own, group) == pytest.approx(0.2, abs=0.03)
    assert correlation(together, group) == 1.0
    assert correlation(own, np.arange(len(own))) == 0.0
