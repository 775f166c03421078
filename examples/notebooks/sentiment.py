# %% [markdown]
# # Sentiment over products
#
# Short reviews of six products. "Light" is praise for a tent and blame for a meal. One model for
# all products misses that; one per product has too few reviews. The words are sparse features.

# %%
import numpy as np
from matplotlib import pyplot as plt
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer

from polytask import MeanRegularizedClassifier, PooledClassifier, SingleTaskClassifier

PRODUCTS = ("tent", "meal", "phone", "book", "shoe", "lamp")
GOOD, BAD = ("great", "love", "perfect", "solid"), ("awful", "broken", "boring", "refund")
OWN = {"light": (1, -1, 1, -1, 1, 1), "thin": (-1, -1, 1, -1, -1, 1), "long": (-1, 1, -1, 1, -1, 1)}
rng = np.random.default_rng(0)


def review(product: int, positive: bool) -> str:
    """Six words: some of the mood, some whose mood depends on the product, some of no mood."""
    mood = rng.choice(GOOD if positive else BAD, size=rng.integers(0, 2))
    fitting = [w for w, signs in OWN.items() if (signs[product] > 0) == positive]
    own = rng.choice(fitting, size=1) if fitting and rng.random() < 0.7 else []
    return " ".join([*mood, *own, *rng.choice(["the", "it", "a", "box", "day"], size=4)])


product = np.repeat(np.arange(6), 120)
positive = rng.random(720) < 0.5
texts = [review(p, bool(good)) for p, good in zip(product, positive, strict=True)]
words = CountVectorizer(token_pattern=r"\w+").fit(texts)
X = sparse.hstack([words.transform(texts), product[:, None]]).tocsr()
train = np.tile(np.arange(120) < 30, 6)
models = {
    "each alone": SingleTaskClassifier(task=-1),
    "one model": PooledClassifier(task=-1),
    "together": MeanRegularizedClassifier(task=-1),
}
right = {n: m.fit(X[train], positive[train]).score(X[~train], positive[~train])
         for n, m in models.items()}  # fmt: skip
print({name: round(value, 3) for name, value in right.items()})

# %% [markdown]
# What "light" means for each product.

# %%
light = list(words.get_feature_names_out()).index("light")
figure, ax = plt.subplots(figsize=(5, 3), layout="constrained")
ax.barh(PRODUCTS, models["together"].coef_[:, light])
ax.axvline(0, color="gray", lw=0.8)
ax.set(xlabel='weight of "light" (right is praise)')
figure.savefig("sentiment.png", dpi=90)
plt.close("all")
assert right["together"] == max(right.values())
