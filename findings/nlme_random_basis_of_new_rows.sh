#!/usr/bin/env bash
# nlme 3.1-162 (R): predict of lme makes scale() and poly() of the random part anew from the rows asked for.
#
# In the fixed part the mean, deviation and polynomial of the training rows are kept, as everywhere in R. In random = ~
# scale(x) | g they are computed again from the new rows: the same five rows get one answer inside the whole table and
# another alone, without a warning. lme4 and glmmTMB keep the basis in both parts. Names of variables that are
# transformed before the fit, or ~ I(x - 10) | g with a constant, are safe.
#
# Expected before it was run: one answer, as R's makepredictcall is there for this and works in the fixed part.
#
# Needs Rscript with nlme and lme4 (Debian 12: apt-get install r-cran-nlme r-cran-lme4).
set -euo pipefail
command -v Rscript > /dev/null || { echo "needs Rscript: apt-get install r-cran-nlme r-cran-lme4"; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/run.R" <<'R'
suppressMessages({library(nlme); library(lme4)})
cat("nlme", as.character(packageVersion("nlme")), " lme4", as.character(packageVersion("lme4")), "\n")
set.seed(1)
d <- data.frame(g = factor(rep(1:15, 20)), x = runif(300, 5, 15))
d$y <- 1 + 0.5 * d$x + rnorm(15)[d$g] + rnorm(15, 0, 0.6)[d$g] * (d$x - 10) + rnorm(300)
few <- 1:5
moved <- function(name, model) {
  whole <- unname(predict(model, d)[few]); alone <- unname(predict(model, d[few, ]))
  cat(sprintf("%-28s in the table %s   alone %s\n", name,
              paste(sprintf("%.3f", whole), collapse = " "), paste(sprintf("%.3f", alone), collapse = " ")))
  max(abs(whole - alone))
}
fixed <- moved("lme, poly(x, 2) fixed", lme(y ~ poly(x, 2), random = ~ 1 | g, d))
scaled <- moved("lme, random scale(x)", lme(y ~ x, random = ~ scale(x) | g, d))
bent <- moved("lme, random poly(x, 2)",
              lme(y ~ x, random = ~ poly(x, 2) | g, d, control = lmeControl(opt = "optim")))
other <- moved("lmer, random scale(x)", lmer(y ~ x + (1 + scale(x) | g), d))
if (max(fixed, other) > 1e-8) stop("CHANGED: the fixed part, or lmer, moves too")
if (scaled < 0.05 || bent < 1) stop("CHANGED: lme keeps the basis of its random part")
cat("as stated: rows are predicted differently alone and in the table, by up to", round(bent, 1), "\n")
R
Rscript "$folder/run.R"
