"""Categories: a table with a row per category, filled by asking the fitted encoder itself.

So every option of an encoder (dropped, rare and unknown categories) is in the graph as it is in
Python. A gap is the empty text, for which ONNX has no other sign.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from onnx import TensorProto

from polytask.export.errors import cannot
from polytask.export.graph import Column, Graph, Made, Source

__all__ = ["add_encoder", "add_stream_preparer"]

Ask = Callable[[np.ndarray], np.ndarray]


def add_encoder(graph: Graph, step: Any, columns: Sequence[Column]) -> list[Column]:
    """One-hot and ordinal encoders: what a column adds to the answer for the first categories."""
    first = [known[0] for known in step.categories_]
    base = _answers(step, [first])[0]
    total = graph.constant(base)
    for j, (column, known) in enumerate(zip(columns, step.categories_, strict=True)):
        source = _as_source(step, column)

        def ask(values: np.ndarray, j: int = j) -> np.ndarray:
            rows = [[*first[:j], value, *first[j + 1 :]] for value in values]
            return _answers(step, rows) - base

        total = graph.node("Add", total, _look_up(graph, step, source.name, known, ask))
    return [Made(total, len(base))]


def add_stream_preparer(graph: Graph, step: Any, columns: Sequence[Column]) -> list[Column]:
    """What is learned in a first pass over a table; the task passes through and comes last."""
    by_name = {c.name: c for c in columns if isinstance(c, Source)}
    made: list[Column] = []
    for name in step.feature_names_in_:
        if name in step.numbers_:
            made.append(_scaled_number(graph, name, *step.numbers_[name]))
            continue

        def ask(values: np.ndarray, name: str = name) -> np.ndarray:
            return np.column_stack(step.columns_of_one(name, pa.array(values, pa.string())))

        known = np.array(step.levels_[name], dtype=object)
        width = len(known) + int(step.rest_[name])
        made.append(Made(_look_up(graph, step, name, known, ask), width))
    return [*made, by_name.get(step.task, Source(step.task))]


def _scaled_number(graph: Graph, name: str, mean: float, scale: float, share: float) -> Made:
    x = graph.input(name, "number")
    missing = graph.node("IsNaN", x)
    filled = graph.node("Where", missing, graph.constant(np.float64(mean)), x)
    centered = graph.node("Sub", filled, graph.constant(np.float64(mean)))
    scaled = graph.node("Div", centered, graph.constant(np.float64(scale)))
    if share == 0:
        return Made(scaled, 1)
    spread = np.sqrt(share * (1.0 - share)) or 1.0
    gap = graph.node("Sub", graph.node("Cast", missing, to=TensorProto.DOUBLE),
                     graph.constant(np.float64(share)))  # fmt: skip
    gap = graph.node("Div", gap, graph.constant(np.float64(spread)))
    return Made(graph.node("Concat", scaled, gap, axis=1), 2)


def _as_source(step: Any, column: Column) -> Source:
    if isinstance(column, Source) and column.width == 1:
        return column
    raise cannot(step, "must see columns of the table itself", "Name them in a ColumnTransformer.")


def _look_up(graph: Graph, step: Any, name: str, known: np.ndarray, ask: Ask) -> str:
    """The row of ``ask`` for each value of a column; the last row is that of unknown values."""
    whole = known.dtype.kind in "iu"
    gap = pd.isna(known)
    if not whole and not all(isinstance(value, str) for value in known[~gap]):
        raise cannot(
            step, f"has categories in {name!r} that are neither text nor whole numbers",
            "Convert the column to text.",
        )  # fmt: skip
    keys = known if whole else np.where(gap, "", known).astype(str)
    gap &= not (whole or "" in known[~gap])
    stranger: Any = known.max() + 1 if whole else f"{max(keys, key=len)}\N{REPLACEMENT CHARACTER}"
    try:
        unknown = ask(np.array([stranger], dtype=known.dtype if whole else object))
    except ValueError:  # the encoder refuses: the graph answers NaN
        unknown = np.full((1, ask(known[:1]).shape[1]), np.nan)
    rows, codes = np.unique(np.vstack([ask(known), unknown]), axis=0, return_inverse=True)
    codes = codes.ravel()
    used = ~pd.isna(known) | gap
    tensor = graph.input(name, "integer" if whole else "text")
    code = graph.code(tensor, keys[used], codes[:-1][used], int(codes[-1]))
    return graph.node("Gather", graph.constant(rows), code, axis=0)


def _answers(step: Any, rows: Sequence[Sequence[Any]]) -> np.ndarray:
    X: Any = np.array(rows, dtype=object)
    names = getattr(step, "feature_names_in_", None)
    out = step.transform(X if names is None else pd.DataFrame(X, columns=names))
    return np.asarray(out.toarray() if hasattr(out, "toarray") else out, dtype=float)
