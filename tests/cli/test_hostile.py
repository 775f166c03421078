"""Whatever stands in a table or on the command line: done, or one line and exit code 2."""

import pandas as pd
import pytest

from tests.cli.hostile_tables import (
    COLUMNS,
    FILES,
    OFTEN,
    PARQUET,
    RARE,
    TAKEN,
    base,
    named,
    sound_frame,
    write,
)

pytestmark = pytest.mark.filterwarnings("default")  # as outside of tests
ROLES = ["--task", "task", "--target", "y"]
OLD = ("m.skops", "p.csv", "report/report.html", "report/results.json", "report/mine.txt")
FAULT = "a fault of polytask"


@pytest.fixture(scope="module")
def sound(polytask, tmp_path_factory):
    """A sound table, and a model of it."""
    folder = tmp_path_factory.mktemp("sound")
    sound_frame().to_parquet(folder / "t.parquet")
    sound_frame().to_csv(folder / "t.csv", index=False)
    answer = polytask("fit", folder / "t.parquet", *ROLES, "--model", "pooled", "--out",
                      folder / "m.skops")  # fmt: skip
    assert answer.code == 0, answer.err
    return folder


@pytest.fixture
def place(tmp_path):
    """A folder with outputs of an earlier run."""
    (tmp_path / "report").mkdir()
    for name in OLD:
        (tmp_path / name).write_text("old")
    return tmp_path


def doors(table, place, streamed):
    """The words of every command that reads a table with these roles."""
    fit = ["fit", table, *ROLES, "--model", "pooled", "--out", place / "m.skops"]
    compare = ["compare", table, *ROLES, "--models", "pooled", "--cv", "3", "--out",
               place / "report"]  # fmt: skip
    yield from (fit, compare)
    if streamed:
        yield from ([*fit, "--stream"], [*compare, "--stream"])


def check_refused(answer, place, told="", words=()):
    assert answer.code == 2, (words, answer.out, answer.err)
    assert answer.err.startswith("polytask: error: "), (words, answer.err)
    assert answer.err.count("\n") == 1, (words, answer.err)
    assert "Traceback" not in answer.err
    assert FAULT not in answer.err, (words, answer.err)
    assert told in answer.err, (words, answer.err)
    files = sorted(str(p.relative_to(place)) for p in place.rglob("*") if p.is_file())
    assert set(files) - set(OLD) <= {"t.parquet", "t.csv"}, files
    for name in OLD:
        assert (place / name).read_text() == "old", (words, name)


def check_in_order(answer, place, words=()):
    """Done without a word on stderr, or refused."""
    if answer.code == 2:
        check_refused(answer, place, words=words)
    else:
        assert answer.code == 0, (words, answer.err)
        assert answer.err == "", (words, answer.err)


@pytest.mark.parametrize("case", PARQUET)
def test_columns_that_cannot_serve(polytask, sound, place, case):
    table, told = PARQUET[case]
    path = write(table, place / "t.parquet")
    for words in doors(path, place, streamed=True):
        check_refused(polytask(*words), place, told, words)
    describe = ["describe", path, *ROLES]
    check_in_order(polytask(*describe), place, describe)
    predict = ["predict", sound / "m.skops", path, "--out", place / "p.csv"]
    check_in_order(polytask(*predict), place, predict)


def test_levels_alone_are_taken_in_memory_and_refused_streamed(polytask, place):
    path = write(base().select(["task", "y"]), place / "t.parquet")
    fit, compare, *streamed = doors(path, place, streamed=True)
    for words in streamed:
        told = "--features must leave a column to learn from; besides 'task' and 'y' there is none"
        check_refused(polytask(*words), place, told, words)
    described = polytask("describe", path, *ROLES)
    assert (described.code, described.err) == (0, "")
    assert "Stops a comparison" not in described.out
    predict = ["predict", place / "m.skops", path, "--out", place / "p.csv"]
    for words in (fit, compare, predict):
        answer = polytask(*words)
        assert (answer.code, answer.err) == (0, ""), words
    made = pd.read_csv(place / "p.csv")
    assert made["prediction"].to_numpy() == pytest.approx(made["y"].mean())  # pooled
    assert (place / "report" / "report.html").read_text(encoding="utf-8") != "old"
    assert (place / "report" / "mine.txt").read_text() == "old"


