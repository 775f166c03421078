"""The splitters: what each promises, through every kind of table."""

import copy
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from polytask.model_selection import LeaveTasksOut, TaskKFold, TaskShuffleSplit
from tests.model_selection.helpers import codes_of, frame_of, many

sizes = st.lists(st.integers(1, 10), min_size=2, max_size=12)
TABLES = {
    "pandas": lambda X: (X, "school"),
    "category": lambda X: (X.astype({"school": "category"}), "school"),
    "polars": lambda X: (pl.DataFrame(X.to_dict("list")), "school"),
    "pyarrow": lambda X: (pa.Table.from_pandas(X), "school"),
    "numpy": lambda X: (X.to_numpy(dtype=object), -1),
    "float": lambda X: (X.assign(school=X["school"].str[1:].astype(float)).to_numpy(float), 2),
    "sparse": lambda X: (
        sparse.csc_matrix(X.assign(school=X["school"].str[1:].astype(float)).to_numpy(float)),
        2,
    ),
}


def numbered(codes):
    return np.column_stack([np.zeros(len(codes)), codes])


def same(one, other):
    return all(
        (a == b).all() for s, t in zip(one, other, strict=True) for a, b in zip(s, t, strict=True)
    )


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("splitter", [TaskKFold, TaskShuffleSplit, LeaveTasksOut])
def test_every_table_gives_the_same_splits(table, splitter):
    X = frame_of(codes_of([4, 6, 1, 9, 3, 7]))
    other, task = TABLES[table](X)
    expected = splitter(3, task="school", random_state=5).split(X)
    assert same(expected, splitter(3, task=task, random_state=5).split(other))


@many
@given(sizes, st.integers(2, 6), st.integers(0, 99))
def test_kfold_partitions_the_testable_rows_and_trains_every_task(sizes, n_splits, seed):
    sizes = [*sizes, n_splits]
    codes = codes_of(sizes)
    cv = TaskKFold(n_splits, task=1, random_state=seed)
    tested = []
    for train, test in cv.split(numbered(codes)):
        assert sorted([*train, *test]) == list(range(codes.size))
        assert set(codes[train]) == set(codes)
        assert test.size
        tested.extend(test)
    always = cv.always_train(numbered(codes))
    assert sorted([*tested, *always]) == list(range(codes.size))
    assert set(always) == {i for i, c in enumerate(codes) if sizes[c] == 1}


@many
@given(sizes, st.integers(0, 99))
def test_training_rows_come_in_rounds_over_the_tasks(sizes, seed):
    codes = codes_of([*sizes, 6])
    for cv in (TaskKFold(3, task=1, random_state=seed), TaskShuffleSplit(2, task=1)):
        for train, _ in cv.split(numbered(codes)):
            n_tasks = len(set(codes))
            assert len(set(codes[train[:n_tasks]])) == n_tasks
            seen = [int((codes[train[:i]] == codes[train[i]]).sum()) for i in range(train.size)]
            assert seen == sorted(seen)


@pytest.mark.parametrize("splitter", [TaskKFold, TaskShuffleSplit, LeaveTasksOut])
def test_random_state_decides(splitter):
    X = numbered(codes_of([8, 9, 10, 11, 12]))
    one, other = (splitter(4, task=1, random_state=s) for s in (0, 1))
    assert same(one.split(X), one.split(X))
    assert not same(
        [(np.sort(a)[:5], b[:5]) for a, b in one.split(X)],
        [(np.sort(a)[:5], b[:5]) for a, b in other.split(X)],
    )


def test_unshuffled_folds_repeat_and_refuse_a_seed():
    X = numbered(codes_of([4, 5]))
    cv = TaskKFold(2, task=1, shuffle=False)
    assert same(cv.split(X), cv.split(X))
    with pytest.raises(ValueError, match="random_state must be None when shuffle=False; got 0"):
        next(TaskKFold(2, task=1, shuffle=False, random_state=0).split(X))


def test_stratified_kfold_leaves_both_classes_of_each_task_in_training():
    codes = np.repeat(np.arange(20), 6)
    y = np.where(np.tile(np.arange(6) < 2, 20), "yes", "no")
    for train, _ in TaskKFold(3, task=1, stratify=True, random_state=0).split(numbered(codes), y):
        table = pd.crosstab(codes[train], y[train])
        assert (table["yes"] >= 1).all()
        assert (table["no"] >= 2).all()


@pytest.mark.parametrize("y", [None, np.linspace(0, 1.5, 8)])
def test_stratify_asks_for_classes(y):
    with pytest.raises(ValueError, match="TaskKFold: y must hold classes when stratify=True"):
        next(TaskKFold(2, task=1, stratify=True).split(numbered(codes_of([4, 4])), y))


