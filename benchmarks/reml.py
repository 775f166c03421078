"""Variances by REML: speed beside statsmodels' MixedLM, hard data, and what they gain.

Usage: python benchmarks/reml.py [--data FOLDER] [--repeats 5] [--only mixedlm tables exam levels]

Set OMP_NUM_THREADS=1 for times that compare. The tables printed:

1. mixedlm: median seconds of a fit and the median ratio, the two fitted in turn, with the largest
   relative difference of the variances, and the one where MixedLM goes on to a slope of 1e-8 (not
   timed; not for the largest table, which is fitted once);
2. tables: on real tables seconds, Newton steps, slope of the deviance in log variance that is left;
3. exam: test RMSE, mean over repeats, at shares of training rows, what "auto" chose, and in
   brackets the standard error of the mean difference from "auto";
4. levels: tasks that differ by their level only, test RMSE beside that of the best single strength.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from real_data import add_folder, first_rows, load

from polytask import (
    MeanRegularizedRegressor,
    PooledRegressor,
    SingleTaskRegressor,
    TaskInterceptRegressor,
)
from polytask.datasets import load_exam, make_related_tasks


def reml(covariance: str = "auto", **kwargs: Any) -> MeanRegularizedRegressor:
    return MeanRegularizedRegressor("reml", covariance=covariance, task="task", **kwargs)


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of a call, and its answer."""
    start = time.perf_counter()
    answer = call()
    return time.perf_counter() - start, answer


def mixed_lm(X: pd.DataFrame, y: np.ndarray, diagonal: bool, **stop: float) -> Any:
    import statsmodels.api as sm
    from statsmodels.regression.mixed_linear_model import MixedLMParams

    rows = np.column_stack([X.drop(columns="task"), np.ones(len(y))])
    p = rows.shape[1]
    free = MixedLMParams.from_components(np.ones(p), cov_re=np.eye(p)) if diagonal else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return sm.MixedLM(y, rows, groups=X["task"], exog_re=rows).fit(reml=True, free=free, **stop)


def side_by_side(repeats: int) -> None:
    exam = load_exam()
    table = exam[["standLRT", "school"]].rename(columns={"school": "task"})
    worlds = {"exam, 1 slope": (table, exam["normexam"].to_numpy(float))}
    for m, n in ((200, 20), (1000, 10)):
        X, y, _ = make_related_tasks(m, 4, n, level=0.5, random_state=0)
        worlds[f"{m} tasks x {n} rows, 4 slopes"] = (X, y)
    print(f"{'data':32} {'covariance':10} {'ours s':>8} {'MixedLM s':>10} {'ratio':>6}  difference")
    for name, (X, y) in worlds.items():
        large = len(X) > 5000
        for covariance, alone in {"diagonal": True, "full": False}.items():
            model = reml(covariance, alpha_common=0)
            seconds = []
            for _ in range(1 if large else repeats):  # in turn: the machine's load meets both alike
                ours, model = timed(lambda m=model, X=X, y=y: m.fit(X, y))
                theirs, other = timed(lambda X=X, y=y, a=alone: mixed_lm(X, y, a))
                seconds.append((ours, theirs))
            each = np.array(seconds)
            ours, theirs = np.median(each, axis=0)
            far = [_difference(model, other)]
            far += [] if large else [_difference(model, mixed_lm(X, y, alone, gtol=1e-8))]
            print(
                f"{name:32} {covariance:10} {ours:8.4f} {theirs:10.3f} "
                f"{np.median(each[:, 1] / each[:, 0]):6.0f}  " + " ".join(f"{d:.1e}" for d in far),
                flush=True,
            )  # fmt: skip


def _difference(model: MeanRegularizedRegressor, other: Any) -> float:
    """Largest relative difference of the variances between tasks."""
    return float(np.abs(np.diag(model.deviation_covariance_) / np.diag(other.cov_re) - 1).max())


