"""Which coefficients deviate in each grouping, and how: what the likelihood prefers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from polytask.mixed.crossed.asked import Asked, Choice, CrossedData
from polytask.mixed.crossed.fit import CrossedFit, Fitted, Fitter
from polytask.responses import Loss

__all__ = ["chosen_by_likelihood", "fit_crossed"]

_MOST_REST = 4000  # of a grouping's deviations, up to which "auto" tries slopes beside others
_MANY = 10  # levels from which on "auto" considers more variances than one
_FEW = 6  # coefficients up to which "auto" considers their correlations
_MOST_ADDED = 8  # slopes that are added one at a time


def fit_crossed(
    data: CrossedData, loss: Loss, asked: Sequence[Asked], *, random_common: bool,
    restricted: bool = True, learn: bool = False,
) -> CrossedFit:  # fmt: skip
    """Estimate the variances of every grouping, and the coefficients that go with them.

    Where columns are left to the likelihood, a grouping has its level and, in turn, slopes of the
    columns that vary inside its levels: of the squared loss those that are added one at a time, the
    most promising first, while each is worth more than the best of so many would be by chance; or
    all, if Akaike's criterion is smaller with them. "auto" then weighs, in groupings of ten levels
    or more, a variance for all slopes, one for each, and up to six coefficients (three unless the
    loss is squared) their correlations. All these models have the same common part, so that
    restricted likelihoods compare.

    Parameters
    ----------
    random_common : bool
        Whether the common slopes have a normal prior of estimated variance, or are free.
    restricted : bool
        Whether the likelihood is that of what w0 leaves of the data (REML), or of the data.
    learn : bool
        Whether the parameters of the loss are those of the largest likelihood.
    """
    fitter = Fitter(data, loss, random_common, restricted, learn)
    return fitter.answer(chosen_by_likelihood(fitter, asked))


def chosen_by_likelihood(fitter: Fitter, asked: Sequence[Asked]) -> Fitted:
    """The fit whose columns and covariances have the smallest criterion, grouping by grouping."""
    best = fitter.fit([fitter.simplest(a) for a in asked])
    for f, a in enumerate(asked):
        columns = fitter.moving(a) if a.columns is None else a.columns
        if len(columns) * a.n_levels > _MOST_REST and len(asked) > 1:
            continue
        few, price = (best, 0.0) if a.columns is not None else _added(fitter, best, f, columns)
        for kind in _kinds(a, columns, fitter.loss):
            best = _better(fitter, best, f, Choice(a, columns, kind))
        if few.criterion + price < best.criterion:
            best, now = few, few.choices[f]
            for kind in [k for k in _kinds(a, now.columns, fitter.loss) if k != now.kind]:
                best = _better(fitter, best, f, Choice(a, now.columns, kind))
    return best


def _with(fitter: Fitter, fitted: Fitted, f: int, choice: Choice) -> Fitted:
    """The fit with another choice for one term."""
    return fitter.fit([*fitted.choices[:f], choice, *fitted.choices[f + 1 :]])


def _better(fitter: Fitter, best: Fitted, f: int, choice: Choice) -> Fitted:
    """That, or the best so far."""
    tried = _with(fitter, best, f, choice)
    return tried if tried.criterion < best.criterion and tried.estimate.converged else best


def _added(fitter: Fitter, best: Fitted, f: int, columns: np.ndarray) -> tuple[Fitted, float]:
    """The fit with slopes added one at a time, and what their choice costs beyond Akaike's 2.

    The one of the steepest likelihood comes first. Each has to lower the deviance by 2 log k of the
    k that are left, about what the best of so many does by chance (Foster and George, Annals of
    Statistics 22, 1994), and by Akaike's 2 at least.
    """
    asked = best.choices[f].asked
    kind = asked.covariance
    if kind == "auto":
        kind = "diagonal" if asked.n_levels >= _MANY else "scalar"
    if not fitter.loss.is_quadratic or fitter.silent or not fitter.has_factor(best.choices):
        return best, 0.0
    price = 0.0
    for _ in range(_MOST_ADDED):
        left = np.setdiff1d(columns, best.choices[f].columns)
        if len(left) < 2:
            break
        added = left[np.argmax(fitter.promises(best, f, left))]
        more = np.sort(np.append(best.choices[f].columns, added))
        tried = _with(fitter, best, f, Choice(asked, more, kind))
        new = 2.0 * (len(tried.estimate.parameters) - len(best.estimate.parameters))
        cost = max(2.0, 2.0 * np.log(len(left))) - new
        if not tried.estimate.converged or tried.criterion + cost > best.criterion:
            break
        best, price = tried, price + cost
    return best, price


def _kinds(asked: Asked, columns: np.ndarray, loss: Loss) -> list[str]:
    """Covariances that are tried beyond the simplest choice."""
    if asked.variance is not None or len(columns) < 2:
        return []
    if asked.covariance != "auto":
        return [asked.covariance] if asked.columns is None else []
    kinds = ["scalar"] if asked.columns is None else []
    if asked.n_levels >= _MANY:
        kinds += ["diagonal"] if len(columns) > 2 else []
        kinds += ["full"] if len(columns) <= (_FEW if loss.is_quadratic else _FEW // 2) else []
    return kinds
