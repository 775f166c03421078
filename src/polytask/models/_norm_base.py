"""What formulations with norms on the slopes share: the problem, where zero begins, the answer."""

from __future__ import annotations

from numbers import Real

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from polytask.data import TaskData
from polytask.models.base import MultiTaskLinear, Strengths
from polytask.penalties import Penalty, Ridge
from polytask.problem import Problem
from polytask.responses import Loss, Response
from polytask.solvers import Solution
from polytask.structures import CommonDeviation, SlopesPlus
from polytask.tuning import Strength, level_grid, norm_grid

__all__ = ["LEVEL", "NormBase", "norm_strength"]

_POINTS, _SHORT, _SMALL = 12, 8, 500  # of a path; for fewer observations than _SMALL
LEVEL = Strength("alpha_intercept", lambda _, data, loss: level_grid(data, loss))


def norm_strength(name: str, part: str, label: str = "") -> Strength:
    """A strength that multiplies the norm on one part, chosen down from where that part is zero."""
    return Strength(name, lambda model, data, loss: model._path(data, loss, part), label=label)


class NormBase(MultiTaskLinear):
    """R(sum of parts + intercepts) + a norm on each part + alpha_intercept ‖Δb‖²."""

    _parameter_constraints = {
        "alpha": [StrOptions({"cv"}), Interval(Real, 0, None, closed="neither")],
        "alpha_intercept": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        alpha: float | str = "cv",
        *,
        alpha_intercept: float | str = "auto",
        loss: str | Response = "auto",
        task: str | int | None = None,
        fit_intercept: bool = True,
        task_weight: str = "equal",
        unseen: str = "error",
        tol: float = 1e-7,
        max_iter: int = 10000,
    ) -> None:
        self.alpha = alpha
        self.alpha_intercept = alpha_intercept
        self.loss = loss
        self.task = task
        self.fit_intercept = fit_intercept
        self.task_weight = task_weight
        self.unseen = unseen
        self.tol = tol
        self.max_iter = max_iter

    def _penalties(self, data: TaskData, strengths: Strengths) -> dict[str, Penalty]:
        """The penalty on each part of the slopes."""
        raise NotImplementedError

    def _make_problem(self, data: TaskData, loss: Loss, strengths: Strengths) -> Problem:
        d, p = data.n_features, data.n_coefs
        level = np.arange(p) >= d
        parts = self._penalties(data, strengths)
        pull = np.full(p - d, float(strengths["alpha_intercept"]))
        penalties = {**parts, "common": Ridge(np.zeros(p - d)), "deviation": Ridge(pull)}
        structure = SlopesPlus(CommonDeviation(level, level), d, tuple(parts))
        return Problem(data, loss, structure, penalties)

    def _path(self, data: TaskData, loss: Loss, part: str) -> np.ndarray:
        """Strengths of the norm on ``part`` from where that part alone is zero."""
        given = {name: 1.0 if value is None else value for name, value in self._given().items()}
        given |= {s.name: 1.0 for s in self.strengths if s is not LEVEL and s.grid is not None}
        auto = isinstance(self.alpha_intercept, str)
        levels = level_grid(data, loss)[[0, -1]] if auto else np.array([self.alpha_intercept])
        problems = [
            self._make_problem(data, loss, {**given, "alpha_intercept": level}) for level in levels
        ]
        points = _SHORT if len(data.y) < _SMALL else _POINTS
        return max((norm_grid(problem, part, points) for problem in problems), key=lambda g: g[0])

    def _store(self, solution: Solution, data: TaskData) -> None:
        self.gap_ = solution.gap

    def _shared(self) -> tuple[np.ndarray, float]:
        """The mean of the tasks, for a task that was not in training."""
        return self.coef_.mean(axis=0), float(np.mean(self.intercept_))
