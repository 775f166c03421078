"""The rules of the verdict on losses made for each of its labels."""

from dataclasses import replace

import numpy as np
import pytest

from polytask.inspection.comparison import Interval
from polytask.inspection.evidence import Evidence
from polytask.inspection.words import amount, percent, span
from tests.inspection.helpers import decided

ROLES = {
    "single-task": "baseline",
    "pooled": "pooled",
    "joint-a": "joint",
    "joint-b": "joint",
    "trees": "non-joint",
}
M, N = 20, 60


def evidence(**gains):
    """Models whose loss is the baseline's, about 1, less a gain (a number or one per task)."""
    rng = np.random.default_rng(0)
    codes = np.repeat(np.arange(M), N)
    base = rng.chisquare(2, codes.size) / 2
    losses = {"single-task": base}
    for name, gain in gains.items():
        per_task = np.broadcast_to(np.asarray(gain, dtype=float), (M,))
        noise = 0.1 * rng.standard_normal(codes.size)
        losses[name.replace("_", "-")] = base - per_task[codes] + noise - noise.mean()
    titles = {name: name.capitalize() for name in ROLES}
    return Evidence.of_rows(
        losses, codes, M, "single-task", roles=ROLES, titles=titles, inflation=1.25,
        loss_title="squared error",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("gains", "label", "model", "focus"),
    [
        ({"joint_a": 0.10, "pooled": 0.02}, "joint-helps", "joint-a", "joint-a"),
        ({"joint_a": 0.10, "pooled": -0.50}, "joint-helps", "joint-a", "joint-a"),
        ({"joint_a": 0.10}, "joint-helps", "joint-a", "joint-a"),
        ({"joint_a": 0.100, "joint_b": 0.102}, "joint-helps", "joint-b", "joint-b"),
        ({"joint_a": 0.100, "pooled": 0.098}, "pooling-suffices", "joint-a", "pooled"),
        ({"joint_a": 0.05, "pooled": 0.10}, "pooling-suffices", "pooled", "pooled"),
        ({"joint_a": 0.0, "pooled": -0.50}, "no-clear-gain", "joint-a", "joint-a"),
        ({"joint_a": 0.006, "pooled": -0.5}, "no-clear-gain", "joint-a", "joint-a"),
        ({"joint_a": -0.10, "joint_b": -0.2}, "single-task-best", "single-task", "joint-a"),
        ({"joint_a": 0.05, "trees": 0.20}, "non-joint-best", "trees", "joint-a"),
        ({"joint_a": 0.05, "trees": 0.051}, "joint-helps", "joint-a", "joint-a"),
        ({"trees": 0.20}, "non-joint-best", "trees", "trees"),
        ({"joint_a": -0.10, "trees": -0.2}, "single-task-best", "single-task", "joint-a"),
        ({}, "undetermined", "single-task", ""),
    ],
)
def test_each_label(gains, label, model, focus):
    verdict = decided(evidence(**gains))
    assert (verdict.label, verdict.model, verdict.focus) == (label, model, focus)
    assert verdict.text.startswith(verdict.headline.split(".")[0])
    assert "nan" not in verdict.text


def test_gains_and_harms_that_cancel_are_mixed():
    verdict = decided(evidence(joint_a=np.tile([0.3, -0.3], M // 2)))
    assert verdict.label == "mixed"
    assert (verdict.n_gains, verdict.n_harmed) == (M // 2, M // 2)
    assert "clearly better on 10, clearly worse on 10" in verdict.text


def test_pooling_does_not_suffice_where_it_harms_tasks_that_joint_spares():
    pooled = np.full(M, 0.13)
    pooled[:2] = -0.4
    verdict = decided(evidence(joint_a=0.09, pooled=pooled))
    assert verdict.label == "joint-helps"
    assert "no clear difference" in verdict.text


def test_the_best_joint_model_is_preferred_to_a_better_pooled_one_that_harms_more_tasks():
    pooled = np.full(M, 0.22)
    pooled[:2] = -0.4  # mean 0.158
    verdict = decided(evidence(joint_a=0.13, pooled=pooled))
    assert (verdict.label, verdict.focus) == ("joint-helps", "joint-a")
    assert verdict.model == "joint-a"
    harmless = decided(evidence(joint_a=-0.05, pooled=pooled))
    assert (harmless.label, harmless.n_harmed) == ("pooling-suffices", 2)


def test_a_clear_loss_is_never_called_no_clear_difference():
    verdict = decided(evidence(joint_a=0.05, pooled=0.10))
    assert verdict.label == "pooling-suffices"
    assert "more squared error than Pooled" in verdict.text
    assert "no clear difference" not in verdict.text


def test_the_choice_among_models_is_paid_for():
    alone = decided(evidence(joint_a=0.02)).gain
    chosen = decided(evidence(joint_a=0.02, joint_b=0.0, pooled=0.0))
    assert chosen.focus == "joint-a"
    assert chosen.gain.high - chosen.gain.low > alone.high - alone.low
    assert "corrected for the choice" in chosen.text


def test_a_failed_baseline_leaves_no_verdict():
    found = replace(evidence(joint_a=0.1), models=("joint-a",))
    verdict = decided(found)
    assert (verdict.label, verdict.model) == ("undetermined", "joint-a")
    assert "Single-task failed" in verdict.text


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0612, "6.1 %"), (0.0034, "0.34 %"), (0.123, "12 %"), (-0.0612, "6.1 %"), (0.01, "1.0 %")],
)
def test_percent(share, text):
    assert percent(share) == text


def test_span_of_less_and_of_more():
    assert span(Interval(0.05, 0.03, 0.07)) == "95 % interval 3.0 to 7.0 %"
    assert span(Interval(-0.05, -0.07, -0.03)) == "95 % interval 3.0 to 7.0 %"
    assert span(Interval(0.05, -0.01, 0.2)) == "95 % interval −1 to 20 %"
    assert span(Interval(0.08, 0.0007, 0.15)) == "95 % interval 0.1 to 15 %"
    assert span(Interval(0.08, -0.0002, 23.4)) == "95 % interval −0.02 to 2,340 %"


def test_amounts_have_three_digits():
    assert amount(Interval(-38_423.0, -72_811.0, 0.123456)) == "38,400 more (−0.123 to 72,800)"
    assert amount(Interval(1e-6, -2.5e9, 2.0)) == "1e-06 less (−2.5e+09 to 2)"


def test_an_interval_that_no_rows_allow_is_no_numbers():
    nan = float("nan")
    assert span(Interval(0.0, nan, nan, nan, 0.95)) == "the rows allow no interval"
