"""Shared trees beside boosting, linear models and packages of trees for grouped data.

    python benchmarks/shared_trees.py [--docs docs/models/shared_trees.md] [--peers PYTHON]

The tables are those of ``curves.py``, at most 600 rows of each. Eight of them chose how the model
is made (CHOSEN_ON); only the others are judged. Rows are held out inside tasks (3 folds), tasks
whole (3 folds); then labels: of three tables, and whether the target of the others is above its
median. PYTHON is that of an environment with lightgbm, catboost, gpboost, merf and chimeraboost.
What is measured is kept in a file, from which another run goes on; --tell only tells of it.
"""

from __future__ import annotations

import argparse
import json
import pickle
import subprocess
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from curves import SHARED, TABLES, folds, from_r, prepared
from pages import put
from real_data import BINARY, FOLDER, load
from sklearn.ensemble import HistGradientBoostingRegressor

from polytask import (
    MeanRegularizedClassifier,
    MeanRegularizedRegressor,
    SharedTreesClassifier,
    SharedTreesRegressor,
)
from polytask.models.boosted_trees import BoostedTreesClassifier, BoostedTreesRegressor

CHOSEN_ON = {
    "Earthquake", "Glucose2", "MathAchieve", "Oxboys", "Soybean", "cake", "Theoph",
    "computer_survey", "landmine",
}  # fmt: skip
MOST_ROWS = 600
LEAST_TABLES = 8  # of which something is told
MARK = "<!-- figures of benchmarks/shared_trees.py -->"
OURS, LINEAR, BOOSTING = "shared trees", "mean-regularized", "boosting"
PEERS = """
import pickle, sys, warnings
import numpy as np, pandas as pd
warnings.simplefilter("ignore")
X, y, fold = pickle.load(open(sys.argv[1], "rb"))
names = [f"x{k}" for k in range(X.shape[1] - 1)]
X = pd.DataFrame(X, columns=[*names, "task"]).astype({"task": int})


def lightgbm(train, held, y):
    from lightgbm import LGBMRegressor
    model = LGBMRegressor(n_estimators=200, learning_rate=0.05, num_leaves=15, verbose=-1, n_jobs=1)
    return model.fit(train, y, categorical_feature=["task"]).predict(held)


def catboost(train, held, y):
    from catboost import CatBoostRegressor
    model = CatBoostRegressor(300, verbose=False, thread_count=1, allow_writing_files=False)
    return model.fit(train, y, cat_features=["task"]).predict(held)


def gpboost(train, held, y):
    import gpboost as gpb
    group = gpb.GPModel(group_data=train["task"], likelihood="gaussian")
    data = gpb.Dataset(train[names], y)
    given = {"learning_rate": 0.05, "num_leaves": 15, "verbose": -1, "num_threads": 1}
    model = gpb.train(given, data, gp_model=group, num_boost_round=100)
    found = model.predict(held[names], group_data_pred=held["task"], pred_latent=False)
    return found["response_mean"]


def merf(train, held, y):
    import logging
    logging.disable(logging.CRITICAL)
    from merf import MERF
    from sklearn.ensemble import RandomForestRegressor
    one = [np.ones((len(part), 1)) for part in (train, held)]
    model = MERF(RandomForestRegressor(60, n_jobs=1), max_iterations=4)
    model.fit(train[names], one[0], train["task"].reset_index(drop=True), y)
    return model.predict(held[names], one[1], held["task"].reset_index(drop=True))


def chimeraboost(train, held, y):
    from chimeraboost import ChimeraBoostRegressor
    model = ChimeraBoostRegressor(random_effects=True, random_state=0, thread_count=1)
    model.fit(train[names].to_numpy(), y, groups=train["task"].to_numpy())
    return model.predict(held[names].to_numpy(), groups=held["task"].to_numpy())


found = {}
for peer in (lightgbm, catboost, gpboost, merf, chimeraboost):
    f = np.full(len(y), np.nan)
    try:
        for k in range(fold.max() + 1):
            a = fold != k
            train, held = X[a].reset_index(drop=True), X[~a].reset_index(drop=True)
            f[~a] = peer(train, held, y[a])
    except Exception as error:
        print(peer.__name__, repr(error)[:200], file=sys.stderr)
    found[peer.__name__] = f
pickle.dump(found, open(sys.argv[2], "wb"))
"""


