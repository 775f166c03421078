"""R of losses that see several linear predictors of a row, such as one for each class."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from polytask.data.design import Design
from polytask.data.lifted import Lifted

__all__ = ["OutputsAt", "RepeatedData", "predictors"]


@dataclass(frozen=True, eq=False)
class RepeatedData(Lifted):
    """The rows of ``base`` for q predictors each, f_jc = x_j'w_ic, w_ic the c-th part of Theta_i.

    It answers as the rows of m tasks with q p coefficients do (`Oracle`); what a row's loss is,
    and its curvature in the q predictors, the loss says.

    Parameters
    ----------
    base : TaskData
    q : int
    """

    q: int

    @property
    def n_coefs(self) -> int:
        """Coefficients per task, those of all parts."""
        return self.q * self.base.n_coefs

    @property
    def n_features(self) -> int:
        """The same without intercepts."""
        return self.q * self.base.n_features

    @cached_property
    def column_norms(self) -> np.ndarray:
        """sqrt(sum_k omega_k x_k²) of each column in each task, for each part, shape (m, q p)."""
        return np.tile(self.base.column_norms, (1, self.q))

    def at(self, loss: Any, theta: np.ndarray) -> OutputsAt:
        """R at coefficients Theta (m, q p)."""
        return OutputsAt(self, loss, predictors(self.base.design, theta))


def predictors(design: Design, theta: np.ndarray) -> np.ndarray:
    """Linear predictors of every observation: (N,), or (N, q) where Theta (m, q p) has q parts."""
    q = theta.shape[1] // design.n_columns
    if q == 1:
        return design.predict(theta)
    parts = theta.reshape(len(theta), q, -1)
    return np.stack([design.predict(parts[:, c]) for c in range(q)], axis=1)


@dataclass(frozen=True, eq=False)
class OutputsAt:
    """R at given coefficients; nothing is computed before it is asked for.

    Parameters
    ----------
    data : RepeatedData
    loss : response of q predictors
    f : ndarray of shape (N, q)
        Linear predictors.
    """

    data: RepeatedData
    loss: Any
    f: np.ndarray
    curvature: None = None
    majorizer: None = None

    @cached_property
    def total(self) -> float:
        """R."""
        return float(self.data.base.weight @ self.loss.value(self.data.base.y, self.f))

    @cached_property
    def _slopes(self) -> np.ndarray:
        return np.asarray(self.loss.gradient(self.data.base.y, self.f))

    @cached_property
    def gradient(self) -> np.ndarray:
        """Gradient of R, shape (m, q p)."""
        base = self.data.base
        weighted = base.weight[:, None] * self._slopes
        return np.concatenate([base.design.adjoint(u) for u in weighted.T.copy()], axis=1)

    @property
    def level_gradient(self) -> np.ndarray:
        """Gradient of R in each task's last coefficient alone, shape (m,)."""
        return self.gradient[:, -1]

    @property
    def slope(self) -> np.ndarray:
        """Weighted sum of the loss's squared slopes in each task, shape (m,)."""
        base = self.data.base
        square = base.weight * (self._slopes**2).sum(axis=1)
        return np.bincount(base.code, square, minlength=base.n_tasks)

    @cached_property
    def gram(self) -> np.ndarray:
        """Hessian of R in each task's coefficients, shape (m, q p, q p).

        The loss's curvature is a sum over directions e_r of v_r e_r e_r', with v_r >= 0 for each
        row; so the Hessian is one of e_r e_r' x Gram matrix at weights v_r.
        """
        base = self.data.base
        v = (base.weight[:, None] * self.loss.curvature(base.y, self.f)).T
        return base.design.grams_of_outputs(self.loss.directions, np.ascontiguousarray(v))
