"""Choosing strengths of a smooth loss by folds, on its quadratic model.

Near Theta the loss of task i in fold k is l_ik + g_ik'(w - theta_i) + ½ (w - theta_i)'H_ik
(w - theta_i), with the sums of one pass. On that model a fit without fold k is one arrow system,
and its held-out loss needs no rows. Theta must not have seen the fold, or the model rewards
overfitting (tried at the fit to all rows: strengths may be off by orders of magnitude). It is the
level b that all other rows share, x'theta_i = b: there the loss has one curvature, so that its sums
follow from those at zero. At zero itself the curvature is that of even classes, and rare ones get
too strong a penalty.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from polytask.data import TaskData
from polytask.problem import Problem
from polytask.responses import Loss
from polytask.solvers.arrow_problem import arrow_problem
from polytask.sources.newton_job import LossSums
from polytask.streaming.newton import newton_steps
from polytask.structures import Blocks

__all__ = ["FoldLook", "FoldModel", "QuadraticRisk", "at_level", "at_levels", "risk_at_fits"]

_ROUGH, _STEPS = 1e-3, 20  # the model at a rough fit makes the last Newton step
_FAR = 40.0  # a linear predictor that no level exceeds


@dataclass(frozen=True, eq=False)
class FoldModel:
    """The loss near Theta (m, p): sums there over the rows outside of a fold, and inside."""

    theta: np.ndarray
    train: LossSums
    test: LossSums


FoldLook = Callable[[dict[int, np.ndarray]], dict[int, FoldModel]]


class QuadraticRisk:
    """Held-out risk over folds, on the quadratic model of a loss.

    Parameters
    ----------
    data : TaskData
        Without rows (`polytask.streaming.newton.shell`).
    models : sequence of FoldModel
        Of every fold, unweighted.
    """

    def __init__(self, data: TaskData, models: Sequence[FoldModel]) -> None:
        self.data = data
        self.parts: list[FoldModel] = []
        self.weight = 0.0
        for model in models:
            train, test = model.train, model.test
            held = np.where(train.count > 0, data.share, 0.0)
            held /= np.maximum(train.count + test.count, 1.0)
            self.weight += float(held @ test.count)
            weighted = train.weighted(_omega(data, train)), test.weighted(held)
            self.parts.append(FoldModel(model.theta, *weighted))

    def __call__(self, make: Callable[[TaskData], Problem]) -> float:
        """Mean held-out loss of the problem's strengths."""
        total = 0.0
        for part, theta in zip(self.parts, self.fits(make), strict=True):
            step, test = theta - part.theta, part.test
            curve = (step * (test.gram @ step[:, :, None])[:, :, 0]).sum()
            total += float(test.value.sum() + (test.gradient * step).sum() + 0.5 * curve)
        return total / self.weight

    def fits(self, make: Callable[[TaskData], Problem]) -> list[np.ndarray]:
        """Theta (m, p) without each fold, on its model."""
        problem = make(self.data)
        return [problem.structure.assemble(self.fit(problem, part)) for part in self.parts]

    def fit(self, problem: Problem, part: FoldModel) -> Blocks:
        """The minimum of a problem on a fold's model."""
        arrow = arrow_problem(problem)
        gram = part.train.gram
        # Gradient of the model at zero; from there one Newton step is its minimum.
        slope = part.train.gradient - (gram @ part.theta[:, :, None])[:, :, 0]
        residual = problem.structure.adjoint(slope, problem.zeros())
        return {b: -B for b, B in arrow.factor_grams(gram).solve(residual).items()}


