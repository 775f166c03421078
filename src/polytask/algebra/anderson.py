"""Anderson's acceleration of a fixed-point iteration."""

from __future__ import annotations

import numpy as np

__all__ = ["Anderson"]

_MEMORY = 6  # earlier steps that are looked at
_GROWS = 2.0  # a residual this much longer than the shortest so far: forget, and step plainly
_RIDGE = 1e-10  # of the mean squared change of residuals


class Anderson:
    """The next point from the last ones and their residuals (Walker and Ni 2011, type II)."""

    def __init__(self) -> None:
        self._shortest = np.inf
        self._forget()

    def _forget(self) -> None:
        self._images: list[np.ndarray] = []
        self._residuals: list[np.ndarray] = []

    def next(self, x: np.ndarray, residual: np.ndarray) -> np.ndarray:
        """From x, which the map moves by ``residual``."""
        image, length = x + residual, float(np.linalg.norm(residual))
        if length > _GROWS * self._shortest:
            self._forget()
            self._shortest = length
            return image
        self._shortest = min(self._shortest, length)
        self._images = [*self._images, image.ravel()][-_MEMORY - 1 :]
        self._residuals = [*self._residuals, residual.ravel()][-_MEMORY - 1 :]
        if len(self._images) == 1:
            return image
        moved = np.diff(np.array(self._images), axis=0)
        changed = np.diff(np.array(self._residuals), axis=0)
        square = changed @ changed.T
        square[np.diag_indices_from(square)] += _RIDGE * max(float(np.trace(square)), 1e-300)
        share = np.linalg.solve(square, changed @ self._residuals[-1])
        better: np.ndarray = image - (share @ moved).reshape(image.shape)
        return better
