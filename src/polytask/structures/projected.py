"""W = P (w0 1' + ΔW): a common part and deviations in the space of P's columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from polytask.structures.base import Blocks

__all__ = ["Projected"]


@dataclass(frozen=True, eq=False)
class Projected:
    """Theta_i = (P (w0 + Δw_i), b0 + Δb_i), P (d, k) with orthonormal columns.

    Parameters
    ----------
    n_features, n_components : int
        d and k.
    intercept : bool

    Notes
    -----
    Blocks: ``projection`` (d, k), ``common`` (k + 1,) and ``deviation`` (m, k + 1), where the last
    entry belongs to the intercept (absent without one).
    """

    projects: ClassVar[bool] = True
    n_features: int
    n_components: int
    intercept: bool

    def shapes(self, n_tasks: int) -> dict[str, tuple[int, ...]]:
        """Name and shape of every block."""
        heads = self.n_components + int(self.intercept)
        return {
            "projection": (self.n_features, self.n_components),
            "common": (heads,),
            "deviation": (n_tasks, heads),
        }

    def assemble(self, blocks: Blocks) -> np.ndarray:
        """Theta (m, p) of the blocks."""
        k = self.n_components
        heads = blocks["common"] + blocks["deviation"]
        return np.hstack([heads[:, :k] @ blocks["projection"].T, heads[:, k:]])

    def at_level(self, blocks: Blocks, level: float) -> Blocks:
        """The blocks with the intercept of all tasks set to ``level``."""
        return {**blocks, "common": np.append(blocks["common"][:-1], level)}

    def adjoint(self, G: np.ndarray, blocks: Blocks) -> Blocks:
        """Gradient in each block, from the gradient G (m, p) in Theta."""
        d, k = self.n_features, self.n_components
        heads = blocks["common"] + blocks["deviation"]
        own = np.hstack([G[:, :d] @ blocks["projection"], G[:, d:]])
        return {
            "projection": G[:, :d].T @ heads[:, :k],
            "common": own.sum(axis=0),
            "deviation": own,
        }
