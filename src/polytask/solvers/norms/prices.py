"""What coefficients cost under the norms that sweeps know, and how they are laid out for them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from polytask.penalties import Norm
from polytask.solvers.norms.parts import SumOfNorms

__all__ = ["Prices", "prices_of"]

_LENGTHS, _LARGEST, _SHARED = 0, 1, 2  # as in `compiled.block_descent`


class Prices(NamedTuple):
    """Of an entry, of a feature and, where tasks have a part of their own, of a task."""

    kind: int
    by_entries: Any
    by_features: Any
    by_tasks: float = 0.0

    def laid_out(self, B: np.ndarray) -> np.ndarray:
        """L, or the shared part, on top of heights, on top of what tasks have of their own."""
        if self.by_tasks:
            return np.concatenate([B[0], np.zeros((1, B.shape[-1])), B[1]])
        if B.ndim == 2:
            return np.concatenate([B, np.zeros((1, B.shape[-1]))])
        if self.kind == _LARGEST:
            height = np.abs(B[0]).max(axis=0)
        else:
            height = self.by_entries / self.by_features * np.linalg.norm(B[0], axis=0)
        return np.concatenate([B.sum(axis=0), height[None]])

    def parts(self, state: np.ndarray, m: int) -> np.ndarray:
        """What was laid out, of m tasks."""
        if self.by_tasks:
            return np.stack([state[:m], state[m + 1 :]])
        if self.kind == _LENGTHS:
            return state[:m]
        shared = np.clip(state[:m], -state[m], state[m])
        return np.stack([shared, state[:m] - shared])


def prices_of(norm: Norm) -> Prices | None:
    """Those of a norm, or of a sum of two, that sweeps know; None of others."""
    first, *others = norm.norms if isinstance(norm, SumOfNorms) else (norm,)
    entries, features, largest, _ = _said(first)
    if not others:
        return None if entries is None or features is None else Prices(_LENGTHS, entries, features)
    own, lengths, _, tasks = _said(others[0])
    joint = entries is not None and not np.any(entries) and np.all(features)
    if len(others) > 1 or not (joint or largest):
        return None
    if tasks and joint:
        return Prices(_LENGTHS, entries, features, tasks)
    if own is None or not np.all(own) or np.any(lengths):
        return None
    return Prices(_LARGEST, own, largest) if largest else Prices(_SHARED, own, features)


def _said(norm: Norm) -> list[Any]:
    names = ("by_entries", "by_features", "by_largest", "by_tasks")
    return [getattr(norm, name, None) for name in names]
