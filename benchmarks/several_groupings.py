"""Tables with several groupings: rows held out, our defaults beside lme4's documented models.

    python benchmarks/several_groupings.py [--docs docs/models/multilevel.md] [TABLE ...]

Five folds of the rows; the first row of every level of every grouping always trains. lme4 has the
fixed part and the groupings of its documentation (or of the book that the package serves), by REML
with bobyqa; ours has the same columns and groupings and nothing else said. R must be there, with
lme4, nlme, mlmRev and lmerTest. The tables were listed before any was fitted.
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

from polytask import MultilevelRegressor

TABLES = """
lme4 Penicillin; diameter; 1; (1|plate) + (1|sample); plate,sample
lme4 Pastes; strength; 1; (1|batch) + (1|batch:cask); batch/cask
lme4 cake; angle; recipe * temperature; (1|replicate) + (1|replicate:recipe); replicate/recipe
nlme Oats; yield; nitro; (1|Block) + (1|Block:Variety); Block/Variety
nlme Machines; score; Machine; (1|Worker) + (1|Worker:Machine); Worker/Machine
nlme Pixel; pixel; day + I(day^2); (day|Dog) + (1|Dog:Side); Dog/Side
nlme Wafer; current; voltage + I(voltage^2); (voltage + I(voltage^2)||Wafer) + \
(voltage + I(voltage^2)||Wafer:Site); Wafer/Site
nlme Assay; logDens; sample * dilut; (1|Block) + (1|Block:sample) + (1|Block:dilut); \
Block,Block:sample,Block:dilut
nlme Oxide; Thickness; Source; (1|Lot) + (1|Lot:Wafer); Lot/Wafer
nlme Alfalfa; Yield; Date * Variety; (1|Block) + (1|Block:Variety); Block/Variety
nlme Glucose2; glucose; poly(Time, 4); (1|Subject) + (1|Subject:Date); Subject/Date
mlmRev ScotsSec; attain; sex; (1|primary) + (1|second); primary,second
mlmRev egsingle; math; year * size + female; (year|childid) + (year|schoolid); childid,schoolid
mlmRev Chem97; score; gcsecnt; (1|lea) + (1|lea:school); lea/school
lmerTest ham; Informed.liking; Product * Information; (1|Consumer) + (1|Consumer:Product); \
Consumer/Product
lmerTest carrots; Preference; sens2 + Homesize; (1 + sens2|Consumer) + (1|Product); \
Consumer,Product
lmerTest TVbo; Coloursaturation; TVset * Picture; (1|Assessor) + (1|Assessor:TVset); Assessor/TVset
mlmRev star; math; gr + sx + eth + cltype; (1|id) + (1|tch) + (1|sch); id,tch,sch
lme4 InstEval; y; service; (1|s) + (1|d) + (1|dept:service); s,d,dept:service
"""
MARK = "<!-- figures of benchmarks/several_groupings.py -->"
EXPORT = """
a <- commandArgs(TRUE)
suppressMessages(library(a[1], character.only = TRUE))
d <- as.data.frame(get(a[2]))
for (v in names(d)) if (is.ordered(d[[v]])) d[[v]] <- factor(as.character(d[[v]]))
groups <- strsplit(a[5], ",")[[1]]
used <- unique(c(all.vars(as.formula(paste(a[3], "~", a[4]))), groups))
d <- d[complete.cases(d[, used]), used]
saveRDS(d, a[6])
M <- model.matrix(as.formula(paste("~", a[4])), d)[, -1, drop = FALSE]
colnames(M) <- make.names(colnames(M), unique = TRUE)
write.csv(cbind(as.data.frame(M), d[, groups, drop = FALSE], .y = d[[a[3]]]), a[7],
          row.names = FALSE)
