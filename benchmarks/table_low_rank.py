"""The rows of `table.py` on low-rank models and joint features."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import contestants_low_rank as low_rank  # sets the BLAS threads, so it comes before numpy
import numpy as np

import timed_fits  # isort: skip
from table_rows import Row, Runs, Setting, excess, row, single

from polytask.data import TaskData
from polytask.penalties import Orthonormal, Rank, Ridge
from polytask.problem import Problem
from polytask.responses import Squared
from polytask.solvers import Solution, one_blas_thread, select
from polytask.structures import CommonDeviation, Projected, SlopesPlus

RANK = 5
TOL = 1e-7
_SHARES = {"small": (0.1, 0.02), "school": (0.1, 0.02), "medium": (0.1,)}
_SHARED = {"small": (100, 1000, 20), "medium": (500, 5000, 20), "school": (2000, 100, 139)}
_PATH_GOALS = {
    ("trace norm", "small"): "≤ 40 STL",
    ("trace norm", "school"): "≤ 60 STL",
    ("trace norm", "medium"): "≤ 40 STL",
    ("joint features", "small"): "≤ 25 STL",
    ("joint features", "medium"): "≤ 60 STL",
}
_GOALS = {("squared", "small"): 40, ("squared", "medium"): 20, ("logistic", "small"): 15}


def squared(asked: Setting, size: str) -> Iterator[Row]:
    """One fit, stopped by the duality gap, beside MALSAR."""
    for share in _SHARES[size]:
        yield from _beside_malsar(asked, size, "squared", share)


def logistic(asked: Setting, size: str) -> Iterator[Row]:
    """The same for classes."""
    yield from _beside_malsar(asked, size, "logistic", 0.1)


def joint(asked: Setting, size: str) -> Iterator[Row]:
    """Joint features, one fit of squares beside MALSAR."""
    yield from _beside_malsar(asked, size, "squared", 0.1, "joint features")


def _beside_malsar(
    asked: Setting, size: str, kind: str, share: float, norm: str = "trace norm"
) -> Iterator[Row]:
    field = low_rank.contestants(size, asked.seed, kind == "logistic", share, asked.malsar, norm)
    work = f"{norm}, {kind}, alpha at {share} of its maximum"
    more = {"certificate": f"gap {field.solution.gap:.0e}"}
    asked.show_profile(field.runs)
    times: dict[str, list[float]] = {}
    stops = ("own stop", "oracle stop") if field.malsar_seconds else ()
    for _ in range(asked.turns(size, 0.4)):
        for name, run in field.runs.items():
            times.setdefault(name, []).append(low_rank.seconds(run))
        for stop in stops:
            taken, answer = field.malsar_seconds(stop == "own stop")  # type: ignore[misc]
            times.setdefault(stop, []).append(taken)
            more[stop] = excess(field.objective(*answer), field.objective(*field.answer))
    medians = {name: float(np.median(t)) for name, t in times.items()}
    left = {stop: more.pop(stop) for stop in stops}
    if not stops:
        yield row(work, size, medians, "", **more)
    goal = _GOALS.get((kind, size), "") or (40 if norm != "trace norm" else "")
    for stop in stops:
        theirs = {"peer": f"MALSAR, {stop}", "peer's excess": left[stop]}
        reached = f"MALSAR ≥ {goal}" if goal else ""
        yield row(work, size, {**medians, "peer": medians[stop]}, reached, **theirs, **more)


def path(asked: Setting, size: str) -> Iterator[Row]:
    """50 alphas over two decades."""
    yield _path(asked, size, "trace norm")


def joint_path(asked: Setting, size: str) -> Iterator[Row]:
    """The same of joint features."""
    yield _path(asked, size, "joint features")


def _path(asked: Setting, size: str, norm: str) -> Row:
    field = low_rank.contestants(size, asked.seed, False, 0.1, norm=norm)
    runs: Runs = {"STL": field.runs["STL"], "ours": field.path}
    gap = max(fit.gap or 0.0 for fit in field.path())
    seconds = asked.medians(runs, size, 0.4)
    goal = _PATH_GOALS.get((norm, size), "")
    return row(f"{norm}, path of 50", size, seconds, goal, certificate=f"gap {gap:.0e}")


def shared_rows(asked: Setting, size: str) -> Iterator[Row]:
    """Joint features of one X in all tasks, beside scikit-learn and skglm: processor time."""
    rng = np.random.default_rng(asked.seed)
    n, d, m = _SHARED[size]
    X, W = rng.normal(size=(n, d)), np.zeros((m, d))
    W[:, :10] = rng.normal(size=(m, 10))
    Y = X @ W.T + rng.normal(size=(n, m))
    top = float(np.linalg.norm(X.T @ Y, axis=1).max()) / n  # scikit-learn's scale
    runs = low_rank.shared_contestants(X, Y, top / 20)
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(asked.turns(size)):
        for name, run in runs.items():
            begin = time.process_time()
            run()
            seconds[name].append(time.process_time() - begin)
    values = {k: low_rank.shared_objective(X, Y, top / 20, run()) for k, run in runs.items()}
    work = f"joint features, one X of {n} x {d}, {m} tasks, alpha at 0.05 of its maximum"
    for name in list(runs)[1:]:
        taken = {k: float(np.median(seconds[at])) for k, at in (("ours", "ours"), ("peer", name))}
        more = {"peer": name, "peer's excess": excess(values[name], values["ours"])}
        yield row(work, size, taken, "peer ≥ 1", **more)


def given_rank(asked: Setting, size: str) -> Iterator[Row]:
    """rank(W) <= 5."""
    yield _directions(asked, size, "rank at most 5", rank_limited, "≤ 3 STL")


def projected(asked: Setting, size: str) -> Iterator[Row]:
    """Mean-regularized heads on five learned features."""
    yield _directions(asked, size, "projected mean-regularized, k = 5", on_features, "≤ 4 STL")


def _directions(
    asked: Setting, size: str, work: str, make: Callable[[TaskData], Problem], goal: str
) -> Row:
    data = asked.data(size)

    def ours() -> Solution:
        problem = make(timed_fits.task_data(data.design.X, data.y, data.code))  # nothing kept
        with one_blas_thread():
            return select(problem).solve(problem, None, TOL, 2000)

    runs: Runs = {"STL": single(data), "ours": ours}
    found = ours()
    certificate = f"{found.status.name.lower()}, {found.certificate}, KKT {found.violation:.0e}"
    return row(work, size, asked.medians(runs, size), goal, certificate=certificate)


def rank_limited(data: TaskData) -> Problem:
    """No other penalty."""
    nothing = np.zeros(data.n_features, dtype=bool)
    penalties = {
        "low_rank": Rank(0.0, RANK),
        "common": Ridge(np.zeros(0)),
        "deviation": Ridge(np.zeros(0)),
    }
    structure = SlopesPlus(CommonDeviation(nothing, nothing), data.n_features)
    return Problem(data, Squared(), structure, penalties)


def on_features(data: TaskData) -> Problem:
    """A ridge on the deviations of the heads."""
    penalties = {
        "projection": Orthonormal(),
        "common": Ridge(np.zeros(RANK)),
        "deviation": Ridge(np.full(RANK, 1.0 / len(data.y))),
    }
    return Problem(data, Squared(), Projected(data.n_features, RANK, False), penalties)
