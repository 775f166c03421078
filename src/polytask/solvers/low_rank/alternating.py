"""L = A V of a given rank: a stationary point near a start, and the best of several starts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from polytask.penalties.spectral import canonical_svd, numerical_rank
from polytask.problem import Problem
from polytask.solvers.base import Status
from polytask.solvers.low_rank.gram_alternation import GramFit, alternate_grams
from polytask.solvers.low_rank.heads import HeadModel, Heads, slope_bound, solve_small
from polytask.solvers.low_rank.row_alternation import RowPoint, alternate_rows
from polytask.solvers.low_rank.starts import SEARCHING
from polytask.solvers.low_rank.task_quadratic import task_quadratic
from polytask.solvers.norms.outer import squares_at
from polytask.solvers.norms.profile import profile, zero_profile
from polytask.structures import Blocks

__all__ = ["Factored", "alternate", "best_of", "everything", "status_of", "wanted"]

_SHORT = 5  # steps of every start before the best goes on
_FINISH = 5  # steps on the rows at least, where Gram matrices did not get there
_NEAR = 1e-5  # violation from which a start has settled
_EQUAL = 1e-8  # of the objective at L = 0: starts that reach the same
_DIGITS = 1e-6  # of the first objective: by so much residuals may disagree with Gram matrices
_HIDDEN = 1e-6  # of the objective at L = 0: what features that are nearly alike may hide
_ROUNDING, _SURE = 1e-15, 1e-2  # of a product of sums, and what it may be of the violation
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
    violation : float
        Largest residual of L as a share of `slope_bound`.
    history : list of float
        Objective after every step; never rises.
    swept : bool
        Whether sweeps of exact half steps were enough.
    risk : float
        R, and its ``gradient`` in Theta (m, p), where the point was measured.
    """

    V: np.ndarray
    heads: Heads
    objective: float
    violation: float
    history: list[float]
    swept: bool = False
    risk: float = np.nan
    gradient: np.ndarray | None = None

    @property
    def n_iter(self) -> int:
        """Steps."""
        return max(len(self.history) - 1, 1)

    @property
    def rest(self) -> Blocks:
        """The rest u."""
        return self.heads.rest

    @property
    def L(self) -> np.ndarray:
        """A V."""
        return self.heads.A @ self.V

    def measured(self, problem: Problem, blocks: Blocks) -> tuple[float, Blocks]:
        """Objective and residuals of a problem at the blocks that stand for this point."""
        if self.gradient is None:
            f = problem.predict(blocks)
            return problem.objective(blocks, f), problem.residual(blocks, f)
        objective = self.risk + sum(problem.penalties[b].value(B) for b, B in blocks.items())
        return objective, problem.residual(blocks, gradient=self.gradient)


def alternate(
    problem: Problem, model: HeadModel, V: np.ndarray, tol: float, max_iter: int
) -> Factored:
    """From directions V (k, d) to a violation of ``tol``, or until rounding hides every fall.

    Squared losses work on Gram matrices as far as these have the digits; where their rounding may
    hide a violation it is that of residuals from the rows, and steps go on by products with these.
    """
    quadratic = task_quadratic(problem)
    history: list[float] = []
    if quadratic is not None and V.size <= _DENSE_UP_TO:
        fit = alternate_grams(quadratic, model, V, tol, max_iter, slope_bound(problem))
        found = _measured(problem, model, fit, tol)
        if fit.crept and found.objective <= fit.history[0]:
            return found  # no optimum is near: steps on the rows creep on, at a higher price
        if found.objective <= fit.history[-1] + _DIGITS * fit.history[0]:
            if found.violation <= tol or not fit.ended:
                return found
            V, history = fit.V, fit.history  # else Gram matrices of singular tasks lost the digits
        max_iter = max(max_iter - len(history), min(max_iter, _FINISH))
    at, path = alternate_rows(problem, model, V, tol, max_iter)
    return _principal(problem, model, at, history + path)


def best_of(
    problem: Problem, model: HeadModel, starts: Iterable[np.ndarray], tol: float, max_iter: int,
    always: int = 1,
) -> Factored:  # fmt: skip
    """The best of several starts, of equals the first.

    Each has a few steps, and the best of them goes on to the end. Where tasks have more rows than
    features, further starts are left out once sweeps alone have settled from every one of the first
    ``always`` starts, or two starts have settled on the same objective.
    """
    clear = float(problem.data.sizes.mean()) > problem.data.n_features
    equal = _EQUAL * zero_profile(problem).smooth
    short: list[Factored] = []
    for V in starts:
        short.append(alternate(problem, model, V, tol, min(_SHORT, max_iter)))
        if len(short) >= always and (clear and _agree(short, tol, equal)):
            break  # before the next start is made
        if short[-1].objective <= equal:
            break
    least = min(found.objective for found in short)
    best = next(found for found in short if found.objective <= least + equal)
    if best.violation <= tol:
        return best
    more = alternate(problem, model, best.V, tol, max_iter)
    return replace(more, history=best.history + more.history)


