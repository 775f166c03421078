"""The covariance of the deviations that is asked for, or that of the smallest Akaike criterion.

A covariance with more parameters is searched for only where it could win: the score test of Rao
says at a smaller one what a Newton step along the directions that are added promises. In 250
simulated worlds the promise never was so far below what the search then found that another
covariance had been chosen, and in 250 others, on which it had not been looked at, neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from polytask.mixed.correlated import estimate_factor, estimate_full, full_by_moments
from polytask.mixed.point import AnyMixedModel
from polytask.mixed.reml import MixedModel
from polytask.mixed.search import TOL, RemlEstimate, Variances, estimate_diagonal

__all__ = ["START_TOL", "Estimates", "choose", "criterion", "renumbered"]

START_TOL = 1e-2  # slope in log variance of an estimate that only starts another search
_ROUGH = 0.1  # the same of one that starts the only other
_CLOSE = 2.0  # deviance that moments may be above the end of a search that nothing else starts
_MANY = 10  # tasks from which on "auto" considers a variance for every coefficient
_MOST_TURNED = {"factor": 60, "full": 8}  # coefficients up to which it considers correlations

Estimates = Mapping[str, RemlEstimate]


def criterion(estimate: RemlEstimate, n_variances: int) -> tuple[bool, float]:
    """Akaike's, after whether the search did not end or leaves no noise.

    Without noise the likelihood has no maximum, and its values do not compare.
    """
    lost = not estimate.converged or estimate.point.noiseless
    return lost, estimate.point.deviance + 2.0 * n_variances


def choose(
    model: AnyMixedModel, covariance: str, starts: Estimates, n_tasks: int, n_features: int,
    random_common: bool, n_factors: int, may_deviate: np.ndarray,
) -> tuple[str, Estimates]:  # fmt: skip
    """What is chosen, and the REML estimates; a column of zeros has no variance to estimate.

    "auto" is scalar with few tasks, which are as few draws of each variance; with more it takes
    the smallest restricted deviance plus twice the number of variances and correlations, of all
    four where coefficients are few and the loss is squared: the models have the same common part,
    so that their restricted likelihoods compare. One whose search did not end, or that leaves no
    noise, is taken only where the others are no better off.
    """
    searches = _Searches(model, starts, n_features, random_common, n_factors, may_deviate)
    if covariance == "auto":
        covariance = searches.best(n_tasks)
    else:
        searches.only(covariance)
    return covariance, {**starts, **searches.found}


class _Searches:
    """Estimates of one model by the names of their covariances."""

    def __init__(
        self, model: AnyMixedModel, starts: Estimates, n_features: int, random_common: bool,
        n_factors: int, may_deviate: np.ndarray,
    ) -> None:  # fmt: skip
        self.model, self.starts, self.varies = model, starts, model.varies & may_deviate
        self.n_features, self.random_common = n_features, random_common
        self.n_factors = min(n_factors, int(self.varies.sum()))
        self.found: dict[str, RemlEstimate] = {}
        self.promised: dict[tuple[str, bool], float] = {}

    @cached_property
    def variances(self) -> dict[str, Variances]:
        """One for all slopes, or each coefficient's."""
        slope = np.arange(len(self.varies)) < self.n_features
        groups = {"scalar": np.where(slope, 0, 1), "diagonal": np.arange(len(slope))}
        common = np.where(slope, 0, -1) if self.random_common else None
        return {
            name: Variances(self.model, renumbered(np.where(self.varies, group, -1)), common)
            for name, group in groups.items()
        }

    @cached_property
    def size(self) -> dict[str, int]:
        """Variances and correlations of each covariance, less one."""
        k, r = int(self.varies.sum()), self.n_factors
        turned = {"factor": k + r * k - r * (r - 1) // 2 - 1, "full": k * (k + 1) // 2 - 1}
        return {name: int(each.groups.max()) for name, each in self.variances.items()} | turned

    def only(self, covariance: str) -> None:
        """Search for that covariance, from one that is near."""
        if covariance not in _MOST_TURNED:
            self._search(covariance)
            return
        free = not self.random_common  # else kappa is the diagonal's answer
        begun: RemlEstimate | None = None
        if free and covariance == "full" and covariance not in self.starts:
            begun = full_by_moments(self.model, self.varies, None)
            if begun is not None and begun.converged and begun.fell <= _CLOSE:
                self.found[covariance] = begun
                return
        if not free or covariance not in self.starts:
            self._search("diagonal", _ROUGH if free else TOL)
        self._search(covariance, begun=begun)

    def best(self, n_tasks: int) -> str:
        """That of the smallest criterion among those that could have it."""
        self._search("scalar")
        if n_tasks < _MANY:
            return "scalar"
        turned: list[str] = []
        if isinstance(self.model, MixedModel) and self.varies.sum() > 1:
            turned = [name for name, most in _MOST_TURNED.items() if self.varies.sum() <= most]
            if "full" in turned and self.size["factor"] > self.size["full"]:  # which holds it
                turned.remove("factor")
        turned = [name for name in turned if self._could_win(name, "scalar")]
        if turned or self._could_win("diagonal", "scalar"):
            self._search("diagonal")
        for name in turned:
            if self._could_win(name, "diagonal"):
                self._search(name)
        return min(self.found, key=self._judged)

    def _judged(self, name: str) -> tuple[bool, float]:
        return criterion(self.found[name], self.size[name])

    def _could_win(self, name: str, smaller: str) -> bool:
        """Whether the best so far would lose to what the smaller covariance promises of this."""
        lost, lowest = min(map(self._judged, self.found))
        point = self.found[smaller].point
        if lost or self.varies.sum() > _MOST_TURNED["full"] or not point.profiled:
            return True
        key = smaller, name != "diagonal"  # others are special cases of a full covariance
        if key not in self.promised:
            self.promised[key] = self._promise(*key)
        return point.deviance - self.promised[key] + 2.0 * self.size[name] < lowest

    def _promise(self, smaller: str, turned: bool) -> float:
        point, k = self.found[smaller].point, np.flatnonzero(self.varies)
        row, column = k[np.array(np.tril_indices(len(k)))]
        if not turned:
            k = k[((point.L[k] ** 2).sum(axis=1) > 0) | (np.diag(point.gradient)[k] < 0)]
            row, column = k, k
        return point.promised(row, column, self.variances[smaller].sum_common)

    def _search(self, name: str, tol: float = TOL, begun: RemlEstimate | None = None) -> None:
        near = self.starts.get(name)
        if name == "diagonal" and self.size[name] == self.size["scalar"] and "scalar" in self.found:
            self.found[name] = self.found["scalar"]  # one slope
        elif name in self.variances:
            start = self.variances[name].like(near)
            self.found[name] = estimate_diagonal(self.variances[name], tol=tol, start=start)
        else:
            args = (self.model, self.found.get("diagonal") or self.starts[name], self.varies)
            if name == "full":
                self.found[name] = estimate_full(*args, near, begun)
            else:
                self.found[name] = estimate_factor(*args, self.n_factors, near)


def renumbered(groups: np.ndarray) -> np.ndarray:
    """Groups 0, 1, ... without gaps; -1 stays."""
    out = np.full(groups.shape, -1)
    out[groups >= 0] = np.unique(groups[groups >= 0], return_inverse=True)[1]
    return out
