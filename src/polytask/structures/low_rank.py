"""W = L + a part that is not low-rank: intercepts, and a common w0 where it is split off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from polytask.structures.base import Blocks
from polytask.structures.common_deviation import CommonDeviation

__all__ = ["LowRankPlus"]


@dataclass(frozen=True, eq=False)
class LowRankPlus:
    """Theta_i = (l_i, 0) + w0 + Δw_i, where l_i has the slopes' length d.

    Parameters
    ----------
    rest : CommonDeviation
        What is added to L: intercepts b0 + Δb_i, and w0 on the slopes for the split form.
    n_features : int
        d.

    Notes
    -----
    Blocks: ``low_rank`` (m, d), and ``common`` and ``deviation`` of ``rest``.
    """

    low_rank: ClassVar[bool] = True
    rest: CommonDeviation
    n_features: int

    def shapes(self, n_tasks: int) -> dict[str, tuple[int, ...]]:
        """Name and shape of every block."""
        return {"low_rank": (n_tasks, self.n_features), **self.rest.shapes(n_tasks)}

    def assemble(self, blocks: Blocks) -> np.ndarray:
        """Theta (m, p) of the blocks."""
        theta = self.rest.assemble(blocks)
        theta[:, : self.n_features] += blocks["low_rank"]
        return theta

    def adjoint(self, G: np.ndarray, blocks: Blocks) -> Blocks:
        """Gradient in each block, from the gradient G (m, p) in Theta."""
        return {"low_rank": G[:, : self.n_features], **self.rest.adjoint(G, blocks)}
