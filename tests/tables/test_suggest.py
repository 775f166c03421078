"""What is guessed of a table: the task, the target, what to leave out."""

import numpy as np
import pandas as pd
import pytest

from polytask.datasets import load_exam
from polytask.tables import TableError, suggest


@pytest.fixture
def visits(rng):
    """Twenty clinics with levels of their own, and columns that must not be learned from."""
    n = 400
    clinic = rng.integers(0, 20, n)
    y = rng.normal(size=20)[clinic] + rng.normal(size=n)
    return pd.DataFrame({
        "patient_id": np.arange(n) + 1,
        "clinic": clinic,
        "clinic name": [f"c{k}" for k in clinic],
        "age": rng.integers(20, 80, n),
        "female": rng.integers(0, 2, n),
        "stay": y,
        "stay in hours": 24 * y,
        "seen": pd.date_range("2024-01-01", periods=n).strftime("%Y-%m-%d"),
        "level": ["high", *rng.integers(0, 9, n - 1).astype(str)],
    })  # fmt: skip


def test_the_bundled_table():
    found = suggest(load_exam())
    assert (found.task, found.target, found.kind) == ("school", "normexam", "regression")
    assert [name for name, _ in found.left_out] == ["student"]
    assert found.features is None  # what is left out is so by itself
    assert {t.name: t.concern for t in found.tasks}["sex"] == "2 values are few: rather a feature"


def test_columns_that_must_not_be_learned_from(visits):
    found = suggest(visits, target="stay")
    assert found.task == "clinic name"  # of two that say the same, the text
    reasons = dict(found.left_out)
    assert "gives the target 'stay' away" in reasons["stay in hours"]
    assert "names, not amounts" in reasons["clinic"]
    assert reasons["seen"] == "it holds dates"
    assert "counts the rows" in reasons["patient_id"]
    assert "text among its numbers" in reasons["level"]
    assert found.features == ("age", "female")
    assert found.target_reason == "as you said"


def test_the_share_is_that_beyond_chance(visits):
    shares = {t.name: t.share for t in suggest(visits, target="stay").tasks}
    assert 0.3 < shares["clinic"] < 0.7  # the truth is one half
    assert shares["age"] < 0.1  # sixty levels of chance


def test_a_target_without_a_telling_name(visits):
    assert suggest(visits).target == "stay"  # the first with fractions
    found = suggest(visits[["clinic", "age", "female"]])
    assert (found.target, found.kind) == ("female", "classification")
    assert found.other_targets == ("age",)


def test_nothing_is_made_up(visits):
    found = suggest(visits[["stay", "age", "female"]].assign(age=visits["age"] + 0.5))
    assert found.task is None  # 0 and 1 are no tasks unless asked for
    assert suggest(visits[["stay", "female"]], task="female").task == "female"
    with pytest.raises(TableError, match="must hold a column to predict"):
        suggest(visits[["seen", "clinic"]])
    with pytest.raises(TableError, match="Did you mean 'stay'"):
        suggest(visits, target="stays")


def test_a_class_that_another_column_repeats(visits):
    table = visits[["clinic", "age"]].assign(outcome=np.where(visits["stay"] > 0, "long", "short"))
    table["copy"] = table["outcome"].str.upper()
    found = suggest(table)
    assert (found.target, found.kind, found.features) == ("outcome", "classification", ("age",))
    assert "gives the target 'outcome' away" in dict(found.left_out)["copy"]
