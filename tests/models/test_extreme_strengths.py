"""Strengths far below and far above the data: the limits of every model, certified."""

from functools import cache

import numpy as np
import pytest

from polytask import SingleTaskClassifier, SingleTaskRegressor
from polytask.models import formulations
from tests.models.helpers import ROLES

CHOSEN_OTHERWISE = ("auto", "shared-trees", "curved", "multilevel")
SHARED = ("pooled", "task-intercept")  # one set of slopes, whatever the strength
LIMITED = ("projected-mean-regularized", "projected-low-rank", "sparse-limited-trace")
MODELS = {name: found for name, found in formulations().items() if name not in CHOSEN_OTHERWISE}
TINY = [1e-300, 1e-60, 1e-12]


def table():
    """Four tasks, columns of their own sizes; labels that nothing separates."""
    rng = np.random.default_rng(123)
    code = np.repeat(np.arange(4), 60)
    X = rng.normal(size=(240, 5)) * [1, 2, 0.5, 1, 3] + [0, 4, 0, -1, 2]
    W = rng.normal(size=5) + 0.4 * rng.normal(size=(4, 5))
    y = (X * W[code]).sum(axis=1) + code + rng.normal(size=240)
    labels = (y - y.mean() + 8 * rng.normal(size=240) > 0).astype(int)
    return np.column_stack([code, X]), {"Regressor": y, "Classifier": labels}


def fitted(name, role, strength, **more):
    """A model with every strength at a number, and what it was fitted to."""
    found = MODELS[name]
    Model = found.regressor if role == "Regressor" else found.classifier
    Z, targets = table()
    names = [n for n in Model().get_params() if n.startswith("alpha")]
    return Model(**dict.fromkeys(names, strength), task=0, **more).fit(Z, targets[role]), Z, targets


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    "name", [n for n in MODELS if n not in (*SHARED, *LIMITED, "concave-fused", "fused")]
)
def test_next_to_no_strength_is_single_task_without_any(name, role):
    if role == "Classifier" and MODELS[name].classifier is None:
        pytest.skip("a regression only")
    model, Z, targets = fitted(name, role, 1e-300)
    single = {"Regressor": SingleTaskRegressor, "Classifier": SingleTaskClassifier}[role]
    alone = single(0.0, alpha_intercept=0.0, task=0).fit(Z, targets[role])
    assert model.status_ == "solved"
    near = np.abs(model._linear_predictor(Z) - alone._linear_predictor(Z)).max()
    assert near < 0.02 * np.std(targets["Regressor"])


@pytest.mark.slow
@pytest.mark.parametrize("strength", [*TINY, 1e12, 1e60, 1e300])
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", MODELS)
def test_every_strength_is_solved_without_overflow(name, role, strength):
    if role == "Classifier" and MODELS[name].classifier is None:
        pytest.skip("a regression only")
    model, Z, _ = fitted(name, role, strength)
    assert model.status_ == "solved"
    assert np.isfinite(model.predict(Z)).all()
    assert np.isfinite(model.objective_)


@pytest.mark.parametrize("name", ["graph-regularized", "mean-regularized", "task-clusters"])
@pytest.mark.parametrize("role", ROLES)
def test_more_than_all_strength_is_no_more(name, role):
    """Pulls of 1e60 lost the data in rounding, and zero was called the optimum."""
    found = MODELS[name]
    Model = found.regressor if role == "Regressor" else found.classifier
    Z, targets = table()
    models = [Model(a, task=0).fit(Z, targets[role]) for a in (1e6, 1e60, 1e300)]
    answers = [model._linear_predictor(Z) for model in models]
    assert all(model.status_ == "solved" for model in models)
    assert np.std(answers[0]) > 0.1 or name == "task-clusters"
    for other in answers[1:]:
        np.testing.assert_allclose(other, answers[0], atol=1e-4 * np.std(targets["Regressor"]))


SIZED = ("single-task", "mean-regularized", "low-rank", "lasso", "calibrated-features", "dirty")


@cache
def in_its_own_unit(name):
    Z, targets = table()
    return MODELS[name].regressor(task=0).fit(Z, targets["Regressor"])


BETWEEN = (pytest.param(unit, marks=pytest.mark.slow) for unit in (1e-60, 1e60))


@pytest.mark.parametrize("unit", [1e-150, 1e3, 1e150, *BETWEEN])
@pytest.mark.parametrize("name", SIZED)
def test_the_unit_of_the_target_is_none_of_the_answer(name, unit):
    """Strengths of levels were in other units than roots; of 1e-30 rows were lost."""
    if abs(np.log10(unit)) > 3 and name == "dirty":
        pytest.skip("as slow as the others together")
    Z, targets = table()
    y = targets["Regressor"]
    one, other = in_its_own_unit(name), MODELS[name].regressor(task=0).fit(Z, y * unit)
    assert other.status_ == "solved"
    np.testing.assert_allclose(other.predict(Z) / unit, one.predict(Z), atol=1e-4 * y.std())


@pytest.mark.parametrize("unit", [1e-300, 1e200])
@pytest.mark.parametrize("name", ["pooled", "low-rank", "multilevel", "shared-trees", "fused"])
def test_targets_whose_squares_are_no_numbers_are_refused(name, unit):
    """They were predicted as zero and called solved, or ended in LinAlgError."""
    Z, targets = table()
    with pytest.raises(ValueError, match=r"y must be of a size between .* Divide it by its"):
        formulations()[name].regressor(task=0).fit(Z, targets["Regressor"] * unit)


@pytest.mark.parametrize("strength", [1e-13, 1e-11, 3e-11, 1e-9])
@pytest.mark.parametrize("name", ["temporal-features", "concave-fused"])
def test_between_next_to_none_and_little_classifiers_are_solved(name, strength):
    """At 1e-11 the squares ended as if there was no norm, and the certificate as if there was."""
    model, Z, targets = fitted(name, "Classifier", strength)
    assert model.status_ == "solved"
    alone = SingleTaskClassifier(0.0, alpha_intercept=0.0, task=0).fit(Z, targets["Classifier"])
    near = np.abs(model._linear_predictor(Z) - alone._linear_predictor(Z)).max()
    assert near < 0.02 * np.std(alone._linear_predictor(Z))
