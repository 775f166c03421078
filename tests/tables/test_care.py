"""What makes an answer wrong is found, and what chance does is not."""

import numpy as np
import pandas as pd
import pytest

from polytask.tables import describe_table, make_task_table, suggest
from polytask.tables.care import FAR, HUNDREDFOLD, TENTH, _in_one_unit, _is_narrow, spread_by_task
from polytask.tables.wide import TASK, VALUE, melt_targets

RNG = np.random.default_rng(0)
N = 400


def people():
    return pd.DataFrame(
        {
            "person": RNG.integers(0, 20, N),
            "age": RNG.integers(18, 80, N),
            "a": RNG.integers(1, 900, N),
            "b": RNG.integers(1, 900, N),
            "answer": RNG.choice(["yes", "maybe", "no"], N),
            "place": RNG.choice(["north", "south", "east"], N),
        }
    )


def told(table, target, task="person", **more):
    """Warnings of the table made ready, which are those that `describe` tells."""
    found = make_task_table(table, task, target, **more).warnings
    described = [f.text for f in describe_table(table, task, target, **more).findings]
    assert set(found) <= set(described)
    return " ".join(found)


def test_a_label_s_text_fixes_the_target():
    table = people()
    table["agrees"] = (table["answer"] != "no").astype(int)
    assert told(table, "agrees").startswith("'answer' fixes the target: each of its values")
    table["answer"] = table["answer"].where(RNG.random(N) < 0.7)  # a gap is a label, too
    table["agrees"] = (table["answer"].isna()).astype(int)
    assert "'answer' fixes" in told(table, "agrees")


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (lambda t: t["a"] + t["b"], "'a', 'b' together"),
        (lambda t: t["a"] - 2.5 * t["b"] + 7, "'a', 'b' together"),
        (lambda t: (t["a"] * t["b"] / 100).round(2), "'a', 'b' together"),
        (lambda t: t["a"] / t["b"], "'a', 'b' together"),
        (lambda t: t["a"] + t["b"] + 1000 * t["person"], "'a', 'b' together"),
        (lambda t: 1.8 * t["a"] + 32, "'a' fixes"),
        (lambda t: t["a"] + 5000 * t["person"], "'a' fixes"),
        (lambda t: t["a"] * (1 + t["person"]) - 7 * t["person"], "'a' fixes the target: in each"),
        (lambda t: np.log(t["a"]), "'a' fixes"),
        (lambda t: t["a"] ** 3, "'a' fixes"),
        (lambda t: (t["a"] > 450).astype(int), "'a' fixes"),
        (lambda t: t["answer"].map({"yes": 3.5, "maybe": 2.25, "no": 7.5}), "'answer' fixes"),
    ],
)
def test_parts_products_and_orders_fix_the_target(make, names):
    table = people()
    assert told(table.assign(y=make(table)), "y").startswith(names)


def test_numbers_of_all_rows_in_any_order_are_a_finding():
    rng = np.random.default_rng(3)
    table = people().assign(case=rng.permutation(N) + 1, y=rng.normal(size=N))
    table = table[["person", "case", "y"]]
    found = " ".join(f.text for f in describe_table(table, "person", "y").findings)
    assert "nearly all distinct inside a task: 'case'" in found


def test_where_a_number_is_missing_may_fix_the_target():
    table = people().assign(x=RNG.normal(size=N), y=RNG.integers(0, 2, N))
    table.loc[table["y"] == 1, "x"] = np.nan
    assert "'x' fixes the target: where it is missing" in told(table, "y")


@pytest.mark.slow
def test_what_chance_does_is_not_told():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        table = people()
        table["rare"] = (rng.random(N) < 0.02).astype(int)
        table["code"] = rng.integers(0, 250, N).astype(str)
        table["y"] = 0.5 * table["a"] + rng.normal(size=N) * 100
        assert told(table, "rare", features=["age", "a", "answer", "code"]) == ""
        assert told(table, "y", features=["age", "a", "answer", "place"]) == ""


def test_a_scale_that_differs_a_hundredfold_between_tasks():
    table = people().assign(x=RNG.normal(size=N), y=RNG.normal(size=N))
    assert told(table, "y") == ""
    table.loc[table["person"] == 3, "x"] *= 300
    words = told(table, "y")
    assert "'x' varies" in words
    assert "in task 3 as" in words
    assert "logarithm" in words
    table["x"] = 1 + 0.3 * np.where(table["person"] == 3, 0.001, 1) * RNG.normal(size=N)
    assert told(table, "y") == ""  # nearly constant in a task, in the same unit


