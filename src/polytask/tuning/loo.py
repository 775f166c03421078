"""Leave-one-out risk of problems with quadratic penalties, from the factorization of the fit.

Leaving out observation j takes its term out of the objective and changes nothing else: the other
observations keep their weights, the penalties their strength. With the blocks L (penalty
included), E, S of the arrow at the solution (see `polytask.algebra.arrow`), the prediction at x_j
becomes

    f_(-j) = f_j + omega_j q_j loss'(y_j, f_j) / (1 - h_j),   h_j = omega_j loss''(y_j, f_j) q_j,
    q_j = x' L^-1 x + u' S^-1 u,   u = x - E' L^-1 x.

This is exact for the squared loss. For other losses it is one Newton step from the solution, the
approximate leave-one-out of Rad and Maleki (JRSS B 2020), and in tasks of few rows a second one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from polytask.algebra.arrow import ArrowFactor
from polytask.algebra.wide import WideRidge
from polytask.data import Design, MomentData, TaskData
from polytask.problem import Problem
from polytask.solvers import select
from polytask.solvers.arrow_problem import ArrowProblem, arrow_problem, why_not_arrow
from polytask.solvers.cost import products_pay
from polytask.structures import Blocks
from polytask.tuning.folds import few_labels
from polytask.tuning.leave_group_out import (
    GroupForms,
    groups_are_small,
    residuals_without_groups,
    whole_tasks,
)
from polytask.tuning.leverages import LossesLeftOut
from polytask.tuning.loo_outputs import left_out
from polytask.tuning.loo_small import (
    MOST_TOGETHER,
    left_out_of_task,
    most_rows,
    tasks_of_few,
    whole_table,
)
from polytask.tuning.one_class import judged_labels
from polytask.tuning.path import LEAST_POINTS, in_one_step, in_two_steps
from polytask.tuning.repeats import of_one_row, repeats
from polytask.tuning.spectral import Points, SpectralFits, serves

__all__ = ["LeaveOneOut", "leave_one_out", "takes_products"]

_NO_INFORMATION = 1e-6  # 1 - h of an observation without which its prediction is undefined
# Where w0 has no penalty its system may be singular, and noise of 1e-12 in it leaves 1e-6 in 1 - h.
_NO_INFORMATION_FREE = 1e-5
_LITTLE_LEFT = 1e-2  # 1 - h from which the fit is refined
_MUCH = 1e5  # products in a pass over the rows, from which on leverages through w0 count
_ROWS_LIMIT = 1e7  # numbers: gathered rows are kept up to 80 MB

_RowBatch = tuple[np.ndarray, np.ndarray, np.ndarray | None, np.ndarray]
_Forms = tuple[np.ndarray, np.ndarray | None, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


class LeaveOneOut:
    """Leave-one-out risk of problems that share their data.

    Equal rows of a task leave together, whole-number weights with them, unless they are rows of
    their own (`polytask.tuning.repeats`): a row of weight 2 is the row twice. Where rows have
    groups, whole groups are left out.

    Parameters
    ----------
    tol, max_iter : float, int
        For the fits of losses without a closed form; each starts at the last one's solution.
    """

    def __init__(self, tol: float = 1e-6, max_iter: int = 100) -> None:
        self.tol, self.max_iter = tol, max_iter
        self._start: Blocks | None = None
        self._rows: list[_RowBatch] | None = None
        self._spectral: SpectralFits | None = None

    @staticmethod
    def why_not(problem: Problem) -> str | None:
        """None, or why folds have to serve: the penalties, labels that are too few, or no rows."""
        if isinstance(problem.source, MomentData):
            return "needs the rows, not their moments"
        if problem.loss.strata:
            return "needs a loss that is a sum over rows"
        reason = why_not_arrow(problem)
        if reason is not None:
            return reason
        if problem.data.time is not None:
            return "judges rows by later ones too"
        if problem.data.group is not None and not problem.loss.is_quadratic:
            return "goes one Newton step, which does not reach a fit without a whole group"
        if problem.data.group is not None and not groups_are_small(problem.data):
            return "needs the square of each group's rows"
        if few_labels(problem.data, problem.loss):
            return "goes one Newton step, which does not reach a task's fit without a rare label"
        return "needs matrices that are too large" if takes_products(problem) else None

    def __call__(self, problem: Problem) -> float:
        """Mean of loss(y_j, f_(-j)) with weights omega; infinite where some f_(-j) is undefined.

        Labels of tasks of one class are judged as `judged_labels` says.

        Observations that no strength can predict (the only one of a task whose level is free) are
        left out of the mean.
        """
        data = problem.data
        f = self.predictions(problem)
        known = np.isfinite(f) if f.ndim == 1 else np.isfinite(f).all(axis=1)
        if not (known | _alone(problem)).all():
            return np.inf
        weight = data.weight[known]
        risk = problem.loss.value(judged_labels(data, problem.loss)[known], f[known])
        return float(weight @ risk) / max(float(weight.sum()), 1e-300)

    def risks(self, problems: Sequence[Problem], near: Problem | None = None) -> np.ndarray:
        """The same of several problems on a path, with the same data, at once where that serves.

        There leverages through w0 are told by those of the problem ``near`` where that is given:
        all risks cost as much as one then, and that of ``near`` is exact.
        """
        arrows = [arrow_problem(problem) for problem in problems]
        one_by_one = problems[0].data.group is not None
        at_once = [] if one_by_one else np.flatnonzero(serves(arrows)).tolist()
        risks = np.empty(len(problems))
        if at_once:
            close = None if near is None else arrow_problem(near)
            risks[at_once] = self._risks_at_once([arrows[i] for i in at_once], close)
        for i in set(range(len(problems))).difference(at_once):
            risks[i] = self(problems[i])
        return risks

    def _risks_at_once(
        self, arrows: Sequence[ArrowProblem], near: ArrowProblem | None
    ) -> np.ndarray:
        """Mean risks; those along a path of one strength by some of them, see `in_two_steps`."""
        data, c, every = arrows[0].problem.data, Points.of(arrows).path(), np.arange(len(arrows))
        whole = data.weight.sum()

        def ask(some: np.ndarray, wanted: str) -> tuple[np.ndarray, np.ndarray, bool]:
            found = self._left_out([arrows[i] for i in some], near, wanted)
            weight = np.maximum(whole - found.lost.sum(axis=0), 1e-300)
            risks, own = (total.sum(axis=0) / weight for total in (found.total, found.own))
            return risks, own, not found.lost.any() and bool(np.isfinite(risks).all())

        if near is not None or len(c) < LEAST_POINTS:
            return ask(every, "risk")[0]
        fits = self._spectra(data)
        spectrum = fits.spectrum()
        if not len(spectrum):
            return ask(every, "risk")[0]
        risks, order = np.empty(len(c)), np.argsort(c)

        def ordered(some: np.ndarray, wanted: str) -> tuple[np.ndarray, np.ndarray, bool]:
            return ask(order[some], wanted)

        if len(data.y) * data.n_coefs**2 > _MUCH:
            first = 8 if fits.kept else 14  # else a point is little beside a pass
            risks[order] = in_two_steps(ordered, c[order], spectrum, first)
        else:
            risks[order] = in_one_step(ordered, c[order], spectrum)
        return risks

    def fitted(self, problem: Problem) -> Blocks | None:
        """The fit of a problem whose risk was asked for, where it is at hand."""
        arrow = arrow_problem(problem)
        if self._spectral is None or not serves([arrow])[0]:
            return None
        return self._spectral.blocks(Points.of([arrow]))

    @staticmethod
    def at_once(problem: Problem) -> bool:
        """Whether `risks` of problems like this one cost little more than that of one."""
        return problem.data.group is None and bool(serves([arrow_problem(problem)])[0])

    def task_risks(self, problems: Sequence[Problem]) -> np.ndarray:
        """Mean risk of each task (m, A) on a path; infinite where problems do not serve at once."""
        arrows = [arrow_problem(problem) for problem in problems]
        served = np.flatnonzero(serves(arrows))
        total, lost, *_ = self._left_out([arrows[i] for i in served])
        left = problems[0].data.share[:, None] - lost
        found = np.full((len(left), len(problems)), np.inf)
        found[:, served] = np.where(left > 0, total, np.inf) / np.maximum(left, 1e-300)
        return found

    def _spectra(self, data: TaskData) -> SpectralFits:
        if self._spectral is None or self._spectral.data is not data:
            self._spectral = SpectralFits(data)
        return self._spectral

    def _left_out(
        self,
        arrows: Sequence[ArrowProblem],
        near: ArrowProblem | None = None,
        wanted: str = "risk",
    ) -> LossesLeftOut:
        """Weighted losses of each task (m, A), infinite where undefined; weights of no loss.

        Where w0 is as at the fit, a row moves its own task alone: "near" what is ``wanted``, the
        "risk", and far less work; or "both".
        """
        data = arrows[0].problem.data
        found = self._spectra(data).leave_out(
            Points.of(arrows),
            1.0 / repeats(data),
            None if near is None else Points.of([near]),
            wanted,
        )
        alone = of_one_row(data)[:, None]  # with the level, where that is free
        excused = alone & np.array([_free_level(arrow) for arrow in arrows])
        total = np.where(found.undefined & ~excused, np.inf, found.total)
        return found._replace(total=total)

    def predictions(self, problem: Problem) -> np.ndarray:
        """f_(-j) of every observation, shape (N,) or, of several predictors, (N, q).

        NaN where nothing else informs it.
        """
        data, loss, arrow = problem.data, problem.loss, arrow_problem(problem)
        if loss.is_quadratic:
            factor = arrow.factor_unit()
            blocks = _minus(problem.zeros(), factor.solve(problem.residual(problem.zeros())))
            f = problem.predict(blocks)
        else:
            solution = select(problem).solve(problem, self._start, self.tol, self.max_iter)
            self._start = solution.blocks
            f = problem.predict(solution.blocks)
            if loss.n_predictors > 1:
                at, batches = problem.at(solution.blocks), self._row_batches(data.design)
                return left_out(arrow, f, arrow.factor_at(at.risk), repeats(data), batches)
            factor = arrow.factor(loss.curvature(data.y, f))
        least = _NO_INFORMATION if arrow.G[: data.n_features].all() else _NO_INFORMATION_FREE
        if data.group is not None and loss.is_quadratic:
            forms = GroupForms(arrow, factor, self._row_batches(data.design))
            f = problem.predict(_refined(problem, factor, blocks, f))
            return data.y - residuals_without_groups(forms, data.y - f, data.group, least)
        curvature = loss.curvature(data.y, f)
        influence = (
            data.weight
            * _quadratic_forms(arrow, factor, curvature, self._row_batches(data.design))
            / repeats(data)
        )
        left = 1.0 - curvature * influence
        if loss.is_quadratic and left.min(initial=1.0) < _LITTLE_LEFT:
            f = problem.predict(_refined(problem, factor, blocks, f))
        step = influence * loss.gradient(data.y, f) / np.maximum(left, least)
        near = np.where(left > least, f + step, np.nan)
        return near if loss.is_quadratic else self._anew(arrow, factor, f, near)

    def _anew(
        self, arrow: ArrowProblem, factor: ArrowFactor, f: np.ndarray, near: np.ndarray
    ) -> np.ndarray:
        """The same, tasks of few rows solved anew (see `polytask.tuning.loo_small`).

        Tables of few rows as a whole, since a row moves what all tasks share.
        """
        data, loss = arrow.problem.data, arrow.problem.loss
        together = len(data.y) <= MOST_TOGETHER and not factor.wide
        most = most_rows(loss)
        few = together or data.sizes.min() <= most
        if not few or isinstance(factor.schur, WideRidge):
            return near
        if loss.has_labels:  # rare ones have folds, the others are near enough
            return near
        share = 1.0 / repeats(data)
        forms = _narrow_forms(arrow, factor, self._row_batches(data.design))
        for some, Q in whole_table(forms, len(data.y)) if together else tasks_of_few(forms, most):
            found = left_out_of_task(data, loss, f, some, Q, share)
            known = np.isfinite(found) & np.isfinite(near[some])
            near[some[known]] = found[known]
        return near

    def _row_batches(self, design: Design) -> Iterable[_RowBatch]:
        """Rows of every batch; small data are gathered once for the whole path."""
        if design.start[-1] * design.n_columns > _ROWS_LIMIT:
            return _row_batches(design)
        if self._rows is None:
            self._rows = list(_row_batches(design))
        return self._rows


def takes_products(problem: Problem) -> bool:
    """Whether fits take products with the rows, because matrices would be too large or slow."""
    return why_not_arrow(problem) is None and products_pay(arrow_problem(problem))


def leave_one_out(problem: Problem) -> np.ndarray:
    """Leave-one-out linear predictors f_(-j) of a problem, shape (N,)."""
    return LeaveOneOut(tol=1e-10).predictions(problem)


def _refined(problem: Problem, factor: ArrowFactor, blocks: Blocks, f: np.ndarray) -> Blocks:
    """Blocks whose residuals y - f, which may be small, have their digits."""
    for _ in range(2):
        blocks = _minus(blocks, factor.solve(problem.residual(blocks, f)))
        f = problem.predict(blocks)
    return blocks


def _minus(blocks: Blocks, step: Blocks) -> Blocks:
    return {name: B - step[name] for name, B in blocks.items()}


def _alone(problem: Problem) -> np.ndarray:
    """Observations that are all there is of a task with a free intercept of its own."""
    data = problem.data
    if not _free_level(arrow_problem(problem)):
        return np.zeros(len(data.y), dtype=bool)
    return of_one_row(data)[data.code] if data.group is None else whole_tasks(data)


def _free_level(arrow: ArrowProblem) -> bool:
    """Whether tasks have intercepts of their own, without a penalty."""
    own = arrow.problem.data.intercept and arrow.structure.deviation[-1]
    return bool(own and arrow.D[-1] == 0)


def _quadratic_forms(
    arrow: ArrowProblem, factor: ArrowFactor, curvature: np.ndarray, batches: Iterable[_RowBatch]
) -> np.ndarray:
    """q_j of every observation, shape (N,)."""
    data = arrow.problem.data
    v = np.maximum(data.weight * curvature, 1e-300)
    if isinstance(factor.schur, WideRidge):
        return (1.0 - np.diag(factor.schur.residual_operator())) / v
    q = np.zeros(len(data.y))
    for obs, valid, A, own, u, across in _narrow_forms(arrow, factor, batches):
        chosen = slice(None) if valid is None else valid
        forms = np.einsum("bnr,bnr->bn", A, own) + np.einsum("bnr,bnr->bn", across, u)
        q[obs[chosen]] = forms[chosen]
    for i, task in factor.wide.items():
        part = slice(data.start[i], data.start[i + 1])
        M = task.ridge.residual_operator()
        u = np.asarray(M @ task.Z_common)
        q[part] = (1.0 - np.diag(M) + ((u @ factor.schur) * u).sum(axis=1)) / v[part]
    return q


def _narrow_forms(
    arrow: ArrowProblem, factor: ArrowFactor, batches: Iterable[_RowBatch]
) -> Iterator[_Forms]:
    """(observations, valid, A, X, U, V) of batches of tasks with X H^-1 X' = A X' + V U'.

    Between the rows of two tasks it is V U' alone.
    """
    structure, D = arrow.structure, arrow.D
    position = np.full(arrow.problem.data.n_tasks, -1)
    position[factor.narrow] = np.arange(len(factor.narrow))
    both = structure.common.all() and structure.deviation.all()
    middle = D[:, None] * factor.schur * D if both else factor.schur
    for tasks, obs, valid, rows in batches:
        inside = position[tasks] >= 0
        if not inside.any():
            continue
        at, rows = position[tasks][inside], rows[inside]
        own = rows if both else rows[:, :, structure.deviation]
        R = factor.roots[at]
        A = (own @ R.transpose(0, 2, 1)) @ R
        if both:  # u = D L^-1 x: no subtraction
            u = A
        elif factor.coupling is not None:
            u = rows[:, :, structure.common] - A @ factor.coupling[at]
        else:
            continue
        yield obs[inside], None if valid is None else valid[inside], A, own, u, u @ middle


def _row_batches(design: Design) -> Iterator[_RowBatch]:
    """(tasks, observations, valid, dense rows) of every batch; a sparse task is its own batch."""
    if not design.sparse:
        for batch in design.batches:
            yield batch.tasks, batch.obs, batch.valid, design.rows(batch)
        return
    for i in np.flatnonzero(np.diff(design.start)):
        obs = np.arange(design.start[i], design.start[i + 1])[None]
        yield np.array([i]), obs, None, design.block(int(i)).toarray()[None]
