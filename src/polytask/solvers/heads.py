"""The heads of all tasks on given directions V (k, d): an ordinary problem with k features."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Protocol

import numpy as np
from scipy import sparse

from polytask.data import Design, TaskData
from polytask.penalties import Ridge
from polytask.problem import Problem
from polytask.solvers.arrow_problem import arrow_problem
from polytask.solvers.conjugate import ConjugateGradients
from polytask.solvers.gram_steps import Prior
from polytask.solvers.newton import Newton
from polytask.structures import Blocks, CommonDeviation

__all__ = ["FreeHeads", "HeadModel", "Heads", "MeanHeads", "TraceHeads", "project"]

_TOL = 1e-10
_PRODUCTS_TOL = 1e-9
_NEWTON_STEPS = (60, 4)  # for the first heads, and between steps of the directions


@dataclass(frozen=True, eq=False)
class Heads:
    """L = A V with the rest u: A (m, k), V (k, d) with orthonormal rows.

    ``blocks`` are those of the small problem, a start for the next one.
    """

    A: np.ndarray
    rest: Blocks
    blocks: Blocks


class HeadModel(Protocol):
    """What is believed about L = A V, beside its rank.

    ``turns`` says that the penalty depends on A V only, so that V may be turned at will.
    """

    turns: ClassVar[bool]

    @property
    def prior(self) -> Prior:
        """The quadratic penalty on the heads of given directions."""
        ...

    def offset(self, V: np.ndarray) -> float:
        """What the directions themselves add to it."""
        ...

    def fit(self, problem: Problem, V: np.ndarray | None, before: Heads | None) -> Heads:
        """The best heads on V; None is all directions, where the quadratic penalties allow it."""
        ...

    def value(self, A: np.ndarray, V: np.ndarray) -> float:
        """Penalty of A V, for V with orthonormal rows."""
        ...

    def on_basis(self, A: np.ndarray, V: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """B (k, k) and a scaling of A and V.

        ½ tr(V' B V) plus a constant bounds the penalty from above and touches it at V.
        """
        ...


@dataclass(frozen=True)
class FreeHeads:
    """ridge ‖L‖_F², or no penalty at all."""

    turns: ClassVar[bool] = True
    ridge: float = 0.0

    @property
    def prior(self) -> Prior:
        """The ridge on every coordinate."""
        return Prior(2.0 * self.ridge)

    def offset(self, V: np.ndarray) -> float:
        """Nothing."""
        return 0.0

    def fit(self, problem: Problem, V: np.ndarray | None, before: Heads | None) -> Heads:
        """Least risk of the heads, with a ridge on each coordinate."""
        k = problem.data.n_features if V is None else len(V)
        return _fit_deviations(problem, V, np.full(k, self.ridge), before)

    def value(self, A: np.ndarray, V: np.ndarray) -> float:
        """The ridge; V has orthonormal rows."""
        return self.ridge * float((A * A).sum())

    def on_basis(self, A: np.ndarray, V: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """B = 2 ridge A'A."""
        return 2.0 * self.ridge * A.T @ A, A, V


@dataclass(frozen=True)
class TraceHeads:
    """alpha ‖L‖_*, bounded by alpha/2 (‖A‖² + ‖V‖²) with equality where A and V are balanced."""

    turns: ClassVar[bool] = False
    alpha: float

    @property
    def prior(self) -> Prior:
        """alpha/2 ‖A‖²."""
        return Prior(self.alpha)

    def offset(self, V: np.ndarray) -> float:
        """alpha/2 ‖V‖²."""
        return 0.5 * self.alpha * float((V * V).sum())

    def fit(self, problem: Problem, V: np.ndarray | None, before: Heads | None) -> Heads:
        """Ridge alpha / (2 s_j) on the heads' j-th coordinate, s_j the singular value before."""
        assert V is not None
        strength = np.full(len(V), 0.0)
        if before is not None:
            s = np.linalg.norm(before.A, axis=0)
            strength = 0.5 * self.alpha / np.maximum(s, 1e-9 * max(s.max(initial=0.0), 1e-300))
        return _fit_deviations(problem, V, strength, before)

    def value(self, A: np.ndarray, V: np.ndarray) -> float:
        """Alpha times the sum of singular values."""
        return self.alpha * float(np.linalg.svd(A @ V, compute_uv=False).sum())

    def on_basis(self, A: np.ndarray, V: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """B = alpha I at the balanced factors U sqrt(s), sqrt(s) V'."""
        Q, R = np.linalg.qr(V.T)
        U, s, Wt = np.linalg.svd(A @ R.T, full_matrices=False)
        root, V = np.sqrt(s), Wt @ Q.T
        return self.alpha * np.eye(len(s)), U * root, root[:, None] * V


@dataclass(frozen=True)
class MeanHeads:
    """alpha Σ ‖a_i - w0‖² + alpha_common ‖w0‖² on the heads' common part w0."""

    turns: ClassVar[bool] = True
    alpha: float
    alpha_common: float

    @property
    def prior(self) -> Prior:
        """Both."""
        return Prior(2.0 * self.alpha, 2.0 * self.alpha_common)

    def offset(self, V: np.ndarray) -> float:
        """Nothing."""
        return 0.0

    def fit(self, problem: Problem, V: np.ndarray | None, before: Heads | None) -> Heads:
        """The mean-regularized model on the projected features."""
        k = problem.data.n_features if V is None else len(V)
        rest = problem.structure.rest  # type: ignore[attr-defined]
        level = rest.deviation[problem.data.n_features :]
        everywhere = np.ones(k + len(level), dtype=bool)
        common = np.append(np.full(k, self.alpha_common), problem.penalties["common"].strength)  # type: ignore[attr-defined]
        own = np.append(np.full(k, self.alpha), problem.penalties["deviation"].strength)  # type: ignore[attr-defined]
        blocks = _solve(
            problem, project(problem.data, V), everywhere, everywhere, common, own, before
        )
        A = blocks["common"][:k] + blocks["deviation"][:, :k]
        u = {"common": blocks["common"][k:], "deviation": blocks["deviation"][:, k:]}
        return Heads(A, u, blocks)

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


def project(data: TaskData, V: np.ndarray | None, keep_slopes: bool = False) -> TaskData:
    """The data with features V x (n, k), before the slopes (if kept) and the intercept.

    None is all directions, the features themselves.
    """
    X, d = data.design.X, data.n_features
    if V is None and not keep_slopes:
        return data
    parts = [
        X[:, :d] if V is None else X[:, :d] @ V.T,
        *([X[:, :d]] if keep_slopes else []),
        X[:, d:],
    ]
    if any(sparse.issparse(part) for part in parts[:-1]):
        joined = sparse.hstack([sparse.csr_matrix(part) for part in parts], format="csr")
    else:
        parts = [part.toarray() if sparse.issparse(part) else np.asarray(part) for part in parts]
        joined = np.hstack(parts)
    return replace(data, design=Design(joined, data.design.index, data.design.start))


def _fit_deviations(
    problem: Problem, V: np.ndarray | None, strength: np.ndarray, before: Heads | None
) -> Heads:
    """Heads as deviations, beside the rest of the problem (w0 on all slopes where it is split)."""
    k, d, rest = len(strength), problem.data.n_features, problem.structure.rest  # type: ignore[attr-defined]
    slopes = bool(rest.common[:d].any())
    kept = slice(None) if slopes else slice(d, None)
    common = np.append(np.zeros(k, dtype=bool), rest.common[kept])
    own = np.append(np.ones(k, dtype=bool), rest.deviation[kept])
    strengths = np.append(strength, problem.penalties["deviation"].strength)  # type: ignore[attr-defined]
    free = problem.penalties["common"].strength  # type: ignore[attr-defined]
    blocks = _solve(problem, project(problem.data, V, slopes), common, own, free, strengths, before)
    u = {"common": blocks["common"], "deviation": blocks["deviation"][:, k:]}
    return Heads(blocks["deviation"][:, :k], u, blocks)


def _solve(
    problem: Problem, data: TaskData, common: np.ndarray, own: np.ndarray,
    common_strength: np.ndarray, own_strength: np.ndarray, before: Heads | None,
) -> Blocks:  # fmt: skip
    penalties = {"common": Ridge(common_strength), "deviation": Ridge(own_strength)}
    small = Problem(data, problem.loss, CommonDeviation(common, own), penalties)
    if ConjugateGradients().why_not(small) is None:  # all of many features, or very many tasks
        return ConjugateGradients().solve(small, None, _PRODUCTS_TOL, _NEWTON_STEPS[0]).blocks
    if problem.loss.constant_curvature:
        factor = arrow_problem(small).factor(np.ones(len(data.y)))
        return {b: -step for b, step in factor.solve(small.residual(small.zeros())).items()}
    start = None
    if before is not None and before.blocks["deviation"].shape[1] == own.sum():
        start = before.blocks
    return Newton().solve(small, start, _TOL, _NEWTON_STEPS[start is not None]).blocks
