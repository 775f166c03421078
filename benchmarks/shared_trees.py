"""Shared trees beside boosting, linear models and packages of trees for grouped data.

    python benchmarks/shared_trees.py --found FILE [--peers PYTHON] [--docs PAGE]

The tables are those of ``curves.py``, at most 600 rows of each. Eight of them chose how the model
was first made, and tables that are not here what was mended; only those not in CHOSEN_ON are
judged: Orthodont showed a fault and is no longer. Rows are held out inside tasks (5 folds dealt
twice; 3 folds beside everybody), tasks whole (3 folds); then labels: of three tables, and whether
the target of the others is above its median. PYTHON is that of an environment with lightgbm,
catboost, gpboost, merf and chimeraboost; with it these are measured, and without it ours. What is
measured is kept in a file, from which another run goes on; --tell only tells of it.
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
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from polytask import (
    MeanRegularizedClassifier,
    MeanRegularizedRegressor,
    SharedTreesClassifier,
    SharedTreesRegressor,
)
from polytask.models.boosted_trees import BoostedTreesClassifier, BoostedTreesRegressor

CHOSEN_ON = {
    "Earthquake", "Glucose2", "MathAchieve", "Oxboys", "Soybean", "cake", "Theoph",
    "computer_survey", "landmine", "Orthodont",
}  # fmt: skip
MOST_ROWS = 600
LEAST_TABLES = 8  # of which something is told
MARK = "<!-- figures of benchmarks/shared_trees.py -->"
OURS, LINEAR, BOOSTING = "shared trees", "mean-regularized", "boosting"
HEADS = {
    "inside": "Root mean squared error over that of shared trees, rows held out inside tasks, "
    "3 folds",
    "whole": "The same with whole tasks held out, 3 folds of tasks",
    "twice": "The same with rows held out inside tasks, 5 folds dealt twice",
    "labels": "Log loss over that of shared trees, 3 folds inside tasks: labels, and whether "
    "targets are above their median",
}
PEERS_OF_LABELS = ("lightgbm", "catboost", "gpboost", "chimeraboost")  # merf: numbers
Found = dict[str, np.ndarray]
PEERS = """
import pickle, sys, warnings
import numpy as np, pandas as pd
warnings.simplefilter("ignore")
X, y, folds, classes, wanted = pickle.load(open(sys.argv[1], "rb"))
names = [f"x{k}" for k in range(X.shape[1] - 1)]
X = pd.DataFrame(X, columns=[*names, "task"]).astype({"task": int})


def of(model, held):
    return model.predict_proba(held)[:, 1] if classes else model.predict(held)


def lightgbm(train, held, y):
    from lightgbm import LGBMClassifier, LGBMRegressor
    kind = LGBMClassifier if classes else LGBMRegressor
    model = kind(n_estimators=200, learning_rate=0.05, num_leaves=15, verbose=-1, n_jobs=1)
    return of(model.fit(train, y, categorical_feature=["task"]), held)


def catboost(train, held, y):
    from catboost import CatBoostClassifier, CatBoostRegressor
    kind = CatBoostClassifier if classes else CatBoostRegressor
    model = kind(iterations=300, verbose=False, thread_count=1, allow_writing_files=False)
    return of(model.fit(train, y, cat_features=["task"]), held)


def gpboost(train, held, y):
    import gpboost as gpb
    likelihood = "bernoulli_logit" if classes else "gaussian"
    group = gpb.GPModel(group_data=train["task"], likelihood=likelihood)
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
    from chimeraboost import ChimeraBoostClassifier, ChimeraBoostRegressor
    if classes:  # which has no random effects: the task is a category
        model = ChimeraBoostClassifier(random_state=0, thread_count=1)
        model.fit(train, y, cat_features=[train.shape[1] - 1])
        return of(model, held)
    model = ChimeraBoostRegressor(random_effects=True, random_state=0, thread_count=1)
    model.fit(train[names].to_numpy(), y, groups=train["task"].to_numpy())
    return model.predict(held[names].to_numpy(), groups=held["task"].to_numpy())


