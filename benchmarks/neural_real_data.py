"""Networks on real data: one per task, pooled, shared hidden layer, shared with tied heads.

    python benchmarks/neural_real_data.py [--data sarcos tox21 school mnist usps curve] [--seeds 3]

Reads ../shared/data beside the repository. Every network has one hidden layer of 64 units, Adam,
at most 100 epochs of about 20 steps, and a tenth of each task's training rows for early stopping.
The strength of tied heads is the one of three, and the ridge of separate and of pooled networks
the one of two, with the smallest validation loss; free heads have none. A seed is a split and a
start.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from polytask import (
    MeanRegularizedRegressor,
    PooledNetworkClassifier,
    PooledNetworkRegressor,
    SharedHiddenLayerClassifier,
    SharedHiddenLayerRegressor,
    SingleTaskNetworkClassifier,
    SingleTaskNetworkRegressor,
    SingleTaskRegressor,
)

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
RIDGES, PULLS = (0.0, 1.0), (1.0, 10.0, 100.0)  # times 1 / observations
BUDGET = {"max_iter": 100, "learning_rate": 0.005, "n_iter_no_change": 10}
REGRESSORS = (SingleTaskNetworkRegressor, PooledNetworkRegressor, SharedHiddenLayerRegressor)
CLASSIFIERS = (SingleTaskNetworkClassifier, PooledNetworkClassifier, SharedHiddenLayerClassifier)


def fit_networks(classes, X, y, seed, task=None):
    """The four networks, each with the strength that its validation part prefers."""
    single, pooled, shared = classes
    n = int((~np.isnan(np.asarray(y, dtype=float))).sum())
    grids = {
        "network per task": (single, RIDGES),
        "pooled network": (pooled, RIDGES),
        "shared layer, free heads": (shared, (0.0,)),
        "shared layer, tied heads": (shared, PULLS),
    }
    found = {}
    for name, (cls, grid) in grids.items():
        same = {"task": task, "random_state": seed, **BUDGET}
        models = [cls(alpha=a / n, **same).fit(X, y) for a in grid]
        found[name] = min(models, key=lambda model: model.history_["validation_loss"].min())
    return found


def sarcos(seed, rows=1000):
    """Mean over the seven torques of the squared error over the variance."""
    table = pd.read_parquet(DATA / "sarcos" / "wide.parquet").to_numpy()
    table = table[np.random.default_rng(seed).permutation(len(table))]
    train, test = table[:rows], table[-2000:]
    scaler = StandardScaler().fit(train)
    X, Y = np.split(scaler.transform(train), [21], axis=1)
    new, truth = np.split(scaler.transform(test), [21], axis=1)
    models = {
        "linear, single-task": SingleTaskRegressor().fit(X, Y),
        "linear, mean-regularized": MeanRegularizedRegressor().fit(X, Y),
        **fit_networks(REGRESSORS, X, Y, seed),
    }
    error = {name: (model.predict(new) - truth) ** 2 for name, model in models.items()}
    return {name: float((e.mean(axis=0) / truth.var(axis=0)).mean()) for name, e in error.items()}


def curve(seed, rows):
    """As `sarcos`, but every torque has its own random rows: rows of each task in training."""
    rng = np.random.default_rng(seed)
    table = pd.read_parquet(DATA / "sarcos" / "wide.parquet").to_numpy()
    table = table[rng.permutation(len(table))]
    pool, test = table[:-2000], table[-2000:]
    scaler = StandardScaler().fit(pool)
    X, Y = np.split(scaler.transform(pool), [21], axis=1)
    new, truth = np.split(scaler.transform(test), [21], axis=1)
    picks = [rng.choice(len(X), rows, replace=False) for _ in range(7)]
    long = np.vstack([np.column_stack([X[p], np.full(rows, i)]) for i, p in enumerate(picks)])
    y = np.concatenate([Y[p, i] for i, p in enumerate(picks)])
    models = {
        "linear, mean-regularized": MeanRegularizedRegressor(task=-1).fit(long, y),
        **fit_networks(REGRESSORS, long, y, seed, task=-1),
    }
    out = {}
    for name, model in models.items():
        each = [model.predict(np.column_stack([new, np.full(len(new), i)])) for i in range(7)]
        error = ((np.column_stack(each) - truth) ** 2).mean(axis=0) / truth.var(axis=0)
        out[name] = float(error.mean())
    return out


def school(seed):
    """Explained variance within schools on an official split (seed 0 is the first)."""
    table = pd.read_parquet(DATA / "school" / "data.parquet")
    part = pd.read_parquet(DATA / "school" / "splits.parquet").iloc[:, seed].to_numpy()
    features = [f"x{j:02d}" for j in range(1, 28)]
    table[features] = (
        StandardScaler().fit(table.loc[part == 1, features]).transform(table[features])
    )
    train, test = table[part == 1], table[part == 2]
    X, y = train[[*features, "task"]], train["target"].to_numpy(dtype=float)
    new, truth = test[[*features, "task"]], test["target"].to_numpy(dtype=float)
    models = {
        "linear, single-task": SingleTaskRegressor(task="task").fit(X, y),
        "linear, mean-regularized": MeanRegularizedRegressor(task="task").fit(X, y),
        **fit_networks(REGRESSORS, X, y, seed, task="task"),
    }
    within = truth - pd.Series(truth).groupby(new["task"].to_numpy()).transform("mean").to_numpy()
    spread = (within**2).sum()
    return {
        name: float(1 - ((model.predict(new) - truth) ** 2).sum() / spread)
        for name, model in models.items()
    }


def tox21(seed):
    """Mean AUC over twelve assays, random split 80 / 20."""
    table = pd.read_parquet(DATA / "tox21" / "data.parquet")
    X = table[[c for c in table if c.startswith("b")]].to_numpy(dtype=np.float32)
    Y = table[[c for c in table if c.startswith("y_")]].to_numpy(dtype=float)
    order = np.random.default_rng(seed).permutation(len(X))
    train, test = order[: int(0.8 * len(X))], order[int(0.8 * len(X)) :]
    models = fit_networks(CLASSIFIERS, X[train], Y[train], seed)
    scores = {name: model.predict_proba(X[test]) for name, model in models.items()}
    forest = RandomForestClassifier(100, min_samples_leaf=2, random_state=seed)
    for name, model in {
        "logistic regression per assay": LogisticRegression(C=0.1, max_iter=500),
        "forest per assay": forest,
    }.items():
        scores[name] = one_by_one(model, X[train], Y[train], X[test])
    return {name: mean_auc(Y[test], p) for name, p in scores.items()}


def one_by_one(model, X, Y, new):
    """Probabilities of the positive label, a fit per column on what was measured."""
    columns = []
    for y in Y.T:
        known = ~np.isnan(y)
        columns.append(model.fit(X[known], y[known]).predict_proba(new)[:, 1])
    return np.column_stack(columns)


def mean_auc(Y, P):
    """AUC on the measured entries, mean over tasks."""
    known = [~np.isnan(y) for y in Y.T]
    return float(np.mean([roc_auc_score(Y[k, i], P[k, i]) for i, k in enumerate(known)]))


def digits(name):
    """Error of ten one-against-all tasks on PCA features, the largest output wins."""

    def measure(seed):
        table = pd.read_parquet(DATA / f"{name}_kang" / "data.parquet")
        part = table["part"].to_numpy()
        X = table[[c for c in table if c.startswith("x")]].to_numpy()
        digit = table["digit"].to_numpy()
        train, test = part != "test", part == "test"
        scaler = StandardScaler(with_std=False).fit(X[train])
        X = scaler.transform(X) / X[train].std()
        labels = np.unique(digit)
        Y = (digit[:, None] == labels).astype(float)
        models = fit_networks(CLASSIFIERS, X[train], Y[train], seed)
        del models["pooled network"]  # one network for all cannot tell ten digits apart
        outputs = {n: model.decision_function(X[test]) for n, model in models.items()}
        linear = LogisticRegression(C=1.0, max_iter=500)
        outputs["logistic regression per digit"] = one_by_one(linear, X[train], Y[train], X[test])
        return {
            n: float((labels[z.argmax(axis=1)] != digit[test]).mean()) for n, z in outputs.items()
        }

    return measure


TABLES = {
    "sarcos": (sarcos, "SARCOS, 1,000 shared rows: error / variance, mean over 7 torques"),
    "school": (school, "School: explained variance within schools, official splits"),
    "tox21": (tox21, "Tox21: mean AUC over 12 assays, random split"),
    "mnist": (digits("mnist"), "MNIST, ten one-against-all tasks: share of wrong digits"),
    "usps": (digits("usps"), "USPS, ten one-against-all tasks: share of wrong digits"),
}


def report(title, measure, seeds):
    """Mean and spread over seeds, as rows of Markdown."""
    start = time.perf_counter()
    table = pd.DataFrame([measure(seed) for seed in range(seeds)])
    print(f"\n{title} ({seeds} seeds, {time.perf_counter() - start:.0f} s)\n\n| | mean | sd |")
    print("|---|---|---|")
    for name in table:
        print(f"| {name} | {table[name].mean():.4f} | {table[name].std():.4f} |", flush=True)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", default=[*TABLES, "curve"])
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args(argv)
    if not DATA.is_dir():
        print(f"Nothing measured: no folder {DATA.name} beside the repository.")
        return
    warnings.simplefilter("ignore", ConvergenceWarning)
    for name in args.data:
        if name == "curve":
            for rows in (10, 30, 100, 300, 1000):
                title = f"SARCOS, {rows} own rows of each torque: error / variance"
                report(title, lambda seed, rows=rows: curve(seed, rows), args.seeds)
        else:
            measure, title = TABLES[name]
            report(title, measure, args.seeds)


if __name__ == "__main__":
    main()