def test_without_a_task_kfold_is_a_kfold_over_rows():
    tests = [test for _, test in TaskKFold(4, random_state=0).split(np.zeros((10, 1)))]
    assert sorted(len(t) for t in tests) == [2, 2, 3, 3]
    assert sorted(np.concatenate(tests)) == list(range(10))


@pytest.mark.parametrize("kind", ["numpy", "pandas", "nullable", "polars"])
def test_wide_labels_keep_a_label_of_every_task(kind):
    rng = np.random.default_rng(0)
    Y = np.where(rng.uniform(size=(30, 4)) < 0.5, rng.normal(size=(30, 4)), np.nan)
    Y[3:, 0] = np.nan
    Y[:3, 0] = 1.0
    Y[7] = np.nan
    frame = pd.DataFrame(Y, columns=list("abcd"))
    table = {
        "numpy": Y,
        "pandas": frame,
        "nullable": frame.astype("Float64"),
        "polars": pl.DataFrame(frame.to_dict("list")).fill_nan(None),
    }[kind]
    splits = [
        *TaskKFold(5, random_state=0).split(np.zeros((30, 1)), table),
        *TaskShuffleSplit(20, test_size=0.7, random_state=0).split(np.zeros((30, 1)), table),
        *TaskShuffleSplit(20, test_size=0.3, train_size=0.1).split(np.zeros((30, 1)), table),
    ]
    for train, test in splits:
        assert (~np.isnan(Y[train])).any(axis=0).all()
        assert not set(train) & set(test)
        assert 7 not in test
        assert test.size
    assert 7 in TaskKFold(5, random_state=0).always_train(np.zeros((30, 1)), table)


@many
@given(sizes, st.floats(0.05, 0.95), st.integers(0, 99))
def test_shuffle_split_takes_a_fraction_of_each_task(sizes, share, seed):
    sizes = np.array([*sizes, 30])
    codes = codes_of(sizes)
    cv = TaskShuffleSplit(1, task=1, test_size=share, random_state=seed)
    ((train, test),) = cv.split(numbered(codes))
    n_train, n_test = (np.bincount(codes[part], minlength=sizes.size) for part in (train, test))
    assert (n_train + n_test == sizes).all()
    assert (n_train >= 1).all()
    assert (np.abs(n_test - np.minimum(sizes * share, sizes - 1)) <= 1).all()


@many
@given(sizes, st.integers(1, 8), st.integers(1, 8))
def test_shuffle_split_takes_rows_per_task(sizes, train_size, test_size):
    sizes = np.array([*sizes, 9])
    codes = codes_of(sizes)
    cv = TaskShuffleSplit(2, task=1, train_size=train_size, test_size=test_size, random_state=0)
    for train, test in cv.split(numbered(codes)):
        assert not set(train) & set(test)
        n_train, n_test = (np.bincount(codes[part], minlength=sizes.size) for part in (train, test))
        assert (n_train == np.minimum(train_size, sizes)).all()
        assert (n_test == np.minimum(test_size, sizes - n_train)).all()


def test_complementary_fractions_use_every_row():
    codes = codes_of([3, 7, 5, 4])
    cv = TaskShuffleSplit(5, task=1, train_size=0.7, test_size=0.3, random_state=0)
    assert all(len(a) + len(b) == codes.size for a, b in cv.split(numbered(codes)))


def test_small_fractions_test_small_tasks_too():
    codes = np.repeat(np.arange(100), 2)
    cv = TaskShuffleSplit(1, task=1, test_size=0.2, random_state=0)
    ((_, test),) = cv.split(numbered(codes))
    assert abs(test.size - 40) <= 1


@many
@given(sizes, st.integers(0, 4), st.integers(0, 99))
def test_leave_tasks_out_holds_out_every_task_once_with_its_support(sizes, n_support, seed):
    sizes = [*sizes, 6, 7]
    codes = codes_of(sizes)
    cv = LeaveTasksOut(2, task=1, n_support=n_support, random_state=seed)
    held_out = []
    for train, test in cv.split(numbered(codes)):
        assert sorted([*train, *test]) == list(range(codes.size))
        for c in set(codes[test]):
            assert (codes[train] == c).sum() == n_support
        held_out.extend(set(codes[test]))
    assert sorted(held_out) == [i for i, n in enumerate(sizes) if n > n_support]
    always = cv.always_train(numbered(codes))
    assert set(codes[always]) == {i for i, n in enumerate(sizes) if n <= n_support}