def risk_at_fits(
    problem: Problem, near: QuadraticRisk, zero: LossSums, n_folds: int, look: FoldLook
) -> QuadraticRisk:
    """The models at the fits of a problem without each fold, all fitted in the same passes.

    Parameters
    ----------
    problem : Problem
    near : QuadraticRisk
        The fits start from the minima of its models.
    zero : LossSums
        By task and fold, at Theta = 0.
    look : callable
    """
    data, folds = near.data, range(n_folds)
    outside = [zero.over_folds(np.arange(n_folds) != k) for k in folds]
    omega = [_omega(data, train) for train in outside]
    models: dict[int, FoldModel] = {}
    steps, asked = {}, {}
    for k, part in enumerate(near.parts):
        steps[k] = newton_steps(problem, _ROUGH, _STEPS, near.fit(problem, part))
        next(steps[k])  # Theta = 0, which is known
        asked[k] = steps[k].send(outside[k].weighted(omega[k]))
    while asked:
        found, asked = look(asked), {}
        models |= found
        for k, model in found.items():
            try:
                asked[k] = steps[k].send(model.train.weighted(omega[k]))
            except StopIteration:
                continue
    return QuadraticRisk(data, [models[k] for k in folds])


def at_levels(data: TaskData, sums: LossSums, n_folds: int, loss: Loss) -> list[FoldModel]:
    """The model of each fold at the level of the other rows; at zero without an intercept.

    Parameters
    ----------
    data : TaskData
        Without rows.
    sums : LossSums
        By task and fold, at Theta = 0.
    n_folds : int
    loss : Loss
        Of targets 0 and 1.
    """
    folds, models = np.arange(n_folds), []
    for k in folds:
        train, test = sums.over_folds(folds != k), sums.over_folds(folds == k)
        theta = np.zeros_like(train.gradient)
        if data.intercept:
            theta[:, -1] = level = _level(train, _omega(data, train), loss)
            train, test = at_level(train, level, loss), at_level(test, level, loss)
        models.append(FoldModel(theta, train, test))
    return models


def _omega(data: TaskData, train: LossSums) -> np.ndarray:
    """Weight in R of each row of the tasks (m,), those without rows left out."""
    share = np.where(train.count > 0, data.share, 0.0)
    return np.asarray(share / share.sum() / np.maximum(train.count, 1.0))


def at_level(sums: LossSums, level: float, loss: Loss) -> LossSums:
    """Sums over the same rows where every linear predictor is ``level``.

    Parameters
    ----------
    sums : LossSums
        At Theta = 0, with an intercept; y is 0 or 1.
    """
    n, x, xy, curvature = _by_label(sums, loss)
    ones = xy[:, -1]
    (value0, value1), (slope0, slope1) = (_of_labels(f, level) for f in (loss.value, loss.gradient))
    return LossSums(
        n,
        (n - ones) * value0 + ones * value1,
        (n - ones) * slope0**2 + ones * slope1**2,
        slope0 * x + (slope1 - slope0) * xy,
        sums.gram * (_of_labels(loss.curvature, level)[0] / curvature),
    )


def _by_label(sums: LossSums, loss: Loss) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Rows, sums of x and of x y of each task, and the curvature of the loss at zero."""
    curvature = float(_of_labels(loss.curvature, 0.0)[0])
    slope0, slope1 = _of_labels(loss.gradient, 0.0)
    x = sums.gram[:, :, -1] / curvature
    return sums.count, x, (sums.gradient - slope0 * x) / (slope1 - slope0), curvature


def _level(train: LossSums, omega: np.ndarray, loss: Loss) -> float:
    """The constant predictor of the least weighted loss; a class without rows has a part of one."""
    n, _, xy, _ = _by_label(train, loss)
    least = 1.0 / (1.0 + n.sum())
    share = float(np.clip(omega @ xy[:, -1] / (omega @ n), least, 1.0 - least))

    def slope(level: float) -> float:
        slopes = _of_labels(loss.gradient, level)
        return float((1.0 - share) * slopes[0] + share * slopes[1])

    return float(brentq(slope, -_FAR, _FAR))


def _of_labels(fact: Callable[..., np.ndarray], level: float) -> np.ndarray:
    """A fact of the loss at y = 0 and y = 1."""
    return fact(np.array([0.0, 1.0]), np.full(2, level))
