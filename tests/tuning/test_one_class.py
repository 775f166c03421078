"""Held-out rows of tasks of one class."""

import numpy as np
import pytest
from sklearn.metrics import log_loss

import polytask
from polytask.data import Rows, make_task_data
from polytask.responses import Logistic, Squared
from polytask.tuning import judged_labels

BASE = log_loss([1] + 9 * [0], np.full(10, 0.1))


def of_tasks(labels, weight=None, order=None, copies=1):
    """Data whose task i has the labels labels[i], with features drawn for every so many copies."""
    code = np.repeat(np.arange(len(labels)), [len(of) for of in labels])
    y = np.concatenate(labels).astype(float)
    n = len(y) if np.isscalar(copies) else len(copies)
    X = np.repeat(np.random.default_rng(0).normal(size=(n, 2)), copies, axis=0)
    order = np.arange(len(y)) if order is None else order
    model = polytask.MeanRegularizedClassifier(task="task", task_weight="equal")
    weight = None if weight is None else np.asarray(weight, dtype=float)[order]
    return make_task_data(model, Rows(X[order], code[order]), y[order], None, weight)


def test_what_is_lacking_is_spread_over_the_tasks_of_one_class():
    labels = [[0, 0, 0, 0, 0]] * 8 + [[1, 1, 0, 0, 0]] * 2 + [[1]]
    y = judged_labels(of_tasks(labels), Logistic())
    np.testing.assert_allclose(y[:40], 2 / 40)
    np.testing.assert_array_equal(y[40:], [1, 1, 0, 0, 0] * 2 + [1])


def test_a_singleton_is_one_of_the_two():
    labels = [[0, 0, 0, 0, 0]] * 8 + [[1, 0, 0, 0, 0], [1, 1, 1, 0, 0]]
    np.testing.assert_allclose(judged_labels(of_tasks(labels), Logistic())[:40], 1 / 40)
    labels = [[0, 0, 0, 0, 0]] * 8 + [[1, 0, 0, 0, 0], [1, 0, 0, 0, 0]]
    data = of_tasks(labels)
    np.testing.assert_array_equal(judged_labels(data, Logistic()), data.y)


def test_a_task_lacks_no_more_than_half_a_row_and_the_common_rate():
    few = [[0, 0, 0]] + [[1, 1, 0, 0]] * 3
    np.testing.assert_allclose(judged_labels(of_tasks(few), Logistic())[:3], 0.5 / 4)
    rare = [[0, 0]] * 2 + [[0] * 98 + [1] * 2]
    rate = (2 / 100) / 3  # tasks weigh alike
    np.testing.assert_allclose(judged_labels(of_tasks(rare), Logistic())[:4], rate)


def test_both_classes_alike():
    labels = [[0, 0, 0, 0]] * 5 + [[1, 1, 0, 0]] * 2 + [[1, 1, 1]] * 2
    turned = [[1 - label for label in of] for of in labels]
    y = judged_labels(of_tasks(labels), Logistic())
    np.testing.assert_allclose(judged_labels(of_tasks(turned), Logistic()), 1 - y)


def test_numbers_stay_as_they_are():
    data = of_tasks([[0, 0, 0], [1, 1, 0, 0]])
    assert judged_labels(data, Squared()) is data.y


def test_weights_count_rows_and_their_order_does_not_matter():
    labels = [[0, 0], [0, 0, 0], [1, 1, 0], [1, 0, 0]]
    times = np.array([1, 2, 1, 1, 3, 2, 1, 1, 2, 1, 1])
    flat = [
        list(np.repeat(of, t)) for of, t in zip(labels, np.split(times, [2, 5, 8]), strict=True)
    ]
    weighted = judged_labels(of_tasks(labels, times), Logistic())
    repeated = judged_labels(of_tasks(flat, copies=times), Logistic())
    np.testing.assert_allclose(np.repeat(weighted, times), repeated)
    order = np.random.default_rng(1).permutation(11)
    mixed = of_tasks(labels, times, order)
    np.testing.assert_allclose(judged_labels(mixed, Logistic()), weighted[order][mixed.row])


@pytest.mark.parametrize("stem", ["SingleTask", "TaskIntercept", "MeanRegularized", "LowRank"])
def test_levels_stay_where_no_held_out_row_speaks_for_them(stem):
    """Two tasks hold two positive rows each, eight none: levels went to minus infinity."""
    rng = np.random.default_rng(0)
    code = np.repeat(np.arange(10), 5)
    X = np.column_stack([rng.normal(size=(50, 4)), code])
    y = np.zeros(50, dtype=int)
    y[[0, 1, 5, 6]] = 1
    model = getattr(polytask, f"{stem}Classifier")(task=4).fit(X, y)
    new = np.column_stack([rng.normal(size=(2000, 4)), np.tile(np.arange(10), 200)])
    p = model.predict_proba(new)[:, 1]
    risk = -(0.1 * np.log(p) + 0.9 * np.log1p(-p)).mean()  # a tenth positive in every task
    assert risk < 1.35 * BASE
