"""Risks along a path, told by some of its points."""

import numpy as np
import pytest

from polytask.tuning import LeaveOneOut, loo
from polytask.tuning.path import LEAST_POINTS, along_path
from polytask.tuning.spectral import SpectralFits
from tests.solvers.helpers import make_data, mean_regularized, random_tasks

WITHIN = 1e-7  # as is promised


def _asked(c, f, spectrum, whole=True):
    """Values along a path, and how many of them were asked for."""
    asked = []

    def ask(some):
        asked.extend(some.tolist())
        return f(c[some]), whole

    return along_path(ask, c, spectrum), asked


def test_a_function_with_singularities_on_the_spectrum():
    rng = np.random.default_rng(0)
    s, c = np.sort(rng.uniform(0.2, 5.0, 300)), np.geomspace(1e-2, 1e2, 50)
    weight = rng.uniform(size=(2, 300))

    def f(c):
        left = c / (s[:, None] + c)
        return (weight[0] @ left**2) / (weight[1] @ left) ** 2

    found, asked = _asked(c, f, s)
    np.testing.assert_allclose(found, f(c), rtol=1e-10)
    assert 8 <= len(asked) <= 25
    assert asked[0] == 0  # where rows are left out, if anywhere


@pytest.mark.parametrize("whole", [True, False])
def test_each_point_is_asked_for_once_where_points_tell_nothing_of_others(whole):
    c, values = np.geomspace(1e-2, 1e2, 40), np.random.default_rng(1).uniform(1, 2, 40)
    found, asked = _asked(c, lambda some: values[np.searchsorted(c, some)], c, whole)
    np.testing.assert_array_equal(found, values)
    assert sorted(asked) == list(range(40))


def _path(seed):
    """Few and many rows, even and uneven features, w0 free and not: 60 strengths."""
    rng = np.random.default_rng(seed)
    m, d = rng.integers(2, 12), rng.integers(1, 9)
    X, y, ids = random_tasks(rng, rng.integers(2, [12, 60][seed % 2], m).tolist(), d)
    X = X * 10.0 ** rng.uniform(-1, 1, d) ** (seed % 3)
    data = make_data(X, y, ids, intercept=seed % 4 > 1)
    common = [0.0, 1e-3, 1.0][rng.integers(3)]
    largest = 2.0 * float((data.column_norms**2).sum(axis=1).max())
    decades = rng.integers(-5, -1)
    strengths = largest * np.geomspace(10, 10.0**decades, 60)
    return [mean_regularized(data, a, common, 0.1) for a in strengths]


def _exact(path):
    """Risks of so few points at a time that none is told."""
    few = range(0, len(path), LEAST_POINTS - 1)
    return np.concatenate(
        [LeaveOneOut().risks(path[first : first + LEAST_POINTS - 1]) for first in few]
    )


def test_ratios_to_values_near_by_need_fewer_points():
    rng = np.random.default_rng(2)
    s, c = np.sort(rng.uniform(0.2, 5.0, 300)), np.geomspace(1e-2, 1e2, 50)
    weight, asked = rng.uniform(size=300), []
    near = (weight[:, None] * (c / (s[:, None] + c)) ** 2).sum(axis=0)
    values = near * (1.0 + 1e-3 * (c / (s[:, None] + c)).mean(axis=0))

    def ask(some):
        asked.extend(some.tolist())
        return values[some], True

    np.testing.assert_allclose(along_path(ask, c, s, near), values, rtol=1e-9)
    assert len(asked) < len(_asked(c, lambda some: values[np.searchsorted(c, some)], s)[1])


EITHER = pytest.mark.parametrize("much", [0.0, np.inf], ids=["in two steps", "at once"])


@EITHER
@pytest.mark.parametrize("seed", range(8))
def test_risks_of_a_path_are_those_of_its_points(seed, much, monkeypatch):
    monkeypatch.setattr(loo, "_MUCH", much)
    path, asked, exactly = _path(seed), [], SpectralFits.leave_out
    exact = _exact(path)

    def counted(self, points, leaves, near, wanted):
        asked.append(len(points.c) * (wanted != "near"))
        return exactly(self, points, leaves, near, wanted)

    monkeypatch.setattr(SpectralFits, "leave_out", counted)
    np.testing.assert_allclose(LeaveOneOut().risks(path), exact, rtol=WITHIN)
    assert 8 <= sum(asked) <= 43


@EITHER
@pytest.mark.parametrize("seed", [3, 27, 50])
def test_points_at_the_weak_end_do_not_vouch_for_the_others(seed, much, monkeypatch):
    """One feature over eight decades, at whose weak end hardly anything moves."""
    monkeypatch.setattr(loo, "_MUCH", much)
    rng = np.random.default_rng(seed)
    X, y, ids = random_tasks(rng, [100] * rng.choice([2, 3, 8]), 1)
    data = make_data(X, y, ids)
    largest = 2.0 * float((data.column_norms**2).sum(axis=1).max())
    strengths = largest * np.geomspace(1, 1e-8, rng.integers(50, 80))
    path = [mean_regularized(data, a, 1.0, 0.1) for a in strengths]
    np.testing.assert_allclose(LeaveOneOut().risks(path), _exact(path), rtol=WITHIN)


@EITHER
@pytest.mark.slow
def test_how_near_told_risks_are(much, monkeypatch):
    """On tables that the method was not made on."""
    monkeypatch.setattr(loo, "_MUCH", much)
    worst = []
    for seed in range(1000, 1200):
        path = _path(seed)
        worst.append(np.abs(LeaveOneOut().risks(path) / _exact(path) - 1.0).max())
    assert max(worst) <= WITHIN
    assert np.quantile(worst, 0.95) <= 1e-8
    assert np.median(worst) <= 1e-9


def test_a_path_where_all_features_are_zero():
    y = np.random.default_rng(3).normal(size=30)
    data = make_data(np.zeros((30, 2)), y, np.repeat(np.arange(3), 10))
    path = [mean_regularized(data, a, 0.1, 0.1) for a in np.geomspace(10, 1e-3, 20)]
    np.testing.assert_allclose(LeaveOneOut().risks(path), LeaveOneOut().risks(path[:1])[0])


@EITHER
def test_a_path_to_where_rows_have_no_prediction(much, monkeypatch):
    """Without a level a task of one row has none left at the weak end; rows stay left out there."""
    monkeypatch.setattr(loo, "_MUCH", much)
    X, y, ids = random_tasks(np.random.default_rng(5), [3, 4, 3], 4)
    data = make_data(X, y, ids)
    path = [mean_regularized(data, a, 0.0, 0.1) for a in np.geomspace(1e2, 1e-7, 30)]
    alone = np.concatenate([LeaveOneOut().risks(path[:15]), LeaveOneOut().risks(path[15:])])
    np.testing.assert_allclose(LeaveOneOut().risks(path), alone, rtol=WITHIN)
