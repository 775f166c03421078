#!/usr/bin/env bash
# statsmodels 0.15.0: GLM.fit_regularized divides the likelihood by the number of rows, whatever freq_weights say.
#
# A GLM with frequency weights has the coefficients, errors, likelihood, AIC and degrees of freedom of the repeated rows. Its
# penalised fit has not: with weights of 3 on average the penalty counts a third, as alpha/3 on the repeated rows, and
# columns that are 0 there stay in. One table before and after counting equal rows gives two models.
#
# Expected before it was run: the fit of the repeated rows, here too.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    statsmodels==0.15.0 numpy==2.4.6 scipy==1.17.1 pandas==3.1.1
"$folder/venv/bin/python" - <<'PY'
import numpy as np
import statsmodels.api as sm

rng = np.random.default_rng(0)
n = 60
x = np.column_stack([np.ones(n), rng.normal(size=(n, 2))])
y = rng.poisson(np.exp(0.3 * x[:, 1] + 0.1 * x[:, 2]))
times = np.tile([1, 2, 6], n // 3)
rows = np.repeat(np.arange(n), times)
poisson = sm.families.Poisson()
weighted = sm.GLM(y, x, family=poisson, freq_weights=times)
repeated = sm.GLM(y[rows], x[rows], family=poisson)

a, b = weighted.fit(), repeated.fit()
same = max(abs(a.params - b.params).max(), abs(a.bse - b.bse).max(), abs(a.aic - b.aic), abs(a.df_resid - b.df_resid))
print(f"not penalised: largest difference in coefficients, errors, AIC, degrees of freedom {same:.1e}")
alpha = np.array([0.0, 0.15, 0.15])
fits = {"frequency weights": weighted.fit_regularized(alpha=alpha).params,
        "repeated rows": repeated.fit_regularized(alpha=alpha).params,
        "repeated rows, a third of alpha": repeated.fit_regularized(alpha=alpha * n / len(rows)).params}
for name, params in fits.items():
    print(f"{name:32}", params.round(4))
one, two, third = fits.values()
if same > 1e-6:
    raise SystemExit("CHANGED: not penalised, frequency weights are not repeated rows")
if np.abs(one - two).max() < 0.01:
    raise SystemExit("CHANGED: penalised, frequency weights are repeated rows")
if np.abs(one - third).max() > 1e-3:
    raise SystemExit("CHANGED: the penalty is not divided by the mean weight")
print("as stated: the penalty knows the rows, not their weights")
PY
