"""scikit-learn's own checks on every estimator, as one task and with a task column."""

import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from sklearn.base import BaseEstimator
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from polytask import MeanRegularizedRegressor
from polytask.mixed.doubts import DoubtWarning
from polytask.models import estimators
from polytask.responses import responses

SLOW = (
    "LowRank",
    "JointFeatures",
    "Projected",
    "AutoMultiTask",
    "Curved",
    "SharedTrees",
)  # all others, new ones too, are core


def given(Model: type, **more: Any) -> Any:
    """Strengths that are given: no check then waits for a search."""
    declared = [strength.name for strength in getattr(Model, "strengths", ())]
    # A concave price of next to nothing leaves tasks of few rows next to no optimum to arrive at;
    # one of 0.1 on differences and levels, too, leaves no coefficient that differs between tasks.
    first = 0.1 if Model.__name__.startswith("Concave") else 1e-3
    others = 1e-3 if Model.__name__.startswith("ConcaveFused") else first
    said = {name: others for name in declared if name.startswith("alpha")}
    # Shared features that cost no more than own ones leave rows of a wide table many optima, all
    # of one objective: no two fits need agree on tasks that they have not seen.
    first = 3e-3 if Model.__name__.startswith("DirtyTasks") else first
    said |= {"alpha": first} if "alpha" in said else {}
    said |= {name: 1 for name in declared if name not in said}  # limits
    if Model.__name__.startswith(("LassoTasks", "GraphRegularized")):
        said["tol"] = 1e-10  # weights are checked to seven digits, and a gap is an error squared
    return Model(**said, **more)


def with_column(Model: type) -> Any:
    """Column 0 of whatever the checks pass is the task."""
    return given(Model, task=0, unseen="common")


def _of_checks(estimator: BaseEstimator) -> dict[str, str]:
    """Without the task, one of the check's two features is left for its three classes."""
    blind = type(estimator).__name__ == "PooledClassifier" and estimator.task is not None
    return {"check_classifiers_train": "the task column is half of its features"} if blind else {}


def _searches_long(name: str) -> bool:
    """Classifiers search as regressors do, but by Newton steps: a second for each fit."""
    return name.endswith("Classifier") and not name.startswith("MeanRegularized")


def candidates(core: bool) -> Iterator[BaseEstimator]:
    for name, Model in estimators().items():
        if name.startswith(SLOW) != core:
            yield given(Model) if core and _searches_long(name) else Model()
            yield with_column(Model)


def that_search_long() -> Iterator[BaseEstimator]:
    for name, Model in estimators().items():
        if not name.startswith(SLOW) and _searches_long(name):
            yield Model()
    yield MeanRegularizedRegressor(loss="poisson")


NARROW = ("binomial", "ordinal")  # shares from 0 to 1, few levels: the checks' targets are others


FAST = ("poisson", "huber")  # of a link, and of none


def with_loss(fast: bool) -> Iterator[BaseEstimator]:
    """Some of the other losses; what holds of one formulation holds of the others."""
    for name, response in responses().items():
        if not response.has_labels and name not in ("squared", *NARROW) and (name in FAST) == fast:
            yield MeanRegularizedRegressor(
                0.1, alpha_intercept=0.1, loss=name, task=0, unseen="common"
            )


def _not_for(estimator: BaseEstimator) -> dict[str, str]:
    """scikit-learn's check of wide targets has negative ones, whatever the tags say."""
    signed = not get_tags(estimator).target_tags.positive_only
    return {} if signed else {"check_regressor_multioutput": "its targets are of both signs"}


def run(estimator: BaseEstimator, check: Any) -> None:
    with warnings.catch_warnings():
        if estimator.task is not None:  # the checks' column 0 holds measurements
            warnings.filterwarnings("ignore", message="The task column 0 looks continuous")
        warnings.filterwarnings("ignore", message=".*partial_fit starts anew")
        warnings.filterwarnings("ignore", category=DoubtWarning)  # a row is a task, or has no noise
        check(estimator)


@parametrize_with_checks(list(candidates(core=True)), expected_failed_checks=_of_checks)
def test_contract(estimator: BaseEstimator, check: Any) -> None:
    run(estimator, check)


@parametrize_with_checks(list(with_loss(fast=True)), expected_failed_checks=_not_for)
def test_contract_of_other_losses(estimator: BaseEstimator, check: Any) -> None:
    run(estimator, check)


@pytest.mark.slow
@parametrize_with_checks(list(with_loss(fast=False)), expected_failed_checks=_not_for)
def test_contract_of_further_losses(estimator: BaseEstimator, check: Any) -> None:
    run(estimator, check)


@pytest.mark.slow
@parametrize_with_checks(list(that_search_long()), expected_failed_checks=_not_for)
def test_contract_of_long_searches(estimator: BaseEstimator, check: Any) -> None:
    run(estimator, check)


@pytest.mark.slow
@parametrize_with_checks(list(candidates(core=False)))
def test_contract_of_iterative_estimators(estimator: BaseEstimator, check: Any) -> None:
    run(estimator, check)


def test_every_estimator_is_in_one_of_the_two() -> None:
    found = [type(e) for core in (True, False) for e in candidates(core)]
    assert {Model: found.count(Model) for Model in found} == dict.fromkeys(estimators().values(), 2)
