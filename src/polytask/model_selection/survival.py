"""How predictions of times to an event are judged: by order, by likelihood, by survival curves."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["concordance", "integrated_brier_score", "partial_deviance"]

_SAME = 1e-8  # difference of predictions that is a tie
_FAR = -600.0  # predictors below the largest at which exponentials are next to nothing
_CHUNK = 4_000_000  # rows times events at a time


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
    given = np.zeros(len(time), dtype=int) if codes is None else np.asarray(codes)
    m = int(given.max(initial=-1)) + 1
    found = _share(*_pairs(time, event, risk, given, np.ones(len(time)), m))
    return found if codes is not None else float(found[0]) if m else np.nan


def _pairs(
    time: np.ndarray, event: np.ndarray, risk: np.ndarray, codes: np.ndarray, weight: np.ndarray,
    m: int,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Comparable pairs inside each of m tasks, and those in the right order, by weight."""
    order = np.argsort(codes, kind="stable")
    time, event, risk, codes, weight = (v[order] for v in (time, event, risk, codes, weight))
    pairs, right = np.zeros(m), np.zeros(m)
    for k in range(1, int(np.bincount(codes).max(initial=0))):
        i = np.flatnonzero(codes[:-k] == codes[k:])
        j, tied = i + k, time[i] == time[i + k]
        first = event[i] & ((time[i] < time[j]) | (tied & ~event[j]))
        second = event[j] & ((time[j] < time[i]) | (tied & ~event[i]))
        more = np.where(first, risk[i] - risk[j], risk[j] - risk[i])
        w = weight[i] * weight[j] * (first | second)
        pairs += np.bincount(codes[i], w, m)
        right += np.bincount(codes[i], w * np.where(np.abs(more) <= _SAME, 0.5, more > 0), m)
    return pairs, right


def _share(pairs: np.ndarray, right: np.ndarray) -> np.ndarray:
    return np.divide(right, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)


def concordance_by_task(
    y: np.ndarray, risk: np.ndarray, codes: np.ndarray, weight: np.ndarray, m: int
) -> np.ndarray:
    """Of m tasks, y the time of an event or minus that of censoring."""
    return _share(*_pairs(np.abs(y), y > 0, risk, codes, weight, m))


def concordance_inside_tasks(
    y: np.ndarray, risk: np.ndarray, codes: np.ndarray, weight: np.ndarray, m: int
) -> float:
    """Over the pairs inside tasks, each pair alike: rows of two tasks have two hazards."""
    each = _pairs(np.abs(y), y > 0, risk, codes, weight, m)
    return float(_share(*(total.sum(keepdims=True) for total in each))[0])


def rows_by_task(codes: np.ndarray, m: int) -> list[np.ndarray]:
    """Places of the rows of each of m tasks."""
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.cumsum(np.bincount(codes, minlength=m))[:-1])


def partial_deviance(
    time_train: Any, event_train: Any, risk_train: Any, time: Any, event: Any, risk: Any
) -> np.ndarray:
    """What each row that was held out loses: twice the log partial likelihood that it costs.

    For a row beside the training rows of its task that is -2 [l(training rows and the row) -
    l(training rows)], l Cox's log partial likelihood (ties as Breslow) at log relative hazards of a
    model that has not seen the row. It is Verweij and van Houwelingen's cross-validated partial
    likelihood, taken row by row: small where events come to those of large hazard, and late to
    those of small. The baseline hazard plays no part, nor do levels of the risks.

    Parameters
    ----------
    time_train, event_train, risk_train : array-like of shape (n_train,)
        Of one task; ``risk`` is the log relative hazard, as `predict` of a Cox model gives it.
    time, event, risk : array-like of shape (n,)

    Returns
    -------
    ndarray of shape (n,)

    References
    ----------
    Verweij and van Houwelingen, Statistics in Medicine 12 (1993).

    Examples
    --------
    >>> from polytask.model_selection import partial_deviance
    >>> partial_deviance([1, 2, 3], [1, 1, 1], [0.0, 0.0, 0.0], [2.5], [1], [0.0]).round(3)
    array([2.773])
    """
    train, held = (np.asarray(t, float) for t in (time_train, time))
    happened, f_train, f = np.asarray(event_train, bool), *_floats(risk_train, risk)
    top = max(f_train.max(initial=-np.inf), f.max(initial=-np.inf))
    f_train, f = np.maximum(f_train - top, _FAR), np.maximum(f - top, _FAR)
    order = np.argsort(train, kind="stable")
    left = np.append(np.cumsum(np.exp(f_train[order])[::-1])[::-1], 0.0)  # at risk from each on
    sorted_time, hazard = train[order], np.exp(f)
    moments, number = np.unique(train[happened], return_counts=True)
    at_risk = left[np.searchsorted(sorted_time, moments)]
    own = np.log(left[np.searchsorted(sorted_time, held)] + hazard) - f
    loss = np.where(np.asarray(event, bool), own, 0.0)
    step = max(1, _CHUNK // max(len(moments), 1))
    for a in range(0, len(held), step):
        part = slice(a, a + step)
        more = np.log1p(hazard[part, None] / at_risk)
        loss[part] += np.where(moments <= held[part, None], number * more, 0.0).sum(axis=1)
    return 2.0 * loss


def _floats(*values: Any) -> tuple[np.ndarray, ...]:
    return tuple(np.asarray(v, float) for v in values)


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
    train = np.asarray(time_train, float), np.asarray(event_train, bool)
    return float(brier_by_row(*train, time, event, survival, times).mean())


def brier_by_row(
    time_train: np.ndarray, event_train: np.ndarray, time: np.ndarray, event: np.ndarray,
    survival: np.ndarray, times: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """What each row adds to `integrated_brier_score`, of which that is the mean, shape (n,)."""
    steps, kept = _censoring(time_train, event_train)
    free = kept[np.searchsorted(steps, times, side="right")]
    own = kept[np.searchsorted(steps, time, side="right")]
    weight = np.where(own > 0, 1.0 / np.where(own > 0, own, 1.0), np.inf)
    over = (time[:, None] <= times) & event[:, None]
    at_risk = time[:, None] > times
    with np.errstate(invalid="ignore"):
        terms = np.where(over, survival**2 * np.where(event, weight, 0.0)[:, None], 0.0)
        terms += np.where(at_risk, (1.0 - survival) ** 2 / free, 0.0)
    return np.asarray(np.trapezoid(terms, times, axis=1) / (times[-1] - times[0]))


def median_survival(time: np.ndarray, event: np.ndarray) -> float:
    """The first time by which half of the events have come, by Kaplan and Meier; NaN if never."""
    steps, left = _kaplan_meier(time, event, np.zeros(len(time), dtype=bool))
    below = np.flatnonzero(left[1:] <= 0.5)
    return float(steps[below[0]]) if len(below) else np.nan


def _censoring(time: np.ndarray, event: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Kaplan-Meier's estimate of not being censored; events at a time come before."""
    return _kaplan_meier(time, ~event, event)


def _kaplan_meier(
    time: np.ndarray, ends: np.ndarray, before: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Times, and the share that is left before and after each; ``before`` leave first at a time."""
    steps, at = np.unique(time, return_inverse=True)
    ended, earlier, all_ = (
        np.bincount(at, w, len(steps)) for w in (ends, before, np.ones(len(at)))
    )
    at_risk = np.cumsum(all_[::-1])[::-1] - earlier
    left = 1.0 - np.divide(ended, at_risk, out=np.zeros(len(steps)), where=at_risk > 0)
    return steps, np.concatenate([[1.0], np.cumprod(left)])
