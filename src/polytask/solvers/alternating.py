"""L = A V of a given rank: exact heads A, then the directions V, until nothing falls."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from polytask.penalties.spectral import canonical_svd
from polytask.problem import Problem
from polytask.solvers.basis import BasisStep
from polytask.solvers.curvature import narrow
from polytask.solvers.gram_alternation import alternate_grams
from polytask.solvers.heads import FreeHeads, HeadModel, Heads
from polytask.solvers.profile import profile
from polytask.solvers.row_newton import RowPoint
from polytask.solvers.squares import Squares
from polytask.solvers.task_quadratic import task_quadratic
from polytask.structures import Blocks

__all__ = ["Factored", "alternate", "best_of", "objective_of"]

_SHORT = 5  # sweeps of every start before the best goes on

_DIGITS = 1e-6  # of the first objective: by so much residuals may disagree with Gram matrices
_HALVINGS = 12
_FAR = 1e-3  # fall of a step, of the first objective, from which only the convex part serves
_DENSE_UP_TO = 2000  # unknowns k d of the directions that one dense system solves


@dataclass(frozen=True, eq=False)
class Factored:
    """A point L = A V, V (k, d) with orthonormal rows, and the way there.

    Parameters
    ----------
    V : ndarray of shape (k, d)
    heads : Heads
        A (m, k) and the rest u.
    objective : float
    history : list of float
        Objective after every half step; never rises.
    converged : bool
    """

    V: np.ndarray
    heads: Heads
    objective: float
    history: list[float]
    converged: bool

    @property
    def rest(self) -> Blocks:
        """The rest u."""
        return self.heads.rest

    @property
    def L(self) -> np.ndarray:
        """A V."""
        return self.heads.A @ self.V


def alternate(
    problem: Problem, model: HeadModel, V: np.ndarray, tol: float, max_iter: int,
    before: Factored | None = None,
) -> Factored:  # fmt: skip
    """Alternate from directions V (k, d) until a sweep lowers the objective by at most ``tol``.

    For the squared loss both half steps are least squares; for others the heads are solved by
    Newton's method, and the directions take one Newton step with a line search. Between sweeps the
    directions are extrapolated where that lowers the objective, which shortens the slow tail of
    alternation.
    """
    quadratic = task_quadratic(problem)
    if quadratic is not None and V.size <= _DENSE_UP_TO:
        A, V_new, path, settled = alternate_grams(quadratic, model, V, tol, max_iter)
        measured = _measured(problem, model, A, V_new, path, settled)
        if measured.objective <= path[-1] + _DIGITS * path[0]:
            return (
                measured  # else Gram matrices of singular tasks lost the digits; the rows have them
            )
    if quadratic is None and problem.data.design.sparse and not narrow(problem.data):
        return _descend(problem, model, V, tol, max_iter, before)
    squares = _Model(problem)
    heads = model.fit(problem, V, None) if before is None else before.heads
    V, heads = _orthonormal(V, heads)
    value = objective_of(problem, model, heads, V)
    history, previous, stretch = [value], V, 1.0
    if value <= tol:  # losses and penalties are not negative: nothing more to fall
        return Factored(V, heads, value, history, True)
    for _ in range(max_iter):
        start = value
        V_new, heads, value = _basis(problem, model, squares, V, heads, value)
        history.append(value)
        V, previous = V_new, V
        for trial in _trials(V, previous, stretch):
            found = model.fit(problem, trial, heads)
            at, found = _orthonormal(trial, found)
            reached = objective_of(problem, model, found, at)
            if reached <= value:
                stretch = min(2.0 * stretch, 64.0) if trial is not V else max(0.5 * stretch, 0.5)
                V, heads, value = at, found, reached
                break
        history.append(value)
        if start - value <= tol:
            return Factored(V, heads, value, history, True)
    return Factored(V, heads, value, history, False)


def _descend(
    problem: Problem, model: HeadModel, V: np.ndarray, tol: float, max_iter: int,
    before: Factored | None,
) -> Factored:  # fmt: skip
    """Newton's method in the directions on products with the rows, from V (k, d)."""
    heads = model.fit(problem, V, None) if before is None else before.heads
    V, heads = _orthonormal(V, heads)
    value = objective_of(problem, model, heads, V)
    history, far = [value], before is None
    for _ in range(max_iter if value > tol else 0):
        at = RowPoint(problem, model, V, heads)
        direction, start, moved = at.step(convex=far), value, False
        for size in 0.5 ** np.arange(_HALVINGS):
            found = _heads_on(problem, model, at.V + size * direction, heads)
            reached = objective_of(problem, model, found[1], found[0])
            if reached < value:
                (V, heads), value, moved = found, reached, True
                break
        history += [value, value]
        if not far and (at.promise(direction) <= tol or (moved and start - value <= tol)):
            return Factored(V, heads, value, history, True)
        if far and not moved:
            break
        far = not moved or start - value > _FAR * history[0]
    return Factored(V, heads, value, history, value <= tol)


def _heads_on(
    problem: Problem, model: HeadModel, V: np.ndarray, before: Heads
) -> tuple[np.ndarray, Heads]:
    """Directions V of any length, as orthonormal ones, and the best heads on them."""
    if model.turns:
        V = _aligned(V)
        return _orthonormal(V, model.fit(problem, V, before))
    return _orthonormal(V, FreeHeads(0.5 * model.prior.own).fit(problem, V, None))


