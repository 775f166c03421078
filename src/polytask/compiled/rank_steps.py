# mypy: disable-error-code="no-untyped-def"
"""Points and Newton equations of one rank, see `polytask.solvers.norms.rank_newton`.

The same numbers as `RankAt` and `RankModel.solve` say, a step of conjugate gradients after the
other: products of whole matrices by BLAS, those of a task by loops.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["direction", "moved", "point", "system"]

_HOW = {"nogil": True, "error_model": "numpy", "fastmath": {"reassoc", "contract"}}
inner = njit(cache=True, no_cpython_wrapper=True, no_cfunc_wrapper=True, **_HOW)


@njit(cache=True, **_HOW)
def point(squares, zero, L, most, weak, alpha):
    """What `_point` of `polytask.solvers.norms.rank_newton` says, and `RankAt`.

    ``zero`` is the gradient at zero, ``most`` the largest rank.
    """
    grams, mass, double = squares
    values, vectors = np.linalg.eigh(_tb(L, L))
    m, d = L.shape
    s, r = np.sqrt(np.maximum(values[::-1], 0.0)), 0
    while r < min(most, m, d) and s[r] > weak * s[0]:
        r += 1
    s, V, B = s[:r].copy(), np.empty((d, r)), np.empty((d, d - r))
    for j in range(d):
        for k in range(d):
            if k < r:
                V[j, k] = vectors[j, d - 1 - k]
            else:
                B[j, k - r] = vectors[j, d - 1 - k]
    U = _ab(L, V)
    L = _bt(U, V)
    U = _over(U, s)
    g = _image(grams, mass, double, L)
    _add(g, 1.0, zero)
    slopes = np.sqrt(np.maximum(np.linalg.eigvalsh(_tb(g, g)), 0.0))
    residual, across = _part(U, V, g), g.copy()
    _add(across, -1.0, _whole(U, V, residual))
    _add(residual[:m], alpha, U)
    left = np.sqrt(_inner(residual, residual))
    return (U, s, V, B, L, g), slopes, (residual, across, left)


@njit(cache=True, **_HOW)
def moved(U, s, V, x, size):
    """`RankAt.moved`."""
    m = len(U)
    X, Y = x[:m].copy(), _over(x[m:], s)
    A = _tb(U, X)
    _add(X, -1.0, _ab(U, A))
    X = _over(X, s)
    for i in range(m):
        for j in range(len(s)):
            X[i, j] = U[i, j] + size * X[i, j]
    for i in range(len(V)):
        for j in range(len(s)):
            Y[i, j] = V[i, j] + size * Y[i, j]
    for j in range(len(s)):
        for k in range(len(s)):
            A[j, k] *= size
        A[j, j] += s[j]
    return _bt(_ab(X, A), Y)


@njit(cache=True, **_HOW)
def direction(squares, at, model, enough, most):
    """Conjugate gradients until ``enough`` is left: the tangent, and how many there were."""
    grams, mass, double = squares
    U, s, V, across, alpha, residual = at
    old_U, old_s, old_V, B, G, Z, w, root = model
    turns = _tb(V, old_V), _tb(U, old_U)
    x, r = np.zeros(residual.shape), np.zeros(residual.shape)
    _add(r, -1.0, residual)
    p = _solve(U, V, old_U, old_s, old_V, turns, B, G, Z, w, root, r)
    rz, n = _inner(r, p), 0
    while rz > 0 and n < most:
        n += 1
        Hp = _curve(U, s, V, across, alpha, p, _image(grams, mass, double, _whole(U, V, p)))
        bend = _inner(p, Hp)
        if bend <= 0:
            break
        _add(x, rz / bend, p)
        _add(r, -rz / bend, Hp)
        if np.sqrt(_inner(r, r)) <= enough:
            break
        z = _solve(U, V, old_U, old_s, old_V, turns, B, G, Z, w, root, r)
        before = rz
        rz = _inner(r, z)
        _add(z, rz / before, p)
        p = z
    return x, n


@njit(cache=True, **_HOW)
def system(sums, w, s, alpha, q):
    """The upper triangle of what `_system` of `polytask.solvers.norms.rank_model` says."""
    N, C, T, R, own = sums
    r, p = len(s), len(T)
    out, side, across = np.empty((p + r * q, p + r * q)), _square(r), _square(q)
    for j in range(r):
        for i in range(j, r):
            row, up, down = out[side[j, i]], w[j, i], w[i, j]
            for k in range(r):
                jk, ik = side[j, k], side[i, k]
                for n in range(k, r):
                    jn, i_n = side[j, n], side[i, n]
                    one = up * T[jk, i_n] + down * T[ik, jn]
                    other = up * T[jn, ik] + down * T[i_n, jk]
                    row[side[k, n]] = -(w[k, n] * one + w[n, k] * other)
                for c in range(q):
                    one = R[jk, i * q + c] + own[j * q + c, ik] / s[k]
                    other = R[ik, j * q + c] + own[i * q + c, jk] / s[k]
                    row[p + k * q + c] = up * one + down * other
            row[side[j, i]] += 1.0
    for j in range(r):
        for c in range(q):
            a = j * q + c
            row = out[p + a]
            for k in range(j, r):
                jk = side[j, k]
                for e in range(q):
                    b = k * q + e
                    turn = C[j * q + e, k * q + c] / s[k] + C[k * q + c, j * q + e] / s[j]
                    row[p + b] = N[jk, across[c, e]] - turn
            row[p + a] += alpha / s[j]
    return out


@inner
def _square(r):
    """Where the pair of j and k stands among those of j <= k."""
    at, n = np.empty((r, r), np.int64), 0
    for j in range(r):
        for k in range(j, r):
            at[j, k] = n
            at[k, j] = n
            n += 1
    return at


@inner
def _ab(A, B):
    return np.dot(A, B)


@inner
def _tb(A, B):
    return np.dot(A.T, B)


@inner
def _bt(A, B):
    return np.dot(A, B.T)


@inner
def _inner(A, B):
    total = 0.0
    for i in range(A.shape[0]):
        for j in range(A.shape[1]):
            total += A[i, j] * B[i, j]
    return total


@inner
def _add(A, factor, B):
    for i in range(A.shape[0]):
        for j in range(A.shape[1]):
            A[i, j] += factor * B[i, j]


@inner
def _over(A, s):
    """Columns over s."""
    out = np.empty(A.shape)
    for i in range(A.shape[0]):
        for j in range(A.shape[1]):
            out[i, j] = A[i, j] / s[j]
    return out


@inner
def _whole(U, V, x):
    m = len(U)
    out = _bt(x[:m], V)
    _add(out, 1.0, _bt(U, x[m:]))
    return out


@inner
def _image(grams, mass, double, step):
    """`Squares.change` in the slopes, intercepts at their best where tasks have a mass."""
    m, d = step.shape
    out, level = np.empty((m, d)), np.zeros(m)
    _by_task(grams, step, out)
    total, shared = 0.0, 0.0
    for i in range(len(mass)):
        if mass[i] > 0:
            pull = 0.0
            for j in range(d):
                pull += grams[i, d, j] * step[i, j]
            level[i] = -pull / mass[i]
            weight = mass[i] if double == 0 else double * mass[i] / (mass[i] + double)
            total += weight
            shared += weight * level[i]
    for i in range(len(mass)):
        if mass[i] > 0:
            mean = shared / total
            best = mean + mass[i] * (level[i] - mean) / (mass[i] + double)
            for j in range(d):
                out[i, j] += best * grams[i, d, j]
    return out


@inner
def _by_task(T, A, out):
    """a_i' T_i for every task, in the columns of ``out``."""
    for i in range(A.shape[0]):
        for n in range(out.shape[1]):
            out[i, n] = 0.0
        for j in range(A.shape[1]):
            for n in range(out.shape[1]):
                out[i, n] += A[i, j] * T[i, j, n]


