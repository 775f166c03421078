"""w_i = w0 + C u_i: deviations with a covariance, as blocks without one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polytask.data.row_sums import summed
from polytask.structures.base import Blocks

__all__ = ["RotatedDeviation"]


@dataclass(frozen=True, eq=False)
class RotatedDeviation:
    """Theta_i = w0 + C u_i; a ridge on u is the penalty Δw_i' (C C')^-1 Δw_i on Δw_i = C u_i.

    Parameters
    ----------
    C : ndarray of shape (p, k)
        A row of zeros forbids a coefficient to deviate.

    Notes
    -----
    Blocks: ``common`` of shape (p,), ``deviation`` (the u_i) of shape (m, k).
    """

    C: np.ndarray

    def shapes(self, n_tasks: int) -> dict[str, tuple[int, ...]]:
        """Name and shape of every block."""
        return {"common": (len(self.C),), "deviation": (n_tasks, self.C.shape[1])}

    def assemble(self, blocks: Blocks) -> np.ndarray:
        """Theta (m, p) of the blocks."""
        theta: np.ndarray = blocks["common"] + blocks["deviation"] @ self.C.T
        return theta

    def at_level(self, blocks: Blocks, level: float) -> Blocks:
        """The blocks with the intercept of all tasks set to ``level``."""
        return {**blocks, "common": np.append(blocks["common"][:-1], level)}

    def adjoint(self, G: np.ndarray, blocks: Blocks) -> Blocks:
        """Gradient in each block, from the gradient G (m, p) in Theta."""
        return {"common": summed(G), "deviation": G @ self.C}
