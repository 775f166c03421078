"""Outputs of heads of several kinds as predictions and probabilities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from polytask.neural.coding import Group

__all__ = ["answers_of", "probabilities_of"]


def answers_of(z: np.ndarray, code: np.ndarray | None, groups: Sequence[Group]) -> np.ndarray:
    """Expected values and labels, shape (n,), or (n, m) of wide outputs (n, m, q).

    Numbers where all labels are numbers, otherwise an object array.
    """
    text = any(labels is not None and labels.dtype.kind not in "iufb" for labels in _labels(groups))
    out = np.empty(z.shape[:-1], dtype=object if text else float)
    for group, _, labels, where in _cells(code, groups):
        own = z[where][..., : group.width]
        if not group.kind.classes:
            out[where] = group.kind.mean(own)
            continue
        best = (own[..., 0] > 0).astype(int) if group.width == 1 else own.argmax(axis=-1)
        out[where] = labels[best]
    return out


def probabilities_of(
    z: np.ndarray, code: np.ndarray | None, groups: Sequence[Group], n_tasks: int
) -> Any:
    """Probabilities of labels: (n, most labels), or of wide outputs a list of (n, labels)."""
    most = max(len(labels) for labels in _labels(groups) if labels is not None)
    out: Any = np.full((len(z), most), np.nan) if code is not None else [None] * n_tasks
    for group, i, _, where in _cells(code, groups):
        if not group.kind.classes:
            if code is None:
                out[i] = np.full((len(z), 0), np.nan)
            continue
        p = group.kind.mean(z[where][..., : group.width])
        if code is None:
            out[i] = p
        else:
            out[np.ix_(where, range(p.shape[-1]))] = p
    return out


def _labels(groups: Sequence[Group]) -> list[np.ndarray | None]:
    return [labels for group in groups for labels in group.classes]


def _cells(
    code: np.ndarray | None, groups: Sequence[Group]
) -> Iterator[tuple[Group, int, Any, Any]]:
    """Each task with the place of its answers; tasks of numbers without labels all at once."""
    for group in groups:
        if code is not None and not group.kind.classes:
            # Unseen rows (-1) belong to the only group there is.
            mine = np.isin(code, group.tasks) | ((code < 0) & (len(groups) == 1))
            yield group, -1, None, np.flatnonzero(mine)
            continue
        for i, labels in zip(group.tasks.tolist(), group.classes, strict=True):
            yield group, i, labels, (np.flatnonzero(code == i) if code is not None else np.s_[:, i])
