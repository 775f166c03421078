"""Starts along a path of strengths: the last optima, continued in the logarithm of alpha."""

from __future__ import annotations

import numpy as np

from polytask.penalties.spectral import nearest, numerical_rank, singular
from polytask.structures import Blocks

__all__ = ["Continuation", "SupportContinuation"]

_FEWEST = 2  # points that a line needs
_POINTS = 4  # of one rank, or one support, at most


class Continuation:
    """Where the optimum of the next strength should be, for a low-rank block and its rest.

    An optimum moves smoothly with log alpha as long as its rank stays, so that a parabola through
    three of them is closer to the next one than the last (a hundred times in gap, measured).
    """

    def __init__(self) -> None:
        self._at: list[float] = []
        self._blocks: list[Blocks] = []
        self._rank, self._same = 0, 0

    def add(self, alpha: float, blocks: Blocks) -> None:
        """Take note of an optimum."""
        self._at = [*self._at, np.log(alpha)][-_POINTS:]
        self._blocks = [*self._blocks, blocks][-_POINTS:]
        rank = numerical_rank(singular(blocks["low_rank"])[1])
        self._same = self._same + 1 if rank == self._rank else 1
        self._rank = rank

    def start(self, alpha: float) -> Blocks | None:
        """Blocks of the last optimum's rank."""
        if len(self._at) < 2 or self._rank == 0:
            return self._blocks[-1] if self._blocks else None
        n = min(max(self._same, _FEWEST), _POINTS)
        share = _lagrange(np.array(self._at[-n:]), float(np.log(alpha)))
        at = {
            name: sum(c * blocks[name] for c, blocks in zip(share, self._blocks[-n:], strict=True))
            for name in self._blocks[-1]
        }
        return {**at, "low_rank": nearest(at["low_rank"], self._rank)}


class SupportContinuation:
    """Where the optimum of the next strength should be, for blocks of which much is zero.

    What was not zero at n strengths goes on along the polynomial through its last n values, up to
    four; what is zero stays.
    """

    def __init__(self) -> None:
        self._at: list[float] = []
        self._blocks: list[Blocks] = []
        self._since: dict[str, np.ndarray] = {}

    def add(self, alpha: float, blocks: Blocks) -> None:
        """Take note of an optimum."""
        self._at = [*self._at, np.log(alpha)][-_POINTS:]
        self._blocks = [*self._blocks, blocks][-_POINTS:]
        for name, B in blocks.items():
            if not B.size:
                continue
            since = self._since.get(name, np.zeros(B.shape, dtype=int))
            self._since[name] = np.where(B != 0, np.minimum(since + 1, len(self._at)), 0)

    def start(self, alpha: float) -> Blocks | None:
        """Blocks with the last optimum's zeros; None before the first."""
        n = len(self._at)
        if n == 0:
            return None
        share = np.zeros((n, n + 1))
        for k in range(1, n + 1):
            share[n - k :, k] = _lagrange(np.array(self._at[-k:]), float(np.log(alpha)))
        found = dict(self._blocks[-1])
        for name, since in self._since.items():
            found[name] = sum(
                s[since] * at[name] for s, at in zip(share, self._blocks, strict=True)
            )
        return found


def _lagrange(nodes: np.ndarray, x: float) -> np.ndarray:
    """Weights of the values at nodes in the polynomial's value at x."""
    n = len(nodes)
    between = nodes[:, None] - nodes + np.eye(n)
    share = np.where(np.eye(n, dtype=bool), 1.0, x - nodes) / between
    return np.asarray(share.prod(axis=1))
