"""Displays of what formulations with norms found: patterns of coefficients, pairs of tasks."""

from __future__ import annotations

import numpy as np
import pytest

from polytask.inspection import ClusterStability
from polytask.inspection.displays import CoefficientPatternDisplay, TaskPairsDisplay
from tests.inspection.displays.test_display_relations import plotted

W = np.array([[1.0, 0, 2, 0], [0.5, 0, 0, 0], [-1.0, 0, -4, 1], [1.0, 0, 0, 0]])
TASKS, NAMES = np.array(["a", "b", "c", "d"]), ["one", "two", "three", "four"]


class Fitted:
    """What a display reads of a fitted model."""

    task = "task"

    def __init__(self, **found: object) -> None:
        self.tasks_ = TASKS
        vars(self).update(found)


def lines(display, gid: str) -> list:
    return [line for line in display.ax_.lines if line.get_gid() == gid]


def test_cells_are_shares_of_the_features_largest_and_zeros_are_blank() -> None:
    display = plotted(CoefficientPatternDisplay(W, TASKS, NAMES))
    assert [NAMES[j] for j in display.shown_] == ["one", "three", "four", "two"]
    shown = display.ax_.images[0].get_array()
    np.testing.assert_allclose(
        shown.filled(0.0), [[1, 0.5, 0, 0], [0.5, 0, 0, 0], [-1, -1, 1, 0], [1, 0, 0, 0]]
    )
    words = [label.get_text() for label in display.ax_.get_xticklabels()]
    assert words == ["one  1", "three  4", "four  1", "two  0"]
    np.testing.assert_array_equal(np.ma.getmaskarray(shown), W[:, display.shown_] == 0)
    assert display.description == (
        "4 tasks, 4 features: 1 are kept by every task, 2 by some, 1 by none."
    )


def test_own_parts_outliers_and_changes_are_marked() -> None:
    own = np.zeros_like(W)
    own[2, 3] = 1.0
    found = {"own_coef_": own, "outlier_tasks_": np.array(["c"])}
    model = Fitted(coef_=W, change_points_=np.array(["c", "d"]), **found)
    model.feature_names_in_ = np.array(["task", *NAMES], dtype=object)
    display = plotted(CoefficientPatternDisplay.from_estimator(model))
    assert display.features == NAMES
    dots, apart = lines(display, "own")[0], lines(display, "apart")[0]
    assert (list(dots.get_xdata()), list(dots.get_ydata())) == ([2], [2])
    assert list(apart.get_ydata()) == [2]
    assert [line.get_ydata()[0] for line in lines(display, "cut")] == [1.5, 2.5]
    assert "1 tasks stand apart. Coefficients change at 2 tasks." in display.description


def test_tasks_stand_by_cluster() -> None:
    display = CoefficientPatternDisplay.from_estimator(Fitted(coef_=W, clusters_=[0, 1, 0, 1]))
    plotted(display)
    assert display.rows_.tolist() == [0, 2, 1, 3]
    assert [line.get_ydata()[0] for line in lines(display, "cut")] == [1.5]


def test_many_tasks_and_features_are_thinned_and_the_axis_says_so() -> None:
    display = CoefficientPatternDisplay(np.ones((400, 60)), np.arange(400), range(60))
    plotted(display)
    assert display.ax_.images[0].get_array().shape == (134, 40)
    assert display.ax_.get_ylabel() == "134 of 400 tasks"
    assert display.ax_.get_xlabel() == "40 of 60 features"


def test_learned_correlations_stand_side_by_side() -> None:
    sign = np.array([1.0, -1, 1, -1])
    matrix = np.outer(sign, sign)
    matrix[3] = matrix[:, 3] = np.nan  # a task without coefficients
    display = plotted(TaskPairsDisplay.from_estimator(Fitted(task_correlation_=matrix)))
    shown = display.ax_.images[0].get_array()
    places = np.argsort(display.order_)
    assert abs(places[0] - places[2]) == 1
    assert np.ma.getmaskarray(shown)[places[3]].all()
    assert "from -1 to 1" in display.description


def test_shares_of_refits_begin_at_zero() -> None:
    together = np.array([[1.0, 0.9, 0.0], [0.9, 1.0, 0.1], [0.0, 0.1, 1.0]])
    stability = ClusterStability(TASKS[:3], np.array([0, 0, 1]), together, np.ones(3), 10)
    display = plotted(TaskPairsDisplay.from_results(stability))
    np.testing.assert_allclose(
        display.ax_.images[0].get_array(), together[np.ix_(display.order_, display.order_)]
    )
    assert display.description.startswith("Share of 10 refits in one cluster")


def test_models_without_a_pattern_are_refused() -> None:
    with pytest.raises(ValueError, match="must be fitted, with coef_ of shape"):
        CoefficientPatternDisplay.from_estimator(Fitted())
    with pytest.raises(ValueError, match="must be fitted, with task_correlation_"):
        TaskPairsDisplay.from_estimator(Fitted(coef_=W))
