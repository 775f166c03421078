"""A fit to several groupings: which coefficients deviate, how much, and the coefficients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy import sparse

from polytask.algebra.linalg import symmetric_eigen
from polytask.mixed.crossed.asked import Asked, Choice, CrossedData
from polytask.mixed.crossed.iterative import IterativeElimination
from polytask.mixed.crossed.laplace import CrossedLaplace
from polytask.mixed.crossed.level import LevelLaplace
from polytask.mixed.crossed.point import CrossedPoint, Eliminate, Elimination
from polytask.mixed.crossed.reported import reported_common
from polytask.mixed.crossed.rows import GroupedRows, Term
from polytask.mixed.crossed.sparse import Pattern, SparseElimination
from polytask.mixed.root import Root
from polytask.mixed.roots import RootsEstimate, estimate_roots
from polytask.responses import Loss

__all__ = ["CrossedFit", "Fitted", "Fitter", "TermFit"]

MOST_DENSE = 10_000  # deviations beside the grouping that is eliminated: 800 MB a matrix
_MOVING = 0.01  # share of a column's variance inside levels from which its slope may vary
_LOG_ODDS = 2.5  # scale of the prior of their standard deviation, see `polytask.mixed.laplace`


@dataclass(frozen=True, eq=False)
class TermFit:
    """What was found of one grouping, in the units of the columns.

    Parameters
    ----------
    columns : int ndarray of shape (q,)
    deviations : ndarray of shape (m, p)
    covariance : ndarray of shape (p, p)
        Between levels; without the noise variance where that is none.
    kind : str
    """

    columns: np.ndarray
    deviations: np.ndarray
    covariance: np.ndarray
    kind: str


@dataclass(frozen=True, eq=False)
class CrossedFit:
    """The answer.

    Parameters
    ----------
    common : ndarray of shape (p,)
    common_covariance : ndarray of shape (p, p)
    terms : list of TermFit
        In the order in which they were asked for.
    predictor : ndarray of shape (N,)
        Of the rows.
    noise, deviance, violation : float
    n_variances : int
    n_parameters : int
        Variances, free common coefficients and noise.
    random_common : bool
        Whether the common slopes have a variance.
    n_iter : int
    converged : bool
    loss : Loss
        With the parameters that were learned.
    at_limit : bool
        Whether a variance is the largest that is taken.
    reported : ndarray of shape (p,)
        ``common``, the deviations integrated out where the variances are estimated.
    """

    common: np.ndarray
    common_covariance: np.ndarray
    terms: list[TermFit]
    predictor: np.ndarray
    noise: float
    deviance: float
    violation: float
    n_variances: int
    n_parameters: int
    random_common: bool
    n_iter: int
    converged: bool
    loss: Loss
    at_limit: bool
    reported: np.ndarray


class Fitter:
    """Fits of one table, for choices of what deviates."""

    def __init__(
        self, data: CrossedData, loss: Loss, random_common: bool, restricted: bool,
        learn: bool = False,
    ) -> None:  # fmt: skip
        self.data, self.loss, self.restricted, self.learn = data, loss, restricted, learn
        s = data.weight
        square = _squares(data.X, s)
        self.n_rows = float(s.sum())
        self.scale = np.where(square > 0, np.sqrt(square / self.n_rows), 1.0)
        X = data.X @ sparse.diags_array(1.0 / self.scale) if sparse.issparse(data.X) else (
            data.X / self.scale
        )  # fmt: skip
        self.X = X.tocsr() if sparse.issparse(X) else X
        self.common = np.zeros(0, dtype=int)
        fixed = np.arange(data.n_coefs)
        if random_common and len(data.slopes):
            self.common, fixed = data.slopes, fixed[len(data.slopes) :]
        self.fixed = fixed
        self.basis, self.pooled, self.residual = _pooled(self.X, data.y, s, fixed)
        left, size = float(s @ self.residual**2), float(s @ data.y**2)
        self.silent = loss.is_quadratic and left <= 1e-24 * size  # w0 explains all
        if not loss.is_quadratic:
            self.pooled, self.residual = np.zeros(len(fixed)), data.y
        chosen = self.X[:, fixed]
        self.T = np.asarray(chosen @ self.basis)

    def simplest(self, asked: Asked) -> Choice:
        """The level alone where columns are left to the likelihood."""
        level = np.arange(self.data.n_coefs)[len(self.data.slopes) :]
        return Choice(asked, level if asked.columns is None else asked.columns, _plain(asked))

    def risk(self, f: np.ndarray) -> float:
        """Mean loss of the rows at predictors f."""
        return float(self.data.weight @ self.loss.value(self.data.y, f)) / self.n_rows

    def has_factor(self, choices: Sequence[Choice]) -> bool:
        """Whether the system beside the largest grouping is factored."""
        return self._elimination(self._arranged(choices)[0]) is not IterativeElimination

    def _arranged(self, choices: Sequence[Choice]) -> tuple[GroupedRows, list[Root], list[int]]:
        """Rows with their terms, the largest first; roots as asked for; which comes when."""
        p, n = self.data.n_coefs, len(self.data.y)
        terms = [Term(c.asked.code, c.asked.n_levels, c.columns) for c in choices]
        roots = [c.root(p, self.data.intercept) for c in choices]
        if len(self.common):
            terms.append(Term(np.zeros(n, dtype=int), 1, self.common))
            roots.append(Root.diagonal(np.zeros(len(self.common), dtype=int)))
        if not terms:  # w0 alone
            terms.append(Term(np.zeros(n, dtype=int), 1, np.zeros(0, dtype=int)))
            roots.append(Root.diagonal(np.zeros(0, dtype=int)))
        order = sorted(range(len(terms)), key=lambda f: -terms[f].width)
        return GroupedRows(self.X, [terms[f] for f in order]), roots, order

    def fit(self, choices: Sequence[Choice]) -> Fitted:
        """Estimate the variances, or take the given ones."""
        rows, roots, order = self._arranged(choices)
        rest = sum(term.width for term in rows.terms[1:])
        given = any(c.asked.variance is not None for c in choices)
        how = self._elimination(rows)
        if how is IterativeElimination and not (given and self.loss.is_quadratic):
            raise ValueError(
                f"groupings beside the largest must have {MOST_DENSE:,} deviations at most, in a "
                f"dense system, or share few rows; got {rest:,}. Let fewer coefficients vary "
                "(varying=[]), leave out a grouping, or, with the squared loss, give alpha "
                "numbers: determinants need the system, coefficients do not."
            )
        at = self._model(rows, given, how)
        if self.silent:
            point = at([np.zeros(roots[f].shape) for f in order])
            estimate = RootsEstimate(point, np.zeros(0), 0.0, 1, True)
        elif given:
            point = at([self._given(choices[f]) for f in order])  # all of them
            estimate = RootsEstimate(point, np.zeros(0), 0.0, 1, True)
        else:
            beside = at.first if isinstance(at, CrossedLaplace) else None
            estimate = estimate_roots(at, [roots[f] for f in order], beside)
        back = [order.index(f) for f in range(len(order))]
        return Fitted(list(choices), rows, estimate, back, at, [roots[f] for f in order])

    def _elimination(self, rows: GroupedRows) -> Eliminate:
        """How the system beside the largest grouping is solved."""
        pattern = Pattern.of_terms(rows.terms, MOST_DENSE)
        if pattern is not None:
            return partial(SparseElimination, pattern=pattern)
        dense = sum(term.width for term in rows.terms[1:]) <= MOST_DENSE
        return Elimination if dense else IterativeElimination

    def _model(self, rows: GroupedRows, given: bool, how: Eliminate) -> Callable[..., Any]:
        """What says everything at given roots."""
        s, loss = self.data.weight, self.loss
        if not loss.is_quadratic:
            prior = _LOG_ODDS**-2 if self.restricted and loss.has_labels and not given else 0.0
            alone = len(rows.terms) == 1 and len(rows.terms[0].columns) == 1
            return (LevelLaplace if alone else CrossedLaplace)(
                rows, self.T, self.data.y, s, loss, self.restricted, prior, self.learn, how
            )
        sums = rows.sums(s, np.column_stack([self.T, self.residual]))
        levels = [term.n_levels for term in rows.terms]
        return lambda L: CrossedPoint(sums, L, levels, self.restricted, self.n_rows, how)

    def moving(self, asked: Asked) -> np.ndarray:
        """Columns that vary inside the levels of a grouping, and the last for the level."""
        s, k = self.data.weight, self.data.slopes
        X = self.X[:, k]
        one = sparse.csr_matrix(
            (s * self.data.ones, (asked.code, np.arange(len(s)))), shape=(asked.n_levels, len(s))
        )
        sums = one @ X
        sums = sums.toarray() if sparse.issparse(sums) else sums
        counts = np.bincount(asked.code, s * self.data.ones**2, minlength=asked.n_levels)
        total = _squares(X, s)
        between = (sums**2 / np.maximum(counts, 1e-300)[:, None]).sum(axis=0)
        overall = sums.sum(axis=0) ** 2 / self.n_rows
        inside = total - between > _MOVING * np.maximum(total - overall, 1e-12 * total)
        return np.append(k[inside], np.arange(len(k), self.data.n_coefs))

    def promises(self, fitted: Fitted, f: int, columns: np.ndarray) -> np.ndarray:
        """Half the squared slope over the curvature, of the deviance in a variance of each column.

        Where it falls from the fit, whose term ``f`` gets these columns too; zero elsewhere.
        """
        choices, now = list(fitted.choices), fitted.choices[f]
        every = np.union1d(now.columns, columns)
        choices[f] = Choice(now.asked, every, "diagonal")
        rows, _, order = self._arranged(choices)
        L = [fitted.estimate.point.roots[place] for place in fitted.back]
        own, there = np.zeros((len(every), len(every))), np.searchsorted(every, now.columns)
        own[np.ix_(there, there)] = L[f]
        L[f] = own
        point = self._model(rows, False, self._elimination(rows))([L[j] for j in order])
        places, term = np.searchsorted(every, columns), order.index(f)
        units = np.eye(len(every))[places]
        slope = np.minimum(np.diag(point.gradients[term])[places], 0.0)
        H = point.information([(term, np.diag(unit)) for unit in units])
        return np.asarray(0.5 * slope**2 / np.maximum(np.diag(H), 1e-300))

    def _given(self, choice: Choice) -> np.ndarray:
        assert choice.asked.variance is not None
        k = choice.columns
        return np.diag(np.sqrt(choice.asked.variance[k]) * self.scale[k])

    def answer(self, fitted: Fitted) -> CrossedFit:
        """The estimates in the units of the columns."""
        point, p = fitted.estimate.point, self.data.n_coefs
        common, covariance = np.zeros(p), np.zeros((p, p))
        common[self.fixed] = self.pooled + self.basis @ point.common
        reported, errors = common.copy(), point.noise * point.common_covariance
        t = fitted.estimate.parameters
        if isinstance(fitted.at, CrossedLaplace) and len(t) and not len(self.common):
            found, errors = reported_common(fitted.at, point, fitted.roots, t)
            reported[self.fixed] = self.basis @ found
        covariance[np.ix_(self.fixed, self.fixed)] = self.basis @ errors @ self.basis.T
        terms = []
        for f, choice in enumerate(fitted.choices):
            L, b = (each[fitted.back[f]] for each in (point.roots, point.deviations))
            deviations, between = np.zeros((len(b), p)), np.zeros((p, p))
            deviations[:, choice.columns] = b / self.scale[choice.columns]
            between[np.ix_(choice.columns, choice.columns)] = point.noise * (L @ L.T)
            between /= self.scale[:, None] * self.scale
            terms.append(TermFit(choice.columns, deviations, between, choice.kind))
        if len(self.common):
            common[self.common] = point.deviations[fitted.back[-1]][0]
        restored = 2.0 * float(np.log(self.scale[self.fixed]).sum()) * self.restricted
        if self.restricted and not self.loss.is_quadratic:
            restored -= len(point.common) * float(np.log(2.0 * np.pi))
        return CrossedFit(
            common / self.scale, covariance / self.scale[:, None] / self.scale, terms,
            self._predictor(fitted) + self.data.y - self.residual,
            point.noise, point.deviance + restored, self._violation(fitted),
            len(fitted.estimate.parameters),
            len(fitted.estimate.parameters) + len(point.common) + self._n_own(),
            len(self.common) > 0, fitted.estimate.n_iter, fitted.estimate.converged,
            self._learned(fitted), fitted.estimate.at_limit, reported / self.scale,
        )  # fmt: skip

    def _n_own(self) -> int:
        """How many parameters of its own the likelihood has, the noise among them."""
        return len(self.loss.parameters) if self.learn else int(self.loss.is_quadratic)

    def _learned(self, fitted: Fitted) -> Loss:
        """The loss with the parameters that were learned."""
        return self.loss if self.loss.is_quadratic else fitted.estimate.point.loss

    def _predictor(self, fitted: Fitted) -> np.ndarray:
        """Linear predictors of the rows, without the pooled fit that was taken off."""
        point = fitted.estimate.point
        return np.asarray(self.T @ point.common + fitted.rows.predict(point.deviations))

    def _violation(self, fitted: Fitted) -> float:
        """What the normal equations lack at the estimate, over the largest they could be."""
        point, s = fitted.estimate.point, self.data.weight
        f = self._predictor(fitted)
        y, loss = self.residual, self._learned(fitted)
        slope, most = s * loss.gradient(y, f), s * loss.slopes(y, np.zeros(len(y)))
        size = np.sqrt(float(most @ most))
        columns = np.sqrt(np.square(self.T).sum(axis=0))
        lost = [np.abs(self.T.T @ slope) / np.maximum(columns * size, 1e-300)]
        if not self.restricted and not self.loss.is_quadratic:
            lost = []  # w0 minimizes another thing
        for Z, L, g in zip(fitted.rows.Z, point.roots, point.pulls, strict=True):
            left = (Z.T @ -slope).reshape(g.shape) @ L - g @ L
            lost.append(np.abs(left).ravel() / max(size, 1e-300))
        return max((float(part.max(initial=0.0)) for part in lost), default=0.0)


@dataclass(frozen=True, eq=False)
class Fitted:
    """An estimate, and where each term stands in it."""

    choices: list[Choice]
    rows: GroupedRows
    estimate: RootsEstimate
    back: list[int]
    at: Callable[[list[np.ndarray]], Any]
    roots: list[Root]

    @property
    def criterion(self) -> float:
        """Akaike's, of the same common part."""
        return float(self.estimate.point.deviance) + 2.0 * len(self.estimate.parameters)