def few(X: pd.DataFrame, y: np.ndarray) -> tuple[pd.DataFrame, np.ndarray]:
    """At most so many rows, drawn once and for all, prepared."""
    kept = np.sort(np.random.default_rng(0).permutation(len(y))[:MOST_ROWS])
    return prepared(X.iloc[kept].reset_index(drop=True)), y[kept]


def tables() -> dict[str, tuple[pd.DataFrame, np.ndarray]]:
    """Those with numbers as targets."""
    with tempfile.TemporaryDirectory() as name:
        found = [from_r(line, Path(name)) for line in TABLES.strip().splitlines()]
    if FOLDER.exists():
        found += [(each, *load(each)) for each in SHARED]
    return {name: few(X, y) for name, X, y in found}


def by_trees_alone(X: pd.DataFrame) -> Any:
    """Boosting that does not see the task."""
    return HistGradientBoostingRegressor(learning_rate=0.05, max_leaf_nodes=15, random_state=0)


def predicted(X: pd.DataFrame, y: np.ndarray, fold: np.ndarray, classes: bool) -> dict[str, Any]:
    """Held-out predictions of each of ours and scikit-learn's, probabilities of labels."""
    given = {"task": "task", "unseen": "common"}
    made: dict[str, Any] = {
        OURS: SharedTreesRegressor(**given),
        LINEAR: MeanRegularizedRegressor("reml", **given),
        "leave-one-out": MeanRegularizedRegressor(**given),
        BOOSTING: BoostedTreesRegressor(task="task"),
        "boosting without task": by_trees_alone(X),
    }
    if classes:
        made = {
            OURS: SharedTreesClassifier(**given),
            LINEAR: MeanRegularizedClassifier("reml", **given),
            BOOSTING: BoostedTreesClassifier(task="task"),
        }
    out = {}
    for name, model in made.items():
        f, Z = np.empty(len(y)), X.drop(columns="task") if "without" in name else X
        for k in range(fold.max() + 1):
            train = fold != k
            model.fit(Z[train], y[train])
            held = Z[~train]
            f[~train] = model.predict_proba(held)[:, 1] if classes else model.predict(held)
        out[name] = f
    return out


def of_peers(X: pd.DataFrame, y: np.ndarray, fold: np.ndarray, python: str) -> dict[str, Any]:
    """Held-out predictions of the packages in their own environment."""
    with tempfile.TemporaryDirectory() as name:
        paths = [Path(name) / each for each in ("peers.py", "in.pkl", "out.pkl")]
        paths[0].write_text(PEERS)
        code = np.unique(X["task"], return_inverse=True)[1]
        rows = np.column_stack([X.drop(columns="task").to_numpy(dtype=float), code])
        paths[1].write_bytes(pickle.dumps((rows, y, fold)))
        subprocess.run([python, *paths], check=True, timeout=1800)
        found: dict[str, Any] = pickle.loads(paths[2].read_bytes())
        return found


def errors(y: np.ndarray, found: dict[str, np.ndarray], classes: bool) -> dict[str, float]:
    """Root mean squared error, or log loss."""
    if not classes:
        return {name: float(np.mean((f - y) ** 2)) ** 0.5 for name, f in found.items()}
    sure = {name: np.clip(np.where(y == 1, f, 1 - f), 1e-6, 1.0) for name, f in found.items()}
    return {name: float(-np.log(p).mean()) for name, p in sure.items()}


def whole_tasks(task: np.ndarray) -> np.ndarray:
    """A fold for each row, tasks whole."""
    ids, code = np.unique(task, return_inverse=True)
    return np.asarray((np.random.default_rng(0).permutation(len(ids)) % 3)[code])


def _ranks(table: pd.DataFrame) -> str:
    ranks = table.rank(axis=1).mean().sort_values()
    return ", ".join(f"{name} {rank:.2f}" for name, rank in ranks.items())