"""
LME4 = """
a <- commandArgs(TRUE)
suppressMessages(library(lme4))
d <- readRDS(a[1]); fold <- scan(a[2], quiet = TRUE); f <- rep(NA, nrow(d))
began <- proc.time()[1]
for (k in 0:4) {
  m <- suppressWarnings(suppressMessages(lmer(as.formula(a[3]), d[fold != k, ],
    control = lmerControl(optimizer = "bobyqa", calc.derivs = FALSE))))
  f[fold == k] <- predict(m, d[fold == k, ], allow.new.levels = TRUE)
}
cat(sprintf("%.3f", proc.time()[1] - began))
writeLines(ifelse(is.na(f), "nan", sprintf("%.17g", f)), a[4])
"""


def folds(groups: pd.DataFrame, specs: list[list[str]], seed: int = 0) -> np.ndarray:
    """Fold of each row, -1 where it is the first of a level."""
    fold = np.random.default_rng(seed).permutation(np.arange(len(groups)) % 5)
    for columns in specs:
        fold[~groups.duplicated(subset=columns)] = -1
    return fold


def groupings(said: str) -> list[list[str]]:
    """The columns of each: "a/b" is a, and a with b; "a:b" is a with b alone."""
    found: list[list[str]] = []
    for part in said.split(","):
        columns = part.split("/")
        found += [columns[: k + 1] for k in range(len(columns))] if ":" not in part else [
            part.split(":")
        ]  # fmt: skip
    return found


def one(line: str, folder: Path) -> dict[str, float]:
    """Root mean squared errors and processor times of one table."""
    source, target, fixed, random, said = (part.strip() for part in line.split(";"))
    package, name = source.split()
    specs = groupings(said)
    columns = list(dict.fromkeys(c for each in specs for c in each))
    rds, csv, out = (str(folder / f"{name}.{end}") for end in ("rds", "csv", "txt"))
    for script, text in (("export.R", EXPORT), ("lme4.R", LME4)):
        (folder / script).write_text(text)
    asked = [package, name, target, fixed, ",".join(columns), rds, csv]
    subprocess.run(
        ["Rscript", folder / "export.R", *asked], check=True, capture_output=True, text=True
    )
    table = pd.read_csv(csv)
    y, X = table.pop(".y").to_numpy(dtype=float), table
    X[columns] = X[columns].astype(str)
    fold = folds(X, specs)
    np.savetxt(folder / "folds.txt", fold, fmt="%d")
    formula = f"{target} ~ {fixed} + {random}"
    told = subprocess.run(
        ["Rscript", folder / "lme4.R", rds, folder / "folds.txt", formula, out],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    theirs = np.loadtxt(out)
    began, ours = time.process_time(), np.full(len(y), np.nan)
    task = [tuple(each) if len(each) > 1 else each[0] for each in specs]
    for k in range(5):
        model = MultilevelRegressor(task=task, unseen="common")
        train = fold != k
        ours[~train] = model.fit(X[train], y[train]).predict(X[~train])
    spent = time.process_time() - began
    test = fold >= 0
    error = [float(np.sqrt(np.mean((y[test] - f[test]) ** 2))) for f in (ours, theirs)]
    return {
        "rows": len(y), "judged": int(test.sum()), "ours": error[0], "lme4": error[1],
        "ratio": error[0] / error[1], "time ratio": float(told.stdout) / spent,
    }  # fmt: skip


def main() -> None:
    """Print the table; with --docs put it into that page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*")
    parser.add_argument("--docs", type=Path)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    found = {}
    with tempfile.TemporaryDirectory() as name:
        for line in TABLES.strip().splitlines():
            table = line.split(";")[0].split()[1]
            if arguments.tables and table not in arguments.tables:
                continue
            found[table] = one(line, Path(name))
            print(table, {k: float(f"{v:.5g}") for k, v in found[table].items()}, flush=True)
    ratio = np.array([each["ratio"] for each in found.values()])
    lines = [
        f"Root mean squared error on held-out rows, {len(ratio)} tables: ours over lme4's "
        f"documented model {np.exp(np.log(ratio).mean()):.4f} in geometric mean, "
        f"{np.median(ratio):.4f} at the median, {ratio.min():.3f} to {ratio.max():.3f}. The last "
        "column is lme4's processor time over ours, which weighs which slopes vary and how as "
        "well; the machine was busy.",
        "", "| table | rows | judged | ours | lme4 | ratio | time |", "|---" * 7 + "|",
    ]  # fmt: skip
    for table, each in found.items():
        lines.append(
            f"| {table} | {each['rows']:,} | {each['judged']:,} | {each['ours']:.4g} | "
            f"{each['lme4']:.4g} | {each['ratio']:.3f} | {each['time ratio']:.2g} |"
        )
    print("\n".join(lines))
    if arguments.docs:
        put(arguments.docs, MARK, lines)


if __name__ == "__main__":
    main()
