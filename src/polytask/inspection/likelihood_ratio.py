"""Two nested mixed models of the same rows: does the larger one say more than chance would?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scipy import stats

from polytask.mixed.likelihood import Likelihood, n_new_variances, why_not_nested

__all__ = ["LikelihoodRatioTest", "likelihood_ratio_test"]

_ROUNDING = 1e-6  # of a statistic: where two searches stopped


@dataclass(frozen=True)
class LikelihoodRatioTest:
    """Twice the difference of two logarithms of likelihoods, and how likely chance makes it.

    Attributes
    ----------
    statistic : float
    df : int
        Parameters that the larger model has more.
    at_boundary : int
        How many of them are variances that the smaller model holds at zero, the end of their range.
    p : float
        Of the smaller model being the true one. With variances at zero half chi²(df - 1) and half
        chi²(df): exact for large samples with one of them, too large with several.
    text : str
        The same in a sentence.
    """

    statistic: float
    df: int
    at_boundary: int
    p: float
    text: str


def likelihood_ratio_test(smaller: Any, larger: Any) -> LikelihoodRatioTest:
    """Test the larger of two fitted models against the smaller one that is part of it.

    Parameters
    ----------
    smaller, larger : fitted estimators
        `MultilevelRegressor` or `MultilevelClassifier` with ``alpha="ml"`` or "reml", or
        `MeanRegularizedRegressor` with ``alpha="reml"``, of the same rows. Restricted likelihoods
        are those of what w0 leaves, so they compare only where both have the same features; of
        labels and counts they have priors, and only "ml" is taken.

    Raises
    ------
    ValueError
        If the models are not of the same rows, not nested as far as their parameters say, or
        restricted with other features.

    References
    ----------
    Self and Liang, JASA 82 (1987); Stram and Lee, Biometrics 50 (1994), for variances at zero;
    Perlman, Ann. Math. Stat. 40 (1969), for several of them.

    Examples
    --------
    >>> from polytask import MultilevelRegressor
    >>> from polytask.datasets import make_crossed_rows
    >>> from polytask.inspection import likelihood_ratio_test
    >>> X, y, truth = make_crossed_rows(400, random_state=0)
    >>> users = MultilevelRegressor(task=["user", "item"], n_groupings=1, varying=[]).fit(X, y)
    >>> both = MultilevelRegressor(task=["user", "item"], varying=[]).fit(X, y)
    >>> found = likelihood_ratio_test(users, both)
    >>> found.df, found.at_boundary, found.p < 1e-10
    (1, 1, True)
    """
    small, large = (_read(model) for model in (smaller, larger))
    reason = why_not_nested(small, large)
    if reason is not None:
        raise ValueError(f"likelihood_ratio_test: the models must be nested; {reason}")
    statistic = 2.0 * (large.log_likelihood - small.log_likelihood)
    if statistic < -max(_ROUNDING, 1e-9 * abs(small.log_likelihood)):
        raise ValueError(
            "likelihood_ratio_test: the larger model must be at least as likely; got "
            f"{-statistic / 2:.3g} less. Its search did not end at the maximum: see status_."
        )
    statistic = statistic if statistic > _ROUNDING else 0.0
    df = large.n_parameters - small.n_parameters
    at_boundary = n_new_variances(small, large)
    p = float(stats.chi2.sf(statistic, df))
    if at_boundary:
        less = stats.chi2.sf(statistic, df - 1) if df > 1 else float(statistic <= 0)
        p = 0.5 * p + 0.5 * float(less)
    return LikelihoodRatioTest(
        statistic, df, at_boundary, p, _sentence(statistic, df, at_boundary, p)
    )


def _read(model: Any) -> Likelihood:
    read = getattr(model, "_likelihood", None)
    if read is None:
        raise ValueError(
            "likelihood_ratio_test: models must be mixed models (Multilevel…, or "
            f"MeanRegularizedRegressor with alpha='reml'); got {type(model).__name__}."
        )
    found: Likelihood = read()
    return found


def _sentence(statistic: float, df: int, at_boundary: int, p: float) -> str:
    said = f"chi2 = {statistic:.2f} for {df} parameter{'s' * (df > 1)} more, p = {p:.2g}"
    if not at_boundary:
        return said + "."
    what = "a variance" if at_boundary == 1 else f"{at_boundary} variances"
    bound = "" if at_boundary == 1 else ", which is at least the p-value"
    return f"{said}; {what} at zero: half chi2({df - 1}), half chi2({df}){bound}."
