"""Moments: the right sums, mergeable by exact algebra, kept on disk without pickle."""

from itertools import pairwise

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from polytask.data import TaskMoments
from polytask.data.grouping import group_rows, rank_in_group


def table(rng, n=300, d=3, m=7, mean=0.0, dtype=np.float64):
    X = (mean + rng.normal(size=(n, d))).astype(dtype)
    ids = rng.integers(m, size=n)
    y = mean + rng.normal(size=n)
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(d)]).assign(task=ids)
    return frame, y, X.astype(np.float64), ids


def centred(moments, i):
    """Scatter of (x, y) of task i about its own mean."""
    S = moments.sums[i].sum(axis=0)
    return S[1:, 1:] - np.outer(S[0, 1:], S[0, 1:]) / S[0, 0]


def scatter(X, y):
    Z = np.column_stack([X, y])
    Z = Z - Z.mean(axis=0)
    return Z.T @ Z


def test_sums_are_those_of_the_definition(rng):
    frame, y, X, ids = table(rng)
    moments = TaskMoments.from_rows(frame, y, task="task")
    assert_array_equal(moments.tasks, np.unique(ids))
    for i, name in enumerate(moments.tasks):
        here = ids == name
        Z = np.column_stack([np.ones(here.sum()), X[here], y[here]])
        Z[:, 1:] -= moments.shift
        assert_allclose(moments.sums[i, 0], Z.T @ Z, rtol=1e-12, atol=1e-12)
    assert_array_equal(moments.counts, np.bincount(ids))
    assert moments.columns == ("x0", "x1", "x2", "task")


def test_tables_and_arrays_agree(rng):
    frame, y, X, ids = table(rng)
    want = TaskMoments.from_rows(frame, y, task="task").sums
    assert_array_equal(TaskMoments.from_rows(pl.from_pandas(frame), y, task="task").sums, want)
    assert_array_equal(TaskMoments.from_rows(np.column_stack([X, ids]), y, task=3).sums, want)


def test_weights_count_rows(rng):
    frame, y, _, _ = table(rng, n=60)
    weight = rng.integers(0, 4, size=60)
    twice = np.repeat(np.arange(60), weight)
    weighted = TaskMoments.from_rows(frame, y, task="task", sample_weight=weight)
    repeated = TaskMoments.from_rows(frame.iloc[twice], y[twice], task="task")
    common = np.isin(weighted.tasks, repeated.tasks)
    moved = repeated.shifted(weighted.shift)
    assert_allclose(weighted.sums[common], moved.sums, rtol=1e-9, atol=1e-9)


@settings(max_examples=15, deadline=None)
@given(cuts=st.lists(st.integers(0, 200), min_size=1, max_size=4), seed=st.integers(0, 1000))
def test_any_merge_is_the_whole(cuts, seed):
    rng = np.random.default_rng(seed)
    frame, y, X, ids = table(rng, n=200, mean=100.0)
    bounds = [0, *sorted(cuts), 200]
    parts = [
        TaskMoments.from_rows(frame.iloc[a:b], y[a:b], task="task")
        for a, b in pairwise(bounds)
        if b > a
    ]
    left, right = parts[0], parts[-1]
    for part in parts[1:]:
        left = left + part
    for part in parts[-2::-1]:
        right = part + right
    for merged in (left, right):
        assert_array_equal(merged.counts, np.bincount(ids)[np.unique(ids)])
        for i, name in enumerate(merged.tasks):
            want = scatter(X[ids == name], y[ids == name])
            assert_allclose(centred(merged, i), want, rtol=1e-10, atol=1e-10)


