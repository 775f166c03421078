"""Files that memory cannot hold: `--stream` passes over them, and a killed run leaves nothing."""

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from polytask.cli import stream
from polytask.datasets import make_related_tasks
from polytask.inspection import sample
from tests.sources.conftest import summing_up

TASK = ["--task", "site, nr"]
FILES = ["model.skops", "model_card.md", "report.html", "results.json", "tasks.csv"]
STREAMED = ["single-task", "pooled", "task-intercept", "mean-regularized", "low-rank", "curved",
            "task-means"]  # fmt: skip


@pytest.fixture(scope="module")
def report(polytask, place):
    out = place / "streamed"
    answer = polytask("compare", place / "table.parquet", *TASK, "--target", "score", "--stream",
                      "--out", out, "--learning-curve", "--cv", "3")  # fmt: skip
    assert answer.code == 0, answer.err
    return out, answer


def test_it_ends_in_the_same_kind_of_results(report):
    out, answer = report
    assert sorted(p.name for p in out.iterdir()) == FILES
    found = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert {m["name"]: m["status"] for m in found["models"]} == dict.fromkeys(STREAMED, "ok")
    assert f"Proved: {found['verdict']['headline']}" == answer.out.strip().splitlines()[0]
    assert pd.read_csv(out / "tasks.csv")["rows"].tolist() == [14] * 8
    told = " ".join(answer.out.split())
    assert "passed over, not loaded" in told
    assert "need all rows in memory: shared-trees, auto, gradient-boosting." in told
    assert "'seen' was left out: it holds dates" in told
    assert "'prediction' was left out: it has 112 distinct texts" in told
    assert "no learning curve" in told
    assert "passed over, not loaded" in (out / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("target", ["score", pytest.param("healthy", marks=pytest.mark.slow)])
def test_its_answer_is_that_in_memory_but_for_how_strengths_are_chosen(
    polytask, place, tmp_path, target, monkeypatch
):
    """The same columns, rows and folds; strengths by folds here, by leave-one-out there."""
    monkeypatch.setattr(sample, "row_order", lambda X, *_: np.arange(len(X)))  # as files are dealt
    told = []
    for word in ("--stream", "--no-stream"):
        out = tmp_path / word
        answer = polytask("compare", place / "table.parquet", *TASK, "--target", target, word,
                          "--models", "pooled,mean-regularized", "--seed", "4",
                          "--features", "größe,dose,arm", "--out", out)  # fmt: skip
        assert answer.code == 0, answer.err
        told.append(json.loads((out / "results.json").read_text(encoding="utf-8")))
    one, two = told
    assert one["data"] == two["data"]
    assert one["provenance"]["splitter"] == two["provenance"]["splitter"]
    sizes = ("name", "fold", "n_train", "n_test")
    more = {f["name"] for f in two["folds"]} - {f["name"] for f in one["folds"]}
    assert more == ({"mean-regularized-huber"} if target == "score" else set())  # heavy tails
    both = [f for f in two["folds"] if f["name"] not in more]
    assert [[f[k] for k in sizes] for f in one["folds"]] == [[f[k] for k in sizes] for f in both]
    assert [t["rows"] for t in one["tasks"]] == [t["rows"] for t in two["tasks"]]
    at = one["metric"]
    alike = [(f[at], g[at]) for f, g in zip(one["folds"], both, strict=True)
             if f["strengths"] == g["strengths"]]  # fmt: skip
    assert alike
    for here, there in alike:
        assert here == pytest.approx(there, rel=1e-3)  # strengths are told in three digits


@pytest.mark.parametrize(
    ("target", "model"),
    [("score", "mean-regularized"), ("healthy", "mean-regularized"), ("score", "curved")],
)
def test_fit_and_predict(polytask, place, related, tmp_path, target, model):
    out = tmp_path / "m.skops"
    words = ["fit", place / "table.parquet", *TASK, "--target", target, "--out", out]
    answer = polytask(*words, "--features", "größe,dose,arm", "--stream", "--model", model)
    assert answer.code == 0, answer.err
    assert "fitted on 112 rows of 8 tasks" in answer.out
    answer = polytask("predict", out, place / "table.csv", "--out", tmp_path / "p.parquet")
    assert answer.code == 0, answer.err
    if model == "curved":
        related.assign(dose=1e3).to_csv(tmp_path / "far.csv", index=False)
        far = polytask("predict", out, tmp_path / "far.csv", "--out", tmp_path / "far.parquet")
        assert "Beyond the training values of 'dose': 112 rows. Curves are lines" in far.out
    found = pd.read_parquet(tmp_path / "p.parquet")["prediction_2"]
    if target == "score":
        assert np.corrcoef(found, related["score"])[0, 1] > 0.7
    else:
        assert (found == related["healthy"]).mean() > 0.6


@pytest.fixture(scope="module")
def kinds(related, tmp_path_factory):
    """Counts, shares, amounts with zeros: a table of which each column speaks for its loss."""
    rng, dose = np.random.default_rng(3), related["dose"].fillna(0.0)
    mean = np.exp(0.5 + 0.3 * (dose - dose.mean()) / dose.std())
    path = tmp_path_factory.mktemp("kinds") / "t.parquet"
    related[["site, nr", "größe", "dose"]].assign(
        visits=rng.poisson(mean),
        share=rng.beta(2 * mean, 3.0),
        cost=np.where(rng.random(len(mean)) < 0.3, 0.0, rng.gamma(0.5, 2 * mean)),
    ).to_parquet(path, row_group_size=30)
    return path


@pytest.mark.parametrize(
    ("target", "said", "found"),
    [
        ("visits", "auto", "poisson"), ("share", "auto", "binomial"), ("cost", "auto", "tweedie"),
        ("visits", "squared", ""),
        *(pytest.param(*more, "", marks=pytest.mark.slow)
          for more in [("visits", "huber"), ("visits", "negative_binomial"),
                       ("share", "quantile(0.9)"), ("share", "gamma")]),
    ],
)  # fmt: skip
def test_a_fit_takes_every_loss_and_finds_it_as_in_memory(
    polytask, kinds, tmp_path, target, said, found
):
    answers = []
    for way in ("--stream", "--no-stream"):
        out, told = tmp_path / "m.skops", tmp_path / "p.parquet"
        answer = polytask("fit", kinds, *TASK, "--target", target, "--features", "größe,dose", way,
                          "--loss", said, "--out", out)  # fmt: skip
        assert answer.code == 0, answer.err
        assert (f"so models take it for that (--loss {found})" in " ".join(answer.out.split())) == (
            found != ""
        )
        assert polytask("predict", out, kinds, "--out", told).code == 0
        answers.append(pd.read_parquet(told)["prediction"])
    np.testing.assert_allclose(*answers, rtol=1e-9)


def test_many_counts_are_fitted_by_passes(polytask, kinds, tmp_path):
    words = ["fit", kinds, *TASK, "--target", "visits", "--features", "größe,dose", "--stream"]
    with summing_up():
        answer = polytask(*words, "--out", tmp_path / "m.skops")
        assert answer.code == 0, answer.err
        assert "--loss poisson" in answer.out
        refused = polytask(*words, "--model", "low-rank", "--out", tmp_path / "n.skops")
    assert refused.code == 2
    assert "needs all rows of a regression with --loss poisson in memory" in refused.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fit", "--loss", "binomial"], "must suit the target 'visits', which must be a share"),
        (["fit", "--loss", "gamma"], "for 'gamma'; it holds 0."),
        (["fit", "--loss", "gama"], "--loss must be one of"),
        (["compare", "--loss", "poisson"], "must be squared in a comparison that is streamed"),
    ],
)
def test_a_loss_that_does_not_serve_is_one_sentence(polytask, kinds, tmp_path, words, message):
    command, *more = words
    answer = polytask(command, kinds, *TASK, "--target", "visits", *more, "--stream", "--out",
                      tmp_path / "m.skops")  # fmt: skip
    assert answer.code == 2
    assert message in " ".join(answer.err.split())


