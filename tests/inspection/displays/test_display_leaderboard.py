"""The leaderboard figure."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from polytask.inspection.displays import LeaderboardDisplay
from tests.inspection.example import example_comparison


def plotted(display: LeaderboardDisplay) -> LeaderboardDisplay:
    return display.plot(Figure(layout="constrained").add_subplot())


def test_failed_models_are_left_out_and_the_best_is_on_top() -> None:
    comparison = example_comparison()
    display = plotted(LeaderboardDisplay.from_results(comparison))
    ok = comparison.models[comparison.models["status"] == "ok"]
    assert [t.get_text() for t in display.ax_.get_yticklabels()] == ok["title"].tolist()
    bottom, top = display.ax_.get_ylim()
    assert bottom > top
    values = [line.get_xdata()[0] for line in display.ax_.lines if line.get_marker() in "Do"]
    np.testing.assert_allclose(values, ok["metric"])


def test_intervals_baseline_and_recommended_are_drawn() -> None:
    comparison = example_comparison()
    display = plotted(LeaderboardDisplay.from_results(comparison))
    spans = [list(line.get_xdata()) for line in display.ax_.lines if line.get_marker() == "None"]
    ok = comparison.models[comparison.models["status"] == "ok"]
    for low, high in zip(ok["low"], ok["high"], strict=True):
        assert [low, high] in spans
    baseline = ok.set_index("name").loc["single-task", "metric"]
    assert [baseline, baseline] in spans
    assert sum(line.get_marker() == "D" for line in display.ax_.lines) == 1


def test_description_says_which_way_is_better() -> None:
    display = LeaderboardDisplay(
        ["A", "B"], [0.9, np.nan], [0.8, np.nan], [1.0, np.nan],
        metric_title="AUC", greater_is_better=True,
    )  # fmt: skip
    assert display.description == "AUC of 2 models, higher is better. Best first: A 0.900."
    assert "higher is better" in plotted(display).ax_.get_xlabel()


def test_one_model_without_interval_draws() -> None:
    display = LeaderboardDisplay(
        ["only one, with a title that goes on and on and on for ever"], [0.5], [np.nan], [np.nan],
        metric_title="RMSE", greater_is_better=False, baseline=0, recommended=0,
    )  # fmt: skip
    plotted(display).figure_.draw_without_rendering()
    assert "\n" in display.ax_.get_yticklabels()[0].get_text()
