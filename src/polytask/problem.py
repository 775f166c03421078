"""A problem: task data, a loss, a structure, and a penalty on each block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from polytask.data import Oracle, RiskAt, TaskData
from polytask.data.kept import kept
from polytask.data.lifted import Lifted
from polytask.data.outputs import RepeatedData, predictors
from polytask.data.strata import StrataData
from polytask.penalties import Penalty
from polytask.responses import Loss
from polytask.structures import Blocks, Structure

__all__ = ["ObjectiveAt", "Problem"]

_FAR = 1e-6  # of the targets about zero, what rounding leaves of those about their mean
_NO_ROOM = 1e-8  # of a penalty's root, a feature that its coefficient can do nothing with
_AT_REST = 1e-4  # least size of a task's gradients or features, in those of the average task


@dataclass(frozen=True, eq=False)
class Problem:
    """min over blocks of R(assemble(blocks)) + sum_b penalty_b(blocks[b]).

    R(Theta) = sum_k omega_k loss(y_k, w_i'x_k): by default the mean over tasks of the mean over
    rows. ``source`` answers what R is at any Theta; it may hold the rows or only pass over them.
    """

    source: Oracle
    loss: Loss
    structure: Structure
    penalties: Mapping[str, Penalty]

    @property
    def data(self) -> TaskData:
        """The rows, for who needs more than R at given coefficients."""
        if isinstance(self.source, Lifted):
            return self.source.base
        if not isinstance(self.source, TaskData):
            raise TypeError("this solver needs the rows in memory; they are passed over here.")
        return self.source

    def lifted(self) -> Problem:
        """The problem of a loss that is no sum over rows of one predictor each, from such a one.

        Each of several predictors has coefficients of its own, with the same structure and
        penalties.
        """
        q = self.loss.n_predictors
        if self.loss.strata:
            return replace(self, source=StrataData(self.data, self.loss.strata))
        if q == 1:
            return self
        structure: Any = self.structure
        penalties: dict[str, Any] = {b: p.repeated(q) for b, p in self.penalties.items()}  # type: ignore[attr-defined]
        return Problem(RepeatedData(self.data, q), self.loss, structure.repeated(q), penalties)

    def at(self, blocks: Blocks) -> ObjectiveAt:
        """The objective at some blocks."""
        theta = self.structure.assemble(blocks)
        return ObjectiveAt(self, blocks, theta, self.source.at(self.loss, theta))

    def zeros(self) -> Blocks:
        """All blocks at zero."""
        shapes = self.structure.shapes(self.source.n_tasks)
        return {name: np.zeros(shape) for name, shape in shapes.items()}

    def start(self) -> Blocks:
        """Where a search begins: no features, and the level of the loss's choice."""
        blocks, level = self.zeros(), self.source.level(self.loss)
        return self.structure.at_level(blocks, level) if level else blocks

    def predict(self, blocks: Blocks) -> np.ndarray:
        """Linear predictor of every observation, shape (N,), or several, (N, q)."""
        return predictors(self.data.design, self.structure.assemble(blocks))

    def objective(self, blocks: Blocks, f: np.ndarray | None = None) -> float:
        """Value of the objective; ``f`` is `predict` of the blocks where it is at hand."""
        f = self.predict(blocks) if f is None else f
        risk = float(self.data.weight @ self.loss.value(self.data.y, f))
        return risk + sum(self.penalties[b].value(B) for b, B in blocks.items())

    def risk_gradient(self, f: np.ndarray) -> np.ndarray:
        """Gradient of R in Theta (m, p), at linear predictors f."""
        return self.data.design.adjoint(self.data.weight * self.loss.gradient(self.data.y, f))

    def residual(
        self, blocks: Blocks, f: np.ndarray | None = None, gradient: np.ndarray | None = None
    ) -> Blocks:
        """Nearest-to-zero element of the subdifferential, block by block.

        ``f`` is `predict` of the blocks and ``gradient`` the risk's there, where they are at hand.
        """
        if gradient is None:
            gradient = self.risk_gradient(self.predict(blocks) if f is None else f)
        G = self.structure.adjoint(gradient, blocks)
        return {b: self.penalties[b].residual(B, G[b]) for b, B in blocks.items()}

    @property
    def gradient_bound(self) -> np.ndarray:
        """Largest |gradient of R in Theta_ik| that the starting loss allows (Cauchy-Schwarz).

        sqrt(sum omega x²) sqrt(sum omega loss'²) in each task, without features: the unit of a
        violation, so that neither the units of features and target nor the number of tasks
        matter. A task whose own targets are at rest, or that has next to nothing of a feature, is
        measured in a small share of what the others have. Kept for as long as the data live.
        """
        return kept(self.source, ("gradient bound", self.loss), self._gradient_bound)

    def _gradient_bound(self) -> np.ndarray:
        norms, size = self.source.column_norms, self._slopes
        elsewhere = np.sqrt(np.einsum("ik,ik->k", norms, norms) / max(self.source.n_tasks, 1))
        bound = np.maximum(norms, _AT_REST * elsewhere) * size[:, None]
        return np.maximum(bound, np.finfo(float).tiny)

    @property
    def _slopes(self) -> np.ndarray:
        """sqrt(sum omega loss'²) of each task without features, shape (m,)."""
        return kept(self.source, ("slopes", self.loss), self._find_slopes)

    def _find_slopes(self) -> np.ndarray:
        source, norms = self.source, self.source.column_norms
        about = self.loss.is_quadratic and source.intercept  # targets far from zero prove nothing
        if self.loss.is_quadratic and isinstance(source, TaskData):
            level, square = source.target_sums
        else:
            begin = source.at(self.loss, self.structure.assemble(self.start()))
            level, square = begin.level_gradient if about else np.zeros(0), begin.slope
        if about:
            size = norms[:, -1] ** 2
            mean = level.sum() / max(size.sum(), 1e-300)
            about_mean = square + mean * (mean * size - 2.0 * level)
            square = np.maximum(about_mean, _FAR**2 * square)
        share = source.share / max(float(source.share.sum()), 1e-300)  # weighed, they sum to others
        return np.sqrt(np.maximum(square, (_AT_REST**2) * share * square.sum()))

    def violation(self, blocks: Blocks, residual: Blocks | None = None) -> float:
        """Scale-free KKT violation: the largest share of `gradient_bound` that is left."""
        residual = self.residual(blocks) if residual is None else residual
        bound = self.gradient_bound
        known = bool(np.isfinite(bound).all())  # else squares of the numbers are none
        scale = self.structure.adjoint(bound, blocks)
        unit = _NO_ROOM * float(np.linalg.norm(self._slopes))
        for b, penalty in self.penalties.items():  # features too small for their penalty
            if hasattr(penalty, "diagonal"):
                held = np.sqrt(penalty.diagonal(blocks[b]))
                scale[b] = np.maximum(np.abs(scale[b]), unit * held)
        shares = [np.abs(R) / np.abs(scale[b]) for b, R in residual.items() if R.size]
        return max((float(share.max()) for share in shares), default=0.0) if known else np.inf


@dataclass(frozen=True, eq=False)
class ObjectiveAt:
    """The objective at some blocks: Theta (m, p), R there, and what follows."""

    problem: Problem
    blocks: Blocks
    theta: np.ndarray
    risk: RiskAt

    @cached_property
    def value(self) -> float:
        """The objective."""
        penalties = self.problem.penalties
        return self.risk.total + sum(penalties[b].value(B) for b, B in self.blocks.items())

    @cached_property
    def residual(self) -> Blocks:
        """Nearest-to-zero element of the subdifferential, block by block."""
        return self.problem.residual(self.blocks, gradient=self.risk.gradient)

    @cached_property
    def violation(self) -> float:
        """See `Problem.violation`."""
        return self.problem.violation(self.blocks, self.residual)
