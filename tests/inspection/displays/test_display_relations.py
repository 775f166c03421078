"""Displays of relatedness, learning curve, coefficients and shrinkage path."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from polytask import MeanRegularizedRegressor, SingleTaskRegressor
from polytask.datasets import make_related_tasks
from polytask.inspection import TaskRelatedness
from polytask.inspection.displays import (
    CoefficientSpreadDisplay,
    ShrinkagePathDisplay,
    TaskLearningCurveDisplay,
    TaskRelatednessDisplay,
)
from tests.inspection.example import example_curve, example_related


@pytest.fixture(scope="module")
def sample():
    return make_related_tasks(6, 3, 15, random_state=0)


def plotted(display):
    before = dict(mpl.rcParams)
    figure = Figure(figsize=(6, 4), layout="constrained")
    assert display.plot(figure.add_subplot()) is display
    figure.draw_without_rendering()
    assert dict(mpl.rcParams) == before
    assert display.figure_ is figure
    return display


def test_map_is_the_correlation_in_the_order_of_the_tree():
    found = example_related()
    display = plotted(TaskRelatednessDisplay.from_results(found))
    order = found.groups.order
    shown = np.asarray(display.ax_.images[0].get_array())
    np.testing.assert_allclose(shown, found.correlation[np.ix_(order, order)])
    assert display.block_ == 1
    apart = [line for line in display.ax_.lines if line.get_gid() == "apart"]
    assert len(apart[0].get_xdata()) == found.outliers["outlier"].sum()


def test_many_tasks_are_averaged_in_blocks():
    X, y, _ = make_related_tasks(330, 2, 6, random_state=0)
    found = TaskRelatedness.from_data(X, y, task="task", n_draws=10)
    display = plotted(TaskRelatednessDisplay(found))
    shown = np.asarray(display.ax_.images[0].get_array())
    assert display.block_ == 3
    assert shown.shape == (110, 110)
    order = found.groups.order[:3]
    assert shown[0, 0] == pytest.approx(found.correlation[np.ix_(order, order)].mean())


def test_map_from_an_estimator(sample):
    X, y, _ = sample
    model = MeanRegularizedRegressor(task="task").fit(X, y)
    display = TaskRelatednessDisplay.from_estimator(model, X, y, n_draws=10)
    assert "Correlations of 6 tasks" in display.description


def test_curve_draws_every_model_and_the_answer():
    found = example_curve()
    display = plotted(TaskLearningCurveDisplay.from_results(found))
    lines = {line.get_label(): line for line in display.ax_.lines}
    for title, one in found.curve.groupby("title"):
        np.testing.assert_allclose(lines[title].get_ydata(), one["loss"])
    assert display.ax_.get_xscale() == "log"
    assert found.text in display.description


def test_coefficients_are_ordered_by_spread_without_the_level():
    found = example_related()
    display = plotted(CoefficientSpreadDisplay.from_results(found))
    spread = found.coefficients["spread"].to_numpy()[display.shown_]
    assert (np.diff(spread) <= 0).all()
    assert len(display.shown_) == len(found.coefficients) - 1


def test_coefficients_of_a_mixed_model(sample):
    X, y, _ = sample
    model = MeanRegularizedRegressor(alpha="reml", task="task").fit(X, y)
    display = plotted(CoefficientSpreadDisplay.from_estimator(model))
    np.testing.assert_allclose(
        display.table["spread"] ** 2, np.diag(model.deviation_covariance_)[:3]
    )
    assert display.table["feature"].tolist() == ["x0", "x1", "x2"]
    with pytest.raises(ValueError, match="alpha='reml'"):
        CoefficientSpreadDisplay.from_estimator(SingleTaskRegressor().fit(X[["x0"]], y))


def test_path_runs_from_alone_to_alike(sample):
    X, y, _ = sample
    model = MeanRegularizedRegressor(task="task").fit(X, y)
    display = plotted(ShrinkagePathDisplay.from_estimator(model, X, y, n_alphas=5))
    size = display.deviations.mean(axis=1)
    assert (np.diff(size) < 0).all()
    assert size[-1] < 0.05 * size[0]
    assert display.chosen == pytest.approx(model.alpha_)
    assert model.alpha == "cv"  # the given estimator is left alone


def test_path_of_one_feature(sample):
    X, y, _ = sample
    model = MeanRegularizedRegressor(alpha=0.1, task="task").fit(X, y)
    display = plotted(ShrinkagePathDisplay.from_estimator(model, X, y, alphas=[0.1], feature="x1"))
    np.testing.assert_allclose(display.deviations[0], model.deviation_coef_[:, 1], rtol=1e-4)
    with pytest.raises(ValueError, match="feature must be one of x0, x1, x2; got 'z'"):
        ShrinkagePathDisplay.from_estimator(model, X, y, feature="z")
    with pytest.raises(ValueError, match="must be fitted"):
        ShrinkagePathDisplay.from_estimator(MeanRegularizedRegressor(), X, y)
