"""What a target is taken for: told from its numbers, or said by --loss."""

import json

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    ids = np.repeat([f"c{i:02d}" for i in range(10)], 12)
    X = rng.normal(size=(120, 2))
    f = 0.2 + X @ [0.5, -0.3] + np.repeat(0.4 * rng.normal(size=10), 12)
    found = pd.DataFrame({"clinic": ids, "a": X[:, 0], "b": X[:, 1]})
    found["visits"] = rng.poisson(np.exp(f))
    found["share"] = rng.beta(2, 3, size=120).round(4)
    found["cost"] = rng.gamma(3, np.exp(f) / 3).round(4) + 0.001
    found["rain"] = np.where(rng.random(120) < 0.3, 0.0, found["cost"])
    found["stars"] = 1 + np.digitize(f + rng.logistic(size=120), [-1, 0.5, 2])
    path = tmp_path / "clinics.csv"
    found.to_csv(path, index=False)
    return path


ASK = ("--task", "clinic", "--features", "a,b")


@pytest.mark.parametrize(
    ("target", "said", "metric"),
    [
        ("visits", (), "poisson_deviance_tasks"),
        ("visits", ("--loss", "squared"), "rmse_tasks"),
        ("cost", (), "rmse_tasks"),
        ("stars", ("--kind", "ordinal"), "log_loss_tasks"),
        *(
            pytest.param(*more, marks=pytest.mark.slow)
            for more in [
                ("visits", ("--kind", "regression"), "rmse_tasks"),
                ("share", (), "binomial_deviance_tasks"),
                ("cost", ("--loss", "gamma"), "gamma_deviance_tasks"),
                ("stars", ("--loss", "ordinal"), "log_loss_tasks"),
                ("rain", (), "tweedie_deviance_tasks"),
            ]
        ),
    ],
)
def test_compare_ranks_by_the_loss(polytask, table, tmp_path, target, said, metric):
    out = tmp_path / "out"
    run = polytask(
        "compare", table, *ASK, "--target", target, *said, "--models", "pooled,gradient-boosting",
        "--cv", "2", "--out", out,
    )  # fmt: skip
    assert run.code == 0, run.err
    found = json.loads((out / "results.json").read_text())
    assert found["metrics"][0]["column"] == metric
    told = any("--loss squared takes it for plain numbers" in note for note in found["notes"])
    assert told == (not said and target != "cost")
    if "deviance" in metric:
        assert found["models"][0][metric.replace("_tasks", "_explained_rows")] < 1


def test_predictions_are_on_the_scale_of_the_target(polytask, table, tmp_path):
    model, out = tmp_path / "m.skops", tmp_path / "p.csv"
    run = polytask("fit", table, *ASK, "--target", "visits", "--model", "pooled", "--out", model)
    assert run.code == 0, run.err
    run = polytask("predict", model, table, "--out", out)
    assert run.code == 0, run.err
    predicted = pd.read_csv(out)["prediction"]
    mean = pd.read_csv(table)["visits"].mean()
    assert (predicted > 0).all()
    assert predicted.mean() == pytest.approx(mean, rel=0.05)


@pytest.mark.parametrize(
    ("target", "loss", "message"),
    [
        ("a", "poisson", "must suit the target 'a', which must be zero or positive for 'poisson'"),
        ("visits", "poison", "loss must be one of 'binomial', 'gamma'"),
        ("visits", "gamma", "must be positive for 'gamma'; got 0 in row"),
        ("visits", "quantile(2)", "got 'quantile(2)'. Quantile: q must be between 0 and 1"),
    ],
)
def test_an_unsuitable_loss_is_one_sentence(polytask, table, tmp_path, target, loss, message):
    run = polytask("compare", table, "--task", "clinic", "--target", target, "--loss", loss,
                   "--out", tmp_path / "out")  # fmt: skip
    assert run.code != 0
    assert message in " ".join(run.err.split())


def test_describe_says_what_it_takes_the_target_for(polytask, table):
    run = polytask("describe", table, "--task", "clinic", "--target", "visits")
    assert "regression (--loss poisson)" in run.out


def test_text_of_several_values_is_classes(polytask, tmp_path):
    rng = np.random.default_rng(0)
    ids, X = np.repeat([f"t{i}" for i in range(6)], 30), rng.normal(size=(180, 2))
    g = X @ rng.normal(size=(2, 3)) + rng.gumbel(size=(180, 3))
    mode = np.array(["bus", "car", "walk"])[g.argmax(axis=1)]
    table = pd.DataFrame({"town": ids, "a": X[:, 0], "b": X[:, 1], "mode": mode})
    table.to_csv(tmp_path / "trips.csv", index=False)
    ask = (str(tmp_path / "trips.csv"), "--task", "town", "--target", "mode")
    out = tmp_path / "out"
    polytask("compare", *ask, "--models", "pooled", "--cv", "2", "--out", str(out))
    found = json.loads((out / "results.json").read_text())
    assert found["kind"] == "classification"
    assert found["metric"] == "log_loss_tasks"
    assert any("has 3 values, so this is a classification" in note for note in found["notes"])
    assert "bus, car and walk" in (out / "report.html").read_text()
    answers = tmp_path / "p.csv"
    polytask(
        "predict", str(out / "model.skops"), str(tmp_path / "trips.csv"), "--out", str(answers)
    )
    told = pd.read_csv(answers)
    p = told[[f"probability_{c}" for c in ("bus", "car", "walk")]].to_numpy()
    np.testing.assert_allclose(p.sum(axis=1), 1.0)
    assert (told["prediction"] == np.array(["bus", "car", "walk"])[p.argmax(axis=1)]).all()