def test_a_comparison_says_that_it_knows_squares_only(polytask, kinds, tmp_path):
    answer = polytask("compare", kinds, *TASK, "--target", "visits", "--features", "größe,dose",
                      "--stream", "--models", "pooled", "--out", tmp_path / "r")  # fmt: skip
    assert answer.code == 0, answer.err
    assert "takes it for plain numbers; --no-stream compares with --loss poisson" in " ".join(
        answer.out.split()
    )


def test_a_directory_of_files(polytask, related, tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    related[:60].to_parquet(folder / "a.parquet")
    related[60:].to_parquet(folder / "b.parquet")
    answer = polytask("fit", folder, *TASK, "--target", "score", "--features", "größe",
                      "--out", tmp_path / "m.skops")  # fmt: skip
    assert answer.code == 0, answer.err
    assert "112 rows of 8 tasks" in answer.out


def test_rows_and_columns_that_cannot_serve(polytask, related, tmp_path):
    table = related.assign(id=np.arange(len(related)), flag=related["dose"] > 0, empty=np.nan)
    table["code"] = np.arange(len(table)) % 3
    table.loc[:4, "score"] = np.nan
    table["site, nr"] = table["site, nr"].astype(str)
    table.loc[5:6, "site, nr"] = None
    table.to_parquet(tmp_path / "t.parquet")
    answer = polytask("fit", tmp_path / "t.parquet", *TASK, "--target", "score", "--stream",
                      "--categorical", "code,flag", "--out", tmp_path / "m.skops")  # fmt: skip
    assert answer.code == 0, answer.err
    told = " ".join(answer.out.split())
    assert "7 rows (6.2%) without a target or a task id left out" in told
    assert "'id' was left out: it counts the rows" in told
    assert "'empty' was left out: it holds no value" in told
    table.to_csv(tmp_path / "t.csv", index=False)
    answer = polytask("predict", tmp_path / "m.skops", tmp_path / "t.csv", "--unseen", "common",
                      "--out", tmp_path / "p.csv")  # fmt: skip
    assert answer.code == 0, answer.err


def test_large_files_are_streamed_without_being_asked(polytask, place, tmp_path, monkeypatch):
    words = ["fit", place / "table.parquet", *TASK, "--target", "score", "--features", "größe",
             "--out", tmp_path / "m.skops"]  # fmt: skip
    assert "streamed" not in polytask(*words).err
    monkeypatch.setattr(stream, "_memory", lambda: 8.0 * 112 * 8 * stream.SHARE - 1)
    assert "more than an eighth" in polytask(*words).err
    assert "streamed" not in polytask(*words, "--no-stream").err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--models", "gradient-boosting"], "--models must name models that can be streamed"),
        (["--repeats", "2"], "--repeats must be 1"),
        (["--metric", "rmse", "--cv", "2"], "cv must be 3 or more"),
        (["--features", "seen"], "must leave a column to learn from"),
        (["--features", "dosis"], "Did you mean 'dose'"),
    ],
)
def test_mistakes(polytask, place, tmp_path, words, told):
    answer = polytask("compare", place / "table.parquet", *TASK, "--target", "score", "--stream",
                      "--out", tmp_path / "out", *words)  # fmt: skip
    assert answer.code == 2
    assert told in answer.err
    assert answer.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_mistakes_about_the_target_and_the_file(polytask, place, tmp_path):
    table = place / "table.parquet"
    for target, told in (("arm", "classification of 'b' against 'a'"), ("seen", "must be numeric")):
        answer = polytask("fit", table, *TASK, "--target", target, "--stream", "--features", "dose",
                          "--out", tmp_path / "m.skops")  # fmt: skip
        assert told in " ".join((answer.out + answer.err).split())
    answer = polytask("fit", place / "table.csv", *TASK, "--target", "score", "--stream",
                      "--out", tmp_path / "n.skops")  # fmt: skip
    assert answer.code == 2
    assert "--no-stream" in answer.err
    assert not (tmp_path / "n.skops").exists()


