"""Counts, shares, amounts and ordered levels: what the verdict says, beside R's mixed models.

    python benchmarks/kinds_of_target.py --keep FILE.json [--only NAME]
    python benchmarks/kinds_of_target.py --keep FILE.json --docs docs/models/targets.md

Ten tables, listed before any was fitted. Rows are held out inside tasks, in 3 folds, the same for
everybody; the score is the mean deviance of a row (ordered levels: the log loss). R's model has the
features and an intercept for each task: lme4's glmer (binomial, Poisson), glmmTMB (gamma, negative
binomial), ordinal's clmm. R must be there, with lme4, glmmTMB, ordinal and MASS.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from pages import put
from real_data import FOLDER
from sklearn.model_selection import PredefinedSplit

from polytask.inspection import compare_tasks, default_estimators
from polytask.model_selection import TaskKFold
from polytask.responses import find_response

TABLES = """
lme4 grouseticks BROOD TICKS poisson YEAR,HEIGHT
MASS epil subject y poisson lbase,trt,lage,V4
glmmTMB Salamanders site count negative_binomial mined,cover,DOP,Wtemp,spp
glmmTMB Owls Nest SiblingNegotiation negative_binomial FoodTreatment,SexParent,ArrivalTime
lme4 Arabidopsis gen total.fruits negative_binomial reg,nutrient,amd,status
lme4 cbpp herd share binomial period
ordinal wine judge rating ordinal temp,contact
lme4 VerbAgg item resp ordinal Anger,Gender
shared restaurant_consumer task target ordinal alcohol_Full_Bar,alcohol_No_Alcohol_Served,latitude,longitude
shared ricefarms task target gamma log_size,log_seed,log_lab
"""  # noqa: E501
MODELS = ("single-task", "pooled", "task-intercept", "mean-regularized", "gradient-boosting")
MARK = "<!-- figures of benchmarks/kinds_of_target.py -->"
PREPARE = {  # columns that a table gets first, and how R's levels are numbered
    "epil": "d <- transform(MASS::epil, lbase = log(base) - mean(log(base)), lage = log(age))",
    "cbpp": "d <- transform(lme4::cbpp, share = incidence / size)",
    "wine": "d <- transform(ordinal::wine, rating = as.integer(rating))",
    "VerbAgg": "d <- transform(lme4::VerbAgg, resp = as.integer(resp))",
}
PEER = """
a <- commandArgs(TRUE); tr <- read.csv(a[1], stringsAsFactors = TRUE)
te <- read.csv(a[2], stringsAsFactors = TRUE); kind <- a[3]
tr$task <- factor(tr$task); te$task <- factor(te$task, levels = levels(tr$task))
for (x in names(tr))
  if (x != "task" && is.factor(tr[[x]])) te[[x]] <- factor(te[[x]], levels(tr[[x]]))
terms <- setdiff(names(tr), c("task", "y", "w"))
terms <- terms[sapply(tr[terms], function(x) length(unique(x)) > 1)]
f <- as.formula(paste("y ~", paste(terms, collapse = " + "), "+ (1 | task)"))
if (kind == "ordinal") {
  tr$y <- factor(tr$y); m <- ordinal::clmm(f, tr)
  X <- model.matrix(as.formula(paste("~", paste(terms, collapse = " + "))), te)[, -1, drop = FALSE]
  u <- setNames(m$ranef, levels(tr$task))[as.character(te$task)]
  eta <- drop(X[, names(m$beta), drop = FALSE] %*% m$beta) + ifelse(is.na(u), 0, u)
  p <- plogis(outer(-eta, m$alpha, "+"))
  p <- cbind(p, 1) - cbind(0, p)
} else if (kind %in% c("gamma", "negative_binomial")) {
  family <- if (kind == "gamma") Gamma("log") else glmmTMB::nbinom2
  m <- glmmTMB::glmmTMB(f, tr, family = family)
  p <- predict(m, te, type = "response", allow.new.levels = TRUE)
} else {
  m <- lme4::glmer(f, tr, family = if (kind == "binomial") binomial else poisson, weights = w,
                   control = lme4::glmerControl(optimizer = "bobyqa"))
  p <- predict(m, te, type = "response", allow.new.levels = TRUE)
}
write.csv(p, a[4], row.names = FALSE)
"""


def table(line: str, folder: Path) -> pd.DataFrame:
    """Features, ``task``, ``y`` and the weight ``w``."""
    package, name, task, target, _, features = line.split()
    names = [task, target, *features.split(",")]
    if package == "shared":
        found = pd.read_parquet(FOLDER / name / "data.parquet")
        if name == "ricefarms":  # the file has logarithms of kilograms
            found[target] = np.exp(found[target])
    else:
        made = PREPARE.get(
            name, f"suppressMessages(library({package})); d <- as.data.frame({name})"
        )
        csv = folder / f"{name}.csv"
        run(f"{made}; write.csv(d, commandArgs(TRUE)[1], row.names = FALSE)", csv)
        found = pd.read_csv(csv)
    weight = found["size"] if name == "cbpp" else np.ones(len(found))
    found = found[names].assign(w=weight).dropna().reset_index(drop=True)
    return found.rename(columns={task: "task", target: "y"})


def run(script: str, *arguments: object) -> None:
    """R, in one thread."""
    command = ["Rscript", "-e", script, *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)


def peer(rows: pd.DataFrame, kind: str, folds: list, folder: Path) -> float:
    """Mean loss of a row by R's model, NaN where it fails."""
    response = find_response("peer", kind, has_labels=False).of_targets(rows["y"].to_numpy(float))
    total = 0.0
    paths = [folder / f"{name}.csv" for name in ("train", "test", "answer")]
    for train, test in folds:
        rows.iloc[train].to_csv(paths[0], index=False)
        rows.iloc[test].to_csv(paths[1], index=False)
        try:
            run(PEER, paths[0], paths[1], kind, paths[2])
        except subprocess.CalledProcessError as error:
            print(error.stderr[-300:])
            return float("nan")
        answer = np.squeeze(pd.read_csv(paths[2]).to_numpy(float))
        loss = response.row_loss(response.metrics[0])
        each = loss.of(rows["y"].to_numpy(float)[test], answer)
        total += float(each @ rows["w"].to_numpy(float)[test])
    return total / float(sum(rows["w"].to_numpy(float)[test].sum() for _, test in folds))


