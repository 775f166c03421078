"""Curves at given strengths: lines, pooled curves, and the curve of mgcv."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from polytask import CurvedRegressor, MeanRegularizedRegressor
from polytask.algebra.splines import learn_columns, make_bends
from polytask.data import Rows, make_task_data
from polytask.mixed.reml import MixedModel

SCRIPT = Path(__file__).with_name("r") / "splines.R"
RECORD = SCRIPT.with_suffix(".json")
LEVEL, LINE, BEND = 0.4, 0.3, 0.2  # variances between tasks over the noise


def one_task():
    rng = np.random.default_rng(1)
    x = np.sort(rng.uniform(size=40))
    return x, np.sin(7.0 * x) + 0.2 * rng.normal(size=40)


def curve_of_mgcv(folder, strength):
    """The fit of mgcv at the rows."""
    x, y = one_task()
    lines = [f"{a!r},{b!r}" for a, b in zip(x.tolist(), y.tolist(), strict=True)]
    (folder / "table.csv").write_text("\n".join(["x,y", *lines]))
    knots = ",".join(repr(k) for k in np.quantile(x, np.linspace(0.0, 1.0, 10)).tolist())
    out = subprocess.run(
        ["Rscript", str(SCRIPT), str(folder / "table.csv"), repr(strength), knots],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [float(line) for line in out.stdout.splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("strength", [1e-4, 1e-2])
def test_one_task_is_the_curve_of_mgcv_at_the_same_strength(strength):
    x, y = one_task()
    bends = make_bends(x, np.ones(40), 10)
    Z = np.column_stack([np.ones(40), x, bends.columns(x)])
    span = bends.knots[-1] - bends.knots[0]
    ridge = np.diag(np.append([0.0, 0.0], np.full(8, strength / span**3)))
    f = Z @ np.linalg.solve(Z.T @ Z + ridge, Z.T @ y)
    recorded = json.loads(RECORD.read_text())["numbers"][repr(strength)]
    np.testing.assert_allclose(f, recorded, atol=1e-9)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("Rscript") is None, reason="needs R with mgcv")
def test_mgcv_says_today_what_is_on_record(tmp_path):
    for strength, numbers in json.loads(RECORD.read_text())["numbers"].items():
        found = curve_of_mgcv(tmp_path, float(strength))
        np.testing.assert_allclose(found, numbers, rtol=1e-8)


class World:
    """Curves by task on the columns of lines and bends, and fits at variances."""

    def __init__(self):
        rng = np.random.default_rng(0)
        self.task, self.x = np.arange(120) % 6, rng.uniform(size=(120, 2))
        self.y = np.sin(5.0 * self.x[:, 0]) + self.task * self.x[:, 1] + rng.normal(size=120)
        self.columns = learn_columns(self.x, np.ones(120), 6)
        self.Z = self.columns.of(self.x)
        rows, estimator = Rows(self.Z, self.task), MeanRegularizedRegressor(task=0)
        estimator.task_weight = "size"
        self.data = make_task_data(estimator, rows, self.y, None, None)
        self.model = MixedModel.from_data(self.data)

    def at(self, line, bend, common_bend):
        """Predictions (120,) at variances over the noise: between tasks, of common bends."""
        is_bend = np.append(self.columns.is_bend, False)
        between = np.append(np.where(self.columns.is_bend, bend, line), LEVEL)
        point = self.model.at(np.diag(np.sqrt(between)), np.where(is_bend, common_bend, np.inf))
        coefs = (self.model.shift + point.common + point.deviations) / self.model.scale
        design = np.column_stack([self.Z, np.ones(120)])
        return (design * coefs[self.task]).sum(axis=1)

    def solved(self, used, line, bend, common_bend):
        """The same by one dense least-squares problem on some columns of lines and bends."""
        scale, one = self.model.scale, np.ones((120, 1))
        Z = np.column_stack([self.Z[:, used] / scale[:-1][used], one])
        is_bend = np.append(self.columns.is_bend[used], False)
        between = np.append(np.where(self.columns.is_bend[used], bend, line), LEVEL)
        moves = between > 0
        own = [Z[:, moves] * (self.task == i)[:, None] for i in range(6)]
        D = np.column_stack([Z, *own])
        common = np.where(is_bend, 1.0 / common_bend, 0.0)
        ridge = np.append(common, np.tile(1.0 / between[moves], 6))
        return D @ np.linalg.solve(D.T @ D + np.diag(ridge), D.T @ self.y)


def test_strong_roughness_is_the_linear_model():
    world, lines = World(), np.arange(2)
    rough = world.at(LINE, 1e-12, 1e-12)
    np.testing.assert_allclose(rough, world.solved(lines, LINE, 0.0, 1.0), atol=1e-6)
    assert np.abs(rough - world.at(LINE, BEND, 1.0)).max() > 0.1


def test_strong_deviation_is_the_pooled_additive_model():
    world, every = World(), np.arange(10)
    pooled = world.at(1e-12, 1e-12, 0.5)
    np.testing.assert_allclose(pooled, world.solved(every, 0.0, 0.0, 0.5), atol=1e-6)
    assert np.abs(pooled - world.at(LINE, BEND, 0.5)).max() > 0.1


def test_between_the_limits_it_is_one_least_squares_problem():
    world, every = World(), np.arange(10)
    np.testing.assert_allclose(
        world.at(LINE, BEND, 0.5), world.solved(every, LINE, BEND, 0.5), atol=1e-8
    )


def test_rows_left_out_are_those_of_refits_at_the_same_strengths():
    world = World()
    table = np.column_stack([world.task, world.x])
    model = CurvedRegressor(n_knots=6, task=0).fit(table, world.y)
    inner, Z = model.model_, np.column_stack([model._columns.of(world.x), np.ones(120)])
    assert np.ptp(inner.task_noise_variance_) == 0  # one noise, as the refits have it
    between = np.append(inner.alpha_, inner.alpha_intercept_)
    moves = np.isfinite(between)
    D = np.column_stack([Z, *(Z[:, moves] * (world.task == i)[:, None] for i in range(6))])
    ridge = 2 * 120 * np.concatenate([inner.alpha_common_, [0.0], np.tile(between[moves], 6)])
    order, found = np.argsort(world.task, kind="stable"), model.left_out(table, world.y)
    for place in range(0, 120, 7):
        j = order[place]
        rest = np.arange(120) != j
        fit = np.linalg.solve(D[rest].T @ D[rest] + np.diag(ridge), D[rest].T @ world.y[rest])
        assert found[place] == pytest.approx(D[j] @ fit, abs=1e-6)


def test_rows_beyond_the_values_of_training_are_named():
    world = World()
    table = np.column_stack([world.task, world.x])
    model = CurvedRegressor(task=0).fit(table, world.y)
    assert model.beyond(table) == {}
    far = table.copy()
    far[[3, 7], 2] = 5.0
    found = model.beyond(far)
    assert list(found) == ["1"]
    assert np.flatnonzero(found["1"]).tolist() == [3, 7]
