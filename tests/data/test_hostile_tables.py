"""Tables and weights that no estimator should meet: one error, the same from every door."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from polytask import MeanRegularizedRegressor, PooledRegressor, stack_tasks
from polytask.data import TaskMoments
from polytask.inspection import BoostedTreesRegressor, compare_tasks
from polytask.model_selection import TaskKFold

TWICE = "must have distinct column names; got 'a' more than once. Rename or remove the copies."


def repeated(names=("a", "a", "t")):
    rng = np.random.default_rng(0)
    values = [*rng.normal(size=(2, 12)), np.repeat([1.0, 2.0], 6)]
    arrow = pa.table([pa.array(column) for column in values], names=list(names))
    return arrow, pd.DataFrame(np.column_stack(values), columns=list(names)), rng.normal(size=12)


DOORS = {
    "fit": lambda X, y: MeanRegularizedRegressor(task="t").fit(X, y),
    "trees": lambda X, y: BoostedTreesRegressor(task="t").fit(X, y),
    "without a task": lambda X, y: PooledRegressor().fit(X, y),
    "partial_fit": lambda X, y: PooledRegressor(task="t").partial_fit(X, y),
    "moments": lambda X, y: TaskMoments.from_rows(X, y, task="t"),
    "compare": lambda X, y: compare_tasks({"pooled": None, "single-task": None}, X, y, task="t"),
    "splitter": lambda X, y: list(TaskKFold(task="t").split(X, y)),
    "stack": lambda X, y: stack_tasks({"a": (X, y)}),
    "wide y": lambda X, y: PooledRegressor().fit(np.ones((12, 2)), X),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("container", ["pandas", "pyarrow"])
def test_a_column_name_twice_is_one_error(door, container):
    arrow, frame, y = repeated()
    with pytest.raises(ValueError, match="A table " + TWICE):
        DOORS[door](frame if container == "pandas" else arrow, y)


def test_a_column_name_twice_is_the_same_error_in_a_file(tmp_path):
    arrow, _, y = repeated()
    pq.write_table(arrow.append_column("y", pa.array(y)), tmp_path / "t.parquet")
    with pytest.raises(ValueError, match=TWICE.split(" more")[0]):
        MeanRegularizedRegressor(task="t").fit_parquet(tmp_path / "t.parquet", target="y")


@pytest.mark.parametrize("door", sorted(set(DOORS) - {"stack"}))
def test_a_plan_is_no_table(door):
    _, frame, y = repeated(("a", "b", "t"))
    with pytest.raises(TypeError, match="must be in memory; got a LazyFrame"):
        DOORS[door](pl.from_pandas(frame).lazy(), y)


@pytest.mark.parametrize("container", ["array", "frame", "parquet"])
def test_half_floats_are_read_in_silence(container, tmp_path):
    _, frame, y = repeated(("a", "b", "t"))
    half = frame.astype(np.float16)
    X = half.to_numpy() if container == "array" else half
    if container == "parquet":
        half.to_parquet(tmp_path / "t.parquet")
        X = pd.read_parquet(tmp_path / "t.parquet")
    task = 2 if container == "array" else "t"
    model = PooledRegressor(0.1, task=task).fit(X, y)
    expected = PooledRegressor(0.1, task="t").fit(half.astype(np.float64), y)
    np.testing.assert_allclose(model.coef_, expected.coef_)
    assert model.tasks_.tolist() == [1, 2]


@pytest.mark.parametrize("weight", [1e-300, 1e300, 5e-324, 1e-13, 1e13, -1.0, -0.1, np.nan, np.inf])
@pytest.mark.parametrize("every", [True, False])
@pytest.mark.parametrize("door", ["fit", "trees", "partial_fit"])
def test_a_weight_that_rounding_would_decide_is_one_error(weight, every, door):
    _, frame, y = repeated(("a", "b", "t"))
    weights = np.full(12, weight) if every else np.r_[np.ones(11), weight]
    model = {"trees": BoostedTreesRegressor}.get(door, PooledRegressor)(task="t")
    with pytest.raises(
        ValueError, match=r"sample_weight.*(must be zero, or|NaN|infinity|negative)"
    ):
        getattr(model, "partial_fit" if door == "partial_fit" else "fit")(
            frame, y, sample_weight=weights
        )


@pytest.mark.parametrize("scale", [2e-12, 1e-6, 1.0, 1e6, 5e11])
@pytest.mark.parametrize("task_weight", ["equal", "size"])
def test_weights_inside_the_bounds_count_by_their_ratio(scale, task_weight):
    _, frame, y = repeated(("a", "b", "t"))
    weights = np.linspace(0.5, 2.0, 12)
    options = {"alpha": 0.1, "task": "t", "task_weight": task_weight}
    one, two = (
        MeanRegularizedRegressor(**options).fit(frame, y, sample_weight=w)
        for w in (weights, scale * weights)
    )
    np.testing.assert_allclose(two.coef_, one.coef_, rtol=1e-9)
    np.testing.assert_allclose(two.intercept_, one.intercept_, rtol=1e-9)


@pytest.mark.parametrize(
    "bad", [{"y": np.nan}, {"y": np.inf}, {"w": -1.0}, {"w": 0.0}, {"w": 1e300}]
)
def test_a_new_task_is_checked_as_in_fit(bad):
    _, frame, y = repeated(("a", "b", "t"))
    model = MeanRegularizedRegressor(0.1, task="t").fit(frame, y)
    new = frame.assign(t=3.0)
    weight = np.full(12, bad.get("w", 1.0))
    with pytest.raises(ValueError, match=r"Input y|sample_weight"):
        model.add_task(new, y * bad.get("y", 1.0), sample_weight=weight)
    assert model.tasks_.tolist() == [1, 2]
