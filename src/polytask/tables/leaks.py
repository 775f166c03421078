"""Features that fix the target: what is not known before the target is, teaches nothing.

One feature may do it (a copy, a label of which each value goes with one value of the target, a
limit that separates two classes), or several together (parts that sum to it, a price times a
quantity). What chance could do as well is not told.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.special import gammaln

from polytask.tables.errors import name_list

__all__ = ["NEAR_ONE", "correlations", "fixing_features", "how_it_fixes", "some_rows"]

NEAR_ONE = 0.9999  # of a correlation
LEFT = 1 - NEAR_ONE**2  # share of the variance that is then left
MOST_ROWS = 20_000
MOST_LEVELS = 50  # of a number that is looked at value by value
MOST_COLUMNS = 300  # that are looked at together
LEAST_OF_TASK = 6  # rows, for a line in each task
SPARE_ROWS = 20  # more than there are coefficients
LOG_CHANCE = -16.0  # about one in ten million


def fixing_features(X: pd.DataFrame, y: np.ndarray, tasks: np.ndarray) -> Iterator[str]:
    """A sentence on each feature that fixes the target, and on those that do so together.

    Parameters
    ----------
    X : DataFrame of shape (n, d)
        Floats, or text; missing values as NaN.
    y : ndarray of shape (n,)
        Numbers, of classes their places among them.
    tasks : ndarray of shape (n,)

    Examples
    --------
    >>> X = pd.DataFrame({"answer": ["yes", "no", "maybe", "no"] * 10})
    >>> list(fixing_features(X, (X["answer"] != "no").to_numpy(float), np.repeat([1, 2], 20)))
    ["'answer' fixes the target: each of its values goes with one value of the target."]
    """
    some = some_rows(len(y))
    X, y, tasks = X.iloc[some], y[some], tasks[some]
    if len(y) < 4 or not np.isfinite(y).all() or np.ptp(y) == 0:
        return
    alone = {str(name): how for name in X if (how := how_it_fixes(X[name], y, tasks))}
    for name, how in alone.items():
        yield f"{name!r} fixes the target: {how}."
    numbers = X[[n for n in X if str(n) not in alone]].select_dtypes("number")
    for names, how in _together(numbers, y, tasks):
        yield f"{name_list(names)} together fix the target: {how}."


def some_rows(n: int) -> np.ndarray | slice:
    """Which of n rows are looked at: all, or as many at random as say what a correlation is."""
    if n <= MOST_ROWS:
        return slice(None)
    return np.sort(np.random.default_rng(0).choice(n, MOST_ROWS, replace=False))


def how_it_fixes(values: pd.Series, y: np.ndarray, tasks: np.ndarray) -> str:
    """How one feature fixes the target, "" where it does not."""
    if pd.api.types.is_numeric_dtype(values.dtype):
        x = values.to_numpy(dtype=float)
        kept = np.isfinite(x)
        if kept.sum() > 3:
            if max(map(abs, correlations(values, y, tasks))) > NEAR_ONE:
                return "all but equal to it, up to its unit"
            if _in_each_task(x[kept], y[kept], tasks[kept]):
                return "in each task all but equal to it, up to a unit of the task"
            if how := _ordered(x[kept], y[kept]):
                return how
        if len(np.unique(x[kept])) > MOST_LEVELS:
            gap = _levels_fix(np.where(kept, 0, 1), y)
            return "where it is missing, and where not, the target has one value" if gap else ""
    codes = pd.factorize(values, use_na_sentinel=False)[0]
    return "each of its values goes with one value of the target" if _levels_fix(codes, y) else ""


def correlations(values: pd.Series, y: np.ndarray, tasks: np.ndarray) -> tuple[float, float]:
    """Of a feature and the target, over all rows and inside tasks; zero where too few are known."""
    x = values.to_numpy(dtype=float)
    kept = np.isfinite(x) & np.isfinite(y)
    if kept.sum() <= 3:
        return 0.0, 0.0
    x, y, tasks = x[kept], y[kept], tasks[kept]
    over = _correlation(x - x.mean(), y - y.mean())
    code = _codes(tasks)
    return over, _correlation(_centred(x, code), _centred(y, code))


def _in_each_task(x: np.ndarray, y: np.ndarray, tasks: np.ndarray) -> bool:
    """Whether a line of its own in each task leaves nothing of the target's variance inside."""
    code = _codes(tasks)
    a, b = _centred(x, code), _centred(y, code)
    many = np.bincount(code) >= LEAST_OF_TASK
    if not many.all() or len(many) < 2:
        return False
    along, square, whole = (np.bincount(code, v) for v in (a * b, a * a, b * b))
    told = np.divide(along**2, square, out=np.zeros_like(along), where=square > 0).sum()
    return bool(whole.sum() > 0 and whole.sum() - told < LEFT * whole.sum())


