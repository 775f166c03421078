"""Dates have no numbers of their own: no array turns them into some."""

import numpy as np
import pandas as pd
import pytest

from polytask import (
    MeanRegularizedRegressor,
    MultilevelRegressor,
    PooledRegressor,
    SharedTreesRegressor,
    TaskMoments,
)

TASK, DAYS = np.repeat(np.arange(6), 5), np.arange(30).astype("datetime64[D]")
SAYS = "must hold numbers; .* holds? dates or spans of time. Turn them into numbers"


@pytest.mark.parametrize("span", [False, True])
@pytest.mark.parametrize(
    "Model",
    [MeanRegularizedRegressor, MultilevelRegressor, PooledRegressor, SharedTreesRegressor],
)
def test_dates_among_the_features(Model, span):
    X = pd.DataFrame({"x": DAYS - DAYS[0] if span else DAYS, "t": TASK})
    with pytest.raises(TypeError, match=f"{Model.__name__}: X {SAYS}"):
        Model(task="t").fit(X, np.arange(30.0))
    with pytest.raises(TypeError, match=f"{Model.__name__}: X {SAYS}"):
        Model(task="t").fit(X.assign(x=1.0), np.arange(30.0)).predict(X)


def test_an_array_of_dates():
    with pytest.raises(TypeError, match=f"X {SAYS}"):
        PooledRegressor().fit(DAYS[:, None], np.arange(30.0))


@pytest.mark.parametrize("Model", [MeanRegularizedRegressor, MultilevelRegressor])
def test_dates_as_the_target(Model):
    X = np.column_stack([np.arange(30.0), TASK])
    for y in (DAYS, pd.Series(DAYS)):
        with pytest.raises(TypeError, match=f"{Model.__name__}: y {SAYS}"):
            Model(task=1).fit(X, y)


def test_dates_in_moments():
    X = np.column_stack([np.arange(30.0), TASK])
    with pytest.raises(TypeError, match=f"y {SAYS}"):
        TaskMoments.from_rows(X, DAYS, task=1)


def test_times_and_events_say_where_they_belong():
    y = np.zeros(30, dtype=[("event", bool), ("time", float)])
    with pytest.raises(ValueError, match=r"one value a row.*'event', 'time'.*end in Survival"):
        MeanRegularizedRegressor(task=1).fit(np.column_stack([np.arange(30.0), TASK]), y)