def test_a_mean_of_1e8_keeps_its_digits(rng):
    frame, y, X, ids = table(rng, mean=1e8)
    whole = TaskMoments.from_rows(frame, y, task="task")
    merged = TaskMoments.from_rows(frame[:20], y[:20], task="task") + TaskMoments.from_rows(
        frame[20:], y[20:], task="task"
    )
    raw = np.column_stack([X, y]).T @ np.column_stack([X, y])
    assert np.linalg.eigvalsh(raw - len(y) * np.outer(X.mean(0)[0], X.mean(0)[0])).min() < 0
    for moments in (whole, merged):
        for i, name in enumerate(moments.tasks):
            want = scatter(X[ids == name], y[ids == name])
            assert_allclose(centred(moments, i), want, rtol=1e-6, atol=1e-6)
            assert np.linalg.eigvalsh(centred(moments, i)).min() > 0


def test_one_far_row_first_does_not_spoil_a_merge(rng):
    frame, y, X, ids = table(rng, mean=1e6)
    far = frame[:1].assign(x0=0.0)
    merged = TaskMoments.from_rows(far, y[:1], task="task") + TaskMoments.from_rows(
        frame[1:], y[1:], task="task"
    )
    other = next(i for i, name in enumerate(merged.tasks) if name != ids[0])
    here = ids == merged.tasks[other]
    assert_allclose(centred(merged, other), scatter(X[here], y[here]), rtol=1e-7, atol=1e-6)


def test_float32_is_summed_up_in_float64(rng):
    frame, y, X, ids = table(rng, n=20_000, m=2, mean=50.0, dtype=np.float32)
    moments = TaskMoments.from_rows(frame, y, task="task")
    for i in range(2):
        want = scatter(X[ids == i], y[ids == i])
        assert_allclose(centred(moments, i), want, rtol=1e-11, atol=1e-8)


def test_standardized_moments_are_those_of_standardized_rows(rng):
    frame, y, X, _ = table(rng, mean=30.0)
    moments = TaskMoments.from_rows(frame, y, task="task")
    mean, scale = moments.mean_and_scale()
    assert_allclose(mean, X.mean(axis=0), rtol=1e-12)
    assert_allclose(scale, X.std(axis=0), rtol=1e-10)
    rows = frame.assign(**{f"x{j}": (X[:, j] - mean[j]) / scale[j] for j in range(3)})
    again = TaskMoments.from_rows(rows, y, task="task")
    there = moments.standardized(mean, scale).shifted(again.shift)
    assert_allclose(there.sums, again.sums, rtol=1e-9, atol=1e-9)


def test_folds_share_the_rows_of_every_task(rng):
    frame, y, _, ids = table(rng, n=400)
    moments = TaskMoments.from_rows(frame, y, task="task", n_folds=5)
    plain = TaskMoments.from_rows(frame, y, task="task")
    assert_allclose(moments.sums.sum(axis=1), plain.sums[:, 0], rtol=1e-10, atol=1e-10)
    assert_array_equal(moments.rows.sum(axis=1), np.bincount(ids))
    assert (np.ptp(moments.rows, axis=1) <= 1).all()


def test_rows_that_come_one_by_one_go_to_all_folds(rng):
    frame, y, _, _ = table(rng, n=60, m=2)
    moments = TaskMoments.from_rows(frame[:10], y[:10], task="task", n_folds=5)
    for k in range(10, 60):
        moments = moments.extended(frame[k : k + 1], y[k : k + 1])
    assert moments.rows.sum() == 60
    assert (np.ptp(moments.rows, axis=1) <= 1).all()


def test_tasks_of_one_row_are_not_all_in_one_fold():
    X = np.column_stack([np.arange(50.0), np.arange(50)])
    rows = TaskMoments.from_rows(X, np.zeros(50), task=1, n_folds=5).rows
    assert (rows.sum(axis=0) > 0).all()


@pytest.mark.parametrize("names", [[3, 1, 2], ["b", "a", "ü"]])
def test_save_and_load(tmp_path, rng, names):
    ids = np.repeat(names, 5)
    frame = pd.DataFrame({"x": rng.normal(size=15), "school": ids})
    moments = TaskMoments.from_rows(frame, rng.normal(size=15), task="school", n_folds=2)
    moments.save(tmp_path / "part.npz")
    again = TaskMoments.load(tmp_path / "part.npz")
    for name in ("tasks", "shift", "sums", "rows"):
        assert_array_equal(getattr(again, name), getattr(moments, name))
    assert (again.columns, again.task) == (moments.columns, moments.task)
    assert [path.name for path in tmp_path.iterdir()] == ["part.npz"]


