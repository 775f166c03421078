"""A task column survives scikit-learn's tools, persistence and display."""

import pickle
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn import set_config
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import StackingClassifier, StackingRegressor
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import (
    GridSearchCV,
    cross_val_predict,
    cross_val_score,
    learning_curve,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import polytask
from polytask.model_selection import TaskKFold
from polytask.models import estimators
from tests.models.helpers import OPTIMA, ROLES, long_table

EVERY = pytest.mark.parametrize(
    "name", [s + r for s in OPTIMA for r in ROLES if s + r in estimators()]
)
STRENGTHS = {"alpha": [0.01, 1.0]}


def frame_for(name: str) -> tuple[pd.DataFrame, np.ndarray]:
    Z, y = long_table(name.removeprefix(name[: name.index("Regr" if "Regr" in name else "Class")]))
    frame = pd.DataFrame(Z[:, 1:], columns=["u", "v", "w", "z"])
    kind = np.where(frame["z"] > 0, "red", "blue")
    task = np.array(["north", "south", "east", "west"])[Z[:, 0].astype(int)]
    return frame.assign(z=kind, school=task), y


def prepared(name: str, **options: Any) -> Pipeline:
    columns = ColumnTransformer(
        [
            ("numbers", StandardScaler(), ["u", "v", "w"]),
            ("words", OneHotEncoder(sparse_output=False, drop="first"), ["z"]),
            ("task", "passthrough", ["school"]),
        ],
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    if name.startswith("ProjectedMean"):
        options = {"n_components": 2, **options}  # not searched for in every fold
    return make_pipeline(columns, getattr(polytask, name)(0.1, task="school", **options))


@EVERY
def test_pipeline_with_columns(name: str) -> None:
    X, y = frame_for(name)
    model = prepared(name).fit(X, y)
    assert model[-1].tasks_.tolist() == ["east", "north", "south", "west"]
    assert model[-1].feature_names_in_.tolist() == ["u", "v", "w", "z_red", "school"]
    assert model.predict(X).shape == y.shape
    assert model.score(X, y) > 0.3


@EVERY
def test_grid_search(name: str) -> None:
    X, y = frame_for(name)
    step = f"{name.lower()}__alpha"
    scoring = "r2" if "Regressor" in name else "roc_auc"
    grid = {step: [0.01, 1.0]}
    for cv in (3, TaskKFold(3, task="school")):
        search = GridSearchCV(prepared(name, unseen="common"), grid, scoring=scoring, cv=cv)
        search.fit(X, y)
        assert search.best_params_[step] in grid[step]
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()
        assert search.predict(X).shape == y.shape


@EVERY
def test_cross_validation(name: str) -> None:
    X, y = frame_for(name)
    model, cv = prepared(name), TaskKFold(3, task="school")
    scores = cross_val_score(model, X, y, cv=cv)
    assert scores.shape == (3,)
    assert np.isfinite(scores).all()
    predicted = cross_val_predict(model, X, y, cv=cv)
    assert predicted.shape == y.shape
    if "Classifier" in name:
        p = cross_val_predict(model, X, y, cv=cv, method="predict_proba")
        np.testing.assert_allclose(p.sum(axis=1), 1.0)
    model.set_params(**{f"{name.lower()}__unseen": "common"})
    sizes, train, test = learning_curve(model, X, y, cv=3, train_sizes=[0.6, 1.0])
    assert train.shape == test.shape == (2, 3)
    assert sizes[1] > sizes[0]


@EVERY
def test_permutation_importance(name: str) -> None:
    """The task column is a feature like any other: shuffling it costs where tasks differ."""
    X, y = frame_for(name)
    found = permutation_importance(prepared(name).fit(X, y), X, y, n_repeats=2, random_state=0)
    assert found.importances_mean.shape == (5,)
    assert found.importances_mean.max() > 0
    if name.startswith("Pooled"):
        assert found.importances_mean[-1] == 0


@pytest.mark.parametrize(
    "stems",
    [
        pytest.param(["SingleTask", "MeanRegularized", "LowRank", "JointFeatures"], id="some"),
        pytest.param(OPTIMA, id="all", marks=pytest.mark.slow),
    ],
)
def test_stacking(stems: list[str]) -> None:
    X, y = frame_for("PooledRegressor")
    parts = [(s, prepared(s + "Regressor", unseen="common")) for s in stems]
    stack = StackingRegressor(parts, LinearRegression(), cv=TaskKFold(3, task="school")).fit(X, y)
    assert stack.score(X, y) > 0.5
    X, y = frame_for("PooledClassifier")
    known = [s for s in stems if f"{s}Classifier" in estimators()]
    parts = [(s, prepared(s + "Classifier", unseen="common")) for s in known]
    stack = StackingClassifier(parts, cv=TaskKFold(3, task="school")).fit(X, y)
    assert stack.score(X, y) > 0.5


@EVERY
def test_clone(name: str) -> None:
    Model = getattr(polytask, name)
    options = {"task": "school", "tol": 1e-6, "unseen": "common"}
    alpha = np.array([0.1, 0.2, 0.3]) if name.startswith("Mean") else 0.1
    model = Model(alpha, **options)
    copy = clone(model)
    for parameter, value in model.get_params().items():
        assert copy.get_params()[parameter] is value or np.array_equal(
            copy.get_params()[parameter], value
        )
    X, y = frame_for(name)
    fitted = Model(0.1, task="school").fit(X[["u", "v", "w", "school"]], y)
    assert not hasattr(clone(fitted), "coef_")


def answer(model: Any, X: pd.DataFrame) -> np.ndarray:
    return model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)


@EVERY
def test_pickle_and_joblib(name: str, tmp_path: Path) -> None:
    X, y = frame_for(name)
    model = prepared(name).fit(X, y)
    joblib.dump(model, tmp_path / "model.joblib")
    for again in (pickle.loads(pickle.dumps(model)), joblib.load(tmp_path / "model.joblib")):
        np.testing.assert_array_equal(answer(again, X), answer(model, X))


def is_slow(name: str) -> bool:
    return name.endswith("Classifier") and name != "MeanRegularizedClassifier"


SEARCHED = [  # what a search leaves is of the same types as in regressors
    pytest.param(name, "cv", marks=pytest.mark.slow if is_slow(name) else ())
    for name in EVERY.args[1]
]


@pytest.mark.parametrize(("name", "alpha"), [*((name, 0.1) for name in EVERY.args[1]), *SEARCHED])
def test_skops(name: str, alpha: Any) -> None:
    X, y = frame_for(name)
    X = X[["u", "v", "w", "school"]]
    model = getattr(polytask, name)(alpha, task="school").fit(X, y)
    kept = skops.io.dumps(model)
    untrusted = skops.io.get_untrusted_types(data=kept)
    assert set(untrusted) <= set(polytask.TRUSTED_TYPES)
    with pytest.raises(TypeError, match=r"[Uu]ntrusted"):
        skops.io.loads(kept)
    again = skops.io.loads(kept, trusted=polytask.TRUSTED_TYPES)
    np.testing.assert_array_equal(answer(again, X), answer(model, X))
    np.testing.assert_array_equal(again.tasks_, model.tasks_)
    assert again.get_params().keys() == model.get_params().keys()


def test_trusted_types_name_every_estimator() -> None:
    from polytask.models import estimators

    names = {f"{c.__module__}.{c.__qualname__}" for c in estimators().values()}
    assert names <= set(polytask.TRUSTED_TYPES)
    assert all(name.startswith("polytask.") for name in polytask.TRUSTED_TYPES)


@EVERY
def test_display(name: str) -> None:
    model = getattr(polytask, name)(task="school")
    assert repr(model) == f"{name}(task='school')"
    assert name in model._repr_html_()
    X, y = frame_for(name)
    fitted = model.set_params(alpha=0.1).fit(X[["u", "v", "w", "school"]], y)
    assert "Fitted" in fitted._repr_html_()


@EVERY
def test_names_of_features_are_compared(name: str) -> None:
    X, y = frame_for(name)
    X = X[["u", "v", "w", "school"]]
    model = getattr(polytask, name)(0.1, task="school").fit(X, y)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(X[["v", "u", "w", "school"]])
    with pytest.raises(ValueError, match="Feature names unseen at fit time"):
        model.predict(X.rename(columns={"u": "other"}))


def test_global_output_setting_changes_nothing() -> None:
    X, y = frame_for("PooledRegressor")
    plain = prepared("MeanRegularizedRegressor").fit(X, y).predict(X)
    set_config(transform_output="pandas")
    try:
        again = prepared("MeanRegularizedRegressor").fit(X, y).predict(X)
    finally:
        set_config(transform_output="default")
    np.testing.assert_array_equal(plain, again)


def test_wide_target_in_cross_validation() -> None:
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(40, 3)), rng.normal(size=(40, 3))
    Y[rng.random(Y.shape) < 0.2] = np.nan
    model = polytask.MeanRegularizedRegressor(0.1)
    assert cross_val_predict(model, X, Y, cv=4).shape == (40, 3)
    assert np.isfinite(cross_val_score(model, X, Y, cv=4)).all()
    search = GridSearchCV(model, STRENGTHS, cv=4).fit(X, Y)
    assert search.best_estimator_.coef_.shape == (3, 3)
