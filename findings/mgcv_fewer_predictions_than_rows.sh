#!/usr/bin/env bash
# mgcv 1.8-41 (R): of a model fitted with bam(discrete = TRUE), predict() leaves out the rows of groups that it never saw.
#
# Asked for groups a, zz and f, of which zz is new, it gives two numbers for three rows: the second is that of f. With
# s(g, bs = "re") the model fitted by gam(), and the same bam() model with predict(discrete = FALSE), give three, zz
# without a group effect; with s(x, g, bs = "fs") they give NA in the second place. exclude = "s(g)", which should
# answer for any group, leaves the row out as well. All warn that the level is new, not that the row is gone.
#
# Expected before it was run: as many predictions as rows, NA or without a group effect.
#
# Needs Rscript with mgcv (Debian 12: apt-get install r-cran-mgcv).
set -euo pipefail
command -v Rscript > /dev/null || { echo "needs Rscript: apt-get install r-cran-mgcv"; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/run.R" <<'R'
suppressMessages(library(mgcv))
cat("mgcv", as.character(packageVersion("mgcv")), "\n")
set.seed(1)
d <- data.frame(x = runif(400), g = factor(sample(letters[1:6], 400, TRUE)))
d$y <- sin(6 * d$x) + c(-3, -1, 0, 1, 2, 4)[d$g] + 0.2 * rnorm(400)
new <- data.frame(x = 0.5, g = c("a", "zz", "f"))
said <- function(name, model, ...) {
  f <- suppressWarnings(predict(model, new, ...))
  cat(sprintf("%-42s", name), sprintf("%6.2f", f), "\n")
  as.numeric(f)
}
found <- list()
for (terms in c('s(x) + s(g, bs = "re")', 's(x, g, bs = "fs", k = 5)')) {
  formula <- as.formula(paste("y ~", terms))
  fast <- bam(formula, data = d, discrete = TRUE)
  cat(terms, "\n")
  found[[terms]] <- list(gam = said("  gam", gam(formula, data = d, method = "REML")),
                         fast = said("  bam, discrete", fast),
                         slow = said("  bam, discrete, predict(discrete = FALSE)", fast, discrete = FALSE),
                         exclude = said("  bam, discrete, exclude", fast, exclude = c("s(g)", "s(x,g)")))
}
for (f in found) {
  if (length(f$gam) != 3 || length(f$slow) != 3) stop("CHANGED: gam, or predict(discrete = FALSE), leaves out a row")
  if (length(f$fast) != 2 || length(f$exclude) != 2) stop("CHANGED: bam(discrete = TRUE) answers for every row")
  if (max(abs(f$fast - f$gam[c(1, 3)])) > 0.05) stop("CHANGED: which rows are answered")
}
if (is.na(found[[1]]$gam[2]) || !is.na(found[[2]]$gam[2])) stop("CHANGED: what a new group gets")
cat("as stated: three rows, two predictions\n")
R
Rscript "$folder/run.R"
