"""Variances by REML: speed beside statsmodels' MixedLM, hard data, and what they gain.

Usage: python benchmarks/reml.py [--data FOLDER] [--repeats 5]

Set OMP_NUM_THREADS=1 for times that compare. The tables printed:

1. seconds of a fit and the ratio, with the largest relative difference of the estimates;
2. on real tables: seconds, Newton steps, slope of the deviance in log variance that is left;
3. exam: test RMSE, mean over repeats, at shares of training rows;
4. tasks that differ by their level only: test RMSE of the best single strength in hindsight.
"""

from __future__ import annotations

import argparse
import time
import warnings
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


def least_time(call: Callable[[], Any], repeats: int) -> tuple[float, Any]:
    """Seconds of the quickest of some calls, and its answer."""
    times, answer = [], None
    for _ in range(repeats):
        start = time.perf_counter()
        answer = call()
        times.append(time.perf_counter() - start)
    return min(times), answer


def mixed_lm(X: pd.DataFrame, y: np.ndarray, diagonal: bool) -> Any:
    import statsmodels.api as sm
    from statsmodels.regression.mixed_linear_model import MixedLMParams

    rows = np.column_stack([X.drop(columns="task"), np.ones(len(y))])
    p = rows.shape[1]
    free = MixedLMParams.from_components(np.ones(p), cov_re=np.eye(p)) if diagonal else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return sm.MixedLM(y, rows, groups=X["task"], exog_re=rows).fit(reml=True, free=free)


def side_by_side(repeats: int) -> None:
    exam = load_exam()
    table = exam[["standLRT", "school"]].rename(columns={"school": "task"})
    worlds = {"exam, 1 slope": (table, exam["normexam"].to_numpy(float))}
    for m, n in ((200, 20), (1000, 10)):
        X, y, _ = make_related_tasks(m, 4, n, level=0.5, random_state=0)
        worlds[f"{m} tasks x {n} rows, 4 slopes"] = (X, y)
    print(f"{'data':32} {'covariance':10} {'ours s':>8} {'MixedLM s':>10} {'ratio':>6}  difference")
    for name, (X, y) in worlds.items():
        for covariance in ("diagonal", "full"):
            model = reml(covariance, alpha_common=0)
            ours, model = least_time(lambda m=model, X=X, y=y: m.fit(X, y), repeats)
            theirs, other = least_time(
                lambda X=X, y=y, c=covariance: mixed_lm(X, y, c == "diagonal"), 1
            )
            far = np.abs(np.diag(model.deviation_covariance_) / np.diag(other.cov_re) - 1).max()
            print(
                f"{name:32} {covariance:10} {ours:8.4f} {theirs:10.3f} {theirs / ours:6.0f}  "
                f"{far:.1e}{'' if other.converged else '  (MixedLM did not converge)'}", flush=True,
            )  # fmt: skip


def hard_data(folder: Path) -> None:
    print(f"\n{'table':20} {'covariance':10} {'tasks':>5} {'seconds':>8} {'steps':>5} {'status'}")
    for name in ("school", "scotssec", "chem97_lea", "computer_survey", "ricefarms"):
        X, y = load(name, folder)
        for covariance in ("auto", "diagonal", "full"):
            seconds, model = least_time(lambda c=covariance, X=X, y=y: reml(c).fit(X, y), 1)
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
        "reml, scalar": reml("scalar"),
        "reml, diagonal": reml("diagonal"),
        "reml, auto": reml(),
    }
    shares = (0.1, 0.3, 0.75)
    rmse = {name: np.zeros((repeats, len(shares))) for name in models}
    for r in range(repeats):
        for s, share in enumerate(shares):
            train = first_rows(X, share, np.random.default_rng([r, s]))
            for name, model in models.items():
                prediction = model.fit(X[train], y[train]).predict(X[~train])
                rmse[name][r, s] = np.sqrt(np.mean((y[~train] - prediction) ** 2))
    print("\nexam, test RMSE over rows at 10 / 30 / 75 % training rows")
    for name, values in rmse.items():
        print(f"{name:24}" + "".join(f"{value:8.4f}" for value in values.mean(axis=0)))


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
    add_folder(parser)
    arguments = parser.parse_args()
    side_by_side(arguments.repeats)
    hard_data(arguments.data)
    exam_shares(arguments.repeats, arguments.data)
    levels(arguments.repeats)


if __name__ == "__main__":
    main()
