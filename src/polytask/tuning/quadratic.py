"""Choosing strengths of a smooth loss by folds, on its quadratic model.

Near Theta the loss of task i in fold k is l_ik + g_ik'(w - theta_i) + ½ (w - theta_i)'H_ik
(w - theta_i), with the sums of one pass. On that model a fit without fold k is one arrow system,
and its held-out loss needs no rows. Theta must not have seen the fold, or the model rewards
overfitting (tried at the fit to all rows: strengths may be off by orders of magnitude). It is the
level b that all other rows share, x'theta_i = b: there the sums of a canonical loss follow from
moments. At zero itself the curvature is that of even classes, and rare ones get too strong a
penalty. Then fits without each fold at the choice share passes, and the choice is made again on
the models there, as long as the held-out loss falls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from polytask.data import Oracle
from polytask.problem import ObjectiveAt, Problem
from polytask.responses import Loss
from polytask.solvers import Newton
from polytask.solvers.arrow_problem import arrow_problem
from polytask.solvers.descent import Descent
from polytask.sources.loss_sums import LossSums
from polytask.sources.passed import FoldSums, Passed
from polytask.structures import Blocks
from polytask.tuning.search import Choice, choose, one_by_one

__all__ = ["QuadraticRisk", "at_levels", "choose_on_models"]

_ROUGH, _STEPS = 1e-3, 20  # the model at a rough fit makes the last Newton step
_LOOKS = 4  # times at most that strengths are chosen again, at the fits that they mean

Make = Callable[[dict[str, Any]], Problem]


@dataclass(frozen=True, eq=False)
class _Fold:
    """The loss near Theta (m, p), weighted as in R without a fold, and as held out."""

    theta: np.ndarray
    train: LossSums
    test: LossSums

    def minimum(self, problem: Problem) -> Blocks:
        """The minimum of a problem on the model."""
        # Gradient of the model at zero; from there one Newton step is its minimum.
        slope = self.train.gradient - (self.train.gram @ self.theta[:, :, None])[:, :, 0]
        residual = problem.structure.adjoint(slope, problem.zeros())
        factor = arrow_problem(problem).factor_grams(self.train.gram)
        return {b: -B for b, B in factor.solve(residual).items()}

    def held_out(self, theta: np.ndarray) -> float:
        """The loss of the fold on the model."""
        step, test = theta - self.theta, self.test
        curve = (step * (test.gram @ step[:, :, None])[:, :, 0]).sum()
        return test.total + float((test.gradient * step).sum() + 0.5 * curve)


class QuadraticRisk:
    """Held-out risk over folds, on the quadratic model of a loss.

    Parameters
    ----------
    source : Oracle
    folds : sequence of FoldSums
        Of every fold.
    """

    def __init__(self, source: Oracle, folds: Sequence[FoldSums]) -> None:
        self.folds: list[_Fold] = []
        self.weight = 0.0
        for fold in folds:
            train, test = fold.outside, fold.inside
            held = np.where(train.count > 0, source.share, 0.0)
            held /= np.maximum(train.count + test.count, 1.0)
            self.weight += float(held @ test.count)
            weighted = train.weighted(omega(source, train.count)), test.weighted(held)
            self.folds.append(_Fold(fold.theta, *weighted))

    def __call__(self, problem: Problem) -> float:
        """Mean held-out loss of the problem's strengths."""
        assemble = problem.structure.assemble
        total = sum(fold.held_out(assemble(fold.minimum(problem))) for fold in self.folds)
        return total / self.weight


def choose_on_models(
    passed: Passed, loss: Loss, make: Make, grids: Mapping[str, np.ndarray],
    fixed: dict[str, Any],
) -> Choice:  # fmt: skip
    """Strengths of a smooth loss, by folds.

    Parameters
    ----------
    passed : Passed
    loss : Loss
    make : callable
        The problem of strengths.
    grids, fixed
        As in `choose`.
    """

    def best(risk: QuadraticRisk) -> Choice:
        return choose(one_by_one(lambda s: risk(make(s))), grids, fixed)

    if passed.intercept or passed.shared:
        risk = QuadraticRisk(passed, at_levels(passed, loss))
    else:  # zero is no level: of large counts its curvature says nothing
        risk = _at_fits(passed, make(fixed | {n: g[len(g) // 2] for n, g in grids.items()}))
    choice, lowest = best(risk), np.inf
    proposed = choice.strengths
    for _ in range(0 if passed.shared else _LOOKS):
        risk = _at_fits(passed, make(proposed), risk)
        found = risk(make(proposed))
        if found >= lowest:
            break
        again, lowest = best(risk), found
        choice = replace(again, strengths=proposed, risk=found)
        if again.strengths == proposed:
            break
        proposed = again.strengths
    return choice


def _at_fits(passed: Passed, problem: Problem, near: QuadraticRisk | None = None) -> QuadraticRisk:
    """The models at the fits of a problem without each fold, all fitted in the same passes.

    The fits start from the minima of the models that are ``near``, without any from no features.
    """

    def start(k: int) -> Blocks:
        return problem.start() if near is None else near.folds[k].minimum(problem)

    descents: dict[int, Descent[ObjectiveAt]] = {
        k: Newton().descent(problem, start(k), _ROUGH, _STEPS)
        for k in range(passed.moments.n_folds)
    }
    found: dict[int, FoldSums] = {}
    while asked := {k: d.asked for k, d in descents.items() if d.asked is not None}:
        theta = {k: problem.structure.assemble(blocks) for k, blocks in asked.items()}
        for k, sums in passed.folds_at(problem.loss, theta).items():
            risk = sums.outside.weighted(omega(passed, sums.outside.count))
            there = ObjectiveAt(problem, asked[k], theta[k], risk)
            descents[k].tell(there)
            if descents[k].here is there:
                found[k] = sums
    return QuadraticRisk(passed, [found[k] for k in descents])


def at_levels(passed: Passed, loss: Loss) -> list[FoldSums]:
    """The model of each fold at the level of the other rows; at zero without an intercept."""
    folds = range(passed.moments.n_folds)
    levels = {k: _level(passed, loss, k) if passed.intercept else 0.0 for k in folds}
    if loss.is_canonical:
        return [passed.fold_at_level(loss, k, level) for k, level in levels.items()]
    theta = {k: np.zeros((passed.n_tasks, passed.n_coefs)) for k in folds}
    for k, at in theta.items():
        at[:, passed.n_features :] = levels[k]
    return list(passed.folds_at(loss, theta).values())


def omega(source: Oracle, count: np.ndarray) -> np.ndarray:
    """Weight in R of each row of the tasks (m,), those without rows left out."""
    share = np.where(count > 0, source.share, 0.0)
    return np.asarray(share / share.sum() / np.where(count > 0, count, 1.0))


def _level(passed: Passed, loss: Loss, fold: int) -> float:
    """The predictor of the weighted mean target of the other rows.

    At an end of what targets may be (a class without rows) one row more is thought to be elsewhere.
    """
    moments = passed.moments
    sums = moments.select_folds(np.arange(moments.n_folds) != fold)
    weight, count = omega(passed, sums[:, 0, 0]), sums[:, 0, 0]
    mean = float(weight @ (sums[:, 0, -1] + count * moments.shift[-1]) / (weight @ count))
    least = 1.0 / (1.0 + count.sum())
    ends = loss.targets.low + least, loss.targets.high - least
    return float(loss.link(np.clip(np.asarray(mean), *ends)))
