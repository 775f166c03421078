"""Models go to disk and come back with the same answers; strangers' files do not come in."""

import json
import zipfile
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.base import BaseEstimator, clone
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from polytask.cli.saved_model import CARD, load_model, save_model
from polytask.sources.prepare import level_name
from polytask.tables import make_task_table

TASK = ["--task", "site, nr"]


class Stranger(BaseEstimator):
    """A type that nobody vouches for."""

    def predict(self, X):
        return np.zeros(len(X))


@pytest.fixture(scope="module")
def model(polytask, place):
    out = place / "mean.skops"
    answer = polytask("fit", place / "table.csv", *TASK, "--target", "score", "--out", out,
                      "--features", "größe,dose,arm")  # fmt: skip
    assert answer.code == 0, answer.err
    assert "fitted on 112 rows of 8 tasks" in answer.out
    return out


def predictions(polytask, model, table, out, *more):
    answer = polytask("predict", model, table, "--out", out, *more)
    assert answer.code == 0, answer.err
    return pd.read_parquet(out) if str(out).endswith("parquet") else pd.read_csv(out)


def test_predictions_are_those_of_the_pipeline(polytask, place, model, related, tmp_path):
    found = predictions(polytask, model, place / "table.csv", tmp_path / "p.csv")
    X = make_task_table(related, "site, nr", "score", features=["größe", "dose", "arm"]).X
    pipeline, card = load_model(model)
    np.testing.assert_allclose(found["prediction_2"], pipeline.predict(X), rtol=1e-10)
    assert found["prediction"].tolist() == related["prediction"].tolist()
    assert not found["unseen_task"].any()
    assert card.rows == 112
    assert card.tasks == tuple(range(1, 9))


def test_files_from_before_a_move_are_read(polytask, place, model, tmp_path):
    """A preparer that lived elsewhere, and the column transformer that came before it."""
    pipeline, card = load_model(model)
    X = pd.DataFrame({"a": [1.0, 2.0, 4.0], "sex": ["F", "M", "F"], "task": [1, 1, 2]})
    one_hot = OneHotEncoder(feature_name_combiner=level_name, sparse_output=False)
    before = ColumnTransformer([("sex", one_hot, ["sex"])], verbose_feature_names_out=False)
    for made in (pipeline, Pipeline([("prepare", before.fit(X))])):
        save_model(made, card, tmp_path / "now.skops", "")
        with zipfile.ZipFile(tmp_path / "now.skops") as now:
            content = {name: now.read(name) for name in now.namelist()}
        home = b"polytask.sources.prepare"
        old = b"polytask.streaming.prepare" if made is pipeline else b"polytask.tables.preprocess"
        assert home in content["schema.json"]
        content["schema.json"] = content["schema.json"].replace(home, old)
        with zipfile.ZipFile(tmp_path / "old.skops", "w") as file:
            for name, value in content.items():
                file.writestr(name, value)
        found, _ = load_model(tmp_path / "old.skops")
        assert type(found[0]) is type(made[0])
    assert found["prepare"].get_feature_names_out().tolist() == ["sex=F", "sex=M"]


def test_files_from_before_a_parameter_are_read(polytask, place, model, related, tmp_path):
    pipeline, card = load_model(model)
    X = make_task_table(related, "site, nr", "score", features=["größe", "dose", "arm"]).X
    expected = pipeline.predict(X)
    del pipeline[-1].task_weight
    save_model(pipeline, card, tmp_path / "old.skops", "")
    found, _ = load_model(tmp_path / "old.skops")
    assert found[-1].task_weight == clone(found[-1]).task_weight == "auto"
    np.testing.assert_array_equal(found.predict(X), expected)


def test_csv_and_parquet_give_the_same(polytask, place, model, tmp_path):
    one = predictions(polytask, model, place / "table.csv", tmp_path / "p.parquet")
    two = predictions(polytask, model, place / "table.parquet", tmp_path / "q.parquet")
    np.testing.assert_allclose(one["prediction_2"], two["prediction_2"], rtol=1e-10)


