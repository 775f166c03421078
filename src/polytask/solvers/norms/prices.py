"""What coefficients cost under the norms that sweeps know, and how they are laid out for them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from polytask.penalties import Norm, Quadratic
from polytask.solvers.norms.parts import SumOfNorms

__all__ = ["LENGTHS", "Prices", "prices_of"]

LENGTHS, _LARGEST, _SHARED, _CHANGES, _CHAIN = range(5)  # as in `compiled.feature_steps`


class Prices(NamedTuple):
    """Of an entry, of a feature, of changes along the tasks, and of what a task has of its own.

    ``links`` (2, d, m) are what a quadratic adds to curvatures, and those between neighbours.
    """

    kind: int
    by_entries: Any
    by_features: Any
    by_changes: Any = 0.0
    by_tasks: float = 0.0
    links: np.ndarray | None = None

    @property
    def by_feature(self) -> tuple[Any, Any, Any]:
        """What sums over features have."""
        return self.by_entries, self.by_features, self.by_changes

    @property
    def linked(self) -> bool:
        """Whether neighbours are."""
        return self.kind in (_CHANGES, _CHAIN)

    @property
    def bends(self) -> bool:
        """Whether tasks can take steps of their own: coefficients that are equal move together."""
        return self.kind != _CHANGES

    def laid_out(self, B: np.ndarray) -> np.ndarray:
        """L, or the shared part, by features; heights; what tasks have of their own, by tasks."""
        height, own = np.zeros(B.shape[-1]), np.zeros(0)
        if self.by_tasks:
            B, own = B[0], B[1].ravel()
        elif B.ndim == 3:
            if self.kind == _LARGEST:
                height = np.abs(B[0]).max(axis=0)
            else:
                height = self.by_entries / self.by_features * np.linalg.norm(B[0], axis=0)
            B = B.sum(axis=0)
        return np.concatenate([B.T.ravel(), height, own])

    def parts(self, state: np.ndarray, m: int) -> np.ndarray:
        """What was laid out, of m tasks."""
        d = len(state) // (2 * m + 1 if self.by_tasks else m + 1)
        B, height = state[: d * m].reshape(d, m).T, state[d * m : d * m + d]
        if self.by_tasks:
            return np.stack([B, state[d * m + d :].reshape(m, d)])
        if self.kind not in (_LARGEST, _SHARED):
            return np.ascontiguousarray(B)
        shared = np.clip(B, -height, height)
        return np.stack([shared, B - shared])


def prices_of(norm: Norm, quadratic: Quadratic | None = None) -> Prices | None:
    """Those of a norm, or of a sum of two, that sweeps know; None of others."""
    first, *others = norm.norms if isinstance(norm, SumOfNorms) else (norm,)
    entries, features, changes, largest, _ = _said(first)
    if quadratic is not None:
        links = getattr(quadratic, "links", None)
        alone = not (others or changes is not None or entries is None or np.any(entries))
        return Prices(_CHAIN, 0.0, features, links=links) if alone and links is not None else None
    if not others:
        if entries is None or features is None:
            return None
        kind = LENGTHS if changes is None else _CHANGES
        return Prices(kind, entries, features, 0.0 if changes is None else changes)
    own, lengths, own_changes, _, tasks = _said(others[0])
    joint = entries is not None and not np.any(entries) and np.all(features)
    if len(others) > 1 or not (joint or largest) or (changes, own_changes) != (None, None):
        return None
    if tasks and joint:
        return Prices(LENGTHS, entries, features, by_tasks=tasks)
    if own is None or not np.all(own) or np.any(lengths):
        return None
    return Prices(_LARGEST, own, largest) if largest else Prices(_SHARED, own, features)


def _said(norm: Norm) -> list[Any]:
    changes = getattr(norm, "by_changes", None)
    rest = norm if changes is None else getattr(norm, "beside_changes", None)
    said = [getattr(rest, name, None) for name in ("by_entries", "by_features")]
    return [*said, changes, *(getattr(norm, name, None) for name in ("by_largest", "by_tasks"))]
