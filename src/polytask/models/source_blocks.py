"""Rows that lack whole sources of features: each pattern of sources is a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted

from polytask.data.frames import is_frame
from polytask.models.estimator import Estimator

__all__ = ["SourceBlocks"]


class SourceBlocks(TransformerMixin, Estimator, own_text=True):
    """A task column that says which sources of features a row has, before any formulation.

    Rows with the same sources form a task. What they lack becomes zero there, where its coefficient
    can do nothing and a norm makes it zero. With `JointFeaturesRegressor` after it this is
    incomplete multi-source learning (iMSF): R + alpha sum over the features of each source of the
    length of their coefficients in the tasks that have the source, so that tasks choose together
    which features of a source matter.

    Parameters
    ----------
    sources : dict {name: list of columns}
        Names of columns of X; a column that is in none is in every row.
    task : str, default="sources"
        Name of the column that is added: names of the row's sources, joined by "+".

    Attributes
    ----------
    blocks_ : list of str
        Patterns of sources that rows of the fit had: the tasks.

    Notes
    -----
    A new row is given to the block of the fit that has most of its columns and none that it lacks;
    the columns that the block does not know become zero.

    References
    ----------
    Yuan, Wang, Thompson, Narayan and Ye, Multi-source learning for joint analysis of incomplete
    multi-modality neuroimaging data, KDD 2012.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from sklearn.pipeline import make_pipeline
    >>> from polytask import JointFeaturesRegressor, SourceBlocks
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame(rng.normal(size=(90, 4)), columns=["a", "b", "c", "d"])
    >>> y = X["a"] + X["c"] + 0.1 * rng.normal(size=90)
    >>> X.loc[:29, ["c", "d"]] = np.nan
    >>> X.loc[60:, ["a", "b"]] = np.nan
    >>> blocks = SourceBlocks({"scan": ["a", "b"], "blood": ["c", "d"]})
    >>> model = make_pipeline(blocks, JointFeaturesRegressor(0.1, task="sources")).fit(X, y)
    >>> model[-1].tasks_.tolist(), model[-1].support_.tolist()
    (['blood', 'scan', 'scan+blood'], [True, False, True, False])
    """

    def __init__(self, sources: Mapping[str, Sequence[Any]], *, task: str = "sources") -> None:
        self.sources = sources
        self.task = task

    def fit(self, X: Any, y: Any = None) -> SourceBlocks:
        """Take note of the patterns of sources in the rows of X."""
        frame = self._frame(X)
        self.feature_names_in_ = np.array(frame.columns, dtype=object)
        self.n_features_in_ = frame.shape[1]
        self._has = np.unique(self._present(frame), axis=0)
        order = np.argsort(self._named(self._has), kind="stable")
        self._has = self._has[order]
        self.blocks_ = self._named(self._has)
        return self

    def transform(self, X: Any) -> pd.DataFrame:
        """X with zeros for what rows lack and the column that says which block a row is in.

        Raises
        ------
        ValueError
            If a row lacks a part of a source, or has no block's sources.
        """
        check_is_fitted(self)
        frame = self._frame(X)
        present = self._present(frame)
        names = list(self.sources)
        size = np.array([len(self.sources[name]) for name in names])
        has = self._has
        fits = ~(has[None] & ~present[:, None]).any(axis=2)  # a block asks for nothing more
        if not fits.any(axis=1).all():
            row = int(np.flatnonzero(~fits.any(axis=1))[0])
            raise ValueError(
                f"SourceBlocks: rows must have all sources of a block of the fit "
                f"({', '.join(self.blocks_)}); row {row} (counted from 0) has "
                f"{self._named(present[row : row + 1])[0] or 'none'}. Leave it out, or fit to rows "
                "with those sources alone."
            )
        block = np.where(fits, (has * size).sum(axis=1), -1).argmax(axis=1)
        found = frame.copy()
        for k, name in enumerate(names):
            found.loc[~has[block, k], list(self.sources[name])] = 0.0
        return found.assign(**{self.task: np.array(self.blocks_)[block]})

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Columns of what `transform` returns."""
        check_is_fitted(self)
        return np.append(self.feature_names_in_, self.task)

    def _named(self, present: np.ndarray) -> list[str]:
        names = np.array(list(self.sources))
        return ["+".join(names[row]) for row in present]

    def _present(self, frame: pd.DataFrame) -> np.ndarray:
        """Which sources each row has, shape (n, number of sources)."""
        found = []
        for name, columns in self.sources.items():
            known = frame[list(columns)].notna().to_numpy()
            partly = known.any(axis=1) & ~known.all(axis=1)
            if partly.any():
                row = int(np.flatnonzero(partly)[0])
                lacks = list(columns)[int(np.flatnonzero(~known[row])[0])]
                raise ValueError(
                    f"SourceBlocks: rows must have a source whole or not at all; row {row} "
                    f"(counted from 0) has a part of {name!r} and no {lacks!r}. Fill such gaps "
                    "(SimpleImputer), or make the column a source of its own."
                )
            found.append(known.all(axis=1))
        return np.column_stack(found)

    def _frame(self, X: Any) -> pd.DataFrame:
        if not is_frame(X):
            raise TypeError("SourceBlocks: X must be a table with named columns; got an array.")
        frame = X if isinstance(X, pd.DataFrame) else X.to_pandas()
        if not isinstance(self.sources, Mapping) or not self.sources:
            raise ValueError(
                f"SourceBlocks: sources must be a dict of lists of columns; got {self.sources!r}."
            )
        unknown = [c for columns in self.sources.values() for c in columns if c not in frame]
        if unknown:
            raise ValueError(f"SourceBlocks: sources must be columns of X; got {unknown[0]!r}.")
        return frame.reset_index(drop=True)
