# mypy: disable-error-code="no-untyped-def"
"""Products of blocks whose sums stay in registers, which loops of numba load and store each time.

Arrays (rows, columns, 8) hold eight matrices side by side: the last index is which. In
``add(C, a, e, X, i, Y, j, first, last)`` the block of 4 x 4 of C that begins at (a, e) gains
X[i : i + 4, first : last] Y[j : j + 4, first : last]', in sixteen registers of eight numbers.

In ``add_gram(S, a, e, Z, n)`` the block of 4 x 8 of one matrix S that begins at (a, e) gains that
of Z'Z of the first n rows of Z.

``fetch(rows, first, last)`` asks for numbers that are read soon, counted from the first of rows:
while others are multiplied they come from memory. Places behind the end do no harm.
"""

from __future__ import annotations

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

__all__ = [
    "EDGE",
    "LANES",
    "add",
    "add_gram",
    "fetch",
    "loop",
    "plus",
    "put",
    "put_minus",
    "sums_of_products",
    "take",
]

LANES, EDGE = 8, 4  # matrices side by side; rows and columns of a block
LINE = 8  # numbers in a line of the cache
_EIGHT, _INT = ir.VectorType(ir.DoubleType(), LANES), ir.IntType(64)
_FUSED = ("contract",)


def _product(store):
    """The intrinsic that hands (builder, place, sum) of all sixteen entries to ``store``."""

    def typed(context, C, a, e, X, i, Y, j, first, last):
        whole = types.int64
        signature = types.void(C, whole, whole, X, whole, Y, whole, whole, whole)

        def generate(target, builder, signature, args):
            C, a, e, X, i, Y, j, first, last = args
            kinds = signature.args
            into = _rows(target, builder, kinds[0], C, a)
            left = _rows(target, builder, kinds[3], X, i)
            right = _rows(target, builder, kinds[5], Y, j)
            sums = _loop(builder, left, right, first, last)
            for row, found in zip(into, sums, strict=True):
                for n, one in enumerate(found):
                    at = builder.add(e, ir.Constant(_INT, n))
                    store(builder, builder.gep(row, [at]), one)
            return target.get_dummy_value()

        return signature, generate

    return intrinsic(typed)


def _rows(target, builder, kind, array, first):
    """Where four rows of an array begin, from the first on."""
    found = target.make_array(kind)(target, builder, array)
    width = builder.extract_value(found.shape, 1)
    base = builder.bitcast(found.data, _EIGHT.as_pointer())
    rows = (builder.add(first, ir.Constant(_INT, n)) for n in range(EDGE))
    return [builder.gep(base, [builder.mul(row, width)]) for row in rows]


def _loop(builder, left, right, first, last):
    """Sums over f of left[i][f] right[j][f]."""

    def factors(f):
        sides = (left, right)
        return ([builder.load(builder.gep(x, [f]), align=8) for x in side] for side in sides)

    return sums_of_products(builder, len(left), len(right), first, last, factors)


def sums_of_products(builder, rows, columns, first, last, factors):
    """Sums over f of x[i] y[j], of (x, y) that ``factors`` has of f."""

    def more(f, sums):
        x, y = map(list, factors(f))
        pairs = ((one, other) for one in x for other in y)
        return [plus(builder, total, *pair) for total, pair in zip(sums, pairs, strict=True)]

    nothing = [ir.Constant(_EIGHT, [0.0] * LANES)] * (rows * columns)
    sums = loop(builder, first, last, 1, nothing, more)
    return [sums[columns * i : columns * (i + 1)] for i in range(rows)]


def plus(builder, z, x, y):
    """Z + x y."""
    return builder.fadd(builder.fmul(x, y, flags=_FUSED), z, flags=_FUSED)


def loop(builder, first, end, step, starts, body):
    """What ``body`` of (k, carried) made of ``starts`` after k from first, by steps, before end."""
    before = builder.block
    head, inside, after = (builder.append_basic_block(name) for name in ("head", "inside", "after"))
    builder.branch(head)
    builder.position_at_end(head)
    k = builder.phi(_INT)
    carried = [builder.phi(one.type) for one in starts]
    builder.cbranch(builder.icmp_signed("<" if step > 0 else ">", k, end), inside, after)
    builder.position_at_end(inside)
    found = body(k, carried)
    last = builder.block
    k.add_incoming(first, before)
    k.add_incoming(builder.add(k, ir.Constant(_INT, step)), last)
    for phi, start, one in zip(carried, starts, found, strict=True):
        phi.add_incoming(start, before)
        phi.add_incoming(one, last)
    builder.branch(head)
    builder.position_at_end(after)
    return carried


def _put(builder, at, found):
    builder.store(found, at, align=8)


def _put_minus(builder, at, found):
    builder.store(builder.fneg(found), at, align=8)


def _add(builder, at, found):
    builder.store(builder.fadd(builder.load(at, align=8), found), at, align=8)


def _take(builder, at, found):
    builder.store(builder.fsub(builder.load(at, align=8), found), at, align=8)


put, put_minus, add, take = (_product(store) for store in (_put, _put_minus, _add, _take))


@intrinsic
def add_gram(context, S, a, e, Z, n):
    """Add to a block of 4 x 8 of a Gram matrix, see above."""
    whole = types.int64
    return types.void(S, whole, whole, Z, whole), _generate_gram


def _generate_gram(target, builder, signature, args):
    S, a, e, Z, n = args
    S, Z = (
        target.make_array(kind)(target, builder, array)
        for kind, array in ((signature.args[0], S), (signature.args[3], Z))
    )
    width = builder.extract_value(Z.shape, 1)
    zero, none = ir.Constant(_INT, 0), ir.Constant(_EIGHT, ir.Undefined)
    first = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)

    def at(base, place):
        return builder.bitcast(builder.gep(base, [place]), _EIGHT.as_pointer())

    def factors(k):
        row = builder.gep(Z.data, [builder.mul(k, width)])
        ones = []
        for i in range(EDGE):
            x = builder.load(builder.gep(row, [builder.add(a, ir.Constant(_INT, i))]))
            x = builder.insert_element(none, x, zero)
            ones.append(builder.shuffle_vector(x, none, first))
        return ones, [builder.load(at(row, e), align=8)]

    width_S = builder.extract_value(S.shape, 1)
    for i, (found,) in enumerate(sums_of_products(builder, EDGE, 1, zero, n, factors)):
        row = builder.mul(builder.add(a, ir.Constant(_INT, i)), width_S)
        _add(builder, at(S.data, builder.add(row, e)), found)
    return target.get_dummy_value()


@intrinsic
def _fetch_line(context, rows, place):
    return types.void(rows, place), _generate_fetch


def _generate_fetch(target, builder, signature, args):
    rows, place = args
    found = target.make_array(signature.args[0])(target, builder, rows)
    byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
    kind = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
    call = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
    at = builder.bitcast(builder.gep(found.data, [place]), byte)
    builder.call(call, [at, word(0), word(3), word(1)])  # to read, to the nearest cache, data
    return target.get_dummy_value()


@njit(cache=True, nogil=True, inline="always")
def fetch(rows, first, last):
    """Ask for the numbers of rows in these places, a line of the cache after the other."""
    for place in range(first, last, LINE):
        _fetch_line(rows, place)
