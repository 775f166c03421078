"""The shrinkage figure and the table behind it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure

from polytask.inspection.displays import ShrinkageDisplay


def arrays(n_tasks: int = 20, n_features: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    common = np.linspace(1, 2, n_features)
    single = common + rng.normal(size=(n_tasks, n_features))
    return single, common + 0.2 * (single - common), common


def plotted(display: ShrinkageDisplay, **options: int) -> ShrinkageDisplay:
    return display.plot(Figure(layout="constrained").add_subplot(), **options)


def test_summary_is_the_spread_around_the_common_coefficients() -> None:
    single, joint, common = arrays()
    table = ShrinkageDisplay(single, joint, common).summary().sort_values("position")
    np.testing.assert_allclose(table["common"], common)
    np.testing.assert_allclose(table["spread_joint"], 0.2 * table["spread_single"])
    np.testing.assert_allclose(table["spread_single"], single.std(axis=0))
    np.testing.assert_allclose(table["high_joint"], joint.max(axis=0))


def test_summary_begins_with_the_largest() -> None:
    table = ShrinkageDisplay(*arrays()).summary()
    size = np.hypot(table["common"], table["spread_joint"])
    assert np.all(np.diff(size) <= 0)


def test_common_is_the_mean_where_there_is_none() -> None:
    single, joint, _ = arrays()
    table = ShrinkageDisplay(single, joint).summary().sort_values("position")
    np.testing.assert_allclose(table["common"], joint.mean(axis=0))


def test_from_estimators_matches_tasks_by_id() -> None:
    single, joint, common = arrays(3, 2)
    alone = SimpleNamespace(coef_=single, tasks_=np.array(["a", "b", "c"]))
    together = SimpleNamespace(
        coef_=joint[[2, 0]],
        tasks_=np.array(["c", "a"]),
        common_coef_=common,
        feature_names_in_=np.array(["school", "age", "size"], dtype=object),
        task="school",
    )
    display = ShrinkageDisplay.from_estimators(alone, together)
    np.testing.assert_array_equal(display.single_coef, single[[2, 0]])
    np.testing.assert_array_equal(display.joint_coef, joint[[2, 0]])
    assert display.feature_names == ["age", "size"]
    with pytest.raises(ValueError, match="must share tasks; got none"):
        ShrinkageDisplay.from_estimators(alone, SimpleNamespace(tasks_=["z"], coef_=joint[:1]))


def test_estimators_of_the_package() -> None:
    from polytask import MeanRegularizedRegressor, SingleTaskRegressor

    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=(60, 3)), np.repeat(np.arange(4), 15)])
    y = X[:, 0] + 0.1 * rng.normal(size=60)
    models = (cls(task=3).fit(X, y) for cls in (SingleTaskRegressor, MeanRegularizedRegressor))
    display = ShrinkageDisplay.from_estimators(*models)
    assert plotted(display).shown_.tolist()[0] == 0
    assert display.summary().loc[0, "common"] == pytest.approx(1, abs=0.1)


def test_lines_join_alone_to_together() -> None:
    single, joint, common = arrays(20, 2)
    display = plotted(ShrinkageDisplay(single, joint, common))
    low, high = display.ax_.get_xlim()
    first = display.shown_[0]
    ends = display.ax_.lines[0].get_xdata().reshape(-1, 3)
    np.testing.assert_allclose(ends[:, 0], np.clip(single[:, first], low, high))
    np.testing.assert_allclose(ends[:, 1], joint[:, first])
    assert np.isnan(ends[:, 2]).all()


def test_frame_holds_every_joint_coefficient_and_counts_the_others() -> None:
    single, joint, common = arrays(100, 3)
    single[0] = 1e6
    display = plotted(ShrinkageDisplay(single, joint, common))
    low, high = display.ax_.get_xlim()
    assert low < joint.min()
    assert high > joint.max()
    assert high < 10
    assert display.n_beyond_ >= 3


def test_many_tasks_and_features_are_thinned() -> None:
    display = plotted(ShrinkageDisplay(*arrays(500, 30)), max_features=6)
    assert display.shown_.size == 6
    assert display.ax_.lines[0].get_xdata().size == 3 * 150


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match=r"must have one shape .* got \(2, 2\) and \(1, 2\)"):
        ShrinkageDisplay(np.ones((2, 2)), np.ones((1, 2))).summary()


def test_all_zero_coefficients_draw() -> None:
    display = plotted(ShrinkageDisplay(np.zeros((2, 2)), np.zeros((2, 2))))
    display.figure_.draw_without_rendering()
