"""Norms of absolute values: coefficients may be held to one sign."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from polytask.data import TaskData
from polytask.models._norm_base import NormBase
from polytask.penalties import Penalty, Signs, with_signs

__all__ = ["SignedNorms"]

_WORDS = "monotonic_cst must be None, -1, 0 or 1 for all features, or one of them for each"


class SignedNorms(NormBase):
    """R(sum of parts + intercepts) + a norm on each part, whose coefficients may have a sign.

    Parameters
    ----------
    monotonic_cst : None, int, array of shape (d,) or dict, default=None
        Signs of the coefficients in every task and part: 1 not negative, -1 not positive, 0 either;
        one for all features, one for each, or a dict from names of features (0 for those that are
        not named). What raises the target in truth cannot lower it then.
    """

    def _bounded(self, parts: dict[str, Penalty], data: TaskData) -> dict[str, Penalty]:
        if self.monotonic_cst is None:
            return parts
        signs = Signs(self._signs(data.n_features))
        return {name: with_signs(penalty, signs) for name, penalty in parts.items()}

    def _signs(self, d: int) -> np.ndarray:
        """The sign of each feature, shape (d,)."""
        given, who = self.monotonic_cst, type(self).__name__
        if isinstance(given, Mapping):
            names = [n for n in getattr(self, "feature_names_in_", ()) if n != self.task]
            unknown = [name for name in given if name not in names]
            if unknown:
                raise ValueError(
                    f"{who}: monotonic_cst must name features of X; got {unknown[0]!r}. "
                    f"Their names: {', '.join(map(str, names[:10])) or 'none, X is an array'}."
                )
            given = [given.get(name, 0) for name in names]
        try:
            signs = np.asarray(given, dtype=float)
        except (TypeError, ValueError):
            raise ValueError(f"{who}: {_WORDS}; got {given!r}.") from None
        if signs.shape not in ((), (d,)):
            raise ValueError(
                f"{who}: {_WORDS} of {d} features; got shape {signs.shape}. The task column is "
                "not one of them."
            )
        if not np.isin(signs, (-1, 0, 1)).all():
            wrong = signs.ravel()[~np.isin(signs.ravel(), (-1, 0, 1))][0]
            raise ValueError(f"{who}: {_WORDS}; got {wrong:g}.")
        return np.broadcast_to(signs, (d,))
