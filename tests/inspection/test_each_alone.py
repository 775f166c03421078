"""What of a gain is sharing: curves that tasks share, curves that they do not, and lines."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from polytask import (
    AutoMultiTaskRegressor,
    CurvedClassifier,
    CurvedRegressor,
    MeanRegularizedRegressor,
)
from polytask.inspection import compare_tasks
from polytask.inspection.each_alone import EachTaskAlone, alone_rival
from polytask.inspection.recommendation import recommend
from polytask.inspection.sample import response_for
from tests.inspection.helpers import decided
from tests.inspection.test_verdict import ROLES, evidence

M, N = 8, 60
MODELS = dict.fromkeys(("single-task", "mean-regularized", "curved"))


def world(shared, seed=0, bent=1.0, n=N):
    """Additive curves of four features, the same in all tasks but for a little, or each its own."""
    rng = np.random.default_rng(seed)
    task = np.repeat(np.arange(M), n)
    X = rng.uniform(-1, 1, (M * n, 4))
    common, own = rng.normal(size=(4, 3)), rng.normal(size=(M, 4, 3))
    C = (common + 0.3 * own if shared else own) * [1.0, bent, bent]
    parts = np.stack([X, np.cos(4 * X), np.sin(5 * X)], axis=2)
    f = np.einsum("nkj,nkj->n", parts, C[task])
    return np.column_stack([X, task]), f + 0.7 * rng.normal(size=M * n)


def test_curves_that_nothing_shares_are_no_gain_of_learning_together():
    found = compare_tasks(MODELS, *world(shared=False, n=120), task=4)
    verdict = found.verdict
    assert verdict.label == "no-clear-gain"
    assert verdict.gain.low > 0.5  # over lines of each task
    assert verdict.unlike == "curved"
    assert verdict.gain_over_alone.low < 0.02
    assert verdict.headline.endswith("no clear gain here over Curved of each task alone.")
    assert "Learned together, Curved has" in verdict.text
    models = found.models.set_index("name")
    assert models.loc["curved-alone", "role"] == "alone"
    assert found.to_dict()["verdict"]["gain_over_alone"]["value"] < 0.1


def test_curves_that_tasks_share_are_one():
    verdict = compare_tasks(MODELS, *world(shared=True), task=4).verdict
    assert verdict.label == "joint-helps"
    assert verdict.gain_over_alone.low > 0.01
    assert verdict.gain_over_alone.value < verdict.gain.value
    assert "than Curved of each task alone" in verdict.text


def test_nothing_more_is_asked_where_lines_share_the_gain():
    found = compare_tasks(MODELS, *world(shared=True, bent=0.0), task=4)
    assert found.verdict.unlike == ""
    assert "alone" not in set(found.models["role"])


def test_where_no_fit_alone_was_compared_the_verdict_says_so():
    verdict = decided(replace(evidence(joint_a=0.4), unlike={"joint-a": True}))
    assert (verdict.label, verdict.unlike) == ("joint-helps", "joint-a")
    assert "What of this gain is sharing is not known" in verdict.text
    assert np.isnan(verdict.gain_over_alone.value)


@pytest.mark.parametrize(
    ("model", "classes"),
    [
        (AutoMultiTaskRegressor(task=0), ()),
        (CurvedRegressor(task=[0, 1]), ()),
        (CurvedClassifier(task=0), ("a", "b", "c")),
    ],
)
def test_mixtures_several_groupings_and_many_classes_are_not_fitted_alone(model, classes):
    sample = SimpleNamespace(response=response_for(bool(classes)), classes=classes)
    assert alone_rival({"a": model}, "a", sample) == {}


def test_the_rule():
    """joint-a is a curve, joint-b a line; joint-b with half the gain settles it."""
    half = replace(evidence(joint_a=0.4, joint_b=0.21), unlike={"joint-a": False})
    less = replace(evidence(joint_a=0.4, joint_b=0.19), unlike={"joint-a": False})
    assert decided(half).unlike == ""
    assert decided(less).unlike == "joint-a"
    mixture = replace(
        evidence(joint_a=0.4, joint_b=0.3), unlike={"joint-a": True, "joint-b": False}
    )
    assert decided(mixture).unlike == "joint-b"  # which it may be made of


@pytest.mark.parametrize(("alone", "label"), [(0.1, "joint-helps"), (0.4, "no-clear-gain")])
def test_only_what_is_gained_over_the_same_model_alone_counts(alone, label):
    roles = {**ROLES, "joint-b": "alone"}
    each = replace(evidence(joint_a=0.4, joint_b=alone), roles=roles, unlike={"joint-a": False})
    verdict = decided(each)
    assert verdict.label == label
    assert verdict.model == "joint-a"
    assert verdict.gain_over_alone.value == pytest.approx((0.4 - alone) / (1 - alone), abs=0.02)


def test_the_best_curve_alone_is_not_what_is_recommended():
    roles = {**ROLES, "joint-b": "alone"}
    each = replace(evidence(joint_a=0.3, joint_b=0.5), roles=roles, unlike={"joint-a": False})
    found = recommend(each)
    assert found.model == "joint-a"
    assert "Joint-b is not counted" in found.text


def test_each_task_has_the_fit_to_its_rows():
    X, y = world(shared=True)
    X, y = pd.DataFrame(X, columns=[*"abcd", "task"]).astype({"task": int}), y
    alone = EachTaskAlone(MeanRegularizedRegressor(alpha=1.0, alpha_common=0.1, task="task"))
    alone.fit(X, y)
    here = (X["task"] == 3).to_numpy()
    itself = MeanRegularizedRegressor(alpha=1.0, alpha_common=0.1, task="task")
    itself.fit(X[here], y[here])
    np.testing.assert_allclose(alone.predict(X)[here], itself.predict(X[here]), rtol=1e-12)


def test_tasks_of_one_row_and_of_one_class_have_their_mean():
    X, y = world(shared=True)
    one = np.r_[0, np.arange(N, M * N)]
    fitted = EachTaskAlone(CurvedRegressor(task=4)).fit(X[one], y[one])
    assert fitted.predict(X[:2])[0] == fitted.predict(X[:2])[1]
    label = np.where(X[:, 4] == 0, 1, y > y.mean())
    p = EachTaskAlone(CurvedClassifier(task=4)).fit(X, label).predict_proba(X)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert np.ptp(p[:N, 1]) == 0
    assert 0.5 < p[0, 1] < 1
