#!/usr/bin/env bash
# survival 3.5-3 (R): whether a new row of coxph(y ~ x + frailty(g)) gets its group's frailty depends on how many groups there are.
#
# With five groups predict(model, newdata = training rows) says what predict(model) says, the group's frailty in it.
# With six groups the same call leaves the frailty out, and says nothing: the six groups' answers, which differ by
# more than 2 in the log of the risk, become one. frailty() turns to a sparse matrix at more than five levels, and
# predict() of new rows drops sparse terms. sparse = FALSE keeps them for any number of groups.
#
# Expected before it was run: the same rows get the same prediction, or a message that says otherwise.
#
# Needs Rscript with survival (Debian 12: apt-get install r-cran-survival).
set -euo pipefail
command -v Rscript > /dev/null || { echo "needs Rscript: apt-get install r-cran-survival"; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/run.R" <<'R'
library(survival)
cat("survival", as.character(packageVersion("survival")), "\n")
options(warn = 1)
said <- function(n_groups, ...) {
  set.seed(1)
  d <- data.frame(x = rnorm(60 * n_groups), g = factor(rep(seq_len(n_groups), each = 60)))
  d$status <- rbinom(nrow(d), 1, 0.8)
  d$time <- rexp(nrow(d), exp(0.5 * d$x + seq(-1.5, 1.5, length.out = n_groups)[d$g]))
  model <- coxph(Surv(time, status) ~ x + frailty(g, ...), d)
  heard <- character()
  new <- withCallingHandlers(predict(model, newdata = d),
                             warning = function(w) { heard <<- c(heard, conditionMessage(w)); invokeRestart("muffleWarning") })
  of_group <- function(f) tapply(f - coef(model)["x"] * d$x, d$g, mean)
  cat(n_groups, "groups", if (length(list(...))) "sparse = FALSE", "\n")
  cat("  known rows", sprintf("%6.2f", of_group(predict(model))), "\n  as new   ", sprintf("%6.2f", of_group(new)), "\n")
  c(apart = max(abs(new - predict(model))), spread = diff(range(of_group(new))), warned = length(heard))
}
five <- said(5)
six <- said(6)
dense <- said(6, sparse = FALSE)
if (five["apart"] > 1e-8 || dense["apart"] > 1e-8 || min(five["spread"], dense["spread"]) < 2)
  stop("CHANGED: five groups, or sparse = FALSE, no longer keep the frailty")
if (six["apart"] < 1 || six["spread"] > 1e-8 || six["warned"] > 0) stop("CHANGED: six groups keep the frailty, or say so")
cat("as stated: the sixth group takes the frailty from the predictions of all\n")
R
Rscript "$folder/run.R"
