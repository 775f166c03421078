"""Curves of a positive, skewed target and of its logarithm, alone and among weighted candidates.

    python benchmarks/log_targets.py [--docs docs/models/targets.md]

Tables of R packages, listed before any was fitted, as far as `may_take_log` holds of them; rows are
held out inside tasks, 2 times 3 folds (the weighted candidates: 3 folds), and the error is the root
mean squared error of the target itself. How the mean of the target is found was chosen on the first
three tables and on simulated ones. R must be there, with nlme, lme4, MASS, AER and plm.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from curves import folds, from_r, prepared, write
from scipy.stats import skew

from polytask import (
    AutoMultiTaskRegressor,
    CurvedRegressor,
    MeanRegularizedRegressor,
    ScaledTargetRegressor,
)
from polytask.models.scaled_target import may_take_log

TABLES = """
datasets ChickWeight Chick weight Time
datasets Indometh Subject conc time
AER Fatalities state fatal beertax,income,unemp,miles,pop
nlme Cefamandole Subject conc Time
nlme Earthquake Quake accel Richter,distance,soil
nlme Fatigue Path relLength cycles
nlme Glucose2 Subject glucose Time
nlme Phenobarb Subject conc time,Wt
nlme PBG Rabbit deltaBP dose,Treatment
nlme Relaxin Run cAMP conc
nlme Soybean Plot weight Time
nlme Remifentanil Subject conc Time,Amt,Wt
nlme Quinidine Subject conc time,Weight,Age
nlme Tetracycline1 Subject conc Time,Formulation
lme4 sleepstudy Subject Reaction Days
lme4 cake replicate angle temp,recipe
datasets airquality Month Ozone Solar.R,Wind,Temp
MASS minn38 fol f hs,phs
MASS Cars93 Type Price MPG.city,Horsepower,EngineSize,Weight
MASS coop Lab Conc Spc,Bat
MASS Boston rad medv crim,rm,lstat,ptratio,nox
AER Grunfeld firm invest value,capital,year
AER CPS1985 occupation wage education,experience,age,gender
AER CPS1988 region wage education,experience,ethnicity,parttime
AER USAirlines firm cost output,price,load,year
AER HousePrices prefer price lotsize,bedrooms,bathrooms,stories,garage
AER Guns state violent prisoners,income,density,year,afam,cauc,male
AER CASchools county expenditure students,teachers,calworks,lunch,income,english
plm Cigar state sales price,pop,cpi,ndi,year
"""
MOST_ROWS = 1500
MARK = "<!-- figures of benchmarks/log_targets.py -->"


def models() -> dict[str, object]:
    """What is compared."""
    linear = MeanRegularizedRegressor("reml", weights="count", task="task", unseen="common")
    curved = CurvedRegressor(task="task", unseen="common")
    return {
        "curved": curved,
        "log": ScaledTargetRegressor(curved, transform="log"),
        "REML": linear,
        "REML, log": ScaledTargetRegressor(linear, transform="log"),
        "Auto": AutoMultiTaskRegressor(task="task", unseen="common"),
    }


def without_log(auto: AutoMultiTaskRegressor) -> AutoMultiTaskRegressor:
    """The same candidates but for the logarithm."""
    names = [n for n in auto.candidates_ if not n.endswith("-log")]
    return AutoMultiTaskRegressor(names, task="task", unseen="common")


def errors(X: pd.DataFrame, y: np.ndarray) -> dict[str, float]:
    """Root mean squared error of each."""
    square: dict[str, float] = {}
    rows: dict[str, int] = {}
    task = X["task"].to_numpy().astype(str)

    def add(name: str, found: np.ndarray, truth: np.ndarray) -> None:
        square[name] = square.get(name, 0.0) + float(((found - truth) ** 2).sum())
        rows[name] = rows.get(name, 0) + len(truth)

    for seed in (201, 202):
        fold = folds(task, 3, seed)
        for k in range(3):
            train = fold != k
            for name, model in models().items():
                if name == "Auto" and seed > 201:
                    continue
                model.fit(X[train], y[train])  # type: ignore[attr-defined]
                add(name, model.predict(X[~train]), y[~train])  # type: ignore[attr-defined]
                if name == "Auto":
                    other = without_log(model).fit(X[train], y[train])  # type: ignore[arg-type]
                    add("Auto without log", other.predict(X[~train]), y[~train])
    return {name: (total / rows[name]) ** 0.5 for name, total in square.items()}


def main() -> None:
    """Print the table; with --docs put it into that page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--docs", type=Path)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for line in TABLES.strip().splitlines():
            name, X, y = from_r(line, Path(folder))
            if not may_take_log(y):
                continue
            if len(y) > MOST_ROWS:
                kept = np.sort(np.random.default_rng(0).permutation(len(y))[:MOST_ROWS])
                X, y = X.iloc[kept].reset_index(drop=True), y[kept]
            X = prepared(X)
            about = {"rows": len(y), "tasks": X["task"].nunique(), "skewness": float(skew(y))}
            found[name] = about | errors(X, y)
            print(name, {k: float(f"{v:.4g}") for k, v in found[name].items()}, flush=True)
    table = pd.DataFrame(found).T
    ratio = table["Auto"] / table["Auto without log"]
    judged = table.iloc[3:]

    def mean(of: pd.Series) -> float:
        return float(np.exp(np.log(of).mean()))

    of_log = judged["log"] / judged["curved"]
    lines = [
        "Root mean squared error over that of curves of the target as it is. On the tables below "
        f"the third, curves of the logarithm have {mean(of_log):.3f} times the error of curves of "
        f"the target ({of_log.min():.2f} to {of_log.max():.2f}; less on {(of_log < 1).sum()} of "
        f"{len(of_log)}). The weighted candidates with it have {mean(ratio.iloc[3:]):.3f} times "
        f"their error without it ({ratio.iloc[3:].min():.2f} to {ratio.iloc[3:].max():.2f}).",
        "",
        "| table | rows | tasks | skewness | log | REML | REML, log | Auto | Auto without log |",
        "|---" * 9 + "|",
    ]  # fmt: skip
    for name, row in table.iterrows():
        over = [f"{row[c] / row['curved']:.3g}" for c in ("log", "REML", "REML, log", "Auto")]
        over.append(f"{row['Auto without log'] / row['curved']:.3g}")
        about = [f"{row['rows']:,.0f}", f"{row['tasks']:,.0f}", f"{row['skewness']:.1f}"]
        lines.append("| " + " | ".join([str(name), *about, *over]) + " |")
    write(arguments.docs, MARK, lines)


if __name__ == "__main__":
    main()
