"""Rows in memory as a source of passes: the sums are those of the rows."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from polytask.data import TaskMoments
from polytask.responses import Logistic, Squared
from polytask.sources.held import HeldRows
from polytask.sources.moments import MomentJob
from polytask.sources.passed import Passed
from polytask.sources.passes import SerialRunner
from tests.solvers.helpers import make_data, random_tasks


def tasks(rng, intercept, weighted):
    X, y, ids = random_tasks(rng, [9, 1, 30, 4], 3)
    weight = rng.integers(1, 4, size=len(y)).astype(float) if weighted else None
    y = (y > 0).astype(float)
    return X, y, ids, weight, make_data(X, y, ids, intercept=intercept, sample_weight=weight)


def passed(data):
    source = HeldRows(data)
    moments = SerialRunner().run(MomentJob(3), source)
    return Passed(SerialRunner(), source, moments, data.share, data.intercept)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("loss", [Logistic(), Squared()])
def test_passes_answer_as_rows_do(rng, loss, intercept, weighted):
    *_, data = tasks(rng, intercept, weighted)
    there = passed(data)
    assert_allclose(there.column_norms, data.column_norms, rtol=1e-12)
    assert_allclose(there.counts, data.counts)
    for theta in (np.zeros((4, data.n_coefs)), rng.normal(size=(4, data.n_coefs))):
        rows, sums = data.at(loss, theta), there.at(loss, theta)
        assert sums.total == pytest.approx(rows.total, rel=1e-12)
        assert_allclose(sums.slope, rows.slope, rtol=1e-12)
        assert_allclose(sums.gradient, rows.gradient, rtol=1e-11, atol=1e-14)
        grams = data.design.grams(data.weight * rows.curvature)
        assert_allclose(sums.gram, grams, rtol=1e-11, atol=1e-15)


def test_a_weight_of_two_is_the_row_twice(rng):
    X, y, ids, weight, data = tasks(rng, True, True)
    times = weight.astype(int)
    twice = make_data(np.repeat(X, times, axis=0), np.repeat(y, times), np.repeat(ids, times))
    theta = rng.normal(size=(4, 4))
    here, there = (passed(d).at(Logistic(), theta) for d in (data, twice))
    assert_allclose(here.gradient, there.gradient, rtol=1e-11)
    assert_allclose(here.count, there.count, rtol=1e-12)


def test_moments_of_held_rows_are_those_of_the_table(rng):
    X, y, ids, weight, data = tasks(rng, True, True)
    here = SerialRunner().run(MomentJob(), HeldRows(data))
    there = TaskMoments.from_rows(np.column_stack([X, ids]), y, task=3, sample_weight=weight)
    assert_allclose(here.shifted(there.shift).sums, there.sums, rtol=1e-10, atol=1e-12)
