"""What a comparison keeps of its rows: sums of losses, by task, fold and model."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from polytask.data.grouping import compact
from polytask.responses import Response
from polytask.responses.row_losses import RowLoss

_ROUNDING = 1e-13  # of a sum of squares: less is what rounding leaves of equal values

__all__ = ["LossTotals", "excess_sums", "expected_products", "scatter"]


@dataclass(frozen=True, eq=False)
class LossTotals:
    """Sums over the held-out rows of m tasks, J folds, M models, the baseline first.

    Parameters
    ----------
    rows : ndarray of shape (m, J)
        How many, or the sums of their weights.
    target, target_square : ndarray of shape (m, J)
        Of y less some reference value.
    losses : ndarray of shape (m, J, M, q)
        Of each of the response's row losses.
    products : ndarray of shape (m, M, M)
        Sum of g g', with g = (the baseline's loss, and its excess over each other model's) of a
        unit by the leading loss, a mean over the repeats. A unit is a row, or a group of rows that
        are not independent. From them follows the variance of any difference over the units of a
        task.
    cubes : ndarray of shape (m, M)
        Sum of g³.
    expected : ndarray of shape (m, M, M)
        Of labels the covariance of g that the models expect, summed over the rows (see
        `expected_products`); zero for other targets.
    units : ndarray of shape (m,)
        How many.
    """

    rows: np.ndarray
    target: np.ndarray
    target_square: np.ndarray
    losses: np.ndarray
    products: np.ndarray
    cubes: np.ndarray
    expected: np.ndarray
    units: np.ndarray

    @classmethod
    def zeros(cls, m: int, n_folds: int, n_models: int, n_losses: int) -> LossTotals:
        """No rows."""
        shapes: list[tuple[int, ...]] = [(n_folds,)] * 3 + [(n_folds, n_models, n_losses)]
        shapes += [(n_models, n_models), (n_models,), (n_models, n_models), ()]
        return cls(*(np.zeros((m, *shape)) for shape in shapes))

    def __add__(self, other: LossTotals) -> LossTotals:
        """Over both sets of rows."""
        return LossTotals(
            *(getattr(self, f.name) + getattr(other, f.name) for f in fields(LossTotals))
        )

    def without_task(self, i: int) -> LossTotals:
        """As if none of the task's rows had been tested."""
        found = {f.name: getattr(self, f.name).copy() for f in fields(LossTotals)}
        for sums in found.values():
            sums[i] = 0.0
        return LossTotals(**found)

    def variance(self) -> np.ndarray:
        """Of the tested targets of each task (m,); 1 where they are all the same."""
        rows, total, square = (p.sum(axis=1) for p in (self.rows, self.target, self.target_square))
        found = scatter(rows, total, square) / np.where(rows > 0, rows, 1.0)
        return np.where(found > 0, found, 1.0)

    def scaled(self, unit: np.ndarray) -> LossTotals:
        """The losses of each task in a unit of its own (m,)."""
        power = {"losses": 1, "products": 2, "cubes": 3, "expected": 2}
        divided = {}
        for name, k in power.items():
            sums = getattr(self, name)
            divided[name] = sums / unit.reshape(-1, *[1] * (sums.ndim - 1)) ** k
        return replace(self, **divided)

    def varies(self) -> np.ndarray:
        """Tasks (m,) whose tested targets are not all the same, up to rounding."""
        return scatter(*(p.sum(axis=1) for p in (self.rows, self.target, self.target_square))) > 0

    def add(
        self, task: np.ndarray, fold: np.ndarray, y: np.ndarray, predictions: np.ndarray,
        response: Response, metric: str, center: float, weight: np.ndarray | None = None,
    ) -> None:  # fmt: skip
        """Add n rows that are tested once: tasks, folds, targets (n,), predictions (M, n).

        ``metric`` says which of the response's row losses leads. Of rows with weights (n,) the
        products are of losses times weights, until `per_unit` has seen all of them.
        """
        self.add_losses(task, fold, y, predictions, response, center, weight)
        loss = response.row_loss(metric)
        each = loss.of(y, predictions)
        self.add_products(task, each if weight is None else weight * each)
        if response.has_labels:
            self.add_expected(task, predictions, loss, weight)

    def per_unit(self) -> LossTotals:
        """Products of rows that were added with weights, in units of their task's mean weight."""
        size = self.rows.sum(axis=1) / np.maximum(self.units, 1.0)
        size = np.where(size > 0, size, 1.0)
        products, cubes = self.products / size[:, None, None] ** 2, self.cubes / size[:, None] ** 3
        return replace(self, products=products, cubes=cubes)

    def add_losses(
        self, task: np.ndarray, fold: np.ndarray, y: np.ndarray, predictions: np.ndarray,
        response: Response, center: float, weight: np.ndarray | None = None,
    ) -> None:  # fmt: skip
        """The part that is kept by fold; a row counts as often as its weight says."""
        m, n_folds, n_models, n_losses = self.losses.shape
        present, cell = compact(task * n_folds + fold, m * n_folds)
        w = np.ones(len(y)) if weight is None else weight
        values = [w * loss.values(y, predictions, w) for loss in response.row_losses.values()]
        flat = self.losses.reshape(-1, n_models, n_losses)
        flat[present] += _by_group(np.stack(values, axis=1), cell, len(present))
        away = y - center
        sums = ((self.rows, w), (self.target, w * away), (self.target_square, w * away**2))
        for total, each in sums:
            total.reshape(-1)[present] += np.bincount(cell, each, len(present))

    def add_products(self, task: np.ndarray, loss: np.ndarray) -> None:
        """The part that is not, from the leading losses (M, n) of the units."""
        present, local = compact(task, len(self.products))
        _, products, cubes = excess_sums(loss, local, len(present))
        self.products[present] += products
        self.cubes[present] += cubes
        self.units[present] += np.bincount(local, minlength=len(present))

    def add_expected(
        self, task: np.ndarray, probability: np.ndarray, loss: RowLoss,
        weight: np.ndarray | None = None, levels: tuple[float, ...] | None = None,
    ) -> None:  # fmt: skip
        """What the models expect of labels or levels, from their probabilities (M, n)."""
        present, local = compact(task, len(self.products))
        self.expected[present] += expected_products(
            probability, loss, local, len(present), weight, levels
        )


