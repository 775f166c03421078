"""What `LowRank` and `ProjectedLowRank` share: the problem, the search for strengths."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from polytask.data import TaskData
from polytask.models.base import MultiTaskLinear, Strengths
from polytask.penalties import Penalty, Rank, Ridge, TraceNorm
from polytask.penalties.spectral import canonical_svd, numerical_rank
from polytask.problem import Problem
from polytask.responses import Loss
from polytask.solvers import Solution
from polytask.structures import CommonDeviation, LowRankPlus
from polytask.tuning import (
    Choice,
    KFoldRisk,
    Risks,
    choose,
    level_grid,
    one_by_one,
    rank_grid,
    rank_strengths,
    trace_alpha_max,
    trace_grid,
)

__all__ = ["LowRankBase"]

_FOLDS = 5
_PATH = {True: 16, False: 10}  # points of a path where fits are cheap (squares), and where not
_SHORT_PATH, _SMALL = 8, 500  # points for fewer observations than this, whose risk says no more
_SEARCH_TOL = 1e-4  # relative gap at which a held-out risk no longer moves
_RIDGE = 1e-2  # of the mean curvature, for losses without a minimum on separable rows


class LowRankBase(MultiTaskLinear):
    """R(L + rest) + alpha ‖L‖_* or alpha rank(L), with a limit on the rank."""

    limit_name = "max_rank"  # the parameter that limits the rank

    def _limit(self) -> Any:
        """None, a number, or "cv"."""
        return getattr(self, self.limit_name)

    def _split(self) -> bool:
        """Whether a common w0 is split off."""
        return False

    def _given(self) -> Strengths:
        limit: Any = self._limit()
        alpha = None if self.alpha == "cv" else float(self.alpha)
        level: Any = self.alpha_intercept
        if level == "auto":
            level = None if self.alpha == "cv" else 0.0
        return {
            "alpha": alpha,
            "alpha_intercept": level,
            self.limit_name: None if limit == "cv" else (np.inf if limit is None else limit),
        }

    def _grids(self, data: TaskData, loss: Loss) -> Mapping[str, np.ndarray]:
        levels = level_grid(data, loss.null_curvature(data.y, data.weight))
        auto = isinstance(self.alpha_intercept, str)
        ends = levels[[0, -1]] if auto else [self.alpha_intercept]  # W may be zero at one
        free = [
            self._make_problem(data, loss, {"alpha": 1.0, "alpha_intercept": level})
            for level in ends
        ]
        points = _SHORT_PATH if len(data.y) < _SMALL else _PATH[loss.is_quadratic]
        return {
            "alpha": trace_grid(max(free, key=trace_alpha_max), points),
            "alpha_intercept": levels,
            self.limit_name: rank_grid(data).astype(float),
        }

    def _estimate_risks(self, data: TaskData, loss: Loss) -> Risks:
        risk_of = self._k_fold(data)
        return one_by_one(lambda s: risk_of(lambda part: self._make_problem(part, loss, s)))

    def _k_fold(self, data: TaskData) -> Callable[[Callable[[TaskData], Problem]], float]:
        return KFoldRisk(data, _FOLDS, _SEARCH_TOL, self.max_iter)

    def _choose_strengths(self, data: TaskData, loss: Loss) -> Strengths:
        if self.penalty == "rank" and self.alpha == "cv":
            return self._choose_rank(data, loss)
        return super()._choose_strengths(data, loss)

    def _choose_rank(self, data: TaskData, loss: Loss) -> Strengths:
        """The path of alpha rank(L) is the path of ranks: the rank is chosen, alpha follows."""
        name, given = self.limit_name, self._given()
        grid = rank_grid(data, smallest=0).astype(float)
        if given[name] is not None:
            grid = grid[grid <= given[name]]
        base = {**given, "alpha": 0.0, name: None}
        grids = {
            name: grid,
            "alpha_intercept": level_grid(data, loss.null_curvature(data.y, data.weight)),
        }
        wanted = {key: grids[key] for key in grids if base[key] is None}
        fixed = {key: value for key, value in base.items() if value is not None}
        choice = self._search(data, loss, wanted, fixed)
        level, rank = choice.strengths["alpha_intercept"], int(choice.strengths[name])
        problem = self._make_problem(data, loss, choice.strengths)
        intervals = rank_strengths(problem, int(choice.path.max()), self.tol, self.max_iter)
        alpha = _inside(intervals[rank]) if rank in intervals else 0.0
        self.cv_scores_ = -choice.risks
        self.alpha_path_ = np.array(
            [_inside(intervals[int(r)]) if r in intervals else np.nan for r in choice.path]
        )
        limit = given[name] if rank in intervals and given[name] is not None else rank
        return {"alpha": alpha, "alpha_intercept": level, name: limit}

    def _search(
        self, data: TaskData, loss: Loss, grids: Mapping[str, np.ndarray], fixed: Strengths
    ) -> Choice:
        return choose(self._estimate_risks(data, loss), grids, fixed)

    def _make_problem(self, data: TaskData, loss: Loss, strengths: Strengths) -> Problem:
        d, p = data.n_features, data.n_coefs
        common, deviation = np.zeros(p, dtype=bool), np.zeros(p, dtype=bool)
        common[:d], common[d:], deviation[d:] = self._split(), True, True
        level = np.full(p - d, float(strengths["alpha_intercept"]))
        structure = LowRankPlus(CommonDeviation(common, deviation), d)
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
            return TraceNorm(alpha, limit)
        return Rank(alpha, limit, self._ridge(data, loss))

    def _ridge(self, data: TaskData, loss: Loss) -> float:
        """The ridge that keeps coefficients finite where the loss alone may not."""
        if not loss.reaches_boundary:
            return 0.0
        norms = data.design.column_norms(data.weight)[:, : data.n_features]
        return _RIDGE * loss.null_curvature(data.y, data.weight) * float((norms**2).mean())

    def _store(self, solution: Solution, data: TaskData) -> None:
        L = solution.blocks["low_rank"]
        _, s, Vt = canonical_svd(L)
        self.rank_ = numerical_rank(s)
        self.singular_values_ = s[: self.rank_]
        self.components_ = Vt[: self.rank_]
        self.gap_ = solution.gap
        self._level = float(data.share @ self.intercept_) if data.intercept else 0.0
        limit = getattr(self, f"{self.limit_name}_", None)
        if limit is not None:
            most = min(data.n_tasks, data.n_features)
            setattr(self, f"{self.limit_name}_", int(min(limit, most)))

    def _common(self) -> tuple[np.ndarray, float]:
        """The mean of the tasks, for a task that was not in training."""
        return self.coef_.mean(axis=0), float(np.mean(self.intercept_))


def _inside(interval: tuple[float, float]) -> float:
    """The geometric middle; twice the lower end where nothing bounds alpha from above."""
    low, high = interval
    if np.isinf(high):
        return 2.0 * low if low > 0 else 1.0
    return float(np.sqrt(low * high)) if low > 0 else 0.5 * high
