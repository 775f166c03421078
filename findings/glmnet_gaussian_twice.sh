#!/usr/bin/env bash
# glmnet 4.1-6 (R): family = gaussian() and family = "gaussian" have other coefficients for one lambda, unless alpha is 1.
#
# "gaussian" scales the target to unit variance and reads lambda in that unit, whatever lambda is given; for a ridge that is
# another strength, lambda over the target's standard deviation. gaussian() and "mgaussian" take lambda as it stands in the
# objective of the help, which a closed form confirms. For the lasso all agree, and so do binomial() and "binomial".
#
# Expected before it was run: two names of one family.
#
# Needs Rscript with glmnet (Debian 12: apt-get install r-cran-glmnet).
set -euo pipefail
command -v Rscript > /dev/null || { echo "needs Rscript: apt-get install r-cran-glmnet"; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/run.R" <<'R'
suppressPackageStartupMessages(library(glmnet))
cat("glmnet", as.character(packageVersion("glmnet")), "\n")
options(warn = 2)
set.seed(3)
n <- 200
x <- scale(matrix(rnorm(3 * n), n), scale = FALSE)
y <- as.numeric(10 * x[, 2] + 10 * rnorm(n))
s <- sqrt(mean((y - mean(y))^2))
ridge <- function(lambda) solve(crossprod(x) / n + lambda * diag(3), crossprod(x, y - mean(y)) / n)[, 1]
of <- function(family, alpha, lambda, target = y) {
  b <- coef(glmnet(x, target, family = family, alpha = alpha, lambda = lambda, standardize = FALSE, thresh = 1e-20))
  as.numeric((if (is.list(b)) b[[1]] else b)[-1])
}
both <- cbind(y, rnorm(n))
found <- rbind("\"gaussian\"" = of("gaussian", 0, 0.5), "gaussian()" = of(gaussian(), 0, 0.5),
               "\"mgaussian\"" = of("mgaussian", 0, 0.5, both),
               "closed form, lambda" = ridge(0.5), "closed form, lambda / sd(y)" = ridge(0.5 / s))
cat("ridge, lambda = 0.5, sd(y) =", round(s, 2), "\n")
print(round(found, 4))
lasso <- max(abs(of("gaussian", 1, 0.5) - of(gaussian(), 1, 0.5)))
yes <- as.numeric(y > 0)
binomial <- max(abs(of("binomial", 0, 0.05, yes) - of(binomial(), 0, 0.05, yes)))
cat("largest difference of the two names: lasso", signif(lasso, 2), " binomial ridge", signif(binomial, 2), "\n")
off <- function(i, j) max(abs(found[i, ] - found[j, ]))
if (off(1, 2) < 1) stop("CHANGED: the two names agree")
if (max(off(2, 4), off(3, 4), off(1, 5)) > 1e-3) stop("CHANGED: other strengths than stated")
if (max(lasso, binomial) > 1e-3) stop("CHANGED: the lasso or the binomial ridge disagrees")
cat("as stated: \"gaussian\" divides lambda by the target's standard deviation\n")
R
Rscript "$folder/run.R"
