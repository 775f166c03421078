"""Norms on the tasks' coefficients of each feature, one inside the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np

from polytask.compiled import loops
from polytask.penalties.base import FeatureWise, Penalty, Shrunk
from polytask.penalties.joint import JointFeatures
from polytask.penalties.lasso import Lasso
from polytask.penalties.shrinkage import residual_by_shrinkage
from polytask.penalties.signs import Signs

__all__ = ["Nested", "PerFeature", "sparse_group", "with_signs"]

_STEPS = 200  # of Newton's method; five to ten are enough
_NEAR = 0.9  # where solvers ask, near an optimum, it is about one
_SETTLED = 1e-14  # relative step that is rounding


class PerFeature(Protocol):
    """A seminorm that is a sum over features."""

    def per_feature(self, B: np.ndarray) -> np.ndarray:
        """Its share of each column of B (m, d), shape (d,)."""
        ...

    def shrink(self, B: np.ndarray, step: float) -> Shrunk:
        """Minimizer over L of ½‖L - B‖_F² + step value(L)."""
        ...

    def on_features(self, kept: np.ndarray) -> PerFeature:
        """Its part of some of the features."""
        ...


@dataclass(frozen=True, eq=False)
class Nested(FeatureWise):
    """value(B) = sum_k norm_k(B), for norms whose shrinkages, one after the other, are the sum's.

    That holds for groups of tasks that contain those before them (Jenatton et al. 2011), for the
    lasso inside of joint features, and for differences of tasks inside of both (Zhou et al. 2012).

    Parameters
    ----------
    norms : tuple
        The innermost first; each is a sum over features. One of them at least is a norm.
    """

    norms: tuple[PerFeature, ...]

    @property
    def by_entries(self) -> float | np.ndarray:
        """What single coefficients cost, of norms that all say so."""
        return sum(cast(Any, norm).by_entries for norm in self.norms)

    @property
    def by_features(self) -> float | np.ndarray:
        """What the length of a feature's coefficients costs, of norms that all say so."""
        return sum(cast(Any, norm).by_features for norm in self.norms)

    @property
    def by_changes(self) -> float | np.ndarray:
        """What the difference of neighbours costs, of norms of which the first says so."""
        changes: float | np.ndarray = cast(Any, self.norms[0]).by_changes
        return changes

    @property
    def beside_changes(self) -> Nested:
        """The other norms."""
        return Nested(self.norms[1:])

    def on_features(self, kept: np.ndarray) -> Nested:
        """Each norm of some of the features."""
        return Nested(tuple(norm.on_features(kept) for norm in self.norms))

    def signed(self, signs: Signs) -> Nested:
        """Within the cone: after differences of tasks, before what sees absolute values alone."""
        first = sum(hasattr(norm, "by_changes") for norm in self.norms)
        return Nested((*self.norms[:first], signs, *self.norms[first:]))

    def per_feature(self, B: np.ndarray) -> np.ndarray:
        """Penalty of each column of B (m, d)."""
        return np.asarray(sum(norm.per_feature(B) for norm in self.norms))

    def value(self, B: np.ndarray) -> float:
        """Penalty of B (m, d), a row per task."""
        return float(self.per_feature(B).sum())

    def dual(self, G: np.ndarray) -> float:
        """The smallest step at which `shrink` leaves nothing of -G, where a descent leads.

        The length of what is left is a convex function of the step, with slope -value(P) / ‖P‖ at
        P, so that Newton's method climbs to the zero from below, in each column by itself.
        """
        compiled = loops("measures") if hasattr(self, "by_changes") else None
        if compiled is not None and hasattr(self.beside_changes, "by_entries"):
            return self._compiled_dual(compiled, G)
        step, left = _NEAR, self._shrunk(-G, _NEAR)
        if not left.any():
            step, left = 0.0, self._shrunk(-G, 0.0)
        nested = self
        for _ in range(_STEPS):
            square = np.einsum("mj,mj->j", left, left)
            some = square > 0
            if not some.any():
                break
            G, left, square = G[:, some], left[:, some], square[some]
            nested = nested.on_features(some)
            price = nested.per_feature(left)
            if not price.all():  # a norm of next to nothing, which no step is enough for
                return np.inf
            more = float((square / price).max())
            step += more
            if more <= _SETTLED * step:
                break
            left = nested._shrunk(-G, step)
        return step

    def _compiled_dual(self, compiled: Any, G: np.ndarray) -> float:
        rest, each = self.beside_changes, np.ones(G.shape[1])
        prices = (rest.by_entries, rest.by_features, self.by_changes)
        g = np.ascontiguousarray(G.T)
        return float(compiled.dual_with_changes(g, *(each * price for price in prices)))

    def shrink(self, B: np.ndarray, step: float) -> Shrunk:
        """One after the other."""
        L = self._shrunk(B, step)
        return Shrunk(L, self.value(L))

    def _shrunk(self, B: np.ndarray, step: float) -> np.ndarray:
        for norm in self.norms:
            B = norm.shrink(B, step).matrix
        return B

    def residual(self, B: np.ndarray, G: np.ndarray) -> np.ndarray:
        """Element of G + subdifferential(B) nearest to zero."""
        return residual_by_shrinkage(self, B, G)


def sparse_group(alpha: float, l1_ratio: float) -> Nested:
    """The sum alpha (l1_ratio ‖B‖_1 + (1 - l1_ratio) sum_j ‖b^j‖_2).

    Parameters
    ----------
    alpha : float
    l1_ratio : float
        From 0 to 1.
    """
    parts = (Lasso(alpha * l1_ratio), JointFeatures(alpha * (1.0 - l1_ratio)))
    return Nested(tuple(part for part in parts if part.alpha > 0))


def with_signs(penalty: Penalty | PerFeature, signs: Signs) -> Penalty:
    """The penalty within a cone of signs.

    Parameters
    ----------
    penalty : Penalty
        One with ``signed``, or a norm, a sum over features, that sees absolute values alone.
    signs : Signs
    """
    own = getattr(penalty, "signed", None)
    return cast(Penalty, own(signs)) if own else Nested((signs, cast(PerFeature, penalty)))