def _agree(short: list[Factored], tol: float, equal: float) -> bool:
    """Whether starts have shown that others would not end elsewhere."""
    settled = [found for found in short if found.violation <= max(tol, _NEAR)]
    if len(settled) == len(short) and all(found.swept for found in short):
        return True
    values = sorted(found.objective for found in settled)
    least = min(found.objective for found in short)
    return len(values) > 1 and values[1] <= least + 10 * equal


def everything(problem: Problem, model: HeadModel, k: int) -> Factored:
    """Heads on all features, where k directions limit nothing; then in k principal ones."""
    small = model.small(problem, None)
    blocks = solve_small(small, None)
    A, rest = model.read(problem.data.n_features, blocks)
    U, s, Vt = canonical_svd(A, k, model.share)
    value = small.objective(blocks)
    return Factored(Vt, Heads(U * s, rest), value, 0.0, [value])


def wanted(tol: float) -> float:
    """Violation at which a fit to ``tol`` stops: ``tol`` itself.

    A search for strengths asks for objectives to its tolerance, and a violation v leaves about v²
    of the objective at L = 0.
    """
    return tol if tol < SEARCHING else tol**0.5


def status_of(
    violation: float, tol: float, found: Factored, max_iter: int, hidden: float = 0.0
) -> Status:
    """How a run ended that left ``violation``, and ``hidden`` of the objective (`hidden_gain`)."""
    if violation <= tol:
        return Status.SOLVED if hidden <= _HIDDEN else Status.STALLED
    return Status.MAX_ITER if found.n_iter >= max_iter else Status.STALLED


def _measured(problem: Problem, model: HeadModel, fit: GramFit, tol: float) -> Factored:
    """A V in principal directions, its rest, objective and violation."""
    A, Vt = _in_principal(fit.A, fit.V, model)
    L, bound = A @ Vt, slope_bound(problem)
    rest, smooth, G = _by_grams(problem, L, bound, tol) or _by_rows(problem, L)
    left = np.abs(model.residual(A, Vt, G[:, : L.shape[1]]))
    violation = float((left / bound).max(initial=0.0))
    objective = smooth + model.value(A, Vt)
    risk = smooth - sum(problem.penalties[b].value(u) for b, u in rest.items())
    return Factored(Vt, Heads(A, rest), objective, violation, fit.history, fit.swept, risk, G)


def _by_rows(problem: Problem, L: np.ndarray) -> tuple[Blocks, float, np.ndarray]:
    """The best rest, the smooth part and the risk's gradient in Theta (m, p)."""
    at = profile(problem, L)
    return at.rest, at.smooth, at.risk_gradient


def _by_grams(
    problem: Problem, L: np.ndarray, bound: np.ndarray, tol: float
) -> tuple[Blocks, float, np.ndarray] | None:
    """The same from Gram matrices; None where their rounding is more than a share of ``tol``.

    A sum over features rounds by the sizes of its terms, |x_j| |x_k l_k|.
    """
    norms = problem.data.column_norms[:, : L.shape[1]]
    terms = norms * (norms * np.abs(L)).sum(axis=1, keepdims=True)
    if (terms / bound).max(initial=0.0) * _ROUNDING > _SURE * tol:
        return None
    F = squares_at(problem, zero_profile(problem))
    return F.at(L) if F.grams_have_digits else None


def _principal(problem: Problem, model: HeadModel, at: RowPoint, path: list[float]) -> Factored:
    """A point in principal directions."""
    A, Vt = _in_principal(at.A, at.V, model)
    objective = at.smooth + model.value(A, Vt)
    return Factored(Vt, Heads(A, at.rest), objective, at.violation, path)


def _in_principal(A: np.ndarray, V: np.ndarray, model: HeadModel) -> tuple[np.ndarray, np.ndarray]:
    """A V from principal directions, orthonormal rows, the largest entry of each positive."""
    if model.turns:  # V has such rows
        U, s, Wt = np.linalg.svd(A, full_matrices=False)
        if numerical_rank(s, model.share) == len(V):
            Vt = Wt @ V
            sign = np.sign(Vt[np.arange(len(V)), np.abs(Vt).argmax(axis=1)])
            return U * (s * sign), Vt * sign[:, None]
    U, s, Vt = canonical_svd(A @ V, len(V), model.share)
    return U * s, Vt
