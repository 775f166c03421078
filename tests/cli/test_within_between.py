"""Slopes inside and between tasks apart: the means of features by task as features."""

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

from polytask import PooledRegressor, WithinBetween
from polytask.tables import make_task_table


def two_slopes(seed=0, m=40, n=20):
    """y changes by .5 a unit of x inside a task, by 2.5 between their means."""
    rng = np.random.default_rng(seed)
    task = np.repeat([f"t{i:02d}" for i in range(m)], n)
    level = np.repeat(rng.normal(size=m), n)
    x = level + rng.normal(size=m * n)
    return pd.DataFrame({"task": task, "x": x, "y": 0.5 * x + 2 * level + rng.normal(size=m * n)})


def test_both_slopes_are_found_where_one_coefficient_mixes_them():
    table = two_slopes()
    X, y = table[["x", "task"]], table["y"]
    pooled = PooledRegressor(alpha=0.0, task="task")
    mixed = pooled.fit(X, y).coef_[0, 0]
    apart = make_pipeline(WithinBetween(["x"], task="task"), pooled).fit(X, y)[-1].coef_[0]
    means = X.groupby("task")["x"].transform("mean")
    by_hand = np.linalg.lstsq(np.column_stack([X["x"], means, np.ones(len(X))]), y, rcond=None)[0]
    np.testing.assert_allclose(apart, by_hand[:2], rtol=1e-8)
    assert mixed > 2 * apart[0]


def test_means_are_those_of_training_and_of_the_rows_at_hand_for_a_new_task():
    train = pd.DataFrame({"x": [1.0, 3.0, np.nan, np.nan], "task": ["a", "a", "a", "b"]})
    made = WithinBetween(["x"], task="task").fit(train)
    rows = {"x": [9.0, 9.0, 5.0, 7.0], "task": ["a", "b", "new", "new"]}
    rows = pd.DataFrame(rows, index=[4, 2, 7, 1])
    assert made.transform(rows)["mean of x by task"].tolist() == [2.0, 2.0, 6.0, 6.0]
    assert list(made.transform(rows).index) == [4, 2, 7, 1]


def test_a_task_column_may_have_a_slash_in_its_name():
    table = pd.DataFrame({"x": [1.0, 3.0, 5.0], "a": [1, 2, 3], "a/b": ["k", "k", "l"]})
    made = WithinBetween(["x"], task="a/b").fit_transform(table)
    assert made["mean of x by a/b"].tolist() == [2.0, 2.0, 5.0]


@pytest.mark.parametrize(
    ("columns", "table", "said"),
    [
        (["z"], {"x": [1.0], "task": ["a"]}, "'z'"),
        (["x"], {"x": ["low"], "task": ["a"]}, "must hold numbers"),
        (["x"], {"x": [1.0], "task": ["a"], "mean of x by task": [1.0]}, "Rename it"),
        ("x", {"x": [1.0], "task": ["a"]}, "list of names"),
    ],
)
def test_what_has_no_mean_is_refused(columns, table, said):
    with pytest.raises(ValueError, match=said):
        WithinBetween(columns, task="task").fit(pd.DataFrame(table))


def test_a_table_is_warned_of_two_slopes_until_it_is_told():
    table = two_slopes()
    assert any(
        "--within-between x" in text for text in make_task_table(table, "task", "y").warnings
    )
    told = make_task_table(table, "task", "y", within_between=["x"])
    assert told.within_between == ("x",)
    assert not any("--within-between" in text for text in told.warnings)


def test_the_command_splits_slopes(polytask, tmp_path):
    path = tmp_path / "table.csv"
    words = ["--task", "task", "--target", "y", "--within-between"]
    table = two_slopes(m=12, n=10)
    table.to_csv(path, index=False)
    alone = PooledRegressor(alpha=0.0, task="task").fit(table[["x", "task"]], table["y"])
    alone = ((alone.predict(table[["x", "task"]]) - table["y"]) ** 2).mean()
    fit = polytask("fit", path, *words, "x", "--model", "pooled", "--out", tmp_path / "m.skops")
    assert fit.code == 0, fit.err
    answer = polytask("predict", tmp_path / "m.skops", path, "--out", tmp_path / "p.csv")
    assert answer.code == 0, answer.err
    found = pd.read_csv(tmp_path / "p.csv")
    assert ((found["prediction"] - found["y"]) ** 2).mean() < 0.8 * alone
    answer = polytask("fit", path, *words, "task", "--model", "pooled")
    assert answer.code == 2
    assert "--within-between must name a column of the table; got 'task'" in answer.err
