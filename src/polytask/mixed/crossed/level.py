"""One coefficient that deviates between the levels of one grouping: no matrix of deviations.

With z the rows' coordinate, b = s u, and by level B = sum z²v, C = sum z v T, A = 1 + s²B, the
quadratic model of `polytask.mixed.crossed.laplace` is lowest where, with q = B b - sum z slope,

    S dw = -(T'slope + C'(s²q / A - b)),   u = s (q - C dw) / A,   S = T'vT - C'(s² / A) C.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from polytask.algebra.linalg import psd_inverse_and_log_det
from polytask.mixed.crossed.laplace import CrossedLaplace, LaplacePoint

__all__ = ["LevelLaplace"]


class LevelLaplace(CrossedLaplace):
    """Rows, a loss and the last mode, of one term with one column."""

    def __init__(self, *how: Any, **more: Any) -> None:
        super().__init__(*how, **more)
        (self.m,), self.code = self.levels, self.rows.terms[0].code
        self.z = self.rows.coordinates[0][:, 0]
        self._zT = self.z[:, None] * self.T
        self._place = (self.code[:, None] * self.T.shape[1] + np.arange(self.T.shape[1])).ravel()

    def point(self, *at: Any) -> LaplacePoint:
        """The point with w0 held where it is given."""
        return _LevelPoint(self, *at)

    def by_level(self, values: np.ndarray) -> np.ndarray:
        """Z'values, (m,)."""
        return np.bincount(self.code, self.z * values, self.m)

    def with_common(self, v: np.ndarray) -> np.ndarray:
        """Z'vT, (m, p)."""
        p = self.T.shape[1]
        entries = (v[:, None] * self._zT).ravel()
        return np.bincount(self._place, entries, self.m * p).reshape(self.m, p)


@dataclass(eq=False)
class _Quadratic:
    """Of the rows at weights v and slopes, about w0 and b."""

    whole: LevelLaplace
    v: np.ndarray
    slope: np.ndarray
    common: np.ndarray
    b: np.ndarray

    @cached_property
    def B(self) -> np.ndarray:
        return self.whole.by_level(self.whole.z * self.v)

    @cached_property
    def C(self) -> np.ndarray:
        return self.whole.with_common(self.v)

    @cached_property
    def gram(self) -> np.ndarray:
        T = self.whole.T
        return np.asarray((self.v[:, None] * T).T @ T)

    def inner(self, shrunk: np.ndarray) -> np.ndarray:
        """S, of s² / A."""
        return self.gram - self.C.T @ (shrunk[:, None] * self.C)

    def lowest(self, s: float, held: np.ndarray | None) -> Any:
        """W0 and u there."""
        q = self.B * self.b - self.whole.by_level(self.slope)
        shrunk = s / (1.0 + s**2 * self.B)
        if held is None:
            pull = self.whole.T.T @ self.slope + self.C.T @ (s * shrunk * q - self.b)
            move = -psd_inverse_and_log_det(self.inner(s * shrunk))[0] @ pull
        else:
            move = held - self.common
        if move.any():
            q = q - self.C @ move
        return self.common + move, [(shrunk * q)[:, None]]


class _LevelPoint(LaplacePoint):
    """The same as its base says, by sums over levels."""

    laplace: LevelLaplace

    @property
    def _s(self) -> float:
        return float(self.roots[0][0, 0])

    def _target(self, place: Any, slope: np.ndarray) -> Any:
        common, (u,) = place
        v = self.laplace.curvature(self.loss, self.f)
        here = _Quadratic(self.laplace, v, slope, common, self._s * u[:, 0])
        return here.lowest(self._s, self.held)

    def _from(self, last: Any) -> Any:
        return last.quadratic.lowest(self._s, self.held)

    @cached_property
    def quadratic(self) -> _Quadratic:
        """The quadratic model at the mode."""
        b = self.deviations[0][:, 0]
        return _Quadratic(self.laplace, self._v, self._slopes, self.common, b)

    @cached_property
    def _kept(self) -> np.ndarray:
        """1 / A, of every level."""
        return np.asarray(1.0 / (1.0 + self._s**2 * self.quadratic.B))

    @cached_property
    def log_det(self) -> float:
        """Logarithms of the determinants."""
        own = -float(np.log(self._kept).sum())
        return own + self._of_common[1] if self.laplace.restricted else own

    @cached_property
    def inner_common(self) -> np.ndarray:
        """Curvature in w0, the deviations profiled out."""
        return self.quadratic.inner(self._s**2 * self._kept)

    @cached_property
    def _of_common(self) -> tuple[np.ndarray, float]:
        return psd_inverse_and_log_det(self.inner_common)

    @property
    def common_covariance(self) -> np.ndarray:
        """Of w0's estimate, the root taken as known."""
        return self._of_common[0]

    def by_level(self, values: np.ndarray) -> list[np.ndarray]:
        """Z'values."""
        return [self.laplace.by_level(values)[:, None]]

    def _back(self, by_level: np.ndarray) -> np.ndarray:
        """Z Gamma A^-1 of sums (m,) or (m, c)."""
        kept = self._s**2 * (self._kept * by_level.T).T
        return np.asarray((self.laplace.z * kept[self.laplace.code].T).T)

    @cached_property
    def _leverage(self) -> np.ndarray:
        whole = self.laplace
        own = self._back(np.ones(whole.m)) * whole.z
        if not whole.restricted:
            return own
        left = whole.T - self._back(self.quadratic.C)
        return np.asarray(own + ((left @ self.common_covariance) * left).sum(axis=1))

    def _taken(self, c: np.ndarray) -> np.ndarray:
        whole, sums = self.laplace, self.laplace.by_level(c)
        if not whole.restricted:
            return self._back(sums)
        C = self.quadratic.C
        left = whole.T.T @ c - C.T @ (self._s**2 * self._kept * sums)
        along = self.common_covariance @ left
        return np.asarray(whole.T @ along + self._back(sums - C @ along))

    @property
    def log_det_gradients(self) -> list[np.ndarray]:
        """Gradient of the log determinants in Gamma, the curvature of the rows held."""
        found = float(self._kept @ self.quadratic.B)
        if self.laplace.restricted:
            D = self._kept[:, None] * self.quadratic.C
            found -= float(np.vdot(D @ self.common_covariance, D))
        return [np.array([[found]])]

    def information(self, slopes: Sequence[tuple[int, np.ndarray]]) -> np.ndarray:
        """That of the normal model with this mode and curvature."""
        x = self.pulls[0][:, 0] * self._kept
        X = x @ self.quadratic.C
        one = float(x @ (self.pulls[0][:, 0] * self.quadratic.B)) - X @ self.common_covariance @ X
        along = np.array([float(slope[0, 0]) for _, slope in slopes])
        return np.asarray(one * np.outer(along, along))
