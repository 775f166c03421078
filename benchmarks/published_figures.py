"""Published figures of the low-rank and projection families beside ours, on the same protocol.

Strengths and ranks are chosen inside the training part, by polytask's default search. A figure of
an independent rerun (numpy, strength by 5 folds inside the training part) stands in the middle.

    school            10 official splits; explained variance on test rows, within tasks: 1 - SSE /
                      sum of squares about each school's test mean; pooled: about the grand mean
    survey            8 training and 4 test rows a person, 13 design columns; mean RMSE of persons
    landmine          10, 20, 50 % of each field for training; AUC, mean over fields
    mnist, usps       digits one-vs-all, 1000 training and 500 test rows; error of the largest score

With --results FILE every fit adds its lines to the file (JSON), and the table is of all that the
file holds: a long table can be made in parts, and one that was cut off goes on where it stood.

Usage: python benchmarks/published_figures.py [--data FOLDER] [--draws 0 1 2 ...] [--only NAME ...]
       [--models NAME ...] [--results FILE] [--table]
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import time
import warnings
from collections.abc import Callable
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
    ProjectedLowRankClassifier,
    ProjectedLowRankRegressor,
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
FAMILIES = {
    "single-task": (SingleTaskRegressor, SingleTaskClassifier, {}),
    "mean-regularized": (MeanRegularizedRegressor, MeanRegularizedClassifier, {}),
    "trace norm": (LowRankRegressor, LowRankClassifier, {}),
    "w0 + trace norm": (LowRankRegressor, LowRankClassifier, {"common": True}),
    "rank": (LowRankRegressor, LowRankClassifier, {"penalty": "rank"}),
    "P, k by folds, trace norm": (
        ProjectedLowRankRegressor, ProjectedLowRankClassifier, {"n_components": "cv"},
    ),
    "P, w0 + dW": (ProjectedMeanRegularizedRegressor, ProjectedMeanRegularizedClassifier, {}),
}  # fmt: skip
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
Run = Callable[[Callable], list[Score]]


def school(folder: Path, draw: int) -> Run:
    table = pd.read_parquet(folder / "school" / "data.parquet").drop(columns="x28")
    splits = pd.read_parquet(folder / "school" / "splits.parquet")
    train = (splits.iloc[:, draw] == 1).to_numpy()
    return lambda make: _regression(table, train, ~train, make, _variances)


def survey(folder: Path, draw: int) -> Run:
    table = pd.read_parquet(folder / "computer_survey" / "data.parquet")
    table = table[["task", *SURVEY, "target"]]
    rank = _rank_in_task(table, draw)
    train, test = rank < 8, (rank >= 8) & (rank < 12)
    return lambda make: _regression(table, train, test, make, _rmse)


def landmine(folder: Path, draw: int, share: float) -> Run:
    table = pd.read_parquet(folder / "landmine" / "data.parquet")
    size = table.groupby("task")["target"].transform("size").to_numpy()
    train = _rank_in_task(table, draw) < share * size
    return lambda make: _auc(table, train, make)


def digits(folder: Path, draw: int) -> Run:
    table = pd.read_parquet(folder / "data.parquet")
    return lambda make: _digit_error(table, make)


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


def protocols(folder: Path) -> dict[str, tuple[Callable[[int], Run], bool, int]]:
    """(run of a draw, whether the target is a class, draws that there are) of each data set."""
    made: dict = {
        "school": (lambda draw: school(folder, draw), False, 10),
        "survey": (lambda draw: survey(folder, draw), False, 10),
    }
    for percent in (10, 20, 50):
        one = lambda draw, share=percent / 100: landmine(folder, draw, share)  # noqa: E731
        made[f"landmine {percent} %"] = (one, True, 10)
    for name in ("mnist", "usps"):
        one = lambda draw, place=folder / f"{name}_kang": digits(place, draw)  # noqa: E731
        made[name] = (one, True, 1)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=FOLDER)
    parser.add_argument("--draws", type=int, nargs="*", default=range(10))
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--models", nargs="*", default=list(FAMILIES))
    parser.add_argument("--results", type=Path)
    parser.add_argument("--table", action="store_true", help="fit nothing, print the results")
    given = parser.parse_args()
    known = _read(given.results)
    for data, (run_of, classes, most) in protocols(given.data).items():
        if given.table or (given.only and not any(data.startswith(o) for o in given.only)):
            continue
        done = {(k["model"], k["draw"]) for k in known if k["data"] == data}
        wanted = itertools.product(given.models, (draw for draw in given.draws if draw < most))
        for model, draw in (key for key in wanted if key not in done):
            lines = _fit(data, model, draw, run_of(draw), classes)
            known.extend(lines)
            _append(given.results, lines)
    print(_table(known))


def _fit(data: str, model: str, draw: int, run: Run, classes: bool) -> list[dict]:
    regressor, classifier, settings = FAMILIES[model]
    kind = classifier if classes else regressor
    began = time.process_time()
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always", ConvergenceWarning)
        scores = run(lambda **kw: kind(**settings, **kw))
    fit = {
        "data": data, "model": model, "draw": draw, "commit": _commit(),
        "seconds": time.process_time() - began,
        "warned": any(issubclass(w.category, ConvergenceWarning) for w in seen),
    }  # fmt: skip
    return [{**fit, "measure": measure, "value": value} for measure, value in scores]


def _commit() -> str:
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


def _read(path: Path | None) -> list[dict]:
    if path is None or not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


def _append(path: Path | None, lines: list[dict]) -> None:
    if path is not None:
        with path.open("a") as file:
            file.writelines(json.dumps(line) + "\n" for line in lines)


def _table(known: list[dict]) -> str:
    """Markdown: a row for each data set, measure and model, in the order of the protocols."""
    found = pd.DataFrame(known)
    lines = [
        "| data | measure | model | published | rerun | ours | draws | CPU s a fit |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for data in protocols(FOLDER):
        part = found[found["data"] == data] if len(found) else found
        for measure in sorted(set(part["measure"])) if len(part) else []:
            for model in FAMILIES:
                rows = part[(part["measure"] == measure) & (part["model"] == model)]
                lines.extend([_line(data, measure, model, rows)] if len(rows) else [])
    return "\n".join(lines)


def _line(data: str, measure: str, model: str, rows: pd.DataFrame) -> str:
    published, rerun = FIGURES.get((data, measure, model), ("", ""))
    value, places = rows["value"], 1 if rows["value"].mean() > 5 else 3
    spread = f" ± {value.std():.{places}f}" if len(rows) > 1 else ""
    warned = f", {rows['warned'].sum()} warned" if rows["warned"].any() else ""
    ours = f"{value.mean():.{places}f}{spread} | {len(rows)}{warned}"
    seconds = f"{rows['seconds'].mean():.1f}"
    return f"| {data} | {measure} | {model} | {published} | {rerun} | {ours} | {seconds} |"


if __name__ == "__main__":
    main()
