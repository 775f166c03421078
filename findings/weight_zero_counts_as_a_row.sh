#!/usr/bin/env bash
# lme4 1.1-31, mgcv 1.8-41 (R): rows of weight 0 count in the residual variance; in mgcv a weight of 2 is not a row twice.
#
# Coefficients are those without the rows, but the residual variance is divided by all rows: with a third of them at
# weight 0 it is a third too small, and in lme4 standard errors with it. lm() and glmmTMB leave such rows out. The help of
# mgcv says of weights that "a weight of 2, for example, is equivalent to having made exactly the same observation twice";
# the standard errors of gam() with Gaussian targets stay those of one observation.
#
# Expected before it was run: weight 0 is no row, as in lm(); in mgcv a weight of 2 is two rows, as its help says.
#
# Needs Rscript with lme4, mgcv and glmmTMB (Debian 12: apt-get install r-cran-lme4 r-cran-mgcv r-cran-glmmtmb).
set -euo pipefail
command -v Rscript > /dev/null || { echo "needs Rscript: apt-get install r-cran-lme4 r-cran-mgcv r-cran-glmmtmb"; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/run.R" <<'R'
suppressPackageStartupMessages({library(lme4); library(mgcv); library(glmmTMB)})
for (p in c("lme4", "mgcv", "glmmTMB")) cat(p, as.character(packageVersion(p)), " ")
set.seed(2)
n <- 240
d <- data.frame(g = factor(rep(1:24, each = 10)), x = rnorm(n))
d$y <- 1 + d$x + rnorm(24)[d$g] + 2 * rnorm(n)
d$w <- rep(c(1, 1, 0), n / 3)
kept <- d[d$w > 0, ]
fits <- list(
  "lm" = function(d) { m <- lm(y ~ x, d, weights = w); c(sigma(m), coef(m)[2], sqrt(vcov(m)[2, 2])) },
  "lme4" = function(d) { m <- lmer(y ~ x + (1 | g), d, weights = w); c(sigma(m), fixef(m)[2], sqrt(vcov(m)[2, 2])) },
  "mgcv" = function(d) { m <- gam(y ~ x + s(g, bs = "re"), data = d, weights = w, method = "REML")
                         c(sqrt(m$sig2), coef(m)[2], sqrt(vcov(m)[2, 2])) },
  "glmmTMB" = function(d) { m <- glmmTMB(y ~ x + (1 | g), d, weights = w)
                            c(sigma(m), fixef(m)$cond[2], sqrt(vcov(m)$cond[2, 2])) })
ratio <- sapply(fits, function(f) f(d) / f(kept))
rownames(ratio) <- c("residual sd", "coefficient", "standard error")
cat("\nrows of weight 0 kept, relative to rows of weight 0 left out\n")
print(round(ratio, 3))
twice <- rbind(d, d)
error <- function(m) sqrt(vcov(m)[2, 2])
of_mgcv <- c(once = error(gam(y ~ x, data = d)), "weight 2" = error(gam(y ~ x, data = d, weights = rep(2, n))),
             "each row twice" = error(gam(y ~ x, data = twice)))
cat("standard error of gam(y ~ x)\n")
print(round(of_mgcv, 4))
if (max(abs(ratio[, c("lm", "glmmTMB")] - 1)) > 1e-3) stop("CHANGED: lm or glmmTMB count rows of weight 0")
if (max(ratio["residual sd", c("lme4", "mgcv")]) > 0.87) stop("CHANGED: lme4 or mgcv leave rows of weight 0 out")
if (max(abs(ratio["coefficient", ] - 1)) > 0.01) stop("CHANGED: coefficients move with rows of weight 0")
if (ratio["standard error", "lme4"] > 0.87) stop("CHANGED: lme4's standard error is that without the rows")
if (abs(of_mgcv[2] / of_mgcv[1] - 1) > 1e-6 || of_mgcv[3] / of_mgcv[1] > 0.75) stop("CHANGED: weight 2 is two rows")
cat("as stated: lme4 and mgcv count rows of weight 0\n")
R
Rscript "$folder/run.R"
