"""The block-arrow system behind every quadratic penalty on a common part and deviations.

The Hessian of ``R(w0 + Δw_i)`` with quadratic penalties has a block C + G for the common part, a
block L_i + D for each task's deviation, and E_i between them: an arrow. Eliminating the tasks
leaves one small system for the common part,

    S = C + G - sum_i E_i' (L_i + D)^-1 E_i,

so that a fit costs one small inverse a task and one for S, whatever the number of tasks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from scipy import sparse

from polytask.algebra.linalg import null_space, psd_inverse_roots, psd_inverses, squares_times
from polytask.algebra.wide import WideRidge
from polytask.data import Design
from polytask.structures import Blocks, CommonDeviation

__all__ = ["ArrowFactor", "WideTask", "factor_arrow", "factor_grams", "few_rows", "in_both"]


_SURE = 1e4  # share of a column over its pivot below which it depends on no others
_ROUNDING = 1e-15  # share of a sum that is rounding
_SAME = 1e-8  # share of a direction that is rounding
_FAR_ABOVE = 1e6  # strength, in Gram matrices, above which these are kept
_AT_ONCE, _MOST_AT_ONCE = 64, 4_000_000  # columns, and numbers, of matrices factored together


@dataclass(frozen=True, eq=False)
class WideTask:
    """A task with fewer rows than deviation coefficients."""

    ridge: WideRidge  # its deviation's system
    Z_common: Any  # its scaled rows, columns of the common part


@dataclass(frozen=True, eq=False)
class ArrowFactor:
    """Factorization of the arrow Hessian at given curvatures.

    Parameters
    ----------
    narrow : int ndarray
        Tasks kept as R_i with R_i'R_i = (L_i + D)^-1 in ``roots`` (b, k, k) and E_i in ``coupling``
        (b, k, c), which is None where Gram matrices were overwritten: E_i = L_i, and what it does
        follows from R_i and D, with a loss of digits where D is far above L_i.
    wide : dict {task: WideTask}
        Tasks kept in their row space.
    schur : ndarray of shape (c, c) or WideRidge
        The inverse of S.
    both : pair of int ndarrays
        Places, in the common part and in a deviation, of the coefficients that have both parts.
    singular : bool
        Whether a pseudo-inverse stands in for an inverse: the solution is then one of many, or
        inexact.
    null : ndarray of shape (c, j)
        Directions of the common part that S takes to nothing but rounding, and that are left out.
    """

    narrow: np.ndarray
    roots: np.ndarray
    coupling: np.ndarray | None
    D: np.ndarray
    wide: dict[int, WideTask]
    schur: np.ndarray | WideRidge
    both: tuple[np.ndarray, np.ndarray]
    singular: bool = False
    null: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))

    def solve(self, rhs: Blocks) -> Blocks:
        """Solution of the arrow system for a right-hand side in each block."""
        local = rhs["deviation"]
        step = self._solve_tasks(local)
        reduced = self._reduced(rhs["common"], local, step)
        if isinstance(self.schur, WideRidge):
            common = self.schur.solve(reduced)
        else:
            common = self.schur @ reduced
        step[self.narrow] -= self._follow(common)
        for i, task in self.wide.items():
            step[i] -= task.ridge.solve(task.ridge.Z.T @ (task.Z_common @ common))
        return {"common": common, "deviation": step}

    def _solve_tasks(self, R: np.ndarray) -> np.ndarray:
        out = np.zeros_like(R)
        out[self.narrow] = self._invert(R[self.narrow])
        for i, task in self.wide.items():
            out[i] = task.ridge.solve(R[i])
        return out

    def _reduced(self, common: np.ndarray, local: np.ndarray, step: np.ndarray) -> np.ndarray:
        """The right-hand side less sum_i E_i' step_i, where (L_i + D) step_i = local_i.

        With both parts E_i is L_i, and L_i step_i is local_i - D step_i: next to a small D the
        sums of the first cancel, and what is left of them but rounding is all that counts.
        """
        c, k = self.both
        out = common.copy()
        if len(c) < len(common):
            assert self.coupling is not None
            out -= np.einsum("bkc,bk->c", self.coupling, step[self.narrow])
            for i, task in self.wide.items():
                out -= task.Z_common.T @ (task.ridge.Z @ step[i])
        left = common[c] - local[:, k].sum(axis=0)
        left[np.abs(left) <= _ROUNDING * np.abs(local[:, k]).sum(axis=0)] = 0.0
        out[c] = left + self.D[k] * step[:, k].sum(axis=0)
        return out

    def _follow(self, common: np.ndarray) -> np.ndarray:
        """(L_i + D)^-1 E_i common, (b, k)."""
        if self.coupling is None:
            own = np.broadcast_to(self.D * common, self.roots.shape[:2])
            return np.asarray(common - self._invert(own))
        return self._invert(self.coupling @ common)

    def _invert(self, local: np.ndarray) -> np.ndarray:
        """(L_i + D)^-1 local_i, (b, k)."""
        return squares_times(self.roots, local)


def factor_arrow(
    design: Design, v: np.ndarray, structure: CommonDeviation, G: np.ndarray, D: np.ndarray,
    grams: np.ndarray | None = None, total: Callable[[], np.ndarray] | None = None,
) -> ArrowFactor:  # fmt: skip
    """Factor the arrow Hessian of rows, in the row space of tasks that have few.

    Parameters
    ----------
    v : ndarray of shape (N,)
        Curvature of each observation's term in R.
    G, D : ndarray of shapes (c,), (k,)
        Curvature (twice the strength) of the penalties on the common part and on deviations.
    grams : ndarray of shape (m, p, p) or None
        sum v x x' of each task where they are at hand.
    total : callable or None
        Their sum (p, p), from who keeps it.
    """
    if grams is not None:
        return factor_grams(grams, structure, G, D)
    c, k = np.flatnonzero(structure.common), np.flatnonzero(structure.deviation)
    in_rows = _kept_in_rows(design, k, D)
    if few_rows(design, c, k, G, D):
        return _factor_in_rows(design, v, c, k, G, D)
    if len(c) == len(k) == design.n_columns and not in_rows.any():
        again = partial(design.grams, v)
        return factor_grams(again(), structure, G, D, again, total or partial(design.total_gram, v))
    narrow = np.flatnonzero(~in_rows)
    wide = _wide_tasks(design, v, c, k, D, np.flatnonzero(in_rows))
    return _factor(narrow, _blocks(design, v, c, k, narrow, total), wide, c, k, G, D)


def factor_grams(
    grams: np.ndarray, structure: CommonDeviation, G: np.ndarray, D: np.ndarray,
    again: Callable[[], np.ndarray] | None = None,
    total: Callable[[], np.ndarray] | None = None,
) -> ArrowFactor:  # fmt: skip
    """Factor the arrow Hessian of Gram matrices sum v x x' (m, p, p), one of each task.

    Parameters
    ----------
    G, D
        As in `factor_arrow`.
    again : callable or None
        Makes the Gram matrices once more. With it they may be overwritten where every coefficient
        has both parts: for answers that are corrected by their residuals afterwards.
    total : callable or None
        Makes their sum (p, p) once more.
    """
    c, k = np.flatnonzero(structure.common), np.flatnonzero(structure.deviation)
    size = np.einsum("bii->i", grams)
    whole = len(c) == len(k) == len(size) and bool((D * len(grams) <= _FAR_ABOVE * size).all())
    blocks = (G, None, grams) if again and whole else _split(grams, c, k)
    return _factor(np.arange(len(grams)), blocks, {}, c, k, G, D, again, total)


def in_both(c: np.ndarray, k: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places, in each of two rising sequences, of the numbers that are in both."""
    if np.array_equal(c, k):  # nearly always
        return np.arange(len(c)), np.arange(len(k))
    _, common, own = np.intersect1d(c, k, assume_unique=True, return_indices=True)
    return common, own


