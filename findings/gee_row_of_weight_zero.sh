#!/usr/bin/env bash
# statsmodels 0.15.0, geepack 1.3-9 (R): in a GEE with an exchangeable correlation, rows of weight 0 move the slope.
#
# Both multiply residuals by the weights and keep the row in the inverse of its group's correlation, where it acts as one
# that lies on the curve. statsmodels' help says "case weights", geepack's sends to glm(), and there weight 0 is no
# row. With the independence correlation neither moves.
#
# Expected before it was run: the fit without the rows.
#
# Needs Rscript with geepack (Debian 12: apt-get install r-cran-geepack).
set -euo pipefail
command -v Rscript > /dev/null || { echo "needs Rscript: apt-get install r-cran-geepack"; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    statsmodels==0.15.0 numpy==2.4.6 scipy==1.17.1 pandas==3.1.1
cat > "$folder/run.R" <<'R'
suppressPackageStartupMessages(library(geepack))
cat("geepack", as.character(packageVersion("geepack")), "\n")
folder <- commandArgs(TRUE)[1]
d <- read.csv(file.path(folder, "rows.csv"))
slope <- function(d, corstr) unname(coef(geeglm(y ~ x, id = g, data = d, corstr = corstr, weights = w))["x"])
found <- sapply(c("exchangeable", "independence"), function(corstr) c(slope(d, corstr), slope(d[d$w > 0, ], corstr)))
cat(sprintf("geepack      %-13s slope with rows of weight 0 %.4f, without them %.4f\n", colnames(found), found[1, ], found[2, ]), sep = "")
gap <- abs(found[1, ] - found[2, ])
if (gap[1] < 0.02) stop("CHANGED: geepack leaves rows of weight 0 out")
if (gap[2] > 1e-8) stop("CHANGED: geepack keeps rows of weight 0 without a correlation")
R
"$folder/venv/bin/python" - "$folder" <<'PY'
import sys

import numpy as np
import pandas as pd
import statsmodels.api as sm
import statsmodels.formula.api as smf

rng = np.random.default_rng(3)
group = np.repeat(np.arange(24), 10)
d = pd.DataFrame({"g": group, "x": rng.normal(size=240), "w": np.tile([1.0, 1.0, 0.0], 80)})
d["y"] = 1 + d["x"] + 2 * rng.normal(size=24)[group] + 2 * rng.normal(size=240)
d.to_csv(f"{sys.argv[1]}/rows.csv", index=False)
kept = d[d["w"] > 0]
gap = {}
for name in ("Exchangeable", "Independence"):
    make = getattr(sm.cov_struct, name)
    slopes = [smf.gee("y ~ x", "g", rows, cov_struct=make(), weights=rows["w"]).fit().params["x"] for rows in (d, kept)]
    print(f"statsmodels  {name.lower():13} slope with rows of weight 0 {slopes[0]:.4f}, without them {slopes[1]:.4f}")
    gap[name] = abs(slopes[0] - slopes[1])
if gap["Exchangeable"] < 0.02:
    raise SystemExit("CHANGED: statsmodels leaves rows of weight 0 out")
if gap["Independence"] > 1e-8:
    raise SystemExit("CHANGED: statsmodels keeps rows of weight 0 without a correlation")
PY
Rscript "$folder/run.R" "$folder"
echo "as stated: a correlation keeps rows of weight 0 in the fit"
