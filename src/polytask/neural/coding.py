"""What kind of task each task is, and its targets as numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from polytask.neural.kinds import KINDS, Kind

__all__ = ["Group", "encode_task", "make_groups", "read_kinds"]


@dataclass(frozen=True, eq=False)
class Group:
    """Tasks whose heads have one kind and width, so that one call serves them all.

    Their heads share a common head: a logistic head says nothing about a squared one, and
    multinomial heads are comparable only if their labels are the same.
    """

    kind: Kind
    tasks: np.ndarray  # positions of the tasks
    width: int
    classes: tuple[Any, ...]  # labels of each of the tasks, or None


def make_groups(kinds: Sequence[str], classes: Sequence[np.ndarray | None]) -> list[Group]:
    """Groups of tasks in the order in which their kinds appear."""
    members: dict[Any, list[int]] = {}
    for i, (kind, labels) in enumerate(zip(kinds, classes, strict=True)):
        key = (kind, tuple(labels.tolist()) if kind == "multinomial" else None)  # type: ignore[union-attr]
        members.setdefault(key, []).append(i)
    return [
        Group(
            KINDS[kind], np.asarray(tasks), len(labels) if labels else 1,
            tuple(classes[i] for i in tasks),
        )
        for (kind, labels), tasks in members.items()
    ]  # fmt: skip


def read_kinds(owner: str, loss: Mapping[Any, str], tasks: np.ndarray) -> list[str]:
    """Kind of each task, from a mapping of task ids to kinds."""
    unknown = sorted({str(kind) for kind in loss.values() if kind not in KINDS})
    if unknown:
        raise ValueError(
            f"{owner}: loss must name kinds among {', '.join(KINDS)}; got {', '.join(unknown)}."
        )
    missing = [task for task in tasks.tolist() if task not in loss]
    if missing:
        raise ValueError(
            f"{owner}: loss must name a kind for every task; got none for {missing[:5]}. "
            "Ids are compared as they are: text with text, numbers with numbers."
        )
    return [loss[task] for task in tasks.tolist()]


def encode_task(
    owner: str, task: Any, kind: str, y: np.ndarray, known: np.ndarray | None = None
) -> tuple[np.ndarray, Any]:
    """Targets of one task as floats, and its labels (None unless the kind has labels).

    ``known`` are the labels of an earlier call.
    """
    if KINDS[kind].classes:
        return _encode_labels(owner, task, kind, y, known)
    try:
        values = y.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{owner}: y must be numbers where the loss is {kind!r}; task {task!r} holds "
            f"{y[:3].tolist()}."
        ) from error
    response = KINDS[kind].response
    place = response.targets.first_outside(values) if response else None
    if response and place is not None:
        raise ValueError(
            f"{owner}: y must be {response.targets.rule} where the loss is {kind!r}; task {task!r} "
            f"holds {values[place]:g}."
        )
    return values, None


def _encode_labels(
    owner: str, task: Any, kind: str, y: np.ndarray, known: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    values = np.asarray(y.tolist())  # objects that are all numbers, or all text, become that
    labels = np.unique(values) if known is None else known
    if known is None and kind == "logistic" and labels.tolist() in ([0], [1]):
        labels = np.array([0, 1], dtype=labels.dtype)  # a task of zeros and ones with one of them
    code = np.minimum(np.searchsorted(labels, values), len(labels) - 1)
    right = len(labels) == 2 if kind == "logistic" else len(labels) >= 2
    if not right or (labels[code] != values).any():
        wanted = "two labels" if kind == "logistic" else "two labels or more"
        raise ValueError(
            f"{owner}: y must hold {wanted} where the loss is {kind!r}; task {task!r} holds "
            f"{np.unique(values)[:5].tolist()}"
            + ("." if known is None else f" after {known.tolist()}.")
        )
    return code.astype(np.float64), labels
