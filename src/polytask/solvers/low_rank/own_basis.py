"""Rank problems in orthonormal features: columns that are nearly alike hide what is left to gain.

R + alpha rank(L) is blind to a change of basis, R(L; X) = R(L T⁻'; X T). In features X T of unit
variance and without correlation a gradient is as large as what it promises; between columns that
differ by a millionth it is a millionth of that, and a violation of 1e-8 says nothing.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import sparse

from polytask.algebra.curvature import one_gram_serves
from polytask.data import TaskData
from polytask.data.kept import kept
from polytask.penalties import Ridge
from polytask.problem import Problem
from polytask.solvers.base import Solution
from polytask.solvers.facts import rank_of, ridge_of, slopes_of
from polytask.solvers.low_rank.heads import project
from polytask.solvers.low_rank.row_alternation import slope_gram
from polytask.solvers.norms.profile import zero_profile
from polytask.structures import CommonDeviation, SlopesPlus

__all__ = ["hidden_gain", "in_own_basis", "on_features"]

_ALIKE = 1e-3  # share of the strongest direction below which the weakest hides its slopes
_ROUNDING = 1e-13  # the same, below which there is no direction
_MOST_FEATURES, _MOST_NUMBERS = 1500, 1e8  # that are decomposed


def in_own_basis(problem: Problem) -> tuple[Problem, np.ndarray] | None:
    """The problem on features X T, and T (d, r); None where the features serve as they are."""
    d, rest = problem.data.n_features, slopes_of(problem).rest
    free = ridge_of(problem, "common").strength
    split = bool(rest.common[:d].any())
    if rank_of(problem).ridge or (split and free[:d].any()):
        return None
    made = _own_basis(problem)
    if made is None:
        return None
    T, data = made
    r = T.shape[1]
    common, own = (np.append(np.repeat(q[:1], r), q[d:]) for q in (rest.common, rest.deviation))
    strength = np.append(np.zeros(r), free[d:]) if split else free
    penalties = {**problem.penalties, "common": Ridge(strength)}
    structure = SlopesPlus(CommonDeviation(common, own), r)
    return Problem(data, problem.loss, structure, penalties), T


def on_features(problem: Problem, T: np.ndarray, found: Solution) -> Solution:
    """A solution on features X T as one of the problem, with the violation that it has there."""
    r = T.shape[1]
    blocks = {**found.blocks, "low_rank": found.blocks["low_rank"] @ T.T}
    if slopes_of(problem).rest.common[: len(T)].any():
        common = blocks["common"]
        blocks["common"] = np.append(T @ common[:r], common[r:])
    return replace(found, blocks=blocks, coefs=problem.structure.assemble(blocks))


def hidden_gain(problem: Problem, left: np.ndarray, curvature: float, common: float) -> float:
    """What steps along directions that the features hide promise, of the objective at L = 0.

    ``left`` (m, d) is what is left of the gradient in L where the penalty is not blind to the
    basis; ``curvature`` is the penalty's for one task's coefficients, ``common`` for all alike.
    """
    made = _own_basis(problem)
    if made is None:
        return 0.0
    T, data = made
    slope, long = left @ T, (T * T).sum(axis=0)
    bend = data.null_curvature(problem.loss) * data.column_norms[:, : len(long)] ** 2
    own = slope**2 / (np.maximum(bend, bend.mean(axis=0)) + curvature * long)
    alike = slope.sum(axis=0) ** 2 / (bend.sum(axis=0) + common * long)
    return 0.5 * float(own.sum() + alike.sum()) / max(zero_profile(problem).smooth, 1e-300)


def _own_basis(problem: Problem) -> tuple[np.ndarray, TaskData] | None:
    data = problem.data
    if problem.loss.is_quadratic and data.keeps_grams and not one_gram_serves(data):
        _ = data.grams  # steps will ask for them, and their sum is at hand
    return kept(data, ("own basis",), lambda: _make(data))


def _make(data: TaskData) -> tuple[np.ndarray, TaskData] | None:
    d = data.n_features
    if d > _MOST_FEATURES or data.design.X.shape[0] * d > _MOST_NUMBERS:
        return None
    M = slope_gram(data)
    scale = np.sqrt(np.maximum(np.diag(M), 0.0))
    scale = np.where(scale > 0, scale, 1.0)
    weakest = np.linalg.eigvalsh(M / np.outer(scale, scale))[0] if d else 1.0
    if weakest > _ALIKE**2 * d:
        return None
    Z = _rows(data) / scale
    _, s, Vt = np.linalg.svd(np.linalg.qr(Z, mode="r"), full_matrices=False)
    real = s > _ROUNDING * s.max(initial=0.0)
    if not real.any() or (s[real] > _ALIKE * s[0]).all():  # a copy to the last digit hides nothing
        return None
    T = (Vt[real] / s[real, None]).T / scale[:, None]
    return T, project(data, np.ascontiguousarray(T.T))


def _rows(data: TaskData) -> np.ndarray:
    """The features in the weight of their rows, about the means of tasks with intercepts."""
    d, omega = data.n_features, data.weight
    X = data.design.distinct_rows()
    X = (X.toarray() if sparse.issparse(X) else np.asarray(X, dtype=float))[:, :d]
    X = X if data.design.index is None else X[data.design.index]
    if data.intercept:
        mass = np.bincount(data.code, omega, minlength=data.n_tasks)
        level = data.design.adjoint(omega * data.design.last_column())[:, :d]
        X = X - (level / np.maximum(mass, 1e-300)[:, None])[data.code]
    return X * np.sqrt(omega)[:, None]
