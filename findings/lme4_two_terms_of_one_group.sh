#!/usr/bin/env bash
# lme4 1.1-31 (R): with (x | g) + (z | g), predict(newdata = training rows) is not predict() of the same rows.
#
# Both terms bring an intercept for g; the data say only what their sum is, of which lmer() may warn. predict() of the
# fitted rows uses all four effects of a group, predict() of new rows mixes them up without a word: it is off by 1 to 3
# on the very rows of training. With (0 + z | g), which fits nearly as well here, both agree.
#
# Expected before it was run: the same rows get the same prediction.
#
# Needs Rscript with lme4 (Debian 12: apt-get install r-cran-lme4).
set -euo pipefail
command -v Rscript > /dev/null || { echo "needs Rscript: apt-get install r-cran-lme4"; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/run.R" <<'R'
suppressPackageStartupMessages(library(lme4))
cat("lme4", as.character(packageVersion("lme4")), "\n")
set.seed(2)
d <- data.frame(g = factor(rep(1:24, each = 10)), x = rnorm(240), z = rnorm(240))
b <- matrix(rnorm(72), 24) %*% diag(c(2, 1, 1))
d$y <- 1 + d$x + rowSums(b[d$g, ] * cbind(1, d$x, d$z)) + rnorm(240)
apart <- function(formula) {
  m <- suppressWarnings(lmer(formula, d))
  heard <- 0
  new <- withCallingHandlers(predict(m, newdata = d), warning = function(w) heard <<- 1)
  if (heard) stop("CHANGED: predict() warns")
  cat(sprintf("%-28s log-likelihood %.3f  residual sd: fitted %.2f, as new rows %.2f\n", deparse(formula)[1],
              logLik(m), sd(d$y - fitted(m)), sd(d$y - new)))
  max(abs(new - fitted(m)))
}
found <- c(apart(y ~ x + (x | g) + (z | g)), apart(y ~ x + (1 | g) + (x | g)), apart(y ~ x + (x | g) + (0 + z | g)))
cat("largest difference of new rows from fitted ones:", signif(found, 3), "\n")
if (min(found[1:2]) < 0.5) stop("CHANGED: two terms with an intercept of one group predict new rows as fitted ones")
if (found[3] > 1e-10) stop("CHANGED: a term without an intercept disturbs predictions too")
cat("as stated: a second intercept of a group spoils its predictions of new rows\n")
R
Rscript "$folder/run.R"
