"""Tasks that were not in training: what models answer without a row of theirs.

    python benchmarks/unseen_tasks.py [--seed 2] [--docs docs/models/mean_regularized.md]

Whole tasks of the tables of `curves.py` are held out, in five folds; errors are root mean squares
over rows. Of larger tables whole tasks are drawn until there are 3,000 rows. R must be there, with
nlme, lme4 and MASS. The rule was fixed before, with the half standard error of `few_rows.py`; seeds
0 and 1 were looked at while it was built.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from curves import FOLDER, SHARED, TABLES, from_r, prepared
from pages import put
from real_data import load

from polytask import MeanRegularizedRegressor, PooledRegressor

MOST_ROWS, LEAST_TASKS, FOLDS = 3000, 20, 5
TITLES = {
    "w0": "w0 of `\"reml\"`", "reml": "`\"reml\"`, `unseen=\"common\"`",
    "cv": "`\"cv\"`, `unseen=\"common\"`", "pooled": "pooled",
}  # fmt: skip
MARK = "<!-- figures of benchmarks/unseen_tasks.py -->"


def some_tasks(X: pd.DataFrame, y: np.ndarray) -> tuple[pd.DataFrame, np.ndarray]:
    """Whole tasks, in random order, up to the number of rows."""
    ids, sizes = np.unique(X["task"], return_counts=True)
    order = np.random.default_rng(7).permutation(len(ids))
    before = np.cumsum(sizes[order]) - sizes[order]
    kept = order[(before < MOST_ROWS) | (np.arange(len(ids)) < LEAST_TASKS)]
    rows = np.isin(X["task"], ids[kept])
    return X[rows].reset_index(drop=True), y[rows]


def errors(X: pd.DataFrame, y: np.ndarray, seed: int) -> dict[str, float]:
    """Root mean squared error on rows of tasks that were held out, by model."""
    ids, code = np.unique(X["task"], return_inverse=True)
    fold = (np.random.default_rng(seed).permutation(len(ids)) % min(FOLDS, len(ids)))[code]
    total = dict.fromkeys(TITLES, 0.0)
    for f in range(fold.max() + 1):
        train, test = fold != f, fold == f
        models = {
            rule: MeanRegularizedRegressor(rule, task="task", unseen="common")
            for rule in ("reml", "cv")
        }
        models["pooled"] = PooledRegressor(task="task")
        for name, model in models.items():
            answer = model.fit(X[train], y[train]).predict(X[test])
            total[name] += float(((y[test] - answer) ** 2).sum())
        reml = models["reml"]
        features = X[test].drop(columns="task").to_numpy(dtype=float)
        left = y[test] - features @ reml.common_coef_ - reml.common_intercept_
        total["w0"] += float((left**2).sum())
    return {name: float(np.sqrt(value / len(y))) for name, value in total.items()}


def table_of(found: pd.DataFrame) -> list[str]:
    """The figures, a line a model."""
    best = found[["w0", "pooled"]].min(axis=1)
    lines = ["| answer | error over the better of w0 and pooled | worst table | tables > 1.03 |",
             "|---" * 4 + "|"]  # fmt: skip
    for name, title in TITLES.items():
        ratio = found[name] / best
        high = ", ".join(f"{t} {r:.2f}" for t, r in ratio[ratio > 1.03].items())
        lines.append(
            f"| {title} | {np.exp(np.log(ratio).mean()):.4f} | {ratio.max():.3f} | "
            f"{(ratio > 1.03).sum()} of {len(ratio)}{high and f' ({high})'} |"
        )
    return lines


def main() -> None:
    """Print the table; with --docs put it into that page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--docs", type=Path)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        real = [from_r(line, Path(folder)) for line in TABLES.strip().splitlines()]
        real += [(name, *load(name)) for name in SHARED if FOLDER.exists()]
    found = {}
    for name, X, y in real:
        found[name] = errors(*some_tasks(prepared(X).reset_index(drop=True), y), arguments.seed)
        print(name, {k: round(v, 4) for k, v in found[name].items()}, flush=True)
    lines = table_of(pd.DataFrame(found).T)
    print(*lines, sep="\n")
    if arguments.docs:
        put(arguments.docs, MARK, lines)


if __name__ == "__main__":
    main()