def test_a_few_cells_in_another_unit():
    table = people().assign(x=RNG.normal(size=N), y=RNG.normal(size=N))
    table.loc[[5, 70], "x"] = [160.0, -95.0]
    assert "2 cells of 'x' far from all others, such as 160 in row 6" in told(table, "y")
    heavy = people().assign(x=np.exp(1.5 * RNG.normal(size=N)), y=RNG.normal(size=N))
    assert told(heavy, "y") == ""


@pytest.mark.parametrize("n", [1, 2, 3, 4, 6, 9, 14, 50, 51, 52, 53, 400])
def test_what_is_narrow_has_no_cell_far_from_the_middle_half(n):
    narrow = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        x = rng.choice([rng.normal(size=n), rng.standard_t(2, n), rng.integers(0, 3, n)])
        if _is_narrow(x):
            narrow += 1
            low, middle, high = np.quantile(x, [0.25, 0.5, 0.75])
            assert np.abs(x - middle).max() <= FAR * (high - low)
    assert n < 9 or narrow > 20


def test_what_is_in_one_unit_by_squares_is_by_medians_too():
    sure = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        code = rng.integers(5, size=rng.choice([40, 300, 3000]))
        x = rng.choice([rng.normal(size=len(code)), rng.standard_t(2, len(code))])
        x = x * 10.0 ** rng.uniform(0, rng.choice([0.0, 1.0, 3.0]), 5)[code]
        x[rng.integers(len(x), size=3)] *= rng.choice([1.0, 1e4])
        x += rng.choice([0.0, 50.0])
        x[rng.integers(len(x), size=2)] = np.nan
        if _in_one_unit(x, code):
            sure += 1
            spread = spread_by_task(x, code)
            size = pd.Series(x).abs().groupby(code).mean()[spread.index]
            unit = spread.clip(lower=TENTH * size)
            assert unit.max() < HUNDREDFOLD * unit.min()
    assert 50 < sure < 250


def test_a_target_in_another_unit_and_one_with_a_tail():
    table = people().assign(y=100 + 10 * RNG.normal(size=N))
    assert told(table, "y") == ""
    table.loc[9, "y"] = 10_250.0
    words = told(table, "y")
    assert "1 value of 'y' far from all others of its task, such as 10250 in row 10" in words
    assert "--loss huber" in words
    for seed in range(20):
        heavy = people().assign(y=np.exp(1.5 * np.random.default_rng(seed).normal(size=N)))
        assert "far from" not in told(heavy, "y")


def test_a_cell_of_a_wide_table_is_one_cell():
    wide = pd.DataFrame(RNG.normal(size=(60, 3)), columns=["a", "t1", "t2"])
    wide.loc[33, "a"] = 4000.0
    long, _ = melt_targets(wide, ["t1", "t2"])
    assert "1 cell of 'a' far from all others, such as 4000 in row 34" in told(long, VALUE, TASK)


def test_places_that_are_constant_in_a_task_make_no_rating_a_person():
    """Of means of equal numbers rounding is left, which ratings inside a task seemed to explain."""
    rng = np.random.default_rng(3)
    shop = np.repeat(np.arange(60), rng.integers(3, 18, 60))
    places = pd.DataFrame(22 + rng.normal(size=(60, 4)), columns=list("abcd"))
    table = places.iloc[shop].reset_index(drop=True).assign(shop=shop)
    table["food"], y = rng.integers(0, 3, len(shop)), rng.normal(size=len(shop))
    assert "much alike" not in told(table.assign(y=y), "y", "shop")


def test_labels_that_differ_by_blanks_and_case():
    table = people().assign(y=RNG.normal(size=N))
    table.loc[::3, "place"] = table["place"].str.upper()
    table.loc[::7, "place"] += " "
    words = told(table, "y")
    assert "Labels in 'place'" in words
    assert "'NORTH', 'NORTH ', 'north', 'north '" in words
    shops = people().assign(shop=RNG.choice(["Köln", "Koln", "Bonn"], N), y=RNG.normal(size=N))
    assert "Labels in 'shop' that differ" in told(shops, "y", "shop")


