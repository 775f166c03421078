"""Dates in the ways that people write them: recognised, left out, and in their order."""

import numpy as np
import pandas as pd
import pytest

from polytask.tables import make_task_table
from polytask.tables.columns import inspect_column
from polytask.tables.dependence import times_of

DAYS = pd.date_range("2019-01-03", periods=60, freq="9D")
WAYS = {
    "03-Jan-2019": "%d-%b-%Y", "3.1.2019": "%d.%m.%Y", "2019/01/03": "%Y/%m/%d",
    "20190103": "%Y%m%d", "January 03, 2019": "%B %d, %Y", "03 January 2019": "%d %B %Y",
    "Thu 03 Jan 2019": "%a %d %b %Y", "03/01/2019 00:00": "%d/%m/%Y %H:%M",
    "01/03/2019 12:00 AM": "%m/%d/%Y %I:%M %p", "ISO": "%Y-%m-%dT%H:%M:%SZ",
    "01/03/19": "%m/%d/%y", "03.01.19": "%d.%m.%y",
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_dates_are_in_their_order(way):
    """05.06. was a day in May where 13.06. was one in June."""
    text = pd.Series(DAYS.strftime(WAYS[way]), name="seen")
    assert inspect_column(text).kind == "date"
    order = np.random.default_rng(0).permutation(len(text))
    times = times_of(text.iloc[order].reset_index(drop=True))
    np.testing.assert_array_equal(np.argsort(times), np.argsort(order))
    np.testing.assert_allclose(np.diff(np.sort(times)), 9 * 86400e6)


@pytest.mark.parametrize("way", WAYS)
def test_dates_are_left_out_and_told(way):
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"shop": list("abc") * 20, "x": rng.normal(size=60)})
    table["seen"] = DAYS.strftime(WAYS[way])
    table["y"] = rng.normal(size=60)
    made = make_task_table(table, "shop", "y")
    assert list(made.X.columns.drop("shop", errors="ignore")) == ["x"]
    assert any("'seen' was left out" in note for note in made.notes)
