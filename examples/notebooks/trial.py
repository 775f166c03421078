# %% [markdown]
# # A trial in many centres
#
# Patients in 15 hospitals got a treatment or a placebo; the outcome is yes or no. Does the effect
# differ between centres? The variances between centres are estimated, with standard errors.

# %%
import numpy as np
import pandas as pd
from matplotlib import pyplot as plt

from polytask import MeanRegularizedClassifier

rng = np.random.default_rng(1)
centre = np.repeat(np.arange(15), rng.integers(20, 80, 15))
n = len(centre)
X = pd.DataFrame({"treated": rng.integers(0, 2, n), "age": rng.normal(size=n), "centre": centre})
effect, level = rng.normal(0.9, 0.4, 15), rng.normal(-0.5, 0.5, 15)
odds = level[centre] + effect[centre] * X["treated"] + 0.3 * X["age"]
y = rng.random(n) < 1 / (1 + np.exp(-odds))

model = MeanRegularizedClassifier("reml", covariance="diagonal", task="centre").fit(X, y)
low, high = model.coef_interval()
print("common log odds ratio:", round(model.common_coef_[0], 2))

# %% [markdown]
# One line a centre: the estimate with its interval, and a cross where the truth is. Small centres
# are pulled to what the others show.

# %%
figure, ax = plt.subplots(figsize=(5, 4.5), layout="constrained")
rows = np.arange(15)
middle = model.coef_[:, 0]
ax.errorbar(middle, rows, xerr=[middle - low[:, 0], high[:, 0] - middle], fmt="o", label="estimate")
ax.plot(effect, rows, "kx", label="truth")
ax.axvline(model.common_coef_[0], color="gray", lw=0.8)
ax.set(xlabel="log odds ratio of the treatment", ylabel="centre")
ax.legend()
figure.savefig("trial.png", dpi=90)
plt.close("all")
covered = float(np.mean((low[:, 0] <= effect) & (effect <= high[:, 0])))
print(f"intervals hold the truth in {covered:.0%} of the centres")
assert covered >= 0.8
