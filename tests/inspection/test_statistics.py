"""The statistics of a comparison against known answers and simulated truth."""

import numpy as np
import pytest
from scipy import stats

from polytask.inspection.statistics import (
    FoldLosses,
    LossMoments,
    moderated_variance,
    overall_gains,
    overlap_inflation,
    partial_pooling,
    resampled_interval,
    resampled_t,
    shared_variance,
    task_gains,
)
from polytask.inspection.statistics.simultaneous import _intervals


def gains_of_rows(difference, loss, codes, m, **more):
    """`task_gains` from rows: what they gain, and the baseline's loss."""
    moments = LossMoments.of_rows(np.stack([loss, loss - difference]), codes, m)
    (gain, variance), rows = moments.turned(np.array([[0.0, 1.0]])), moments.rows
    return task_gains(
        rows, np.where(rows > 0, gain[:, 0], np.nan), np.where(rows > 1, variance[:, 0, 0], np.nan),
        np.where(rows > 0, moments.mean[:, 0], np.nan), moments.skewness(1), **more,
    )  # fmt: skip


def overall_of_rows(losses, reference, codes, m, **more):
    """`overall_gains` from the losses of rows (N, k) and those of the reference (N,)."""
    moments = LossMoments.of_rows(np.vstack([reference, losses.T]), codes, m)
    order = [*range(1, losses.shape[1] + 1), 0]
    covariance = moments.covariance[:, order][:, :, order]
    return overall_gains(
        moments.rows, moments.mean[:, 0], moments.mean[:, 1:], covariance, **more
    )  # fmt: skip


def rows_of(gains, noise, n, seed=0):
    """Paired differences, baseline losses and codes of len(gains) tasks with n rows each."""
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(len(gains)), n)
    difference = np.asarray(gains)[codes] + noise * rng.standard_normal(codes.size)
    return difference, np.ones(codes.size), codes


def test_moderated_variance_recovers_the_prior():
    rng = np.random.default_rng(0)
    df = np.full(4000, 4.0)
    true = 2.0 * 6.0 / rng.chisquare(6.0, 4000)  # scaled inverse chi-square: s0² = 2, d0 = 6
    seen = true * rng.chisquare(4.0, 4000) / 4.0
    moderated, total = moderated_variance(seen, df)
    assert total[0] == pytest.approx(4 + 6, rel=0.2)
    assert np.mean((moderated - true) ** 2) < 0.5 * np.mean((seen - true) ** 2)


def test_moderated_variance_is_pooled_where_tasks_do_not_differ():
    moderated, df = moderated_variance(np.full(5, 3.0), np.full(5, 2.0))
    assert np.isinf(df).all()
    assert np.ptp(moderated) == 0


def test_moderated_variance_gives_a_task_without_spread_that_of_the_others():
    variance = np.array([0.0, 1.0, 1.2, 0.8, np.nan])
    moderated, _ = moderated_variance(variance, np.array([3.0, 3.0, 3.0, 3.0, 0.0]))
    assert np.all(moderated > 0)


def test_moderated_variance_follows_a_trend():
    rng = np.random.default_rng(0)
    df = rng.choice([2.0, 10.0, 50.0], 3000)
    true = 100.0 / (df + 1) * 20.0 / rng.chisquare(20.0, 3000)  # falls as one over the rows
    seen = true * rng.chisquare(df) / df
    error = {
        name: np.mean(np.log(moderated_variance(seen, df, trend)[0] / true) ** 2)
        for name, trend in {"with": np.log(df + 1), "without": None}.items()
    }
    assert error["with"] < 0.7 * error["without"]


@pytest.mark.parametrize("spread", [0.0, 0.4], ids=["of one scale", "of many scales"])
def test_tasks_of_few_rows_hold_their_level_beside_large_ones(spread):
    """Means of tasks against a common zero, levels such that neither is better in expectation.

    Both folds of a task of two rows err by the same amount, so its own variance says nothing.
    """
    rng = np.random.default_rng(0)
    sizes = np.repeat([2, 3, 5, 40], [10, 20, 10, 40])
    held = []
    for _ in range(60):
        difference, codes = _mean_against_zero(sizes, np.exp(spread * rng.normal(size=80)), rng)
        found = gains_of_rows(difference, np.abs(difference), codes, 80, inflation=1.25)
        assert found.loc[sizes == 2, ["low", "p"]].isna().all(axis=None)
        assert (found["label"][sizes == 2] == "undecided").all()
        held.append((found["low"] <= 0) & (found["high"] >= 0))
    assert np.mean(held, axis=0)[sizes == 3].mean() > 0.93


