#!/usr/bin/env bash
# lme4 1.1-31 and MASS 7.3-58 (R): predict(newdata) forgets an offset that the fit had used.
#
# glmer(k ~ x + (1 | g), offset = log(e)) fits rates; its predictions of new rows, and of the training rows given as new
# ones, are those of exposure 1, whatever e they hold. polr(grade ~ x + offset(z)) forgets the offset even as a term of
# the formula. Neither warns. glm evaluates both kinds in the new rows, glmmTMB too, and ordinal's clm, which takes the
# term alone. In lme4 the term offset(log(e)) works.
#
# Expected before it was run: the offset is evaluated in the new rows, as by predict.glm.
#
# Needs Rscript with lme4, glmmTMB, MASS and ordinal (Debian 12: apt-get install r-cran-lme4 r-cran-glmmtmb
# r-cran-mass r-cran-ordinal).
set -euo pipefail
command -v Rscript > /dev/null || { echo "needs Rscript: apt-get install r-cran-lme4 r-cran-glmmtmb r-cran-ordinal"; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/run.R" <<'R'
suppressMessages({library(lme4); library(glmmTMB); library(MASS); library(ordinal)})
for (p in c("lme4", "glmmTMB", "MASS", "ordinal")) cat(p, as.character(packageVersion(p)), " ")
cat("\n")
set.seed(1)
n <- 400
d <- data.frame(g = factor(rep(1:20, 20)), x = rnorm(n), e = exp(rnorm(n)))
d$k <- rpois(n, d$e * exp(0.3 * d$x + rnorm(20, 0, 0.4)[d$g]))
d$grade <- cut(d$x + 2 * log(d$e) + rlogis(n), c(-Inf, -2, 0, 2, Inf), labels = 1:4, ordered_result = TRUE)
rows <- 1:3
told <- function(name, fitted, new) {
  cat(sprintf("%-22s fitted %s   as new rows %s\n", name, paste(sprintf("%.3f", fitted), collapse = " "),
              paste(sprintf("%.3f", new), collapse = " ")))
  max(abs(fitted - new))
}
m <- glm(k ~ x, poisson, d, offset = log(e))
glm_gap <- told("glm, argument", fitted(m)[rows], predict(m, d[rows, ], type = "response"))
m <- glmmTMB(k ~ x + (1 | g), d, family = poisson, offset = log(e))
tmb <- told("glmmTMB, argument", fitted(m)[rows], predict(m, d[rows, ], type = "response"))
m <- glmer(k ~ x + (1 | g), d, poisson, offset = log(e))
argument <- told("glmer, argument", fitted(m)[rows], predict(m, d[rows, ], type = "response"))
m <- glmer(k ~ x + offset(log(e)) + (1 | g), d, poisson)
term <- told("glmer, term", fitted(m)[rows], predict(m, d[rows, ], type = "response"))
m <- clm(grade ~ x + offset(2 * log(e)), data = d)
p <- predict(m, d[rows, c("x", "e")])$fit
clm_gap <- told("clm, term", fitted(m)[rows], p[cbind(rows, as.integer(d$grade[rows]))])
m <- polr(grade ~ x + offset(2 * log(e)), d)
polr_gap <- told("polr, term, class 1", fitted(m)[rows, 1], predict(m, d[rows, ], type = "probs")[, 1])
if (max(glm_gap, tmb, term, clm_gap) > 1e-6) stop("CHANGED: glm, glmmTMB, clm or the term of glmer differ")
if (argument < 0.1 || polr_gap < 0.1) stop("CHANGED: glmer or polr know the offset of new rows")
cat("as stated: glmer(offset =) and polr predict new rows without their offset\n")
R
Rscript "$folder/run.R"