def scatter(rows: np.ndarray, total: np.ndarray, square: np.ndarray) -> np.ndarray:
    """Sum of squares about the mean, from the sums of values and of their squares."""
    found = square - total**2 / np.where(rows > 0, rows, 1.0)
    return np.where(found > _ROUNDING * square, found, 0.0)


def excess_sums(
    loss: np.ndarray, code: np.ndarray, n_tasks: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sums by task of g, g g' and g³ (see `LossTotals`) from row losses (M, n)."""
    g = _excess(loss)
    return (
        _by_group(g, code, n_tasks), _products(g, g, code, n_tasks), _by_group(g**3, code, n_tasks)
    )  # fmt: skip


def expected_products(
    probability: np.ndarray, loss: RowLoss, code: np.ndarray, n_tasks: int,
    weight: np.ndarray | None = None, levels: tuple[float, ...] | None = None,
) -> np.ndarray:  # fmt: skip
    """Covariance of g that the models expect, summed over the rows of each task, (m, M, M).

    Of rows with weights g is the weight times that of the row. A row whose label is one with
    probability q adds q (1 - q) δ δ', δ what g has more for a one than for a zero; for the log loss
    that is minus a logit, or a difference of logits. q is the mean of the models' probabilities
    (M, n), or (M, n, K) of K classes 0, 1, ..., or of ``levels``. A task without a row of a rare
    class has losses that hardly vary, and would seem to prove what it cannot.
    """
    q, w = probability.mean(axis=0), 1.0 if weight is None else weight
    shares = np.stack([1.0 - q, q]) if q.ndim == 1 else q.T
    values = range(len(shares)) if levels is None else levels
    each = [w * _excess(loss.of(np.full(len(q), float(v)), probability)) for v in values]
    centre = np.einsum("kn,kan->an", shares, each)
    return np.sum(
        [_products(p * (g - centre), g - centre, code, n_tasks)
         for p, g in zip(shares, each, strict=True)], axis=0,
    )  # fmt: skip


def _excess(loss: np.ndarray) -> np.ndarray:
    """The baseline's, and what it has more than each of the others."""
    return np.concatenate([loss[:1], loss[:1] - loss[1:]])


def _products(a: np.ndarray, b: np.ndarray, code: np.ndarray, n_groups: int) -> np.ndarray:
    """Sums (n_groups, M, M) of a b', which is symmetric."""
    products = np.empty((n_groups, len(a), len(a)))
    for j in range(len(a)):
        products[:, j, j:] = _by_group(a[j] * b[j:], code, n_groups)
        products[:, j:, j] = products[:, j, j:]
    return products


def _by_group(values: np.ndarray, code: np.ndarray, n_groups: int) -> np.ndarray:
    """Sums (n_groups, ...) over the rows of each group of values (..., n)."""
    flat = values.reshape(-1, values.shape[-1])
    sums = np.zeros((n_groups, len(flat)))
    for j, each in enumerate(flat):
        sums[:, j] = np.bincount(code, each, n_groups)
    return sums.reshape(n_groups, *values.shape[:-1])
