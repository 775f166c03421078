"""Curves: smoothing splines of one task, lines where nothing bends, and what tasks share."""

import pickle

import numpy as np
import pandas as pd
import pytest
import skops.io
from scipy.interpolate import make_smoothing_spline

import polytask
from polytask import CurvedClassifier, CurvedRegressor, MeanRegularizedRegressor
from polytask.algebra.splines import make_bends
from polytask.datasets import make_related_tasks
from polytask.inspection.displays import CurveDisplay
from tests.sources.conftest import summing_up


def waves(n=480, m=12, seed=0, noise=0.2):
    """A shared wave with a phase by task, a slope by task, and a feature of no use."""
    rng = np.random.default_rng(seed)
    task = np.arange(n) % m
    phase, slope = 0.4 * rng.normal(size=(2, m))
    X = pd.DataFrame(rng.uniform(size=(n, 3)), columns=["a", "b", "c"])
    f = np.sin(6.0 * X["a"] + phase[task]) + slope[task] * X["b"]
    return X.assign(task=[f"t{i}" for i in task]), (f + noise * rng.normal(size=n)).to_numpy()


def test_bends_are_orthogonal_and_their_squares_are_the_roughness():
    rng = np.random.default_rng(0)
    x = 1990.0 + 3.0 * rng.normal(size=300)
    bends = make_bends(x, np.ones(300), 9)
    Z = bends.columns(x)
    products = Z.T @ np.column_stack([np.ones(300), x - x.mean(), Z])
    size = np.sqrt((Z**2).sum(axis=0))
    products /= size[:, None] * np.append([300**0.5, 300**0.5 * x.std()], size)
    np.testing.assert_allclose(products, np.eye(9)[2:], atol=1e-9)
    c = rng.normal(size=7)
    fine = np.linspace(bends.knots[0], bends.knots[-1], 100_001)
    second = np.diff(bends.columns(fine) @ c, 2) * 100_000**2
    assert (second**2).mean() == pytest.approx(c @ c, rel=1e-4)


def test_one_task_is_a_smoothing_spline():
    rng = np.random.default_rng(1)
    x = np.sort(rng.uniform(size=40))
    y = np.sin(7.0 * x) + 30.0 * x + 0.2 * rng.normal(size=40)
    model = CurvedRegressor(n_knots=40).fit(x[:, None], y)
    inner = model.model_
    variance = inner.noise_variance_ / (2 * 40 * inner.alpha_common_[1:])  # of the bends
    span = x[-1] - x[0]
    peer = make_smoothing_spline(x, y, lam=inner.noise_variance_ / variance[0] * span**3)
    new = np.linspace(-0.2, 1.2, 50)
    line = inner.alpha_common_[0]  # a weak ridge on the slope, which the peer has not
    assert line < 1e-3
    assert 0.02 < inner.noise_variance_ < 0.08  # of 0.04, with as many columns as rows
    inside = (new > x[0]) & (new < x[-1])
    np.testing.assert_allclose(model.predict(new[inside][:, None]), peer(new[inside]), atol=2e-3)


def test_without_three_values_it_is_the_mixed_model():
    rng = np.random.default_rng(2)
    Z = np.column_stack([np.arange(400) % 20, rng.integers(0, 2, size=(400, 2))]).astype(float)
    slopes = rng.normal(size=(20, 3))
    y = (slopes[Z[:, 0].astype(int)] * np.column_stack([Z[:, 1:], np.ones(400)])).sum(axis=1)
    y = y + rng.normal(size=400)
    curved = CurvedRegressor(task=0).fit(Z, y)
    centred = np.column_stack([Z[:, 0], Z[:, 1:] - Z[:, 1:].mean(axis=0)])
    options = [
        MeanRegularizedRegressor("reml", alpha_common="reml", covariance=c, task=0).fit(centred, y)
        for c in ("diagonal", "scalar")
    ]
    nearest = min(options, key=lambda o: np.abs(o.predict(centred) - curved.predict(Z)).max())
    np.testing.assert_allclose(curved.predict(Z), nearest.predict(centred), atol=1e-5)
    assert (curved.bend_variance_ == 0).all()


