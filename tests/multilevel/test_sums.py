"""Sums by combinations of levels, of tables in parts and of files, against the rows in memory."""

import numpy as np
import pandas as pd
import pytest

from polytask import (
    MeanRegularizedRegressor,
    MultilevelClassifier,
    MultilevelRegressor,
    SingleTaskRegressor,
    TaskMoments,
)
from polytask.datasets import make_crossed_rows
from polytask.inspection import compare_parquet
from polytask.sources import source as source_module
from tests.sources.conftest import summing_up

CHOICES = [
    {},
    {"varying": {"school": ["x0"]}, "covariance": "full", "alpha_common": 0},
    {"fit_intercept": False, "alpha": "ml"},
    {"alpha": 0.001, "n_groupings": 1},
]


@pytest.fixture(scope="module")
def nested():
    """Classes whose ids start again in every school, and a year far from zero."""
    rng, n = np.random.default_rng(3), 1500
    school, klass = rng.integers(0, 15, n), rng.integers(0, 4, n)
    X = pd.DataFrame({
        "x0": rng.normal(size=n), "year": 2000 + 3 * rng.normal(size=n),
        "school": [f"s{k}" for k in school], "class": klass,
    })  # fmt: skip
    slope, level, own = rng.normal(size=15), rng.normal(size=15), rng.normal(size=(15, 4))
    y = 0.1 * X["year"] + X["x0"] * (1 + slope[school]) + level[school] + own[school, klass]
    return X, y + rng.normal(size=n)


def check_same(there, here, X):
    np.testing.assert_allclose(there.predict(X), here.predict(X), rtol=1e-10)
    assert there.deviance_ == pytest.approx(here.deviance_, abs=1e-8)
    assert there.varying_ == here.varying_
    assert there.covariance_ == here.covariance_
    for name in here.groupings_:
        assert there.levels_[name].tolist() == here.levels_[name].tolist()
        np.testing.assert_allclose(there.variances_[name], here.variances_[name], rtol=1e-7)
    assert there.violation_ < 1e-12


@pytest.mark.parametrize("choice", CHOICES)
def test_moments_of_nested_groupings_say_all(nested, choice, tmp_path):
    X, y = nested
    here = MultilevelRegressor(task="school/class", **choice).fit(X, y)
    parts = [(X[:200], y[:200]), (X[200:], y[200:])]
    one, two = (TaskMoments.from_rows(*part, task="school/class") for part in parts)
    (one + two).save(tmp_path / "sums.npz")
    for sums in (
        TaskMoments.from_batches(parts, task="school/class"),
        TaskMoments.load(tmp_path / "sums.npz"),
        one.extended(*parts[1]),
    ):
        assert sums.task == ("school", "class")
        assert len(sums.tasks) == 60
        there = MultilevelRegressor(task="school/class", **choice).fit_moments(sums)
        check_same(there, here, X)
    table = there.summary(X=X, y=y) if "alpha" not in choice else there.summary()
    np.testing.assert_allclose(table["common"], here.summary()["common"], rtol=1e-8)


@pytest.mark.parametrize("held", [True, False])
def test_files_of_nested_groupings_are_as_their_rows(nested, held, tmp_path, monkeypatch):
    X, y = nested
    monkeypatch.setattr(source_module, "_PARTITION_ROWS", 300)
    X.assign(y=y).to_parquet(tmp_path / "rows.parquet", row_group_size=200)
    here = MultilevelRegressor(task="school/class").fit(X, y)
    there = MultilevelRegressor(task="school/class")
    with monkeypatch.context() if held else summing_up():
        there.fit_parquet(tmp_path, target="y", batch_rows=70)
    check_same(there, here, X)


