# Rscript splines.R TABLE LAMBDA KNOT,...: mgcv's gam of y on x, a cubic regression spline whose
# penalty is LAMBDA times the integral of its squared second derivative.
# A line a number, the fit at the rows; then mgcv's version.
suppressMessages(library(mgcv))
a <- commandArgs(TRUE)
d <- read.csv(a[1])
at <- list(x = as.numeric(strsplit(a[3], ",")[[1]]))
scaled <- smoothCon(s(x, bs = "cr", k = length(at$x)), d, knots = at, scale.penalty = TRUE)[[1]]
m <- gam(y ~ s(x, bs = "cr", k = length(at$x)), data = d, knots = at,
         sp = as.numeric(a[2]) * scaled$S.scale)
for (f in fitted(m)) cat(format(f, digits = 12), "\n")
cat("#", format(packageVersion("mgcv")), "\n")