def test_it_finds_what_bends_and_what_differs():
    X, y = waves()
    new, truth = waves(noise=0.0)[0], waves(noise=0.0)[1]
    model = CurvedRegressor(task="task").fit(X, y)
    linear = MeanRegularizedRegressor("reml", task="task").fit(X, y)
    error = [np.sqrt(np.mean((m.predict(new) - truth) ** 2)) for m in (model, linear)]
    assert error[0] < 0.25 * error[1]
    assert model.bend_variance_[0] > 0.05 > 0.005 > model.bend_variance_[1:].max()
    assert model.bend_deviation_variance_[0] > 10 * model.bend_deviation_variance_[2]


def test_order_units_and_names_do_not_matter():
    X, y = waves()
    model = CurvedRegressor(task="task").fit(X, y)
    order = np.random.default_rng(3).permutation(len(y))
    other = X.assign(a=1e3 * X["a"], b=X["b"] + 50.0, task=X["task"].str.upper()).iloc[order]
    again = CurvedRegressor(task="task").fit(other, 10.0 * y[order] + 3.0)
    np.testing.assert_allclose(
        (again.predict(other) - 3.0) / 10.0, model.predict(X)[order], atol=1e-4
    )


def test_beyond_the_knots_it_is_straight_and_its_error_grows():
    X, y = waves()
    model = CurvedRegressor(task="task").fit(X, y)
    f, error = model.curve("a", [0.5, 1.5, 2.5, 3.5], return_std=True)
    assert f[3] - f[2] == pytest.approx(f[2] - f[1])
    assert (np.diff(error) > 0).all()
    own = model.curve(0, [0.2, 0.4], task="t3")
    assert np.abs(own - model.curve(0, [0.2, 0.4])).max() > 0.01
    for wrong in ({"feature": "z"}, {"feature": 0, "task": "nobody"}):
        with pytest.raises(ValueError, match="must be one of"):
            model.curve(x=[0.0], **wrong)


def test_a_new_task_is_learned_from_few_rows():
    X, y = waves(m=12, n=1200)
    truth = waves(m=12, n=1200, noise=0.0)[1]
    old = (X["task"] != "t5").to_numpy()
    few = ~old & (np.arange(len(y)) < 600)
    model = CurvedRegressor(task="task", unseen="common").fit(X[old], y[old])
    rest = ~old & ~few
    before = np.mean((model.predict(X[rest]) - truth[rest]) ** 2)
    model.add_task(X[few], y[few])
    assert np.mean((model.predict(X[rest]) - truth[rest]) ** 2) < 0.5 * before
    assert model.tasks_[-1] == "t5"
    with pytest.raises(ValueError, match="not in training"):
        model.add_task(X[few], y[few])


def test_labels_and_counts_bend_too():
    X, f = waves(n=900, m=6, noise=0.0)
    rng = np.random.default_rng(4)
    labels = np.where(rng.uniform(size=900) < 1.0 / (1.0 + np.exp(-3.0 * f)), "yes", "no")
    model = CurvedClassifier(task="task").fit(X, labels)
    assert np.corrcoef(model.decision_function(X), f)[0, 1] > 0.9
    counts = rng.poisson(np.exp(f))
    model = CurvedRegressor(task="task", loss="poisson").fit(X, counts)
    assert np.corrcoef(np.log(model.predict(X)), f)[0, 1] > 0.9


def test_it_can_be_kept():
    X, y = waves(n=200, m=4)
    model = CurvedRegressor(task="task").fit(X, y)
    saved = skops.io.dumps(model)
    for back in (pickle.loads(pickle.dumps(model)), skops.io.loads(saved, polytask.TRUSTED_TYPES)):
        np.testing.assert_array_equal(back.predict(X), model.predict(X))


@pytest.mark.slow
def test_bands_hold_the_curve():
    """95 % bands of the common curve hold it at 90 % of points or more, over draws."""
    grid, held = np.linspace(0.05, 0.95, 19), []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        task, x = np.arange(300) % 15, rng.uniform(size=300)
        y = np.sin(6.0 * x) + 0.3 * rng.normal(size=15)[task] + 0.3 * rng.normal(size=300)
        model = CurvedRegressor(task=0).fit(np.column_stack([task, x]), y)
        f, error = model.curve(0, grid, return_std=True)
        truth = np.sin(6.0 * grid) - np.sin(6.0 * x).mean()
        held.append(np.abs(f - truth) < 1.96 * error)
    assert 0.90 <= np.mean(held) <= 0.99


