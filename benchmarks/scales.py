"""Answers of skglm, glmnet and lme4 on small tables, kept for the tests of `polytask.scales`.

    python benchmarks/scales.py tests/scales/peers.json

Needs skglm on the path, and R with glmnet and lme4.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np

R = """
suppressMessages({library(glmnet); library(lme4)})
Z <- as.matrix(read.csv("%(place)s/Z.csv", header=FALSE)); y <- scan("%(place)s/y.csv", quiet=TRUE)
S <- as.matrix(read.csv("%(place)s/X.csv", header=FALSE))
Y <- as.matrix(read.csv("%(place)s/Y.csv", header=FALSE))
out <- list()
for (i in unique(Z[,1])) { r <- Z[,1] == i
  for (kind in c("lasso", "ridge")) {
    f <- glmnet(Z[r,-1], y[r], family=gaussian(), alpha=kind == "lasso", lambda=c(1, .1),
                thresh=1e-16, standardize=FALSE)
    out[[paste0(kind, i)]] <- as.numeric(coef(f)[, 2]) } }
f <- glmnet(S, Y, family="mgaussian", lambda=c(1, .1), thresh=1e-14, standardize=FALSE)
out$mgaussian <- as.numeric(sapply(coef(f), function(b) b[, 2]))
table <- data.frame(y=y, g=factor(Z[,1]), Z[,-1]); names(table) <- c("y", "g", "a", "b", "c", "d")
m <- lmer(y ~ a + b + c + d + (0 + a | g), table, REML=TRUE)
v <- as.data.frame(VarCorr(m)); out$variances <- v$vcov
out$lmer <- as.numeric(t(as.matrix(coef(m)$g[, c("(Intercept)", "a", "b", "c", "d")])))
out$versions <- paste("R", getRversion(), "glmnet", packageVersion("glmnet"), "lme4",
                      packageVersion("lme4"))
text <- function(x) if (is.character(x)) sprintf('"%%s"', x) else
  paste0("[", paste(format(x, digits=15), collapse=", "), "]")
lines <- sprintf('"%%s": %%s', names(out), sapply(out, text))
writeLines(paste0("{", paste(lines, collapse=", "), "}"), "%(place)s/out.json")
"""


def tables() -> dict[str, np.ndarray]:
    """Rows with the task in column 0, numbers; and one X with a target per task."""
    rng = np.random.default_rng(0)
    ids = np.repeat(np.arange(6), 20)
    X = rng.normal(size=(120, 4))
    W = [1.0, -1.0, 0.5, 0.0] + np.array([1.0, 0, 0, 0]) * rng.normal(size=(6, 1))
    y = (X * W[ids]).sum(axis=1) + rng.normal(size=120)
    S = rng.normal(size=(30, 5))
    Y = S[:, :1] * [1.0, 2.0, -1.0] + rng.normal(size=(30, 3))
    return {"Z": np.column_stack([ids, X]), "y": y, "X": S, "Y": Y}


def main() -> None:
    """Write the record."""
    from skglm import MultiTaskLasso

    rows = {name: values.round(6) for name, values in tables().items()}
    with tempfile.TemporaryDirectory() as place:
        for name, values in rows.items():
            np.savetxt(f"{place}/{name}.csv", values, delimiter=",", fmt="%.6f")
        Path(place, "run.R").write_text(R % {"place": place}, encoding="utf-8")
        subprocess.run(["Rscript", f"{place}/run.R"], check=True)
        answers = json.loads(Path(place, "out.json").read_text(encoding="utf-8"))
    fit = MultiTaskLasso(0.1, tol=1e-10, fit_intercept=True).fit(rows["X"], rows["Y"])
    answers["skglm"] = np.column_stack([fit.intercept_, fit.coef_]).ravel().tolist()
    made = f"{answers.pop('versions')}, skglm {version('skglm')}; python benchmarks/scales.py FILE"
    record = {"made by": made, "rows": {k: v.tolist() for k, v in rows.items()}, "answers": answers}
    Path(sys.argv[1]).write_text(json.dumps(record) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
