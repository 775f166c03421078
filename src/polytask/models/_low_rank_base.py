"""What `LowRank` and `ProjectedLowRank` share: the problem, the search for strengths."""

from __future__ import annotations

from typing import Any

import numpy as np

from polytask.data import TaskData
from polytask.models.base import MultiTaskLinear, Strengths
from polytask.penalties import LimitedTraceNorm, Penalty, Rank, Ridge, TraceNorm
from polytask.penalties.spectral import RANK_TOL, canonical_svd, numerical_rank
from polytask.problem import Problem
from polytask.responses import Loss
from polytask.solvers import Solution
from polytask.structures import CommonDeviation, SlopesPlus
from polytask.tuning import (
    Strength,
    level_grid,
    rank_grid,
    rank_strengths,
    trace_alpha_max,
    trace_grid,
)

__all__ = ["LowRankBase", "low_rank_strengths"]

_PATH = {True: 16, False: 10}  # points of a path where fits are cheap (squares), and where not
_SHORT_PATH, _SMALL = 8, 500  # points for fewer observations than this, whose risk says no more
_NOTHING = 1e-12  # of the targets' square: predictions that may be lost
_EPS = float(np.finfo(float).eps)
_RIDGE = 1e-2  # of the mean curvature, for losses without a minimum on separable rows


def low_rank_strengths(limit: str) -> tuple[Strength, ...]:
    """The strengths of a model whose parameter ``limit`` bounds the rank, which is the last."""
    return (
        Strength("alpha", lambda model, data, loss: model._alphas(data, loss)),
        Strength("alpha_intercept", lambda _, data, loss: level_grid(data, loss)),
        Strength(limit, lambda _, data, loss: rank_grid(data).astype(float), label="rank at most"),
    )


class LowRankBase(MultiTaskLinear):
    """R(L + rest) + alpha ‖L‖_* or alpha rank(L), with a limit on the rank."""

    _exact_paths = False

    @property
    def limit_name(self) -> str:
        """The parameter that limits the rank."""
        return self.strengths[-1].name

    def _limit(self) -> Any:
        """None, a number, or "cv"."""
        return getattr(self, self.limit_name)

    def _split(self) -> bool:
        """Whether a common w0 is split off."""
        return False

    def _alphas(self, data: TaskData, loss: Loss) -> np.ndarray:
        auto = isinstance(self.alpha_intercept, str)
        levels = level_grid(data, loss)[[0, -1]] if auto else [self.alpha_intercept]
        free = [  # W may be zero at either end
            self._make_problem(data, loss, {"alpha": 1.0, "alpha_intercept": level})
            for level in levels
        ]
        points = _SHORT_PATH if len(data.y) < _SMALL else _PATH[loss.is_quadratic]
        return trace_grid(max(free, key=trace_alpha_max), points)

    def _choose_strengths(self, data: TaskData, loss: Loss) -> Strengths:
        if self.penalty == "rank" and self.alpha == "cv":
            return self._choose_rank(data, loss)
        return super()._choose_strengths(data, loss)

    def _choose_rank(self, data: TaskData, loss: Loss) -> Strengths:
        """The path of alpha rank(L) is the path of ranks: the rank is chosen, alpha follows."""
        given = self._given()
        name, limit = self.limit_name, given.pop(self.limit_name)
        grid = rank_grid(data, smallest=0).astype(float)
        grids = {
            name: grid if limit is None else grid[grid <= limit],
            "alpha_intercept": level_grid(data, loss),
        }
        found = self._search(data, loss, {name: None, **given, "alpha": 0.0}, grids)
        rank, ranks = int(found[name]), self.alpha_path_.astype(int)
        problem = self._make_problem(data, loss, found)
        intervals = rank_strengths(problem, int(ranks.max()), self.tol, self.max_iter)
        alpha = {r: _inside(interval) for r, interval in intervals.items()}
        self.alpha_path_ = np.array([alpha.get(int(r), np.nan) for r in ranks])
        kept = limit if rank in alpha and limit is not None else rank
        return {**found, "alpha": alpha.get(rank, 0.0), name: kept}

    def _make_problem(self, data: TaskData, loss: Loss, strengths: Strengths) -> Problem:
        d, p = data.n_features, data.n_coefs
        common, deviation = np.zeros(p, dtype=bool), np.zeros(p, dtype=bool)
        common[:d], common[d:], deviation[d:] = self._split(), True, True
        level = np.full(p - d, float(strengths["alpha_intercept"]))
        structure = SlopesPlus(CommonDeviation(common, deviation), d)
        penalties = {
            "low_rank": self._penalty(data, loss, strengths),
            "common": Ridge(np.zeros(int(common.sum()))),
            "deviation": Ridge(level),
        }
        return Problem(data, loss, structure, penalties)

    def _penalty(self, data: TaskData, loss: Loss, strengths: Strengths) -> Penalty:
        alpha, most = float(strengths["alpha"]), min(data.n_tasks, data.n_features)
        wanted = strengths.get(self.limit_name)
        limit = None if wanted is None or wanted >= most else int(wanted)
        if self.penalty == "nuclear" and alpha > 0:
            return TraceNorm(alpha) if limit is None else LimitedTraceNorm(alpha, limit)
        return Rank(alpha, limit, self._ridge(data, loss))

    def _ridge(self, data: TaskData, loss: Loss) -> float:
        """The ridge that keeps coefficients finite where the loss alone may not."""
        if not loss.reaches_boundary:
            return 0.0
        norms = data.column_norms[:, : data.n_features]
        return _RIDGE * data.null_curvature(loss) * float((norms**2).mean())

    def _store(self, solution: Solution, data: TaskData) -> None:
        L = solution.blocks["low_rank"]
        self._share, self.rank_ = _share_and_rank(L, data)
        _, self.singular_values_, self.components_ = canonical_svd(L, self.rank_, self._share)
        self.gap_ = solution.gap
        self._level = float(data.share @ solution.coefs[:, -1]) if data.intercept else 0.0
        limit = getattr(self, f"{self.limit_name}_", None)
        if limit is not None:
            most = min(data.n_tasks, data.n_features)
            setattr(self, f"{self.limit_name}_", int(min(limit, most)))

    def _shared(self) -> tuple[np.ndarray, float]:
        """The mean of the tasks, for a task that was not in training."""
        return self.coef_.mean(axis=0), float(np.mean(self.intercept_))


def _share_and_rank(L: np.ndarray, data: TaskData) -> tuple[float, int]:
    """Share of the largest singular value below which others are rounding, and how many are not.

    Columns that are nearly alike can leave a direction that is small in L and large in what it
    predicts.
    """
    U, s, Vt = np.linalg.svd(L, full_matrices=False)
    share, top = RANK_TOL, s.max(initial=0.0)
    small = (s <= RANK_TOL * top) & (s > _EPS * len(s) * top)
    if small.any():
        theta = np.zeros((data.n_tasks, data.n_coefs))
        theta[:, : data.n_features] = (U[:, small] * s[small]) @ Vt[small]
        lost, kept = data.weight @ data.design.predict(theta) ** 2, data.weight @ data.y**2
        share = RANK_TOL if lost <= _NOTHING * kept else _EPS
    return share, numerical_rank(s, share)


def _inside(interval: tuple[float, float]) -> float:
    """The geometric middle; twice the lower end where nothing bounds alpha from above."""
    low, high = interval
    if np.isinf(high):
        return 2.0 * low if low > 0 else 1.0
    return float(np.sqrt(low * high)) if low > 0 else 0.5 * high
