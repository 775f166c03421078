"""Files that version 0.1.0 wrote load with the answers of that day; files of a newer one say so."""

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io

import polytask
from polytask import MeanRegularizedRegressor
from polytask.cli.saved_model import load_model

FILES = Path(__file__).parent / "files_of_0.1.0"
NAMES = ["mean_regularized", "classifier", "projected_low_rank", "auto"]
EXACT = {"rtol": 1e-9, "atol": 1e-12}


def load(name, kind):
    path = FILES / f"{name}.{kind}"
    if kind == "skops":
        return skops.io.load(path, trusted=polytask.TRUSTED_TYPES)
    with path.open("rb") as handle:
        return pickle.load(handle)


@pytest.mark.parametrize("kind", ["pickle", "skops"])
@pytest.mark.parametrize("name", NAMES)
def test_answers_are_those_of_that_day(name, kind):
    answers = pd.read_csv(FILES / "answers.csv")
    X, model = answers[["x0", "x1", "task"]], load(name, kind)
    found = model.predict_proba(X)[:, 1] if name == "classifier" else model.predict(X)
    np.testing.assert_allclose(found, answers[name], **EXACT)
    assert model.verbose == 0  # a parameter that 0.1.0 did not have
    assert "tasks" in model._repr_html_()


def test_a_model_of_the_command():
    model, card = load_model(FILES / "command.skops")
    table = pd.read_csv(FILES / "table.csv")
    assert card.versions["polytask"] == "0.1.0"
    expected = pd.read_csv(FILES / "command.csv")["prediction"]
    np.testing.assert_allclose(model.predict(table), expected, **EXACT)


def test_standard_errors_survive():
    answers = pd.read_csv(FILES / "answers.csv")
    mean, std = load("mean_regularized", "pickle").predict(
        answers[["x0", "x1", "task"]], return_std=True
    )
    np.testing.assert_allclose(mean, answers["mean_regularized"], **EXACT)
    assert (std > 0).all()


def test_tasks_are_added_to_old_models():
    model = load("mean_regularized", "pickle")
    X = pd.DataFrame({"x0": [0.1, 0.5, -1.0], "x1": [1.0, 0.0, 2.0]})
    model.add_task(X.assign(task=7), np.array([1.0, 2.0, 0.0]))
    assert np.isfinite(model.predict(X.assign(task=7))).all()
    assert (
        load("projected_low_rank", "skops").fit_task(X.to_numpy(), [1.0, 2.0, 0.0]).coef.size == 2
    )


def test_a_newer_file_says_so(monkeypatch):
    monkeypatch.setattr(polytask, "__version__", "99.1.0")
    written = pickle.dumps(MeanRegularizedRegressor())
    monkeypatch.undo()
    with pytest.warns(UserWarning, match=r"saved by polytask 99.1.0, which is newer than this"):
        pickle.loads(written)


def test_nothing_of_it_stays_on_the_estimator():
    again = pickle.loads(pickle.dumps(MeanRegularizedRegressor(0.5)))
    assert vars(again) == vars(MeanRegularizedRegressor(0.5))
