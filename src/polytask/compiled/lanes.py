# mypy: disable-error-code="no-untyped-def"
"""Eight matrices side by side in machine words of eight numbers, for intrinsics of numba.

Arrays end with an axis of eight. What numba makes of loops over it stores every sum and loads it
again; these stay in registers.
"""

from __future__ import annotations

from llvmlite import ir
from numba.core import cgutils

from polytask.compiled.blocks import LANES, loop, plus

__all__ = ["NOTHING", "Lanes", "eight", "loop", "minus", "number", "plus", "root"]

_EIGHT, _INT = ir.VectorType(ir.DoubleType(), LANES), ir.IntType(64)
_FUSED = ("contract",)


def number(n):
    """A constant index."""
    return ir.Constant(_INT, n)


def eight(x):
    """A constant, eight times."""
    return ir.Constant(_EIGHT, [x] * LANES)


NOTHING = eight(0.0)


class Lanes:
    """A row of eights from an array (rows, columns, 8)."""

    def __init__(self, target, builder, kind, array, row=None):
        found = target.make_array(kind)(target, builder, array)
        self.builder, self._data = builder, builder.bitcast(found.data, _EIGHT.as_pointer())
        self._width = builder.extract_value(found.shape, 1)
        if row is not None:
            self._data = self.row(row)._data

    def row(self, i):
        """Another row of the same array, counted from this one."""
        other = object.__new__(Lanes)
        other.builder, other._width = self.builder, self._width
        other._data = self.builder.gep(self._data, [self.builder.mul(i, self._width)])
        return other

    def load(self, k):
        """The eight at k."""
        return self.builder.load(self.builder.gep(self._data, [k]), align=8)

    def store(self, k, value):
        """Put eight there."""
        self.builder.store(value, self.builder.gep(self._data, [k]), align=8)


def minus(builder, z, x, y):
    """Z - x y."""
    return builder.fsub(z, builder.fmul(x, y, flags=_FUSED), flags=_FUSED)


def root(builder, x):
    """Roots of eight numbers."""
    kind = ir.FunctionType(_EIGHT, [_EIGHT])
    function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.sqrt.v{LANES}f64")
    return builder.call(function, [x])
