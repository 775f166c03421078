#!/usr/bin/env bash
# plm 2.6-2 (R): the within estimator with weights is not weighted least squares with an intercept for each group.
#
# plm() takes the plain mean of each group off and weights what is left. Its help sends weights to lm(), where the same
# model, y ~ x + factor(g) with those weights, has another slope, which is that of the repeated rows too. Rows of weight 0 move
# the slope, since they stay in the means. Without weights both agree to 1e-13.
#
# Expected before it was run: the slope of lm().
#
# Needs Rscript with plm (Debian 12: apt-get install r-cran-plm).
set -euo pipefail
command -v Rscript > /dev/null || { echo "needs Rscript: apt-get install r-cran-plm"; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/run.R" <<'R'
suppressPackageStartupMessages(library(plm))
cat("plm", as.character(packageVersion("plm")), "\n")
options(warn = 2)
set.seed(3)
d <- data.frame(g = rep(1:12, each = 5), t = rep(1:5, 12), x = rnorm(60))
d$y <- d$x + rnorm(12)[d$g] + rnorm(60)
slopes <- function(weight) {
  d$w <- weight
  own <- function(v) v - ave(v, d$g)
  repeated <- d[rep(seq_len(60), d$w), ]
  c(plm = unname(coef(plm(y ~ x, d, index = c("g", "t"), model = "within", weights = w))),
    lm = unname(coef(lm(y ~ x + factor(g), d, weights = w))["x"]),
    "repeated rows" = unname(coef(lm(y ~ x + factor(g), repeated))["x"]),
    "plain means, weighted rest" = unname(coef(lm(own(y) ~ own(x) - 1, d, weights = w))))
}
found <- rbind("equal weights" = slopes(1), "weights 1, 1, 1, 2, 5" = slopes(rep(c(1, 1, 1, 2, 5), 12)),
               "weights 1, 1, 1, 0, 0" = slopes(rep(c(1, 1, 1, 0, 0), 12)))
print(round(found, 4))
if (max(abs(found[1, ] - found[1, 1])) > 1e-12) stop("CHANGED: the slope without weights")
if (max(abs(found[, "lm"] - found[, "repeated rows"])) > 1e-12) stop("CHANGED: the slope of lm()")
if (min(abs(found[2:3, "plm"] - found[2:3, "lm"])) < 0.005) stop("CHANGED: plm gives the slope of lm()")
if (max(abs(found[, "plm"] - found[, 4])) > 1e-12) stop("CHANGED: plm gives a third slope")
cat("as stated: plm takes unweighted means of the groups\n")
R
Rscript "$folder/run.R"