@pytest.mark.parametrize("case", COLUMNS)
def test_text_that_cannot_serve(polytask, sound, place, case):
    content, told = COLUMNS[case]
    (place / "t.csv").write_text(content)
    for words in doors(place / "t.csv", place, streamed=False):
        check_refused(polytask(*words), place, told, words)
    describe = ["describe", place / "t.csv", *ROLES]
    check_in_order(polytask(*describe), place, describe)


@pytest.mark.parametrize("name", FILES)
def test_files_that_are_no_table(polytask, sound, place, tmp_path_factory, name):
    content, told = FILES[name]
    path = tmp_path_factory.mktemp("files") / name
    path.write_bytes(content)
    readers = [["describe", path, *ROLES], *doors(path, place, streamed=False),
               ["predict", sound / "m.skops", path, "--out", place / "p.csv"]]  # fmt: skip
    for words in readers:
        check_refused(polytask(*words), place, told, words)
    for words in doors(path, place, streamed=True):
        if "--stream" in words:
            check_refused(polytask(*words), place, words=words)


@pytest.mark.parametrize(
    "case",
    [case if case in OFTEN else pytest.param(case, marks=pytest.mark.slow)
     for case in [*TAKEN, *RARE]],
)  # fmt: skip
def test_odd_tables_are_taken_by_both_doors(polytask, tmp_path, case):
    """The model of either door knows every task of its own table."""
    path = write({**TAKEN, **RARE}[case], tmp_path / "t.parquet")
    model, out = tmp_path / "m.skops", tmp_path / "p.parquet"
    for stream in ([], ["--stream"]):
        answer = polytask("fit", path, *ROLES, "--model", "pooled", "--out", model, *stream)
        assert answer.code == 0, (stream, answer.err)
        assert answer.err == ""
        strict = ["--unseen", "common"] if case in ("gaps in task", "empty id") else []
        answer = polytask("predict", model, path, "--out", out, *strict)
        assert answer.code == 0, (stream, answer.err)
        made = [n for n in pd.read_parquet(out).columns if n.startswith("prediction")]
        assert pd.read_parquet(out)[made[-1]].notna().all()
    left = sorted(p.name for p in tmp_path.iterdir())
    assert left == ["m.skops", "m_card.md", "p.parquet", "t.parquet"]


def test_a_slash_in_the_name_of_the_task(polytask, tmp_path):
    """It stands between groupings, but for a column that is called so."""
    path = write(named("a/b", "x", "z", "sex", "y"), tmp_path / "t.parquet")
    model = tmp_path / "m.skops"
    for stream in ([], ["--stream"]):
        words = ["fit", path, "--task", "a/b", "--target", "y", "--model", "pooled", "--out", model]
        for asked in ([*words, *stream], ["predict", model, path, "--out", tmp_path / "p.csv"]):
            answer = polytask(*asked)
            assert (answer.code, answer.err) == (0, ""), answer.err


@pytest.mark.slow
@pytest.mark.parametrize("case", TAKEN)
def test_odd_tables_are_compared_by_both_doors(polytask, place, case):
    path = write(TAKEN[case], place / "t.parquet")
    for words in doors(path, place, streamed=True):
        if words[0] == "compare":
            answer = polytask(*words)
            assert answer.code in (0, 2)
            assert FAULT not in answer.err, answer.err
            assert answer.err.count("\n") == (answer.code == 2), answer.err
            assert (place / "report" / "mine.txt").read_text() == "old"


