"""Every norm: its shrinkage and dual by their definitions, its residual at what was shrunk."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from polytask.penalties import (
    Fusion,
    JointFeatures,
    Lasso,
    MaxTasks,
    Nested,
    Signs,
    SpectralBox,
    TaskGroup,
    TraceBall,
    TraceNorm,
    Transposed,
    sparse_group,
    total_variation,
    with_signs,
)
from polytask.penalties.total_variation import _by_programming, few_changes
from tests.models.reference import minimum

cp = pytest.importorskip("cvxpy", reason="cvxpy is in the extra `test`")

M, D = 6, 4
SOME = np.arange(M) < 3


def joint(B: Any) -> Any:
    return cp.sum(cp.norm(B, 2, axis=0))


def absolute(B: Any) -> Any:
    return cp.sum(cp.abs(B))


NORMS: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "lasso": (Lasso(0.4), lambda B: 0.4 * absolute(B)),
    "joint features": (JointFeatures(0.4), lambda B: 0.4 * joint(B)),
    "trace": (TraceNorm(0.4), lambda B: 0.4 * cp.normNuc(B)),
    "max": (MaxTasks(0.7), lambda B: 0.7 * cp.sum(cp.max(cp.abs(B), axis=0))),
    "outliers": (Transposed(JointFeatures(0.6)), lambda B: 0.6 * joint(B.T)),
    "sparse group": (sparse_group(0.7, 0.4), lambda B: 0.28 * absolute(B) + 0.42 * joint(B)),
    "fused": (
        Nested((Fusion(0.5), Lasso(0.3), JointFeatures(0.4))),
        lambda B: 0.5 * absolute(B[1:] - B[:-1]) + 0.3 * absolute(B) + 0.4 * joint(B),
    ),
    "tree": (
        Nested((Lasso(0.2), TaskGroup(0.3, SOME), TaskGroup(0.2, ~SOME), JointFeatures(0.4))),
        lambda B: 0.2 * absolute(B) + 0.3 * joint(B[:3]) + 0.2 * joint(B[3:]) + 0.4 * joint(B),
    ),
}


@pytest.mark.parametrize("name", NORMS)
def test_shrinkage_is_the_least_of_its_definition(name: str) -> None:
    norm, words = NORMS[name]
    rng = np.random.default_rng(len(name))
    B, L = 2 * rng.normal(size=(M, D)), cp.Variable((M, D))
    for step in (0.3, 1.5):
        found = norm.shrink(B, step)
        assert norm.value(found.matrix) == pytest.approx(found.value, rel=1e-12)
        value = 0.5 * ((found.matrix - B) ** 2).sum() + step * found.value
        assert value == pytest.approx(minimum(cp.sum_squares(L - B) / 2 + step * words(L)), 1e-7)
        residual = norm.residual(found.matrix, (found.matrix - B) / step)
        np.testing.assert_allclose(residual, 0.0, atol=1e-7)


@pytest.mark.parametrize("name", ["lasso", "joint features", "max"])
def test_shrinkage_with_a_step_for_each_coefficient(name: str) -> None:
    norm, words = NORMS[name]
    rng = np.random.default_rng(len(name))
    for span in (0.5, 2.0):
        B, step = 2 * rng.normal(size=(M, D)), 10 ** rng.uniform(-span, span, size=(M, D))
        found, L = norm.shrink(B, step), cp.Variable((M, D))
        assert norm.value(found.matrix) == pytest.approx(found.value, rel=1e-12)
        value = 0.5 * ((found.matrix - B) ** 2 / step).sum() + found.value
        asked = cp.sum(cp.multiply(1 / step, cp.square(L - B))) / 2 + words(L)
        assert value == pytest.approx(minimum(asked), rel=1e-6)
    np.testing.assert_allclose(
        norm.shrink(B, np.full((M, D), 0.3)).matrix, norm.shrink(B, 0.3).matrix, atol=1e-12
    )


@pytest.mark.parametrize("name", NORMS)
def test_dual_is_the_step_from_which_nothing_is_left(name: str) -> None:
    norm, words = NORMS[name]
    G, L = np.random.default_rng(len(name)).normal(size=(M, D)), cp.Variable((M, D))
    dual = norm.dual(G)
    assert not norm.shrink(G, dual * (1 + 1e-12)).matrix.any()
    assert norm.shrink(G, 0.999 * dual).matrix.any()
    reached = minimum(words(L) - cp.sum(cp.multiply(G / dual, L)) * (1 - 1e-6))
    assert reached == pytest.approx(0.0, abs=1e-6)  # no direction is worth more than it costs


@pytest.mark.parametrize("name", [name for name in NORMS if name not in ("trace",)])
def test_dual_within_signs_is_in_the_units_of_the_gradient(name: str) -> None:
    norm = with_signs(NORMS[name][0], Signs(np.array([1.0, -1.0, 0.0, 1.0])))
    G = np.random.default_rng(len(name)).normal(size=(M, D))
    dual = norm.dual(G)
    assert dual > 0
    for unit in (1e-8, 0.1, 1e8):
        assert norm.dual(unit * G) == pytest.approx(unit * dual, rel=1e-9)


@pytest.mark.parametrize(("scale", "floor", "k"), [(0.5, 0.3, 2), (0.2, 0.5, 3), (0.7, 0.0, 1)])
def test_the_spectral_box(scale: float, floor: float, k: int) -> None:
    norm, rng = SpectralBox(scale, floor, k), np.random.default_rng(k)
    B, L, between = 2 * rng.normal(size=(M, D)), cp.Variable((M, D)), cp.Variable((M, M), PSD=True)
    fits = [cp.matrix_frac(L[:, j], floor * np.eye(M) + between) for j in range(D)]
    room = [cp.trace(between) == k, np.eye(M) - between >> 0]
    found = norm.shrink(B, 0.4)
    assert norm.value(found.matrix) == pytest.approx(found.value, rel=1e-12)
    value = 0.5 * ((found.matrix - B) ** 2).sum() + 0.4 * found.value
    expected = minimum(cp.sum_squares(L - B) / 2 + 0.4 * scale * cp.sum(fits), room)
    assert value == pytest.approx(expected, rel=1e-6)
    G = (B - found.matrix) / 0.4  # a gradient at what was shrunk
    touching = (G * found.matrix).sum() - found.value
    assert norm.conjugate(G) == pytest.approx(touching, rel=1e-9)
    np.testing.assert_allclose(norm.residual(found.matrix, -G), 0.0, atol=1e-6)


def test_differences_of_many_tasks_are_shrunk_to_the_optimality_conditions() -> None:
    """u = the sums of what was taken off: within ± alpha, at it where the solution steps."""
    B = np.cumsum(np.random.default_rng(0).normal(size=(60, 50)), axis=0)
    L = Fusion(0.7).shrink(B, 2.0).matrix
    u, steps = np.cumsum(B - L, axis=0), np.diff(L, axis=0)
    np.testing.assert_allclose(u[-1], 0.0, atol=1e-11)
    assert np.abs(u).max() <= 1.4 + 1e-11
    flat = np.abs(steps) < 1e-12
    np.testing.assert_allclose(u[:-1][~flat], -1.4 * np.sign(steps[~flat]), atol=1e-11)
    assert 0.2 < flat.mean() < 0.99


@pytest.mark.parametrize("alpha", [10.0, 1e300, 1e308])
def test_differences_of_any_price_leave_the_mean(alpha: float) -> None:
    B = np.random.default_rng(0).normal(size=(6, 3))
    L = Fusion(alpha).shrink(B, 2.0).matrix
    np.testing.assert_allclose(L, np.broadcast_to(B.mean(axis=0), B.shape), atol=1e-14)


@pytest.mark.parametrize("unit", [1e-150, 1e150])
def test_shrinkage_follows_the_unit(unit: float) -> None:
    B = np.random.default_rng(0).normal(size=(6, 3))
    for one, other in ((Fusion(0.3), Fusion(0.3 * unit)), (TraceBall(0.5), TraceBall(0.5 * unit))):
        same, found = one.shrink(B, 1.0).matrix, other.shrink(B * unit, 1.0).matrix
        np.testing.assert_allclose(found / unit, same, atol=1e-13)
    assert np.abs(TraceBall(0.5).shrink(B * 1e150, 1.0).matrix).max() < 1e136  # rounding of 1e150


@pytest.mark.parametrize(("m", "clip"), [(100, 0.3), (100, 40.0), (100, 2e3), (600, 2e4)])
@pytest.mark.parametrize("road", ["numpy", "whatever is installed"])
def test_differences_of_lines_and_walks_are_those_of_dynamic_programming(
    m: int, clip: float, road: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guesses of the changes settle late, or not in time, on a long straight line."""
    if road == "numpy":
        monkeypatch.setattr(total_variation, "loops", lambda _: None)
    walk = np.cumsum(np.random.default_rng(0).normal(size=m))
    B = np.column_stack([np.arange(float(m)), walk, np.full(m, 7.0)])
    found = few_changes(B, np.full(3, clip))
    np.testing.assert_allclose(found, _by_programming(B, np.full(3, clip)), atol=1e-10)
