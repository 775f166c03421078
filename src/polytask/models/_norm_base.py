"""What formulations with norms on the slopes share: parameters, the problem, where zero begins."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from polytask.data import TaskData
from polytask.models.base import MultiTaskLinear, Strengths
from polytask.penalties import Penalty, Ridge
from polytask.problem import Problem
from polytask.responses import Loss
from polytask.solvers import Solution
from polytask.structures import CommonDeviation, SlopesPlus
from polytask.tuning import Strength, level_grid, norm_grid

__all__ = ["LEVEL", "NormBase", "norm_strength"]

_POINTS, _SHORT, _SMALL = 12, 8, 500  # of a path; for fewer observations than _SMALL
_FEW, _DECADES = 5, {True: 2.5, False: 2.0}  # points of a second strength; of the first and others
_NOTHING = 1e-300  # of the strengths that a path is not of
LEVEL = Strength("alpha_intercept", lambda model, data, loss: model._levels(data, loss))


def norm_strength(name: str, part: str, auto: float | str = 0.0, label: str = "") -> Strength:
    """A strength that multiplies the norm on one part, chosen down from where that part is zero."""

    def grid(model: Any, data: TaskData, loss: Loss) -> np.ndarray:
        return model._path(data, loss, part, name)

    return Strength(name, grid, auto, label)


class NormBase(MultiTaskLinear):
    """R(sum of parts + intercepts) + a norm on each part + alpha_intercept ‖Δb‖².

    Strengths are positive numbers, or "cv" (the first) and "auto" (the others).

    Parameters
    ----------
    alpha_intercept : float or "auto", default="auto"
        Strength that pulls the tasks' intercepts together: ``b_i = b0 + Δb_i`` with
        ``alpha_intercept ‖Δb‖²``, b0 free. "auto" is chosen with alpha if ``alpha="cv"``,
        otherwise 0.
    monotonic_cst : None, default=None
        Signs of coefficients, which only norms of absolute values take.
    tol : float, default=1e-7
        Largest duality gap, as a share of the objective at W = 0.
    max_iter : int, default=10000
        Iterations at most.

    Attributes
    ----------
    coef_ : ndarray of shape (m, d)
    intercept_ : ndarray of shape (m,)
    new_task_coef_, new_task_intercept_ : ndarray of shape (d,), float
        What answers for unseen tasks: with ``unseen="common"`` and strengths that the data choose,
        the common part of a mean-regularized model that predicts whole tasks, left out, best.
    alpha_, alpha_intercept_ : float
    alpha_path_, cv_scores_ : ndarray
        Values of alpha that were tried, and minus the estimated risk of each (``alpha="cv"``).
    gap_ : float
        Duality gap at ``coef_`` as a share of the objective at W = 0.
    """

    alpha_intercept: float | str = "auto"
    monotonic_cst: Any = None
    tol: float = 1e-7
    max_iter: int = 10000

    strengths: ClassVar[tuple[Strength, ...]] = ()
    _exact_paths = False
    tells: ClassVar[Mapping[str, str]] = {}  # fitted attributes that reports show: their titles

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Constraints of the strengths."""
        own = vars(cls).get("_parameter_constraints", {})
        signs = {"monotonic_cst": [None, "array-like", dict, int]}
        cls._parameter_constraints = _of_strengths(cls.strengths) | signs | own
        super().__init_subclass__(**kwargs)

    def _penalties(self, data: TaskData, strengths: Strengths) -> dict[str, Penalty]:
        """The penalty on each part of the slopes."""
        raise NotImplementedError

    def _bounded(self, parts: dict[str, Penalty], data: TaskData) -> dict[str, Penalty]:
        """The penalties within bounds of the coefficients; there are none here."""
        if self.monotonic_cst is not None:
            raise ValueError(
                f"{type(self).__name__}: monotonic_cst must be None; got {self.monotonic_cst!r}. A "
                "norm of singular values mixes features, and its shrinkage within signs has no "
                "closed form; take a formulation of supports, such as JointFeatures or DirtyTasks."
            )
        return parts

    def _make_problem(self, data: TaskData, loss: Loss, strengths: Strengths) -> Problem:
        d, p = data.n_features, data.n_coefs
        level = np.arange(p) >= d
        parts = self._bounded(self._penalties(data, strengths), data)
        pull = np.full(p - d, float(strengths["alpha_intercept"]))
        penalties = {**parts, "common": Ridge(np.zeros(p - d)), "deviation": Ridge(pull)}
        structure = SlopesPlus(CommonDeviation(level, level), d, tuple(parts))
        return Problem(data, loss, structure, penalties)

    def _levels(self, data: TaskData, loss: Loss) -> np.ndarray:
        """Strengths to choose that of the intercepts from."""
        return level_grid(data, loss)

    def _path(self, data: TaskData, loss: Loss, part: str, name: str) -> np.ndarray:
        """Strengths called ``name`` of the norm on ``part`` from where that part alone is zero."""
        given = {name: 1.0 if value is None else value for name, value in self._given().items()}
        given |= {s.name: _NOTHING for s in self.strengths if s is not LEVEL and s.grid is not None}
        auto = isinstance(self.alpha_intercept, str)
        levels = level_grid(data, loss)[[0, -1]] if auto else np.array([self.alpha_intercept])
        problems = [
            self._make_problem(data, loss, {**given, name: 1.0, "alpha_intercept": level})
            for level in levels
        ]
        leads = name == self.strengths[0].name
        points = _FEW if not leads else _SHORT if len(data.y) < _SMALL else _POINTS
        grids = [norm_grid(problem, part, points, _DECADES[leads]) for problem in problems]
        return max(grids, key=lambda grid: grid[0])

    def _store(self, solution: Solution, data: TaskData) -> None:
        self.gap_ = solution.gap
        parts = [b for b in solution.blocks if b not in ("common", "deviation")]
        for part in parts if len(parts) > 1 else ():
            setattr(self, f"{part}_coef_", solution.blocks[part])

    def _told_sizes(self) -> np.ndarray | None:
        """How much each task has of what is told of some, shape (m,); None where that is no size.

        Reports name the tasks that have most of it first, with their shares.
        """
        return None

    def _shared(self) -> tuple[np.ndarray, float]:
        """The mean of the tasks, for a task that was not in training."""
        return self.coef_.mean(axis=0), float(np.mean(self.intercept_))


def _of_strengths(strengths: tuple[Strength, ...]) -> dict[str, list[Any]]:
    """Positive, or chosen; intercepts may be free."""
    found = {}
    for strength in strengths:
        word = "cv" if strength is strengths[0] else "auto"
        closed: Any = "left" if strength is LEVEL else "neither"
        found[strength.name] = [StrOptions({word}), Interval(Real, 0, None, closed=closed)]
    return found