def _mean_against_zero(sizes, scales, rng):
    difference = []
    for n, scale in zip(sizes, scales, strict=True):
        fold = np.arange(n) % min(5, n)
        rest = [np.flatnonzero(fold != fold[j]) for j in range(n)]
        level = np.sqrt(np.mean([1 / len(r) for r in rest])) * rng.choice([-1, 1])
        y = scale * (level + rng.normal(size=n))
        difference.append([(y[j] - y[rest[j]].mean()) ** 2 - y[j] ** 2 for j in range(n)])
    return np.concatenate(difference), np.repeat(np.arange(len(sizes)), sizes)


def test_corrected_t_is_the_published_formula():
    values = np.array([0.1, 0.3, 0.2, 0.4])
    spread, half = resampled_t(values, 75, 25)
    error = np.sqrt((1 / 4 + 25 / 75) * values.var(ddof=1))
    assert spread == pytest.approx(values.std(ddof=1))
    assert half == pytest.approx(stats.t.ppf(0.975, 3) * error)
    assert np.isnan(resampled_t(np.array([1.0, np.nan]), 75, 25)).all()


@pytest.mark.parametrize("bounds", [(0, np.inf), (0, 1), (-np.inf, 1), (-np.inf, np.inf)])
def test_intervals_of_metrics_stay_inside_their_bounds(bounds):
    folds = np.array([0.5, 0.9])
    low, high = resampled_interval(0.7, folds, 50, 50, bounds=bounds)
    half = resampled_t(folds, 50, 50)[1]
    assert bounds[0] <= low < 0.7 < high <= bounds[1]
    assert 0.7 - half < 0  # what the interval was without the bound
    near = resampled_interval(0.7, 0.7 + 1e-4 * (folds - 0.7), 50, 50, bounds=bounds)
    np.testing.assert_allclose(near, [0.7 - 1e-4 * half, 0.7 + 1e-4 * half], rtol=1e-3)


def test_a_metric_on_its_bound():
    low, high = resampled_interval(1.0, np.array([1.0, 1.0, 0.9]), 50, 25, bounds=(0, 1))
    assert low < high == 1.0


def test_overlap_inflation_of_k_folds():
    assert overlap_inflation(90, 10) == pytest.approx(10 / 9)


def test_pooling_without_noise_keeps_the_estimates():
    estimate = np.array([0.0, 1.0, -2.0, 4.0])
    pooled = partial_pooling(estimate, np.full(4, 1e-12), np.full(4, 10))
    np.testing.assert_allclose(pooled.value, estimate, atol=1e-6)


def test_pooling_of_pure_noise_meets_in_the_middle():
    rng = np.random.default_rng(1)
    estimate = 1.0 + rng.standard_normal(50) * 0.5
    pooled = partial_pooling(estimate, np.full(50, 0.25), np.full(50, 10))
    assert np.abs(pooled.value - 1.0).mean() < 0.4 * np.abs(estimate - 1.0).mean()


def test_pooling_moves_no_estimate_by_more_than_its_standard_error():
    estimate = np.append(np.zeros(20), 50.0)
    pooled = partial_pooling(estimate, np.full(21, 4.0), np.full(21, 10))
    assert pooled.value[-1] >= 48.0


def test_pooling_follows_the_size_of_the_tasks():
    rows = np.array([5, 6, 8, 10, 15, 20, 40, 80, 160, 320])
    estimate = 3.0 / rows
    pooled = partial_pooling(estimate, np.full(10, 0.04), rows)
    np.testing.assert_allclose(pooled.value, estimate, atol=1e-8)


def test_pooling_gives_an_unscored_task_the_centre():
    estimate = np.array([0.1, 0.2, 0.3, np.nan])
    pooled = partial_pooling(estimate, np.array([0.1, 0.1, 0.1, np.nan]), np.array([9, 9, 9, 1]))
    assert pooled.value[3] == pytest.approx(0.2)
    assert pooled.low[3] < 0.2 < pooled.high[3]