def _codes(tasks: np.ndarray) -> np.ndarray:
    """The tasks as numbers from zero on."""
    return np.asarray(pd.factorize(tasks)[0])


def _centred(x: np.ndarray, code: np.ndarray) -> np.ndarray:
    return np.asarray(x - (np.bincount(code, x) / np.bincount(code))[code])


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    size = float(np.sqrt((a @ a) * (b @ b)))
    # What rounding leaves of a constant is no information.
    return float(a @ b) / size if a.std() > 1e-9 and b.std() > 1e-9 else 0.0


def _ordered(x: np.ndarray, y: np.ndarray) -> str:
    """Whether the target follows from the order of the values."""
    labels = np.unique(y)
    if len(labels) == 2:
        low, high = x[y == labels[0]], x[y == labels[1]]
        apart = low.max() < high.min() or high.max() < low.min()
        n, k = len(x), len(low)
        chance = gammaln(k + 1) + gammaln(n - k + 1) - gammaln(n + 1)
        return "a limit in it separates the two classes" if apart and chance < LOG_CHANCE else ""
    if len(labels) < 10:
        return ""
    order = _correlation(*(_centred(pd.Series(v).rank().to_numpy(), np.zeros(len(v), dtype=int))
                           for v in (x, y)))  # fmt: skip
    return "it puts the rows into the same order" if abs(order) > NEAR_ONE else ""


def _levels_fix(codes: np.ndarray, y: np.ndarray) -> bool:
    """Whether all rows of a level have one value of the target, but for one in a hundred."""
    labels, value = np.unique(y, return_inverse=True)
    sizes = np.bincount(codes)
    sizes = sizes[sizes > 0]
    if len(sizes) < 2 or len(labels) < 2:
        return False
    pairs = pd.Series(value).groupby(codes).value_counts()
    most = pairs.groupby(level=0).max().sum()
    shares = np.bincount(value) / len(y)
    wrong, blind = len(y) - most, len(y) * (1 - shares.max())
    several, times = np.unique(sizes, return_counts=True)
    top = shares.max()  # in logarithms, because powers of shares vanish
    log_all = several * np.log(top) + np.log([((shares / top) ** r).sum() for r in several])
    chance = float((times * log_all).sum())
    return bool(wrong <= 0.01 * blind and chance < LOG_CHANCE)


def _together(
    numbers: pd.DataFrame, y: np.ndarray, tasks: np.ndarray
) -> Iterator[tuple[list[str], str]]:
    """Sums, and products as sums of logarithms."""
    values = numbers.to_numpy(dtype=float)
    kept = np.isfinite(values).all(axis=1)
    if not 2 <= values.shape[1] <= MOST_COLUMNS or len(np.unique(y)) < 3:
        return
    values, y, tasks = values[kept], y[kept], tasks[kept]
    names = np.array([str(name) for name in numbers.columns])
    if found := _parts(values, y, tasks):
        yield names[found].tolist(), "it is their weighted sum"
        return
    positive = (values > 0).all(axis=0)
    if positive.sum() > 1 and (y > 0).all():
        found = _parts(np.log(values[:, positive]), np.log(y), tasks)
        if found:
            yield names[positive][found].tolist(), "it is a product of theirs"


def _parts(values: np.ndarray, y: np.ndarray, tasks: np.ndarray) -> list[int]:
    """Columns whose weighted sum, with a level for each task, is all but the target."""
    if len(y) < values.shape[1] + len(np.unique(tasks)) + SPARE_ROWS:
        return []
    code = _codes(tasks)
    y = _centred(y, code)
    X = np.column_stack([_centred(column, code) for column in values.T])
    spread = X.std(axis=0)
    X = X[:, spread > 0] / spread[spread > 0]
    coef = np.linalg.lstsq(X, y, rcond=1e-10)[0]
    rest = y - X @ coef
    if y.std() == 0 or rest @ rest > LEFT * (y @ y):
        return []
    at = np.flatnonzero(spread > 0)
    return [int(at[k]) for k in np.flatnonzero(np.abs(coef) > 0.01 * y.std())]
