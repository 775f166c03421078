"""What the norm solvers move: L, or a stack of the parts that L is the sum of.

One part is an array of shape (m, d); k parts are one of shape (k, m, d), of which the risk sees the
sum, so that its gradient is the same in every part.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from polytask.penalties import Norm, Quadratic, Shrunk
from polytask.problem import Problem
from polytask.solvers.facts import norm_penalty, quadratic_beside, slopes_of
from polytask.structures import Blocks

__all__ = [
    "SumOfNorms",
    "SumOfQuadratics",
    "conjugate_of",
    "norm_of",
    "quadratic_of",
    "stacked",
    "support_of",
    "total",
    "unstacked",
]


def total(B: np.ndarray) -> np.ndarray:
    """L (m, d) of a part or a stack."""
    return B if B.ndim == 2 else np.asarray(B.sum(axis=0))


def stacked(problem: Problem, blocks: Blocks) -> np.ndarray:
    """The part, or the stack of the parts, in blocks."""
    parts = slopes_of(problem).parts
    return blocks[parts[0]] if len(parts) == 1 else np.stack([blocks[b] for b in parts])


def unstacked(problem: Problem, B: np.ndarray) -> Blocks:
    """Blocks of a part or a stack."""
    parts = slopes_of(problem).parts
    return dict(zip(parts, [B] if B.ndim == 2 else list(B), strict=True))


def norm_of(problem: Problem) -> Norm:
    """The norm on a part, or the sum of those on a stack."""
    norms = [norm_penalty(problem.penalties[b]) for b in slopes_of(problem).parts]
    return norms[0] if len(norms) == 1 else SumOfNorms(tuple(norms))


def quadratic_of(problem: Problem) -> Quadratic | None:
    """What is quadratic beside the norm; None where nothing is."""
    beside = [quadratic_beside(problem.penalties[b]) for b in slopes_of(problem).parts]
    if all(quadratic is None for quadratic in beside):
        return None
    return beside[0] if len(beside) == 1 else SumOfQuadratics(tuple(beside))


def conjugate_of(norm: Norm, G: np.ndarray) -> float:
    """The largest ⟨G, B⟩ - value(B) where B's penalty is the square of a norm; zero of norms."""
    conjugate = getattr(norm, "conjugate", None)
    return float(conjugate(G)) if conjugate else 0.0


def support_of(norm: Norm, G: np.ndarray) -> float:
    """The largest ⟨G, B⟩ within the limits of a norm that is one; zero of others."""
    support = getattr(norm, "support", None)
    return float(support(G)) if support else 0.0


@dataclass(frozen=True, eq=False)
class SumOfNorms:
    """value(B) = sum_k norm_k(B_k) of a stack."""

    norms: tuple[Norm, ...]

    def value(self, B: np.ndarray) -> float:
        """Sum over the parts."""
        return sum(norm.value(part) for norm, part in zip(self.norms, B, strict=True))

    def dual(self, G: np.ndarray) -> float:
        """The largest of the parts' duals."""
        return max(norm.dual(part) for norm, part in self._each(G))

    def conjugate(self, G: np.ndarray) -> float:
        """The sum of the parts' that are squares."""
        return sum(conjugate_of(norm, part) for norm, part in self._each(G))

    def support(self, G: np.ndarray) -> float:
        """The sum of the parts' that are limits."""
        return sum(support_of(norm, part) for norm, part in self._each(G))

    def _each(self, G: np.ndarray) -> Iterable[tuple[Norm, np.ndarray]]:
        G = np.broadcast_to(G, (len(self.norms), *G.shape[-2:]))
        return zip(self.norms, G, strict=True)

    def shrink(self, B: np.ndarray, step: float) -> Shrunk:
        """Each part by itself."""
        found = [norm.shrink(part, step) for norm, part in zip(self.norms, B, strict=True)]
        return Shrunk(np.stack([one.matrix for one in found]), sum(one.value for one in found))

    def residual(self, B: np.ndarray, G: np.ndarray) -> np.ndarray:
        """Each part by itself."""
        G = np.broadcast_to(G, B.shape)
        return np.stack([n.residual(b, g) for n, b, g in zip(self.norms, B, G, strict=True)])


@dataclass(frozen=True, eq=False)
class SumOfQuadratics:
    """value(B) = sum_k quadratic_k(B_k) of a stack, where a part may have none."""

    quadratics: tuple[Quadratic | None, ...]

    def value(self, B: np.ndarray) -> float:
        """Sum over the parts."""
        return sum(q.value(part) for q, part in zip(self.quadratics, B, strict=True) if q)

    def gradient(self, B: np.ndarray) -> np.ndarray:
        """Each part by itself."""
        parts = zip(self.quadratics, B, strict=True)
        return np.stack([q.gradient(part) if q else np.zeros_like(part) for q, part in parts])

    def diagonal(self, B: np.ndarray) -> np.ndarray:
        """Each part by itself."""
        parts = zip(self.quadratics, B, strict=True)
        none = np.zeros(B.shape[1:])
        return np.stack([none + q.diagonal(part) if q else none for q, part in parts])

    def residual(self, B: np.ndarray, G: np.ndarray) -> np.ndarray:
        """G and the gradient."""
        return G + self.gradient(B)
