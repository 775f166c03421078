# Rscript mixed.R FOLDER: fits of lme4, lmerTest and glmmTMB to the CSV files of a folder.
# A line a number; a column w holds precisions, a column k counts.
suppressMessages({library(lme4); library(lmerTest); library(glmmTMB)})
folder <- commandArgs(TRUE)[1]
say <- function(name, values) for (i in seq_along(values)) cat(name, i, format(values[i], digits = 10), "\n")
read <- function(name) { d <- read.csv(file.path(folder, paste0(name, ".csv"))); d$g <- factor(d$g); d }
control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 1e-2, rhoend = 1e-9, maxfun = 1e5),
                       check.conv.singular = "ignore")

lmm <- function(name, formula, data) {
  m <- lmerTest::lmer(as.formula(formula), data, control = control, weights = data$w)
  say(paste0(name, ".criterion"), REMLcrit(m))
  say(paste0(name, ".aic"), AIC(m))
  say(paste0(name, ".bic"), BIC(m))
  table <- summary(m)$coefficients
  say(paste0(name, ".common"), table[, "Estimate"])
  say(paste0(name, ".error"), table[, "Std. Error"])
  say(paste0(name, ".df"), table[, "df"])
  say(paste0(name, ".variance"), as.data.frame(VarCorr(m))$vcov[is.na(as.data.frame(VarCorr(m))$var2)])
  m
}

sleep <- read("sleep")
full <- lmm("full", "y ~ x + (x | g)", sleep)
diagonal <- lmm("diagonal", "y ~ x + (x || g)", sleep)
drops <- ranova(diagonal)  # a row per dropped term, the level first
say("drops.chi2", drops$LRT[-1])
level <- lmm("level", "y ~ x + (1 | g)", sleep)
weighted <- lmm("weighted", "y ~ x + (x || g)", read("weighted"))
singular <- lmm("singular", "y ~ 1 + (1 | g)", read("dyestuff2"))

counted <- glmmTMB(y ~ x + (1 | g) + (0 + x | g), sleep, weights = k, REML = TRUE)
say("counted.common", fixef(counted)$cond)
say("counted.noise", sigma(counted)^2)
say("counted.variance", unlist(VarCorr(counted)$cond))
