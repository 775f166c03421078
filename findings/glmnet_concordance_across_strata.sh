#!/usr/bin/env bash
# glmnet 4.1-6 (R): the concordance of a stratified Cox model compares patients of different strata.
#
# glmnet() fits a response of stratifySurv() within its strata. Cindex(), assess.glmnet() and with them
# cv.glmnet(type.measure = "C") give the concordance over all pairs, as if there were no strata: a predictor that is useless within
# each stratum gets 0.68 here. survival's concordance(... + strata(g)) of the same predictions counts pairs of one stratum.
#
# Expected before it was run: pairs within strata, as in the fit.
#
# Needs Rscript with glmnet and survival (Debian 12: apt-get install r-cran-glmnet).
set -euo pipefail
command -v Rscript > /dev/null || { echo "needs Rscript: apt-get install r-cran-glmnet"; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/run.R" <<'R'
suppressPackageStartupMessages({library(glmnet); library(survival)})
cat("glmnet", as.character(packageVersion("glmnet")), " survival", as.character(packageVersion("survival")), "\n")
options(warn = 2)
set.seed(3)
n <- 300
g <- rep(1:3, each = n / 3)
x <- cbind(g + rnorm(n), rnorm(n))
time <- rexp(n, exp(g))
event <- rbinom(n, 1, 0.8)
y <- stratifySurv(Surv(time, event), g)
score <- x[, 1]
model <- glmnet(x, y, family = "cox", lambda = c(0.1, 0))
found <- c("Cindex, strata" = Cindex(score, y), "Cindex, no strata" = Cindex(score, Surv(time, event)),
           "survival, strata" = concordance(Surv(time, event) ~ score + strata(g), reverse = TRUE)$concordance,
           "survival, no strata" = concordance(Surv(time, event) ~ score, reverse = TRUE)$concordance)
print(round(found, 3))
fitted <- predict(model, x, s = 0)
of_fit <- c("assess.glmnet" = unname(assess.glmnet(model, newx = x, newy = y, s = 0)$C),
            "survival, strata" = concordance(Surv(time, event) ~ fitted + strata(g), reverse = TRUE)$concordance,
            "survival, no strata" = concordance(Surv(time, event) ~ fitted, reverse = TRUE)$concordance)
print(round(of_fit, 4))
cat("coefficients of glmnet:", as.numeric(coef(model, s = 0)), " of survival:",
    coef(coxph(Surv(time, event) ~ x + strata(g), ties = "breslow")), "\n")
if (abs(found[1] - found[4]) > 1e-12 || abs(of_fit[1] - of_fit[3]) > 1e-12) stop("CHANGED: strata are not ignored")
if (abs(found[1] - found[3]) < 0.1) stop("CHANGED: strata make no difference here")
cat("as stated: the concordance ignores the strata of the response\n")
R
Rscript "$folder/run.R"
