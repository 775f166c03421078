"""Strengths of several groupings by the risk of rows that are left out.

Where the system beside the largest grouping has a factor, each row is left out exactly (squared
loss), or by one Newton step; beyond, five folds are. The risk is a smooth function of a few
logarithms: standard deviations are tried around those of the likelihood, then refined together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from scipy import sparse
from scipy.optimize import minimize

from polytask.data.many import FOLD_SEED, FOLDS
from polytask.mixed.crossed.asked import Asked, Choice, CrossedData
from polytask.mixed.crossed.chosen import chosen_by_likelihood
from polytask.mixed.crossed.fit import Fitter
from polytask.mixed.crossed.left_out import left_out_at
from polytask.mixed.roots import Roots
from polytask.responses import Loss

__all__ = ["by_left_out"]

_TRIED = np.array([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0])  # logarithms of standard deviations
_LEAST, _START = 0.02, 0.3  # standard deviations over the noise, of scaled columns
_LOWEST = -8.0  # logarithm below which nothing deviates
_DIGITS, _STEPS = 1e-3, 60  # of a logarithm; of a refinement, for each of them


def by_left_out(
    data: CrossedData, loss: Loss, asked: Sequence[Asked], restricted: bool = True
) -> list[Asked]:
    """What is asked, with variances (over the noise) of least left-out risk.

    What varies, where that is not said, is chosen by the likelihood first.

    Parameters
    ----------
    asked : sequence of Asked
        With a covariance that is scalar or diagonal; "auto" is scalar.
    """
    plain = [replace(a, covariance="scalar" if a.covariance == "auto" else a.covariance)
             for a in asked]  # fmt: skip
    fitter = Fitter(data, loss, False, restricted)
    if fitter.silent:
        return [replace(a, variance=np.full(data.n_coefs, 1e-12)) for a in plain]
    if fitter.has_factor([fitter.simplest(a) for a in plain]):
        fitted = chosen_by_likelihood(fitter, plain)
        roots, choices = Roots([fitted.roots[at] for at in fitted.back]), fitted.choices
        whole = Roots(fitted.roots)
        order = np.concatenate([np.arange(p.start, p.stop) for p in
                                (whole.parts[at] for at in fitted.back)])  # fmt: skip
        start = np.maximum(np.abs(fitted.estimate.parameters[order]), _LEAST)

        def risk(t: np.ndarray) -> float:
            back = np.empty_like(t)
            back[order] = t
            point = fitted.at(whole.at(back))
            return fitter.risk(left_out_at(fitter, fitted.rows, point))

    else:
        choices = [fitter.simplest(a) for a in plain]
        roots = Roots([c.root(data.n_coefs, data.intercept) for c in choices])
        start = np.full(sum(root.size for root in roots.roots), _START)
        fold = np.random.default_rng(FOLD_SEED).permutation(len(data.y)) % FOLDS

        def risk(t: np.ndarray) -> float:
            return _folds(data, loss, _given(fitter, choices, roots, t), restricted, fold)

    return _given(fitter, choices, roots, _least(risk, start))


def _given(
    fitter: Fitter, choices: Sequence[Choice], roots: Roots, t: np.ndarray
) -> list[Asked]:  # fmt: skip
    """The variances at these parameters, in the units of the columns."""
    found = []
    for choice, L in zip(choices, roots.at(t), strict=True):
        variance = np.zeros(fitter.data.n_coefs)
        variance[choice.columns] = (L**2).sum(axis=1) / fitter.scale[choice.columns] ** 2
        found.append(replace(choice.asked, columns=choice.columns, variance=variance))
    return found


def _least(risk: Callable[[np.ndarray], float], start: np.ndarray) -> np.ndarray:
    """Positive parameters of least risk: one after the other, then all together."""
    centre = np.log(start)

    def at(u: np.ndarray) -> float:
        try:
            return risk(np.exp(np.maximum(u, _LOWEST)))
        except FloatingPointError:
            return np.inf

    u, best = centre.copy(), at(centre)
    for k in range(len(u)):
        for step in _TRIED:
            trial = u.copy()
            trial[k] = centre[k] + step
            value = at(trial)
            if value < best:
                u, best = trial, value
    simplex = np.vstack([u, u + 0.5 * np.eye(len(u))])
    options = {"initial_simplex": simplex, "xatol": _DIGITS, "fatol": 1e-9 * abs(best),
               "maxfev": _STEPS * len(u)}  # fmt: skip
    found = minimize(at, u, method="Nelder-Mead", options=options)
    return np.exp(np.maximum(found.x if found.fun < best else u, _LOWEST))


def _folds(
    data: CrossedData, loss: Loss, asked: Sequence[Asked], restricted: bool, fold: np.ndarray
) -> float:
    """Mean loss of rows by fits without their fold."""
    total = 0.0
    for k in range(FOLDS):
        train, test = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        part = CrossedData(data.X[train], data.y[train], data.weight[train], data.intercept)
        fitter = Fitter(part, loss, False, restricted)
        choices = [fitter.simplest(replace(a, code=a.code[train])) for a in asked]
        answer = fitter.answer(fitter.fit(choices))
        f = np.asarray(data.X[test] @ answer.common).ravel()
        for a, term in zip(asked, answer.terms, strict=True):
            X, own = data.X[test], term.deviations[a.code[test]]
            product = X.multiply(own) if sparse.issparse(X) else X * own
            f += np.asarray(product.sum(axis=1)).ravel()
        total += float(data.weight[test] @ loss.value(data.y[test], f))
    return total / float(data.weight.sum())
