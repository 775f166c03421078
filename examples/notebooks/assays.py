# %% [markdown]
# # Assays with missing labels
#
# 300 compounds, 20 assays, and most pairs never measured. `Y` has a column per assay and NaN where
# nothing is known. No row is dropped and nothing is filled in.

# %%
import numpy as np
from matplotlib import pyplot as plt

from polytask import LowRankRegressor, SingleTaskRegressor

rng = np.random.default_rng(0)
X = rng.normal(size=(300, 25))
W = rng.normal(size=(20, 2)) @ rng.normal(size=(2, 25)) / np.sqrt(25)  # two hidden directions
truth = X @ W.T
Y = truth + rng.normal(size=truth.shape)
Y[rng.random(Y.shape) < 0.85] = np.nan
print(f"{np.isnan(Y).mean():.0%} of the labels are missing")

new = rng.normal(size=(1000, 25))
error = {
    name: np.sqrt(((model.fit(X, Y).predict(new) - new @ W.T) ** 2).mean(axis=0))
    for name, model in (("alone", SingleTaskRegressor()), ("low-rank", LowRankRegressor()))
}

# %% [markdown]
# Error on new compounds, an assay a pair of bars.

# %%
figure, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
for shift, (name, values) in zip((-0.2, 0.2), error.items(), strict=True):
    ax.bar(np.arange(20) + shift, values, 0.4, label=name)
ax.set(xlabel="assay", ylabel="error on new compounds")
ax.legend()
figure.savefig("assays.png", dpi=90)
plt.close("all")
assert (error["low-rank"] < error["alone"]).mean() > 0.9
