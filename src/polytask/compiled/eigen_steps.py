# mypy: disable-error-code="no-untyped-def"
"""Steps of `polytask.compiled.eigen`: reflections and rotations of eight matrices side by side.

The rows that a step works on are in blocks of four, so that what they share is loaded once.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from polytask.compiled.blocks import EDGE, LANES
from polytask.compiled.lanes import NOTHING, Lanes, eight, loop, minus, number, plus, root

__all__ = ["project", "reflect", "rotate", "squares", "sweep", "update_four", "update_one"]

_WHOLE, _DOUBLE = types.int64, ir.DoubleType()


@intrinsic
def squares(context, out, M, i, n):
    """Sums of squares of the first n of row i, to the first of out."""

    def generate(target, builder, signature, args):
        out = Lanes(target, builder, signature.args[0], args[0])
        row = Lanes(target, builder, signature.args[1], args[1], args[2])

        def add(k, carried):
            x = row.load(k)
            return [plus(builder, carried[0], x, x)]

        out.store(number(0), loop(builder, number(0), args[3], 1, [NOTHING], add)[0])
        return target.get_dummy_value()

    return types.void(out, M, _WHOLE, _WHOLE), generate


def _reflection(n_rows, share):
    """Rows z of Z from a on: z -= share (z'u) u, with u the first n of row i of U."""

    def typed(context, Z, a, U, i, n):
        def generate(target, builder, signature, args):
            Z = Lanes(target, builder, signature.args[0], args[0], args[1])
            u = Lanes(target, builder, signature.args[2], args[2], args[3])
            rows, n = [Z.row(number(k)) for k in range(n_rows)], args[4]

            def dot(k, carried):
                x = u.load(k)
                pairs = zip(rows, carried, strict=True)
                return [plus(builder, total, row.load(k), x) for row, total in pairs]

            found = loop(builder, number(0), n, 1, [NOTHING] * n_rows, dot)
            found = [builder.fmul(one, eight(share)) for one in found]

            def take(k, _):
                x = u.load(k)
                for row, one in zip(rows, found, strict=True):
                    row.store(k, minus(builder, row.load(k), one, x))
                return []

            loop(builder, number(0), n, 1, [], take)
            return target.get_dummy_value()

        return types.void(Z, _WHOLE, U, _WHOLE, _WHOLE), generate

    return intrinsic(typed)


reflect, project = _reflection(EDGE, 1.0), _reflection(1, 0.5)


def _update(n_rows):
    """Rows of M from a on, up to their last column, after one reflection and before the next.

    From M goes q u' + u q' of the last, with u in row i + 1 and q in row ``old`` (0 or 1) of Q.
    The other row of Q gets M u of the next, whose u is row i: from these rows and their columns.
    """

    def typed(context, M, a, i, Q, old):
        def generate(target, builder, signature, args):
            M = Lanes(target, builder, signature.args[0], args[0])
            Q = Lanes(target, builder, signature.args[3], args[3])
            a, i, old = args[1], args[2], args[4]
            at = [builder.add(a, number(k)) for k in range(n_rows)]
            rows, u, u_old = [M.row(k) for k in at], M.row(i), M.row(builder.add(i, number(1)))
            q_old, q = Q.row(old), Q.row(builder.sub(number(1), old))
            mine = [(u.load(k), u_old.load(k), q_old.load(k)) for k in at]

            def work(below):
                def body(b, carried):
                    x, x_old, y_old = (row.load(b) for row in (u, u_old, q_old))
                    found, total = [], q.load(b) if below else None
                    for row, (u_a, u_old_a, q_old_a), one in zip(rows, mine, carried, strict=True):
                        z = minus(builder, row.load(b), q_old_a, x_old)
                        z = minus(builder, z, u_old_a, y_old)
                        row.store(b, z)
                        found.append(plus(builder, one, z, x))
                        total = plus(builder, total, z, u_a) if below else None
                    if below:
                        q.store(b, total)
                    return found

                return body

            found = loop(builder, number(0), a, 1, [NOTHING] * n_rows, work(True))
            end = builder.add(a, number(n_rows))
            found = loop(builder, a, end, 1, found, work(False))
            for k, one in zip(at, found, strict=True):
                q.store(k, one)
            return target.get_dummy_value()

        return types.void(M, _WHOLE, _WHOLE, Q, _WHOLE), generate

    return intrinsic(typed)


update_four, update_one = _update(EDGE), _update(1)


@intrinsic
def sweep(context, d, e, state, turns, at, low, high):
    """A sweep of QL steps on diagonals d, e (p, 1, 8), from column high - 1 to low.

    Of ``state`` (4, 1, 8) the first two rows say where each matrix begins and ends, the third is
    its shift, on return with the last g, and the fourth becomes what its first entry has to lose.
    Cosines and sines go to ``turns`` (n, 2, 8) from ``at`` on; elsewhere these are 1 and 0.
    """

    def generate(target, builder, signature, args):
        d, e, state, turns = (
            Lanes(target, builder, kind, array)
            for kind, array in zip(signature.args[:4], args[:4], strict=True)
        )
        at, low, high = args[4:]
        first, last, shift = (state.row(number(k)).load(number(0)) for k in range(3))
        top, one = builder.sub(high, number(1)), eight(1.0)

        def mul(x, y):
            return builder.fmul(x, y)

        def body(i, carried):
            s, c, g, back, here = carried
            j = builder.add(i, number(1))
            d_i, d_j, e_i, e_j = (x.row(k).load(number(0)) for x in (d, e) for k in (i, j))
            begun = builder.fcmp_ordered("<", here, last)
            on = builder.and_(builder.fcmp_ordered("<=", first, here), begun)
            f, b = mul(s, e_i), mul(c, e_i)
            r = root(builder, plus(builder, mul(g, g), f, f))
            turned = builder.fcmp_ordered(">", r, NOTHING)
            inverse = builder.fdiv(one, builder.select(turned, r, one))
            sine, cosine = mul(f, inverse), builder.select(turned, mul(g, inverse), one)
            h = builder.fsub(d_j, back)
            w = plus(builder, mul(mul(eight(2.0), cosine), b), builder.fsub(d_i, h), sine)
            more = mul(sine, w)
            turn = turns.row(builder.add(at, builder.sub(top, i)))
            turn.store(number(0), builder.select(on, cosine, one))
            turn.store(number(1), builder.select(on, sine, NOTHING))
            e.row(j).store(number(0), builder.select(on, r, e_j))
            d.row(j).store(number(0), builder.select(on, builder.fadd(h, more), d_j))
            new = (sine, cosine, builder.fsub(mul(cosine, w), b), more)
            kept = [builder.select(on, x, y) for x, y in zip(new, carried[:4], strict=True)]
            return [*kept, builder.fsub(here, one)]

        none = ir.Constant(ir.VectorType(_DOUBLE, LANES), ir.Undefined)
        here = builder.insert_element(none, builder.sitofp(top, _DOUBLE), number(0))
        all_first = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        starts = [one, one, shift, NOTHING, builder.shuffle_vector(here, none, all_first)]
        found = loop(builder, top, builder.sub(low, number(1)), -1, starts, body)
        state.row(number(2)).store(number(0), found[2])
        state.row(number(3)).store(number(0), found[3])
        return target.get_dummy_value()

    return types.void(d, e, state, turns, _WHOLE, _WHOLE, _WHOLE), generate


@intrinsic
def rotate(context, Z, turns, at, low, high):
    """The same rotations of columns of the first four rows of Z."""

    def generate(target, builder, signature, args):
        Z, turns = (Lanes(target, builder, signature.args[k], args[k]) for k in (0, 1))
        at, low, high = args[2:]
        rows = [Z.row(number(k)) for k in range(EDGE)]
        top = builder.sub(high, number(1))

        def body(k, carried):
            turn = turns.row(builder.add(at, builder.sub(top, k)))
            c, s = turn.load(number(0)), turn.load(number(1))
            found = []
            for row, h in zip(rows, carried, strict=True):
                z = row.load(k)
                row.store(builder.add(k, number(1)), plus(builder, builder.fmul(c, h), s, z))
                found.append(minus(builder, builder.fmul(c, z), s, h))
            return found

        starts = [row.load(high) for row in rows]
        found = loop(builder, top, builder.sub(low, number(1)), -1, starts, body)
        for row, one in zip(rows, found, strict=True):
            row.store(low, one)
        return target.get_dummy_value()

    return types.void(Z, turns, _WHOLE, _WHOLE, _WHOLE), generate