def test_labels_that_may_stand_for_a_gap():
    table = people().assign(y=RNG.normal(size=N))
    table.loc[::9, "place"] = "NA"
    words = told(table, "y")
    assert "Labels in 'place' that may stand for a gap: 'NA'. If so, say --missing NA." in words


def test_rows_that_are_totals():
    table = people().assign(y=RNG.normal(size=N), shop=RNG.choice(list("abcd"), N))
    table.loc[[9, 99], "shop"] = "Total"
    assert "'shop' holds 'Total'" in told(table, "y", "shop")
    table = table[table["shop"] != "Total"].reset_index(drop=True)
    table.loc[len(table) - 1, "y"] = table["y"].iloc[:-1].sum()
    assert f"row {len(table)} is the sum of all others" in told(table, "y", "shop")
    by_month = pd.DataFrame(
        {"month": np.tile(np.arange(30), 3), "shop": np.repeat(list("abc"), 30)}
    )
    by_month["y"] = RNG.integers(1, 99, 90).astype(float)
    by_month["x"] = RNG.normal(size=90)
    whole = by_month.groupby("month", as_index=False)["y"].sum().assign(shop="UK", x=0.5)
    whole["x"] = RNG.normal(size=30)
    joined = pd.concat([by_month, whole], ignore_index=True)
    assert "task UK sums to that of all other tasks" in told(joined, "y", "shop", features=["x"])


def test_other_outcomes_are_not_features():
    table = people()
    noise = np.random.default_rng(1).normal(size=(4, N))
    score = 2 * table["age"] + 30 * noise[0]
    table = table.assign(
        score=score,
        score_food=score + score.std() * noise[1],
        twin=1.01 * score + 0.1 * score.std() * noise[2],
        score_noise=noise[3],
    )
    found = told(table, "score")
    assert "'score_food' is called like the target 'score'" in found
    assert "'twin' is nearly a copy of the target 'score'" in found
    assert "score_noise" not in found
    assert "'age'" not in found


@pytest.mark.parametrize("name", ["placeID", "zip", "shop_id", "Postcode", "student"])
def test_numbers_that_are_names_are_no_amounts_by_either_command(name):
    table = people().assign(**{name: RNG.integers(100, 130, N)})
    made = make_task_table(table, "person", "age")
    assert name not in made.numeric
    assert any(name in note and "names, not amounts" in note for note in made.notes)
    assert name in dict(suggest(table, task="person", target="age").left_out)
    assert name in make_task_table(table, "person", "age", features=[name]).numeric


def test_other_whole_numbers_are_amounts():
    table = people().assign(customers=RNG.integers(100, 130, N))
    assert "customers" in make_task_table(table, "person", "age").numeric


def test_invisible_marks_make_no_other_label():
    table = people().assign(place=RNG.choice(["\u200bnorth", "north", "\ufeffsouth", "south"], N))
    assert "differ by blanks" in told(table, "age")


def test_hits_beside_a_share_of_trials_are_told():
    """Docs ask for the share and its trials as weight; the counts often stay in the table."""
    table = people()
    table["trials"] = RNG.integers(5, 40, N)
    table["hits"] = RNG.binomial(table["trials"], 0.3)
    table["misses"] = table["trials"] - table["hits"]
    table["share"] = table["hits"] / table["trials"]
    words = told(table, "share", weights="trials")
    assert "'hits' over the weights fixes" in words
    assert "'misses' over the weights fixes" in words
    assert "over the weights" not in told(table.drop(columns=["hits", "misses"]), "share",
                                          weights="trials")  # fmt: skip


def test_a_table_of_counts_is_told():
    """R's housing: a row for each level of satisfaction in each cell, and how many chose it."""
    cells = pd.MultiIndex.from_product([range(4), ["a", "b"], ["x", "y", "z"], ["no", "so", "yes"]])
    table = cells.to_frame(index=False, name=["person", "kind", "place", "answer"])
    table["n"] = RNG.integers(1, 40, len(table))
    assert "Rows seem to be counts" in told(table, "answer", weights="n")
    long = table.loc[table.index.repeat(table["n"])]
    assert "Rows seem to be counts" not in told(long.assign(n=1), "answer", weights="n")
    table["size"] = RNG.normal(size=len(table))  # combinations that do not recur
    assert "Rows seem to be counts" not in told(table, "answer", weights="n")
