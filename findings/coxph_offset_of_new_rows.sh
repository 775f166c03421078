#!/usr/bin/env bash
# survival 3.5-3 (R): predict(type = "survival") of new rows is wrong in a Cox model with an offset.
#
# The training rows, given as newdata, get other probabilities than without newdata: the offset of new rows enters the
# risk without the centring that the baseline hazard assumes. Adding 5 to the offset of every row is the same model,
# and moves the answers for new rows again. type = "expected" has the same error; without an offset both ways agree to
# the last digit. survfit(model, newdata) centres alike and is right.
#
# Expected before it was run: the same rows get the same probability.
#
# Needs Rscript with survival (Debian 12: apt-get install r-cran-survival).
set -euo pipefail
command -v Rscript > /dev/null || { echo "needs Rscript: apt-get install r-cran-survival"; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/run.R" <<'R'
library(survival)
cat("survival", as.character(packageVersion("survival")), "\n")
set.seed(1)
n <- 300
d <- data.frame(x = rnorm(n), e = runif(n, 0.5, 4), status = rbinom(n, 1, 0.8))
d$time <- rexp(n, exp(0.5 * d$x + d$e - 3))
d$e5 <- d$e + 5
rows <- 1:3
said <- function(name, model) {
  known <- predict(model, type = "survival")[rows]
  new <- predict(model, d[rows, ], type = "survival")
  curve <- sapply(rows, function(i) summary(survfit(model, d[i, ]), times = d$time[i])$surv)
  cat(sprintf("%-12s training %s   as new rows %s   survfit %s\n", name, paste(sprintf("%.3f", known), collapse = " "),
              paste(sprintf("%.3f", new), collapse = " "), paste(sprintf("%.3f", curve), collapse = " ")))
  c(new = max(abs(known - new)), curve = max(abs(known - curve)))
}
plain <- said("x + e", coxph(Surv(time, status) ~ x + e, d))
offset <- said("offset(e)", coxph(Surv(time, status) ~ x + offset(e), d))
shifted <- said("offset(e5)", coxph(Surv(time, status) ~ x + offset(e5), d))
if (plain["new"] > 1e-8 || max(plain["curve"], offset["curve"], shifted["curve"]) > 1e-6)
  stop("CHANGED: survfit, or the model without an offset, differs")
if (offset["new"] < 0.1 || shifted["new"] < 0.3) stop("CHANGED: new rows with an offset get the training answers")
cat("as stated: a row with an offset gets another survival probability as a new row\n")
R
Rscript "$folder/run.R"
