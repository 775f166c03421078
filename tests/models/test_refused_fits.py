"""A fit that fails changes nothing: none stays none, and an old answer stays whole."""

import copy
import inspect
import re
from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

import polytask
from polytask.models.boosted_trees import BoostedTreesClassifier, BoostedTreesRegressor
from polytask.models.registry import NEURAL_ESTIMATORS

TREES = (BoostedTreesRegressor, BoostedTreesClassifier)
PUBLIC = {name: getattr(polytask, name) for name in dir(polytask) if name not in NEURAL_ESTIMATORS}
MODELS = {name: found for name, found in PUBLIC.items() if hasattr(found, "predict")}
MODELS |= {Model.__name__: Model for Model in TREES}
NO_QUESTION = re.compile(r"_.*|set_.*|get_(?!feature).*|fit.*|partial_fit|takes_loss|left_out_of")


def make(name: str):
    if name in NEURAL_ESTIMATORS:
        neural = pytest.importorskip("polytask.neural")
        return getattr(neural, name)((3,), task="school", max_iter=2, random_state=0)
    if "estimator" in inspect.signature(MODELS[name]).parameters:
        return MODELS[name](MODELS["MeanRegularizedRegressor"](0.1, task="school"))
    return MODELS[name](task="school")


def table(name: str, low: str = "no", high: str = "yes") -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(60, 3)), columns=list("abc"))
    X["school"] = np.repeat(["A", "B", "C"], 20)
    y = X["a"].to_numpy() + rng.normal(size=60)
    if name.endswith("Survival"):
        return X, np.column_stack([np.exp(y), np.arange(60) % 4 > 0])
    return X, np.where(y > 0, high, low) if name.endswith("Classifier") else y


def questions(model, X: pd.DataFrame, y: np.ndarray):
    """Every public method that answers from a fit, called."""
    known = {"X": X, "y": y, "times": [1.0], "x": [0.0], "feature": "a", "levels": [0.5]}
    for ask in dir(model):
        if NO_QUESTION.fullmatch(ask) or not callable(getattr(model, ask, None)):
            continue
        method = getattr(model, ask)
        wanted = inspect.signature(method).parameters.values()
        given = {p.name: known[p.name] for p in wanted if p.default is p.empty and p.name in known}
        yield ask, partial(method, **given)


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
        X.assign(d=0.0), np.full(y.shape, np.nan) if y.dtype.kind == "f" else np.full(60, "yes")
    ),
    "a missing target": lambda X, y: (
        X.assign(d=0.0), np.array([np.full(y.shape[1:], None), *y[1:]], dtype=object)
    ),
}  # fmt: skip


def hostile_cases(name: str) -> list[str]:
    return [case for case in HOSTILE if not (name.startswith("Boosted") and "empty" in case)]


@EVERY
def test_no_answer_before_a_first_fit_nor_after_a_failed_one(name: str) -> None:
    X, y = table(name)
    for case in [None, *hostile_cases(name)]:
        model = make(name)
        if case is not None:
            with pytest.raises((ValueError, TypeError)):
                model.fit(*HOSTILE[case](X, y))
        assert vars(model).keys() == vars(make(name)).keys(), case
        asked = []
        for ask, answer in questions(model, X, y):
            asked.append(ask)
            with pytest.raises(NotFittedError):
                answer()
        assert "predict" in asked


LONG = ("AutoMultiTask", "Curved", "SharedTrees")  # a fit of seconds


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow if name.startswith(LONG) else ())
        for name in (*MODELS, *NEURAL_ESTIMATORS)
    ],
)
def test_a_refused_refit_leaves_the_old_answer_whole(name: str) -> None:
    X, y = table(name)
    model = make(name)
    if name.endswith("Classifier") and "alpha" in model.get_params():
        model.set_params(alpha=0.1)  # regressors choose theirs
    model.fit(X, y)
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
