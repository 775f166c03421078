"""Features as the lines and bends that a curved model is linear in."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.interpolate import CubicHermiteSpline

from polytask.algebra.splines import Bends
from polytask.export.graph import Graph

__all__ = ["add_bends"]


def add_bends(graph: Graph, model: Any, X: str) -> str:
    """The columns (n, p) of features X (n, d): lines about their means, then bends."""
    parts = [graph.node("Sub", X, graph.constant(np.asarray(model.mean_)[None]))]
    for k, bends in enumerate(model.bends_):
        if bends:
            x = graph.node("Gather", X, graph.constant(np.array([k])), axis=1)
            parts.append(_columns(graph, Bends(**bends), x))
    return parts[0] if len(parts) == 1 else graph.node("Concat", *parts, axis=1)


def _columns(graph: Graph, bends: Bends, x: str) -> str:
    """Every bend at x (n, 1): a cubic by its jumps of the third derivative, lines beyond."""
    first, last = (graph.constant(np.float64(at)) for at in bends.knots[[0, -1]])
    span = bends.knots[-1] - bends.knots[0]
    inside = graph.node("Clip", x, first, last)
    unit = graph.constant(np.float64(span))
    u = graph.node("Div", graph.node("Sub", inside, first), unit)
    at = (bends.knots - bends.knots[0]) / span
    after = graph.node("Sub", u, graph.constant(at[None, :-1]))
    after = graph.node("Max", after, graph.constant(np.float64(0)))
    cubes = graph.node("Mul", graph.node("Mul", after, after), after)
    third = CubicHermiteSpline(at, bends.values, bends.slopes).c[0]  # of every piece
    jumps = np.diff(third, axis=0, prepend=0.0)
    found = graph.node("MatMul", cubes, graph.constant(jumps))
    found = graph.node("Add", found, graph.node("MatMul", u, graph.constant(bends.slopes[:1])))
    found = graph.node("Add", found, graph.constant(bends.values[:1]))
    beyond = graph.node("Div", graph.node("Sub", x, inside), unit)
    zero = graph.constant(np.float64(0))
    for op, slope in (("Min", bends.slopes[:1]), ("Max", bends.slopes[-1:])):
        part = graph.node("MatMul", graph.node(op, beyond, zero), graph.constant(slope))
        found = graph.node("Add", found, part)
    return found
