"""w_i = w0 + Δw_i, where each coefficient may have a common part, a deviation, or both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from polytask.structures.base import Blocks

__all__ = ["CommonDeviation"]


@dataclass(frozen=True, eq=False)
class CommonDeviation:
    """Theta_i = w0 + Δw_i, with w0 zero outside ``common`` and Δw_i zero outside ``deviation``.

    Single-task learning has deviations only, pooling a common part only, the task-intercept model
    common slopes with a deviation of the intercept, the mean-regularized model both everywhere.

    Parameters
    ----------
    common, deviation : bool ndarray of shape (p,)
        Which coefficients have the part. The last one is the intercept where there is one.

    Notes
    -----
    Blocks: ``common`` of shape (sum(common),), ``deviation`` of shape (m, sum(deviation)).
    """

    linear: ClassVar[bool] = True
    common: np.ndarray
    deviation: np.ndarray

    def shapes(self, n_tasks: int) -> dict[str, tuple[int, ...]]:
        """Name and shape of every block."""
        return {
            "common": (int(self.common.sum()),),
            "deviation": (n_tasks, int(self.deviation.sum())),
        }

    def assemble(self, blocks: Blocks) -> np.ndarray:
        """Theta (m, p) of the blocks."""
        if self.common.all() and self.deviation.all():
            theta: np.ndarray = blocks["common"] + blocks["deviation"]
            return theta
        theta = np.zeros((len(blocks["deviation"]), len(self.common)))
        theta[:, self.common] = blocks["common"]
        theta[:, self.deviation] += blocks["deviation"]
        return theta

    def at_level(self, blocks: Blocks, level: float) -> Blocks:
        """The blocks with the intercept of all tasks set to ``level``."""
        held = "common" if self.common[-1] else "deviation"
        found = blocks[held].copy()
        if self.common[-1] or self.deviation[-1]:
            found[..., -1] = level
        return {**blocks, held: found}

    def repeated(self, q: int) -> CommonDeviation:
        """The same for each of q parts of the coefficients."""
        return CommonDeviation(np.tile(self.common, q), np.tile(self.deviation, q))

    def adjoint(self, G: np.ndarray, blocks: Blocks) -> Blocks:
        """Gradient in each block, from the gradient G (m, p) in Theta."""
        both = self.common.all() and self.deviation.all()
        own = G if both else G[:, self.deviation]
        return {"common": G.sum(axis=0)[self.common], "deviation": own}
