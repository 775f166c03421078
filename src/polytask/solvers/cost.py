"""What a factorization of the block-arrow Hessian costs, against products with the rows."""

from __future__ import annotations

import numpy as np

from polytask.data import Design
from polytask.solvers.arrow_problem import ArrowProblem

__all__ = ["factor_numbers", "products_pay"]

_MOST_NUMBERS = 5e8  # in the matrices of a factorization: 4 GB
_PRODUCTS = 300  # products that conjugate gradients are thought to need
_FLOPS, _READS = 2e10, 5e8  # a second: of LAPACK, and of nonzeros in a product
_NOT_WORTH = 0.5  # seconds of an exact factorization that nothing need save
_CALL = 5e-4  # seconds for a task whose system is kept in row space


def products_pay(arrow: ArrowProblem) -> bool:
    """Whether no factorization should be made: too large, or slower than some hundred products."""
    design, k, c = arrow.problem.data.design, len(arrow.D), len(arrow.G)
    if not design.sparse and design.n_tasks * max(k, 1) * (k + c) + c**2 <= _MOST_NUMBERS:
        return False  # whichever tasks are kept in row space
    if factor_numbers(arrow) > _MOST_NUMBERS:
        return True
    return design.sparse and _factor_seconds(arrow) > max(
        _NOT_WORTH, _PRODUCTS * _product_seconds(design)
    )


def factor_numbers(arrow: ArrowProblem) -> float:
    """Numbers in the matrices that the factorization holds."""
    n, c, k, in_rows, small = _shape(arrow)
    inside = np.where(in_rows, n * n, k * (k + c if k > 1 else c))
    return float(inside.sum()) + small**2


def _factor_seconds(arrow: ArrowProblem) -> float:
    n, c, k, in_rows, small = _shape(arrow)
    p = arrow.problem.data.n_coefs
    alone = k <= 1  # nothing but an intercept of its own: one Gram matrix for all tasks
    wide = n**3 + n**2 * k + (n * c * (n + c) if small == c else 10.0 * n**3)
    dense = n * p * p + k**3
    each = np.where(in_rows, wide, 0.0 if alone else dense)
    flops = float(each.sum()) + small**3 + (float(n.sum()) * c * min(c, small) if alone else 0.0)
    return flops / _FLOPS + _CALL * float(in_rows.sum())


def _product_seconds(design: Design) -> float:
    nonzeros = design.X.nnz if design.sparse else design.X.size
    if design.index is not None:
        nonzeros *= len(design.index) / max(design.X.shape[0], 1)
    return float(2.0 * nonzeros + 4.0 * design.n_tasks * design.n_columns) / _READS


def _shape(arrow: ArrowProblem) -> tuple[np.ndarray, int, int, np.ndarray, int]:
    """Rows of each task, c, k, tasks kept in row space, and the side of the common system."""
    n = arrow.problem.data.sizes.astype(float)
    c, k = len(arrow.G), len(arrow.D)
    in_rows = (2 * n < k) & ((arrow.D > 0).sum() >= k - 1) & (k > 16)
    rows = float(n.sum())
    few = c > rows and (arrow.G > 0).sum() >= c - 1 and (in_rows.all() or k <= 1)
    return n, c, k, in_rows, int(rows) if few else c
