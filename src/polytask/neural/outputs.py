"""Outputs of a trained network for new rows, without gradients, in pieces that fit in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from polytask.neural.coding import Group
from polytask.neural.network import Network
from polytask.neural.samples import writable

__all__ = ["Reader"]

_NUMBERS = 4_000_000  # in one intermediate array


class Reader:
    """Outputs z of a network in the units of the user.

    Parameters
    ----------
    network : Network
        In float64, with weights in the units of the user.
    groups : sequence of Group
    n_tasks : int
    separate : bool
        Whether each task has hidden layers of its own.
    """

    def __init__(
        self, network: Network, groups: Sequence[Group], n_tasks: int, separate: bool
    ) -> None:
        self.network, self.groups, self.n_tasks = network.eval(), groups, n_tasks
        self.separate = separate
        self.width = max(group.width for group in groups)

    @torch.no_grad()
    def hidden(self, X: Any) -> np.ndarray:
        """h(x) of every row, shape (n, k); hidden layers that tasks share."""
        parts = [self.network.body(x).numpy() for _, x in self._pieces(X, 1)]
        return np.concatenate(parts)

    @torch.no_grad()
    def wide(self, X: Any) -> np.ndarray:
        """Z of every row and task, shape (n, m, q); NaN beyond a task's own width."""
        out = np.full((X.shape[0], self.n_tasks, self.width), np.nan)
        for rows, x in self._pieces(X, self.n_tasks):
            h = self._hidden_of_all(x)
            for group, head in zip(self.groups, self.network.heads, strict=True):
                z = head(h[group.tasks]).transpose(0, 1) if self.separate else head(h)
                out[rows, group.tasks, : group.width] = z.numpy()
        return out

    @torch.no_grad()
    def long(self, X: Any, code: np.ndarray) -> np.ndarray:
        """Z of every row for its own task, shape (n, q); code -1 is the common head."""
        out = np.full((X.shape[0], self.width), np.nan)
        if self.separate:
            for rows in _alike_in_size(code):
                self._stacked(X, code, rows, out)
        else:
            for piece, x in self._pieces(X, self.width):
                out[piece] = self._of_own_task(x, code[piece])
        unseen = np.flatnonzero(code < 0)
        if len(unseen):
            out[unseen, : self.groups[0].width] = self._unseen(X[unseen])
        return out

    def _of_own_task(self, x: Tensor, code: np.ndarray) -> np.ndarray:
        h, out = self.network.body(x), np.full((len(x), self.width), np.nan)
        for group, head in zip(self.groups, self.network.heads, strict=True):
            place = np.full(self.n_tasks + 1, -1)  # a last place, which code -1 points at
            place[group.tasks] = np.arange(len(group.tasks))
            mine = np.flatnonzero(place[code] >= 0)
            if len(mine):
                z = head(h[torch.as_tensor(mine)], torch.as_tensor(place[code[mine]]))
                out[mine, : group.width] = z.numpy()
        return out

    def _unseen(self, X: Any) -> np.ndarray:
        if self.separate:
            return self.wide(X).mean(axis=1)[:, : self.groups[0].width]
        head = self.network.heads[0].common
        return np.concatenate([head(self.network.body(x)).numpy() for _, x in self._pieces(X, 1)])

    def _hidden_of_all(self, x: Tensor) -> Tensor:
        if not self.separate:
            return self.network.body(x)
        return self.network.body(x.expand(self.n_tasks, *x.shape))

    def _stacked(self, X: Any, code: np.ndarray, rows: list[np.ndarray], out: np.ndarray) -> None:
        """Rows of tasks of about equal size, padded to one block per task."""
        table = np.zeros((len(rows), max(map(len, rows))), dtype=np.intp)
        for j, mine in enumerate(rows):
            table[j, : len(mine)] = mine
        x = _dense(X[table.ravel()]).view(*table.shape, -1)
        task = code[table[:, 0]]
        h = self.network.body(x, torch.as_tensor(task))
        for group, head in zip(self.groups, self.network.heads, strict=True):
            blocks = np.flatnonzero(np.isin(task, group.tasks))
            if len(blocks):
                place = torch.as_tensor(np.searchsorted(group.tasks, task[blocks]))
                z = head(h[blocks], place).numpy()
                for j, block in enumerate(blocks):
                    mine = rows[block]
                    out[mine, : group.width] = z[j, : len(mine)]

    def _pieces(self, X: Any, outputs: int) -> Iterator[tuple[slice, Tensor]]:
        widest = max([X.shape[1], *(p.shape[-1] for p in self.network.body.parameters())])
        if self.separate:
            widest *= self.n_tasks
        step = max(1, _NUMBERS // (widest + outputs * self.width))
        for first in range(0, X.shape[0], step):
            part = slice(first, first + step)
            yield part, _dense(X[part])


def _alike_in_size(code: np.ndarray) -> Iterator[list[np.ndarray]]:
    """Rows of each task that is there, in lists of tasks of up to twice the smallest size."""
    order = np.argsort(code, kind="stable")
    order = order[code[order] >= 0]
    first = np.flatnonzero(np.diff(code[order], prepend=-1))
    parts = sorted(np.split(order, first[1:]), key=len) if len(order) else []
    start = 0
    for end in range(1, len(parts) + 1):
        last = end == len(parts)
        crowded = len(parts[end - 1]) * (end - start) > 200_000
        if last or crowded or len(parts[end]) > 2 * len(parts[start]):
            yield parts[start:end]
            start = end


def _dense(X: Any) -> Tensor:
    values = X.toarray() if sparse.issparse(X) else np.asarray(X)
    return torch.as_tensor(writable(values.astype(np.float64, copy=False)))
