"""Formulations with norms give one answer by every door: rows, moments, files, sparse, wide."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

import polytask
from polytask.data.moments import TaskMoments
from tests.models.helpers import long_table
from tests.models.test_norm_family import EVERY, make
from tests.sources.conftest import summing_up

CLOSE = {"rtol": 1e-3, "atol": 2e-4}  # the root of a gap of 1e-10


def tight(stem: str, **options: Any) -> Any:
    return make(stem, alpha_intercept=0.02, tol=1e-10, **options)


@cache
def of_rows(stem: str) -> Any:
    """The fit to the rows of the long table."""
    return tight(stem).fit(*long_table())


def same(one: Any, other: Any) -> None:
    assert other.certificate_ == one.certificate_
    assert_allclose(other.coef_, one.coef_, **CLOSE)
    assert_allclose(other.intercept_, one.intercept_, **CLOSE)


def from_moments(model: Any, Z: np.ndarray, y: np.ndarray, _: Path) -> Any:
    return model.fit_moments(TaskMoments.from_rows(Z, y, task=0))


def from_files(model: Any, Z: np.ndarray, y: np.ndarray, folder: Path) -> Any:
    names = ["task", *(f"x{j}" for j in range(Z.shape[1] - 1))]
    table = pd.DataFrame(Z, columns=names).assign(y=y)
    table[:30].to_parquet(folder / "a.parquet")
    table[30:].to_parquet(folder / "b.parquet")
    with summing_up():
        return model.set_params(task="task").fit_parquet(folder, target="y", client=False)


def from_sparse_rows(model: Any, Z: np.ndarray, y: np.ndarray, _: Path) -> Any:
    return model.fit(sparse.csr_array(Z), y)


def by_weights(model: Any, Z: np.ndarray, y: np.ndarray, _: Path) -> Any:
    """Twice as many rows of half the weight, and rows of weight zero that say nonsense."""
    weight = np.repeat([0.5, 0.5, 0.0], len(y))
    return model.fit(np.tile(Z, (3, 1)), np.concatenate([y, y, 100.0 + y]), weight)


DOORS = [from_moments, from_files, from_sparse_rows, by_weights]


@EVERY
@pytest.mark.parametrize("door", DOORS)
def test_same_answer_by_every_door(stem: str, door: Callable[..., Any], tmp_path: Path) -> None:
    Z, y = long_table()
    same(of_rows(stem), door(tight(stem), Z, y, tmp_path))


@EVERY
def test_wide_labels_with_gaps_are_the_long_table(stem: str) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(25, 4))
    Y = X @ rng.normal(size=(4, 4)) + 0.5 * rng.normal(size=(25, 4))
    Y[rng.random(Y.shape) < 0.2] = np.nan
    row, task = np.nonzero(~np.isnan(Y))
    long = tight(stem).fit(np.column_stack([task, X[row]]), Y[row, task])
    same(long, tight(stem, task=None).fit(X, Y))


def test_sources_of_rows_stand_before_a_wide_choice_of_formulations() -> None:
    """Blocks of sources make a task column, which every formulation takes with weights."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(90, 4)), columns=list("abcd"))
    y = X["a"] + X["c"] + 0.1 * rng.normal(size=90)
    X.loc[:29, ["c", "d"]] = np.nan
    X.loc[60:, ["a", "b"]] = np.nan
    blocks = polytask.SourceBlocks({"scan": ["a", "b"], "blood": ["c", "d"]})
    table = blocks.fit_transform(X)
    plain = polytask.JointFeaturesRegressor(0.1, task="sources", tol=1e-10)
    twice = polytask.JointFeaturesRegressor(0.1, task="sources", tol=1e-10)
    plain.fit(table, y)
    twice.fit(pd.concat([table, table]), pd.concat([y, y]), np.full(180, 0.5))
    same(plain, twice)
    assert (twice.coef_[0, :2] == 0).all()
    assert (twice.coef_[1, 2:] == 0).all()