def test_curves_are_drawn_and_told():
    X, y = waves()
    model = CurvedRegressor(task="task").fit(X, y)
    assert model.bending()[0] == 0
    display = CurveDisplay.from_estimator(model, "a", n_tasks=3).plot()
    assert len(display.names) == 3
    assert display.ax_.get_xlabel() == "a"
    assert "What a adds" in display.description
    binary = CurvedRegressor(task="task").fit(X.assign(b=(X["b"] > 0.5) * 1.0), y)
    with pytest.raises(ValueError, match="has a line only"):
        binary.range_of("b")


def test_few_rows_leave_noise_and_weights_are_copies():
    """Bends by task could go through every row of tasks of ten; then tasks differ in lines only."""
    X, y, _ = make_related_tasks(12, 3, (9, 14), random_state=3)
    times = np.random.default_rng(0).integers(0, 4, len(y))
    again = np.repeat(np.arange(len(y)), times)
    weighted = CurvedRegressor(task="task").fit(X, y, times)
    copied = CurvedRegressor(task="task").fit(X.iloc[again], y[again])
    np.testing.assert_allclose(weighted.predict(X), copied.predict(X), atol=1e-6)
    assert weighted.model_.noise_variance_ > 0.01
    assert (weighted.bend_deviation_variance_ == 0).all()


def as_files(X, y, folder, parts=3):
    """The rows in Parquet files."""
    table = X.assign(y=y)
    for k in range(parts):
        table.iloc[k::parts].to_parquet(folder / f"part{k}.parquet", index=False)
    return folder


def test_files_that_are_summed_up_give_the_curves_of_rows_in_memory(tmp_path):
    X, y = waves(n=900, m=12)
    X["b"] = (X["b"] > 0.5) * 1.0  # a line only
    as_files(X, y, tmp_path)
    held = CurvedRegressor(task="task").fit_parquet(tmp_path, target="y")
    with summing_up():
        summed = CurvedRegressor(task="task").fit_parquet(tmp_path, target="y", batch_rows=70)
    memory = CurvedRegressor(task="task").fit(X, y)
    for found in (held, summed):
        np.testing.assert_allclose(found.predict(X), memory.predict(X), atol=1e-6)
        np.testing.assert_allclose(found.bend_variance_, memory.bend_variance_, rtol=1e-4)
        spread = found.predict(X, return_std=True)[1]
        np.testing.assert_allclose(spread, memory.predict(X, return_std=True)[1], rtol=1e-5)
    assert not hasattr(summed.model_, "moments_")
    assert list(summed.feature_names_in_) == [*"abc", "task"]
    labels = X.assign(y=np.where(y > 0, "yes", "no"))
    labels.to_parquet(tmp_path / "labels.parquet", index=False)
    with summing_up(), pytest.raises(ValueError, match=r"CurvedClassifier: .*through the rows"):
        CurvedClassifier(task="task").fit_parquet(tmp_path / "labels.parquet", target="y")


def test_time_changes_no_variance_and_neither_do_groups_of_one_row():
    X, y = waves(n=240, m=6)
    plain = CurvedRegressor(task="task").fit(X, y)
    with pytest.warns(UserWarning, match="CurvedRegressor: .* taken as independent"):
        timed = CurvedRegressor(task="task").fit(X, y, time=np.arange(240))
    alone = CurvedRegressor(task="task").fit(X, y, groups=np.arange(240))
    for told in (timed, alone):
        np.testing.assert_allclose(told.predict(X), plain.predict(X), rtol=1e-9)
    with pytest.raises(ValueError, match="inconsistent numbers"):
        CurvedRegressor(task="task").fit(X, y, groups=np.arange(7))


def test_moments_of_columns_do_not_say_curves() -> None:
    assert not hasattr(CurvedRegressor(), "partial_fit")
    assert hasattr(CurvedRegressor(), "fit_parquet")