def test_other_columns_pass_letter_by_letter(polytask, model, tmp_path):
    (tmp_path / "t.csv").write_text(
        'code,"site, nr",größe,dose,arm\n007,1,0.5,,a\n010,2.0,1,2,new\n', encoding="utf-8"
    )
    predictions(polytask, model, tmp_path / "t.csv", tmp_path / "p.csv")
    lines = (tmp_path / "p.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == 'code,"site, nr",größe,dose,arm,prediction,unseen_task'
    assert lines[1].startswith("007,1,0.5,")
    assert lines[2].startswith("010,2.0,1")


def test_commas_of_other_columns_are_points_in_what_is_written(polytask, model, tmp_path):
    (tmp_path / "t.csv").write_text(
        "code;site, nr;größe;dose;arm;price\n007;1;0,5;;a;1,25\n010;2;1;2;b;2,5\n", encoding="utf-8"
    )
    made = predictions(polytask, model, tmp_path / "t.csv", tmp_path / "p.parquet")
    assert made["price"].tolist() == [1.25, 2.5]
    assert made["code"].tolist() == ["007", "010"]


def test_unseen_tasks(polytask, related, model, tmp_path):
    table = related.astype({"site, nr": object})
    table.loc[:1, "site, nr"] = ["north", None]
    table.to_csv(tmp_path / "t.csv", index=False)
    answer = polytask("predict", model, tmp_path / "t.csv", "--out", tmp_path / "p.csv")
    assert answer.code == 2
    assert "--unseen must be 'common'" in answer.err
    assert "'north'" in answer.err
    assert "2 rows" in answer.err
    assert not (tmp_path / "p.csv").exists()
    found = predictions(
        polytask, model, tmp_path / "t.csv", tmp_path / "p.csv", "--unseen", "common"
    )
    assert found["unseen_task"].tolist() == [True, True, *[False] * 110]
    assert found["prediction_2"].notna().all()


@pytest.mark.parametrize("name", ["mean-regularized", "gradient-boosting"])
def test_classification(polytask, place, name, tmp_path):
    out = tmp_path / "m.skops"
    answer = polytask("fit", place / "table.parquet", *TASK, "--target", "healthy", "--out", out,
                      "--features", "größe,dose,arm", "--model", name)  # fmt: skip
    assert answer.code == 0, answer.err
    found = predictions(polytask, out, place / "table.csv", tmp_path / "p.csv")
    assert set(found["prediction_2"]) == {"yes", "no"}
    assert ((found["probability"] > 0.5) == (found["prediction_2"] == "yes")).all()
    assert (found["prediction_2"] == found["healthy"]).mean() > 0.6
    answer = polytask("predict", out, place / "table.csv", "--out", tmp_path / "p.csv")
    assert "probability is that of healthy = yes" in answer.out


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda t: t.drop(columns="dose"), ["'dose'"]),
        (lambda t: t.drop(columns=["dose", "arm"]), ["'dose', 'arm'", "missing"]),
        (
            lambda t: t.rename(columns={"site, nr": "site nr"}),
            ["TABLE must have", "Did you mean 'site nr'"],
        ),
        (
            lambda t: t.assign(dose="high"),
            ["'dose' must be numeric; it holds text", "'high' in row 1"],
        ),
        (lambda t: t.assign(dose=np.inf), ["'dose' must be finite"]),
    ],
)
def test_tables_that_do_not_suit(polytask, related, model, tmp_path, change, told):
    change(related).to_csv(tmp_path / "t.csv", index=False)
    answer = polytask("predict", model, tmp_path / "t.csv", "--out", tmp_path / "p.csv")
    assert answer.code == 2
    assert answer.err.count("\n") == 1
    for word in told:
        assert word in answer.err


def test_types_that_are_not_trusted(polytask, place, model, tmp_path):
    path = tmp_path / "m.skops"
    skops.io.dump(Stranger(), path)
    with zipfile.ZipFile(path, "a") as archive, zipfile.ZipFile(model) as good:
        archive.writestr(CARD, good.read(CARD))
    answer = polytask("predict", path, place / "table.csv", "--out", tmp_path / "p.csv")
    assert answer.code == 2
    assert "Stranger" in answer.err
    assert answer.err.count("\n") == 1


def test_the_card_can_be_read_without_loading(model):
    with zipfile.ZipFile(model) as archive:
        card = json.loads(archive.read(CARD))
    assert card["task"] == "site, nr"
    assert card["numeric"] == ["größe", "dose"]
    assert card["categorical"] == ["arm"]
    assert set(card["versions"]) == {"polytask", "scikit-learn", "numpy", "pandas"}


def test_models_are_listed(polytask):
    records = json.loads(polytask("models", "--json").out)
    names = [record["name"] for record in records]
    assert names[0] == "single-task"
    assert names[-1] == "gradient-boosting"
    shown = polytask("models").out
    assert all(name in shown for name in names)
    if find_spec("torch") is not None:
        network = next(r for r in records if r["name"] == "shared-hidden-layer")
        assert "w0 + Dw_i" in network["objective"]