def test_pooled_intervals_hold_the_truth():
    rng = np.random.default_rng(2)
    inside = []
    for _ in range(100):
        variance = rng.uniform(0.2, 2.0, 30)
        truth = 0.5 + 0.7 * rng.standard_normal(30)
        pooled = partial_pooling(
            truth + np.sqrt(variance) * rng.standard_normal(30), variance, np.full(30, 10)
        )
        inside.append((pooled.low <= truth) & (truth <= pooled.high))
    assert 0.93 <= np.mean(inside) <= 0.99


def test_labels_find_both_directions():
    difference, loss, codes = rows_of([2.0] * 5 + [-2.0] * 5 + [0.0] * 10, 1.0, 40)
    found = gains_of_rows(difference, loss, codes, 20, inflation=1.25)
    assert list(found["label"][:5]) == ["gains"] * 5
    assert list(found["label"][5:10]) == ["harmed"] * 5
    assert (found["label"][10:] == "undecided").sum() >= 9


def test_false_discovery_rate_is_kept_under_the_null():
    wrong = []
    for seed in range(200):
        difference, loss, codes = rows_of(np.zeros(15), 1.0, 8, seed)
        found = gains_of_rows(difference, loss, codes, 15, inflation=1.0)
        wrong.append((found["label"] != "undecided").any())
    assert np.mean(wrong) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 200)


def test_gains_are_plain_means_and_unscored_rows_do_not_count():
    difference = np.array([1.0, 3.0, np.nan, 0.5, 0.7, 0.6, np.nan])
    codes = np.array([0, 0, 0, 1, 1, 1, 2])
    found = gains_of_rows(difference, np.ones(7), codes, 3, inflation=1.25)
    assert list(found["rows"]) == [2, 3, 0]
    np.testing.assert_allclose(found["gain"][:2], [2.0, 0.6])
    assert np.isnan(found["gain"][2])
    assert found["label"][2] == "undecided"


def test_rows_to_decide_falls_with_the_gain():
    difference, loss, codes = rows_of(np.linspace(0.05, 0.4, 12), 1.0, 10)
    found = gains_of_rows(difference, loss, codes, 12, inflation=1.25)
    open_ = found[found["rows_to_decide"].notna()]
    assert len(open_) > 5
    assert (open_["rows_to_decide"] > open_["rows"]).all()
    strength = open_["shrunken"].abs().rank()
    assert strength.corr(open_["rows_to_decide"].rank()) < -0.8


def overall(gains, m, n, seed=0, **more):
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(m), n)
    reference = rng.chisquare(1, codes.size)
    noise = 0.3 * rng.standard_normal((codes.size, len(gains)))
    losses = reference[:, None] - np.asarray(gains) + noise
    return overall_of_rows(losses, reference, codes, m, inflation=1.25, **more), codes, reference


@pytest.mark.parametrize(("m", "unit"), [(4, "rows"), (30, "tasks")])
def test_overall_gain_is_the_ratio_of_means(m, unit):
    found, _, reference = overall([0.2, 0.0], m, 25)
    assert found.unit == unit
    assert found.value[0] == pytest.approx(0.2 / reference.mean(), abs=0.05)
    assert found.low[0] < found.value[0] < found.high[0]
    assert found.low[0] > 0
    assert found.low[1] < 0 < found.high[1]


def test_simultaneous_intervals_are_wider_but_less_than_bonferroni():
    found, _, _ = overall([0.1, 0.1, 0.1, 0.1], 40, 10)
    alone = found.high - found.low
    together = found.joint_high - found.joint_low
    bonferroni = alone * stats.t.ppf(1 - 0.025 / 4, 39) / stats.t.ppf(0.975, 39)
    assert (together > alone).all()
    assert (together < 1.02 * bonferroni).all()
    assert (found.joint_p >= found.p).all()


def test_one_model_needs_no_correction():
    found, _, _ = overall([0.1], 40, 10)
    assert found.joint_low[0] == pytest.approx(found.low[0], rel=0.05)


def test_equal_models_have_gain_zero_without_warnings():
    codes = np.repeat(np.arange(12), 3)
    loss = np.ones(36)
    found = overall_of_rows(loss[:, None], loss, codes, 12, inflation=1.25)
    assert found.value[0] == found.low[0] == found.high[0] == 0
    assert found.p[0] == 1