_Blocks = tuple[np.ndarray, np.ndarray | None, np.ndarray]


def _factor(
    narrow: np.ndarray, blocks: _Blocks, wide: dict[int, WideTask], c: np.ndarray, k: np.ndarray,
    G: np.ndarray, D: np.ndarray, again: Callable[[], np.ndarray] | None = None,
    total: Callable[[], np.ndarray] | None = None,
) -> ArrowFactor:  # fmt: skip
    C, E, L = blocks
    both = len(c) == len(k)
    size = np.einsum("bii->i", L)
    tasks, whole = np.zeros(len(L), dtype=bool), np.zeros(1, dtype=bool)
    np.einsum("bii->bi", L)[:] += D
    inverses = np.zeros((len(k), len(k))) if both else None
    roots = psd_inverse_roots(np.ascontiguousarray(L), tasks, inverses)
    if E is None and tasks.any():  # a pseudo-inverse does not say what E does
        assert again is not None
        E = again()
    S = np.diag(G) + _eliminate(C, E, roots, inverses, D, c, k)
    rows = [_dense(task.Z_common) for task in wide.values()]
    for Z, task in zip(rows, wide.values(), strict=True):
        S += Z.T @ task.ridge.annihilate(Z)
        if both:
            size = size + np.einsum("nk,nk->k", Z, Z)
    S = 0.5 * (S + S.T)
    null = np.zeros((len(c), 0))
    root = psd_inverse_roots(S[None].copy(), whole)[0]
    schur = root.T @ root
    if whole.any():
        null = null_space(S)
    lost = tasks.any() or (whole.any() and not null.size)
    # pivots of the tasks' Gram matrices are no smaller than those of S, which lies below them
    if both and (whole.any() or (root.diagonal() * np.sqrt(size)).max(initial=0.0) > _SURE):
        if E is None:
            assert total is not None
            whole_gram = total()
        else:
            whole_gram = E.sum(axis=0) + sum(Z.T @ Z for Z in rows)
        size = np.sqrt(np.einsum("ii->i", whole_gram))
        null = _together(null, _hidden(whole_gram, G, D), size)
    return ArrowFactor(narrow, roots, E, D, wide, schur, in_both(c, k), bool(lost), null)