found = {}
for name in wanted:
    f = np.full((len(folds), len(y)), np.nan)
    try:
        for of_split, fold in zip(f, folds):
            for k in range(fold.max() + 1):
                a = fold != k
                train, held = X[a].reset_index(drop=True), X[~a].reset_index(drop=True)
                of_split[~a] = globals()[name](train, held, y[a])
    except Exception as error:
        print(name, repr(error)[:200], file=sys.stderr)
    found[name] = f
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


def by_trees_alone(classes: bool) -> Any:
    """Boosting that does not see the task."""
    kind = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    return kind(learning_rate=0.05, max_leaf_nodes=15, random_state=0)


def predicted(X: pd.DataFrame, y: np.ndarray, dealt: list[np.ndarray], classes: bool) -> Found:
    """Held-out predictions of ours and scikit-learn's, of many splits the three that matter."""
    given = {"task": "task", "unseen": "common"}
    kinds: tuple[Any, Any, Any] = (
        (SharedTreesClassifier, MeanRegularizedClassifier, BoostedTreesClassifier) if classes
        else (SharedTreesRegressor, MeanRegularizedRegressor, BoostedTreesRegressor)
    )  # fmt: skip
    made: dict[str, Any] = {
        OURS: kinds[0](**given),
        LINEAR: kinds[1]("reml", **given),
        BOOSTING: kinds[2](task="task"),
    }
    if len(dealt) == 1:
        made["boosting without task"] = by_trees_alone(classes)
        if not classes:
            made["leave-one-out"] = MeanRegularizedRegressor(**given)
    out = {}
    for name, model in made.items():
        f, Z = np.empty((len(dealt), len(y))), X.drop(columns="task") if "without" in name else X
        for of_split, fold in zip(f, dealt, strict=True):
            for k in np.unique(fold):
                train = fold != k
                model.fit(Z[train], y[train])
                held = Z[~train]
                of_split[~train] = (
                    model.predict_proba(held)[:, 1] if classes else model.predict(held)
                )
        out[name] = f
    return out


def of_peers(
    X: pd.DataFrame, y: np.ndarray, dealt: list[np.ndarray], classes: bool, python: str
) -> Found:
    """Held-out predictions of the packages in their own environment."""
    with tempfile.TemporaryDirectory() as name:
        paths = [Path(name) / each for each in ("peers.py", "in.pkl", "out.pkl")]
        paths[0].write_text(PEERS)
        code = np.unique(X["task"], return_inverse=True)[1]
        rows = np.column_stack([X.drop(columns="task").to_numpy(dtype=float), code])
        wanted = PEERS_OF_LABELS if classes else (*PEERS_OF_LABELS, "merf")
        paths[1].write_bytes(pickle.dumps((rows, y, dealt, classes, wanted)))
        subprocess.run([python, *paths], check=True, timeout=3600)
        found: Found = pickle.loads(paths[2].read_bytes())
        return found


def errors(y: np.ndarray, found: Found, classes: bool) -> dict[str, float]:
    """Root mean squared error, or log loss, over all splits."""
    if not classes:
        return {name: float(np.mean((f - y) ** 2)) ** 0.5 for name, f in found.items()}
    sure = {name: np.clip(np.where(y == 1, f, 1 - f), 1e-6, 1.0) for name, f in found.items()}
    return {name: float(np.log(1.0 / p).mean()) for name, p in sure.items()}


def splits(task: np.ndarray, kind: str) -> list[np.ndarray]:
    """Folds of rows, inside tasks or of whole tasks."""
    if kind == "twice":
        return [folds(task, 5, seed) for seed in (201, 202)]
    if kind == "whole":
        ids, code = np.unique(task, return_inverse=True)
        return [(np.random.default_rng(0).permutation(len(ids)) % 3)[code]]
    return [folds(task, 3, 101)]


def _ranks(table: pd.DataFrame) -> str:
    ranks = table.rank(axis=1).mean().sort_values()
    return ", ".join(f"{name} {rank:.2f}" for name, rank in ranks.items())