def test_no_interval_says_that_more_than_all_loss_is_saved():
    rng = np.random.default_rng(0)
    reference = rng.chisquare(1, 240)
    found = overall_of_rows(
        (0.05 * reference * rng.chisquare(1, 240))[:, None],
        reference,
        np.repeat(np.arange(12), 20),
        12,
        inflation=20.0,
        folds=lambda r: (np.ones((12, 1)), np.zeros((12, 1, 1))),
    )
    assert found.low[0] < found.value[0] < found.high[0] == found.joint_high[0] == 1.0


@pytest.mark.parametrize("m", [5, 25])
def test_the_best_of_equal_models_is_covered(m):
    """Choosing the largest of five gains, all truly zero, keeps the level."""
    wrong = []
    for seed in range(150):
        found, _, _ = overall([0.0] * 5, m, 12, seed=seed)
        best = int(np.argmax(found.value))
        wrong.append(found.joint_low[best] > 0)
    assert np.mean(wrong) <= 0.025 + 2 * np.sqrt(0.025 * 0.975 / 150)


def two_way(m, folds, sd_fold, rng, *, missing=False):
    """Means by task and fold times shares, of tasks' values, noise and what a fold shares."""
    values = (
        rng.normal(size=(m, 1)) + rng.normal(size=(m, folds)) + sd_fold * rng.normal(size=folds)
    )
    there = np.ones((m, folds), dtype=bool)
    if missing:  # tasks of few rows are in some folds only
        there = rng.random((m, folds)) < 0.6
        there[np.arange(m), rng.integers(folds, size=m)] = True
    shares = there / there.sum(axis=1, keepdims=True)
    return values[:, :, None] * shares[:, :, None], shares


@pytest.mark.parametrize("missing", [False, True])
def test_folds_that_share_nothing_seldom_prove_a_shared_part(missing):
    rng = np.random.default_rng(0)
    found = [
        shared_variance(*two_way(30, 5, 0.0, rng, missing=missing), 1.25)[0] for _ in range(400)
    ]
    assert 0.02 <= np.mean(np.array(found) > 0) <= 0.08


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("sd_fold", [0.7, 3.0])
def test_what_folds_prove_is_a_lower_limit_of_what_they_share(sd_fold, missing):
    rng = np.random.default_rng(0)
    truth = 0.45 * sd_fold**2
    found = np.array(
        [shared_variance(*two_way(30, 5, sd_fold, rng, missing=missing), 1.25) for _ in range(400)]
    )
    assert 0.02 <= np.mean(found > truth) <= 0.08
    assert np.median(found) > 0.2 * truth  # and not an idle one


def test_tasks_held_out_whole_share_nothing_that_shows():
    shares = np.eye(5)[np.arange(20) % 5]
    parts = np.random.default_rng(0).normal(size=(20, 5, 2)) * shares[:, :, None]
    assert np.all(shared_variance(parts, shares, 1.25) == 0)


def test_shared_folds_widen_the_overall_intervals_and_nothing_else():
    """With a shared part five times the noise; the factor for overlap alone gives 1.118."""
    rng = np.random.default_rng(0)
    codes, fold = np.repeat(np.arange(20), 10), np.tile(np.arange(10) % 5, 20)
    reference = rng.chisquare(1, 200) + 1
    losses = {"a": reference - 0.1 + 0.2 * rng.normal(size=5)[fold], "base": reference}
    tested = np.stack([fold == k for k in range(5)]) / 10
    parts = {
        name: (loss * tested).reshape(5, 20, 10).sum(axis=2).T for name, loss in losses.items()
    }
    folds = FoldLosses(np.full((20, 5), 0.2), parts)
    np.testing.assert_allclose(folds.losses["base"].sum(axis=1), reference.reshape(20, 10).mean(1))
    given = (losses["a"][:, None], reference, codes, 20)
    without = overall_of_rows(*given, inflation=1.25)
    found = overall_of_rows(
        *given, inflation=1.25, folds=lambda r: (folds.shares, folds.residual("base", ["a"], r))
    )
    assert found.value == without.value
    assert found.high - found.low > 1.5 * (without.high - without.low)


def test_a_variance_below_zero_allows_no_interval() -> None:
    covariance = np.array([[-1.0, 0.0], [0.0, 4.0]])
    found = _intervals(np.ones(2), covariance, 9.0, "row", 0.95, 0, np.inf)
    assert np.isnan(found.low[0])
    assert found.low[1] < 1.0 < found.high[1]
