"""Published figures of the low-rank and projection families beside ours, on the same protocol.

Strengths are chosen inside the training part, by polytask's default search. A figure of an
independent rerun (numpy, strength by 5 folds inside the training part) stands in the middle.

    school            10 official splits; explained variance on test rows, within tasks: 1 - SSE /
                      sum of squares about each school's test mean; pooled: about the grand mean
    survey            8 training and 4 test rows a person, 13 design columns; mean RMSE of persons
    landmine          10, 20, 50 % of each field for training; AUC, mean over fields
    mnist, usps       digits one-vs-all, 1000 training and 500 test rows; error of the largest score

Usage: python benchmarks/published_figures.py [--data FOLDER] [--repeats 10] [--only NAME ...]
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import roc_auc_score

from polytask import (
    LowRankClassifier,
    LowRankRegressor,
    MeanRegularizedClassifier,
    MeanRegularizedRegressor,
    ProjectedMeanRegularizedClassifier,
    ProjectedMeanRegularizedRegressor,
    SingleTaskClassifier,
    SingleTaskRegressor,
)

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data"
SURVEY = [
    "hot_line", "ram", "screen_size", "cpu_speed", "hard_disk", "cd_rom", "cache", "color",
    "availability", "warranty", "software", "guarantee", "price",
]  # fmt: skip
REGRESSORS = {
    "single-task": lambda **kw: SingleTaskRegressor(**kw),
    "mean-regularized": lambda **kw: MeanRegularizedRegressor(**kw),
    "trace norm": lambda **kw: LowRankRegressor(**kw),
    "w0 + trace norm": lambda **kw: LowRankRegressor(common=True, **kw),
    "P, w0 + dW": lambda **kw: ProjectedMeanRegularizedRegressor(**kw),
}
CLASSIFIERS = {
    "single-task": lambda **kw: SingleTaskClassifier(**kw),
    "mean-regularized": lambda **kw: MeanRegularizedClassifier(**kw),
    "trace norm": lambda **kw: LowRankClassifier(**kw),
    "P, w0 + dW": lambda **kw: ProjectedMeanRegularizedClassifier(**kw),
}
# (data, measure, model): (published, independent rerun)
FIGURES = {
    ("school", "EV within", "single-task"): ("23.8 ± 2.0 (Argyriou 2008)", "25.3 ± 1.4"),
    ("school", "EV within", "mean-regularized"): ("", "28.5 ± 1.3"),
    ("school", "EV within", "trace norm"): ("26.7 ± 2.0 (Argyriou 2008)", "27.8 ± 1.3"),
    ("school", "EV pooled", "trace norm"): ("37.1 ± 1.5 (Argyriou 2006)", ""),
    ("survey", "RMSE", "single-task"): ("", "2.27"),
    ("survey", "RMSE", "mean-regularized"): ("", "2.14"),
    ("survey", "RMSE", "trace norm"): ("1.93 (Argyriou 2008)", "1.94 ± .05"),
    ("landmine 50 %", "AUC", "single-task"): (".764 (Ruvolo 2013)", ".771"),
    ("landmine 50 %", "AUC", "mean-regularized"): ("", ".770"),
    ("landmine 50 %", "AUC", "trace norm"): (".780 (Ruvolo 2013)", ".784 ± .012"),
}
Score = tuple[str, float]


def school(folder: Path, repeats: int) -> Iterator[Callable]:
    table = pd.read_parquet(folder / "school" / "data.parquet").drop(columns="x28")
    splits = pd.read_parquet(folder / "school" / "splits.parquet")
    for name in splits.columns[:repeats]:
        train = (splits[name] == 1).to_numpy()
        yield lambda make, train=train: _regression(table, train, ~train, make, _variances)


def survey(folder: Path, repeats: int) -> Iterator[Callable]:
    table = pd.read_parquet(folder / "computer_survey" / "data.parquet")
    table = table[["task", *SURVEY, "target"]]
    for seed in range(repeats):
        rank = _rank_in_task(table, seed)
        train, test = rank < 8, (rank >= 8) & (rank < 12)
        yield lambda make, train=train, test=test: _regression(table, train, test, make, _rmse)


def landmine(folder: Path, repeats: int, share: float) -> Iterator[Callable]:
    table = pd.read_parquet(folder / "landmine" / "data.parquet")
    size = table.groupby("task")["target"].transform("size").to_numpy()
    for seed in range(repeats):
        train = _rank_in_task(table, seed) < share * size
        yield lambda make, train=train: _auc(table, train, make)


def digits(folder: Path, repeats: int) -> Iterator[Callable]:
    table = pd.read_parquet(folder / "data.parquet")
    yield lambda make: _digit_error(table, make)


def _rank_in_task(table: pd.DataFrame, seed: int) -> np.ndarray:
    shuffled = table.sample(frac=1.0, random_state=seed)
    return shuffled.groupby("task").cumcount().reindex(table.index).to_numpy()


def _regression(table, train, test, make, measure) -> list[Score]:
    X, y = table.drop(columns="target"), table["target"].to_numpy(float)
    X = _standardized(X, train)
    prediction = make(task="task").fit(X[train], y[train]).predict(X[test])
    return measure(X["task"].to_numpy()[test], y[test], prediction)


def _standardized(X: pd.DataFrame, train: np.ndarray) -> pd.DataFrame:
    features = X.drop(columns="task").astype(float)
    scale = features[train].std().replace(0.0, 1.0)
    return ((features - features[train].mean()) / scale).assign(task=X["task"])


def _variances(task, y, prediction) -> list[Score]:
    sse = float(((y - prediction) ** 2).sum())
    within = float(((y - pd.Series(y).groupby(task).transform("mean").to_numpy()) ** 2).sum())
    pooled = float(((y - y.mean()) ** 2).sum())
    return [("EV within", 100 * (1 - sse / within)), ("EV pooled", 100 * (1 - sse / pooled))]


def _rmse(task, y, prediction) -> list[Score]:
    squares = pd.Series((y - prediction) ** 2).groupby(task).mean()
    return [("RMSE", float(np.sqrt(squares).mean()))]


def _auc(table, train, make) -> list[Score]:
    X, y = table.drop(columns="target"), table["target"].to_numpy(int)
    X = _standardized(X, train)
    model = make(task="task").fit(X[train], y[train])
    f, task = model.decision_function(X[~train]), X["task"].to_numpy()[~train]
    left = y[~train]
    scores = [
        roc_auc_score(left[task == i], f[task == i])
        for i in np.unique(task)
        if np.ptp(left[task == i]) > 0
    ]
    return [("AUC", float(np.mean(scores)))]


def _digit_error(table, make) -> list[Score]:
    features = table.drop(columns=["digit", "part"]).to_numpy(float)
    train, test = (table["part"] == "train").to_numpy(), (table["part"] == "test").to_numpy()
    names = np.unique(table["digit"])
    Y = (table["digit"].to_numpy()[:, None] == names).astype(int)
    f = make().fit(features[train], Y[train]).decision_function(features[test])
    wrong = names[f.argmax(axis=1)] != table["digit"].to_numpy()[test]
    return [("error %", 100 * float(wrong.mean()))]


def protocols(folder: Path, repeats: int) -> dict[str, tuple[Callable[[], Iterator], dict]]:
    made = {
        "school": (lambda: school(folder, repeats), REGRESSORS),
        "survey": (lambda: survey(folder, repeats), REGRESSORS),
    }
    for percent in (10, 20, 50):
        made[f"landmine {percent} %"] = (
            lambda share=percent / 100: landmine(folder, repeats, share),
            CLASSIFIERS,
        )
    for name in ("mnist", "usps"):
        place = folder / f"{name}_kang"
        made[name] = (lambda place=place: digits(place, repeats), CLASSIFIERS)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=FOLDER)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--models", nargs="*", default=[])
    arguments = parser.parse_args()
    print("| data | measure | model | published | rerun | ours | s a fit |")
    print("|---|---|---|---|---|---|---|")
    for data, (runs, models) in protocols(arguments.data, arguments.repeats).items():
        if arguments.only and not any(data.startswith(name) for name in arguments.only):
            continue
        for model, make in models.items():
            if not arguments.models or model in arguments.models:
                _report(data, model, make, list(runs()))


def _report(data: str, model: str, make: Callable, runs: list[Callable]) -> None:
    began, found = time.perf_counter(), []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for run in runs:
            found.extend(run(make))
    seconds = (time.perf_counter() - began) / len(runs)
    for measure, values in pd.DataFrame(found, columns=["measure", "value"]).groupby("measure"):
        published, rerun = FIGURES.get((data, measure, model), ("", ""))
        digits = 1 if values["value"].mean() > 5 else 3
        spread = f" ± {values['value'].std():.{digits}f}" if len(values) > 1 else ""
        ours = f"{values['value'].mean():.{digits}f}{spread}"
        print(
            f"| {data} | {measure} | {model} | {published} | {rerun} | {ours} | {seconds:.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