@pytest.mark.parametrize("model", ["pooled", "gradient-boosting"])
def test_ordered_levels_have_names(polytask, table, tmp_path, model):
    names = np.array(["poor", "fair", "good", "best"])
    rows = pd.read_csv(table)
    rows["stars"] = names[rows["stars"] - 1]
    rows.to_csv(tmp_path / "text.csv", index=False)
    stored = pd.Categorical(rows["stars"], names, ordered=True)
    rows.assign(stars=stored).to_parquet(tmp_path / "typed.parquet")
    found = []
    for name, said in (("text.csv", ("--levels", "poor,fair,good,best")), ("typed.parquet", ())):
        ask = (tmp_path / name, *ASK, "--target", "stars", *said)
        out = tmp_path / "m.skops"
        run = polytask("fit", *ask, "--model", model, "--out", out)
        assert run.code == 0, run.err
        assert "ordered levels, poor < fair < good < best" in " ".join(run.out.split())
        run = polytask("predict", out, table, "--out", tmp_path / "p.csv")
        assert run.code == 0, run.err
        found.append(pd.read_csv(tmp_path / "p.csv"))
    p = found[0][[f"probability_{name}" for name in names]].to_numpy()
    np.testing.assert_allclose(p.sum(axis=1), 1.0)
    assert (found[0]["prediction"] == names[p.argmax(axis=1)]).all()
    pd.testing.assert_frame_equal(*found)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (("--levels", "1,2,3"), "--levels must name every level of 'stars'"),
        (("--levels", "1"), "--levels must name two levels or more; got '1'"),
        (("--kind", "ordinal", "--loss", "gamma"), "--loss must be ordinal, or left out"),
    ],
)
def test_a_wrong_order_is_one_sentence(polytask, table, said, message):
    run = polytask("fit", table, *ASK, "--target", "stars", *said)
    assert run.code == 2
    assert message in " ".join(run.err.split())


@pytest.mark.slow
def test_a_comparison_of_quantiles(polytask, table, tmp_path):
    ask = (table, *ASK, "--target", "cost", "--quantiles", ".1,.5,.9")
    run = polytask("compare", *ask, "--models", "pooled", "--cv", "3", "--out", tmp_path / "out")
    assert run.code == 0, run.err
    found = json.loads((tmp_path / "out" / "results.json").read_text())
    assert found["metric"] == "pinball_tasks"


def test_an_interval_of_quantiles(polytask, table, tmp_path):
    ask = (table, *ASK, "--target", "cost", "--quantiles", ".1,.5,.9")
    model = tmp_path / "m.skops"
    run = polytask("fit", *ask, "--model", "pooled", "--out", model)
    assert run.code == 0, run.err
    run = polytask("predict", model, table, "--out", tmp_path / "p.csv")
    assert run.code == 0, run.err
    told = pd.read_csv(tmp_path / "p.csv")
    interval = told[["quantile_0.1", "quantile_0.5", "quantile_0.9"]].to_numpy()
    assert (np.diff(interval) >= 0).all()
    assert 0.6 < told["cost"].between(interval[:, 0], interval[:, 2]).mean() < 0.95
    run = polytask("fit", *ask, "--loss", "gamma")
    assert "--loss must be left out with --quantiles" in " ".join(run.err.split())


@pytest.mark.parametrize("name", ["pooled", "task-intercept"])
def test_quantiles_of_new_tasks_are_said_to_be_narrow(polytask, table, tmp_path, name):
    """Of nlme's Machines, a worker left out, intervals of .1 to .9 held half the rows."""
    model = tmp_path / "m.skops"
    ask = (*ASK, "--target", "cost", "--quantiles", ".1,.9", "--model", name, "--out", model)
    assert polytask("fit", table, *ask).code == 0
    told = {}
    for which, of in {"known": "c00", "new": "another"}.items():
        pd.read_csv(table).replace({"clinic": {"c00": of}}).to_csv(tmp_path / "t.csv", index=False)
        words = ("predict", model, tmp_path / "t.csv", "--out", tmp_path / "p.csv")
        run = polytask(*words, "--unseen", "common")
        assert run.code == 0, run.err
        told[which] = "leave out how far tasks differ" in " ".join(run.out.split())
    assert told == {"known": False, "new": name != "pooled"}


def test_further_questions_are_asked_of_models_that_take_the_target(
    polytask, table, tmp_path, monkeypatch
):
    """Those that do not were called failures in the learning curve."""
    asked = []

    def curve(args, names, *more):
        asked.extend(names)
        return None, ()

    monkeypatch.setattr("polytask.cli.compare.learning_curve_of", curve)
    run = polytask(
        "compare", table, *ASK, "--target", "visits", "--loss", "negative_binomial", "--cv", "2",
        "--models", "pooled,neural", "--out", tmp_path / "out", "--learning-curve",
    )  # fmt: skip
    assert run.code == 0, run.err
    assert asked == ["single-task", "pooled"]
