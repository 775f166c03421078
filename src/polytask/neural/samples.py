"""Observations as tensors, in batches whose losses estimate the tasks' mean losses without bias.

A batch of B slots in b deals every task's rows to the slots in a random order that starts at a
random place, so that each row is in each slot with probability 1 / b, and a slot has floor or
ceil of n_i / b rows of task i. Hence b times the sum over a slot of weight times loss has the mean
loss of each task as its expectation, whatever the sizes of the tasks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from polytask.neural.coding import Group
from polytask.neural.network import Network

__all__ = [
    "LongSample",
    "Observations",
    "Sample",
    "StackedSample",
    "WideSample",
    "deal",
    "writable",
]

_PIECE = 50_000  # rows that are judged at once
Batch: TypeAlias = Tensor | None  # None is everything, in order


@dataclass(frozen=True, eq=False)
class Observations:
    """N observations, sorted by task, with targets in the units of training."""

    X: Any  # (n, d) array or csr matrix
    row: np.ndarray  # (N,) row of X
    code: np.ndarray  # (N,) task
    y: np.ndarray  # (N,)
    weight: np.ndarray  # (N,) in the mean loss of the task
    n_tasks: int
    groups: Sequence[Group]
    delta: np.ndarray  # (m,) where Huber's loss turns linear
    device: torch.device
    dtype: torch.dtype

    def tensor(self, values: np.ndarray) -> Tensor:
        """Numbers on the device, in the precision of training (integers stay integers)."""
        dtype = torch.int64 if values.dtype.kind in "iu" else self.dtype
        return torch.as_tensor(writable(values), dtype=dtype, device=self.device)

    def rows(self, keep: np.ndarray) -> Any:
        """Feature rows: dense on the device, sparse as they are (made dense batch by batch)."""
        everything = len(keep) == self.X.shape[0] and (keep == np.arange(len(keep))).all()
        X = self.X if everything else self.X[keep]
        return X.tocsr() if sparse.issparse(X) else self.tensor(X)

    def take(self, X: Any, rows: Batch) -> Tensor:
        """Dense feature rows of a batch."""
        if isinstance(X, Tensor):
            return X if rows is None else X[rows]
        return self.tensor((X if rows is None else X[rows.cpu().numpy()]).toarray())


def writable(values: np.ndarray) -> np.ndarray:
    """The array, or a copy where it is read-only (memory maps, pandas); PyTorch wants that."""
    return values if values.flags.writeable else values.copy()


def deal(code: np.ndarray, n_batches: int, rng: np.random.RandomState) -> np.ndarray:
    """Slot of each observation; ``code`` is sorted."""
    sizes = np.bincount(code)
    order = np.lexsort((rng.uniform(size=len(code)), code))
    rank = np.empty(len(code))
    rank[order] = np.arange(len(code)) - (np.cumsum(sizes) - sizes)[code]
    start = rng.uniform(size=len(sizes))
    key = (rank + start[code]) / sizes[code]
    return np.minimum((key * n_batches).astype(np.intp), n_batches - 1)


class Sample:
    """Observations that a network is trained or judged on."""

    def __init__(self, observations: Observations, n_batches: int) -> None:
        self.obs, self.n_batches, self.n_tasks = observations, n_batches, observations.n_tasks

    def batches(self, rng: np.random.RandomState) -> Iterator[Batch]:
        """One pass over all observations."""
        if self.n_batches == 1:
            yield None
            return
        slot = deal(self._strata(), self.n_batches, rng)
        order = torch.as_tensor(np.argsort(slot, kind="stable"), device=self.obs.device)
        counts = np.bincount(slot, minlength=self.n_batches)
        yield from (part for part in order.split(counts.tolist()) if len(part))

    def _strata(self) -> np.ndarray:
        return self.obs.code

    def _pieces(self) -> Iterator[Batch]:
        """Everything, in order, in pieces that fit in memory."""
        n = len(self._strata())
        everything = torch.arange(n, device=self.obs.device)
        yield from (everything.split(_PIECE) if n > _PIECE else [None])

    @torch.no_grad()
    def mean_losses(self, network: Network) -> np.ndarray:
        """Mean loss of each task at the network's weights, shape (m,)."""
        total = sum(self.task_losses(network, piece).double() for piece in self._pieces())
        return np.asarray(total.cpu())

    def task_losses(self, network: Network, batch: Batch) -> Tensor:
        """Sum of weight times loss over a batch for each task, shape (m,)."""
        raise NotImplementedError


