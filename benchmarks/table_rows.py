"""The rows of `table.py`: one function each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import frontier  # sets the BLAS threads, so it comes before numpy  # isort: skip
import contestants_low_rank as low_rank
import harness
import numpy as np
import peers

from polytask import LowRankRegressor, MeanRegularizedRegressor, ProjectedMeanRegularizedRegressor
from polytask.data import TaskData
from polytask.datasets import make_related_tasks
from polytask.losses import Logistic
from polytask.problem import Problem
from polytask.solvers import one_blas_thread, select

Row = dict[str, object]


class Setting(NamedTuple):
    """What was asked for."""

    quick: bool
    seed: int
    repeats: int
    malsar: Path | None

    def sizes(self, *names: str) -> list[str]:
        """Those that a quick run has time for, of names in the order of their cost."""
        return [name for name in names if name in ("small", "school")] if self.quick else [*names]


def _row(work: str, size: str, ms: dict[str, float], goal: str, peer: str = "", **more: Any) -> Row:
    """Ours beside STL, and beside a peer if there is one."""
    row: Row = {"work": work, "size": size, "ours ms": 1e3 * ms["ours"]}
    row["x STL"] = ms["ours"] / ms["STL"] if "STL" in ms else ""
    row["goal"] = goal
    if peer:
        row |= {"peer": peer, "peer / ours": ms["peer"] / ms["ours"]}
    return row | more


def _excess(theirs: float, ours: float) -> str:
    return f"{theirs / min(theirs, ours) - 1:.0e}"


def mean_regularized(asked: Setting) -> Iterator[Row]:
    """One fit of squared loss."""
    goals = {"tall": "1.0", "wide": "4"}
    for size in asked.sizes("small", "school", "medium", "many", "tall", "wide"):
        X, y, code = frontier.make(size, asked.seed, False)
        data = frontier.task_data(X, y, code)
        alpha, start = 1.0 / len(y), data.start
        rows = np.asarray(data.design.X)
        common = 0.0 if size in ("medium", "many", "tall") else alpha
        runs: dict[str, Callable[[], Any]] = {
            "STL": lambda r=rows, d=data, s=start: frontier.single_task(r, d.y, s, 2.0),
            "ours": lambda d=data, a=alpha, c=common: frontier.fit(d, a, c),
        }
        name = "mean-regularized" + (", ridge on w0" if common else "")
        ms = harness.alternate(runs, asked.repeats)
        more = {"certificate": f"KKT {runs['ours']():.0e}"}
        yield _row(name, size, ms, goals.get(size, "1.3"), **more)
        if size == "small":
            yield from _ridge_peers(asked, data, alpha, ms["ours"])


def _ridge_peers(asked: Setting, data: TaskData, alpha: float, ours: float) -> Iterator[Row]:
    problem = frontier.problem(data, alpha, alpha)
    blocks = select(problem).solve(problem, None, 1e-8, 100).blocks
    flat = np.concatenate([blocks["common"], blocks["deviation"].ravel()])
    best = peers.mean_regularized_objective(data, alpha, flat)
    for name, run in (("scikit-learn", peers.sklearn_ridge), ("skglm", peers.skglm_ridge)):
        found = run(data, alpha)  # compiles, too
        seconds = harness.alternate({"peer": lambda r=run: r(data, alpha)}, 1)
        excess = _excess(peers.mean_regularized_objective(data, alpha, found), best)
        both = {"ours": ours, **seconds}
        yield _row(
            "the same", "small", both, "", f"{name}, expanded design", **{"peer's excess": excess}
        )


def mean_regularized_path(asked: Setting) -> Iterator[Row]:
    """50 strengths, each with exact leave-one-out."""
    goals = {"small": "6", "medium": "4", "many": "6", "tall": "near 1"}
    for size in asked.sizes("small", "medium", "many", "tall"):
        data = frontier.task_data(*frontier.make(size, asked.seed, False))
        rows, start = np.asarray(data.design.X), data.start

        def path(d: TaskData = data) -> None:
            frontier.path(frontier.task_data(d.design.X, d.y, d.code), 0.0)

        runs: dict[str, Callable[[], Any]] = {
            "STL": lambda r=rows, d=data, s=start: frontier.single_task(r, d.y, s, 2.0),
            "ours": path,
        }
        ms = harness.alternate(runs, max(1, asked.repeats // 3))
        yield _row("mean-regularized, path of 50 with leave-one-out", size, ms, goals[size])


def mean_regularized_logistic(asked: Setting) -> Iterator[Row]:
    """One fit of logistic loss, beside Newton's method for each task alone."""
    for size, goal in zip(asked.sizes("small", "medium"), ("1.5", "2"), strict=False):
        X, y, code = frontier.make(size, asked.seed, False)
        y = (y > np.median(y)).astype(float)
        data = frontier.task_data(X, y, code)
        alpha = 1.0 / len(y)

        def ours(d: TaskData = data, a: float = alpha) -> Any:
            fresh = frontier.task_data(d.design.X, d.y, d.code)
            base = frontier.problem(fresh, a, a)
            problem = Problem(fresh, Logistic(), base.structure, base.penalties)
            with one_blas_thread():
                return select(problem).solve(problem, None, 1e-8, 100)

        runs: dict[str, Callable[[], Any]] = {
            "STL": lambda d=data: frontier.single_task_logistic(d, 2.0),
            "ours": ours,
        }
        found, peer = ours(), ""
        more = {"certificate": f"KKT {found.violation:.0e}"}
        if size == "small":
            runs["peer"] = lambda d=data, a=alpha: peers.sklearn_logistic(d, a)
            flat, peer = runs["peer"](), "scikit-learn, expanded design"
            W, d = flat.reshape(-1, data.n_coefs), data.design
            loss = Logistic().value(data.y, d.predict(W[0] + W[1:]))
            theirs = float(data.weight @ loss + alpha * (flat @ flat))
            more["peer's excess"] = _excess(theirs, found.objective)
        ms = harness.alternate(runs, max(1, asked.repeats // 2))
        yield _row("mean-regularized, logistic", size, ms, goal, peer, **more)


def trace_norm(asked: Setting) -> Iterator[Row]:
    """One fit and a path of 50, stopped by the duality gap, beside MALSAR."""
    for size in asked.sizes("small", "medium"):
        for classes, share in ((False, 0.1), (False, 0.02), (True, 0.1)):
            field = low_rank.contestants(size, asked.seed, classes, share, asked.malsar)
            yield from _trace_norm(asked, field, size, classes, share)


def _trace_norm(
    asked: Setting, field: low_rank.Field, size: str, classes: bool, share: float
) -> Iterator[Row]:
    turns = asked.repeats if size == "small" else max(1, asked.repeats // 2)
    work = f"trace norm{', logistic' if classes else ''}, alpha at {share} of its maximum"
    goal = {(False, "small"): "40", (False, "medium"): "20", (True, "small"): "15"}
    more = {"certificate": f"gap {field.solution.gap:.0e}"}
    stops = ("own stop", "oracle stop") if field.malsar_seconds else ()
    times: dict[str, list[float]] = {}
    answers = {}
    for _ in range(turns):
        for name, run in field.runs.items():
            times.setdefault(name, []).append(low_rank.seconds(run))
        for stop in stops:
            taken, answers[stop] = field.malsar_seconds(stop == "own stop")  # type: ignore[misc]
            times.setdefault(stop, []).append(taken)
    ms = {name: float(np.median(t)) for name, t in times.items()}
    if not stops:
        yield _row(work, size, ms, "", **more)
    for stop in stops:
        theirs = _excess(field.objective(*answers[stop]), field.solution.objective)
        reached = f"MALSAR / ours ≥ {goal.get((classes, size), '')}"
        both = {**ms, "peer": ms[stop]}
        more |= {"peer's excess": theirs}
        yield _row(work, size, both, reached, f"MALSAR, {stop}", **more)
    if not classes and share == 0.1:
        path = {"STL": ms["STL"], **harness.alternate({"ours": field.path}, min(turns, 3))}
        gap = max(fit.gap or 0.0 for fit in field.path())
        yield _row("trace norm, path of 50", size, path, "40", certificate=f"gap {gap:.0e}")


def given_rank(asked: Setting) -> Iterator[Row]:
    """Rank at most 5, and projected mean-regularized with 4 directions."""
    models = {
        "rank at most 5": (LowRankRegressor(0.0, max_rank=5, task=0, fit_intercept=False), "3"),
        "projected mean-regularized, k = 4": (
            ProjectedMeanRegularizedRegressor(1e-4, n_components=4, task=0, fit_intercept=False),
            "4",
        ),
    }
    for size in asked.sizes("small", "medium"):
        X, y, code = frontier.make(size, asked.seed, False)
        start = np.concatenate([[0], np.cumsum(np.bincount(code))])
        table = np.column_stack([code, X])
        for name, (model, goal) in models.items():
            runs: dict[str, Callable[[], Any]] = {
                "STL": lambda X=X, y=y, s=start: frontier.single_task(X, y, s, 2.0),
                "ours": lambda m=model, t=table, y=y: m.fit(t, y),
            }
            ms = harness.alternate(runs, max(1, asked.repeats // 2))
            certificate = f"{model.certificate_}, KKT {model.violation_:.0e}"
            yield _row(name, size, ms, goal, certificate=certificate)


def reml(asked: Setting) -> Iterator[Row]:
    """Variances by REML, three slopes and an intercept."""
    table, y, _ = make_related_tasks(139, 3, 110, level=0.5, random_state=asked.seed)
    code = np.unique(table["task"], return_inverse=True)[1]
    rows = np.column_stack([table.drop(columns="task"), np.ones(len(y))])
    model = MeanRegularizedRegressor("reml", covariance="diagonal", task="task", alpha_common=0)
    runs: dict[str, Callable[[], Any]] = {
        "ours": lambda: model.fit(table, y),
        "peer": lambda: peers.mixed_lm(rows, y, code),
    }
    ms = harness.alternate(runs, max(1, asked.repeats // 2))
    ours = peers.reml_deviance(
        rows, y, code, np.diag(model.deviation_covariance_), model.noise_variance_
    )
    theirs = peers.reml_deviance(rows, y, code, *peers.mixed_lm(rows, y, code))
    yield _row(
        "REML, 3 slopes", "small", ms, "", "statsmodels MixedLM",
        **{"peer's excess": f"deviance {theirs - ours:+.0e}"},
    )  # fmt: skip
