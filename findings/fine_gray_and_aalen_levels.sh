#!/usr/bin/env bash
# riskRegression 2022.11.28, timereg 2.0.5 (R): FGR and aalen take levels of a factor in new rows by position.
#
# With levels w, v, u in the new rows where training had u, v, w, the Fine-Gray model of FGR() and the additive hazards of
# aalen() predict every group as another: the risk of "w" is what "u" has. Nothing is said. CSC(), predictCox() and coxph() of
# the same rows match levels by name.
#
# Expected before it was run: levels are matched by name, as by predict() of R's own models.
#
# Needs Rscript with riskRegression, timereg and survival (Debian 12: apt-get install r-cran-riskregression r-cran-timereg).
set -euo pipefail
command -v Rscript > /dev/null || { echo "needs Rscript: apt-get install r-cran-riskregression r-cran-timereg"; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/run.R" <<'R'
suppressPackageStartupMessages({library(survival); library(riskRegression); library(timereg); library(prodlim)})
for (p in c("riskRegression", "timereg", "survival")) cat(p, as.character(packageVersion(p)), " ")
set.seed(3)
n <- 300
d <- data.frame(x = runif(n), g = factor(sample(c("u", "v", "w"), n, TRUE)))
d$time <- rexp(n, exp(0.5 * d$x + c(-1, 0, 1)[d$g]))
d$event <- ifelse(runif(n) < 0.7, 1, 0)
d$cause <- d$event * ifelse(runif(n) < 0.7, 1, 2)
at <- 0.5
cox <- coxph(Surv(time, event) ~ x + g, d, x = TRUE, y = TRUE)
gray <- FGR(Hist(time, cause) ~ x + g, data = d, cause = 1)
both <- CSC(Hist(time, cause) ~ x + g, data = d)
hazard <- aalen(Surv(time, event) ~ x + g, d, n.sim = 0, max.time = 2)
said <- list(
  "FGR" = function(r) as.numeric(predict(gray, newdata = r, times = at)),
  "aalen" = function(r) { p <- predict(hazard, newdata = r, n.sim = 0, se = 0); 1 - p$S0[, findInterval(at, p$time)] },
  "CSC" = function(r) as.numeric(predict(both, newdata = r, times = at, cause = 1)$absRisk),
  "predictCox" = function(r) as.numeric(1 - predictCox(cox, newdata = r, times = at, type = "survival")$survival),
  "coxph" = function(r) as.numeric(1 - predict(cox, newdata = transform(r, time = at), type = "survival")))
rows <- data.frame(x = 0.5, g = factor(c("u", "v", "w")), event = 0)
other <- transform(rows, g = factor(g, levels = c("w", "v", "u")))
risks <- sapply(said, function(f) c(f(rows), f(other)))
cat("\nrisk at time", at, "\n")
print(data.frame(levels = rep(c("u, v, w", "w, v, u"), each = 3), group = c("u", "v", "w"), round(risks, 3)), row.names = FALSE)
apart <- apply(abs(risks[1:3, ] - risks[4:6, ]), 2, max)
if (min(apart[c("FGR", "aalen")]) < 0.1) stop("CHANGED: levels are matched by name")
if (max(abs(risks[1:3, 1:2] - risks[6:4, 1:2])) > 1e-10) stop("CHANGED: levels are matched neither by name nor by position")
if (max(apart[3:5]) > 1e-10) stop("CHANGED: the others match by position")
cat("as stated: FGR and aalen take levels by position\n")
R
Rscript "$folder/run.R"
