"""What a penalty must answer, and the two kinds that the general solvers take.

A penalty that is `Quadratic` on every block is solved by Newton steps; a `Norm` on the slopes, with
or without a quadratic beside it, by certified proximal gradients. A penalty that is neither needs a
solver of its own.
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple, Protocol, Self

import numpy as np

__all__ = ["FeatureWise", "Norm", "Penalty", "Quadratic", "Shrunk"]


class Penalty(Protocol):
    """A penalty on one block B."""

    def value(self, B: np.ndarray) -> float:
        """Penalty of B."""
        ...

    def residual(self, B: np.ndarray, G: np.ndarray) -> np.ndarray:
        """Element of G + subdifferential(B) nearest to zero; zero at an optimum."""
        ...


class Quadratic(Penalty, Protocol):
    """½ ⟨B, A B⟩ with A positive semidefinite.

    One with a strength per coefficient has ``strength`` as well (value = sum strength B²), and is
    served by closed forms.
    """

    def gradient(self, B: np.ndarray) -> np.ndarray:
        """A B."""
        ...

    def diagonal(self, B: np.ndarray) -> np.ndarray:
        """The diagonal of A, in the shape of B or one that broadcasts to it."""
        ...


class Shrunk(NamedTuple):
    """What a norm's shrinkage leaves of a block, and the norm of it."""

    matrix: np.ndarray
    value: float


class Norm(Penalty, Protocol):
    """A norm times its strength, or a sum of such.

    The square of a norm is one too that has ``conjugate(G)`` as well, the largest ⟨G, B⟩ -
    value(B), beside a ``dual`` of zero; and a limit on a norm one with ``support(G)``, the largest
    ⟨G, B⟩ within it.
    """

    def dual(self, G: np.ndarray) -> float:
        """The largest ⟨G, B⟩ over value(B) <= 1: zero is the optimum where this is at most 1."""
        ...

    def shrink(self, B: np.ndarray, step: float) -> Shrunk:
        """Minimizer over L of ½‖L - B‖_F² + step value(L)."""
        ...


class FeatureWise:
    """A sum over features, columns of B, each by itself: `shrink` takes a step for each, too.

    With ``entry_steps`` it takes one for each coefficient: ½‖L - B‖² is weighted by 1 / step then.
    """

    entry_steps: ClassVar[bool] = False

    def on_features(self, kept: np.ndarray) -> Self:
        """The penalty of some of the features, which has all its numbers where none is of one."""
        return self
