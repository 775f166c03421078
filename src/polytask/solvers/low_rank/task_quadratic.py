"""The squared risk as a quadratic in L, from Gram matrices: what alternation needs of the data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from polytask.algebra.curvature import SharedGram, make_curvature
from polytask.data import TaskData
from polytask.data.kept import kept
from polytask.problem import Problem
from polytask.solvers.facts import ridge_of, slopes_of
from polytask.solvers.norms.profile import rest_facts, zero_profile

__all__ = ["TaskQuadratic", "task_quadratic"]

_LOST = 1e-6  # share of a feature's square left by its mean, below which rows are centred first

_CONSTANT = 1e-24  # the same share, of a feature that is constant inside a task
_COPIES_LIMIT = 1e7  # numbers: a Gram matrix that tasks share is copied up to 80 MB


@dataclass(frozen=True, eq=False)
class TaskQuadratic:
    """Q(L, b) = constant + Σ_i (½ l_i'H_i l_i - s_i'l_i + b'E_i l_i) + ½ b'T b - t'b.

    b holds what tasks share beside L: the common intercept where one pulls the tasks' own, and w0
    where it is split off. The tasks' own intercepts are eliminated.

    Parameters
    ----------
    H : ndarray of shape (m, d, d)
    s : ndarray of shape (m, d)
    E : ndarray of shape (m, q, d)
    T, t : ndarray of shape (q, q), (q,)
    constant : float
    """

    H: np.ndarray
    s: np.ndarray
    E: np.ndarray
    T: np.ndarray
    t: np.ndarray
    constant: float

    @cached_property
    def packed(self) -> np.ndarray:
        """The upper triangles of H by rows, shape (m, d (d + 1) / 2)."""
        j, e = np.triu_indices(self.s.shape[1])
        return np.ascontiguousarray(self.H[:, j, e])


def task_quadratic(problem: Problem) -> TaskQuadratic | None:
    """The quadratic, kept for as long as the data live; None where no Gram matrices serve."""
    data, rest = problem.data, slopes_of(problem).rest
    if not problem.loss.is_quadratic or rest.deviation[: data.n_features].any():
        return None
    curvature = make_curvature(data, data.weight, True)
    grams = curvature.grams
    if isinstance(curvature, SharedGram) and data.n_tasks * data.n_coefs**2 <= _COPIES_LIMIT:
        grams = curvature.scale[:, None, None] * curvature.gram
    if grams is None:
        return None
    key = ("task quadratic", *rest_facts(problem))
    return kept(data, key, lambda: _make(problem, grams))


def _make(problem: Problem, grams: np.ndarray) -> TaskQuadratic:
    data, rest = problem.data, slopes_of(problem).rest
    d, m = data.n_features, data.n_tasks
    if not data.intercept:
        H, s = grams, -zero_profile(problem).risk_gradient
        constant = 0.5 * float(data.weight @ data.y**2)
        E, T, t = np.zeros((m, 0, d)), np.zeros((0, 0)), np.zeros(0)
    else:
        pull = 2.0 * float(ridge_of(problem, "deviation").strength[-1])
        H, s, E, T, t, constant = _without_intercepts(data, grams, pull)
    if rest.common[:d].any():  # w0 on the slopes
        T = np.block([[H.sum(axis=0), E.sum(axis=0).T], [E.sum(axis=0), T]])
        E, t = np.concatenate([H, E], axis=1), np.append(s.sum(axis=0), t)
    return TaskQuadratic(H, s, E, T, t, constant)


def _without_intercepts(data: TaskData, grams: np.ndarray, pull: float) -> tuple[Any, ...]:
    """The tasks' own intercepts at their best, near a common one with half the strength ``pull``.

    With n_i the task's weight, the best deviation is a share n_i / (n_i + pull) of the residual
    mean; what is left is a sum of squares with weight pull n_i / (n_i + pull) around b0.
    """
    d = data.n_features
    n = grams[:, d, d]
    rows = n > 0
    mean = grams[:, :d, d] / np.where(rows, n, 1.0)[:, None]
    one, omega = data.design.last_column(), data.weight  # of ones, or of what stands for rows
    y = data.y - float((omega * one) @ data.y) / float((omega * one) @ one) * one
    level = np.bincount(data.code, omega * one * y, minlength=len(n)) / np.where(rows, n, 1.0)
    left = y - level[data.code] * one
    H = grams[:, :d, :d] - (n[:, None] * mean)[:, :, None] * mean[:, None, :]
    square, kept = np.einsum("ijj->ij", grams)[:, :d], np.einsum("ijj->ij", H)
    if (kept < _LOST * square).any():  # the mean is far larger than what varies
        H = _centred_grams(data, mean)
    s = data.design.adjoint(omega * left)[:, :d]
    constant_in = np.einsum("ijj->ij", H) < _CONSTANT * square
    if constant_in.any():  # rounding would be taken for a little that varies
        H[constant_in[:, :, None] | constant_in[:, None, :]] = 0.0
        s[constant_in] = 0.0
    w = n * pull / (n + pull) if pull > 0 else np.zeros_like(n)
    constant = 0.5 * (float(omega @ left**2) + float(w @ level**2))
    if pull == 0:
        return H, s, np.zeros((len(n), 0, d)), np.zeros((0, 0)), np.zeros(0), constant
    u = w[:, None] * mean
    H += u[:, :, None] * mean[:, None, :]
    E = u[:, None, :]
    return H, s + u * level[:, None], E, np.array([[w.sum()]]), np.array([w @ level]), constant


def _centred_grams(data: TaskData, mean: np.ndarray) -> np.ndarray:
    H = np.zeros((data.n_tasks, data.n_features, data.n_features))
    for i in np.flatnonzero(data.sizes):
        block, _, omega = data.block(int(i))
        rows = block.toarray() if sparse.issparse(block) else block  # type: ignore[attr-defined]
        Z = (rows[:, :-1] - rows[:, -1:] * mean[i]) * np.sqrt(omega)[:, None]
        H[i] = Z.T @ Z
    return H
