#!/usr/bin/env bash
# caret 6.0-93 (R): groupKFold(k = 5) makes fewer than five folds of six groups, and folds of 20 groups have 1 % to 38 % of rows.
#
# Each group draws a fold at random, with no regard to the others: folds stay empty and are left out. For ten seeds six
# groups of five rows give three to five folds. Nothing is said, and mean errors are over so many folds.
#
# Expected before it was run: k folds, with about as many rows or at least groups in each.
#
# Needs Rscript with caret (Debian 12: apt-get install r-cran-caret).
set -euo pipefail
command -v Rscript > /dev/null || { echo "needs Rscript: apt-get install r-cran-caret"; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/run.R" <<'R'
suppressMessages(library(caret))
cat("caret", as.character(packageVersion("caret")), "\n")
sizes <- function(group, seed) {
  set.seed(seed)
  length(group) - lengths(groupKFold(group, k = 5))
}
six <- rep(1:6, each = 5)
found <- lapply(1:10, function(seed) sizes(six, seed))
for (rows in found[1:4]) cat("six groups of five rows:", length(rows), "folds of", rows, "rows\n")
set.seed(1)
twenty <- rep(1:20, sample(1:30, 20, TRUE))
shares <- sapply(1:5, function(seed) range(sizes(twenty, seed)) / length(twenty))
cat("twenty groups: least and greatest share of rows, by seed", round(shares, 2), "\n")
count <- lengths(found)
cat("folds of six groups, ten seeds:", count, "\n")
if (all(count == 5)) stop("CHANGED: there are always k folds")
if (max(shares) < 0.35) stop("CHANGED: folds are balanced")
cat("as stated: fewer folds, of unlike sizes\n")
R
Rscript "$folder/run.R"
