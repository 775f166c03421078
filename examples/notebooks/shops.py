# %% [markdown]
# # Shops with promotions: counts
#
# Each shop is a task. What a promotion does to the number of sales differs by shop. Sales are
# counts, so the loss is Poisson's, and coefficients are effects on the logarithm.

# %%
import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from sklearn.metrics import mean_poisson_deviance

from polytask import MeanRegularizedRegressor, PooledRegressor, SingleTaskRegressor

rng = np.random.default_rng(3)
shop = np.repeat(np.arange(30), 24)
X = pd.DataFrame(
    {"promotion": rng.integers(0, 2, 720), "price": rng.normal(size=720), "shop": shop}
)
effect = rng.normal(0.5, 0.25, 30)
level = rng.normal(1.0, 0.5, 30)
y = rng.poisson(np.exp(level[shop] + effect[shop] * X["promotion"] - 0.3 * X["price"]))
train = np.tile(np.arange(24) < 12, 30)

models = {
    "each shop alone": SingleTaskRegressor(loss="poisson", task="shop"),
    "one model": PooledRegressor(loss="poisson", task="shop"),
    "together": MeanRegularizedRegressor(loss="poisson", task="shop"),
}
deviance = {
    name: mean_poisson_deviance(y[~train], model.fit(X[train], y[train]).predict(X[~train]))
    for name, model in models.items()
}
print(pd.Series(deviance).round(3))

# %% [markdown]
# Estimates of the promotion's effect, against the truth. Alone they scatter; together they do not.

# %%
figure, ax = plt.subplots(figsize=(4.5, 4.5), layout="constrained")
for name, mark in (("each shop alone", "x"), ("together", "o")):
    ax.plot(np.exp(effect), np.exp(models[name].coef_[:, 0]), mark, label=name)
ax.axline((1, 1), slope=1, color="gray", lw=0.8)
ax.set(xlabel="true factor on sales", ylabel="estimated factor", title="What a promotion does")
ax.legend()
figure.savefig("shops.png", dpi=90)
plt.close("all")
assert deviance["together"] == min(deviance.values())