def best_of(
    problem: Problem, model: HeadModel, starts: Iterable[np.ndarray], tol: float, max_iter: int,
    always: int = 1,
) -> Factored:  # fmt: skip
    """The best of several starts, of equals the first.

    Where every one of the first ``always`` starts settles within a few sweeps and tasks have more
    rows than features, no other start was found to do better, and the others are left out.
    Otherwise each has a few sweeps, and the best of them goes on to the end.
    """
    clear = float(problem.data.sizes.mean()) > problem.data.n_features
    short: list[Factored] = []
    for V in starts:
        short.append(alternate(problem, model, V, tol, min(_SHORT, max_iter)))
        if len(short) >= always and _enough(short, tol, clear):
            break  # before the next start is made
    least = min(found.objective for found in short)
    best = next(found for found in short if found.objective <= least + tol)
    if best.converged:
        return best
    more = alternate(problem, model, best.V, tol, max_iter, best)
    return replace(more, history=best.history + more.history)


def _enough(short: list[Factored], tol: float, clear: bool) -> bool:
    if min(found.objective for found in short) <= tol:
        return True
    return clear and all(found.converged for found in short)


def _measured(
    problem: Problem, model: HeadModel, A: np.ndarray, V: np.ndarray, path: list[float],
    settled: bool,
) -> Factored:  # fmt: skip
    """A V in principal directions, its rest and its objective from residuals."""
    V, heads = _orthonormal(V, Heads(A, {}, {}))
    at = profile(problem, heads.A @ V)
    objective = at.smooth + model.value(heads.A, V)
    return Factored(V, replace(heads, rest=at.rest), objective, path, settled)


def objective_of(problem: Problem, model: HeadModel, heads: Heads, V: np.ndarray) -> float:
    """R + q(u) + the heads' penalty."""
    f = _predict(problem, heads.A @ V, heads.rest)
    return _smooth(problem, heads.rest, f) + model.value(heads.A, V)


class _Model:
    """The squares at a point; made once where the loss is quadratic."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._kept: BasisStep | None = None

    def at(self, f: np.ndarray) -> BasisStep:
        data, loss = self.problem.data, self.problem.loss
        if self._kept is not None:
            return self._kept
        exact = loss.constant_curvature
        h = np.maximum(loss.curvature(data.y, f), 1e-6)
        z = data.y if exact else f - loss.gradient(data.y, f) / h
        step = BasisStep(
            Squares(data, self.problem.structure, self.problem.penalties, data.weight * h, z, exact)  # type: ignore[arg-type]
        )
        if exact:
            self._kept = step
        return step


def _basis(
    problem: Problem, model: HeadModel, squares: _Model, V: np.ndarray, heads: Heads, value: float
) -> tuple[np.ndarray, Heads, float]:
    """New directions at given heads; the old ones where no step helps."""
    f = _predict(problem, heads.A @ V, heads.rest)
    step = squares.at(f)
    B, A, scaled = model.on_basis(heads.A, V)
    best = step(A, scaled, B)
    rest_best = step.F.gradient(A @ best)[1]
    for size in 0.5 ** np.arange(12):
        trial = scaled + size * (best - scaled)
        rest = {b: u + size * (rest_best[b] - u) for b, u in heads.rest.items()}
        at, found = _orthonormal(trial, Heads(A, rest, heads.blocks))
        reached = objective_of(problem, model, found, at)
        if reached <= value:
            return at, found, reached
    return V, heads, value


def _trials(V: np.ndarray, previous: np.ndarray, stretch: float) -> list[np.ndarray]:
    """Directions beyond the last step, and those reached."""
    same = previous.shape == V.shape
    rotation = previous @ V.T if same else None
    if rotation is None or stretch < 0.6:
        return [V]
    return [_aligned(V + stretch * (V - rotation.T @ previous)), V]


def _aligned(V: np.ndarray) -> np.ndarray:
    """Orthonormal rows near those of V: heads on nearly orthonormal ones hardly change."""
    Q, R = np.linalg.qr(V.T)
    return (Q * np.where(np.diag(R) < 0, -1.0, 1.0)).T


def _orthonormal(V: np.ndarray, heads: Heads) -> tuple[np.ndarray, Heads]:
    """The same L with orthonormal rows V, the principal directions of A V in order."""
    U, s, Vt = canonical_svd(heads.A @ V, len(V))
    if not heads.blocks:
        return Vt, Heads(U * s, heads.rest, {})
    rotation = V @ Vt.T
    blocks = {b: B.copy() for b, B in heads.blocks.items()}
    k = len(V)
    blocks["deviation"][:, :k] = blocks["deviation"][:, :k] @ rotation
    if len(blocks["common"]) >= k and blocks["common"].shape[0] == blocks["deviation"].shape[1]:
        blocks["common"][:k] = blocks["common"][:k] @ rotation
    return Vt, Heads(U * s, heads.rest, blocks)


def _predict(problem: Problem, L: np.ndarray, rest: Blocks) -> np.ndarray:
    return problem.predict({"low_rank": L, **rest})


def _smooth(problem: Problem, rest: Blocks, f: np.ndarray) -> float:
    risk = float(problem.data.weight @ problem.loss.value(problem.data.y, f))
    return risk + sum(problem.penalties[b].value(u) for b, u in rest.items())
