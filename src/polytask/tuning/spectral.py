"""Leave-one-out of the squared loss at many strengths, from one eigendecomposition a task.

In a task with rows Z = V S^½ U' (times the roots of their weights), targets y and a column o of
the intercept, a deviation of curvature c on slopes and e on the intercept leaves

    M y = V rho V'y + (what V leaves of y) - M_s o (o'M_s y) / t,   rho = c / (S + c),

where M_s is M without the last term and t = e + o'M_s o. Eliminating the tasks leaves
H = G + sum [Z o]'M [Z o] for the common part w; residuals are M (y - Z w), and 1 - h of an
observation is M_jj - u'H^-1 u, u its row of M [Z o]. All of this is products of fixed matrices
with what depends on the strengths, so many strengths are done at once, and nothing is subtracted
where a fit nearly interpolates.

Arrays over points have the strengths first, those over rows have them last.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from threading import Lock, get_ident

import numpy as np

from polytask.algebra.linalg import psd_inverse_roots, symmetric_eigen
from polytask.algebra.spectra import Eigen, TaskSpectra, numbers_in_spectra, task_spectra
from polytask.compiled import loops
from polytask.data import TaskData
from polytask.data.batches import Batch
from polytask.data.threads import share as share_among_threads
from polytask.solvers.arrow_problem import ArrowProblem
from polytask.structures import Blocks
from polytask.tuning.leverages import (
    LossesLeftOut,
    Solved,
    common_leverage,
    losses,
    own_left,
    slopes_of_deviations,
)

__all__ = ["Points", "SpectralFits", "serves"]

_KEPT = 1e8  # numbers: spectra are kept over calls up to 800 MB, else rows turned in every pass
_LEAST = 1e-7  # curvature over the largest eigenvalue below which Gram matrices lose the digits
_LEFT, _TINY = 1e-9, 1e-300  # share of M_jj that w0 leaves at least; in place of zero
_SURE = 1e4  # share of a column over its pivot below which it depends on no others
_EIGEN = 10.0  # multiplications of a spectrum for each of its task's Gram matrix
_PER_PRODUCT = 3e-11  # seconds that loops save for each product of a row with itself
_TOGETHER = 8  # tasks whose eigenvectors are found together
_FEW = 8  # batches whose eigenvalues show where those of all are
_SYSTEMS = 10_000_000  # numbers in the systems of the common part that are held at once


def serves(arrows: Sequence[ArrowProblem]) -> np.ndarray:
    """Of problems with the same data: whether one ridge on all slopes and dense rows suffice."""
    data, loss = arrows[0].problem.data, arrows[0].problem.loss
    d, p = data.n_features, data.n_coefs
    found = np.zeros(len(arrows), dtype=bool)
    if not loss.is_quadratic or data.design.sparse or d == 0:
        return found
    whole = [i for i, a in enumerate(arrows) if len(a.D) == p and len(a.G) in _commons(data)]
    if whole:
        D = np.array([arrows[i].D[:d] for i in whole])
        largest = float((data.column_norms[:, :d] ** 2).sum(axis=1).max(initial=0.0))
        found[whole] = (D[:, :1] == D).all(axis=1) & (D[:, 0] > _LEAST * largest)
    return found


def _commons(data: TaskData) -> tuple[int, ...]:
    """How many coefficients of the common part are served."""
    return (0, data.n_coefs) if data.n_coefs < len(data.y) else (0,)


@dataclass(frozen=True, eq=False)
class Points:
    """Curvatures c, e (A,) of slopes' and intercepts' deviation, G (A, q) of the common part."""

    c: np.ndarray
    e: np.ndarray
    G: np.ndarray

    @classmethod
    def of(cls, arrows: Sequence[ArrowProblem]) -> Points:
        """Those of problems that the spectra serve; without an intercept e is one."""
        free = arrows[0].problem.data.intercept
        c, e, G = zip(*((a.D[0], a.D[-1] if free else 1.0, a.G) for a in arrows), strict=True)
        return cls(np.array(c), np.array(e), np.array(G))

    def same(self, other: Points | None) -> bool:
        """Whether they are the other's."""
        mine = (self.c, self.e, self.G)
        return other is not None and all(map(np.array_equal, mine, (other.c, other.e, other.G)))

    def path(self) -> np.ndarray:
        """Curvatures of slopes where points differ by nothing else; else none."""
        rest = np.column_stack([self.e, self.G])
        alone = (rest == rest[0]).all() and len(np.unique(self.c)) == len(self.c)
        return self.c if alone else self.c[:0]

    def part(self, some: slice) -> Points:
        """Some of the points."""
        return Points(self.c[some], self.e[some], self.G[some])