def hard_data(folder: Path) -> None:
    print(f"\n{'table':20} {'covariance':10} {'tasks':>5} {'seconds':>8} {'steps':>5} {'status'}")
    for name in ("school", "scotssec", "chem97_lea", "computer_survey", "ricefarms"):
        X, y = load(name, folder)
        for covariance in ("auto", "diagonal", "full"):
            seconds, model = timed(lambda c=covariance, X=X, y=y: reml(c).fit(X, y))
            zero = int((np.diag(model.deviation_covariance_) == 0).sum())
            print(
                f"{name:20} {covariance:10} {len(model.tasks_):5d} {seconds:8.3f} "
                f"{model.n_iter_:5d} {model.status_}, slope {model.slope_:.1e}, KKT "
                f"{model.violation_:.1e}, {zero} variances of zero", flush=True,
            )  # fmt: skip


def exam_shares(repeats: int, folder: Path) -> None:
    X, y = load("exam65", folder)
    models = {
        "single-task": SingleTaskRegressor(task="task"),
        "pooled": PooledRegressor(task="task"),
        "task-intercept": TaskInterceptRegressor(task="task"),
        "mean-regularized, cv": MeanRegularizedRegressor(task="task"),
        **{f"reml, {c}": reml(c) for c in ("scalar", "diagonal", "factor", "full", "auto")},
    }
    shares = (0.1, 0.3, 0.75)
    rmse = {name: np.zeros((repeats, len(shares))) for name in models}
    chosen: list[Counter[str]] = [Counter() for _ in shares]
    for r in range(repeats):
        for s, share in enumerate(shares):
            train = first_rows(X, share, np.random.default_rng([r, s]))
            for name, model in models.items():
                prediction = model.fit(X[train], y[train]).predict(X[~train])
                rmse[name][r, s] = np.sqrt(np.mean((y[~train] - prediction) ** 2))
            chosen[s][models["reml, auto"].covariance_] += 1
    print("\nexam, test RMSE over rows at 10 / 30 / 75 % training rows")
    for name, values in rmse.items():
        error = (values - rmse["reml, auto"]).std(axis=0, ddof=1) / np.sqrt(repeats)
        each = zip(values.mean(axis=0), error, strict=True)
        print(f"{name:24}" + "".join(f"{value:8.4f} ({e:.4f})" for value, e in each))
    print("auto chose", *(dict(count) for count in chosen))


def levels(repeats: int) -> None:
    print("\ntasks that differ by level only (sd 2, noise 0.5), test RMSE by rows per task")
    models = {
        "single-task": lambda: SingleTaskRegressor(task="task"),
        "mean-regularized, cv": lambda: MeanRegularizedRegressor(task="task"),
        "reml, auto": reml,
        "reml, diagonal": lambda: reml("diagonal"),
    }
    rows = (5, 20, 80)
    rmse = {name: np.zeros((repeats, len(rows))) for name in (*models, "one strength, best")}
    for r, (k, n) in ((r, each) for r in range(repeats) for each in enumerate(rows)):
        X, y, _ = make_related_tasks(20, 10, n + 100, deviation=0, level=2, random_state=r)
        train = X.groupby("task").cumcount().to_numpy() < n

        def loss(model, X=X, y=y, train=train):
            prediction = model.fit(X[train], y[train]).predict(X[~train])
            return np.sqrt(np.mean((y[~train] - prediction) ** 2))

        for name, make in models.items():
            rmse[name][r, k] = loss(make())
        rmse["one strength, best"][r, k] = min(
            loss(MeanRegularizedRegressor(alpha, task="task")) for alpha in np.logspace(-6, 1, 15)
        )
    for name, values in rmse.items():
        print(f"{name:24}" + "".join(f"{value:8.4f}" for value in values.mean(axis=0)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parts = ("mixedlm", "tables", "exam", "levels")
    parser.add_argument("--only", nargs="*", choices=parts, default=parts)
    add_folder(parser)
    given = parser.parse_args()
    if "mixedlm" in given.only:
        side_by_side(given.repeats)
    if "tables" in given.only:
        hard_data(given.data)
    if "exam" in given.only:
        exam_shares(given.repeats, given.data)
    if "levels" in given.only:
        levels(given.repeats)


if __name__ == "__main__":
    main()
