#!/usr/bin/env bash
# lme4 1.1-31 (R): simulate(newdata) of a binomial glmer draws with the trials of the training rows, and returns
# negative counts.
#
# For cbind(k, n - k) ~ x + (1 | g) and three new rows of six trials each, simulate gives a matrix of as many rows as
# the training table, whose first column is drawn for the three rows (recycled), and whose second is the training rows'
# trials less that: some are negative. With k / n as target and weights = n, new rows count as one trial each. Draws of
# the training rows (no newdata) are right.
#
# Expected before it was run: three rows, whose trials are those of the new rows, or an error that asks for them.
#
# Needs Rscript with lme4 (Debian 12: apt-get install r-cran-lme4).
set -euo pipefail
command -v Rscript > /dev/null || { echo "needs Rscript: apt-get install r-cran-lme4"; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/run.R" <<'R'
suppressMessages(library(lme4))
cat("lme4", as.character(packageVersion("lme4")), "\n")
set.seed(1)
rows <- 200
d <- data.frame(g = factor(rep(1:20, 10)), x = rnorm(rows), n = sample(2:9, rows, TRUE))
d$k <- rbinom(rows, d$n, plogis(d$x + rnorm(20)[d$g]))
new <- transform(d[1:3, ], n = 6, k = 3)
pairs <- glmer(cbind(k, n - k) ~ x + (1 | g), d, binomial)
shares <- glmer(k / n ~ x + (1 | g), d, binomial, weights = n)
inside <- simulate(pairs, 1, seed = 1)[[1]]
drawn <- suppressWarnings(simulate(pairs, 1, seed = 1, newdata = new, re.form = NULL)[[1]])
drawn_shares <- suppressWarnings(unlist(lapply(1:20, function(s)
  simulate(shares, 1, seed = s, newdata = new, re.form = NULL)[[1]])))
cat("training rows: smallest count", min(inside), "\n")
cat("three new rows:", nrow(drawn), "rows come back, smallest count", min(drawn), "\n")
cat("shares of new rows:", paste(sort(unique(drawn_shares)), collapse = " "), "(of 6 trials each)\n")
if (min(inside) < 0) stop("CHANGED: draws of the training rows are negative")
if (nrow(drawn) == 3 || min(drawn) >= 0) stop("CHANGED: new rows are drawn with trials of their own")
if (!all(drawn_shares %in% 0:1)) stop("CHANGED: shares of new rows have several trials")
cat("as stated: new rows are drawn with the trials of other rows, or with one\n")
R
Rscript "$folder/run.R"
