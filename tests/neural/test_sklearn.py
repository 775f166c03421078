"""scikit-learn's own checks; tiny networks, few steps."""

import warnings

import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import parametrize_with_checks

from polytask.neural import (
    PooledNetworkClassifier,
    PooledNetworkRegressor,
    SharedHiddenLayerClassifier,
    SharedHiddenLayerRegressor,
    SingleTaskNetworkClassifier,
    SingleTaskNetworkRegressor,
)

# All rows at once and no validation part: repeated rows must be the same as weights.
TINY = {
    "hidden_layer_sizes": (4,), "optimizer": "lbfgs", "batch_size": None, "dtype": "float64",
    "max_iter": 30, "early_stopping": False,
}  # fmt: skip
FIRST = [
    SharedHiddenLayerRegressor(**TINY),
    SharedHiddenLayerClassifier(task=0, unseen="common", **TINY),
    SingleTaskNetworkRegressor(task=0, unseen="common", **TINY),
]
THE_OTHERS = [
    SharedHiddenLayerRegressor(task=0, unseen="common", **TINY),
    SharedHiddenLayerClassifier(**TINY),
    SharedHiddenLayerRegressor(hidden_layer_sizes=(4,), learning_rate=0.03, max_iter=60),
    SingleTaskNetworkRegressor(**TINY),
    SingleTaskNetworkClassifier(**TINY),
    SingleTaskNetworkClassifier(task=0, unseen="common", **TINY),
    PooledNetworkClassifier(**TINY),
    PooledNetworkRegressor(**TINY),
    PooledNetworkRegressor(task=0, unseen="common", **TINY),
]


def run(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "The task column", UserWarning)
        check(estimator)


@parametrize_with_checks(FIRST)
def test_scikit_learn_contract(estimator, check):
    run(estimator, check)


def shuffled(estimator):
    """Adam's batches and the validation part are drawn from rows: a weight is not a repetition."""
    if getattr(estimator, "optimizer", "lbfgs") == "lbfgs":
        return {}
    reason = "batches and validation part are drawn from the rows that there are"
    names = ("dense", "sparse")
    return {f"check_sample_weight_equivalence_on_{name}_data": reason for name in names}


@pytest.mark.slow
@parametrize_with_checks(THE_OTHERS, expected_failed_checks=shuffled)
def test_scikit_learn_contract_of_the_others(estimator, check):
    run(estimator, check)
