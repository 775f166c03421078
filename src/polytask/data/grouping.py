"""Rows of a batch laid out by group, so that a few batched products serve thousands of groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

__all__ = ["Bucket", "Grouping", "by_first_row", "compact", "group_rows", "rank_in_group"]

_CHUNK = 4_000_000  # numbers in one bucket: 32 MB
_LITTLE = 1 << 16  # groups up to which numpy sorts codes by radix


@dataclass(frozen=True, eq=False)
class Bucket:
    """Groups of about equal size, padded to the largest."""

    groups: np.ndarray  # (b,)
    first: int  # where its places begin in the layout
    width: int  # places of each group

    def view(self, Z: np.ndarray) -> np.ndarray:
        """The bucket's part of a layout (p, L), as (p, b, width) without a copy."""
        last = self.first + len(self.groups) * self.width
        return Z[:, self.first : last].reshape(len(Z), len(self.groups), self.width)


@dataclass(frozen=True, eq=False)
class Grouping:
    """Where each row of a batch goes.

    Parameters
    ----------
    take : int ndarray of shape (L,)
        Row at each place of the layout; n, one past the last row, on padding.
    buckets : list of Bucket
    n_rows : int
    """

    take: np.ndarray
    buckets: list[Bucket]
    n_rows: int

    def spread(self, columns: list[np.ndarray], out: np.ndarray, shift: np.ndarray) -> int | None:
        """Columns less their shift as float64 in the layout ``out`` (>= p, L), zero on padding.

        Returns the position of the first column that holds a value that is not finite, or None.
        """
        padded = np.zeros(self.n_rows + 1)
        inside = padded[:-1]
        for j, column in enumerate(columns):
            np.copyto(inside, column)
            if shift[j]:
                inside -= shift[j]
            if not np.isfinite(inside.sum()) and not np.isfinite(inside).all():
                return j
            np.take(padded, self.take, out=out[j], mode="clip")
        return None


def group_rows(code: np.ndarray, n_groups: int, n_columns: int) -> Grouping:
    """Layout of rows with group codes 0..n_groups-1; at most about a fifth of it is padding."""
    sizes = np.bincount(code, minlength=n_groups)
    order = np.append(_stable_order(code, n_groups), len(code))
    start = np.cumsum(sizes) - sizes
    takes, buckets, first = [], [], 0
    for groups, width in _buckets(sizes, n_columns):
        place = np.arange(width)
        at = np.where(place < sizes[groups][:, None], start[groups][:, None] + place, len(code))
        takes.append(order[at].ravel())
        buckets.append(Bucket(groups, first, width))
        first += at.size
    take = np.concatenate(takes) if takes else np.zeros(0, dtype=np.intp)
    return Grouping(take, buckets, len(code))


def by_first_row(code: np.ndarray) -> np.ndarray:
    """The codes numbered anew, in the order in which groups are first seen.

    Examples
    --------
    >>> by_first_row(np.array([7, 2, 7, 0]))
    array([0, 1, 0, 2])
    """
    _, first, group = np.unique(code, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[group])


def compact(cell: np.ndarray, n_cells: int) -> tuple[np.ndarray, np.ndarray]:
    """The cells that occur, and the position of each row's cell among them."""
    occurs = np.bincount(cell, minlength=n_cells) > 0
    present = np.flatnonzero(occurs)
    return present, (np.cumsum(occurs) - 1)[cell]


def rank_in_group(code: np.ndarray, n_groups: int) -> np.ndarray:
    """How many earlier rows of the batch have the same code, shape (n,)."""
    sizes = np.bincount(code, minlength=n_groups)
    order = _stable_order(code, n_groups)
    rank = np.empty(len(code), dtype=np.intp)
    rank[order] = np.arange(len(code)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return rank


def _buckets(sizes: np.ndarray, n_columns: int) -> Iterator[tuple[np.ndarray, int]]:
    by_size = np.argsort(sizes, kind="stable")
    by_size = by_size[np.searchsorted(sizes[by_size], 1) :]
    ordered = sizes[by_size]
    first = 0
    while first < len(ordered):
        limit = max(1.25 * ordered[first], ordered[first] + 2)
        last = int(np.searchsorted(ordered, limit, side="right"))
        room = max(1, int(_CHUNK // (ordered[last - 1] * n_columns)))
        last = min(last, first + room)
        yield by_size[first:last], int(ordered[last - 1])
        first = last


def _stable_order(code: np.ndarray, n_groups: int) -> np.ndarray:
    """Rows sorted by code, equal codes in the order given: radix, or one counting pass."""
    if n_groups <= _LITTLE:
        return np.argsort(code.astype(np.uint16), kind="stable")
    n = len(code)
    rows = sparse.csr_array(
        (np.ones(n, dtype=np.int8), code, np.arange(n + 1)), shape=(n, n_groups)
    )
    return rows.tocsc().indices.astype(np.intp)