def _dense(Z: Any) -> np.ndarray:
    return Z.toarray() if sparse.issparse(Z) else np.asarray(Z)


def _hidden(total: np.ndarray, G: np.ndarray, D: np.ndarray) -> np.ndarray:
    """Directions (c, j) of free common coefficients in which the tasks' Gram matrices are rounding.

    S lies below the strengths D there and looks as sound as they are.
    """
    free = np.flatnonzero((G == 0) & (D > 0))
    lost = np.zeros(1, dtype=bool)
    within = total[np.ix_(free, free)]
    psd_inverses(within[None].copy(), lost)
    null = np.zeros((len(G), 0))
    if lost.any():
        found = null_space(within)
        null = np.zeros((len(G), found.shape[1]))
        null[free] = found
    return null


def _together(null: np.ndarray, hidden: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Both sets of directions; those of S that are hidden ones, which have more digits, once."""
    basis = np.linalg.qr(size[:, None] * hidden)[0]
    scaled = size[:, None] * null
    beside = np.linalg.norm(scaled - basis @ (basis.T @ scaled), axis=0)
    return np.hstack([null[:, beside > _SAME * np.linalg.norm(scaled, axis=0)], hidden])


def few_rows(design: Design, c: np.ndarray, k: np.ndarray, G: np.ndarray, D: np.ndarray) -> bool:
    """Whether the common part c and all deviations k are solved in the space of the rows."""
    in_rows = bool(_kept_in_rows(design, k, D).all()) or len(k) <= 1
    return in_rows and len(c) > design.start[-1] and bool((G > 0).sum() >= len(c) - 1)


def _kept_in_rows(design: Design, k: np.ndarray, D: np.ndarray) -> np.ndarray:
    """Tasks whose row space is smaller than their deviation; needs penalized deviations.

    Small matrices of many tasks are factored at once, which row spaces, one after the other, are
    not: with 42 columns and 138 tasks of at most 18 rows they took four times as long.
    """
    sizes = np.diff(design.start)
    few_free = (D > 0).sum() >= len(k) - 1
    large = len(k) > _AT_ONCE or len(sizes) * len(k) ** 2 > _MOST_AT_ONCE
    return (2 * sizes < len(k)) & few_free & (len(k) > 16) & large


def _factor_in_rows(
    design: Design, v: np.ndarray, c: np.ndarray, k: np.ndarray, G: np.ndarray, D: np.ndarray
) -> ArrowFactor:  # fmt: skip
    """Fewer observations than common coefficients: the common part in row space as well."""
    whole = not design.sparse and len(c) == design.n_columns
    rows: Any = np.empty((len(v), len(c))) if whole else None
    wide = _wide_tasks(design, v, c, k, D, np.arange(design.n_tasks), rows)
    if not whole:
        stack: Any = sparse.vstack if design.sparse else np.vstack
        rows = stack([task.Z_common for task in wide.values()])
    roots = [task.ridge.annihilator_root() for task in wide.values()]
    schur = WideRidge(rows.tocsr() if design.sparse else rows, G, roots)
    none = np.zeros((0, len(k), len(k)))
    coupling = np.zeros((0, len(k), len(c)))
    return ArrowFactor(np.zeros(0, dtype=int), none, coupling, D, wide, schur, in_both(c, k))


def _wide_tasks(
    design: Design, v: np.ndarray, c: np.ndarray, k: np.ndarray, D: np.ndarray, tasks: np.ndarray,
    out: np.ndarray | None = None,
) -> dict[int, WideTask]:  # fmt: skip
    """Tasks in their row spaces; their scaled rows are written to ``out`` (N, p) if it is given."""
    found = {}
    for i in tasks:
        part = slice(design.start[i], design.start[i + 1])
        root, rows = np.sqrt(v[part])[:, None], design.block(i)
        if design.sparse:
            Z = rows.multiply(root).tocsr()
        else:
            Z = np.multiply(rows, root, out=None if out is None else out[part])
        found[int(i)] = WideTask(WideRidge(_columns(Z, k), D), _columns(Z, c))
    return found


def _columns(Z: Any, k: np.ndarray) -> Any:
    """Some columns, rising; without a copy where they are all."""
    return Z if len(k) == Z.shape[1] else Z[:, k]


def _blocks(
    design: Design, v: np.ndarray, c: np.ndarray, k: np.ndarray, narrow: np.ndarray,
    total: Callable[[], np.ndarray] | None,
) -> _Blocks:  # fmt: skip
    """C (c, c) summed over narrow tasks, E (b, k, c) and L (b, k, k) of each."""
    level = len(k) == 1 and k[0] == design.n_columns - 1  # only an intercept of its own
    if len(k) == 0 or level:
        C = (design.total_gram(v) if total is None else total())[np.ix_(c, c)]
    if len(k) == 0:  # nothing of a task's own
        return C, np.zeros((len(narrow), 0, len(c))), np.zeros((len(narrow), 0, 0))
    if level:
        sums = design.adjoint(v * design.last_column())
        return C, sums[:, None, c], sums[:, None, k]
    if len(narrow) == 0:  # all tasks are kept in row space
        none = np.zeros((0, len(k), len(k)))
        return np.zeros((len(c), len(c))), np.zeros((0, len(k), len(c))), none
    H = design.grams(v, narrow)
    return _split(H if len(narrow) == len(H) else H[narrow], c, k)


def _split(H: np.ndarray, c: np.ndarray, k: np.ndarray) -> _Blocks:
    """C (c, c) summed over tasks, E (b, k, c) and L (b, k, k) of Gram matrices H (b, p, p)."""
    p = H.shape[-1]
    if len(c) == len(k) == p:  # C is not asked for: L says it all
        return np.zeros((p, p)), H, H.copy()
    return H.sum(axis=0)[np.ix_(c, c)], H[:, k[:, None], c], H[:, k[:, None], k]


def _eliminate(
    C: np.ndarray,
    E: np.ndarray | None,
    roots: np.ndarray,
    inverses: np.ndarray | None,
    D: np.ndarray,
    c: np.ndarray,
    k: np.ndarray,
) -> np.ndarray:
    """C - sum_i E_i' (L_i + D)^-1 E_i without the cancellation that this form suffers.

    On coefficients with both parts, E = L there and the rows are D (L + D)^-1 E. ``inverses`` is
    the sum of the (L_i + D)^-1, where that may serve.
    """
    c_both, k_both = in_both(c, k)
    whole = len(c_both) == len(c) == len(k)
    if whole and (E is None or not (D * len(E) > _FAR_ABOVE * np.einsum("bii->i", E)).any()):
        assert inverses is not None
        total = len(roots) * np.eye(len(k)) - inverses * D
        return D[:, None] * total
    assert E is not None
    X = roots.transpose(0, 2, 1) @ (roots @ E)
    S = C - np.einsum("bkc,bke->ce", E, X) if len(c_both) < len(c) else C.copy()
    S[c_both] = (D[:, None] * X.sum(axis=0))[k_both]
    S[:, c_both] = S[c_both].T
    return S
