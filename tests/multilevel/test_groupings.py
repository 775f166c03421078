"""What groupings are, unseen levels, which coefficients vary, files, folds."""

import pickle

import numpy as np
import pandas as pd
import pytest
import skops.io

import polytask
from polytask import MeanRegularizedRegressor, MultilevelClassifier, MultilevelRegressor
from polytask.data.parse import LeftOutGrouping
from polytask.datasets import make_crossed_rows
from polytask.model_selection import TaskKFold

GROUPS = ["user", "item"]


@pytest.fixture(scope="module")
def rows():
    return make_crossed_rows(500, slope=(0.5, 0.0), random_state=0)[:2]


@pytest.fixture(scope="module")
def nested():
    """Classes whose ids start again in every school."""
    rng = np.random.default_rng(0)
    school = np.repeat(np.arange(12), 40)
    klass = np.tile(np.repeat(np.arange(4), 10), 12)
    x = rng.normal(size=480)
    effect = rng.normal(size=(12, 4))
    y = x + rng.normal(size=12)[school] + effect[school, klass] + rng.normal(size=480)
    return pd.DataFrame({"x": x, "school": school, "class": klass}), y


def test_ids_that_restart(nested):
    X, y = nested
    model = MultilevelRegressor(task="school/class").fit(X, y)
    distinct = X.assign(room=X["school"] * 10 + X["class"]).drop(columns="class")
    same = MultilevelRegressor(task=["school", "room"]).fit(distinct, y)
    np.testing.assert_allclose(model.predict(X), same.predict(distinct), atol=1e-8)
    assert model.groupings_ == ["school", "school/class"]
    assert model.levels_["school/class"][:2].tolist() == ["0/0", "0/1"]
    tuples = MultilevelRegressor(task=["school", ("school", "class")]).fit(X, y)
    np.testing.assert_array_equal(tuples.predict(X), model.predict(X))
    assert model.variances_["school/class"][-1] == pytest.approx(1.0, rel=0.5)
    crossed = MultilevelRegressor(task=["school", "class"]).fit(X, y)
    assert crossed.deviance_ > model.deviance_ + 50


def test_unseen_levels_take_what_the_others_give(rows):
    X, y = rows
    model = MultilevelRegressor(task=GROUPS, varying=[]).fit(X, y)
    new = X[:3].assign(item=999)
    expected = model.common_intercept_ + new[["x0", "x1"]] @ model.common_coef_
    own = model.deviations_["user"][np.searchsorted(model.levels_["user"], new["user"]), -1]
    np.testing.assert_allclose(model.predict(new), expected + own, rtol=1e-12)
    with pytest.raises(ValueError, match=r"got task 999 \(3 rows\)"):
        model.predict(X[:3].assign(user=999))
    model.set_params(unseen="common")
    nobody = X[:3].assign(user=999, item=999)
    np.testing.assert_allclose(model.predict(nobody), expected, rtol=1e-12)


def test_coefficients_of_any_combination(rows):
    X, y = rows
    model = MultilevelRegressor(task=GROUPS).fit(X, y)
    coef, intercept = model.coefficients(X[GROUPS][:20])
    found = (coef * X[["x0", "x1"]][:20].to_numpy()).sum(axis=1) + intercept
    np.testing.assert_allclose(found, model.predict(X[:20]), rtol=1e-10)
    np.testing.assert_allclose(model.common_coef_ + model.deviation_coef_, model.coef_)


def test_auto_finds_which_slopes_vary(rows):
    X, y = rows
    model = MultilevelRegressor(task=GROUPS).fit(X, y)
    assert model.varying_ == {"user": ["x0", "x1"], "item": []}
    said = MultilevelRegressor(task=GROUPS, varying={"item": ["x1"]}).fit(X, y)
    assert said.varying_ == {"user": [], "item": ["x1"]}
    assert said.variances_["user"][:2].tolist() == [0.0, 0.0]
    assert MultilevelRegressor(task=GROUPS, varying=[]).fit(X, y).variances_["user"][0] == 0
    with pytest.raises(ValueError, match="varying must name features; got 'x7'"):
        MultilevelRegressor(task=GROUPS, varying=["x7"]).fit(X, y)


def levels_with_slopes(m, n, deviations, d, seed=0):
    """Rows of m levels; the first of d slopes deviate between them."""
    rng = np.random.default_rng(seed)
    code = np.repeat(np.arange(m), n)
    X = rng.normal(size=(m * n, d))
    own = rng.normal(size=(m, len(deviations))) * deviations
    y = X[:, 0] + (own[code] * X[:, : len(deviations)]).sum(axis=1)
    return np.column_stack([X, code]), y + rng.normal(size=m)[code] + rng.normal(size=m * n)