@inner
def _part(U, V, R):
    m, r = U.shape
    out, Y = np.empty((m + len(V), r)), _tb(R, U)
    _put(out, 0, _ab(R, V))
    _put(out, m, Y)
    _add(out[m:], -1.0, _ab(V, _tb(V, Y)))
    return out


@inner
def _put(A, first, B):
    for i in range(B.shape[0]):
        for j in range(B.shape[1]):
            A[first + i, j] = B[i, j]


@inner
def _curve(U, s, V, across, alpha, x, H):
    m, out, each = len(U), _part(U, V, H), _over(x, s)
    A = _tb(U, each[:m])
    turn = np.empty(A.shape)
    for j in range(len(s)):
        for k in range(len(s)):
            share = (A[j, k] * s[k] - A[k, j] * s[j]) / (s[j] + s[k])
            turn[j, k] = alpha * (share - A[j, k])
    _add(out, alpha, each)
    _add(out[:m], 1.0, _ab(U, turn))
    _add(out[:m], 1.0, _ab(across, each[m:]))
    _add(out[m:], 1.0, _tb(across, each[:m]))
    return out


@inner
def _solve(U, V, old_U, s, old_V, turns, B, G, Z, w, root, x):
    """The inverse, at the point where it was made, of a tangent here."""
    (m, r), q, p = U.shape, B.shape[1], len(root) - B.shape[1] * len(s)
    x = _turned(U, V, old_U, old_V, turns[0], turns[1], x)
    b, t, rhs = _tb(x[m:], B), np.empty((m, r + q)), np.empty(len(root))
    _by_task(Z, x[:m], t)
    both, XG, n = _tb(old_U, t), _tb(t, G), 0
    for j in range(r):
        for k in range(q):
            rhs[p + j * q + k] = b[j, k] - both[j, r + k] - XG[j, k] / s[j]
        for k in range(j, r):
            rhs[n] = w[j, k] * both[j, k] + w[k, j] * both[k, j]
            n += 1
    _substitute(root, rhs)
    T, Y, YG, n = np.empty((r, r + q)), np.empty((q, r)), np.empty((q, r)), 0
    for j in range(r):
        for k in range(q):
            Y[k, j] = rhs[p + j * q + k]
            YG[k, j] = Y[k, j] / s[j]
            T[j, r + k] = -Y[k, j]
        for k in range(j, r):
            T[j, k] = w[j, k] * rhs[n]
            T[k, j] = w[k, j] * rhs[n]
            n += 1
        T[j, j] *= 2.0
    _from_shared(Z, _ab(old_U, T), _ab(G, YG), t, x)
    _put(x, m, _ab(B, Y))
    return _turned(old_U, old_V, U, V, turns[0].T, turns[1].T, x)