class LongSample(Sample):
    """Every observation has its own row; a batch is a set of observations."""

    def __init__(self, observations: Observations, n_batches: int) -> None:
        super().__init__(observations, n_batches)
        o = observations
        self.X = o.rows(o.row)
        self.code, self.y, self.weight = o.tensor(o.code), o.tensor(o.y), o.tensor(o.weight)
        self.delta = o.tensor(o.delta)
        group, position = np.zeros(o.n_tasks, dtype=int), np.zeros(o.n_tasks, dtype=int)
        for g, each in enumerate(o.groups):
            group[each.tasks], position[each.tasks] = g, np.arange(len(each.tasks))
        self.group, self.position = o.tensor(group), o.tensor(position)

    def task_losses(self, network: Network, batch: Batch) -> Tensor:
        """Sum of weight times loss over a batch for each task, shape (m,)."""
        code, y, weight = self.code, self.y, self.weight
        if batch is not None:
            code, y, weight = code[batch], y[batch], weight[batch]
        h = network.body(self.obs.take(self.X, batch))
        out = h.new_zeros(self.n_tasks)
        for g, (group, head) in enumerate(zip(self.obs.groups, network.heads, strict=True)):
            if len(self.obs.groups) == 1:
                value = group.kind.loss(head(h, code), y, self.delta[code])
                return out.index_add(0, code, value * weight)
            mine = (self.group[code] == g).nonzero()[:, 0]
            task = code[mine]
            z = head(h[mine], self.position[task])
            value = group.kind.loss(z, y[mine], self.delta[task])
            out = out.index_add(0, task, value * weight[mine])
        return out


class WideSample(Sample):
    """Tasks share rows; a batch is a set of rows, and what was not measured has no weight."""

    def __init__(self, observations: Observations, n_batches: int) -> None:
        super().__init__(observations, n_batches)
        o = observations
        rows, place = np.unique(o.row, return_inverse=True)
        y, weight = np.zeros((2, len(rows), o.n_tasks))
        y[place, o.code], weight[place, o.code] = o.y, o.weight
        self.X, self.n_rows = o.rows(rows), len(rows)
        self.columns = [o.tensor(group.tasks) for group in o.groups]
        self.y = [o.tensor(y[:, group.tasks]) for group in o.groups]
        self.weight = [o.tensor(weight[:, group.tasks]) for group in o.groups]
        self.delta = [o.tensor(o.delta[group.tasks]) for group in o.groups]

    def _strata(self) -> np.ndarray:
        return np.zeros(self.n_rows, dtype=int)

    def task_losses(self, network: Network, batch: Batch) -> Tensor:
        """Sum of weight times loss over a batch for each task, shape (m,)."""
        h = network.body(self.obs.take(self.X, batch))
        out = h.new_zeros(self.n_tasks)
        for g, (group, head) in enumerate(zip(self.obs.groups, network.heads, strict=True)):
            y, weight = self.y[g], self.weight[g]
            if batch is not None:
                y, weight = y[batch], weight[batch]
            value = group.kind.loss(head(h), y, self.delta[g])
            out = out.index_add(0, self.columns[g], (value * weight).sum(dim=0))
        return out


class StackedSample(Sample):
    """A network per task: a batch holds as many rows of every task, padded with no weight."""

    def __init__(self, observations: Observations, n_batches: int) -> None:
        super().__init__(observations, n_batches)
        o = observations
        rows, place = np.unique(o.row, return_inverse=True)
        self.X = o.rows(rows)
        # A last observation without weight is what padding points at.
        self.row = o.tensor(np.append(place, 0))
        self.y, self.weight = o.tensor(np.append(o.y, 0.0)), o.tensor(np.append(o.weight, 0.0))
        self.delta = o.tensor(o.delta)
        self.tasks = [o.tensor(group.tasks) for group in o.groups]
        self.everything = self._pad(np.zeros(len(o.code), dtype=int), 1)[0]

    def batches(self, rng: np.random.RandomState) -> Iterator[Batch]:
        """One pass over the observations of all tasks."""
        if self.n_batches == 1:
            yield None
            return
        yield from self._pad(deal(self.obs.code, self.n_batches, rng), self.n_batches)

    def _pieces(self) -> Iterator[Batch]:
        yield from self.everything.split(max(1, _PIECE // self.n_tasks), dim=1)

    def _pad(self, slot: np.ndarray, n_batches: int) -> Tensor:
        """Observations by slot, task and place, shape (n_batches, m, most rows)."""
        cell = slot * self.n_tasks + self.obs.code
        order = np.argsort(cell, kind="stable")
        counts = np.bincount(cell, minlength=n_batches * self.n_tasks)
        place = np.arange(len(cell)) - (np.cumsum(counts) - counts)[cell[order]]
        table = np.full((n_batches * self.n_tasks, counts.max()), len(cell))
        table[cell[order], place] = order
        return self.obs.tensor(table).view(n_batches, self.n_tasks, -1)

    def task_losses(self, network: Network, batch: Batch) -> Tensor:
        """Sum of weight times loss over a batch for each task, shape (m,)."""
        batch = self.everything if batch is None else batch
        rows = self.row[batch]
        x = self.obs.take(self.X, rows.reshape(-1)).view(*rows.shape, -1)
        h, y, weight = network.body(x), self.y[batch], self.weight[batch]
        out = h.new_zeros(self.n_tasks)
        for group, head, tasks in zip(self.obs.groups, network.heads, self.tasks, strict=True):
            if len(self.obs.groups) == 1:
                value = group.kind.loss(head(h), y, self.delta[:, None])
                return (value * weight).sum(dim=1)
            value = group.kind.loss(head(h[tasks]), y[tasks], self.delta[tasks][:, None])
            out = out.index_add(0, tasks, (value * weight[tasks]).sum(dim=1))
        return out
