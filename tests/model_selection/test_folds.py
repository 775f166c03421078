"""Fold assignment: every task keeps training rows, and the folds are even."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from polytask.data.folds import FoldRule, task_folds, wide_folds
from tests.model_selection.helpers import codes_of, many

sizes = st.lists(st.integers(1, 12), min_size=1, max_size=15)
n_splits = st.integers(2, 7)
seeds = st.one_of(st.none(), st.integers(0, 99))


def generator(seed):
    return None if seed is None else np.random.default_rng(seed)


def counts_by_fold(codes, fold, n_tasks, n_splits):
    table = np.zeros((n_tasks, n_splits), int)
    np.add.at(table, (codes[fold >= 0], fold[fold >= 0]), 1)
    return table


@many
@given(sizes, n_splits, seeds)
def test_each_task_is_spread_evenly_and_single_rows_stay_in_training(sizes, n_splits, seed):
    codes = codes_of(sizes)
    fold = task_folds(codes, n_splits, seed)
    table = counts_by_fold(codes, fold, len(sizes), n_splits)
    single = np.array(sizes) == 1
    assert ((fold == -1) == single[codes]).all()
    assert (table[single] == 0).all()
    assert (np.ptp(table, axis=1) <= 1).all()
    assert (table.max(axis=1) < np.array(sizes)).all()
    assert np.ptp(table.sum(axis=0)) <= 1


@many
@given(sizes, n_splits, seeds, st.integers(2, 3))
def test_stratified_folds_spread_each_class_of_each_task(sizes, n_splits, seed, n_classes):
    codes = codes_of(sizes)
    labels = np.random.default_rng(7).integers(n_classes, size=codes.size)
    fold = task_folds(codes, n_splits, seed, labels)
    table = counts_by_fold(codes, fold, len(sizes), n_splits)
    assert (np.ptp(table, axis=1) <= 1).all()
    assert ((fold == -1) == (np.array(sizes) == 1)[codes]).all()
    for label in range(n_classes):
        own = (labels == label) & (fold >= 0)
        cells = counts_by_fold(codes[own], fold[own], len(sizes), n_splits)
        assert (np.ptp(cells, axis=1) <= 1).all()


@pytest.mark.parametrize(("size", "n_splits"), [(5, 5), (4, 4), (6, 4), (9, 6), (3, 5)])
def test_a_rare_class_is_tested_in_every_fold(size, n_splits):
    codes = np.repeat(np.arange(60), size)
    rare = np.tile(np.arange(size) == size - 1, 60)
    fold = task_folds(codes, n_splits, 0, rare)
    assert np.ptp(np.bincount(fold[rare], minlength=n_splits)) <= 2
    assert np.ptp(np.bincount(fold, minlength=n_splits)) <= 2


def test_tasks_of_two_rows_do_not_all_fall_in_the_first_folds():
    fold = task_folds(np.repeat(np.arange(100), 2), 5)
    assert np.bincount(fold).tolist() == [40] * 5


@many
@given(sizes, n_splits, seeds, st.integers(1, 3), st.integers(0, 99))
def test_rows_that_come_in_parts_are_dealt_the_same(sizes, n_splits, seed, n_classes, order):
    """Whoever knows how many rows of a task and class came before needs nothing else."""
    rng = np.random.default_rng(order)
    codes = rng.permutation(codes_of(sizes))
    labels = rng.integers(n_classes, size=codes.size)
    counts = np.zeros((len(sizes), n_classes), int)
    np.add.at(counts, (codes, labels), 1)
    rule = FoldRule.make(counts, n_splits, seed)
    seen, parts = np.zeros_like(counts), []
    for task, label in zip(codes, labels, strict=True):
        one = [np.array([value]) for value in (task, label, seen[task, label])]
        parts.append(int(rule.folds(*one)[0]))
        seen[task, label] += 1
    whole = task_folds(codes, n_splits, seed, labels if n_classes > 1 else None)
    present = np.unique(labels).size == n_classes
    assert parts == whole.tolist() or not present


def test_every_order_of_a_round_is_as_likely():
    """Six orders of three folds, in whole rounds; the two rows of a last round meet all pairs."""
    codes, orders = np.repeat(np.arange(2000), 5), {}
    fold = task_folds(codes, 3, 7).reshape(-1, 5)
    for row in fold[:, :3].tolist():
        orders[tuple(row)] = orders.get(tuple(row), 0) + 1
    assert len(orders) == 6
    assert stats.chisquare(list(orders.values())).pvalue > 1e-3
    pairs = np.unique(fold[:, 3:], axis=0, return_counts=True)[1]
    assert len(pairs) == 6
    assert stats.chisquare(pairs).pvalue > 1e-3


def test_another_seed_deals_other_folds():
    codes = codes_of([30, 50, 10])
    assert (task_folds(codes, 5, 3) == task_folds(codes, 5, 3)).all()
    assert (task_folds(codes, 5, 3) == task_folds(codes, 5, 4)).mean() < 0.4


def test_codes_need_not_be_contiguous_and_may_be_empty():
    assert task_folds(np.array([4, 4, 9, 9]), 2).tolist() == [0, 1, 0, 1]
    assert task_folds(np.array([], int), 2).size == 0
    assert task_folds(np.array([0, 1]), 2, labels=np.array([0, 1])).tolist() == [-1, -1]


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="n_splits must be at least 2; got 1"):
        task_folds(np.array([0, 0]), 1)
    with pytest.raises(ValueError, match="codes must be 0 or more; got -1"):
        task_folds(np.array([-1, 0]), 2)


@many
@given(
    st.integers(1, 25), st.integers(1, 6), st.floats(0.02, 1), n_splits, st.integers(0, 999), seeds
)
def test_wide_folds_keep_a_label_of_every_task_in_training(n, m, rate, n_splits, seed, shuffle):
    measured = np.random.default_rng(seed).uniform(size=(n, m)) < rate
    fold = wide_folds(measured, n_splits, generator(shuffle))
    assert (fold[~measured.any(axis=1)] == -1).all()
    for k in range(n_splits):
        assert (measured[fold != k].any(axis=0) == measured.any(axis=0)).all()


def test_wide_folds_of_a_full_table_are_plain_and_even():
    fold = wide_folds(np.ones((22, 3), bool), 5, np.random.default_rng(0))
    assert sorted(np.bincount(fold).tolist()) == [4, 4, 4, 5, 5]


def test_wide_folds_spread_the_labels_of_a_rare_task():
    measured = np.ones((100, 2), bool)
    measured[:, 1] = np.arange(100) < 5
    fold = wide_folds(measured, 5, np.random.default_rng(0))
    assert sorted(fold[:5].tolist()) == [0, 1, 2, 3, 4]
