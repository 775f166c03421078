"""The learning curve: nested training rows, one test set, answers that stay inside the data."""

from __future__ import annotations

import json

import numpy as np
import pytest

from polytask.datasets import make_independent_tasks, make_related_tasks
from polytask.inspection import TaskLearningCurve
from polytask.inspection.equivalence import equal_rows
from polytask.inspection.learning_curve import _folds, _points
from polytask.inspection.sample import read_sample
from polytask.responses import Squared
from tests.inspection.helpers import TaskMean, table


def curve(make, rows=(5, 20, 80), n=110, **options):
    X, y, _ = make(14, 5, n, noise=1.0, random_state=0, **options)
    return TaskLearningCurve.from_data(None, X, y, task="task", rows=rows, n_repeats=2)


def test_training_rows_are_nested_and_the_test_rows_are_the_same():
    X, y = table(m=4, n=30)
    sample = read_sample(X, y, "task", Squared())
    folds, tested = _folds(sample, np.array([3, 10, 20]), 2, 0)
    assert len(folds) == 6
    assert sorted(tested) == [0, 1, 2, 3]
    for small, middle, large in (folds[:3], folds[3:]):
        assert set(small.train) < set(middle.train) < set(large.train)
        assert np.array_equal(small.test, large.test)
        assert np.bincount(sample.codes[small.train]).tolist() == [3] * 4
        assert not set(large.train) & set(large.test)
    assert not np.array_equal(folds[0].test, folds[3].test)


def test_short_tasks_train_but_are_not_tested():
    X, y, _ = make_related_tasks(8, 2, (3, 40), random_state=0)
    sample = read_sample(X, y, "task", Squared())
    folds, tested = _folds(sample, np.array([4, 20]), 1, 0)
    assert set(sample.codes[folds[1].test]) == set(tested)
    assert (sample.rows[tested] >= 22).all()
    assert len(set(sample.codes[folds[1].train])) == 8


def test_points_leave_rows_for_testing():
    X, y = table(m=4, n=30)
    points = _points(read_sample(X, y, "task", Squared()), None)
    assert points[0] == 5
    assert points[-1] == 24
    assert len(points) == 6


def test_equal_rows_on_the_logarithmic_axis():
    points = np.array([10, 100])
    assert equal_rows(np.array([2.0, 1.0]), points, 1.5) == pytest.approx(np.sqrt(1000))
    assert equal_rows(np.array([2.0, 1.0]), points, 1.0) == pytest.approx(100)
    assert equal_rows(np.array([2.0, 1.0]), points, 2.0) == pytest.approx(10)
    assert equal_rows(np.array([2.0, 1.0]), points, 0.9) == np.inf
    assert equal_rows(np.array([2.0, 1.0]), points, 2.1) == 0
    # a bump upwards is chance: more rows do not hurt
    bump = np.array([3.0, 1.0, 2.0])
    assert equal_rows(bump, np.array([10, 20, 40]), 1.0) == pytest.approx(20)


def test_related_tasks_save_rows_and_the_answer_stays_in_range():
    found = curve(make_related_tasks, deviation=0.8)
    mine = found.equivalence[found.equivalence["name"] == "mean-regularized"]
    first = mine.iloc[0]
    assert first["equal_rows"] > 1.3 * first["rows"]
    assert first["low"] <= first["equal_rows"] <= first["high"]
    assert found.text.startswith("Mean-regularized at ")
    assert "rows per task has" in found.text
    known = found.equivalence["equal_rows"].dropna()
    assert known.between(5, 80).all()
    assert (found.equivalence["equal_rows"].isna() == (found.equivalence["beyond"] != "")).all()


def test_beyond_the_measured_range_is_said():
    found = curve(make_related_tasks, rows=(5, 8), deviation=0.2)
    assert set(found.equivalence["beyond"]) == {"above"}
    assert found.text.endswith("single-task would need more than 8.")


def test_independent_tasks_save_no_rows():
    assert "saves no rows" in curve(make_independent_tasks).text


def test_losses_fall_with_rows_and_hold_their_intervals():
    frame = curve(make_related_tasks).curve
    single = frame[frame["name"] == "single-task"]
    assert (np.diff(single["loss"]) < 0).all()
    assert (frame["low"] <= frame["loss"]).all()
    assert (frame["loss"] <= frame["high"]).all()
    assert (single["gain"] == 0).all()


def test_classes_and_reproducibility():
    X, y, _ = make_related_tasks(8, 3, 40, classification=True, random_state=0)
    options = {"task": "task", "rows": (8, 25), "n_repeats": 1}
    first = TaskLearningCurve.from_data(None, X, y, **options)
    again = TaskLearningCurve.from_data(None, X, y, **options)
    assert first.loss_title == "log loss"
    assert first.curve.equals(again.curve)
    json.dumps(first.to_dict(), allow_nan=False)


def test_a_model_that_fails_is_named_and_a_baseline_that_fails_refused():
    X, y = table(m=6, n=30)
    models = {"single-task": TaskMean("task"), "broken": TaskMean("task", fail_on=-np.inf)}
    found = TaskLearningCurve.from_data(models, X, y, task="task", rows=(4, 9), n_repeats=1)
    assert "cannot be fitted" in found.failed["broken"]
    assert found.text == "There is no second model to compare with."
    with pytest.raises(ValueError, match="broken failed"):
        TaskLearningCurve.from_data(
            models, X, y, task="task", rows=(4, 9), n_repeats=1, baseline="broken"
        )


@pytest.mark.parametrize(
    ("rows", "message"),
    [((5,), "at least two different"), ((1, 5), "each at least 2"), ((5, 29), "must leave 2 rows")],
)
def test_impossible_rows_are_named(rows, message):
    X, y = table(m=4, n=30)
    with pytest.raises(ValueError, match=message):
        TaskLearningCurve.from_data(None, X, y, task="task", rows=rows)


def test_tasks_that_are_too_small_are_named():
    X, y = table(m=4, n=6)
    with pytest.raises(ValueError, match="at least 9 rows"):
        TaskLearningCurve.from_data(None, X, y, task="task")