def told(table: pd.DataFrame, what: str) -> list[str]:
    """A sentence or two, and the table as Markdown."""
    names = [c for c in table if c not in ("rows", "tasks")]
    best = table[[LINEAR, BOOSTING]].min(axis=1)
    ratio = table[OURS] / best
    near = (table[LINEAR] / table[BOOSTING]).pipe(lambda r: (r < 1.1) & (r > 1 / 1.1))
    everywhere = [name for name in names if table[name].notna().all()]
    both = table.dropna()
    lines = [
        f"{what}, {len(table)} tables; mean ranks {_ranks(table[everywhere])}"
        + ("" if everywhere == names else f", on {len(both)} tables {_ranks(both[names])}")
        + f". Shared trees over the better of mean-regularized (REML) and boosting: "
        f"{np.exp(np.log(ratio).mean()):.3f} in geometric mean, {ratio.max():.3f} at worst "
        f"({ratio.idxmax()}), above 1.02 on {(ratio > 1.02).sum()}; where those two differ by less "
        f"than 10 % ({near.sum()} tables) {np.exp(np.log(ratio[near]).mean()):.3f}.",
        "", "| table | " + " | ".join(table.columns) + " |", "|---" * (1 + table.shape[1]) + "|",
    ]  # fmt: skip
    shown = table.assign(**{name: table[name] / table[OURS] for name in names})
    for each, row in shown.iterrows():
        cells = [f"{v:,.0f}" if c in ("rows", "tasks") else f"{v:.3g}" for c, v in row.items()]
        lines.append(f"| {each} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def measured(
    X: pd.DataFrame, y: np.ndarray, kind: str, peers: str | None = None
) -> dict[str, float]:
    """Rows, tasks, and the error of everybody."""
    task, classes = X["task"].to_numpy().astype(str), kind == "labels"
    fold = whole_tasks(task) if kind == "whole" else folds(task, 3, 101)
    target = (y > np.median(y)).astype(int) if classes and len(np.unique(y)) > 2 else y
    found = predicted(X, target.astype(int) if classes else target, fold, classes)
    if peers and kind == "inside":
        found |= of_peers(X, y, fold, peers)
    return {"rows": len(y), "tasks": X["task"].nunique(), **errors(target, found, classes)}


def main() -> None:
    """Print the tables; with --docs put them into that page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--docs", type=Path)
    parser.add_argument("--peers", help="a Python that has them")
    parser.add_argument("--tell", action="store_true", help="measure nothing more")
    parser.add_argument("--found", type=Path, help="file of what is measured, to go on from")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    numbers, labels = {}, {}
    if not arguments.tell:
        numbers = {name: found for name, found in tables().items() if name not in CHOSEN_ON}
        labels = {name: few(*load(name)) for name in BINARY if name not in CHOSEN_ON}
    wanted = [("inside", each) for each in numbers] + [("labels", each) for each in labels]
    wanted += [(kind, each) for each in numbers for kind in ("whole", "labels")]
    known: dict[str, dict[str, float]] = {}
    if arguments.found and arguments.found.exists():
        known = dict(json.loads(line) for line in arguments.found.read_text().splitlines())
    for kind, each in wanted:
        key = f"{each} {kind}"
        if key in known:
            continue
        known[key] = measured(*(labels | numbers)[each], kind, arguments.peers)
        line = json.dumps([key, known[key]])
        print(line, flush=True)
        if arguments.found:
            with arguments.found.open("a") as file:
                file.write(line + "\n")
    rows: dict[str, dict[str, dict[str, float]]] = {}
    for key, errors_of in known.items():
        each, kind = key.split()
        rows.setdefault(kind, {})[each] = errors_of
    heads = {
        "inside": "Root mean squared error over that of shared trees, rows held out inside tasks",
        "whole": "The same, whole tasks held out",
        "labels": "Log loss over that of shared trees, rows held out inside tasks: labels, and "
        "whether targets are above their median",
    }
    lines: list[str] = []
    for kind, head in heads.items():
        if len(rows.get(kind, ())) >= LEAST_TABLES:
            lines += told(pd.DataFrame(rows[kind]).T, head)
    print("\n".join(lines))
    if arguments.docs:
        all_of_them = {*SHARED, *(line.split()[1] for line in TABLES.strip().splitlines())}
        said = f"{len(all_of_them - CHOSEN_ON)} tables of numbers chose nothing; {MOST_ROWS} rows "
        put(arguments.docs, MARK, ["## On real tables", "", said + "at most of each.", "", *lines])


if __name__ == "__main__":
    main()
