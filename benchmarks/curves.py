"""Curved models beside linear ones, boosting and mgcv, on tables of R packages and shared ones.

    python benchmarks/curves.py [--docs docs/models/curved.md] [--mgcv] [--new-tasks]

Rows are held out inside tasks, 2 times 3 folds; the error is the root mean squared error over rows.
With --new-tasks whole tasks are held out instead, in 5 folds, and predicted by what tasks share.
The tables were listed before any of them was fitted. R must be there, with nlme, lme4, MASS (and
mgcv, whose model is ``s(x) + s(x, task, bs = "fs")`` for every feature of six values or more).
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from pages import put
from real_data import FOLDER, load

from polytask import CurvedRegressor, MeanRegularizedRegressor
from polytask.models.boosted_trees import BoostedTreesRegressor

TABLES = """
nlme BodyWeight Rat weight Time,Diet
nlme Cefamandole Subject conc Time
nlme Dialyzer Subject rate pressure,QB
nlme Earthquake Quake accel Richter,distance,soil
nlme Fatigue Path relLength cycles
nlme Glucose2 Subject glucose Time
nlme IGF Lot conc age
nlme MathAchieve School MathAch SES,MEANSES,Minority,Sex
nlme Milk Cow protein Time,Diet
nlme Nitrendipene Tissue activity log.NIF
nlme Orthodont Subject distance age,Sex
nlme Ovary Mare follicles Time
nlme Oxboys Subject height age
nlme Phenobarb Subject conc time,Wt
nlme PBG Rabbit deltaBP dose,Treatment
nlme RatPupWeight Litter weight Lsize,sex,Treatment
nlme Relaxin Run cAMP conc
nlme Soybean Plot weight Time
nlme Spruce Tree logSize days
nlme Wafer Wafer current voltage
nlme Wheat2 variety yield latitude,longitude
lme4 sleepstudy Subject Reaction Days
lme4 cake replicate angle temp,recipe
lme4 InstEval d y studage,lectage,service
datasets CO2 Plant uptake conc
datasets ChickWeight Chick weight Time
datasets DNase Run density conc
datasets Indometh Subject conc time
datasets Loblolly Seed height age
datasets Theoph Subject conc Time,Wt
MASS nlschools class lang IQ,GS,SES,COMB
MASS minn38 fol f hs,phs
"""
SHARED = ("exam65", "scotssec", "chem97_lea", "ricefarms", "computer_survey", "sarcos_mtpl")
MOST_ROWS = 8000
MARK = "<!-- figures of benchmarks/curves.py -->"
NEW_TASKS = "<!-- figures of benchmarks/curves.py --new-tasks -->"
EXPORT = """
a <- commandArgs(TRUE)
suppressMessages(library(a[1], character.only = TRUE))
if (!exists(a[2])) data(list = a[2], package = a[1])
d <- as.data.frame(get(a[2]))
d <- d[, c(a[3], a[4], strsplit(a[5], ",")[[1]])]
write.csv(d[complete.cases(d), ], a[6], row.names = FALSE)
"""
MGCV = """
a <- commandArgs(TRUE)
suppressMessages(library(mgcv))
tr <- read.csv(a[1]); te <- read.csv(a[2])
tr$task <- factor(tr$task); te$task <- factor(te$task, levels = levels(tr$task))
terms <- character()
for (x in setdiff(names(tr), c("task", "y"))) {
  u <- length(unique(tr[[x]]))
  k <- min(10, u)
  terms <- c(terms, if (u < 4) x else sprintf(
    "s(%s, k = %d) + s(%s, task, bs = 'fs', k = %d)", x, k, x, min(5, u)))
}
started <- proc.time()
m <- gam(as.formula(paste("y ~ s(task, bs = 're') +", paste(terms, collapse = " + "))),
         data = tr, method = "REML")
