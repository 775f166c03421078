"""Gain of a model on each task: estimate, interval, p-value, label."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from polytask.inspection.statistics.partial_pooling import partial_pooling
from polytask.inspection.statistics.skewness import (
    transformed_t,
    without_skewness,
)
from polytask.inspection.statistics.variance import moderated_variance

__all__ = ["POWER", "task_gains"]

POWER = 0.8  # with which `rows_to_decide` rows would decide
_TESTABLE_ROWS = 3  # of two rows each is all of the other's training set: one piece of evidence
_SCALE_ROWS = 50  # a task's loss counts as a scale only with about this many rows behind it


def task_gains(
    rows: np.ndarray,
    gain: np.ndarray,
    variance: np.ndarray,
    loss: np.ndarray,
    skewness: float,
    *,
    inflation: float,
    level: float = 0.95,
) -> pd.DataFrame:
    """Gain per task from paired out-of-fold losses of the rows.

    The gain of a task is the mean over its n rows of d = loss of the baseline - loss of the
    model. Its interval is gain ± t sqrt(c s² / n): s² is the variance of d inside the task, the
    small tasks borrowing from the others, at the level of tasks of their size (losses of models
    trained on few rows vary more; see `moderated_variance`), and c the correction for the overlap
    of training sets. It speaks about this task, with new training and test rows. The
    p-values are two-sided; q are Benjamini and Hochberg's over the tasks, and a task is labelled
    "gains" or "harmed" where q is at most 1 - level, which bounds the expected share of wrong
    labels among these (wrong directions included). Gains relative to the task's loss are then
    partially pooled, each with the normal likelihood that has its interval (Efron 1993). Tasks of
    fewer than three rows have no interval and no test: of two rows each
    is the whole training set of the other. Neither have those whose variance is not known.

    Parameters
    ----------
    rows : ndarray of shape (m,)
        n of each task.
    gain, variance : ndarray of shape (m,)
        Mean and variance of d over the rows of each task; NaN where there is none.
    loss : ndarray of shape (m,)
        Mean loss of the baseline in each task.
    skewness : float
        That of d in the rows of a task, one for all.
    inflation : float
        c, see `overlap_inflation`.

    Returns
    -------
    DataFrame of m rows
        rows, gain, low, high, relative_gain, shrunken, shrunken_low, shrunken_high, p, q,
        label, rows_to_decide.

    References
    ----------
    Nadeau and Bengio (2003), Machine Learning 52; Benjamini and Hochberg (1995), JRSS B 57;
    Benjamini and Yekutieli (2005), JASA 100, for directions; Hall (1992), JRSS B 54;
    Efron (1993), Bayes and likelihood calculations from confidence intervals, Biometrika 80.
    """
    testable = (rows >= _TESTABLE_ROWS) & np.isfinite(variance)
    variance = np.where(testable, variance, np.nan)
    variance, df = moderated_variance(variance, rows - 1.0, np.log(np.maximum(rows, 1)))
    error = np.where(testable, np.sqrt(inflation * variance / np.maximum(rows, 1)), np.nan)
    found = pd.DataFrame({"rows": rows, "gain": gain})
    bend = skewness / np.sqrt(np.maximum(rows, 1))
    ends = stats.t.ppf((1 + level) / 2, np.maximum(df, 1))
    found["low"] = gain - without_skewness(ends, bend) * error
    found["high"] = gain - without_skewness(-ends, bend) * error
    with np.errstate(divide="ignore", invalid="ignore"):
        found["relative_gain"] = np.where(loss > 0, gain / loss, np.nan)
    scale = _scale(loss, rows)
    # what a normal likelihood has to be to give this interval: wider than `error` with few rows
    spread = (found["high"] - found["low"]).to_numpy() / (2 * stats.norm.ppf((1 + level) / 2))
    pooled = partial_pooling(gain / scale, (spread / scale) ** 2, rows, level)
    found["shrunken"] = pooled.value * scale
    found["shrunken_low"], found["shrunken_high"] = _leaning(found, pooled.high - pooled.low, scale)
    found["p"] = _p_values(gain, error, df, bend)
    found["q"] = _adjusted(found["p"].to_numpy())
    found["label"] = _labels(found, 1 - level)
    found["rows_to_decide"] = _rows_to_decide(found, inflation * variance, 1 - level)
    return found


def _leaning(
    found: pd.DataFrame, width: np.ndarray, scale: np.ndarray
) -> tuple[pd.Series, pd.Series]:
    """Ends of the shrunken gains' intervals, as far to each side as those of the gains."""
    above = (found["high"] - found["gain"]) / (found["high"] - found["low"])
    above = above.where(np.isfinite(above), 0.5)
    width = width * scale
    return found["shrunken"] - (1 - above) * width, found["shrunken"] + above * width


def _scale(loss: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Loss of each task, few rows pulled to the mean: gains in it are comparable across tasks."""
    own = np.where(np.isfinite(loss), loss, 0.0)
    common = own[rows > 0].mean()
    scale = (rows * own + _SCALE_ROWS * common) / (rows + _SCALE_ROWS)
    return np.where(scale > 0, scale, 1.0)


def _p_values(gain: np.ndarray, error: np.ndarray, df: np.ndarray, bend: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        t = transformed_t(gain / error, bend)
    p = 2 * stats.t.sf(np.abs(t), np.maximum(df, 1))
    # no spread at all: nothing can be tested, and equal predictions are no evidence either
    return np.where(np.isfinite(error), np.where(error > 0, p, 1.0), np.nan)


def _adjusted(p: np.ndarray) -> np.ndarray:
    q = np.full(len(p), np.nan)
    known = np.isfinite(p)
    if known.any():
        q[known] = stats.false_discovery_control(p[known], method="bh")
    return q


def _labels(found: pd.DataFrame, rate: float) -> np.ndarray:
    decided = (found["q"] <= rate).to_numpy()
    better = (found["gain"] > 0).to_numpy()
    return np.where(decided, np.where(better, "gains", "harmed"), "undecided").astype(object)


def _rows_to_decide(found: pd.DataFrame, variance: np.ndarray, rate: float) -> np.ndarray:
    """Rows at which the shrunken gain is found with probability `POWER`, at today's threshold.

    The threshold is Benjamini and Hochberg's with one more discovery than there is; it takes
    the gain and the spread to stay as they are, though gains of sharing fall with more rows.
    """
    tested = max(int(found["p"].notna().sum()), 1)
    discoveries = int((found["label"] != "undecided").sum())
    threshold = rate * min(discoveries + 1, tested) / tested
    z = stats.norm.isf(threshold / 2) + stats.norm.ppf(POWER)
    shrunken = found["shrunken"].to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        n = np.ceil(z**2 * variance / shrunken**2)
    open_ = (found["label"] == "undecided").to_numpy() & np.isfinite(n) & (n > 0)
    return np.where(open_, np.maximum(n, found["rows"] + 1), np.nan)
