"""Responses by name."""

import pytest

from polytask import MeanRegularizedClassifier, MeanRegularizedRegressor
from polytask.responses import Huber, Poisson, find_response


def test_names_take_parameters_in_brackets() -> None:
    assert find_response("M", "huber", has_labels=False) == Huber()
    assert find_response("M", "huber(2, 0.5)", has_labels=False) == Huber(2.0, 0.5)
    assert find_response("M", Poisson(), has_labels=False) == Poisson()


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        ("hubert", "loss must be one of .*'huber'.*got 'hubert'"),
        ("logistic", "'logistic', which is for the classifier"),
        ("huber(a)", "must give numbers in its brackets; huber takes delta, scale"),
        ("huber(1, 2, 3)", "must give numbers in its brackets"),
        ("poisson(1)", "poisson takes none"),
    ],
)
def test_other_names_are_refused_at_fit(loss: str, message: str) -> None:
    model = MeanRegularizedRegressor(loss=loss)
    with pytest.raises(ValueError, match=message):
        model.fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 1.0])


def test_a_classifier_takes_no_loss_of_numbers() -> None:
    with pytest.raises(ValueError, match="'squared', which is for the regressor"):
        MeanRegularizedClassifier(loss="squared").fit([[0.0], [1.0], [2.0]], [0, 1, 1])


def test_a_threshold_must_be_positive() -> None:
    with pytest.raises(ValueError, match="Huber: delta must be positive; got 0"):
        Huber(0)
