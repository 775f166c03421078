"""The bundled table is the published one, and what its README says of it is true."""

import numpy as np
import pandas as pd
import pytest

from polytask.datasets import exam_path, load_exam


@pytest.fixture(scope="module")
def exam():
    return load_exam()


def test_shape_is_the_published_one(exam):
    sizes = exam.groupby("school").size()
    assert len(exam) == 4059
    assert len(sizes) == 65
    assert (sizes.min(), sizes.median(), sizes.max()) == (2, 60, 198)
    assert not exam.isna().any().any()


def test_equals_the_prepared_copy(exam, shared_data):
    prepared = pd.read_parquet(shared_data / "exam65" / "data.parquet")
    np.testing.assert_array_equal(exam["school"], prepared["task"])
    np.testing.assert_array_equal(exam["normexam"], prepared["target"])
    np.testing.assert_array_equal(exam[["standLRT", "schavg"]], prepared[["standLRT", "schavg"]])
    for column in ["vr", "intake", "sex", "type", "schgend"]:
        dummies = pd.get_dummies(exam[column], prefix=column)
        dummies.columns = dummies.columns.str.replace("%", "pct").str.replace(" ", "_")
        np.testing.assert_array_equal(dummies, prepared[dummies.columns])


def test_source_and_citation_lie_beside_the_table():
    text = exam_path().with_name("README.md").read_text(encoding="utf-8")
    assert "mlmRev" in text
    assert "Goldstein" in text
    assert all(f"`{column}`" in text for column in load_exam())


def test_school_columns_are_constant_inside_a_school(exam):
    school_columns = ["schgend", "schavg", "vr", "type"]
    assert (exam.groupby("school")[school_columns].nunique() == 1).all().all()


def test_schavg_is_the_mean_of_the_feature_not_of_the_target(exam):
    means = exam.groupby("school")["standLRT"].transform("mean")
    np.testing.assert_allclose(exam["schavg"], means, atol=1e-6)


def test_type_follows_from_schgend(exam):
    assert (exam.groupby("schgend")["type"].nunique() == 1).all()


def test_intake_bands_run_the_wrong_way(exam):
    reading = exam.groupby("intake")["standLRT"].mean()
    assert reading["bottom 25%"] > reading["mid 50%"] > reading["top 25%"]
