"""How predictions of times to an event are judged: concordance and the integrated Brier score."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["concordance", "integrated_brier_score"]

_SAME = 1e-8  # difference of predictions that is a tie


def concordance(time: Any, event: Any, risk: Any, codes: Any = None) -> Any:
    """Harrell's C: the share of comparable pairs in which the earlier event has the larger risk.

    A pair is comparable if the earlier of its times is an event; at equal times if one of the rows
    has the event and the other is censored. Equal risks count half.

    Parameters
    ----------
    time, event, risk : array-like of shape (n,)
        Times, whether the event came then, and predictions, larger for earlier events.
    codes : int array-like of shape (n,), optional
        Task of each row, 0 … m-1.

    Returns
    -------
    float, or ndarray of shape (m,) with ``codes``
        NaN where no pair is comparable.

    References
    ----------
    Harrell et al., JAMA 247 (1982).

    Examples
    --------
    >>> from polytask.model_selection import concordance
    >>> concordance([1.0, 2.0, 3.0], [True, False, True], [2.0, 1.0, 0.0])
    1.0
    """
    time, event, risk = np.asarray(time, float), np.asarray(event, bool), np.asarray(risk, float)
    if codes is None:
        return _concordance(time, event, risk)
    codes = np.asarray(codes)
    order = np.argsort(codes, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(codes))[:-1])
    return np.array([_concordance(time[p], event[p], risk[p]) for p in parts])


def _concordance(time: np.ndarray, event: np.ndarray, risk: np.ndarray) -> float:
    pairs = right = 0.0
    for j in np.flatnonzero(event):
        later = (time > time[j]) | ((time == time[j]) & ~event)
        less = risk[j] - risk[later]
        tied = np.abs(less) <= _SAME
        pairs += len(less)
        right += float(((less > 0) & ~tied).sum()) + 0.5 * float(tied.sum())
    return right / pairs if pairs else np.nan


def integrated_brier_score(
    time_train: Any, event_train: Any, time: Any, event: Any, survival: Any, times: Any
) -> float:
    """Mean over times of the squared error of survival probabilities, censoring weighed away.

    At time t a row counts 1 if it is still at risk and 0 if its event came; one that was censored
    before does not count, and the others weigh by the inverse probability of not being censored,
    which is the Kaplan-Meier estimate of the training rows. Integrated by the trapezoid rule, as
    scikit-survival does.

    Parameters
    ----------
    time_train, event_train : array-like of shape (n_train,)
        For the distribution of censoring.
    time, event : array-like of shape (n,)
    survival : array-like of shape (n, number of times)
        Predicted probabilities that the event comes after each time.
    times : array-like
        Ascending, inside the range of ``time``; two or more.

    Returns
    -------
    float

    References
    ----------
    Graf, Schmoor, Sauerbrei, Schumacher, Statistics in Medicine 18 (1999).
    """
    time, event = np.asarray(time, float), np.asarray(event, bool)
    times, survival = np.asarray(times, float), np.asarray(survival, float)
    if len(times) < 2 or times[0] < time.min() or times[-1] >= time.max():
        raise ValueError(
            "integrated_brier_score: times must be two or more inside the range of the tested "
            f"times, {time.min():g} to {time.max():g} (that end not included); got "
            f"{times.tolist()[:1]} to {times.tolist()[-1:]}."
        )
    steps, kept = _censoring(np.asarray(time_train, float), np.asarray(event_train, bool))
    free = kept[np.searchsorted(steps, times, side="right")]
    own = kept[np.searchsorted(steps, time, side="right")]
    weight = np.where(own > 0, 1.0 / np.where(own > 0, own, 1.0), np.inf)
    over = (time[:, None] <= times) & event[:, None]
    at_risk = time[:, None] > times
    with np.errstate(invalid="ignore"):
        terms = np.where(over, survival**2 * np.where(event, weight, 0.0)[:, None], 0.0)
        terms += np.where(at_risk, (1.0 - survival) ** 2 / free, 0.0)
    return float(np.trapezoid(terms.mean(axis=0), times) / (times[-1] - times[0]))


def _censoring(time: np.ndarray, event: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Kaplan-Meier's estimate of not being censored: its steps, and the value before and after."""
    steps, at = np.unique(time, return_inverse=True)
    censored = np.bincount(at, ~event, len(steps))
    events = np.bincount(at, event, len(steps))
    at_risk = len(time) - np.concatenate([[0], np.cumsum(censored + events)[:-1]]) - events
    left = 1.0 - np.divide(censored, at_risk, out=np.zeros(len(steps)), where=at_risk > 0)
    return steps, np.concatenate([[1.0], np.cumprod(left)])
