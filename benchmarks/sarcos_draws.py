"""SARCOS, seven torques of one robot arm: is the harm of learning them together real?

Draws rows again and again. Printed: how often each verdict was given, the gain of every model over
single-task as the folds estimate it, and what it truly is on new rows after a fit to four fifths
of the rows (means and standard deviations over the draws).

Usage: python benchmarks/sarcos_draws.py [--data FOLDER] [--draws 20] [--rows 300] [--seed 100]
"""

from __future__ import annotations

import argparse
import warnings
from collections import Counter

import numpy as np
import pandas as pd
from real_data import add_folder
from sklearn.base import clone

from polytask.inspection import compare_tasks, default_estimators

NEW_ROWS = 8000


def tall(wide: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """A row for each torque."""
    torques = [c for c in wide if str(c).startswith("torque")]
    X = wide.drop(columns=torques)
    parts = [X.assign(task=name, target=wide[name]) for name in torques]
    table = pd.concat(parts, ignore_index=True)
    return table.drop(columns="target"), table["target"]


def true_gains(models: dict, train: pd.DataFrame, new: pd.DataFrame) -> pd.Series:
    """Relative gains over single-task on new rows, tasks alike."""
    X, y = tall(new)
    loss = {}
    for name, model in models.items():
        fitted = clone(model).fit(*tall(train))
        loss[name] = ((y - fitted.predict(X)) ** 2).groupby(X["task"]).mean().mean()
    found = pd.Series(loss)
    return 1 - found / found["single-task"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("draws", 20), ("rows", 300), ("seed", 100)):
        parser.add_argument(f"--{name}", type=int, default=default)
    add_folder(parser)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    wide = pd.read_parquet(given.data / "sarcos" / "wide.parquet").select_dtypes("number")
    torques = [c for c in wide if str(c).startswith("torque")]
    wide[torques] = (wide[torques] - wide[torques].mean()) / wide[torques].std()
    models = default_estimators("regression", "task")
    models.pop("gradient-boosting", None)
    labels: Counter[str] = Counter()
    seen, true = [], []
    for seed in range(given.seed, given.seed + given.draws):
        rows = wide.iloc[np.random.default_rng(seed).permutation(len(wide))]
        found = compare_tasks(models, *tall(rows[: given.rows]), task="task")
        labels[found.verdict.label] += 1
        seen.append(found.models.set_index("name")["gain"])
        new = rows[given.rows : given.rows + NEW_ROWS]
        true.append(true_gains(models, rows[: given.rows * 4 // 5], new))
    print(given.rows, "rows:", ", ".join(f"{k} {v}" for k, v in labels.most_common()))
    columns = {}
    for name, rows in (("estimated", seen), ("true", true)):
        table = pd.DataFrame(rows).drop(columns="single-task", errors="ignore")
        columns |= {
            name: table.mean(),
            f"{name} sd": table.std(),
            f"{name} < 0": (table < 0).mean(),
        }
    print(pd.DataFrame(columns).round(4).to_string())


if __name__ == "__main__":
    main()
