"""Where sweeps over directions lead: Anderson acceleration, whatever basis the directions have."""

from __future__ import annotations

import numpy as np

__all__ = ["Ahead"]

_DEPTH = 2  # sweeps before the last one whose changes are combined
_FAR = 10.0  # length of the turn to the reference above which another one is taken
_RIDGE = 1e-12  # of the products of changes, where they are nearly dependent


class Ahead:
    """The combination of the last sweeps that would have changed least.

    Rows of V (k, d) that span the same are one point. Its coordinates are (V R')^-1 V beside
    reference rows R, those of the first sweep (Walker and Ni, Anderson acceleration for fixed-point
    iterations, SIAM Journal on Numerical Analysis 2011).
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew, as after a step that was no sweep."""
        self._here: np.ndarray | None = None
        self._to: list[np.ndarray] = []
        self._change: list[np.ndarray] = []

    def of(self, V: np.ndarray, swept: np.ndarray) -> np.ndarray:
        """Where to go rather than to where a sweep led from V: after the first there itself."""
        if self._here is None:
            self._reference, self._here = V, V
        there = self._coordinates(swept)
        if there is None:
            self.forget()
            return swept
        self._to = [*self._to, there][-_DEPTH - 1 :]
        self._change = [*self._change, there - self._here][-_DEPTH - 1 :]
        self._here = there
        if len(self._to) > 1:
            to, change = np.diff(self._to, axis=0), np.diff(self._change, axis=0)
            flat = change.reshape(len(change), -1)
            K = flat @ flat.T
            K.flat[:: len(K) + 1] += _RIDGE * np.trace(K) + np.finfo(float).tiny
            share = np.linalg.solve(K, flat @ self._change[-1].ravel())
            self._here = there - np.tensordot(share, to, 1)
        return self._here

    def fell_back(self) -> None:
        """Where the sweep itself led was better."""
        self._here = self._to[-1] if self._to else None

    def _coordinates(self, V: np.ndarray) -> np.ndarray | None:
        cosines = V @ self._reference.T
        try:
            turn = np.linalg.inv(cosines)
        except np.linalg.LinAlgError:
            return None
        scale = float(np.abs(V).max(initial=0.0))
        return turn @ V if float(np.linalg.norm(turn)) * scale < _FAR * len(V) else None
