"""A whole-number id that starts again in every task is told; a rating or a year is not."""

import subprocess

import numpy as np
import pandas as pd
import pytest

from polytask.tables import describe_table, make_task_table
from tests.multilevel.test_lme4 import has_r


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


def asked(table, *names, target="y", task_table=False):
    """What describe asks of crossed groupings, or what stands above a verdict."""
    groupings = [(name,) for name in names]
    if task_table:
        made = make_task_table(table, names[0], target, groupings=groupings)
        return [text for text in made.warnings if "given as crossed" in text]
    found = describe_table(table, names[0], target, groupings=groupings)
    return [f.text for f in found.findings if "given as crossed" in f.what]


def labs(own, common, repeats=2, seed=1, sizes=(3,)):
    """Batches 1, 2, ... in every lab, whose levels are its own or its number's."""
    rng = np.random.default_rng(seed)
    size = rng.choice(sizes, 15)
    lab = np.repeat(np.arange(15), size * repeats)
    bat = np.concatenate([np.tile(np.arange(k), repeats) for k in size])
    level = own * rng.normal(size=(15, 9)) + common * rng.normal(size=9)
    y = level[lab, bat] + rng.normal(size=15)[lab] + rng.normal(size=len(lab))
    return pd.DataFrame({"Lab": lab, "Bat": bat + 1, "x": rng.normal(size=len(lab)), "y": y})


@pytest.mark.parametrize("sizes", [(3,), (2, 3, 4, 5)])
@pytest.mark.parametrize("texts", [False, True])
def test_crossed_ids_that_start_again_are_asked_about(sizes, texts):
    table = labs(3.0, 0.0, sizes=sizes)
    if texts:
        table["Bat"] = "b" + table["Bat"].astype(str)
    for names in (("Lab", "Bat"), ("Bat", "Lab")):
        (question,) = asked(table, *names)
        assert "write Lab/Bat" in question
        assert asked(table, *names, task_table=True) == [question]
    combined = describe_table(table, "Lab", "y", groupings=[("Lab",), ("Lab", "Bat")])
    assert not [f for f in combined.findings if "given as crossed" in f.what]


@pytest.mark.parametrize(("own", "common", "repeats"), [(0, 3, 2), (0, 0, 3), (1, 9, 3), (3, 0, 1)])
def test_crossed_ids_that_mean_the_same_are_not(own, common, repeats):
    # and none are of which every combination has one row, as of plates and samples
    assert not asked(labs(own, common, repeats), "Lab", "Bat")


@pytest.mark.parametrize(
    ("name", "target", "ids", "drop", "nested"),
    [("Pastes", "strength", ("batch", "cask"), ["sample"], True),
     ("Oats", "Y", ("B", "V"), [], True),
     ("Pixel", "pixel", ("Dog", "Side"), [], True),
     ("Penicillin", "diameter", ("plate", "sample"), [], False),
     ("Machines", "score", ("Worker", "Machine"), [], False)],
)  # fmt: skip
@pytest.mark.slow
def test_of_published_tables_those_with_names_inside(tmp_path, name, target, ids, drop, nested):
    if not has_r("lme4 nlme MASS"):
        pytest.skip("needs Rscript with lme4, nlme and MASS, whose tables these are")
    wanted = {"Oats": "MASS::oats", "Pixel": "nlme::Pixel", "Machines": "nlme::Machines"}
    data = wanted.get(name, f"lme4::{name}")
    write = f"write.csv(as.data.frame({data}), 'table.csv', row.names = FALSE)"
    subprocess.run(["Rscript", "-e", write], check=True, capture_output=True, cwd=tmp_path)
    table = pd.read_csv(tmp_path / "table.csv").drop(columns=drop)
    assert len(asked(table, *ids, target=target)) == nested
