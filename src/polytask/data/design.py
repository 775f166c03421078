"""The design of all tasks as one linear operator: predictions, adjoint, weighted Gram matrices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from typing import Any

import numpy as np
from scipy import sparse

from polytask.data.batches import BATCH, Batch, make_batches
from polytask.data.before_ones import gathered
from polytask.data.sparse_products import SparseProducts
from polytask.data.split_rows import SplitRows, taken
from polytask.data.task_loops import TaskLoops
from polytask.data.task_products import TaskProducts, weighted_grams
from polytask.data.threads import share

__all__ = ["Design", "make_design"]

_AT_ONCE = 500_000  # numbers in the weighed rows of `grams_of_outputs`: what a cache holds
_CHUNK = 4_000_000  # numbers in a block of rows that is widened or weighted: 32 MB
_ALL = slice(None)
_GRAM = 0.1  # products with rows, by the time that loops save, in Gram matrices a column
_ROUNDING = 1e-14  # of a constant feature, what is left of it around its mean
_MOST_NUMBERS = 1e9  # in Gram matrices that are made at once: 8 GB
_Pair = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class Design:
    """Feature rows of N observations in m task blocks.

    Parameters
    ----------
    X : ndarray, csr matrix or SplitRows of shape (n, p)
        Distinct feature rows, float32 or float64 (float32 is widened block by block).
    index : ndarray of shape (N,) or None
        Row of X of each observation; None when observation k is row k.
    start : ndarray of shape (m + 1,)
        Offsets of the task blocks among the observations.
    shift : ndarray of shape (p,) or None
        What is taken off every row as it is read: float32 rows keep their digits so, without a
        copy in float64.
    """

    X: Any
    index: np.ndarray | None
    start: np.ndarray
    shift: np.ndarray | None = None
    sparse: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sparse", sparse.issparse(self.X))

    @property
    def n_columns(self) -> int:
        """Number of columns p."""
        return int(self.X.shape[1])

    @property
    def n_tasks(self) -> int:
        """Number of task blocks m."""
        return len(self.start) - 1

    @cached_property
    def shared(self) -> bool:
        """Whether every task has the very same rows of X, in the same order."""
        if self.index is None or self.n_tasks < 2:
            return self.n_tasks == 1
        sizes = np.diff(self.start)
        if (sizes != sizes[0]).any():
            return False
        index = self.index.reshape(self.n_tasks, -1)
        return bool((index == index[0]).all())

    @cached_property
    def _common_rows(self) -> np.ndarray | None:
        """The rows that all tasks share, of which one matrix product serves all; None of others."""
        if self.sparse or self.n_tasks < 2 or not self.shared or self.X.dtype != np.float64:
            return None
        assert self.index is not None
        index = self.index[: self.start[1]]
        whole = len(index) == len(self.X) and (index == np.arange(len(index))).all()
        return self._wide(self.X if whole else self.X[index])

    @cached_property
    def plain(self) -> bool:
        """Whether observations are the rows of X as they are."""
        X, own = self.X, self.index is None and self.shift is None and self.n_tasks > 0
        return own and isinstance(X, np.ndarray) and X.dtype == np.float64 and X.flags.carray

    @cached_property
    def _by_task(self) -> TaskProducts | None:
        return TaskProducts.of(self.X, self.start) if self.plain else None

    def _in_place(self, products: float = 1.0) -> TaskProducts | TaskLoops | None:
        """Who reads rows task by task for so many ``products``; None where batches do."""
        loops = TaskLoops.of(self.X, self.start, products) if self.plain else None
        return loops or self._by_task

    def block(self, i: int) -> Any:
        """Rows of task i: float64 array, or csr where X is sparse."""
        part = slice(self.start[i], self.start[i + 1])
        return self._wide(self.X[part] if self.index is None else self.X[self.index[part]])

    def _wide(self, rows: Any) -> Any:
        """Rows of X in float64, less the shift."""
        rows = rows.astype(np.float64, copy=False)
        return rows if self.shift is None else rows - self.shift

    def distinct_rows(self) -> Any:
        """The distinct rows of X, less the shift where there is one."""
        X = self.X[:] if isinstance(self.X, SplitRows) else self.X
        return X if self.shift is None else self._wide(X)

    def times(self, V: np.ndarray, part: slice = _ALL) -> Any:
        """X'V of distinct rows of X, V of shape (p, q) or, for features alone, (d, q)."""
        X = self.X[part] if self.n_columns == len(V) else self.X[part, : len(V)]
        found = X @ V
        return found if self.shift is None else found - self.shift[: len(V)] @ V

    def last_column(self) -> np.ndarray:
        """The last coordinate of every observation, shape (N,): ones for rows with an intercept."""
        last = self.X[:, -1:].toarray() if self.sparse else self.X[:, -1:]
        values = np.asarray(last[:, 0], dtype=np.float64)
        return values if self.index is None else values[self.index]

    @cached_property
    def ends_in_ones(self) -> bool:
        """Whether the last coordinate is one in every observation."""
        return bool((self.last_column() == 1.0).all())

    @cached_property
    def _products(self) -> SparseProducts:
        code = np.repeat(np.arange(self.n_tasks), np.diff(self.start))
        return SparseProducts(self.X, self.index, code, self.n_tasks)

    @cached_property
    def batches(self) -> list[Batch]:
        """Tasks grouped by size; empty tasks are in no batch."""
        return list(make_batches(self.start, self.n_columns))

    def rows(self, batch: Batch, part: slice = _ALL) -> np.ndarray:
        """Dense rows of a batch, shape (b, n, p), float64. Padding holds arbitrary rows."""
        if self.index is None and batch.part is not None:
            rows = self.X[batch.part].reshape(*batch.shape, -1)[:, part]
        else:
            obs = batch.obs[:, part]
            rows = self.X[obs if self.index is None else self.index[obs]]
        return self._wide(rows)

    def pieces(self, batch: Batch) -> Iterable[tuple[slice, np.ndarray]]:
        """Rows of a batch, a few million numbers at a time, and their place along its rows.

        No batch of long tasks is widened to float64, or weighted, as a whole.
        """
        b, n = batch.shape
        step = max(1, _CHUNK // (b * self.n_columns))
        if n <= step:  # as good as always
            return ((_ALL, self.rows(batch)),)
        parts = (slice(first, first + step) for first in range(0, n, step))
        return ((part, self.rows(batch, part)) for part in parts)

    def predict(self, theta: np.ndarray) -> np.ndarray:
        """w_i'x of every observation; theta has shape (m, p)."""
        if self.sparse:
            return self._products.predict(theta)
        if self._common_rows is not None:
            return np.asarray(theta @ self._common_rows.T).ravel()
        if (in_place := self._in_place()) is not None:
            return in_place.predict(theta)
        out = np.zeros(self.start[-1])

        def work(batch: Batch) -> None:
            heads = theta[batch.tasks][:, :, None]
            found = [(rows @ heads)[:, :, 0] for _, rows in self.pieces(batch)]
            batch.collect(found[0] if len(found) == 1 else np.concatenate(found, axis=1), out)

        self.each(work)
        return out

    def adjoint(self, u: np.ndarray) -> np.ndarray:
        """sum_k u_k x_k in each task, shape (m, p); the adjoint of `predict`."""
        if self.sparse:
            return self._products.adjoint(u)
        if self._common_rows is not None:
            return np.asarray(u.reshape(self.n_tasks, -1) @ self._common_rows)
        if (in_place := self._in_place()) is not None:
            return in_place.adjoint(u)
        out = np.zeros((self.n_tasks, self.n_columns))

        def work(batch: Batch) -> None:
            values = batch.spread(u)[:, None, :]
            for part, rows in self.pieces(batch):
                out[batch.tasks] += (values[:, :, part] @ rows)[:, 0]

        self.each(work)
        return out

    def residuals(self, theta: np.ndarray, y: np.ndarray, weight: np.ndarray) -> _Pair:
        """The f of `predict` (N,), and `adjoint` of weight (f - y) (m, p): one reading of rows."""
        if (in_place := self._in_place(2.0)) is not None:
            return in_place.residuals(theta, y, weight)
        f = self.predict(theta)
        return f, self.adjoint(weight * (f - y))

    def moments(self, v: np.ndarray, y: np.ndarray) -> _Pair:
        """`grams` at v, and `adjoint` of v y: one reading of the rows."""
        self._refuse_large(self.n_tasks)
        if (in_place := self._in_place(_GRAM * self.n_columns)) is not None:
            return in_place.moments(v, y)
        return self.grams(v), self.adjoint(v * y)

    def grams(self, v: np.ndarray, tasks: np.ndarray | None = None) -> np.ndarray:
        """sum_k v_k x_k x_k' in each task, shape (m, p, p); v >= 0.

        ``tasks`` restricts the work to some tasks (the others stay zero).
        """
        self._refuse_large(self.n_tasks if tasks is None else len(tasks))
        if self.sparse:
            some = np.arange(self.n_tasks) if tasks is None else tasks
            return self._products.grams(v, self.start, some)
        p = self.n_columns
        out = np.empty((self.n_tasks, p, p))
        wanted = np.full(self.n_tasks, tasks is None)
        if tasks is not None:
            wanted[tasks] = True
        out[~wanted | (np.diff(self.start) == 0)] = 0.0
        if (in_place := self._in_place(_GRAM * p)) is not None:
            return in_place.grams(v, wanted, out)

        def work(batch: Batch) -> None:
            if wanted[batch.tasks].any():
                weights = batch.spread(v)
                pieces = (weighted_grams(r, weights[:, part]) for part, r in self.pieces(batch))
                out[batch.at] = reduce(np.add, pieces)

        self.each(work, p)
        return out

    def grams_of_outputs(self, E: np.ndarray, v: np.ndarray) -> np.ndarray:
        """sum_r e_r e_r' x (`grams` at v_r) for rows e_r of E (r, q), v (r, N): (m, q p, q p)."""
        r, q, p, m = *E.shape, self.n_columns, self.n_tasks
        self._refuse_large(q**2 * m)
        if (v == v[:1]).all():  # as where a search begins: one product instead of r
            found = np.einsum("st,mij->msitj", E.T @ E, self.grams(v[0]))
            return found.reshape(m, q * p, q * p)
        mix = (E[:, :, None] * E[:, None, :]).reshape(r, q * q).T
        out = np.zeros((m, q * p, q * p))

        def add(tasks: np.ndarray, G: np.ndarray) -> None:
            found = (mix @ G.reshape(-1, r, p * p)).reshape(-1, q, q, p, p)
            out[tasks] += found.transpose(0, 1, 3, 2, 4).reshape(-1, q * p, q * p)

        def work(batch: Batch) -> None:
            weights = np.array([batch.spread(each) for each in v])
            step = max(1, _AT_ONCE // max(batch.n * p * r, 1))
            for part, rows in self.pieces(batch):
                for at in range(0, len(rows), step):
                    some = rows[at : at + step]
                    b, n = some.shape[:2]
                    w = weights[:, at : at + step, part].transpose(1, 0, 2)
                    weighed = some.transpose(0, 2, 1)[:, None] * w[:, :, None]
                    add(batch.tasks[at : at + step], weighed.reshape(b, r * p, n) @ some)

        if self.sparse:
            add(np.arange(m), np.stack([self.grams(each) for each in v], axis=1))
        else:
            self.each(work, r * p)
        return out

    def each(self, work: Callable[[Batch], None], cost: float = 1.0) -> None:
        """Call ``work`` on every batch, in threads where there is enough of it.

        ``cost`` is the number of multiplications for each number in the rows.
        """

        def on_few(few: Sequence[Batch]) -> None:
            for batch in few:
                work(batch)

        self.each_few(on_few, cost)

    def each_few(self, work: Callable[[Sequence[Batch]], None], cost: float = 1.0) -> None:
        """`each` with as many batches at a time as one batch may hold numbers."""
        groups = self._groups
        if len(groups) == 1:
            work(groups[0])
            return

        def some(which: np.ndarray) -> None:
            for g in which:
                work(groups[g])

        share(some, np.arange(len(groups)), self.start[-1] * self.n_columns * cost)

    @cached_property
    def _groups(self) -> list[list[Batch]]:
        """Batches in runs that hold together about what one may hold."""
        held = np.cumsum([batch.shape[0] * batch.n * self.n_columns for batch in self.batches])
        label = held // BATCH
        runs = np.split(np.arange(len(label)), np.flatnonzero(np.diff(label)) + 1)
        return [[self.batches[b] for b in run] for run in runs if len(run)]

    def total_gram(self, v: np.ndarray) -> np.ndarray:
        """sum_k v_k x_k x_k' over all tasks, shape (p, p); v >= 0."""
        self._refuse_large(1)
        if self.index is not None:  # observations of one row share its outer product
            v = np.bincount(self.index, weights=v, minlength=self.X.shape[0])
        if self.sparse:
            return (self.X.T @ self.X.multiply(v[:, None]).tocsr()).toarray().astype(np.float64)
        out = np.zeros((self.n_columns, self.n_columns))
        step = max(1, _CHUNK // self.n_columns)
        for first in range(0, len(v), step):
            part = slice(first, first + step)
            Z = self._wide(self.X[part]) * np.sqrt(v[part])[:, None]
            out += Z.T @ Z
        return out

    def squared_images(self, v: np.ndarray, V: np.ndarray) -> np.ndarray:
        """sum_k v_k (x_k'V)² over all tasks for a matrix V (p, q), shape (q,)."""
        if self.index is not None:
            v = np.bincount(self.index, weights=v, minlength=self.X.shape[0])
        out = np.zeros(V.shape[1])
        step = max(1, _CHUNK // self.n_columns)
        for first in range(0, len(v), step):
            part = slice(first, first + step)
            out += v[part] @ np.asarray(self.times(V, part)) ** 2
        return out

    def _refuse_large(self, n_matrices: int) -> None:
        p = self.n_columns
        if n_matrices * p * p > _MOST_NUMBERS:
            raise MemoryError(
                "Gram matrices must hold less than a billion numbers; got "
                f"{n_matrices} of {p} x {p} ({8e-9 * n_matrices * p * p:.0f} GB). This formulation "
                "needs them at these strengths: use fewer features (TruncatedSVD, a hashing "
                "vectorizer), or a formulation that needs only products with the rows (see the "
                "docs on sparse data)."
            )

    def column_norms(self, v: np.ndarray) -> np.ndarray:
        """sqrt(sum_k v_k x_k²) of each column in each task, shape (m, p)."""
        if self.sparse:
            return np.sqrt(self._products.adjoint(v, power=2))
        if self._common_rows is not None:
            return np.sqrt(v.reshape(self.n_tasks, -1) @ self._common_rows**2)
        out = np.zeros((self.n_tasks, self.n_columns))

        def work(batch: Batch) -> None:
            weights = batch.spread(v)
            for part, rows in self.pieces(batch):
                w = weights[:, part]
                if (w == w[:, :1]).all():
                    out[batch.tasks] += w[:, :1] * np.einsum("bnk,bnk->bk", rows, rows)
                else:
                    out[batch.tasks] += (w[:, None, :] @ rows**2)[:, 0]

        self.each(work)
        return np.sqrt(out)

    def subset(self, keep: np.ndarray) -> Design:
        """The observations where keep (N,) is true."""
        start = np.append(0, np.cumsum(keep))[self.start]
        if self.index is None:
            return Design(taken(self.X, keep), None, start, self.shift)
        return Design(self.X, self.index[keep], start, self.shift)


def make_design(
    X: Any, index: np.ndarray | None, start: np.ndarray, intercept: bool,
    center: np.ndarray | None = None,
) -> Design:  # fmt: skip
    """A design from feature rows, with a column of ones appended if ``intercept``.

    ``center`` (d,) is taken off every dense row; there must be an intercept. Rows that ``index``
    only reorders, and dense ones, are copied once: passes read memory in order, with like digits.
    """
    reorder = index is not None and len(index) <= X.shape[0]
    if sparse.issparse(X):
        ones = np.ones((X.shape[0], 1), dtype=X.dtype)
        X = sparse.hstack([X, ones], format="csr") if intercept else X.tocsr()
        X = X[index] if reorder else X
    elif isinstance(X, SplitRows):
        X = X.taken(index if reorder else None, intercept)
    else:
        X = gathered(X, index if reorder else None, intercept, moved=center is not None)
    index = None if reorder else index
    shift = None if center is None else np.append(center, 0.0)
    if shift is not None and isinstance(X, SplitRows):
        X, shift = X.less(shift, _ROUNDING)
    elif shift is not None and X.dtype == np.float64:
        X -= shift
        X[:, np.abs(X).max(axis=0, initial=0.0) <= _ROUNDING * np.abs(shift)] = 0.0  # constant
        shift = None
    return Design(X, index, np.asarray(start), shift)
