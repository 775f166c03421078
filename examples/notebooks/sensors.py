# %% [markdown]
# # Sensors over time
#
# A sensor's calibration drifts from month to month. Each month is a task, and its neighbours are
# the months before and after. The graph says so.

# %%
import numpy as np
import pandas as pd
from matplotlib import pyplot as plt

from polytask import GraphRegularizedRegressor, SingleTaskRegressor

rng = np.random.default_rng(0)
month = np.repeat(np.arange(36), 10)
drift = 1 + np.cumsum(rng.normal(scale=0.15, size=36))
X = pd.DataFrame({"signal": rng.normal(size=360), "month": month})
y = drift[month] * X["signal"] + rng.normal(size=360)

chain = {(i, i + 1): 1.0 for i in range(35)}
models = {
    "each month alone": SingleTaskRegressor(task="month").fit(X, y),
    "neighbours": GraphRegularizedRegressor(graph=chain, task="month").fit(X, y),
}
off = {name: float(np.abs(m.coef_[:, 0] - drift).mean()) for name, m in models.items()}
print(pd.Series(off).round(3))

# %%
figure, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
ax.plot(drift, color="black", label="truth")
for name, model in models.items():
    ax.plot(model.coef_[:, 0], "o-", ms=3, lw=0.8, label=name)
ax.set(xlabel="month", ylabel="slope of the sensor")
ax.legend()
figure.savefig("sensors.png", dpi=90)
plt.close("all")
assert off["neighbours"] < off["each month alone"]
