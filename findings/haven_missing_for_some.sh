#!/usr/bin/env bash
# haven 2.5.1 (R): a code that SPSS declares missing is missing for is.na, na.omit and lm, a number for mean and complete.cases.
#
# Of the answers 1, 2 and 99 (refused, declared missing), read with user_na = TRUE: is.na() says so of 99, na.omit() and lm()
# leave the row out, while mean(na.rm = TRUE) is 34, sum, var and max count 99, and complete.cases() keeps the row. So the
# rows of a model and those of its description differ. zap_missing(), or user_na = FALSE, gives 1.5.
#
# Expected before it was run: what is.na() calls missing, na.rm = TRUE leaves out.
#
# Needs Rscript with haven (Debian 12: apt-get install r-cran-haven).
set -euo pipefail
command -v Rscript > /dev/null || { echo "needs Rscript: apt-get install r-cran-haven"; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/run.R" <<'R'
library(haven)
cat("haven", as.character(packageVersion("haven")), "\n")
file <- file.path(commandArgs(TRUE), "a.sav")
answer <- labelled_spss(c(1, 2, 99), c(refused = 99), na_values = 99)
write_sav(data.frame(answer = answer, y = c(1, 2, 3)), file)
d <- read_sav(file, user_na = TRUE)
x <- d$answer
cat("is.na:", is.na(x), "- rows of na.omit:", nrow(na.omit(d)), "- rows of lm:", nobs(lm(y ~ answer, d)), "\n")
cat("mean:", mean(x, na.rm = TRUE), "sum:", sum(x, na.rm = TRUE), "max:", as.numeric(max(x, na.rm = TRUE)), "- complete.cases:", complete.cases(d), "\n")
cat("mean after zap_missing:", mean(zap_missing(x), na.rm = TRUE), "- with user_na = FALSE:", mean(read_sav(file)$answer, na.rm = TRUE), "\n")
missing <- is.na(x)[3] && nrow(na.omit(d)) == 2 && nobs(lm(y ~ answer, d)) == 2
number <- mean(x, na.rm = TRUE) == 34 && sum(x, na.rm = TRUE) == 102 && as.numeric(max(x, na.rm = TRUE)) == 99 && all(complete.cases(d))
if (!missing || !number) stop("CHANGED: for whom a declared code is missing")
if (mean(zap_missing(x), na.rm = TRUE) != 1.5 || mean(read_sav(file)$answer, na.rm = TRUE) != 1.5) stop("CHANGED: zap_missing")
cat("as stated: missing for some, a number for others\n")
R
Rscript "$folder/run.R" "$folder"
