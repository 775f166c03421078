"""What a comparison keeps of its rows: sums of losses, by task, fold and model."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from polytask.data.grouping import compact
from polytask.responses import Response

__all__ = ["LossTotals", "excess_sums"]


@dataclass(frozen=True, eq=False)
class LossTotals:
    """Sums over the held-out rows of m tasks, J folds, M models, the baseline first.

    Parameters
    ----------
    rows : ndarray of shape (m, J)
    target, target_square : ndarray of shape (m, J)
        Of y less some reference value.
    losses : ndarray of shape (m, J, M, q)
        Of each of the response's row losses.
    products : ndarray of shape (m, M, M)
        Sum of g g', with g = (the baseline's loss, and its excess over each other model's) of a
        row by the leading loss, a mean over the repeats. From them follows the variance of any
        difference over the rows of a task.
    cubes : ndarray of shape (m, M)
        Sum of g³.
    """

    rows: np.ndarray
    target: np.ndarray
    target_square: np.ndarray
    losses: np.ndarray
    products: np.ndarray
    cubes: np.ndarray

    @classmethod
    def zeros(cls, m: int, n_folds: int, n_models: int, n_losses: int) -> LossTotals:
        """No rows."""
        shapes: list[tuple[int, ...]] = [(n_folds,)] * 3 + [(n_folds, n_models, n_losses)]
        shapes += [(n_models, n_models), (n_models,)]
        return cls(*(np.zeros((m, *shape)) for shape in shapes))

    def __add__(self, other: LossTotals) -> LossTotals:
        """Over both sets of rows."""
        return LossTotals(
            *(getattr(self, f.name) + getattr(other, f.name) for f in fields(LossTotals))
        )

    def add(
        self, task: np.ndarray, fold: np.ndarray, y: np.ndarray, predictions: np.ndarray,
        response: Response, metric: str, center: float,
    ) -> None:  # fmt: skip
        """Add n rows that are tested once: tasks, folds, targets (n,), predictions (M, n).

        ``metric`` says which of the response's row losses leads.
        """
        self.add_losses(task, fold, y, predictions, response, center)
        self.add_products(task, response.row_loss(metric).of(y, predictions))

    def add_losses(
        self, task: np.ndarray, fold: np.ndarray, y: np.ndarray, predictions: np.ndarray,
        response: Response, center: float,
    ) -> None:  # fmt: skip
        """The part that is kept by fold."""
        m, n_folds, n_models, n_losses = self.losses.shape
        present, cell = compact(task * n_folds + fold, m * n_folds)
        values = [loss.of(y, predictions) for loss in response.row_losses.values()]
        flat = self.losses.reshape(-1, n_models, n_losses)
        flat[present] += _by_group(np.stack(values, axis=1), cell, len(present))
        away = y - center
        for total, each in ((self.rows, None), (self.target, away), (self.target_square, away**2)):
            total.reshape(-1)[present] += np.bincount(cell, each, len(present))

    def add_products(self, task: np.ndarray, loss: np.ndarray) -> None:
        """The part that is not, from the leading losses (M, n)."""
        present, local = compact(task, len(self.products))
        _, products, cubes = excess_sums(loss, local, len(present))
        self.products[present] += products
        self.cubes[present] += cubes


def excess_sums(
    loss: np.ndarray, code: np.ndarray, n_tasks: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sums by task of g, g g' and g³ (see `LossTotals`) from row losses (M, n)."""
    g = np.concatenate([loss[:1], loss[:1] - loss[1:]])
    products = np.empty((n_tasks, len(g), len(g)))
    for a in range(len(g)):
        products[:, a, a:] = _by_group(g[a] * g[a:], code, n_tasks)
        products[:, a:, a] = products[:, a, a:]
    return _by_group(g, code, n_tasks), products, _by_group(g**3, code, n_tasks)


def _by_group(values: np.ndarray, code: np.ndarray, n_groups: int) -> np.ndarray:
    """Sums (n_groups, ...) over the rows of each group of values (..., n)."""
    flat = values.reshape(-1, values.shape[-1])
    sums = np.zeros((n_groups, len(flat)))
    for j, each in enumerate(flat):
        sums[:, j] = np.bincount(code, each, n_groups)
    return sums.reshape(n_groups, *values.shape[:-1])
