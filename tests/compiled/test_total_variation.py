"""Walks along columns end where guesses of the changes settle."""

import numpy as np
import pytest

from polytask.penalties import total_variation
from polytask.penalties.total_variation import few_changes

pytest.importorskip("numba")


@pytest.mark.parametrize("m", [1, 2, 3, 7, 40, 300])
@pytest.mark.parametrize("unit", [1.0, 1e-9, 1e9])
def test_both_roads_lead_to_one_answer(
    m: int, unit: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(m)
    noise = rng.normal(size=(m, 5))
    B = np.hstack([
        noise, noise.cumsum(axis=0), noise.round(), np.arange(float(m))[:, None] * [1.0, -2.0],
        np.full((m, 1), 7.0), np.zeros((m, 1)),
    ])[:, ::-1]  # fmt: skip
    for size in (0.0, 1e-3, 0.3, 2.0, 1e4):
        clip = unit * size * rng.uniform(0.5, 2.0, size=B.shape[1])
        with monkeypatch.context() as without:
            without.setattr(total_variation, "loops", lambda _: None)
            wanted = few_changes(unit * B, clip)
        found = few_changes(unit * B, clip)
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-12 * unit * np.abs(B).max())
        assert found.flags.writeable


def test_entries_have_curvatures_of_their_own() -> None:
    from polytask.compiled.total_variation import taut

    for seed in range(30):
        rng = np.random.default_rng(seed)
        m, clip = int(rng.integers(1, 40)), float(rng.uniform(0.0, 2.0))
        pull, c, x = 3.0 * rng.normal(size=m), rng.uniform(0.1, 5.0, m), np.empty(m)
        taut(pull, c, clip, x, np.empty(m, np.int64), np.empty(m))
        beyond, rise = np.cumsum(c * x - pull), np.diff(x)
        assert abs(beyond[-1]) <= 1e-10  # the subgradients of the optimum's equation
        assert (np.abs(beyond) <= clip + 1e-10).all()
        np.testing.assert_allclose((beyond[:-1] - clip * np.sign(rise))[rise != 0], 0.0, atol=1e-10)
