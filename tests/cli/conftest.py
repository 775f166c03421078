"""A small table of related tasks, and the command run in this process."""

import contextlib
import io

import numpy as np
import pandas as pd
import pytest

from polytask.cli import main


class Answer:
    """Exit code and what was printed."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err


def run(*words):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main([str(word) for word in words])
        except SystemExit as exit_:
            code = exit_.code
    return Answer(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="session")
def polytask():
    return run


@pytest.fixture
def drawn():
    """The figures of reports are drawn, as they are in slow tests and in fixtures of modules."""


@pytest.fixture(autouse=True)
def _left_undrawn(request, monkeypatch):
    """Drawing takes half the time of a comparison; most tests read its words and numbers."""
    if not (request.node.get_closest_marker("slow") or "drawn" in request.fixturenames):
        monkeypatch.setattr("polytask.report.figures.inline_svg", lambda *_, **__: "<svg></svg>")


@pytest.fixture(scope="session")
def related():
    """Eight tasks with almost the same slopes, a category, a gap, a date, an id, an odd name."""
    rng = np.random.default_rng(0)
    n = 8 * 14
    x, task = rng.normal(size=(n, 2)), np.repeat(np.arange(1, 9), 14)
    days = np.random.default_rng(1).permutation(n)  # rows in no order of time
    table = pd.DataFrame(
        {
            "site, nr": task,
            "größe": x[:, 0],
            "dose": x[:, 1],
            "arm": rng.choice(["a", "b", None], n),
            "seen": (pd.Timestamp("2024-01-01") + pd.to_timedelta(days, "D")).strftime("%Y-%m-%d"),
            "prediction": [f"p{i}" for i in range(n)],
            "score": x @ [1.0, -1.0] + 0.3 * task + rng.normal(size=n),
        }
    )
    table["healthy"] = np.where(table["score"] > table["score"].median(), "yes", "no")
    table.loc[::9, "dose"] = np.nan
    return table


@pytest.fixture(scope="session")
def place(tmp_path_factory, related):
    folder = tmp_path_factory.mktemp("cli")
    related.to_csv(folder / "table.csv", index=False)
    related.to_parquet(folder / "table.parquet")
    return folder
