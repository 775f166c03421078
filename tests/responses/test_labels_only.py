"""What is done for labels is done to labels only."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from polytask.data import Rows, TaskData, make_task_data
from polytask.responses import Logistic, Response
from polytask.tuning import few_labels, judged_labels


@dataclass(frozen=True)
class Counts(Response):
    """Targets that happen to hold zeros and ones, and are no labels."""

    name = "counts"


def of_two_tasks(y: list[float]) -> TaskData:
    owner = SimpleNamespace(fit_intercept=True, task_weight="equal")
    rows = Rows(np.ones((len(y), 1)), np.repeat([0, 1], len(y) // 2))
    return make_task_data(owner, rows, np.array(y), None, None)


def test_counts_are_judged_as_they_are() -> None:
    data = of_two_tasks([2, 5, 3, 4, 0, 1, 7, 2])
    np.testing.assert_array_equal(judged_labels(data, Counts()), data.y)
    assert not few_labels(data, Counts())


def test_labels_of_one_class_are_judged_as_nearly_so() -> None:
    data = of_two_tasks([1, 1, 1, 1, 0, 1, 0, 1])
    assert (judged_labels(data, Logistic())[:4] < 1).all()
    assert few_labels(data, Logistic())
