# mypy: disable-error-code="no-untyped-def"
"""Newton equations among matrices of one rank, see `polytask.solvers.norms.rank_newton`.

The same numbers as `RankAt.curve` and `RankModel.solve` say, a step of conjugate gradients after
the other: products of whole matrices by BLAS, those of a task by loops.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["direction"]

_HOW = {"nogil": True, "error_model": "numpy", "fastmath": {"reassoc", "contract"}}
inner = njit(cache=True, no_cpython_wrapper=True, no_cfunc_wrapper=True, **_HOW)


@njit(cache=True, **_HOW)
def direction(squares, at, model, enough, most):
    """Conjugate gradients until ``enough`` is left: the tangent, and how many there were."""
    grams, mass, double = squares
    U, s, V, across, alpha, residual = at
    old_U, old_s, old_V, B, G, Z, w, root = model
    x, r = np.zeros(residual.shape), np.zeros(residual.shape)
    _add(r, -1.0, residual)
    p = _solve(U, V, old_U, old_s, old_V, B, G, Z, w, root, r)
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
        z = _solve(U, V, old_U, old_s, old_V, B, G, Z, w, root, r)
        before = rz
        rz = _inner(r, z)
        _add(z, rz / before, p)
        p = z
    return x, n


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
def _solve(U, V, old_U, s, old_V, B, G, Z, w, root, x):
    """The inverse, at the point where it was made, of a tangent here."""
    (m, r), q, p = U.shape, B.shape[1], len(root) - B.shape[1] * len(s)
    x = _part(old_U, old_V, _whole(U, V, x))
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
    return _part(U, V, _whole(old_U, old_V, x))


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
    """The inverse of L L' times x, into x; columns of L lie in order."""
    n = len(x)
    for j in range(n):
        x[j] /= root[j, j]
        for i in range(j + 1, n):
            x[i] -= root[i, j] * x[j]
    for j in range(n - 1, -1, -1):
        total = 0.0
        for i in range(j + 1, n):
            total += root[i, j] * x[i]
        x[j] = (x[j] - total) / root[j, j]
