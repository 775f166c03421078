"""Rows that lack sources: the published objective by cvxpy, and who answers new rows."""

import pickle

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

import polytask
from polytask import JointFeaturesClassifier, JointFeaturesRegressor, SourceBlocks
from tests.models.reference import minimum

SOURCES = {"scan": ["a", "b"], "blood": ["c", "d"]}
PATTERNS = {"scan": ["c", "d"], "blood": ["a", "b"], "scan+blood": []}  # what each lacks


def incomplete(seed: int = 0) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """40 rows of each pattern, of which three columns matter."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(120, 5)), columns=[*"abcde"])
    block = np.repeat(list(PATTERNS), 40)
    y = (X["a"] - X["c"] + X["e"] + 0.3 * rng.normal(size=120)).to_numpy()
    for name, lacks in PATTERNS.items():
        X.loc[block == name, lacks] = np.nan
    return X, y, block


@pytest.mark.parametrize("labels", [False, True])
def test_the_published_objective(labels: bool) -> None:
    cp = pytest.importorskip("cvxpy", reason="cvxpy is in the extra `test`")
    X, y, block = incomplete()
    Model = JointFeaturesClassifier if labels else JointFeaturesRegressor
    options = {"task": "sources", "task_weight": "size", "tol": 1e-10, "alpha_intercept": 0.0}
    model = make_pipeline(SourceBlocks(SOURCES), Model(0.05, **options))
    y = (y > 0).astype(float) if labels else y
    model.fit(X, y)
    W = {(name, column): cp.Variable() for name, lacks in PATTERNS.items() for column in X
         if column not in lacks}  # fmt: skip
    value = sum(0.05 * cp.norm(cp.hstack([W[at] for at in W if at[1] == column])) for column in X)
    for name in PATTERNS:
        rows, level = block == name, cp.Variable()
        f = level + sum(X.loc[rows, c].to_numpy() * W[at] for at in W if at[0] == name
                        for c in [at[1]])  # fmt: skip
        loss = cp.square(y[rows] - f) / 2
        if labels:
            loss = cp.logistic(f) - cp.multiply(y[rows], f)
        value += cp.sum(loss) / len(y)
    assert model[-1].objective_ == pytest.approx(minimum(value), rel=1e-6)
    for i, name in enumerate(model[-1].tasks_):
        assert (model[-1].coef_[i, [X.columns.get_loc(c) for c in PATTERNS[name]]] == 0).all()


def test_new_rows_are_answered_by_the_block_that_knows_most_of_them() -> None:
    X, _, block = incomplete()
    some = block != "scan+blood"
    blocks = SourceBlocks({**SOURCES, "more": ["e"]})
    X.loc[:9, "e"] = np.nan
    made = blocks.fit(X[some]).transform(X)
    assert blocks.blocks_ == ["blood+more", "scan", "scan+more"]
    assert made["sources"].tolist() == ["scan"] * 10 + ["scan+more"] * 30 + ["blood+more"] * 80
    assert (made.loc[made["sources"] == "blood+more", ["a", "b"]] == 0).all(axis=None)
    with pytest.raises(ValueError, match=r"all sources of a block of the fit.*row 0.* has none"):
        blocks.transform(pd.DataFrame([[np.nan] * 5], columns=[*"abcde"]))


def test_it_survives_copies_and_files_and_refuses_what_it_cannot_read() -> None:
    X, y, _ = incomplete()
    model = make_pipeline(SourceBlocks(SOURCES), JointFeaturesRegressor(0.05, task="sources"))
    model = clone(model).fit(X, y)
    for back in (
        pickle.loads(pickle.dumps(model)),
        skops.io.loads(skops.io.dumps(model), trusted=polytask.TRUSTED_TYPES),
    ):
        np.testing.assert_array_equal(back.predict(X), model.predict(X))
    assert SourceBlocks(SOURCES).fit(X).get_feature_names_out().tolist() == [*"abcde", "sources"]
    broken = X.copy()
    broken.loc[5, "a"] = np.nan
    with pytest.raises(ValueError, match=r"row 5 .*has a part of 'scan' and no 'a'"):
        SourceBlocks(SOURCES).fit(broken)
    with pytest.raises(ValueError, match="must be columns of X; got 'z'"):
        SourceBlocks({"scan": ["z"]}).fit(X)
    with pytest.raises(ValueError, match="must be a dict of lists"):
        SourceBlocks(["a"]).fit(X)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="table with named columns"):
        SourceBlocks(SOURCES).fit(X.to_numpy())
