"""Tables on which answers were wrong once, with the right ones."""

import random

import numpy as np
import pandas as pd
import pytest

from polytask.tables import describe_table, make_task_table, read_table


def test_thousands_points_beside_numbers_below_a_thousand(tmp_path):
    rng = np.random.default_rng(0)
    area = rng.integers(300, 9000, 200)
    rows = [
        f"F{i % 8};{a:,}".replace(",", ".")
        + f";{2.5 * a / 1000 + rng.normal():.2f}".replace(".", ",")
        for i, a in enumerate(area)
    ]
    (tmp_path / "shops.csv").write_text("shop;area;sales\n" + "\n".join(rows))
    table, notes = read_table(tmp_path / "shops.csv")
    got = make_task_table(table, "shop", "sales").X["area"]
    np.testing.assert_array_equal(got, area)
    assert "Thousands marks were read as such in 'area'" in " ".join(notes)


def numbered(path, name, hole=-1):
    rng = random.Random(1)
    lines = [f"{name},clinic,dose,score"]
    for i in range(200):
        score = "" if i == hole else f"{0.1 * i + rng.gauss(0, 1):.3f}"
        lines.append(f"{i + 1},{'abcde'[i % 5]},{rng.gauss(0, 1):.3f},{score}")
    path.write_text("\n".join(lines) + "\n")
    return read_table(path)[0]


@pytest.mark.parametrize("name", ["", "rownames", "X", "index", "case", "week"])
@pytest.mark.parametrize("hole", [-1, 50])
def test_a_row_counter_is_no_feature(tmp_path, name, hole):
    table = numbered(tmp_path / "t.csv", name, hole)
    ready = make_task_table(table, "clinic", "score")
    assert ready.features == ("dose",)
    assert any("counts the rows" in note for note in ready.notes)
    told = " ".join(f.what for f in describe_table(table, "clinic", "score").findings)
    assert "counts the rows" in told
    asked = make_task_table(table, "clinic", "score", features=[table.columns[0], "dose"])
    assert len(asked.numeric) == 2


def test_dates_are_no_categories(tmp_path):
    days = pd.date_range("2020-01-01", periods=204)
    ways = {
        "month in words": days.strftime("%d-%b-%Y"),
        "American": [f"{d.month}/{d.day}/{d.year % 100}" for d in days],
        "month": days.strftime("%Y-%m"),
        "compact": days.strftime("%Y%m%d"),
        "time": days.strftime("%Y-%m-%d %H:%M"),
        "zone": days.strftime("%Y-%m-%dT%H:%M:%S+01:00"),
        "German": days.strftime("%d.%m.%y"),
        "quarter": [f"{d.year}Q{d.quarter}" for d in days],
        "week": days.strftime("%G-W%V"),
        "weekday": days.strftime("%A, %d %B %Y"),
    }
    table = pd.DataFrame(ways).assign(
        t=np.arange(204) % 6, x=np.arange(204) % 7, y=np.arange(204) % 11
    )
    table.to_csv(tmp_path / "t.csv", index=False)
    read, _ = read_table(tmp_path / "t.csv", as_text=lambda name: name == "t")
    assert make_task_table(read, "t", "y").features == ("x",)