@dataclass(frozen=True, eq=False)
class _Eliminated:
    """What tasks leave in the system of w at one curvature c of slopes; names as in the formulas.

    Nothing here depends on the other strengths.
    """

    slopes: np.ndarray  # sum of Z'M_s Z, (d, d)
    rhs: np.ndarray  # sum of Z'M_s y, (d,)
    q: np.ndarray  # Z'M_s o of each task, (m, d)
    one_one: np.ndarray  # o'M_s o, (m,)
    one_y: np.ndarray  # o'M_s y, (m,)


@dataclass(frozen=True, eq=False)
class _Held:
    """What w0 has of the leverages at a point, and how that goes on to others.

    Of M_jj w0 takes a share a_j = u'H^-1 u / M_jj, with u a row of M [Z o], and leaves M_jj / (1 +
    b_j), b_j = a_j / (1 - a_j). At another point b_j is taken times one number for all rows: the
    ratio of two sums over rows, of u'H^-1 u, and of a_j M_jj. The first is trace (I - H^-1 G)
    (of M, not of M²) times what one more M leaves of it; sums of M are weighted by each
    eigenvector's part at the held point.
    """

    near: Points
    odds: dict[int, np.ndarray]  # b_j (b, n) of each batch
    s: np.ndarray  # eigenvalues of all tasks, (k,)
    of_squares: np.ndarray  # s_k u'H^-1 u of their eigenvectors u, (k,)
    of_shares: np.ndarray  # sum of V_jk² a_j, (k,)
    outside: float  # sum of a_j outside V
    unit: float = 1.0  # the ratio at the held point

    def growth(self, at: Solved, G: np.ndarray) -> np.ndarray:
        """b_j over those at the held point, (A,)."""
        d = at.q.shape[2]
        rho = 1.0 / (1.0 + self.s / at.c[:, None])
        both = rho * self.of_squares
        again = (both * rho).sum(axis=1) / np.maximum(both.sum(axis=1), _TINY)
        informed = 1.0 - G * (at.R**2).sum(axis=1)
        level = at.e[:, None] / at.t
        once = level * (at.t - at.e[:, None])
        level_again = (level * once).sum(axis=1) / np.maximum(once.sum(axis=1), _TINY)
        total = again[at.of] * informed[:, :d].sum(axis=1)
        total += level_again * informed[:, d:].sum(axis=1)
        total /= np.maximum(rho @ self.of_shares + self.outside, _TINY)[at.of]
        return np.asarray(total / (self.unit or 1.0))


