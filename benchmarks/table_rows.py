"""The rows of `table.py` on mean-regularized models, REML and files."""

from __future__ import annotations

import cProfile
import pstats
import tempfile
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import timed_fits  # sets the BLAS threads, so it comes before numpy  # isort: skip
import harness
import numpy as np
import peers
import streaming as stream

from polytask import MeanRegularizedRegressor
from polytask.data import TaskData
from polytask.datasets import make_related_tasks
from polytask.responses import Logistic, Squared

Row = dict[str, object]
Runs = dict[str, Callable[[], Any]]
_TURNS = {"small": 3.0, "school": 1.0, "medium": 1.0, "wide": 0.4, "tall": 0.4}  # x asked


class Setting(NamedTuple):
    """What was asked for."""

    seed: int
    repeats: int
    malsar: Path | None
    full: bool
    profile: bool

    def data(self, size: str, classes: bool = False) -> TaskData:
        """Rows of a size, without intercepts; classes are targets above their median."""
        X, y, code = timed_fits.make(size, self.seed, self.full)
        y = (y > np.median(y)).astype(float) if classes else y
        return timed_fits.task_data(X, y, code)

    def turns(self, size: str, share: float = 1.0) -> int:
        """How often contestants of a size take their turns."""
        return max(1, round(self.repeats * _TURNS.get(size, 0.4) * share))

    def medians(self, runs: Runs, size: str, share: float = 1.0) -> dict[str, float]:
        """Seconds of each contestant."""
        self.show_profile(runs)
        return harness.alternate(runs, self.turns(size, share))

    def show_profile(self, runs: Runs) -> None:
        """Where our time goes, if that was asked for."""
        if self.profile:
            run = cProfile.Profile()
            run.runcall(runs["ours"])
            pstats.Stats(run).sort_stats("cumulative").print_stats("polytask|timed_fits", 40)


def row(work: str, size: str, seconds: dict[str, float], goal: str, **more: object) -> Row:
    """Ours beside STL (or beside reading the file), and beside a peer if there is one."""
    found: Row = {"work": work, "size": size, "ours ms": 1e3 * seconds["ours"]}
    for name in ("STL", "reading"):
        if name in seconds:
            found["ratio"] = f"{seconds['ours'] / seconds[name]:.3g} x {name}"
    found |= {"goal": goal, "peer": ""} | more
    if found["peer"]:
        found["peer / ours"] = seconds["peer"] / seconds["ours"]
    return found


def excess(theirs: float, ours: float) -> str:
    """By how much a peer's objective is above the best of the two."""
    return f"{theirs / min(theirs, ours) - 1:.0e}"


def single(data: TaskData) -> Callable[[], Any]:
    """STL from the rows."""
    X = np.asarray(data.design.X)
    return lambda: timed_fits.single_task(X, data.y, data.start, 2.0)


def _load_loops() -> None:
    """As after the fits of a process, where numba is installed."""
    if find_spec("numba") is not None:
        import_module("numba")


def mean_regularized(asked: Setting, size: str) -> Iterator[Row]:
    """One fit of squared loss, with compiled loops at hand; w0 is free but at wide."""
    data = asked.data(size)
    _load_loops()
    alpha = 1.0 / len(data.y)
    common = alpha if size == "wide" else 0.0
    runs: Runs = {"STL": single(data), "ours": lambda: timed_fits.fit(data, alpha, common)}
    found = runs["ours"]()
    goal = {"tall": "≤ 1 STL", "wide": "≤ 6 STL"}.get(size, "≤ 1.5 STL")
    certificate = f"KKT {found.violation:.0e}"
    name = "mean-regularized" + (", ridge on w0" if common else "")
    yield row(name, size, asked.medians(runs, size), goal, certificate=certificate)
    if size in ("small", "school"):
        yield from _ridge_peers(data, alpha, size)


def _ridge_peers(data: TaskData, alpha: float, size: str) -> Iterator[Row]:
    """With the same ridge on w0: ridge regression on the expanded design."""

    def value(flat: np.ndarray) -> float:
        return peers.mean_regularized_objective(data, Squared(), alpha, flat)

    best = value(peers.flat(timed_fits.fit(data, alpha, alpha).blocks))
    for name, run in (("scikit-learn", peers.sklearn_ridge), ("skglm", peers.skglm_ridge)):
        if name == "skglm" and size != "small":
            continue  # coordinate descent on collinear columns takes minutes
        theirs = value(run(data, alpha))  # compiles, too
        runs: Runs = {
            "ours": lambda: timed_fits.fit(data, alpha, alpha),
            "peer": lambda r=run: r(data, alpha),
        }
        more = {"peer": f"{name}, expanded design", "peer's excess": excess(theirs, best)}
        yield row("mean-regularized, ridge on w0", size, harness.alternate(runs, 2), "", **more)


