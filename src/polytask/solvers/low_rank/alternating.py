"""L = A V of a given rank: a stationary point near a start, and the best of several starts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from polytask.penalties.spectral import canonical_svd
from polytask.problem import Problem
from polytask.solvers.base import Status
from polytask.solvers.low_rank.gram_alternation import GramFit, alternate_grams
from polytask.solvers.low_rank.heads import HeadModel, Heads, slope_bound, solve_small
from polytask.solvers.low_rank.row_alternation import RowPoint, alternate_rows
from polytask.solvers.low_rank.starts import SEARCHING
from polytask.solvers.low_rank.task_quadratic import task_quadratic
from polytask.solvers.norms.profile import Profile, profile, zero_profile
from polytask.structures import Blocks

__all__ = ["Factored", "alternate", "best_of", "everything", "status_of", "wanted"]

_SHORT = 5  # steps of every start before the best goes on
_FINISH = 5  # steps on the rows at least, where Gram matrices did not get there
_NEAR = 1e-5  # violation from which a start has settled
_EQUAL = 1e-8  # of the objective at L = 0: starts that reach the same
_DIGITS = 1e-6  # of the first objective: by so much residuals may disagree with Gram matrices
_HIDDEN = 1e-6  # of the objective at L = 0: what features that are nearly alike may hide
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
    at : Profile or None
        The point measured with residuals from the rows, where that was done.
    """

    V: np.ndarray
    heads: Heads
    objective: float
    violation: float
    history: list[float]
    swept: bool = False
    at: Profile | None = None

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
        f, gradient = (None, None) if self.at is None else (self.at.f, self.at.risk_gradient)
        return problem.objective(blocks, f), problem.residual(blocks, f, gradient)


def alternate(
    problem: Problem, model: HeadModel, V: np.ndarray, tol: float, max_iter: int
) -> Factored:
    """From directions V (k, d) to a violation of ``tol``, or until rounding hides every fall.

    Squared losses work on Gram matrices as far as these have the digits. The violation is that of
    residuals from the rows, and what is left of it is left to products with the rows.
    """
    quadratic = task_quadratic(problem)
    history: list[float] = []
    if quadratic is not None and V.size <= _DENSE_UP_TO:
        fit = alternate_grams(quadratic, model, V, tol, max_iter, slope_bound(problem))
        found = _measured(problem, model, fit)
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


def _measured(problem: Problem, model: HeadModel, fit: GramFit) -> Factored:
    """A V in principal directions, its rest, objective and violation from residuals."""
    U, s, Vt = canonical_svd(fit.A @ fit.V, len(fit.V), model.share)
    A = U * s
    at = profile(problem, A @ Vt)
    objective = at.smooth + model.value(A, Vt)
    left = np.abs(model.residual(A, Vt, at.gradient))
    violation = float((left / slope_bound(problem)).max(initial=0.0))
    heads = Heads(A, at.rest)
    return Factored(Vt, heads, objective, violation, fit.history, fit.swept, at)


def _principal(problem: Problem, model: HeadModel, at: RowPoint, path: list[float]) -> Factored:
    """A point in principal directions."""
    U, s, Vt = canonical_svd(at.A @ at.V, len(at.V), model.share)
    objective = at.smooth + model.value(U * s, Vt)
    return Factored(Vt, Heads(U * s, at.rest), objective, at.violation, path)