def test_a_failed_save_leaves_the_old_file(tmp_path, rng, monkeypatch):
    frame, y, _, _ = table(rng)
    moments = TaskMoments.from_rows(frame, y, task="task")
    place = tmp_path / "part.npz"
    moments.save(place)
    before = place.read_bytes()

    def half(file, **arrays):
        file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", half)
    with pytest.raises(KeyboardInterrupt):
        moments.save(place)
    assert place.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["part.npz"]


def test_other_files_are_refused(tmp_path):
    (tmp_path / "text.npz").write_text("no archive")
    np.savez(tmp_path / "other.npz", a=np.zeros(2))
    np.savez(tmp_path / "pickle.npz", head=np.array([{"a": 1}], dtype=object))
    for name in ("text.npz", "other.npz", "pickle.npz"):
        with pytest.raises(ValueError, match=r"written by TaskMoments\.save"):
            TaskMoments.load(tmp_path / name)


def test_parts_that_do_not_fit_together(rng):
    frame, y, _, _ = table(rng)
    moments = TaskMoments.from_rows(frame, y, task="task")
    others = {
        "columns must agree": TaskMoments.from_rows(frame.drop(columns="x2"), y, task="task"),
        "n_folds must agree": TaskMoments.from_rows(frame, y, task="task", n_folds=2),
        "types of task ids": TaskMoments.from_rows(frame.astype({"task": str}), y, task="task"),
    }
    for message, other in others.items():
        with pytest.raises(ValueError, match=message):
            moments + other


def test_rows_that_cannot_be_summed(rng):
    frame, y, _, _ = table(rng, n=30)
    with pytest.raises(ValueError, match="NaN or infinity in feature 1"):
        TaskMoments.from_rows(frame.assign(x1=np.nan), y, task="task")
    with pytest.raises(ValueError, match="y contains NaN"):
        TaskMoments.from_rows(frame, np.where(y > 0, np.nan, y), task="task")
    with pytest.raises(ValueError, match="at least one row"):
        TaskMoments.from_batches([], task="task")
    with pytest.raises(ValueError, match="same columns"):
        TaskMoments.from_batches([(frame, y), (frame.drop(columns="x0"), y)], task="task")
    with pytest.raises(ValueError, match="n_folds must be 1 or more"):
        TaskMoments.from_rows(frame, y, task="task", n_folds=0)
    with pytest.raises(ValueError, match="zero or positive"):
        TaskMoments.from_rows(frame, y, task="task", sample_weight=-1.0)


@pytest.mark.parametrize("sizes", [[1] * 300, [5000], [1, 2, 3, 500, 40, 41, 42, 0, 7]])
def test_every_row_has_one_place_in_the_layout(sizes, rng):
    code = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    grouping = group_rows(code, len(sizes), 4)
    assert_array_equal(np.sort(grouping.take[grouping.take < len(code)]), np.arange(len(code)))
    assert len(grouping.take) <= 1.3 * len(code) + 10
    seen = np.zeros((1, len(grouping.take)))
    grouping.spread([code.astype(float) + 1], seen, np.zeros(1))
    for bucket in grouping.buckets:
        values = bucket.view(seen)[0]
        assert ((values == 0) | (values == bucket.groups[:, None] + 1)).all()
        assert_array_equal((values > 0).sum(axis=1), np.array(sizes)[bucket.groups])


def test_more_groups_than_two_bytes_can_name(rng):
    code = rng.integers(100_000, size=5000)
    rank = rank_in_group(code, 100_000)
    want = pd.Series(code).groupby(code).cumcount().to_numpy()
    assert_array_equal(rank, want)
