"""Ridge fits called solved are the optimum, whatever the columns: against QR in long doubles."""

import warnings

import numpy as np
import pytest

from polytask import (
    MeanRegularizedRegressor,
    PooledRegressor,
    SingleTaskRegressor,
    TaskInterceptRegressor,
)

LONG = np.longdouble
TOL = 1e-9  # of the variance of the target: the objective above the optimum

pytestmark = pytest.mark.skipif(np.finfo(LONG).eps > 1e-18, reason="needs long doubles")


def hostile_table(rng):
    """Columns of any size, nearly alike, far from zero, empty or constant."""
    codes = np.repeat(np.arange(rng.integers(2, 5)), rng.integers(4, 30))
    X = rng.normal(size=(len(codes), rng.integers(1, 5)))
    W = rng.normal(size=X.shape[1]) + 0.5 * rng.normal(size=(codes.max() + 1, X.shape[1]))
    y = (X * W[codes]).sum(axis=1) + rng.normal(size=len(codes)) + rng.normal(size=99)[codes]
    for j in range(X.shape[1]):
        kind = rng.integers(8)
        if kind == 0:
            X[:, j] *= 10.0 ** rng.choice([-150, -100, -60, -20, -9, 9])
        elif kind <= 2 and j:
            gap = 10.0 ** rng.choice([-5, -7, -8, -9, -10])
            X[:, j] = X[:, 0] + gap * X[:, j] * np.abs(X[:, 0]).std()
        elif kind <= 4:
            X[:, j] += 10.0 ** rng.choice([2, 4, 6, 8])
        elif kind == 5:
            X[:, j] = rng.choice([0.0, 7.0])
    return codes, X, y * 10.0 ** rng.choice([0, 0, -60, 60])


def models(rng):
    """A model and its strengths of deviations, of the common part, and whether levels differ."""
    a, c = 10.0 ** rng.choice([-8, -4, -1, 2]), rng.choice([0.0, 1e-6, 1e-2])
    return [
        (SingleTaskRegressor(a, alpha_intercept=0.0, task=0), a, None, True),
        (PooledRegressor(c, task=0), None, c, False),
        (TaskInterceptRegressor(c, alpha_intercept=0.0, task=0), None, c, True),
        (
            MeanRegularizedRegressor(a, alpha_common=c, alpha_intercept=0.0, task=0),
            a,
            c,
            True,
        ),
    ][rng.integers(4)]


def optimum(codes, X, y, own, common, levels) -> LONG:
    """The least objective, by pivoted Householder steps with refinement."""
    m, sizes = codes.max() + 1, np.bincount(codes)
    omega = 1 / (LONG(m) * sizes.astype(LONG))[codes]
    mean = X.astype(LONG).mean(axis=0)
    X, y = X.astype(LONG) - mean, y.astype(LONG) - y.astype(LONG).mean()
    X[:, np.abs(X).max(axis=0) <= 1e-14 * np.abs(mean)] = 0  # constant
    member = codes[:, None] == np.arange(m)
    columns, strength = [np.ones((len(y), 1))], [0.0]
    if levels:
        columns, strength = [*columns, member], strength + [0.0] * m
    if common is not None:
        columns, strength = [*columns, X], strength + [common] * X.shape[1]
    if own is not None:
        columns += [X * member[:, [i]] for i in range(m)]
        strength += [own] * m * X.shape[1]
    A = np.hstack(columns).astype(LONG) * np.sqrt(omega)[:, None]
    A = np.vstack([A, np.diag(np.sqrt(2 * np.array(strength, dtype=LONG)))])
    b = np.concatenate([y * np.sqrt(omega), np.zeros(len(strength), dtype=LONG)])
    norms = np.sqrt((A * A).sum(axis=0))
    A = A / np.where(norms > 0, norms, 1)
    order = np.argsort(-np.abs(A).max(axis=1), kind="stable")
    A, b = A[order], b[order]
    for _ in range(3):
        b = b - A @ least_squares(A, b)
    return LONG(0.5) * (b @ b)


def least_squares(A, b):
    A, b, order = A.copy(), b.copy(), np.arange(A.shape[1])
    rank = 0
    for k in range(A.shape[1]):
        left = (A[k:, k:] ** 2).sum(axis=0)
        if left.max(initial=0) <= LONG(1e-33):
            break
        j = k + int(left.argmax())
        A[:, [k, j]], order[[k, j]] = A[:, [j, k]], order[[j, k]]
        v = A[k:, k].copy()
        v[0] += np.copysign(np.sqrt(v @ v), v[0])
        A[k:, k:] -= np.outer(v, (2 / (v @ v)) * (v @ A[k:, k:]))
        b[k:] -= v * ((2 / (v @ v)) * (v @ b[k:]))
        rank = k + 1
    x = np.zeros(A.shape[1], dtype=LONG)
    for k in range(rank - 1, -1, -1):
        x[order[k]] = (b[k] - A[k, k + 1 : rank] @ x[order[k + 1 : rank]]) / A[k, k]
    return x


@pytest.mark.parametrize("first", [0, pytest.param(1000, marks=pytest.mark.slow)])
def test_what_is_called_solved_is_the_optimum(first):
    solved, count = 0, 80 if first == 0 else 1500
    for seed in range(first, first + count):
        rng = np.random.default_rng(seed)
        codes, X, y = hostile_table(rng)
        model, own, common, levels = models(rng)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(np.column_stack([codes, X]), y)
        if model.status_ != "solved":
            continue
        solved += 1
        excess = LONG(model.objective_) - optimum(codes, X, y, own, common, levels)
        room = 1e-14 * np.abs(X * model.coef_[codes]).sum(axis=1).max() / y.std()  # of predictions
        assert abs(excess) <= (TOL + 20 * room) * y.std() ** 2, f"seed {seed}: {model}"
    assert solved > 0.9 * count


def test_a_target_far_from_zero_proves_nothing():
    """A violation was measured in the target about zero, where 1e10 hides what is left."""
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 1, 2], 20)
    X, noise = rng.normal(size=(60, 2)), rng.normal(size=60)
    X[:, 0] *= 1e-100
    y = 1e7 + 1e100 * X[:, 0] + X[:, 1] + 0.1 * noise
    model = MeanRegularizedRegressor(1e-4, alpha_common=0.0, alpha_intercept=0.0, task=0)
    model.fit(np.column_stack([codes, X]), y)
    assert model.status_ == "solved"
    assert np.std(model.predict(np.column_stack([codes, X])) - y) < 0.15