@pytest.mark.parametrize(("m", "n"), [(40, 15), (8, 40)])
def test_auto_finds_the_few_slopes_that_vary_among_many(m, n):
    X, y = levels_with_slopes(m, n, [0.8, 0.6], 20)
    model = MultilevelRegressor(task=20).fit(X, y)
    name = model.groupings_[0]
    assert model.varying_[name] == [0, 1]
    for other in ([], [0], "all"):
        assert model.aic_ < MultilevelRegressor(task=20, varying=other).fit(X, y).aic_


def test_where_all_slopes_vary_a_little_auto_takes_them_all():
    X, y = levels_with_slopes(60, 12, np.full(10, 0.25), 10)
    model = MultilevelRegressor(task=10).fit(X, y)
    assert model.varying_[model.groupings_[0]] == list(range(10))


def test_by_chance_few_slopes_vary():
    found = []
    for seed in range(10):
        X, y = levels_with_slopes(20, 10, [], 8, seed=seed)
        model = MultilevelRegressor(task=8).fit(X, y)
        found.append(len(model.varying_[model.groupings_[0]]))
    assert np.mean(found) <= 1.0


def test_a_feature_that_is_constant_inside_levels_has_no_slope_there(nested):
    X, y = nested
    size = X.assign(size=(X["school"] % 5).astype(float))
    model = MultilevelRegressor(task="school/class").fit(size, y)
    assert "size" not in model.varying_["school"]
    assert "size" not in model.varying_["school/class"]


def test_positions_are_names(rows):
    X, y = rows
    by_name = MultilevelRegressor(task=GROUPS).fit(X, y)
    by_place = MultilevelRegressor(task=[2, -1]).fit(X.to_numpy(), y)
    np.testing.assert_allclose(by_place.predict(X.to_numpy()), by_name.predict(X), rtol=1e-12)


def test_weights_count_rows(rows):
    X, y = rows
    w = np.random.default_rng(0).integers(0, 3, len(y))
    weighted = MultilevelRegressor(task=GROUPS, varying=[]).fit(X, y, sample_weight=w)
    repeated = MultilevelRegressor(task=GROUPS, varying=[]).fit(
        X.loc[X.index.repeat(w)], np.repeat(y, w)
    )
    assert weighted.deviance_ == pytest.approx(repeated.deviance_, abs=1e-6)
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-5)


def test_centers_of_features_do_not_matter_to_full_covariances(rows):
    X, y = rows
    options = {"task": GROUPS, "varying": ["x0"], "covariance": "full", "alpha_common": 0}
    here = MultilevelRegressor(**options).fit(X, y)
    far = MultilevelRegressor(**options).fit(X.assign(x0=X["x0"] + 2000), y)
    assert far.deviance_ == pytest.approx(here.deviance_, abs=1e-5)
    np.testing.assert_allclose(far.predict(X.assign(x0=X["x0"] + 2000)), here.predict(X), atol=1e-5)
    np.testing.assert_allclose(far.variances_["user"][0], here.variances_["user"][0], rtol=1e-3)


@pytest.mark.parametrize("Model", [MultilevelRegressor, MultilevelClassifier])
def test_it_comes_back_from_files(rows, Model):
    X, y = rows
    y = (y > 0).astype(int) if Model is MultilevelClassifier else y
    model = Model(task=["user", ("user", "item")], varying=[]).fit(X, y)
    for again in (
        pickle.loads(pickle.dumps(model)),
        skops.io.loads(skops.io.dumps(model), trusted=polytask.TRUSTED_TYPES),
    ):
        np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_models_of_one_grouping_say_what_they_leave_out(rows):
    X, y = rows
    with pytest.warns(LeftOutGrouping, match="'user'; left out: 'item'"):
        several = MeanRegularizedRegressor(0.1, task=GROUPS).fit(X, y)
    one = MeanRegularizedRegressor(0.1, task="user").fit(X.drop(columns="item"), y)
    np.testing.assert_array_equal(several.coef_, one.coef_)


def test_folds_keep_every_level_in_training(rows):
    X, y = rows
    X = X.assign(item=np.where(np.arange(500) % 97 == 0, 1000 + np.arange(500), X["item"]))
    cv = TaskKFold(5, task=GROUPS, random_state=0)
    for train, test in cv.split(X, y):
        for column in GROUPS:
            assert set(X[column].iloc[test]) <= set(X[column].iloc[train])
    assert len(cv.always_train(X)) >= 6


def test_groupings_that_are_not_learned_from_are_no_features(rows):
    X, y = rows
    X = X.assign(item="i" + X["item"].astype(str))
    first = MultilevelRegressor(task=GROUPS, n_groupings=1).fit(X, y)
    same = MultilevelRegressor(task="user").fit(X.drop(columns="item"), y)
    assert first.groupings_ == ["user"]
    np.testing.assert_array_equal(first.common_coef_, same.common_coef_)
    again = pickle.loads(pickle.dumps(first))
    np.testing.assert_array_equal(again.predict(X), same.predict(X.drop(columns="item")))
