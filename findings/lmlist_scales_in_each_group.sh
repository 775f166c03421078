#!/usr/bin/env bash
# nlme 3.1-162, lme4 1.1-31 (R): lmList(y ~ scale(x) | g) scales x anew in each group; so does poly().
#
# Four groups have the slope 2. lmList(y ~ x | g) finds it in all of them. With scale(x) it says 0.57, 0.55, 1.01 and
# 0.54, and intercepts at the group's own mean of x, where a column scaled before gives 15.1 in every group. Spreads of
# such coefficients between groups, which one looks at before lme(), are spreads of x. Predictions are not touched.
#
# Expected before it was run: one scale for the whole table, as lm() and lmer() have.
#
# Needs Rscript with nlme and lme4 (Debian 12: apt-get install r-cran-nlme r-cran-lme4).
set -euo pipefail
command -v Rscript > /dev/null || { echo "needs Rscript: apt-get install r-cran-nlme r-cran-lme4"; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/run.R" <<'R'
suppressMessages(library(lme4))
cat("nlme", as.character(packageVersion("nlme")), "lme4", as.character(packageVersion("lme4")), "\n")
set.seed(1)
d <- data.frame(g = factor(rep(1:4, each = 20)), x = c(runif(20, 0, 1), runif(20, 5, 6), runif(20, 10, 12), runif(20, 20, 21)))
d$y <- 2 * d$x + 0.01 * rnorm(80)
d$z <- as.numeric(scale(d$x))
slopes <- function(fit, formula) unname(coef(fit(formula, d))[, 2])
apart <- function(b) max(b) / min(b) - 1
for (fit in list(nlme::lmList, lme4::lmList)) {
  found <- lapply(c(x = y ~ x | g, scaled = y ~ z | g, scale = y ~ scale(x) | g, poly = y ~ poly(x, 1) | g), function(f) slopes(fit, f))
  for (name in names(found)) cat(sprintf("%-7s", name), sprintf("%7.3f", found[[name]]), "\n")
  if (apart(found$x) > 0.05 || apart(found$scaled) > 0.05) stop("CHANGED: the groups' slopes without scale() in the formula")
  own <- 2 * as.numeric(tapply(d$x, d$g, sd))
  if (max(abs(found$scale / own - 1)) > 0.05 || apart(found$poly) < 0.5) stop("CHANGED: scale() or poly() is one for all groups")
}
cat("as stated: every group has a scale of its own\n")
R
Rscript "$folder/run.R"
