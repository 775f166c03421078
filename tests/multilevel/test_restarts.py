"""A whole-number id that starts again in every task is told; a rating or a year is not."""

import numpy as np
import pandas as pd
import pytest

from polytask.tables import describe_table


def told(table, **more):
    found = describe_table(table, "school", "score", **more)
    return [f for f in found.findings if "it looks like an id inside" in f.what]


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    school = np.repeat(np.arange(20), 30)
    klass = 1 + np.tile(np.repeat(np.arange(3), 10), 20)
    x = rng.normal(size=600)
    noise = rng.normal(size=600)
    return pd.DataFrame({"school": school, "class": klass, "x": x, "score": x + noise})


def test_classes_that_differ_are_told(table):
    effect = np.random.default_rng(1).normal(size=(20, 4))
    table["score"] += effect[table["school"], table["class"]]
    (found,) = told(table)
    assert "'class'" in found.what
    assert "--task school/class" in found.remedy
    assert not told(table, groupings=[("school",), ("school", "class")])
    nested = describe_table(table, "school", "score", groupings=[("school",), ("school", "class")])
    assert nested.groupings == {"school/class": 60}
    assert "class" not in nested.columns["name"].tolist()


@pytest.mark.parametrize("slope", [0.0, 1.0])
def test_ratings_are_not(table, slope):
    table["score"] += slope * table["class"]
    assert not told(table)
