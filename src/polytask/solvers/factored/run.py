"""Newton steps in L = B C', with directions that join and leave, until the duality gap is small."""

from __future__ import annotations

import numpy as np

from polytask.penalties.spectral import singular_above
from polytask.solvers.factored.squares import GramModel, GramPoint, Look
from polytask.solvers.factored.truncated_newton import newton_direction

__all__ = ["WEAK", "Run"]

WEAK = 1e-4  # of the largest singular value: a direction this weak leaves, and may come back
_STEPS = 60  # Newton steps at most
_FAR = 3e-2  # gap, of the objective at L = 0, above which the convex part of the curvature serves
_HALVINGS = 14
_FORCING = 0.1  # share of the residual that a Newton step leaves at most
_NEAR = 0.9  # of alpha: further singular values of the gradient below this miss no direction


class Run:
    """From a point to the gap."""

    def __init__(
        self, model: GramModel, alpha: float, scale: float, at: GramPoint, max_iter: int
    ) -> None:
        self.model, self.alpha, self.scale, self.at = model, alpha, scale, at
        self.left, self.n_iter, self.stalled = min(_STEPS, max_iter), 0, False
        self.weak, self.let_go, self.careful = WEAK, False, False

    def to(self, tol: float) -> Look:
        """Step until the gap, by what is at hand, is ``tol``."""
        while True:
            squares = self.at.squares
            gap = self.at.gap(float(np.sqrt(squares[-1])))
            self.stalled = self.stalled or self.left == 0
            if gap <= tol or self.stalled:
                return self.model.look(self.at.B, self.at.C, self.alpha)
            if self._may_change(squares):
                self._exchange()
            found = self._step(gap, tol)
            if found is not None:
                return found

    def _may_change(self, squares: np.ndarray) -> bool:
        """Whether directions may be missing, or too weak, by tests that cost little."""
        B, C = self.at.B, self.at.C
        k = C.shape[1]
        missing = k < len(squares) and squares[-k - 1] > (_NEAR * self.alpha) ** 2
        if missing or k == 0:
            return True
        of_L = np.linalg.eigvals((B.T @ B) @ (C.T @ C)).real
        return bool(of_L.min() <= self.weak**2 * of_L.max())

    def _exchange(self) -> None:
        """Let weak directions go and missing ones join, each at the length a Newton step gives."""
        U, s, V = balanced(self.at.B, self.at.C, self.weak)
        across = self.at.g - U @ (U.T @ self.at.g)
        across -= (across @ V) @ V.T
        _, values, v = singular_above(across, self.alpha * (1 + 1e-9))
        if len(values) == 0 and len(s) == self.at.C.shape[1]:
            return
        if len(values) and self.let_go:  # what left comes back: it was not as weak as it looked
            self.weak *= 0.1
        self.let_go = len(s) < self.at.C.shape[1]
        new = (values - self.alpha) / np.maximum(self.model.curvature_along(v), 1e-300)
        self.at = self.at.with_directions(np.hstack([V, v]) * np.sqrt(np.append(s, new)))

    def _step(self, gap: float, tol: float) -> Look | None:
        """A Newton step: what is seen at its end, if that is good enough, else a better point."""
        far = self.careful or gap > _FAR * self.scale
        forcing = max(0.25 * tol / gap, gap / self.scale)
        direction = newton_direction(self.at, self.model, self.alpha, far, min(forcing, _FORCING))
        self.left -= 1
        self.n_iter += 1
        if not far:
            look = self.model.look(*self.at.reached(direction), self.alpha)
            if look.gap <= tol:
                return look
        floor = self.at.value + 1e-13 * abs(self.scale)
        for size in 0.5 ** np.arange(_HALVINGS):
            trial = self.at.moved(direction, float(size))
            if trial.value <= floor:
                self.at, self.careful = trial, size < 1 and not self.careful
                return None
        self.stalled = True
        return None


def balanced(
    B: np.ndarray, C: np.ndarray, weak: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """U, s, V of B C' without the directions that have faded."""
    QB, RB = np.linalg.qr(B)
    QC, RC = np.linalg.qr(C)
    U, s, Vt = np.linalg.svd(RB @ RC.T)
    keep = s > weak * s.max(initial=0.0)
    return QB @ U[:, keep], s[keep], QC @ Vt[keep].T