class SpectralFits:
    """Fits and leverages of one data set at many strengths.

    Parameters
    ----------
    data : TaskData
    """

    def __init__(self, data: TaskData) -> None:
        self.data = data
        vectors, all_numbers = numbers_in_spectra(data)
        self.kept, self._keeps_vectors = all_numbers <= _KEPT, vectors <= _KEPT
        self._kept: dict[int, TaskSpectra] = {}
        self._alone: dict[int, Eigen] = {}  # of what is not in ``_kept`` yet
        self._eliminated: dict[float, _Eliminated] = {}  # by the curvature
        self._held: _Held | None = None

    def leave_out(
        self,
        points: Points,
        leaves: np.ndarray,
        near: Points | None = None,
        wanted: str = "risk",
    ) -> LossesLeftOut:
        """Losses of every task (m, A) without one row each, see `losses`.

        ``leaves`` (N,) is the share of each observation's weight that leaves with it. Of leverages
        the part through w0 costs most and is least where rows are many: it is told by that of the
        one point ``near`` where that is given, and is zero where w0 is as at the fit, which "near"
        in place of the "risk" is ``wanted`` for, or beside it: "both".
        """
        if not points.G.shape[1]:
            near = None
        if near is not None and not (self._held and near.same(self._held.near)):
            self._hold(near)
        numbers = max(points.G.shape[1] ** 2, self.data.n_tasks * self.data.n_coefs)
        size = max(1, _SYSTEMS // numbers)
        parts = [
            self._leave_out(
                points.part(slice(first, first + size)), leaves, near is not None, wanted
            )
            for first in range(0, len(points.c), size)
        ]
        return LossesLeftOut(*(np.hstack(found) for found in zip(*parts, strict=True)))

    def spectrum(self) -> np.ndarray:
        """Positive eigenvalues of some tasks, ascending."""
        batches = self.data.design.batches
        few = batches[:: max(1, len(batches) // _FEW)]
        self._decompose_alone()
        s = np.sort(np.concatenate([self._spectra(batch, False).s.ravel() for batch in few]))
        return s[s > 0]

    def blocks(self, point: Points) -> Blocks | None:
        """The fit at a point; None without a common part, or where that is not sure."""
        at, d = self._solve(point), self.data.n_features
        if not at.w.size or not at.sure.all():
            return None
        deviation = np.zeros((self.data.n_tasks, self.data.n_coefs))

        def work(one: TaskSpectra) -> None:
            deviation[one.batch.tasks, :d] = slopes_of_deviations(one, at)[:, 0]

        self._each(work, 2.0)
        deviation[:, d:] = -at.beta.T - at.w[:, d:]
        return {"common": at.w[0], "deviation": deviation}

    def _hold(self, near: Points) -> None:
        """Leverages through w0 at a point, for others."""
        solved, odds, lock, d = self._solve(near), {}, Lock(), self.data.n_features
        sums, outside = [np.zeros((3, 0))], 0.0

        def work(one: TaskSpectra) -> None:
            nonlocal outside
            common = common_leverage(one, solved)[:, 0]
            own = np.maximum(own_left(one, solved)[:, 0], _TINY)
            share, V = common / own, one.Vt[:, :-2]
            flat, s = one.Ut.reshape(-1, d) @ solved.R[0, :, :d].T, one.s.ravel()
            of_shares = ((V * V) @ share[:, :, None]).ravel()
            with lock:
                odds[id(one.batch)] = np.ascontiguousarray(share / np.maximum(1.0 - share, _LEFT))
                sums.append(np.array([s, s * np.einsum("kq,kq->k", flat, flat), of_shares]))
                outside += float((share * one.outside).sum())

        self._each(work, 2.0 * solved.R.shape[1])
        s, of_squares, of_shares = np.concatenate(sums, axis=1)
        held = _Held(near, odds, s, of_squares, of_shares, outside)
        self._held = replace(held, unit=float(held.growth(solved, near.G)[0]))

    def _leave_out(
        self, points: Points, leaves: np.ndarray, near: bool, wanted: str
    ) -> LossesLeftOut:
        solved, held = self._solve(points), self._held if near else None
        if wanted == "near":
            solved = replace(solved, R=solved.R[:, :0])
        growth = np.ones(0) if held is None else held.growth(solved, points.G)
        m, A = self.data.n_tasks, len(points.c)
        kinds = (float, float, bool, float)
        out = LossesLeftOut(*(np.zeros((m, A), dtype=kind) for kind in kinds))

        def work(one: TaskSpectra) -> None:
            told = None if held is None else (held.odds[id(one.batch)], growth)
            found = losses(one, solved, leaves[one.batch.obs], told, wanted == "both")
            for whole, part in zip(out, found, strict=True):
                whole[one.batch.tasks] = part

        self._each(work, 2.0 * len(points.c))
        return out

    def _solve(self, points: Points) -> Solved:
        """The common part w (A, q) at every point, and R (A, q, q) with R'R = H^-1."""
        (A, q), d = points.G.shape, self.data.n_features
        c, of = np.unique(points.c, return_inverse=True)
        each = self._eliminate(c)
        Q, e = np.array([one.q for one in each]), points.e[:, None]
        one_one, one_y = (
            np.array([getattr(one, name) for one in each])[of] for name in ("one_one", "one_y")
        )
        t = e + one_one
        w, R, beta = np.zeros((A, q)), np.zeros((A, q, q)), -one_y
        lost = np.zeros(A, dtype=bool)
        if q:
            H, rhs = np.zeros((A, q, q)), np.zeros((A, q))
            known: dict[tuple[int, float], int] = {}
            for a, pair in enumerate(zip(of.tolist(), points.e.tolist(), strict=True)):
                if (first := known.setdefault(pair, a)) < a:  # only G differs
                    H[a], rhs[a] = H[first], rhs[first]
                    continue
                one, Y = each[pair[0]], Q[pair[0]] / np.sqrt(t[a, :, None])
                H[a, :d, :d] = one.slopes - Y.T @ Y  # a long product, BLAS sees the symmetry
                rhs[a, :d] = one.rhs - (one_y[a] / t[a]) @ one.q
                H[a, d:, :d] = (e[a] / t[a]) @ one.q
            H[:, :d, d:] = H[:, d:, :d].transpose(0, 2, 1)
            H[:, d:, d:] = (e * one_one / t).sum(axis=1)[:, None, None]
            rhs[:, d:] = (e * one_y / t).sum(axis=1, keepdims=True)
            H[:, np.arange(q), np.arange(q)] += points.G
            R = psd_inverse_roots(H, lost)
            size = np.sqrt((self.data.column_norms**2).sum(axis=0))
            lost |= (np.einsum("aqq->aq", R) * size > _SURE).any(axis=1)
            w = (R.transpose(0, 2, 1) @ (R @ rhs[:, :, None]))[:, :, 0]
            beta += [Q[at] @ w[a, :d] for a, at in enumerate(of)]
            beta -= e * w[:, d:].sum(axis=1, keepdims=True)
        return Solved(c, of, points.e, w, R, t, beta / t, Q, ~lost)

    def _eliminate(self, c: np.ndarray) -> list[_Eliminated]:
        """What tasks leave at every curvature; points that differ by other strengths share it."""
        (m, d), lock = (self.data.n_tasks, self.data.n_features), Lock()
        new = np.array([value for value in c.tolist() if value not in self._eliminated])
        rhs, q = np.zeros((len(new), d)), np.zeros((len(new), m, d))
        one_one, one_y = np.zeros((2, len(new), m))
        sums: defaultdict[int, np.ndarray] = defaultdict(lambda: np.zeros((len(new), *_around(d))))

        def work(one: TaskSpectra) -> None:
            c, tasks = new[:, None, None], one.batch.tasks
            flat, share = one.Ut.reshape(-1, d), c / (one.s + c)
            root, rho_one = np.sqrt(one.s), share * one.one_in
            if one.one_in.any():
                q[:, tasks] = ((root * rho_one)[:, :, None] @ one.Ut)[:, :, 0]
            one_one[:, tasks] = one.one_one + (rho_one * one.one_in).sum(axis=2)
            one_y[:, tasks] = one.one_y + (rho_one * one.y_in).sum(axis=2)
            own = (root * share * one.y_in).reshape(len(new), -1) @ flat
            root = (root * np.sqrt(share)).reshape(len(new), -1)
            _add_grams(flat, root, sums[get_ident()])
            with lock:
                np.add(rhs, own, out=rhs)

        if len(new):
            cost = len(new) * d * d * m / (2.0 * len(self.data.y))
            self._each(work, cost, rows=False)
        slopes = np.tril(sum(sums.values(), np.zeros((len(new), *_around(d))))[:, :d, :d])
        slopes += np.tril(slopes, -1).transpose(0, 2, 1)
        known = self._eliminated
        known.update(
            zip(new.tolist(), map(_Eliminated, slopes, rhs, q, one_one, one_y), strict=True)
        )
        found = [known[value] for value in c.tolist()]
        if len(known) * d * (d + m) > _SYSTEMS:
            known.clear()
        return found

    def _each(self, work: Callable[[TaskSpectra], None], cost: float, rows: bool = True) -> None:
        """Call ``work`` on all batches, some at a time, in threads where there is enough of it.

        ``cost`` is the number of multiplications for each number in the rows.
        """
        made = 0.0 if self._kept and self.kept else _EIGEN * self.data.n_coefs
        self._decompose_alone()
        self.data.design.each(lambda batch: work(self._spectra(batch, rows)), cost + made)

    def _decompose_alone(self) -> None:
        """Eigenvectors of tasks that are batches of their own: of eight at a time."""
        data, d = self.data, self.data.n_features
        alone = [one for one in data.design.batches if len(one.tasks) == 1 and one.n > d]
        if self._kept or not (self.kept and data.keeps_grams) or len(alone) < _TOGETHER:
            return
        grams = data.grams

        def work(some: np.ndarray) -> None:
            for first in some * _TOGETHER:
                few = alone[first : first + _TOGETHER]
                tasks = np.concatenate([one.tasks for one in few])
                s, vectors = symmetric_eigen(grams[tasks, :d, :d])
                for k, one in enumerate(few):
                    self._alone[id(one)] = s[k : k + 1], vectors[k : k + 1]

        share_among_threads(work, np.arange(-(-len(alone) // _TOGETHER)))

    def _spectra(self, batch: Batch, rows: bool = True) -> TaskSpectra:
        """Spectra of a batch; ``rows``: with the singular vectors, which are as large as these."""
        one = self._kept.get(id(batch))
        if one is None or (rows and not one.Vt.size):
            eigen = self._alone.pop(id(batch), None)
            if one is not None and batch.n > self.data.n_features:
                eigen = one.s, one.Ut.transpose(0, 2, 1)
            one = task_spectra(self.data, batch, eigen)
            if self.kept:
                self._kept[id(batch)] = one
            elif self._keeps_vectors:
                self._kept[id(batch)] = one.without_rows()
        return one


def _around(d: int) -> tuple[int, int]:
    """Shape of a matrix of size d with as many zeros around as loops need."""
    return -(-d // 8) * 8, -(-d // 8) * 8


def _add_grams(rows: np.ndarray, roots: np.ndarray, out: np.ndarray) -> None:
    """Add sums of (root row)(root row)' over rows (k, d), by roots (C, k): lower triangles."""
    d = rows.shape[1]
    if (compiled := loops("products", _PER_PRODUCT * roots.size * d * d)) is not None:
        compiled.add_grams(rows, roots, out)
        return
    for total, root in zip(out, roots, strict=True):
        Y = rows * root[:, None]
        total[:d, :d] += Y.T @ Y  # a long product, BLAS sees the symmetry