def test_crossed_groupings_need_a_sum_for_every_pair(nested):
    X, y, _ = make_crossed_rows(300, {"user": 20, "item": 8}, random_state=0)
    sums = TaskMoments.from_rows(X, y, task=["user", "item"])
    assert len(sums.tasks) == len(X[["user", "item"]].drop_duplicates())
    here = MultilevelRegressor(task=["user", "item"]).fit(X, y)
    check_same(MultilevelRegressor(task=["user", "item"]).fit_moments(sums), here, X)
    alone, levels = X[["user", "item"]], MultilevelRegressor(task=["user", "item"])
    sums = TaskMoments.from_rows(alone, y, task=["user", "item"])
    check_same(
        levels.fit_moments(sums), MultilevelRegressor(task=["user", "item"]).fit(alone, y), alone
    )


def test_what_sums_cannot_serve_is_refused(nested, tmp_path):
    X, y = nested
    sums = TaskMoments.from_rows(X.drop(columns="class"), y, task="school")
    with pytest.raises(ValueError, match=r"got task='school' in the moments and \('school', 'c"):
        MultilevelRegressor(task=["school", "class"]).fit_moments(sums)
    assert not hasattr(MultilevelClassifier(), "fit_moments")
    X.assign(y=y > 0).to_parquet(tmp_path / "rows.parquet")
    with summing_up(), pytest.raises(ValueError, match="fewer rows where Laplace's approximation"):
        MultilevelClassifier(task="school/class").fit_parquet(tmp_path, target="y")


def test_a_term_without_coefficients_is_none(nested):
    X, y = nested
    model = MultilevelRegressor(task="school/class", fit_intercept=False, varying=[]).fit(X, y)
    assert not any(model.variances_[name].any() for name in model.groupings_)
    w = np.linalg.lstsq(X[["x0", "year"]], y, rcond=None)[0]
    np.testing.assert_allclose(model.common_coef_, w, rtol=1e-8)


def test_rows_are_added_part_by_part(nested):
    X, y = nested
    here = MultilevelRegressor(task="school/class").fit(X, y)
    there = MultilevelRegressor(task="school/class")
    for part in (slice(0, 200), slice(200, 900), slice(900, None)):
        there.partial_fit(X[part], y[part])
    check_same(there, here, X)
    with pytest.raises(ValueError, match="feature names"):
        there.partial_fit(X.rename(columns={"year": "age"}), y)


def test_a_model_of_one_grouping_refuses_parts_of_several(nested):
    X, y = nested
    with pytest.raises(ValueError, match="task must be one column for partial_fit"):
        MeanRegularizedRegressor(task="school/class").partial_fit(X, y)
    sums = TaskMoments.from_rows(X, y, task="school/class")
    with pytest.raises(ValueError, match="moments must be of one task column"):
        MeanRegularizedRegressor(task="school").fit_moments(sums)
    with pytest.raises(AttributeError, match="has no attribute 'partial_fit'"):
        MultilevelClassifier(task="school/class").partial_fit(X, y > 0)


def test_a_streamed_comparison_takes_one_grouping(nested, tmp_path):
    X, y = nested
    X = X.drop(columns="class")
    X.assign(y=y).to_parquet(tmp_path / "rows.parquet")
    models = {
        "single-task": SingleTaskRegressor(task="school"),
        "multilevel": MultilevelRegressor(task="school"),
    }
    told = {"task": "school", "target": "y"}
    found = compare_parquet(models, tmp_path / "rows.parquet", **told, cv=3)
    here = MultilevelRegressor(task="school").fit(X, y)
    check_same(found.fitted["multilevel"], here, X)
    losses = found.comparison.models.set_index("name")["metric"]
    assert losses["multilevel"] < losses["single-task"]
    models["multilevel"].task = "school/class"
    with pytest.raises(ValueError, match="'multilevel' needs several columns of ids"):
        compare_parquet(models, tmp_path / "rows.parquet", **told)
    with pytest.raises(ValueError, match="by which folds are dealt and losses summed"):
        compare_parquet(models, tmp_path / "rows.parquet", task="school/class", target="y")
