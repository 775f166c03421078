"""No claim is clear that rests on one row or one task."""

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest

from polytask.inspection import compare_tasks
from polytask.inspection.clear import is_clear
from polytask.inspection.evidence import Evidence
from polytask.inspection.influence import Influence, RowLosses
from polytask.responses import Squared
from polytask.sources.loss_totals import LossTotals
from tests.inspection.helpers import decided, table

MODELS = dict.fromkeys(["single-task", "pooled", "task-intercept", "mean-regularized"])


def plants():
    """Eight plants with slopes of their own, 30 rows each."""
    rng = np.random.default_rng(17)
    g, x = np.repeat(np.arange(8), 30), rng.normal(size=(240, 2))
    B = np.array([1, -1]) + rng.normal(size=(8, 2))
    y = (x * B[g]).sum(1) + rng.normal(size=8)[g] + rng.normal(size=240)
    return pd.DataFrame(x, columns=["a", "b"]).assign(plant=g), y


@pytest.fixture(scope="module")
def mistyped():
    """The comparison of plants of which one cell is a thousand times too large."""
    X, y = plants()
    X.loc[7, "a"] *= 1000
    return compare_tasks(MODELS, X, y, task="plant")


def test_one_mistyped_cell_makes_no_claim_and_is_named(mistyped):
    found = mistyped
    assert found.verdict.label == "no-clear-gain"
    assert "row 7 (task 0; 'a' is far from all others there)" in found.verdict.text
    assert any("row 7" in told and "'a'" in told for told in found.warnings)
    gain = found.verdict.gain
    assert gain.low > 0.1  # the share alone would be called clear
    assert gain.difference.low < 0 < gain.difference.high
    assert gain.rests_on.without.value < 0
    assert found.to_dict()["verdict"]["gain"]["rests_on"]["what"].startswith("row 7 ")


def test_nothing_is_called_clearly_worse_for_one_cell(mistyped):
    """One cell made every other model look worse by 11 to 127 %, each of them surely."""
    assert mistyped.recommended.why != "clearly-best"
    assert "clearly worse" not in mistyped.recommended.text


def judged(base, other, n):
    """Evidence on the losses of two models, n rows a task in two folds."""
    m = len(base) // n
    codes, folds = np.repeat(np.arange(m), n), np.tile(np.arange(n) % 2, m)
    loss = np.stack([base, other])

    def totals(without=-1):
        kept, found = (
            np.arange(len(base)) != without,
            LossTotals.zeros(m, 2, 2, len(Squared().row_losses)),
        )
        rows = codes[kept], folds[kept], np.zeros(kept.sum()), np.sqrt(loss[:, kept])
        found.add(*rows, Squared(), "rmse", 0.0)
        return found

    make = partial(
        Evidence.of_totals, models=("single-task", "pooled"), at=0, repeats=1,
        roles={"single-task": "baseline", "pooled": "pooled"}, baseline="single-task",
        titles={"single-task": "Single-task", "pooled": "Pooled"}, inflation=1.25,
        loss_title="squared error",
    )  # fmt: skip
    rows = RowLosses(loss, codes, np.arange(len(base)), totals, lambda place: f"row {place}")
    found = make(totals())
    return replace(found, influence=Influence(make, totals(), lambda i: f"task {i}", rows).of)


@pytest.mark.parametrize("m", [4, 14])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_difference_in_one_task_alone_is_not_clear(m, sign):
    rng = np.random.default_rng(0)
    base = 1 + rng.random(m * 50)
    gain = np.where(np.arange(m * 50) < 50, 0.9, 0.004) + 0.002 * rng.standard_normal(m * 50)
    verdict = decided(judged(base, base - sign * gain, 50))
    assert verdict.label == "no-clear-gain"
    if m == 4:
        assert verdict.gain.rests_on.what == "task 0"
        assert "It does not stand without task 0: it is then 0.2" in verdict.text


@pytest.mark.parametrize("m", [4, 14])
def test_a_difference_that_one_row_makes_is_not_clear(m):
    rng = np.random.default_rng(1)
    base = 1 + rng.random(m * 50)
    other = base - 0.03 - 0.001 * rng.standard_normal(m * 50)
    assert decided(judged(base, other, 50)).label == "pooling-suffices"
    base[60] += 8000  # the same for both models, but for a share that is far more sure
    other[60] = 0.5 * base[60]
    verdict = decided(judged(base, other, 50))
    assert verdict.label == "no-clear-gain"
    assert verdict.gain.rests_on is None or verdict.gain.rests_on.what in ("row 60", "task 1")


def test_a_gain_of_all_tasks_stands_and_is_given_as_a_difference():
    X, y = table("related", m=12, n=12)
    found = compare_tasks({"single-task": None, "mean-regularized": None}, X, y, task="task")
    gain = found.verdict.gain
    assert found.verdict.label == "joint-helps"
    assert gain.rests_on is None
    assert is_clear(gain)
    mean = found.gains.query("name == 'mean-regularized'").merge(
        found.tasks[["task", "loss_baseline"]], on="task"
    )
    assert gain.difference.value == pytest.approx(mean["gain"].mean())
    assert gain.value == pytest.approx(mean["gain"].mean() / mean["loss_baseline"].mean())
    assert "less (" in found.verdict.text
    assert "per row" in found.verdict.text


def test_sums_without_a_row_are_those_of_the_other_rows():
    from polytask.inspection import compare as module
    from polytask.inspection.assemble import Question
    from polytask.inspection.deal import deal
    from polytask.inspection.named_estimators import default_estimators
    from polytask.inspection.out_of_fold import predict_out_of_fold
    from polytask.inspection.sample import read_sample
    from polytask.inspection.scores import metric_columns

    X, y = table("related", m=4, n=6)
    sample = read_sample(X, y, "task", Squared())
    models = default_estimators("regression", "task")
    models = {name: models[name] for name in ("single-task", "pooled")}
    columns = metric_columns(Squared(), "rmse_tasks")
    question = Question(models, "single-task", columns, 2, 0, "")
    folds = deal(sample, 3, 2, 0)
    found = predict_out_of_fold(models, sample, folds)
    whole = module._totals(sample, found, question)
    less = module._totals(sample, found, question, 5)
    assert whole.rows.sum() - less.rows.sum() == 2  # tested once in each repeat
    np.testing.assert_allclose(
        (whole.losses - less.losses).sum(axis=(0, 1))[:, 0],
        [((y[5] - found.predictions[n][:, 5]) ** 2).sum() for n in models],
    )
    gone = whole.without_task(0)
    assert gone.rows[0].sum() == 0
    assert whole.rows[0].sum() > 0
    np.testing.assert_array_equal(gone.products[1:], whole.products[1:])
