#!/usr/bin/env bash
# ranger 0.14.1 (R): levels of a factor in new rows are taken by position: rows of one group are predicted as another.
#
# Where the levels stand in another order, or where a batch of factors or of text holds fewer of them, predict() reads
# "w" as the first level of training: rows of "w" get what rows of "u" have. Nothing is said, for regression and for
# survival, with the default and with respect.unordered.factors = "partition"; "order" is right. Trees of rpart match
# levels by name.
#
# Expected before it was run: levels are matched by name, as in other tree packages of R.
#
# Needs Rscript with ranger, survival and rpart (Debian 12: apt-get install r-cran-ranger r-cran-survival r-cran-rpart).
set -euo pipefail
command -v Rscript > /dev/null || { echo "needs Rscript: apt-get install r-cran-ranger r-cran-survival r-cran-rpart"; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/run.R" <<'R'
suppressPackageStartupMessages({library(ranger); library(survival); library(rpart)})
cat("ranger", as.character(packageVersion("ranger")), "\n")
options(warn = 2)
set.seed(3)
n <- 300
d <- data.frame(x = runif(n), g = factor(sample(c("u", "v", "w"), n, TRUE)))
d$y <- d$x + c(0, 2, -2)[d$g] + 0.1 * rnorm(n)
d$time <- rexp(n, exp(c(-2, 0, 2)[d$g]))
d$event <- rbinom(n, 1, 0.8)
w <- which(d$g == "w")
asked <- list("levels w, v, u" = transform(d, g = factor(g, levels = c("w", "v", "u")))[w, ],
              "level w alone" = droplevels(d[w, ]), "text, w alone" = transform(d, g = as.character(g))[w, ])
said <- list(
  "ranger" = { m <- ranger(y ~ x + g, d, num.trees = 50, seed = 1); function(r) predict(m, r)$predictions },
  "ranger, partition" = { m2 <- ranger(y ~ x + g, d, num.trees = 50, seed = 1, respect.unordered.factors = "partition")
                          function(r) predict(m2, r)$predictions },
  "ranger, order" = { m3 <- ranger(y ~ x + g, d, num.trees = 50, seed = 1, respect.unordered.factors = "order")
                      function(r) predict(m3, r)$predictions },
  "ranger, survival" = { m4 <- ranger(Surv(time, event) ~ x + g, d, num.trees = 50, seed = 1)
                         function(r) predict(m4, r)$survival },
  "rpart" = { m5 <- rpart(y ~ x + g, d); function(r) predict(m5, r) })
apart <- sapply(said, function(f) sapply(asked, function(rows) max(abs(f(rows) - f(d[w, ])))))
cat("largest difference from the same rows with the levels of training\n")
print(round(apart, 3))
cat("mean target of w:", round(mean(d$y[w]), 2), " predicted where w is the first level:",
    round(mean(said[["ranger"]](asked[[1]])), 2), " mean target of u:", round(mean(d$y[d$g == "u"]), 2), "\n")
wrong <- c("ranger", "ranger, partition", "ranger, survival")
if (max(apart[, c("ranger, order", "rpart")]) > 1e-12) stop("CHANGED: the others take levels by position")
if (min(apart[, wrong]) < 0.3) stop("CHANGED: levels are taken by name")
cat("as stated: ranger takes levels by position\n")
R
Rscript "$folder/run.R"