def told(table: pd.DataFrame, what: str, losses: bool = False) -> list[str]:
    """A sentence or two, and the table as Markdown; ``losses``: with those of ours themselves.

    A ratio says much of labels that are nearly certain, where both losses are next to nothing.
    """
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
    ]  # fmt: skip
    shown = table.assign(**{name: table[name] / table[OURS] for name in names})
    if losses:
        more = table[OURS] - best
        lines[0] += (
            f" Their difference is {more.mean():.4f} on average, {more.max():.4f} at worst "
            f"({more.idxmax()}). The third column is the log loss of shared trees itself."
        )
        shown.insert(2, "log loss", table[OURS])
    lines += ["", "| table | " + " | ".join(shown) + " |", "|---" * (1 + shown.shape[1]) + "|"]
    for each, row in shown.iterrows():
        cells = [f"{v:,.0f}" if c in ("rows", "tasks") else f"{v:.3g}" for c, v in row.items()]
        lines.append(f"| {each} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def measured(X: pd.DataFrame, y: np.ndarray, kind: str, peers: str | None) -> dict[str, float]:
    """Rows, tasks, and the error of ours or of theirs."""
    task, classes = X["task"].to_numpy().astype(str), kind == "labels"
    dealt = splits(task, kind)
    if classes:
        y = (y > np.median(y) if len(np.unique(y)) > 2 else y).astype(int)
    found = of_peers(X, y, dealt, classes, peers) if peers else predicted(X, y, dealt, classes)
    return {"rows": len(y), "tasks": X["task"].nunique(), **errors(y, found, classes)}


def known_of(path: Path) -> dict[str, dict[str, float]]:
    """What is measured already, by table and kind."""
    known: dict[str, dict[str, float]] = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        key, more = json.loads(line)
        known.setdefault(key, {}).update(more)
    return known


def measure(path: Path, kinds: list[str], peers: str | None) -> None:
    """Add what is not known yet, a line a table."""
    numbers = {name: found for name, found in tables().items() if name not in CHOSEN_ON}
    labels = {name: few(*load(name)) for name in BINARY if name not in CHOSEN_ON}
    known, who = known_of(path), "lightgbm" if peers else OURS
    for kind in kinds:
        for each, table in (labels | numbers if kind == "labels" else numbers).items():
            if who in known.get(f"{each} {kind}", {}):
                continue
            line = json.dumps([f"{each} {kind}", measured(*table, kind, peers)])
            print(line, flush=True)
            with path.open("a") as file:
                file.write(line + "\n")


def main() -> None:
    """Print the tables; with --docs put them into that page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--docs", type=Path)
    parser.add_argument("--peers", help="measure those of this Python, not ours")
    parser.add_argument("--tell", action="store_true", help="measure nothing more")
    parser.add_argument("--kinds", default=",".join(HEADS))
    parser.add_argument("--found", type=Path, required=True, help="what is measured, to go on from")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    if not arguments.tell:
        measure(arguments.found, arguments.kinds.split(","), arguments.peers)
    rows: dict[str, dict[str, dict[str, float]]] = {}
    for key, errors_of in known_of(arguments.found).items():
        each, kind = key.split()
        if OURS in errors_of:
            rows.setdefault(kind, {})[each] = errors_of
    lines: list[str] = []
    for kind, head in HEADS.items():
        if len(rows.get(kind, ())) >= LEAST_TABLES:
            lines += told(pd.DataFrame(rows[kind]).T, head, kind == "labels")
    print("\n".join(lines))
    if arguments.docs:
        all_of_them = {*SHARED, *(line.split()[1] for line in TABLES.strip().splitlines())}
        said = f"{len(all_of_them - CHOSEN_ON)} tables of numbers chose nothing; {MOST_ROWS} rows "
        put(arguments.docs, MARK, ["## On real tables", "", said + "at most of each.", "", *lines])


if __name__ == "__main__":
    main()
