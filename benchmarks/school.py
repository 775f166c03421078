"""School, the ten official splits: every model, and one that chooses among them inside training.

    EV within   1 - SSE / sum of squares about each school's mean over its test rows
    EV pooled   the same about the grand mean of the test rows
    RMSE        over all test rows

Strengths, ranks, variances and the weights of Auto are found on the training rows. "chosen" takes
the model with the smallest error in three folds inside schools of the training rows, anew in every
split. The table holds means over splits, and standard deviations of EV within. With --results FILE
every fit adds a line (JSON), and a run that was cut off goes on where it stood.

Usage: python benchmarks/school.py [--data FOLDER] [--splits 0 1 ...] [--models NAME ...]
       [--no-choice] [--results FILE]
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.kernel_approximation import Nystroem
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, PolynomialFeatures, SplineTransformer

import polytask as pt
from polytask.model_selection import TaskKFold

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data"
PERCENTAGES = ["x04", "x05"]  # of the school; all other features are zero or one
PUPIL = [f"x{k:02d}" for k in range(1, 10)]  # year, percentages, sex, verbal reasoning
INNER_FOLDS = 3


def before(transformer, columns: list[str], model, kept: Sequence = ()) -> object:
    """A pipeline that puts a transformer of some columns before a model; the task column passes."""
    prepare = ColumnTransformer(
        [("made", transformer, columns), *kept],
        remainder="passthrough",
        verbose_feature_names_out=False,
    )
    return make_pipeline(prepare.set_output(transform="pandas"), model)


def models(features: list[str]) -> dict[str, object]:
    reml = pt.MeanRegularizedRegressor("reml", task="task")
    squares = PolynomialFeatures(2, interaction_only=True, include_bias=False)
    boosting = HistGradientBoostingRegressor(
        categorical_features=["task"], learning_rate=0.05, early_stopping=True, random_state=0
    )
    return {
        "pooled": pt.PooledRegressor(task="task"),
        "single-task": pt.SingleTaskRegressor(task="task"),
        "task-intercept": pt.TaskInterceptRegressor(task="task"),
        "mean-regularized": pt.MeanRegularizedRegressor(task="task"),
        "reml scalar": clone(reml).set_params(covariance="scalar"),
        "reml diagonal": clone(reml).set_params(covariance="diagonal"),
        "reml full": clone(reml).set_params(covariance="full"),
        "low-rank": pt.LowRankRegressor(task="task"),
        "low-rank + common": pt.LowRankRegressor(common=True, task="task"),
        "projected mean-regularized": pt.ProjectedMeanRegularizedRegressor(task="task"),
        "auto": pt.AutoMultiTaskRegressor(task="task"),
        "splines, mean-regularized": before(
            SplineTransformer(4, degree=2, include_bias=False), PERCENTAGES, clone(reml)
        ),
        "interactions, mean-regularized": before(squares, PUPIL, clone(reml)),
        "Nystroem, mean-regularized": before(
            Nystroem(gamma=0.02, n_components=60, random_state=0),
            features,
            clone(reml),
            [("linear", "passthrough", features)],
        ),
        "interactions, auto": before(squares, PUPIL, pt.AutoMultiTaskRegressor(task="task")),
        "boosting (outside)": make_pipeline(
            ColumnTransformer(
                [("task", OrdinalEncoder(), ["task"])],
                remainder="passthrough",
                verbose_feature_names_out=False,
            ).set_output(transform="pandas"),
            boosting,
        ),
    }


def scores(y: np.ndarray, f: np.ndarray, task: np.ndarray) -> dict[str, float]:
    sse = float(((y - f) ** 2).sum())
    means = pd.Series(y).groupby(task).transform("mean").to_numpy()
    return {
        "EV within": 100 * (1 - sse / float(((y - means) ** 2).sum())),
        "EV pooled": 100 * (1 - sse / float(((y - y.mean()) ** 2).sum())),
        "RMSE": float(np.sqrt(sse / len(y))),
    }


def standardized(X: pd.DataFrame, train: np.ndarray) -> pd.DataFrame:
    """Features of mean zero and spread one over the training rows."""
    features = X.drop(columns="task").astype(float)
    scale = features[train].std().replace(0.0, 1.0)
    return ((features - features[train].mean()) / scale).assign(task=X["task"])


def inner_error(model, X: pd.DataFrame, y: np.ndarray) -> float:
    """Squared error over folds inside schools of training rows."""
    total = 0.0
    folds = TaskKFold(INNER_FOLDS, task="task", shuffle=True, random_state=0)
    for fit, held in folds.split(X, y):
        f = clone(model).fit(X.iloc[fit], y[fit]).predict(X.iloc[held])
        total += float(((y[held] - f) ** 2).sum())
    return total


def run(name: str, split: int, X: pd.DataFrame, y: np.ndarray, train: np.ndarray, choice: bool):
    start = time.process_time()
    model = models([c for c in X if c != "task"])[name]
    f = clone(model).fit(X[train], y[train]).predict(X[~train])
    line = {"model": name, "split": split, **scores(y[~train], f, X["task"][~train].to_numpy())}
    line["CPU s"] = time.process_time() - start
    line["inner"] = inner_error(model, X[train], y[train]) if choice else None
    return line


def table(lines: list[dict]) -> pd.DataFrame:
    every = pd.DataFrame(lines)
    measures = ["EV within", "EV pooled", "RMSE", "CPU s"]
    judged = every.dropna(subset="inner")
    best = judged.loc[judged.groupby("split")["inner"].idxmin()]
    if len(best):
        print("chosen:", dict(zip(best["split"], best["model"], strict=True)))
        every = pd.concat([every, best.assign(model="chosen inside", **{"CPU s": np.nan})])
    groups = every.groupby("model", sort=False)
    shown = groups[measures].mean().round(2)
    return shown.assign(std=groups["EV within"].std().round(1), splits=groups["split"].count())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=FOLDER)
    parser.add_argument("--splits", type=int, nargs="*", default=range(10))
    parser.add_argument("--models", nargs="*", default=list(models([])))
    parser.add_argument("--no-choice", action="store_true", help="no inner folds")
    parser.add_argument("--results", type=Path)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    folder = given.data / "school"
    rows = pd.read_parquet(folder / "data.parquet").drop(columns="x28")
    splits = pd.read_parquet(folder / "splits.parquet")
    y = rows.pop("target").to_numpy(float)
    text = given.results.read_text() if given.results and given.results.exists() else ""
    lines = [json.loads(line) for line in text.splitlines()]
    for split in given.splits:
        train = (splits.iloc[:, split] == 1).to_numpy()
        X = standardized(rows, train)
        for name in given.models:
            if any(k["model"] == name and k["split"] == split for k in lines):
                continue
            lines.append(run(name, split, X, y, train, not given.no_choice))
            if given.results:
                with given.results.open("a") as file:
                    file.write(json.dumps(lines[-1]) + "\n")
    print(table(lines).sort_values("EV within").to_string())


if __name__ == "__main__":
    main()
