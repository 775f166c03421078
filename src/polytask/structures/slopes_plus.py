"""W = what a norm sees + a part that it does not: intercepts, and a common w0 where it is split."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polytask.structures.base import Blocks
from polytask.structures.common_deviation import CommonDeviation

__all__ = ["SlopesPlus"]


@dataclass(frozen=True, eq=False)
class SlopesPlus:
    """Theta_i = (l_i, 0) + w0 + Δw_i, where l_i, of length d, is the sum of one or more parts.

    Parameters
    ----------
    rest : CommonDeviation
        What is added to L: intercepts b0 + Δb_i, and w0 on the slopes for the split form.
    n_features : int
        d.
    parts : tuple of str
        Names of the parts of L, each with a penalty of its own.

    Notes
    -----
    Blocks: each part (m, d), and ``common`` and ``deviation`` of ``rest``.
    """

    rest: CommonDeviation
    n_features: int
    parts: tuple[str, ...] = ("low_rank",)

    def shapes(self, n_tasks: int) -> dict[str, tuple[int, ...]]:
        """Name and shape of every block."""
        return dict.fromkeys(self.parts, (n_tasks, self.n_features)) | self.rest.shapes(n_tasks)

    def assemble(self, blocks: Blocks) -> np.ndarray:
        """Theta (m, p) of the blocks."""
        theta = self.rest.assemble(blocks)
        for part in self.parts:
            theta[:, : self.n_features] += blocks[part]
        return theta

    def at_level(self, blocks: Blocks, level: float) -> Blocks:
        """The blocks with the intercept of all tasks set to ``level``."""
        return self.rest.at_level(blocks, level)

    def adjoint(self, G: np.ndarray, blocks: Blocks) -> Blocks:
        """Gradient in each block, from the gradient G (m, p) in Theta."""
        slopes = G[:, : self.n_features]
        return dict.fromkeys(self.parts, slopes) | self.rest.adjoint(G, blocks)
