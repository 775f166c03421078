#!/usr/bin/env bash
# mgcv 1.8-41 (R): a column scaled inside a smooth term is scaled anew by the rows asked for.
#
# `gam(y ~ scale(x))` remembers mean and spread of the training rows, as `lm` does. `gam(y ~ s(scale(x)))` does not: each call of
# `predict(newdata = )` scales by its own rows, so the same row has another prediction in another batch, and a single
# row is scaled to nothing. Groups predicted one at a time, as schools or stores are, come out alike.
#
# Expected before it was run: both terms remember, as they stand in one formula of one function.
set -euo pipefail
command -v Rscript >/dev/null || { echo "Rscript is missing: apt-get install r-base-core r-cran-mgcv"; exit 1; }
Rscript --vanilla - <<'R'
suppressMessages(library(mgcv))
cat(R.version.string, "mgcv", as.character(packageVersion("mgcv")), "\n")
set.seed(1)
d <- data.frame(school = rep(c("low", "high"), each = 100))
d$x <- rnorm(200, ifelse(d$school == "low", 2, 8))
d$y <- 3 * d$x + rnorm(200)
high <- d[d$school == "high", ]
apart <- function(formula) {
  model <- gam(formula, data = d)
  together <- predict(model, newdata = d)[d$school == "high"]
  alone <- predict(model, newdata = high)
  cat(deparse(formula), ": mean prediction of the high school", round(mean(together), 2), "among all rows,",
      round(mean(alone), 2), "by itself; observed", round(mean(high$y), 2), "\n")
  max(abs(together - alone))
}
if (apart(y ~ scale(x)) > 1e-8) stop("CHANGED: a parametric term scales anew")
if (apart(y ~ s(scale(x))) < 1) stop("CHANGED: a smooth term remembers the scale")
cat("as stated: inside a smooth the scale is that of the rows asked for\n")
R
