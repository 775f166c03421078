"""Newton's method with a line search, as a state that asks where to look next.

Whoever knows the function looks and tells; so rows may be elsewhere, and several descents may be
served by one pass over them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from polytask.solvers.base import Status
from polytask.structures import Blocks

__all__ = ["Descent", "Place", "along", "moved"]

_HALVINGS = 30
_ARMIJO = 1e-4  # share of what the slope promises that a step must bring
_SHORT = 0.1  # size of a step from which a sure one is rather taken
_NOISE = 1e-14  # share of the value that is rounding


class Place(Protocol):
    """A point of a descent, and what is known there."""

    @property
    def blocks(self) -> Blocks:
        """Where it is."""
        ...

    @property
    def value(self) -> float:
        """Of the function that is to fall."""
        ...

    @property
    def residual(self) -> Blocks:
        """Its gradient."""
        ...


P = TypeVar("P", bound=Place)


class Descent(Generic[P]):
    """Steps ``x - s * step(x)``, s the first of 1, 1/2, 1/4, ... that falls enough (Armijo).

    Parameters
    ----------
    start : dict
        Blocks to begin at.
    step : callable
        The Newton step at a place, exact or not, and how much work it was (0: it found none).
    done : callable
        Whether a place is good enough.
    max_iter : int
        Steps at most.
    sure : callable, optional
        A step that never fails, taken where the other does not fall enough as it is.
    last : float
        Share of the value under which what a step promises is the end: that step is taken as it
        is, because it squares the error.

    Attributes
    ----------
    asked : dict or None
        Blocks to look at, None at the end.
    here : Place
        The best so far.
    status : Status
    work : int
        Sum of what the steps were.
    """

    here: P

    def __init__(
        self, start: Blocks, step: Callable[[P], tuple[Blocks, int]],
        done: Callable[[P], bool], max_iter: int, last: float = 0.0,
        sure: Callable[[P], tuple[Blocks, int]] | None = None,
    ) -> None:  # fmt: skip
        self.asked: Blocks | None = start
        self.status, self.work = Status.MAX_ITER, 0
        self._step_at, self._sure = step, sure
        self._done, self._left, self._last = done, max_iter, last
        self._is_sure = sure is None  # the step that is tried
        self._size = 0.0  # of the step that is tried; none so far
        self._ends = False  # with that step

    def tell(self, found: P) -> None:
        """Take in what is at ``asked``, and ask for the next place."""
        if self._size and not self._falls(found):
            self._take_less()
            return
        if self._size:
            self.work += self._used
        self.here = found
        self._advance()

    def run(self, look: Callable[[Blocks], P]) -> Descent[P]:
        """To the end, with one who looks."""
        while self.asked is not None:
            self.tell(look(self.asked))
        return self

    def _advance(self) -> None:
        self.asked = None
        if self._ends or self._done(self.here):
            self.status = Status.SOLVED
            return
        if self._left == 0:
            return
        self._left -= 1
        self._is_sure = self._sure is None
        self._begin(self._step_at)

    def _take_less(self) -> None:
        if self._sure is None or self._is_sure or self._size > _SHORT:
            self._try(0.5 * self._size)
            return
        self._is_sure = True
        self._begin(self._sure)

    def _begin(self, step: Callable[[P], tuple[Blocks, int]]) -> None:
        self._step, self._used = step(self.here)
        if not self._used:
            self.status = Status.STALLED
            return
        self._promise = along(self._step, self.here.residual)
        self._ends = self._last > 0 and self._promise <= self._last * abs(self.here.value)
        self._try(1.0)

    def _try(self, size: float) -> None:
        self._size, self.asked = size, None
        if size <= 0.5**_HALVINGS:
            self.status = Status.STALLED
        else:
            self.asked = moved(self.here.blocks, self._step, -size)

    def _falls(self, found: P) -> bool:
        value = self.here.value
        noise = _NOISE * max(abs(value), 1e-300)
        enough = found.value <= value - _ARMIJO * self._size * self._promise + noise
        return enough or self._ends


def along(step: Blocks, slope: Blocks) -> float:
    """Inner product of two sets of blocks."""
    return sum(float((step[b] * slope[b]).sum()) for b in step)


def moved(blocks: Blocks, step: Blocks, size: float) -> Blocks:
    """The blocks, ``size`` steps farther."""
    return {b: B + size * step[b] for b, B in blocks.items()}