@inner
def _turned(U, V, to_U, to_V, turn_V, turn_U, x):
    """`_part` at another point of what `_whole` says here."""
    m = len(U)
    X, Y = x[:m], x[m:]
    out, across = np.empty(x.shape), _ab(Y, turn_U)
    _add(across, 1.0, _ab(V, _tb(X, to_U)))
    _put(out, 0, _ab(X, turn_V))
    _add(out[:m], 1.0, _ab(U, _tb(Y, to_V)))
    _put(out, m, across)
    _add(out[m:], -1.0, _ab(to_V, _tb(to_V, across)))
    return out


@inner
def _from_shared(Z, pull, GY, t, x):
    """X of each task, given what tasks share."""
    m, r = GY.shape
    for i in range(m):
        for j in range(r):
            pull[i, j] -= GY[i, j]
        for j in range(r):
            total = t[i, j]
            for n in range(pull.shape[1]):
                total += Z[i, j, n] * pull[i, n]
            x[i, j] = total


@inner
def _substitute(root, x):
    """The inverse of L L' times x, into x; columns of L lie in order.

    Slices tell the compiler that no index is negative: loops over them take four numbers at a time.
    """
    columns, n = root.T, len(x)
    for j in range(n):
        column, rest = columns[j, j:], x[j:]
        share = rest[0] / column[0]
        for i in range(len(rest)):
            rest[i] -= column[i] * share
        x[j] = share
    for j in range(n - 1, -1, -1):
        column, rest, total = columns[j, j:], x[j:], 0.0
        for i in range(1, len(rest)):
            total += column[i] * rest[i]
        x[j] = (x[j] - total) / column[0]