@pytest.fixture(scope="module")
def long_table(tmp_path_factory):
    """Enough rows to be interrupted in the middle of."""
    X, y, _ = make_related_tasks(200, 10, 100, random_state=0)
    path = tmp_path_factory.mktemp("long")
    for part in range(40):
        X.assign(y=y).to_parquet(path / f"{part:02}.parquet", row_group_size=2000)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("command", ["compare", "fit"])
def test_a_killed_run_leaves_the_old_output_or_none(long_table, tmp_path, command, sign):
    name = {"compare": "out", "fit": "m.skops"}[command]
    words = [command, long_table, "--task", "task", "--target", "y", "--stream"]

    def killed(out, seconds):
        process = subprocess.Popen(
            [sys.executable, "-m", "polytask.cli", *map(str, words), "--out", str(out)],
            stderr=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        time.sleep(seconds)
        assert process.poll() is None, "it ended before it could be killed"
        process.send_signal(sign)
        process.communicate(timeout=60)
        assert process.returncode == (130 if sign == signal.SIGINT else -signal.SIGKILL)

    killed(tmp_path / name, 2.5)
    assert list(tmp_path.iterdir()) == []
    if command == "compare":
        (tmp_path / name).mkdir()
        old = tmp_path / name / "results.json"
    else:
        old = tmp_path / name
    old.write_text("old")
    killed(tmp_path / name, 2.5)
    assert old.read_text() == "old"
    assert [p.name for p in old.parent.iterdir()] == [old.name]


def test_nested_groupings_are_fitted_as_in_memory(polytask, tmp_path):
    rng, n = np.random.default_rng(0), 600
    rows = pd.DataFrame({"x": rng.normal(size=n), "school": rng.integers(0, 12, n)})
    rows = rows.assign(sex=rng.choice(["f", "m"], n), **{"class": rng.choice(["a", "b"], n)})
    rows["y"] = rows["x"] + rng.normal(size=12)[rows["school"]] + rng.normal(size=n)
    table = tmp_path / "rows.parquet"
    rows.to_parquet(table)
    asked = ("--task", "school/class", "--target", "y")
    told = []
    for word in ("--stream", "--no-stream"):
        out = tmp_path / f"{word}.skops"
        with summing_up():
            done = polytask("fit", table, *asked, "--model", "multilevel", "--varying", "none",
                            word, "--out", out)  # fmt: skip
        assert done.code == 0, done.err
        assert polytask("predict", out, table, "--out", tmp_path / "p.csv").code == 0
        told.append(pd.read_csv(tmp_path / "p.csv"))
    np.testing.assert_allclose(told[0]["prediction"], told[1]["prediction"], rtol=1e-6)
    refused = polytask("compare", table, *asked, "--stream", "--out", tmp_path / "report")
    assert "take fit --model multilevel" in refused.err


GAPS = np.array(["NA", "None", "null", "nan", "b"])


@pytest.mark.parametrize(
    "model", ["mean-regularized", pytest.param("low-rank", marks=pytest.mark.slow)]
)
def test_few_rows_are_fitted_as_in_memory(polytask, tmp_path, model):
    """Strengths of the first were by folds when streamed: .36 sd apart, by nothing but the door."""
    rng = np.random.default_rng(4)
    table = pd.DataFrame({"t": GAPS[np.arange(150) % 5], "x": rng.normal(size=150)})
    table["c"] = pd.Categorical([None if k % 9 == 0 else "ab"[k % 2] for k in range(150)])
    table["y"] = table["x"] + rng.normal(size=150)
    table.loc[::7, "x"] = np.nan
    table.to_parquet(tmp_path / "t.parquet")
    table.to_csv(tmp_path / "t.csv", index=False)
    found = []
    for words in (["t.csv"], ["t.parquet"], ["t.parquet", "--stream"]):
        path, *more = words
        fit = ["fit", tmp_path / path, "--task", "t", "--target", "y", "--model", model]
        answer = polytask(*fit, "--out", tmp_path / "m.skops", *more)
        assert answer.code == 0, answer.err
        out = tmp_path / "p.csv"
        answer = polytask("predict", tmp_path / "m.skops", tmp_path / path, "--out", out)
        assert answer.code == 0, answer.err
        found.append(pd.read_csv(out)["prediction"])
        out.unlink()
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], rtol=1e-9)