def test_leave_a_number_of_tasks_out():
    X = numbered(codes_of([3, 4, 5, 6, 7]))
    cv = LeaveTasksOut(task=1, n_tasks_out=2, random_state=0)
    assert cv.get_n_splits(X) == 3
    assert sorted(len(set(X[test, 1])) for _, test in cv.split(X)) == [1, 2, 2]


@pytest.mark.parametrize(
    ("cv", "message"),
    [
        (TaskKFold(5, task=1), "TaskKFold: n_splits must be at most 4, the rows of the largest"),
        (TaskKFold(1, task=1), "TaskKFold: n_splits must be an integer of at least 2; got 1"),
        (TaskKFold(2.5, task=1), "n_splits must be an integer of at least 2; got 2.5"),
        (TaskKFold(2, task="school"), "TaskKFold: task must be an integer position"),
        (TaskKFold(2, task=7), "TaskKFold: task must be the position of a column"),
        (TaskShuffleSplit(task=1, test_size=1.5), "test_size must be None, a fraction"),
        (TaskShuffleSplit(task=1, train_size=0), "train_size must be None, a fraction"),
        (TaskShuffleSplit(task=1, train_size=0.7, test_size=0.4), "must be at most 1; got 1.1"),
        (TaskShuffleSplit(task=1, train_size=4), "must leave rows for testing; got None and 4"),
        (TaskShuffleSplit(0, task=1), "n_splits must be an integer of at least 1; got 0"),
        (LeaveTasksOut(), "LeaveTasksOut: task must be a column of X; got None"),
        (LeaveTasksOut(4, task=1), "n_splits must be at most 3, the number of tasks"),
        (LeaveTasksOut(task=1, n_tasks_out=3), "n_tasks_out must be less than 3"),
        (LeaveTasksOut(task=1, n_support=4), "n_support must be less than the rows of the"),
        (LeaveTasksOut(task=1, n_support=-1), "n_support must be an integer of at least 0"),
    ],
)
def test_mistakes_are_named(cv, message):
    with pytest.raises(ValueError, match=message):
        next(cv.split(numbered(codes_of([4, 2, 1]))))


def test_wide_labels_name_what_they_cannot_do():
    X, Y = np.zeros((6, 1)), np.ones((6, 2))
    with pytest.raises(ValueError, match="stratify must be False for wide labels"):
        next(TaskKFold(2, stratify=True).split(X, Y))
    with pytest.raises(ValueError, match="must be fractions for wide labels; got None and 2"):
        next(TaskShuffleSplit(train_size=2).split(X, Y))


def test_a_missing_column_is_named_with_the_class():
    with pytest.raises(ValueError, match="TaskKFold: task must be a column of X; got 'scool'"):
        next(TaskKFold(2, task="scool").split(frame_of(codes_of([4, 4]))))


def test_groups_stay_whole_or_are_refused_aloud():
    X, groups = numbered(codes_of([8, 6, 2])), np.array([0, 0, 1, 1, 2, 2, 2, 3] * 2)
    for train, test in TaskKFold(2, task=1, random_state=0).split(X, groups=groups):
        assert not set(groups[train]) & set(groups[test])
        assert set(X[train, 1]) == set(X[:, 1])
    with pytest.raises(ValueError, match="at most 4, the groups of the largest task; got 5"):
        next(TaskKFold(5, task=1).split(X, groups=groups))
    with pytest.warns(UserWarning, match="groups are ignored"):
        next(LeaveTasksOut(2, task=1).split(X, groups=groups))


def test_groups_of_wide_labels_stay_whole():
    rng = np.random.default_rng(0)
    Y, groups = rng.normal(size=(40, 3)), np.repeat(np.arange(10), 4)
    Y[rng.random(Y.shape) < 0.5] = np.nan
    folds = list(TaskKFold(3, random_state=0).split(np.zeros((40, 1)), Y, groups))
    for train, test in folds:
        labelled = train[np.isfinite(Y[train]).any(axis=1)]
        assert not set(groups[labelled]) & set(groups[test])
        assert np.isfinite(Y[train]).any(axis=0).all()
    tested = np.unique(np.concatenate([test for _, test in folds]))
    assert len(tested) == np.isfinite(Y).any(axis=1).sum()


def test_repr_pickle_and_copy():
    cv = TaskKFold(3, task="school", random_state=0)
    text = "TaskKFold(n_splits=3, random_state=0, shuffle=True, stratify=False, task='school')"
    for one in (cv, copy.deepcopy(cv), pickle.loads(pickle.dumps(cv))):
        assert " ".join(repr(one).split()) == text
        assert one.get_n_splits() == 3
