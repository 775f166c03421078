"""Descent over features by compiled loops, where those are installed and Gram matrices are kept."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from polytask.compiled import loops
from polytask.penalties import Norm
from polytask.solvers.norms.outer import Inner
from polytask.solvers.norms.rest import InterceptRest, NoRest
from polytask.solvers.norms.squares import Squares

__all__ = ["after_sweeps"]

_MOST = 200  # sweeps after which features are too much alike for them
_FLAT = 1e-12  # least curvature of an entry, in that of the largest


def after_sweeps(inner: Inner) -> Inner:
    """Sweeps over features, and ``inner`` from where they led: at once where there are none."""

    def solve(
        F: Squares, norm: Norm, start: np.ndarray, tol: float, max_iter: int
    ) -> tuple[np.ndarray, int]:
        compiled = loops("block_descent") if _suits(F, norm, start) else None
        if compiled is None:
            return inner(F, norm, start, tol, max_iter)
        most = min(_MOST, max_iter)
        B, used = _sweep(compiled, F, norm, start, tol, most)
        if used < most or most == max_iter:
            return B, used
        B, more = inner(F, norm, B, tol, max_iter - used)
        return B, used + more

    return solve


def _suits(F: Squares, norm: Norm, B: np.ndarray) -> bool:
    """Whether the norm is of lengths and absolute values, and Gram matrices are all there is."""
    alone = B.ndim == 2 and F.quadratic is None and F.curvature.products
    known = isinstance(F.rest, NoRest | InterceptRest)
    return bool(alone and known and B.size and _prices(norm) is not None)


def _prices(norm: Norm) -> tuple[Any, Any] | None:
    """What entries, and lengths of features, cost; None of other norms."""
    lengths = cast(Any, norm)
    try:
        return lengths.by_entries, lengths.by_features
    except AttributeError:
        return None


def _sweep(
    compiled: Any, F: Squares, norm: Norm, start: np.ndarray, tol: float, most: int
) -> tuple[np.ndarray, int]:
    (m, d), grams = start.shape, F.curvature.grams
    scale = np.ones(m)
    if grams is None:
        shared = cast(Any, F.curvature)
        grams, scale = shared.gram[None], shared.scale
    held, tie, h = np.zeros(m), np.zeros(m), np.zeros((m, d))
    if isinstance(F.rest, InterceptRest):
        held = F.rest.held
        tie = 2.0 * F.rest.strength / held
        h = np.ascontiguousarray(F.curvature.last_column()[:, :d])
    c = np.ascontiguousarray(F.task_diagonal.T)
    c = np.maximum(c, max(_FLAT * c.max(), np.finfo(float).tiny))
    B, g = np.array(start, order="C"), np.array(F.gradient(start)[0], order="C")
    l1, l2 = (np.full(d, 1.0) * price for price in _prices(norm) or ())
    zero = np.ascontiguousarray(F.gradient_at_zero)
    used = compiled.descend(
        np.ascontiguousarray(grams), scale, h, held, tie, c, B, g,
        zero, F.value_at_zero, l1, l2, tol, most,
    )  # fmt: skip
    return B, int(used)
