"""A fit that fails changes nothing: none stays none, and an old answer stays whole."""

import copy

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from polytask.models.boosted_trees import BoostedTreesClassifier, BoostedTreesRegressor
from polytask.models.registry import NEURAL_ESTIMATORS, estimators

TREES = (BoostedTreesRegressor, BoostedTreesClassifier)
MODELS = {**estimators(), **{Model.__name__: Model for Model in TREES}}
ASKS = (
    "predict", "predict_proba", "decision_function", "transform", "hidden_features",
    "coef_interval", "score", "score_tasks", "add_task",
)  # fmt: skip


def make(name: str):
    if name in NEURAL_ESTIMATORS:
        neural = pytest.importorskip("polytask.neural")
        return getattr(neural, name)((3,), task="school", max_iter=2, random_state=0)
    return MODELS[name](task="school")


def table(name: str, low: str = "no", high: str = "yes") -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(60, 3)), columns=list("abc"))
    X["school"] = np.repeat(["A", "B", "C"], 20)
    y = X["a"].to_numpy() + rng.normal(size=60)
    return X, y if name.endswith("Regressor") else np.where(y > 0, high, low)


EVERY = pytest.mark.parametrize("name", [*MODELS, *NEURAL_ESTIMATORS])
HOSTILE = {
    "an empty cell": lambda X, y: (X.assign(a=np.where(X.index == 3, np.nan, X["a"])), y),
    "an infinite cell": lambda X, y: (X.assign(a=np.where(X.index == 3, np.inf, X["a"])), y),
    "other names, a task missing": lambda X, y: (
        X.rename(columns={"a": "z"}).assign(school=[None, *X["school"][1:]]), y
    ),
    "other names, one y too few": lambda X, y: (X.rename(columns={"a": "z"}), y[:-1]),
    "no task column": lambda X, y: (X.drop(columns="school"), y),
    "one class or none": lambda X, y: (
        X.assign(d=0.0), np.full(60, np.nan) if y.dtype.kind == "f" else np.full(60, "yes")
    ),
    "a missing target": lambda X, y: (X.assign(d=0.0), np.array([None, *y[1:]], dtype=object)),
}  # fmt: skip


def hostile_cases(name: str) -> list[str]:
    return [case for case in HOSTILE if not (name.startswith("Boosted") and "empty" in case)]


@EVERY
def test_no_answer_before_a_first_fit_nor_after_a_failed_one(name: str) -> None:
    X, y = table(name)
    arguments = {"coef_interval": (), "score": (X, y), "score_tasks": (X, y), "add_task": (X, y)}
    for case in [None, *hostile_cases(name)]:
        model = make(name)
        if case is not None:
            with pytest.raises((ValueError, TypeError)):
                model.fit(*HOSTILE[case](X, y))
        assert vars(model) == vars(make(name)), case
        for ask in ASKS:
            if hasattr(model, ask):
                with pytest.raises(NotFittedError):
                    getattr(model, ask)(*arguments.get(ask, (X,)))


@EVERY
def test_a_refused_refit_leaves_the_old_answer_whole(name: str) -> None:
    X, y = table(name)
    model = make(name).fit(X, y)
    before, answers = copy.deepcopy(vars(model)), model.predict(X)
    for case in hostile_cases(name):
        for weights in ({}, {"sample_weight": np.full(60, -1.0)}):
            with pytest.raises((ValueError, TypeError)):
                model.fit(*HOSTILE[case](*table(name, "B", "D")), **weights)
            assert vars(model).keys() == before.keys(), case
            for key in vars(model).keys() & {"classes_", "tasks_", "coef_", "feature_names_in_"}:
                np.testing.assert_array_equal(vars(model)[key], before[key])
            np.testing.assert_array_equal(model.predict(X), answers)


def test_an_interrupted_fit_leaves_the_old_answer_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = table("MeanRegularizedClassifier")
    model = make("MeanRegularizedClassifier").fit(X, y)
    answers = model.predict(X)

    def interrupt(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(model, "_check_data", interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.fit(*table("MeanRegularizedClassifier", "B", "D"))
    np.testing.assert_array_equal(model.predict(X), answers)


@pytest.mark.parametrize("name", ["MeanRegularizedRegressor", "SharedHiddenLayerRegressor"])
def test_a_refused_batch_leaves_what_earlier_batches_taught(name: str) -> None:
    X, y = table(name)
    model = make(name).partial_fit(X, y)
    answers = model.predict(X)
    for case in hostile_cases(name):
        with pytest.raises((ValueError, TypeError)):
            model.partial_fit(*HOSTILE[case](X, y))
    np.testing.assert_array_equal(model.predict(X), answers)


def test_a_task_that_cannot_be_added_leaves_no_trace() -> None:
    X, y = table("MeanRegularizedRegressor")
    model = make("MeanRegularizedRegressor").fit(X, y)
    new = X.assign(school=np.where(X.index < 30, "D", "A"))
    with pytest.raises(ValueError, match="not in training"):
        model.add_task(new, y)
    assert model.tasks_.tolist() == ["A", "B", "C"]
    assert model.coef_.shape == (3, 3)


@pytest.mark.parametrize("name", ["MeanRegularizedRegressor", "SharedHiddenLayerRegressor"])
def test_a_warning_still_names_the_callers_line(name: str) -> None:
    X, y = table(name)
    model = make(name).set_params(max_iter=1)
    if "Hidden" in name:
        model.set_params(early_stopping=False)
    else:
        model.fit(X, y)  # keeps no moments, of which partial_fit warns
    with pytest.warns() as caught:
        model.fit(X, y) if "Hidden" in name else model.partial_fit(X, y)
    assert {warning.filename for warning in caught} == {__file__}
