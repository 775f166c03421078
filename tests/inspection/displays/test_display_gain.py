"""The gain figure: labels by shape and colour, honest frame, scikit-learn's conventions."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from polytask.inspection.displays import TaskGainDisplay
from polytask.inspection.displays.style import MARKS
from tests.inspection.example import example_comparison


def fresh() -> Figure:
    return Figure(figsize=(8, 4), layout="constrained")


def drawn(display: TaskGainDisplay, label: str) -> np.ndarray:
    marker = MARKS[label].marker
    (line,) = [line for line in display.ax_.lines if line.get_marker() == marker]
    return np.column_stack(line.get_data())


def test_plot_returns_itself_with_axes_and_figure() -> None:
    figure = fresh()
    ax = figure.add_subplot()
    display = TaskGainDisplay.from_results(example_comparison())
    assert display.plot(ax) is display
    assert display.ax_ is ax
    assert display.figure_ is figure


def test_plot_makes_a_figure_of_its_own() -> None:
    from matplotlib import pyplot as plt

    display = TaskGainDisplay.from_results(example_comparison()).plot()
    assert display.figure_ in map(plt.figure, plt.get_fignums())
    plt.close(display.figure_)


def test_points_are_the_tasks_of_each_label() -> None:
    comparison = example_comparison(30)
    display = TaskGainDisplay.from_results(comparison).plot(fresh().add_subplot())
    for label in MARKS:
        mine = comparison.tasks[comparison.tasks["label"] == label]
        np.testing.assert_array_equal(
            drawn(display, label), mine[["rows", "gain"]].to_numpy(dtype=float)
        )


def test_labels_differ_in_shape_and_in_colour() -> None:
    assert len({mark.marker for mark in MARKS.values()}) == 3
    assert len({to_hex(mark.colour) for mark in MARKS.values()}) == 3


def test_counts_agree_with_the_verdict() -> None:
    comparison = example_comparison(40)
    verdict = comparison.verdict
    counts = TaskGainDisplay.from_results(comparison).counts
    assert counts == {
        "gains": verdict.n_gains,
        "undecided": verdict.n_undecided,
        "harmed": verdict.n_harmed,
    }


def test_other_model_and_shrunken_gains() -> None:
    comparison = example_comparison()
    pooled = TaskGainDisplay.from_results(comparison, model="pooled", estimate="shrunken")
    expected = comparison.gains[comparison.gains["name"] == "pooled"]["shrunken"]
    np.testing.assert_array_equal(pooled.gain, expected)
    with pytest.raises(ValueError, match="model must be one of mean-regularized, "):
        TaskGainDisplay.from_results(comparison, model="absent")
    with pytest.raises(ValueError, match="estimate must be 'gain' or 'shrunken'; got 'raw'"):
        TaskGainDisplay.from_results(comparison, estimate="raw")


def test_endless_interval_leaves_the_frame_and_is_counted() -> None:
    display = TaskGainDisplay(
        list("abc"), [5, 50, 90], [0.1, 0.2, -0.1], [-99, 0.1, -0.2], [99, 0.3, 0.0],
        ["undecided", "gains", "harmed"],
    ).plot(fresh().add_subplot())  # fmt: skip
    assert display.n_beyond_ == 1
    bottom, top = display.ax_.get_ylim()
    assert -0.5 < bottom < -0.2
    assert 0.3 < top < 0.5


@pytest.mark.parametrize("rows", [[20] * 4, [18, 20, 20, 21]])
def test_tasks_of_one_size_stand_in_order_of_gain(rows: list[int]) -> None:
    gain = [0.3, -0.2, np.nan, 0.1]
    low, high = (np.asarray(gain) + side for side in (-0.1, 0.1))
    display = TaskGainDisplay(list("abcd"), rows, gain, low, high, ["undecided"] * 4)
    display.plot(fresh().add_subplot())
    assert drawn(display, "undecided")[:, 0].tolist() == [3, 1, 4, 2]
    assert display.ax_.get_xscale() == "linear"


@pytest.mark.parametrize("values", [[np.nan, np.nan], [0.0, 0.0]])
def test_nothing_known_still_draws(values: list[float]) -> None:
    display = TaskGainDisplay("ab", [2, 9], values, values, values, ["undecided"] * 2)
    figure = fresh()
    display.plot(figure.add_subplot())
    figure.draw_without_rendering()
    assert display.n_beyond_ == 0


def test_names_stand_clear_of_points_and_intervals() -> None:
    rng = np.random.default_rng(0)
    rows, gain = rng.integers(5, 500, 40), rng.normal(0.1, 0.3, 40)
    labels = np.where(gain > 0.3, "gains", np.where(gain < -0.1, "harmed", "undecided"))
    figure = fresh()
    display = TaskGainDisplay(
        [f"task {i}" for i in range(40)], rows, gain, gain - 0.02, gain + 0.02, labels.tolist()
    ).plot(figure.add_subplot(), name_extremes=3)
    figure.draw_without_rendering()
    names = display.ax_.texts
    assert 1 <= len(names) <= 6
    points = display.ax_.transData.transform(np.column_stack([rows, gain]))
    for name in names:
        box = name.get_window_extent()
        assert not any(box.contains(x, y) for x, y in points)


def test_user_settings_are_left_alone() -> None:
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    TaskGainDisplay.from_results(example_comparison()).plot(fresh().add_subplot())
    assert dict(mpl.rcParams) == before


def test_dollar_signs_are_no_mathematics() -> None:
    display = TaskGainDisplay(
        ["$\\frac$", "b"], [5, 90], [0.5, 0.1], [0.4, 0.0], [0.6, 0.2], ["gains", "undecided"]
    )
    figure = fresh()
    display.plot(figure.add_subplot())
    figure.draw_without_rendering()
    assert display.ax_.texts[0].get_text() == "$\\frac$"
