"""What a fit asks of whoever holds rows: the empirical risk R at given coefficients."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from polytask.data.design import Design
from polytask.data.row_sums import added

__all__ = ["Oracle", "Pointwise", "RiskAt", "RowsAt"]

_DEAR = 1e5  # products in the Gram matrices of all rows
_TRIES, _CLOSE, _FARTHEST = 3, 0.1, 4.0  # of the size of a step; how often it is looked for


class Pointwise(Protocol):
    """A loss of a target y and a linear predictor f, observation by observation."""

    def __hash__(self) -> int: ...

    @property
    def is_canonical(self) -> bool:
        """Whether it is A(f) - y f, so that sums at one predictor follow from moments."""
        ...

    @property
    def is_quadratic(self) -> bool:
        """Whether it is ½ (y - f)²."""
        ...

    @property
    def has_labels(self) -> bool:
        """Whether y are 0 and 1, so that no term in y alone is beside it."""
        ...

    @property
    def has_kinks(self) -> bool:
        """Whether solvers need the `majorizer`."""
        ...

    def value(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Loss of each observation."""
        ...

    def gradient(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Derivative in f."""
        ...

    def curvature(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Second derivative in f."""
        ...

    def majorizer(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Curvature of a parabola that touches the loss at f and lies above it."""
        ...

    def slopes(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Size of the derivative, for the unit of what a solver leaves."""
        ...

    def start(self, y: np.ndarray, weight: np.ndarray) -> float:
        """The level at which a search begins."""
        ...

    def null_curvature(self, y: np.ndarray, weight: np.ndarray) -> float:
        """Mean second derivative without features."""
        ...


class RiskAt(Protocol):
    """R near Theta (m, p); of its curvature either the rows' or the tasks' Gram matrices."""

    @property
    def total(self) -> float:
        """R."""
        ...

    @property
    def slope(self) -> np.ndarray:
        """Weighted sum of the loss's squared slopes in each task, shape (m,)."""
        ...

    @property
    def level_gradient(self) -> np.ndarray:
        """Gradient of R in each task's last coefficient alone, shape (m,)."""
        ...

    @property
    def gradient(self) -> np.ndarray:
        """Gradient of R, shape (m, p)."""
        ...

    @property
    def curvature(self) -> np.ndarray | None:
        """Second derivative of every row's loss, shape (N,); None where there are no rows."""
        ...

    @property
    def majorizer(self) -> np.ndarray | None:
        """The same of parabolas above every row's loss."""
        ...

    @property
    def gram(self) -> np.ndarray | None:
        """Hessian of R in each task's coefficients, shape (m, p, p); None where rows make it."""
        ...


class Oracle(Protocol):
    """Whoever holds the rows of m tasks: in memory, in files, on a cluster, or as sums only."""

    @property
    def tasks(self) -> np.ndarray:
        """Task ids, shape (m,)."""
        ...

    @property
    def share(self) -> np.ndarray:
        """Weight of each task in R, shape (m,)."""
        ...

    @property
    def counts(self) -> np.ndarray:
        """Rows of each task, by sample weight, shape (m,)."""
        ...

    @property
    def intercept(self) -> bool:
        """Whether the last coefficient is the intercept."""
        ...

    @property
    def center(self) -> np.ndarray | None:
        """What was taken off the features, shape (d,); None where nothing was."""
        ...

    @property
    def n_tasks(self) -> int:
        """Number of tasks m."""
        ...

    @property
    def n_coefs(self) -> int:
        """Coefficients per task, the intercept included."""
        ...

    @property
    def n_features(self) -> int:
        """Number of features d, the intercept not counted."""
        ...

    @property
    def column_norms(self) -> np.ndarray:
        """sqrt(sum_k omega_k x_k²) of each column in each task, shape (m, p)."""
        ...

    def level(self, loss: Pointwise) -> float:
        """Intercept of all tasks at which a search begins."""
        ...

    def null_curvature(self, loss: Pointwise) -> float:
        """Mean curvature of the loss without features: the unit of penalty strengths."""
        ...

    def at(self, loss: Pointwise, theta: np.ndarray) -> RiskAt:
        """R at coefficients Theta (m, p)."""
        ...


@dataclass(frozen=True, eq=False)
class RowsAt:
    """R at given coefficients, from rows in memory; nothing is computed before it is asked for.

    Parameters
    ----------
    design : Design
    y, weight : ndarray of shape (N,)
        Targets, and weights omega.
    loss : Pointwise
    f : ndarray of shape (N,)
        Linear predictors.
    """

    design: Design
    y: np.ndarray
    weight: np.ndarray
    loss: Pointwise
    f: np.ndarray
    gram: None = None

    @cached_property
    def total(self) -> float:
        """R."""
        return float(self.weight @ self.loss.value(self.y, self.f))

    @cached_property
    def gradient(self) -> np.ndarray:
        """Gradient of R, shape (m, p)."""
        return self.design.adjoint(self.weight * self.loss.gradient(self.y, self.f))

    @property
    def level_gradient(self) -> np.ndarray:
        """Gradient of R in each task's last coefficient alone, shape (m,)."""
        return added(self.weight * self.loss.gradient(self.y, self.f), self.design.start)

    @property
    def slope(self) -> np.ndarray:
        """Weighted sum of the loss's squared slopes in each task, shape (m,)."""
        square = np.square(self.loss.slopes(self.y, self.f))
        square *= self.weight
        return added(square, self.design.start)

    @cached_property
    def curvature(self) -> np.ndarray:
        """Second derivative of every row's loss, shape (N,)."""
        return self.loss.curvature(self.y, self.f)

    @cached_property
    def majorizer(self) -> np.ndarray:
        """The same of parabolas above every row's loss."""
        return self.loss.majorizer(self.y, self.f)

    @property
    def curvature_is_dear(self) -> bool:
        """Whether Gram matrices cost so much that more looks at the rows, to make fewer, pay."""
        return len(self.y) * self.design.n_columns**2 >= _DEAR

    def least_along(self, theta: np.ndarray, slope: float, bend: float) -> float:
        """The t >= 1 at which R(Theta - t theta) - t slope + ½ t² bend is least, about."""
        g, t = self.design.predict(theta), 1.0
        for _ in range(_TRIES):
            f = self.f - t * g
            falls = float(self.weight @ (g * self.loss.gradient(self.y, f))) + slope - t * bend
            curve = float(self.weight @ (g * g * self.loss.curvature(self.y, f))) + bend
            if not 0 < falls < np.inf or not curve > 0:
                break
            more = min(falls / curve, _FARTHEST - t)
            t += more
            if more < _CLOSE:
                break
        return t