FIT = [["--out", ""], ["--out", " "], ["--out", "."], ["--out", "m.pkl"], ["--model", "x\ny"],
       ["--model", ""], ["--features", "x\nz"], ["--features", ""], ["--features", "a,,"],
       ["--features", '"x'], ["--features", "task"], ["--features", "y"], ["--categorical", "q"],
       ["--kind", "both"], ["--seed", "-1"], ["--seed", "99999999999"], ["--seed", "1.5"],
       ["--task", ""], ["--task", "y"], ["--target", ""], ["--target", "task\n"],
       ["--task", "\udcff"], ["--decimal", ";"], ["--dask", "tcp://127.0.0.1:1"],
       ["--dask", ""], ["--nonsense"],
       *(["--groups", name] for name in ("", "q", "y", "task", "x", "x,z", "x\nz")),
       *(["--time", name] for name in ("", "q", "y", "task", "sex")),
       ["--groups", "sex", "--time", "x"],
       *(["--event", name] for name in ("", "q", "y", "task")),
       *(["--weights", name] for name in ("", "q", "y", "task", "x", "sex")),
       *(["--scale-target", word] for word in ("", "all")),
       *(["--transform", word] for word in ("", "root", "log")),
       *(["--varying", name] for name in ("", "q", "x", "x,q", "none", "x\nz")),
       *(["--task", name] for name in ("task/q", "task/", "/", "task,y", "task,sex,q")),
       *(["--loss", name] for name in ("", "q", "poisson", "gamma", "ordinal", "logistic")),
       *(["--levels", names] for names in ("", "a", "a,b", "a\nb")),
       *(["--quantiles", p] for p in ("", "a", ".5", ".9,.1", "0,1", "nan,.5")),
       ["--target", "x,y"], ["--target", "x,q"]]  # fmt: skip
COMPARE = [["--out", ""], ["--models", "x\ny"], ["--models", ","], ["--models", "pooled,nope"],
           ["--metric", "auc"], ["--metric", ""], ["--metric", "rmse\n"], ["--cv", "1"],
           ["--cv", "0"], ["--cv", "9" * 5000],
           ["--repeats", "0"], ["--jobs", "0"], ["--new-tasks", "a"], ["--new-tasks", "-1"],
           ["--features", "x\nz"], ["--groups", "q"], ["--time", "sex"], ["--weights", "x"],
           ["--varying", "q"], ["--varying", "x"], ["--transform", "log"], ["--levels", "a,b"],
           ["--quantiles", ".5,.1"], ["--target", "x,y"], ["--task", "task,y"]]  # fmt: skip
PREDICT = [["--out", ""], ["--out", "p.ods"], ["--out", "p"], ["--out", "no/such/p.csv"],
           ["--unseen", "maybe"]]  # fmt: skip
LISTED = [("fit", words) for words in FIT] + [("compare", words) for words in COMPARE]
LISTED += [("predict", words) for words in PREDICT]


@pytest.mark.parametrize(("command", "more"), LISTED, ids=lambda value: ascii(value)[:40])
def test_words_that_make_no_sense(polytask, sound, place, command, more, monkeypatch):
    monkeypatch.chdir(place)
    monkeypatch.setattr("polytask.cli.cluster._PATIENCE", 1)  # seconds for an absent scheduler
    head = ["predict", sound / "m.skops", sound / "t.csv", "--out", place / "p.csv"]
    if command != "predict":
        head = next(w for w in doors(sound / "t.parquet", place, False) if w[0] == command)
    check_refused(polytask(*head, *more), place, words=more)
    if command != "predict" and more[0] not in ("--dask", "--decimal", "--jobs"):
        check_refused(polytask(*head, "--stream", *more), place, words=more)


def test_a_name_that_is_no_text(polytask, place):
    """File names are bytes; those of a table may be no text at all."""
    path = place / "report" / "\udcff.csv"
    sound_frame().to_csv(path, index=False)
    answer = polytask("compare", path, *ROLES, "--models", "pooled", "--cv", "3", "--out",
                      place / "new")  # fmt: skip
    assert answer.code == 0, answer.err
    assert len(list((place / "new").iterdir())) == 5
