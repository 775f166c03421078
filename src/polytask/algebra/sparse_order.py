"""An order of elimination that keeps a sparse matrix sparse, and how many numbers it takes."""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np

__all__ = ["minimum_degree"]

_MOST_WORK = 1e7  # neighbours that are looked at: some seconds; graphs that take more fill up


def minimum_degree(pattern: Any, size: np.ndarray, most: float) -> np.ndarray | None:
    """The order in which nodes are eliminated, or None where the factor has more numbers.

    None too where finding it takes long, as in graphs without a structure, whose factor is full.

    Nodes of least approximate degree first, on a quotient graph: an eliminated node stands for the
    clique of its neighbours. See Amestoy, Davis, Duff, SIAM J. Matrix Anal. Appl. 17 (1996).

    Parameters
    ----------
    pattern : sparse matrix of shape (n, n)
        Symmetric; which nodes are neighbours.
    size : int ndarray of shape (n,)
        Columns of each node.
    most : float
        Numbers that the factor may have.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import sparse
    >>> star = sparse.csr_matrix(np.array([[1, 1, 1], [1, 1, 0], [1, 0, 1]]))
    >>> minimum_degree(star, np.ones(3, dtype=int), 9).tolist()
    [1, 0, 2]
    """
    pattern = pattern.tocsr()
    n, ends = pattern.shape[0], pattern.indptr
    if pattern.nnz > min(2 * most, _MOST_WORK):
        return None
    near = [set(pattern.indices[ends[i] : ends[i + 1]].tolist()) - {i} for i in range(n)]
    cliques: dict[int, set[int]] = {}
    inside: list[set[int]] = [set() for _ in range(n)]
    weight = size.tolist()
    heap = [(len(near[i]), i) for i in range(n)]
    degree = [len(each) for each in near]
    heapq.heapify(heap)
    gone, order, numbers, work, left = bytearray(n), [], 0.0, 0, n
    while heap:
        d, v = heapq.heappop(heap)
        if gone[v] or d != degree[v]:
            continue
        front = near[v].union(*(cliques.pop(e) for e in inside[v]))
        front.discard(v)
        numbers += weight[v] * (weight[v] + sum(weight[i] for i in front))
        work += sum(len(near[i]) + len(inside[i]) for i in front)
        if numbers > most or work > _MOST_WORK:
            return None
        gone[v], left = 1, left - 1
        order.append(v)
        if len(front) == left:  # all that is left is one clique
            rest = sorted(front)
            total = sum(weight[i] for i in rest)
            return np.array(order + rest) if numbers + total**2 / 2 <= most else None
        old = inside[v]
        cliques[v] = front
        for i in front:
            near[i] = {k for k in near[i] if k != v and k not in front}
            inside[i] = {e for e in inside[i] if e not in old} | {v}
            degree[i] = min(len(near[i]) + sum(len(cliques[e]) - 1 for e in inside[i]), left - 1)
            heapq.heappush(heap, (degree[i], i))
        near[v], inside[v] = set(), set()
    return np.array(order, dtype=int)
