#!/usr/bin/env bash
# ordinal 2022.11-16 (R): predict() of rows with their response takes its levels by position, not by name.
#
# predict(clm, newdata) gives the probability of the response that each row has. Where its levels stand in another order, as
# after factor(text), which sorts by the alphabet, row "high" gets the probability of "low", silently: a log-loss of new
# data is that of shuffled labels. Predictors are matched by name. Text is refused.
#
# Expected before it was run: the probability of the label in the row.
#
# Needs Rscript with ordinal (Debian 12: apt-get install r-cran-ordinal).
set -euo pipefail
command -v Rscript > /dev/null || { echo "needs Rscript: apt-get install r-cran-ordinal"; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/run.R" <<'R'
suppressPackageStartupMessages(library(ordinal))
cat("ordinal", as.character(packageVersion("ordinal")), "\n")
options(warn = 2)
set.seed(3)
n <- 300
d <- data.frame(x = rnorm(n), arm = factor(sample(c("a", "b"), n, TRUE)))
d$y <- cut(2 * d$x + (d$arm == "b") + rlogis(n), c(-Inf, -1, 1, Inf), c("low", "mid", "high"), ordered_result = TRUE)
model <- clm(y ~ x + arm, data = d)
all <- predict(model, newdata = d[c("x", "arm")], type = "prob")$fit
own <- all[cbind(seq_len(n), match(as.character(d$y), colnames(all)))]
said <- function(rows) predict(model, newdata = rows, type = "prob")$fit
read <- transform(d, y = factor(as.character(y)))
asked <- list("as fitted" = d, "not ordered" = transform(d, y = factor(y, ordered = FALSE)),
              "predictor in another order" = transform(d, arm = factor(arm, levels = c("b", "a"))),
              "levels by the alphabet" = read)
apart <- sapply(asked, function(rows) max(abs(said(rows) - own)))
loss <- sapply(asked, function(rows) -mean(log(said(rows))))
print(cbind("largest error" = round(apart, 3), "log-loss" = round(loss, 3)))
by_position <- all[cbind(seq_len(n), as.integer(read$y))]
if (max(apart[c("as fitted", "predictor in another order")]) > 1e-12) stop("CHANGED: the probabilities of the rows as fitted")
if (apart["levels by the alphabet"] < 0.5) stop("CHANGED: levels are taken by name")
if (max(abs(said(read) - by_position)) > 1e-12) stop("CHANGED: levels are taken neither by name nor by position")
cat("as stated: the response's levels count by position\n")
R
Rscript "$folder/run.R"