seconds <- sum((proc.time() - started)[1:2])
write.csv(data.frame(f = as.numeric(predict(m, te)), s = seconds), a[3], row.names = FALSE)
"""


def from_r(line: str, folder: Path) -> tuple[str, pd.DataFrame, np.ndarray]:
    """Name, features with a column `task`, target of a table of an R package."""
    package, name, task, target, features = line.split()
    path = folder / f"{name}.csv"
    script = folder / "export.R"
    script.write_text(EXPORT)
    subprocess.run(
        ["Rscript", script, package, name, task, target, features, path],
        check=True, capture_output=True,
    )  # fmt: skip
    table = pd.read_csv(path)
    X = table.drop(columns=target).rename(columns={task: "task"})
    X["task"] = X["task"].astype(str)
    y = table[target].to_numpy(dtype=float)
    if len(y) > MOST_ROWS:
        kept = np.sort(np.random.default_rng(0).permutation(len(y))[:MOST_ROWS])
        X, y = X.iloc[kept].reset_index(drop=True), y[kept]
    return name, X, y


def folds(task: np.ndarray, n: int, seed: int) -> np.ndarray:
    """A fold for each row, every task's rows dealt evenly."""
    rng, fold = np.random.default_rng(seed), np.zeros(len(task), dtype=int)
    for each in np.unique(task):
        rows = rng.permutation(np.flatnonzero(task == each))
        fold[rows] = (np.arange(len(rows)) + rng.integers(n)) % n
    return fold


def prepared(X: pd.DataFrame) -> pd.DataFrame:
    """Numbers standardized, text as dummy columns, `task` last."""
    features = pd.get_dummies(X.drop(columns="task"), drop_first=True).astype(float)
    features = features.loc[:, features.std() > 0]
    return ((features - features.mean()) / features.std()).assign(task=X["task"].to_numpy())


def models() -> dict[str, object]:
    """What is compared."""
    return {
        "curved": CurvedRegressor(task="task", unseen="common"),
        "REML": MeanRegularizedRegressor("reml", task="task", unseen="common"),
        "leave-one-out": MeanRegularizedRegressor(task="task", unseen="common"),
        "boosting": BoostedTreesRegressor(task="task"),
    }


def mgcv(
    X: pd.DataFrame, y: np.ndarray, train: np.ndarray, folder: Path
) -> tuple[np.ndarray, float]:
    """Predictions of the other rows, and processor seconds of the fit itself."""
    script = folder / "mgcv.R"
    script.write_text(MGCV)
    paths = [folder / f"{name}.csv" for name in ("train", "test", "found")]
    named = X.rename(columns={c: c.replace(".", "_") for c in X})
    named[train].assign(y=y[train]).to_csv(paths[0], index=False)
    named[~train].to_csv(paths[1], index=False)
    subprocess.run(["Rscript", script, *paths], check=True, capture_output=True, timeout=120)
    found = pd.read_csv(paths[2])
    return found["f"].to_numpy(), float(found["s"].iloc[0])


def errors(X: pd.DataFrame, y: np.ndarray, folder: Path, with_mgcv: bool) -> dict[str, float]:
    """Root mean squared error of each, and mgcv's time over ours."""
    square: dict[str, float] = {}
    seconds = {"curved": 0.0, "mgcv": 0.0}
    task = X["task"].to_numpy().astype(str)
    for seed in (101, 102):
        fold = folds(task, 3, seed)
        for k in range(3):
            train = fold != k
            for name, model in models().items():
                started = time.process_time()
                found = model.fit(X[train], y[train]).predict(X[~train])  # type: ignore[attr-defined]
                if name == "curved" and seed == 101 and k == 0:
                    seconds["curved"] = time.process_time() - started
                square[name] = square.get(name, 0.0) + float(((found - y[~train]) ** 2).sum())
    out = {name: (total / (2 * len(y))) ** 0.5 for name, total in square.items()}
    if with_mgcv and len(y) <= 1100:  # the first split only: it takes minutes
        train = folds(task, 3, 101) != 0
        ours = models()["curved"].fit(X[train], y[train]).predict(X[~train])  # type: ignore[attr-defined]
        try:
            theirs, seconds["mgcv"] = mgcv(X, y, train, folder)
        except (subprocess.SubprocessError, OSError):
            return out | {"mgcv's error / ours": np.nan, "mgcv's time / ours": np.nan}
        ratio = (((theirs - y[~train]) ** 2).sum() / ((ours - y[~train]) ** 2).sum()) ** 0.5
        out |= {"mgcv's error / ours": ratio}
        out |= {"mgcv's time / ours": seconds["mgcv"] / seconds["curved"]}
    return out