def judged(line: str, folder: Path) -> dict[str, object]:
    """One table: its verdict, and the mean loss of a row by every model."""
    name, kind = line.split()[1], line.split()[4]
    rows = table(line, folder)
    weight = rows["w"] if (rows["w"] != 1).any() else None
    X = pd.get_dummies(rows.drop(columns=["y", "w"]).astype({"task": str}).set_index("task"),
                       drop_first=True, dtype=float).reset_index()  # fmt: skip
    X = X.assign(**{c: (X[c] - X[c].mean()) / X[c].std() for c in X if c != "task"})
    made = default_estimators("regression", "task", kind)
    models = {n: made[n] for n in MODELS}
    reml = type(made["mean-regularized"])("reml", task="task", loss=kind)
    models["mean-regularized, REML"] = reml
    splitter = TaskKFold(3, task="task", stratify=kind == "ordinal", random_state=0)
    folds = list(splitter.split(X, rows["y"]))
    at = np.full(len(rows), -1)  # fold in which a row is held out, by us and by R; none if alone
    for k, (_, test) in enumerate(folds):
        at[test] = k
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = compare_tasks(
            models, X, rows["y"], task="task", cv=PredefinedSplit(at), sample_weight=weight
        )
    column = found.metric.replace("_tasks", "_rows")
    scores = found.models.set_index("name")[column].to_dict()
    return {
        "table": name, "kind": kind, "rows": len(rows), "tasks": X["task"].nunique(),
        "verdict": found.verdict.label,
        "recommended": found.recommended.title.replace("Mean regularized", "Mean-regularized"),
        **{n: scores.get(n, np.nan) for n in (*MODELS, "mean-regularized, REML", "task-means")},
        "R": peer(rows, kind, folds, folder),
    }  # fmt: skip


def main() -> None:
    """Add tables to a file of results, or write all of it into a page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--docs", type=Path)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    kept = json.loads(arguments.keep.read_text("utf-8")) if arguments.keep.exists() else {}
    names = {line.split()[1]: line for line in TABLES.strip().splitlines()}
    with tempfile.TemporaryDirectory() as folder:
        for name, line in names.items():
            if arguments.docs is None and arguments.only in name:
                kept[name] = judged(line, Path(folder))
                print(kept[name], flush=True)
                arguments.keep.write_text(json.dumps(kept, indent=1), "utf-8")
    frame = pd.DataFrame([kept[name] for name in names if name in kept])
    numbers = frame.columns[6:]
    frame[numbers] = frame[numbers].map(lambda v: "" if pd.isna(v) else f"{v:.3f}")
    rows = [frame.columns, ["---"] * frame.shape[1], *frame.itertuples(index=False)]
    text = "\n".join("| " + " | ".join(map(str, row)) + " |" for row in rows)
    print(text)
    if arguments.docs is not None:
        put(arguments.docs, MARK, [text])


if __name__ == "__main__":
    main()
