# %% [markdown]
# # A new shop with a few rows
#
# 40 shops are known. A new one opens. How good is it alone, and how good with what the others
# share? `add_task` learns it without any old row.

# %%
import copy

import numpy as np
from matplotlib import pyplot as plt

from polytask import MeanRegularizedRegressor, SingleTaskRegressor
from polytask.datasets import make_related_tasks

SHOWN = (0, 2, 5, 10, 20, 40)
alone, helped = np.zeros((2, len(SHOWN)))
for seed in range(10):
    X, y, _ = make_related_tasks(41, 6, 80, deviation=0.4, random_state=seed)
    new = (X["task"] == 40).to_numpy()
    known = MeanRegularizedRegressor("reml", task="task", unseen="common").fit(X[~new], y[~new])
    rows, test = np.flatnonzero(new)[:40], np.flatnonzero(new)[40:]
    for k, n in enumerate(SHOWN):
        model = copy.deepcopy(known)
        if n:
            model.add_task(X.iloc[rows[:n]], y[rows[:n]])
        helped[k] += ((model.predict(X.iloc[test]) - y[test]) ** 2).mean() / 10
        if n > 1:
            own = SingleTaskRegressor(task="task").fit(X.iloc[rows[:n]], y[rows[:n]])
            alone[k] += ((own.predict(X.iloc[test]) - y[test]) ** 2).mean() / 10

# %%
figure, ax = plt.subplots(figsize=(5, 3.2), layout="constrained")
ax.plot(SHOWN[1:], alone[1:], "x-", label="alone")
ax.plot(SHOWN, helped, "o-", label="with what the others share")
ax.set(xlabel="rows of the new shop", ylabel="squared error", ylim=(0, None))
ax.legend()
figure.savefig("new_shop.png", dpi=90)
plt.close("all")
assert helped[1] < alone[2]  # two rows with help beat five alone
