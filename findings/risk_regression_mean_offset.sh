#!/usr/bin/env bash
# riskRegression 2022.11.28 (R): predictCox() of a model with an offset is wrong by a factor of exp(mean offset) in the hazard.
#
# coxph() centres the offset; predictCox() takes the baseline from there and adds the whole offset of the row. With offsets
# around 2 the hazard of every row is 8 times too high, and a survival of 0.54 becomes 0.008. survfit()
# agrees with Breslow's estimate by hand; with the offset's mean taken off beforehand all three agree.
#
# Expected before it was run: the survival of survfit().
#
# Needs Rscript with riskRegression (Debian 12: apt-get install r-cran-riskregression).
set -euo pipefail
command -v Rscript > /dev/null || { echo "needs Rscript: apt-get install r-cran-riskregression"; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/run.R" <<'R'
suppressPackageStartupMessages({library(survival); library(riskRegression)})
for (p in c("riskRegression", "survival")) cat(p, as.character(packageVersion(p)), " ")
options(warn = 2)
set.seed(3)
n <- 300
d <- data.frame(x = runif(n), o = rnorm(n, 2))
d$time <- rexp(n, exp(d$x + d$o - 2))
d$event <- rbinom(n, 1, 0.7)
at <- 0.3
by_hand <- function(beta, d, rows) {
  risk <- exp(beta * d$x + d$o)
  events <- which(d$event == 1 & d$time <= at)
  baseline <- sum(vapply(events, function(j) 1 / sum(risk[d$time >= d$time[j]]), 0))
  exp(-baseline * exp(beta * rows$x + rows$o))
}
survival_of <- function(d) {
  model <- coxph(Surv(time, event) ~ x + offset(o), d, x = TRUE, y = TRUE, ties = "breslow")
  rows <- d[1:4, ]
  rbind("by hand" = by_hand(coef(model), d, rows),
        survfit = sapply(1:4, function(i) summary(survfit(model, newdata = rows[i, ]), times = at)$surv),
        predictCox = as.numeric(predictCox(model, newdata = rows, times = at, type = "survival")$survival))
}
whole <- survival_of(d)
centred <- survival_of(transform(d, o = o - mean(o)))
colnames(whole) <- colnames(centred) <- paste("row", 1:4)
cat("\nsurvival at", at, "with offsets of mean", round(mean(d$o), 2), "\n")
print(round(whole, 4))
cat("hazard of predictCox over that by hand:", round(log(whole["predictCox", ]) / log(whole["by hand", ]), 3),
    " exp(mean offset):", round(exp(mean(d$o)), 3), "\nwith the mean taken off\n")
print(round(centred, 4))
if (max(abs(whole["survfit", ] - whole["by hand", ]), abs(centred[2:3, ] - centred[c(1, 1), ])) > 1e-8)
  stop("CHANGED: survfit, or predictCox of a centred offset, is not Breslow's estimate")
factor <- log(whole["predictCox", ]) / log(whole["by hand", ])
if (max(abs(factor / exp(mean(d$o)) - 1)) > 1e-6) stop("CHANGED: predictCox is not off by exp(mean offset)")
cat("as stated: the mean of the offset counts twice\n")
R
Rscript "$folder/run.R"