def path(asked: Setting, size: str) -> Iterator[Row]:
    """50 strengths with leave-one-out, with compiled loops at hand."""
    data = asked.data(size)
    _load_loops()
    runs: Runs = {"STL": single(data), "ours": lambda: timed_fits.path(data, 0.0)}
    goals = {"small": "≤ 12 STL", "medium": "≤ 9 STL", "many": "≤ 9 STL", "tall": "≤ 10 STL"}
    work = "mean-regularized, path of 50 with leave-one-out"
    yield row(work, size, asked.medians(runs, size, 0.5), goals.get(size, ""))


def tuned(asked: Setting, size: str) -> Iterator[Row]:
    """What `fit` does by default, with compiled loops at hand as after the fits of a process."""
    data = asked.data(size)
    _load_loops()
    runs: Runs = {"STL": single(data), "ours": lambda: timed_fits.tuned(data)}
    work = "mean-regularized, three strengths chosen"
    yield row(work, size, asked.medians(runs, size, 0.5), "≤ 30 STL")


def logistic(asked: Setting, size: str) -> Iterator[Row]:
    """One fit of logistic loss, beside Newton's method for each task alone."""
    data = asked.data(size, classes=True)
    alpha = 1.0 / len(data.y)
    runs: Runs = {
        "STL": lambda: timed_fits.single_task_logistic(data, 2.0),
        "ours": lambda: timed_fits.fit(data, alpha, alpha, Logistic()),
    }
    found = runs["ours"]()
    more: Row = {"certificate": f"KKT {found.violation:.0e}"}
    if size != "medium":
        runs["peer"] = lambda: peers.sklearn_logistic(data, alpha)

        def value(flat: np.ndarray) -> float:
            return peers.mean_regularized_objective(data, Logistic(), alpha, flat)

        theirs = excess(value(runs["peer"]()), value(peers.flat(found.blocks)))
        more |= {"peer": "scikit-learn, expanded design", "peer's excess": theirs}
    goal = {"small": "≤ 1.5 STL", "medium": "≤ 2 STL"}.get(size, "")
    yield row("mean-regularized, logistic", size, asked.medians(runs, size), goal, **more)


def reml(asked: Setting, size: str) -> Iterator[Row]:
    """Variances by REML, three slopes and an intercept."""
    table, y, _ = make_related_tasks(139, 3, 110, level=0.5, random_state=asked.seed)
    code = np.unique(table["task"], return_inverse=True)[1]
    rows = np.column_stack([table.drop(columns="task"), np.ones(len(y))])
    model = MeanRegularizedRegressor("reml", covariance="diagonal", task="task", alpha_common=0)
    runs: Runs = {
        "ours": lambda: model.fit(table, y),
        "peer": lambda: peers.mixed_lm(rows, y, code),
    }
    seconds = asked.medians(runs, size, 0.5)
    ours = model.deviation_covariance_, model.noise_variance_
    best, theirs = (
        peers.reml_deviance(rows, y, code, *answer)
        for answer in (ours, peers.mixed_lm(rows, y, code))
    )
    more = {"peer": "statsmodels MixedLM", "peer's excess": f"deviance {theirs - best:+.0e}"}
    yield row("REML, 3 slopes", size, seconds, "", **more)


def streaming(asked: Setting, size: str) -> Iterator[Row]:
    """Statistics of 4 million rows in a Parquet file, beside only reading it."""
    with tempfile.TemporaryDirectory(prefix="polytask-") as folder:
        file = Path(folder) / "rows.parquet"
        stream.make_file(file, 4_000_000, 2000, "float64", asked.seed)
        runs: Runs = {
            "reading": lambda: stream.only_read(file),
            "ours": lambda: stream.moments(file),
        }
        seconds = harness.alternate(runs, asked.repeats)
        peak = stream.in_fresh_process("moments", file)["peak"]
    work = "statistics of a file of 4 million rows, 2,000 tasks, 20 features"
    yield row(work, size, seconds, "≤ 2.5 x reading", certificate=f"peak {peak:.0f} MB")