def errors_on_new_tasks(X: pd.DataFrame, y: np.ndarray) -> dict[str, float]:
    """Root mean squared error of each on rows of tasks that were not in training."""
    ids, code = np.unique(X["task"].to_numpy().astype(str), return_inverse=True)
    fold = (np.random.default_rng(301).permutation(len(ids)) % min(5, len(ids)))[code]
    square: dict[str, float] = {}
    for k in np.unique(fold):
        train = fold != k
        for name, model in models().items():
            found = model.fit(X[train], y[train]).predict(X[~train])  # type: ignore[attr-defined]
            square[name] = square.get(name, 0.0) + float(((found - y[~train]) ** 2).sum())
    return {name: (total / len(y)) ** 0.5 for name, total in square.items()}


def report_new_tasks(tables: list[tuple[str, pd.DataFrame, np.ndarray]], docs: Path | None) -> None:
    """The table of whole tasks held out."""
    rows = {}
    for each, X, y in tables:
        found = errors_on_new_tasks(prepared(X), y)
        rows[each] = {"rows": len(y), "tasks": X["task"].nunique(), **found}
        print(each, {k: float(f"{v:.4g}") for k, v in rows[each].items()}, flush=True)
    table, names = pd.DataFrame(rows).T, list(models())
    best = table[[n for n in names if n != "curved"]].min(axis=1)
    ratio = table["curved"] / best
    table[names] = table[names].div(table["curved"], axis=0)
    ranks = table[names].rank(axis=1).mean()
    lines = [
        f"The same where whole tasks are new, 5 folds of tasks, {len(table)} tables; mean ranks "
        + ", ".join(f"{name} {rank:.2f}" for name, rank in ranks.items())
        + f". Curved over the best of the others: {np.exp(np.log(ratio).mean()):.3f} in geometric "
        f"mean, {ratio.min():.3f} to {ratio.max():.3f}, less than one on {(ratio < 1).sum()}.",
        "", "| table | " + " | ".join(table.columns) + " |", "|---" * (1 + table.shape[1]) + "|",
    ]  # fmt: skip
    write(docs, NEW_TASKS, ["## On new tasks", "", *lines, *cells_of(table)])


def cells_of(table: pd.DataFrame) -> list[str]:
    """Rows of a table in Markdown."""
    out = []
    for each, row in table.iterrows():
        cells = [f"{v:,.0f}" if c in ("rows", "tasks") else f"{v:.3g}" for c, v in row.items()]
        out.append(f"| {each} | " + " | ".join(cells) + " |")
    return out


def write(docs: Path | None, mark: str, lines: list[str]) -> None:
    """Print a section, and put it into a page if there is one."""
    print("\n".join(lines))
    if docs is not None:
        put(docs, mark, lines)


def main() -> None:
    """Print the table; with --docs put it into that page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--docs", type=Path)
    parser.add_argument("--mgcv", action="store_true")
    parser.add_argument("--new-tasks", action="store_true")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tables = [from_r(line, folder) for line in TABLES.strip().splitlines()]
        if FOLDER.exists():
            tables += [(each, *load(each)) for each in SHARED]
        if arguments.new_tasks:
            report_new_tasks(tables, arguments.docs)
            return
        for each, X, y in tables:
            X = prepared(X)
            found = errors(X, y, folder, arguments.mgcv)
            rows[each] = {"rows": len(y), "tasks": X["task"].nunique(), **found}
            print(each, {k: float(f"{v:.4g}") for k, v in rows[each].items()}, flush=True)
    table = pd.DataFrame(rows).T
    names = ["curved", "REML", "leave-one-out", "boosting"]
    ratio = table[names].div(table[["REML", "boosting"]].min(axis=1), axis=0)
    table[names] = table[names].div(table["curved"], axis=0)
    ranks = table[names].rank(axis=1).mean()
    print(ranks.to_string(), ratio["curved"].describe().to_string(), sep="\n")
    mean = np.exp(np.log(ratio["curved"]).mean())
    lines = [
        f"Root mean squared error over that of the curved model, {len(table)} tables; mean ranks "
        + ", ".join(f"{name} {rank:.2f}" for name, rank in ranks.items())
        + f". Curved over the better of REML and boosting: {mean:.3f} in geometric mean, "
        f"{ratio['curved'].max():.3f} at worst.",
        "The last two columns are of the first split, up to 1,100 rows; nan where mgcv was not "
        "run, refuses more coefficients than rows, or takes over two minutes. Times are "
        "processor times.",
        "", "| table | " + " | ".join(table.columns) + " |", "|---" * (1 + table.shape[1]) + "|",
    ]  # fmt: skip
    write(arguments.docs, MARK, ["## On real tables", "", *lines, *cells_of(table)])


if __name__ == "__main__":
    main()
