# mypy: disable-error-code="no-untyped-def"
"""Products of matrices of some hundred rows, by blocks of 4 x 32 whose sums stay in registers.

Arrays are C-contiguous, their rows and columns multiples of 4 and of 8, with zeros around. Of
symmetric and triangular matrices only the lower triangle is worked on, in whole blocks. BLAS has
half the speed at these sizes, or less.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from polytask.compiled.blocks import EDGE, LANES, sums_of_products

__all__ = ["WIDE", "add_gram", "add_grams", "forms", "halve", "padded", "times"]

_AT_ONCE = 64  # rows that are scaled at once: they stay in the nearest cache
WIDE = 4  # eights of columns in a block, where there are as many
_EIGHT, _INT = ir.VectorType(ir.DoubleType(), LANES), ir.IntType(64)
_ZERO, _FUSED = ir.Constant(_INT, 0), ("contract",)
compiled = njit(cache=True, nogil=True, error_model="numpy")


@compiled
def padded(n, to):
    """The least multiple of ``to`` that is not below n."""
    return -(-n // to) * to


@compiled
def times(C, X, Y, lower):
    """C = X Y; where X is lower triangular its zeros are left out."""
    for a in range(0, len(C), EDGE):
        last, j = a + EDGE if lower else len(Y), 0
        while j < C.shape[1]:
            if j + WIDE * LANES <= C.shape[1]:
                _put_wide(C, a, j, X, Y, last)
                j += WIDE * LANES
            else:
                _put_one(C, a, j, X, Y, last)
                j += LANES


@compiled
def add_gram(C, Y, n):
    """C += Y'Y of the first n rows: blocks that touch the lower triangle."""
    for a in range(0, len(C), EDGE):
        j = 0
        while j < a + EDGE:
            if j + WIDE * LANES <= C.shape[1]:
                _add_gram_wide(C, a, j, Y, Y, n)
                j += WIDE * LANES
            else:
                _add_gram_one(C, a, j, Y, Y, n)
                j += LANES


@compiled
def add_grams(rows, roots, out):
    """To the lower triangles of out (C, P, P) sums over rows (k, d) of (root row)(root row)'.

    By every row of roots (C, k).
    """
    k, d = rows.shape
    Z = np.zeros((_AT_ONCE, out.shape[2]))
    for first in range(0, k, _AT_ONCE):
        n = min(_AT_ONCE, k - first)
        for a in range(len(roots)):
            for i in range(n):
                root = roots[a, first + i]
                for j in range(d):
                    Z[i, j] = root * rows[first + i, j]
            add_gram(out[a], Z, n)


@compiled
def halve(Q):
    """Halve the diagonal of a symmetric Q, and clear what is above it in blocks beside it."""
    for a in range(0, len(Q), EDGE):
        for i in range(a, a + EDGE):
            Q[i, i] *= 0.5
            Q[i, i + 1 : a + EDGE] = 0.0


@compiled
def forms(out, Q, V):
    """Q's form of every column of V, to the only row of out, by what `halve` left of Q."""
    out[:] = 0.0
    j = 0
    while j < V.shape[1]:
        wide = j + WIDE * LANES <= V.shape[1]
        for a in range(0, len(Q), EDGE):
            if wide:
                _form_wide(out, a, j, Q, V, a + EDGE)
            else:
                _form_one(out, a, j, Q, V, a + EDGE)
        j += WIDE * LANES if wide else LANES
    for j in range(V.shape[1]):
        out[0, j] *= 2.0


def _block(columns, across, store):
    """The intrinsic that hands sums over f < last of x y to ``store``.

    Of four rows of X at a (``across``: columns), and of some eights of columns of Y at j.
    """

    def typed(context, C, a, j, X, Y, last):
        whole = types.int64

        def generate(target, builder, signature, args):
            kinds = signature.args
            C, X, Y = (_Matrix(target, builder, kinds[i], args[i]) for i in (0, 3, 4))
            a, j, last = args[1], args[2], args[5]
            rows = [builder.add(a, ir.Constant(_INT, i)) for i in range(EDGE)]
            eights = [builder.add(j, ir.Constant(_INT, LANES * n)) for n in range(columns)]

            def factors(f):
                ones = [X.spread(*((f, row) if across else (row, f))) for row in rows]
                return ones, [Y.load(f, at) for at in eights]

            sums = sums_of_products(builder, EDGE, columns, _ZERO, last, factors)
            store(builder, C, Y, rows, eights, sums)
            return target.get_dummy_value()

        return types.void(C, whole, whole, X, Y, whole), generate

    return intrinsic(typed)


class _Matrix:
    """A matrix, or a row, whose numbers are read and written eight at a time."""

    def __init__(self, target, builder, kind, array):
        found = target.make_array(kind)(target, builder, array)
        self.builder, self.data = builder, found.data
        self.width = builder.extract_value(found.shape, kind.ndim - 1)

    def at(self, row, column):
        return self.builder.gep(
            self.data, [self.builder.add(self.builder.mul(row, self.width), column)]
        )

    def load(self, row, column):
        return self.builder.load(self._eight(row, column), align=8)

    def store(self, row, column, value):
        self.builder.store(value, self._eight(row, column), align=8)

    def spread(self, row, column):
        """One number eight times."""
        none = ir.Constant(_EIGHT, ir.Undefined)
        first = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        one = self.builder.load(self.at(row, column))
        return self.builder.shuffle_vector(
            self.builder.insert_element(none, one, _ZERO), none, first
        )

    def _eight(self, row, column):
        return self.builder.bitcast(self.at(row, column), _EIGHT.as_pointer())


def _put(builder, C, Y, rows, eights, sums):
    for row, found in zip(rows, sums, strict=True):
        for at, one in zip(eights, found, strict=True):
            C.store(row, at, one)


def _add(builder, C, Y, rows, eights, sums):
    for row, found in zip(rows, sums, strict=True):
        for at, one in zip(eights, found, strict=True):
            C.store(row, at, builder.fadd(C.load(row, at), one))


def _form(builder, C, Y, rows, eights, sums):
    """Add products with the rows of Y, of which a form is made."""
    totals = [C.load(_ZERO, at) for at in eights]
    for row, found in zip(rows, sums, strict=True):
        for n, (at, one) in enumerate(zip(eights, found, strict=True)):
            more = builder.fmul(one, Y.load(row, at), flags=_FUSED)
            totals[n] = builder.fadd(more, totals[n], flags=_FUSED)
    for at, one in zip(eights, totals, strict=True):
        C.store(_ZERO, at, one)


_put_wide, _put_one = _block(WIDE, False, _put), _block(1, False, _put)
_add_gram_wide, _add_gram_one = _block(WIDE, True, _add), _block(1, True, _add)
_form_wide, _form_one = _block(WIDE, False, _form), _block(1, False, _form)