def _plain(asked: Asked) -> str:
    return "scalar" if asked.covariance == "auto" else asked.covariance


def _squares(X: Any, s: np.ndarray) -> np.ndarray:
    """Weighted sums of squares of the columns."""
    if sparse.issparse(X):
        return np.asarray(X.multiply(X).T @ s).ravel()
    return np.asarray(s @ np.square(X))


def _pooled(
    X: Any, y: np.ndarray, s: np.ndarray, fixed: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A basis of the fixed columns' independent directions, the pooled fit, what it leaves.

    The likelihood of what w0 leaves does not change when columns are turned or y is moved by
    their combinations, but its digits do.
    """
    chosen = X[:, fixed]
    gram = chosen.T @ (sparse.diags_array(s) @ chosen)
    gram = gram.toarray() if sparse.issparse(gram) else gram
    values, vectors = symmetric_eigen(gram)
    kept = values > values.max(initial=0.0) * len(values) * 1e-13
    basis = vectors[:, kept]
    pull = np.asarray(chosen.T @ (s * y)).ravel()
    pooled = basis @ ((basis.T @ pull) / values[kept])
    e = y - np.asarray(chosen @ pooled).ravel()
    again = basis @ ((basis.T @ np.asarray(chosen.T @ (s * e)).ravel()) / values[kept])
    return basis, pooled + again, e - np.asarray(chosen @ again).ravel()
