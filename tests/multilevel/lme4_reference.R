# What lme4 says of its own examples, those of nlme, mlmRev and MASS: data as CSV, results as JSON.
#   Rscript lme4_reference.R FOLDER [slow]
suppressMessages({library(lme4); library(nlme); library(mlmRev); library(MASS)})
args <- commandArgs(trailingOnly = TRUE)
folder <- args[1]; slow <- length(args) > 1
number <- function(x) formatC(x, digits = 12, format = "g")
said <- character(0)
one <- function(name, data, model) {
  write.csv(data, file.path(folder, paste0(name, ".csv")), row.names = FALSE)
  v <- as.data.frame(VarCorr(model))
  v <- v[is.na(v$var2) & v$grp != "Residual", ]
  crit <- if (isREML(model)) REMLcrit(model) else as.numeric(-2 * logLik(model))
  pairs <- paste0('"', v$grp, " ", v$var1, '": ', number(v$vcov), collapse = ", ")
  noise <- if (is(model, "lmerMod")) paste0(', "noise": ', number(sigma(model)^2)) else ""
  said <<- c(said, paste0('"', name, '": {"criterion": ', number(crit), noise, ', "variances": {', pairs, "}}"))
}
lin <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 1e-2, rhoend = 1e-10, maxfun = 50000))
one("Penicillin", Penicillin, lmer(diameter ~ 1 + (1 | plate) + (1 | sample), Penicillin, control = lin))
one("Pastes", Pastes, lmer(strength ~ 1 + (1 | batch/cask), Pastes, control = lin))
one("Oats", MASS::oats, lmer(Y ~ N + (1 | B/V), MASS::oats, control = lin))
one("Machines", as.data.frame(nlme::Machines),
    lmer(score ~ Machine + (1 | Worker/Machine), nlme::Machines, control = lin))
one("Pixel", as.data.frame(nlme::Pixel),
    lmer(pixel ~ day + I(day^2) + (day | Dog) + (1 | Dog:Side), nlme::Pixel, control = lin))
one("Wafer", as.data.frame(nlme::Wafer),
    lmer(current ~ voltage + I(voltage^2) + (voltage + I(voltage^2) || Wafer) +
           (voltage + I(voltage^2) || Wafer:Site), nlme::Wafer, control = lin))
one("ScotsSec", ScotsSec, lmer(attain ~ verbal + sex + (1 | primary) + (1 | second), ScotsSec, control = lin))
if (slow) {
  star <- mlmRev::star[!is.na(mlmRev::star$math), ]
  one("star", star, lmer(math ~ gr + cltype + (1 | id) + (1 | tch) + (1 | sch), star, control = lin,
                         contrasts = list(gr = "contr.treatment")))
  one("InstEval", InstEval, lmer(y ~ 1 + (1 | s) + (1 | d), InstEval, control = lin))
  gen <- glmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 1e-2, rhoend = 1e-9, maxfun = 50000),
                      tolPwrss = 1e-13)
  one("VerbAgg", VerbAgg, glmer(r2 ~ Anger + Gender + btype + situ + (1 | id) + (1 | item), VerbAgg,
                                family = binomial, control = gen))
}
versions <- paste(R.version.string, "lme4", packageVersion("lme4"), "nlme", packageVersion("nlme"),
                  "mlmRev", packageVersion("mlmRev"))
writeLines(c("{", paste0('"versions": "', versions, '",'), paste(said, collapse = ",\n"), "}"),
           file.path(folder, "lme4.json"))
