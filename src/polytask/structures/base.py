"""What a structure must answer."""

from __future__ import annotations

from typing import Protocol

import numpy as np

__all__ = ["Blocks", "Structure"]

Blocks = dict[str, np.ndarray]


class Structure(Protocol):
    """How parameter blocks make the coefficients Theta (m, p) of all tasks.

    Theta holds a row w_i per task; its last column is the intercept where there is one.
    """

    def shapes(self, n_tasks: int) -> dict[str, tuple[int, ...]]:
        """Name and shape of every block."""
        ...

    def assemble(self, blocks: Blocks) -> np.ndarray:
        """Theta (m, p) of the blocks."""
        ...

    def at_level(self, blocks: Blocks, level: float) -> Blocks:
        """The blocks with the intercept of all tasks set to ``level``."""
        ...

    def adjoint(self, G: np.ndarray, blocks: Blocks) -> Blocks:
        """Gradient in each block, from the gradient G (m, p) in Theta."""
        ...
