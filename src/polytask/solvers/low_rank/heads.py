"""The heads of all tasks on given directions V (k, d): an ordinary problem with k features."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Protocol

import numpy as np
from scipy import sparse

from polytask.data import Design, TaskData
from polytask.data.thin_design import thin
from polytask.penalties import LimitedTraceNorm, Ridge
from polytask.penalties.spectral import numerical_rank
from polytask.problem import Problem
from polytask.solvers.arrow_problem import arrow_problem
from polytask.solvers.base import fits
from polytask.solvers.conjugate import ConjugateGradients
from polytask.solvers.facts import ridge_of, slopes_of
from polytask.solvers.low_rank.gram_steps import Prior
from polytask.solvers.newton import Newton
from polytask.structures import Blocks, CommonDeviation

__all__ = [
    "HEADS_TOL",
    "FreeHeads",
    "HeadModel",
    "Heads",
    "MeanHeads",
    "TraceHeads",
    "project",
    "slope_bound",
    "solve_small",
]

HEADS_TOL = 1e-10  # violation
_PRODUCTS_TOL = 1e-9
_LEAST = 1e-6
_NEWTON_STEPS = 60
_CLEAR = 1e-6  # share of the longest of a basis that others leave of each: none counts as zero


@dataclass(frozen=True, eq=False)
class Heads:
    """Of L = A V with the rest u: A (m, k), and u."""

    A: np.ndarray
    rest: Blocks


class HeadModel(Protocol):
    """What is believed about L = A V, beside its rank.

    ``turns`` says that the penalty depends on A V only, so that V has orthonormal rows and may be
    turned at will; ``share`` is that of the largest singular value that counts as zero.
    """

    turns: ClassVar[bool]
    share: ClassVar[float]

    @property
    def prior(self) -> Prior:
        """The quadratic penalty on the heads of given directions."""
        ...

    def offset(self, V: np.ndarray) -> float:
        """What the directions themselves add to it."""
        ...

    def small(self, problem: Problem, V: np.ndarray | None) -> Problem:
        """The problem of the heads on V, features V x; None is all directions."""
        ...

    def read(self, k: int, blocks: Blocks) -> tuple[np.ndarray, Blocks]:
        """A (m, k) and the rest u from the blocks of `small`."""
        ...

    def value(self, A: np.ndarray, V: np.ndarray) -> float:
        """Penalty of A V, for V with orthonormal rows."""
        ...

    def on_basis(self, A: np.ndarray, V: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """B (k, k) and a scaling of A and V.

        ½ tr(V' B V) plus a constant bounds the penalty from above and touches it at V.
        """
        ...

    def residual(self, A: np.ndarray, V: np.ndarray, g: np.ndarray) -> np.ndarray:
        """What is left of the gradient g (m, d) at A V, with the penalty's; A is best on V."""
        ...


@dataclass(frozen=True)
class FreeHeads:
    """ridge ‖L‖_F², or no penalty at all."""

    turns: ClassVar[bool] = True
    share: ClassVar[float] = 1e-9
    ridge: float = 0.0

    @property
    def prior(self) -> Prior:
        """The ridge on every coordinate."""
        return Prior(2.0 * self.ridge)

    def offset(self, V: np.ndarray) -> float:
        """Nothing."""
        return 0.0

    def small(self, problem: Problem, V: np.ndarray | None) -> Problem:
        """A ridge on each coordinate."""
        return _deviations(problem, V, self.ridge)

    def read(self, k: int, blocks: Blocks) -> tuple[np.ndarray, Blocks]:
        """Heads are deviations."""
        return _read_deviations(k, blocks)

    def value(self, A: np.ndarray, V: np.ndarray) -> float:
        """The ridge; V has orthonormal rows."""
        return self.ridge * float((A * A).sum())

    def on_basis(self, A: np.ndarray, V: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """B = 2 ridge A'A."""
        return 2.0 * self.ridge * A.T @ A, A, V

    def residual(self, A: np.ndarray, V: np.ndarray, g: np.ndarray) -> np.ndarray:
        """Along the matrices of rank k."""
        return _turned(A, V, g)


@dataclass(frozen=True)
class TraceHeads:
    """alpha ‖L‖_*, bounded by alpha/2 (‖A‖² + ‖V‖²) with equality where A and V are balanced."""

    turns: ClassVar[bool] = False
    share: ClassVar[float] = 1e-9
    alpha: float
    limit: int

    @property
    def prior(self) -> Prior:
        """alpha/2 ‖A‖²."""
        return Prior(self.alpha)

    def offset(self, V: np.ndarray) -> float:
        """alpha/2 ‖V‖²."""
        return 0.5 * self.alpha * float((V * V).sum())

    def small(self, problem: Problem, V: np.ndarray | None) -> Problem:
        """alpha/2 on each coordinate, V as long as it is."""
        return _deviations(problem, V, 0.5 * self.alpha)

    def read(self, k: int, blocks: Blocks) -> tuple[np.ndarray, Blocks]:
        """Heads are deviations."""
        return _read_deviations(k, blocks)

    def value(self, A: np.ndarray, V: np.ndarray) -> float:
        """Alpha times the sum of singular values."""
        return self.alpha * float(np.linalg.svd(A @ V, compute_uv=False).sum())

    def on_basis(self, A: np.ndarray, V: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """B = alpha I at the balanced factors U sqrt(s), sqrt(s) V'."""
        Q, R = np.linalg.qr(V.T)
        U, s, Wt = np.linalg.svd(A @ R.T, full_matrices=False)
        root, V = np.sqrt(s), Wt @ Q.T
        return self.alpha * np.eye(len(s)), U * root, root[:, None] * V

    def residual(self, A: np.ndarray, V: np.ndarray, g: np.ndarray) -> np.ndarray:
        """Nearest element to zero; across L too where a singular value has gone to zero."""
        return LimitedTraceNorm(self.alpha, self.limit).residual(A @ V, g)


@dataclass(frozen=True)
class MeanHeads:
    """alpha Σ ‖a_i - w0‖² + alpha_common ‖w0‖² on the heads' common part w0."""

    turns: ClassVar[bool] = True
    share: ClassVar[float] = 1e-14  # deviations are small beside w0 where alpha is large
    alpha: float
    alpha_common: float

    @property
    def prior(self) -> Prior:
        """Both."""
        return Prior(2.0 * self.alpha, 2.0 * self.alpha_common)

    def offset(self, V: np.ndarray) -> float:
        """Nothing."""
        return 0.0

    def small(self, problem: Problem, V: np.ndarray | None) -> Problem:
        """The mean-regularized model on the projected features."""
        k = problem.data.n_features if V is None else len(V)
        rest = slopes_of(problem).rest
        level = rest.deviation[problem.data.n_features :]
        everywhere = np.ones(k + len(level), dtype=bool)
        common = np.append(np.full(k, self.alpha_common), ridge_of(problem, "common").strength)
        own = np.append(np.full(k, self.alpha), ridge_of(problem, "deviation").strength)
        structure = CommonDeviation(everywhere, everywhere)
        penalties = {"common": Ridge(common), "deviation": Ridge(own)}
        return Problem(project(problem.data, V), problem.loss, structure, penalties)

    def read(self, k: int, blocks: Blocks) -> tuple[np.ndarray, Blocks]:
        """Heads are w0 + Δw_i."""
        A = blocks["common"][:k] + blocks["deviation"][:, :k]
        return A, {"common": blocks["common"][k:], "deviation": blocks["deviation"][:, k:]}

    def common(self, A: np.ndarray) -> np.ndarray:
        """The best w0 (k,) of given heads."""
        return self._share(len(A)) * A.sum(axis=0)

    def _share(self, m: int) -> float:
        total = self.alpha * m + self.alpha_common
        return self.alpha / total if total > 0 else 1.0 / m

    def value(self, A: np.ndarray, V: np.ndarray) -> float:
        """Penalty at the best w0."""
        w0 = self.common(A)
        return self.alpha * float(((A - w0) ** 2).sum()) + self.alpha_common * float((w0**2).sum())

    def on_basis(self, A: np.ndarray, V: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """B = 2 (alpha ΔA'ΔA + alpha_common w0 w0'): the penalty as a quadratic of V itself."""
        w0 = self.common(A)
        D = A - w0
        return 2.0 * (self.alpha * D.T @ D + self.alpha_common * np.outer(w0, w0)), A, V

    def residual(self, A: np.ndarray, V: np.ndarray, g: np.ndarray) -> np.ndarray:
        """Along turns of V."""
        return _turned(A, V, g)


def solve_small(small: Problem, start: Blocks | None, tol: float = HEADS_TOL) -> Blocks:
    """Blocks of the heads' own problem; squared losses are solved and refined once."""
    if fits(ConjugateGradients(), small):  # all of many features, or very many tasks
        return (
            ConjugateGradients().solve(small, start, max(tol, _PRODUCTS_TOL), _NEWTON_STEPS).blocks
        )
    if not small.loss.is_quadratic:
        return Newton().solve(small, start, tol, _NEWTON_STEPS).blocks
    blocks, factor = small.zeros(), arrow_problem(small).factor(np.ones(len(small.data.y)))
    for _ in range(2):
        step = factor.solve(small.residual(blocks))
        blocks = {b: B - step[b] for b, B in blocks.items()}
    return blocks


def project(data: TaskData, V: np.ndarray | None, keep_slopes: bool = False) -> TaskData:
    """The data with features V x (n, k), before the slopes (if kept) and the intercept.

    None is all directions, the features themselves.
    """
    d = data.n_features
    if V is None and not keep_slopes:
        return data
    X = data.design.distinct_rows() if V is None or keep_slopes else data.design.X
    parts = [
        X[:, :d] if V is None else data.design.times(V.T),
        *([X[:, :d]] if keep_slopes else []),
        X[:, d:],
    ]
    if any(sparse.issparse(part) for part in parts[:-1]):
        joined = sparse.hstack([sparse.csr_matrix(part) for part in parts], format="csr")
    else:
        parts = [part.toarray() if sparse.issparse(part) else np.asarray(part) for part in parts]
        joined = np.hstack(parts)
    return replace(data, design=thin(Design(joined, data.design.index, data.design.start)))


def slope_bound(problem: Problem) -> np.ndarray:
    """Largest gradient in each slope that the loss allows a task at zero, shape (d,).

    The unit of a violation of L: what is left along the matrices of one rank mixes the tasks, of
    which some may not know a feature, and the features, so that one without rows is measured in a
    small share of the largest.
    """
    bound = problem.gradient_bound[:, : problem.data.n_features].max(axis=0)
    return np.maximum(bound, _LEAST * bound.max(initial=0.0))


def _deviations(problem: Problem, V: np.ndarray | None, ridge: float) -> Problem:
    """Heads as deviations, beside the rest of the problem (w0 on all slopes where it is split)."""
    d, rest = problem.data.n_features, slopes_of(problem).rest
    k = d if V is None else len(V)
    slopes = bool(rest.common[:d].any())
    kept = slice(None) if slopes else slice(d, None)
    common = np.append(np.zeros(k, dtype=bool), rest.common[kept])
    own = np.append(np.ones(k, dtype=bool), rest.deviation[kept])
    strengths = np.append(np.full(k, ridge), ridge_of(problem, "deviation").strength)
    penalties = {"common": problem.penalties["common"], "deviation": Ridge(strengths)}
    structure = CommonDeviation(common, own)
    return Problem(project(problem.data, V, slopes), problem.loss, structure, penalties)


def _read_deviations(k: int, blocks: Blocks) -> tuple[np.ndarray, Blocks]:
    own = blocks["deviation"]
    return own[:, :k], {"common": blocks["common"], "deviation": own[:, k:]}


def _turned(A: np.ndarray, V: np.ndarray, g: np.ndarray) -> np.ndarray:
    """U U' g (I - V'V), U a basis of A's columns: what turning V to lower g would change in L.

    In V itself the gradient is A' of this, so that a weak direction would hide its own slope.
    """
    U, R = np.linalg.qr(A)
    pivots = np.abs(R.diagonal())
    if not pivots.min(initial=1.0) > _CLEAR * pivots.max(initial=0.0):
        U, s, _ = np.linalg.svd(A, full_matrices=False)
        U = U[:, : numerical_rank(s)]
    slope = U.T @ g
    return U @ (slope - (slope @ V.T) @ V)
