"""Losses of rows that are left out: loops and numpy say the same."""

import numpy as np
import pytest

from polytask.tuning import LeaveOneOut, leverages
from tests.solvers.helpers import make_data, mean_regularized, random_tasks, single_task

pytest.importorskip("numba")
SIZES = {"narrow": ([30, 1, 41, 12], 5), "few rows": ([3, 1, 2, 8], 6), "one task": ([40], 3)}
POINTS = [(0.1, 0.0, 0.1), (0.1, 0.02, 0.1), (1e-3, 0.0, 0.0), (10.0, 1.0, 1e-4)]


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("told", [True, False], ids=["told by a point", "exact"])
@pytest.mark.parametrize("sizes", SIZES)
def test_the_same_risks(sizes, told, intercept, rng, monkeypatch):
    from polytask.compiled import left_out

    counts, d = SIZES[sizes]
    X, y, ids = random_tasks(rng, counts, d)
    X[1], y[1] = X[0], y[0]  # which leave together
    data = make_data(X, y, ids, intercept=intercept, sample_weight=rng.uniform(0.5, 2, len(y)))
    problems = [mean_regularized(data, *point) for point in POINTS]
    found = []
    for road in (left_out, None):
        monkeypatch.setattr(leverages, "loops", lambda *_, road=road: road)
        held_out = LeaveOneOut()
        risks = held_out.risks(problems, problems[1] if told else None)
        found.append((risks, held_out.task_risks(problems[:1])))
        found[-1] += (held_out.task_risks([single_task(data, 0.02, 0.1)]),)
    for mine, other in zip(*found, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-11)
    assert np.isfinite(found[0][0]).any()
    assert np.unique(found[0][0]).size > 1


def test_a_task_whose_only_row_is_left_out_has_no_risk(rng, monkeypatch):
    """Its level has no penalty: nothing else informs it, by either road."""
    from polytask.compiled import left_out

    X, y, ids = random_tasks(rng, [9, 1, 12], 2)
    problem = single_task(make_data(X, y, ids), 0.1, 0.0)
    for road in (left_out, None):
        monkeypatch.setattr(leverages, "loops", lambda *_, road=road: road)
        risks = LeaveOneOut().task_risks([problem])[:, 0]
        assert np.isfinite(risks).tolist() == [True, False, True]


def test_rows_that_little_is_left_of_keep_their_digits(rng, monkeypatch):
    """Where fits nearly interpolate, by a penalty of next to nothing."""
    from polytask.compiled import left_out

    X, y, ids = random_tasks(rng, [6, 7, 6], 6)
    problem = single_task(make_data(X, y, ids, intercept=False), 1e-6)
    monkeypatch.setattr(leverages, "loops", lambda *_: left_out)
    found = LeaveOneOut().risks([problem])[0]
    monkeypatch.setattr(leverages, "loops", lambda *_: None)
    assert found == pytest.approx(LeaveOneOut().risks([problem])[0], rel=1e-12)


def test_a_common_part_that_is_not_determined(rng, monkeypatch):
    """A constant feature beside a free level: along it H^-1 is large, and rows say nothing."""
    from polytask.compiled import left_out

    found = []
    X, y, ids = random_tasks(rng, rng.integers(1, 60, 60).tolist(), 17)
    X[:, 0] = 2.0
    data = make_data(X, y, ids)
    problems = [mean_regularized(data, a, 0.0, 1e-6) for a in np.geomspace(1e-3, 10, 12)]
    for road in (left_out, None):
        monkeypatch.setattr(leverages, "loops", lambda *_, road=road: road)
        found.append(LeaveOneOut().risks(problems))
    np.testing.assert_allclose(*found, rtol=1e-9)
