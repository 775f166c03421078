# Generalized mixed models by Laplace's approximation on data sets of the field, as lme4, glmmTMB and
# ordinal fit them: data as CSV, results as JSON.
#   Rscript laplace_reference.R FOLDER
suppressMessages({library(lme4); library(glmmTMB); library(ordinal); library(MASS)})
folder <- commandArgs(trailingOnly = TRUE)[1]
number <- function(x) paste0("[", paste(formatC(x, digits = 12, format = "g"), collapse = ", "), "]")
said <- character(0)
one <- function(name, data, likelihood, variances, ...) {
  write.csv(data, file.path(folder, paste0(name, ".csv")), row.names = FALSE)
  more <- list(likelihood = as.numeric(likelihood), variances = variances, ...)
  parts <- vapply(names(more), function(k) paste0('"', k, '": ', number(more[[k]])), "")
  said <<- c(said, paste0('"', name, '": {', paste(parts, collapse = ", "), "}"))
}
of_lme4 <- function(name, data, model) {
  v <- as.data.frame(VarCorr(model))
  one(name, data, logLik(model), v$vcov, common = fixef(model))
}
gen <- glmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 1e-2, rhoend = 1e-9, maxfun = 50000),
                    tolPwrss = 1e-13)
of_lme4("cbpp", cbpp, glmer(cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp,
                            family = binomial, control = gen))
ticks <- transform(grouseticks, height = as.numeric(scale(HEIGHT)))
of_lme4("grouseticks", ticks, glmer(TICKS ~ YEAR + height + (1 | BROOD) + (1 | LOCATION), ticks,
                                    family = poisson, control = gen))
fits <- transform(MASS::epil, progabide = as.numeric(trt == "progabide"))
fits <- transform(fits, both = lbase * progabide)
of_lme4("epil", fits, glmer(y ~ lbase + progabide + both + lage + V4 + (1 | subject), fits,
                            family = poisson, control = gen))
nb <- glmmTMB(y ~ lbase + progabide + both + lage + V4 + (1 | subject), fits, family = nbinom2)
one("epil_nb", fits, logLik(nb), VarCorr(nb)$cond$subject[1, 1], common = fixef(nb)$cond,
    theta = sigma(nb))
ticks_nb <- glmmTMB(TICKS ~ YEAR + height + (1 | BROOD) + (1 | LOCATION), ticks, family = nbinom2)
v <- VarCorr(ticks_nb)$cond
one("grouseticks_nb", ticks, logLik(ticks_nb), c(v$BROOD[1, 1], v$LOCATION[1, 1]),
    common = fixef(ticks_nb)$cond, theta = sigma(ticks_nb))
wine <- ordinal::wine
rated <- clmm(rating ~ temp + contact + (1 | judge), wine, control = clmm.control(gradTol = 1e-8))
one("wine", wine, logLik(rated), VarCorr(rated)$judge[1, 1], common = rated$beta,
    thresholds = rated$alpha)
sal <- glmmTMB(count ~ spp + mined + (1 | site), Salamanders, family = nbinom2)
one("salamanders_nb", Salamanders, logLik(sal), VarCorr(sal)$cond$site[1, 1],
    common = fixef(sal)$cond, theta = sigma(sal))
slow <- glmmTMB(Reaction ~ Days + (1 | Subject), sleepstudy, family = Gamma("log"))
one("sleep", sleepstudy, logLik(slow), VarCorr(slow)$cond$Subject[1, 1],
    common = fixef(slow)$cond, shape = 1 / sigma(slow)^2)
words <- transform(VerbAgg, level = as.integer(resp))
said_so <- clmm(resp ~ Anger + Gender + btype + situ + (1 | id), words,
                control = clmm.control(gradTol = 1e-7))
one("verbagg", words, logLik(said_so), VarCorr(said_so)$id[1, 1], common = said_so$beta,
    thresholds = said_so$alpha)
versions <- paste(R.version.string, "lme4", packageVersion("lme4"), "glmmTMB",
                  packageVersion("glmmTMB"), "ordinal", packageVersion("ordinal"))
writeLines(c("{", paste0('"versions": "', versions, '",'), paste(said, collapse = ",\n"), "}"),
           file.path(folder, "laplace.json"))
