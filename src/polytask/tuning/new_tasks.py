"""What answers for a task that was not in training, chosen by leaving whole tasks out.

Rows left out of tasks that stay judge deviations, not w0: where tasks can be learned alone such a
choice leaves w0 free to be anything. Here w0 of ``R(w0 + Δw_i) + alpha ‖S ΔW‖² + alpha_common
‖S w0‖²``, S the root mean squares of the columns and a level with a strength of its own, predicts
each task from the others. With the arrow's blocks at the solution, eliminating deviations leaves
``(G + sum S_i) w0 = sum g_i``, one term a task, so that without task i

    w0_(-i) = (G + sum S - S_i)^-1 (sum g - g_i):

exact for the squared loss, one Newton step for others. Strong strengths are pooling, weak ones the
mean of the tasks' own fits. A rival, such as the w0 of estimated variances, stays unless that is
better by half a standard error over the tasks.

What answers is weighed against pooling, the strongest strengths, on the same left-out tasks: where
it is not better by two standard errors, a note says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from polytask.data import TaskData
from polytask.penalties import Ridge
from polytask.problem import Problem
from polytask.responses import Loss
from polytask.solvers import select
from polytask.structures import Blocks, CommonDeviation
from polytask.tuning.grids import POOLS, with_zero
from polytask.tuning.one_class import judged_labels
from polytask.tuning.repeats import repeats
from polytask.tuning.search import Strengths, choose

__all__ = ["new_task_coefs"]

_LEAST_TASKS = 3
_MOST_NUMBERS = 3e7  # in the Gram matrices of all tasks
_TOL, _RIDGE = 1e-6, 1e-12
_DOUBT = 0.5  # standard errors of a difference that is left to chance
_SURE, _WORTH = 2.0, 0.01  # those of one that needs no note; share of the loss that does

Rival = Callable[[], np.ndarray]


def new_task_coefs(
    data: TaskData, loss: Loss, max_iter: int, rival: Rival | None = None
) -> tuple[np.ndarray | None, str | None]:
    """Coefficients (p,) for a task that was not in training, and what there is to say of them.

    Parameters
    ----------
    rival : callable, optional
        Gives the coefficients (m, p) by which another rule predicts each task from the others.

    Returns
    -------
    coefs : ndarray of shape (p,) or None
        None where tasks are fewer than three, their Gram matrices large, or the rival stays.
    note : str or None
        That pooling was as good on the tasks left out, or nearly so.
    """
    m, p = int((data.counts > 0).sum()), data.n_coefs
    if m < _LEAST_TASKS or data.n_tasks * p**2 > _MOST_NUMBERS or p == 0:
        return None, None
    left_out = _LeaveTaskOut(data, loss, max_iter)
    size = float(np.einsum("mpp->m", data.design.grams(data.weight) / left_out.scaled).max())
    unit = data.null_curvature(loss)
    n = (14, 8, 7) if loss.is_quadratic else (9, 6, 4)
    common = 10.0 * unit * size * data.n_tasks * np.logspace(0, -8, n[2])
    grids = {
        "alpha": POOLS * unit * size * np.logspace(0, -8, n[0]),
        "level": POOLS * unit * float(data.share.max()) * np.logspace(0, -7, n[1]),
        "common": _common_grid(data, common) if loss.is_quadratic else _stronger(common),
    }
    if not data.intercept:
        del grids["level"]
    choose(left_out.risks, grids, {} if data.intercept else {"level": 1.0}, rounds=2)
    pooled = {name: grid[0] for name, grid in grids.items()} | {"common": grids["common"].min()}
    if rival is not None:
        stays = rival()
        if not left_out.clearly_better_than(stays, m):
            return None, left_out.note(left_out.losses(stays), pooled, m)
    return left_out.mean(m), left_out.note(left_out.best[1], pooled, m)


def _common_grid(data: TaskData, grid: np.ndarray) -> np.ndarray:
    """With zero, unless the other tasks' rows are too few for a w0 without a penalty."""
    rows = np.bincount(data.code, repeats(data))
    return with_zero(grid) if rows.sum() - rows.max() > data.n_coefs - 0.5 else grid


def _stronger(grid: np.ndarray) -> np.ndarray:
    """One step from labels that are next to separated is too hopeful about weak strengths."""
    return np.asarray(grid**0.75 * grid[0] ** 0.25)


class _LeaveTaskOut:
    """Risk of w0 on tasks that were left out, at strengths."""

    def __init__(self, data: TaskData, loss: Loss, max_iter: int) -> None:
        self.data, self.loss, self.max_iter = data, loss, max_iter
        square = (data.column_norms**2).sum(axis=0)
        self.size = np.where(square > 0, square, 1.0)
        self.scaled = np.sqrt(self.size[:, None] * self.size)
        self._start: Blocks | None = None
        self._seen: list[tuple[float, np.ndarray]] = []  # risk and w0 at every point
        self.best: tuple[float, np.ndarray] = (np.inf, np.zeros(data.n_tasks))

    def risks(self, points: Sequence[Strengths]) -> np.ndarray:
        """Mean of loss(y_j, x_j'w0_(-i)) over the rows of all tasks i."""
        return np.array([self._risk(point) for point in points])

    def mean(self, m: int) -> np.ndarray | None:
        """The w0 of all points, weighed by (least risk / risk)^(m/2), as likelihoods of m tasks."""
        risks, common = zip(*self._seen, strict=True)
        least = min(risks)
        if not np.isfinite(least):
            return None
        weights = (max(least, 1e-300) / np.maximum(risks, 1e-300)) ** (0.5 * m)
        return np.asarray(weights @ np.array(common) / weights.sum())

    def losses(self, coefs: np.ndarray) -> np.ndarray:
        """Share of the risk (m,) of each task by its row of coefs (m, p)."""
        data, y = self.data, judged_labels(self.data, self.loss)
        each = data.weight * self.loss.value(y, data.design.predict(coefs))
        return np.bincount(data.code, each, data.n_tasks)

    def clearly_better_than(self, rival: np.ndarray, m: int) -> bool:
        """Whether the least risk is below that of the rival's coefs (m, p) beyond chance."""
        risk, losses = self.best
        less = self.losses(rival) - losses
        return bool(np.isfinite(risk) and less.sum() > _DOUBT * np.sqrt(m) * less.std(ddof=1))

    def note(self, losses: np.ndarray, pooled: Strengths, m: int) -> str | None:
        """What to say of an answer with these losses (m,), beside the one of pooled strengths."""
        if not (self.loss.is_quadratic or self.loss.has_labels):  # others may be below zero
            return None
        others = self._without(pooled)[0]
        less = others - losses
        spread = np.sqrt(m) * float(less.std(ddof=1))
        ours, theirs = float(losses.sum()), float(others.sum())
        share = abs(ours - theirs) / max(ours, theirs, 1e-300)
        if not np.isfinite(share) or share < _WORTH or less.sum() > _SURE * spread:
            return None
        said = f"{100 * share:.0f} % less loss on tasks left out of training"
        if less.sum() < 0:
            return f"New tasks: pooled had {said} than what answers for them here."
        return (
            f"New tasks: what answers for them had {said} than pooled, {less.sum() / spread:.1f} "
            "standard errors: that may be chance, and pooled may do better."
        )

    def problem(self, at: Strengths) -> Problem:
        """The mean-regularized problem in scaled columns."""
        data = self.data
        own, common = at["alpha"] * self.size, at["common"] * self.size
        own[data.n_features :], common[data.n_features :] = at["level"], 0.0
        everywhere = np.ones(data.n_coefs, dtype=bool)
        penalties = {"common": Ridge(common), "deviation": Ridge(own)}
        return Problem(data, self.loss, CommonDeviation(everywhere, everywhere), penalties)

    def solve(self, at: Strengths) -> Blocks:
        """Blocks of the fit to all tasks."""
        problem = self.problem(at)
        found = select(problem).solve(problem, self._start, _TOL, self.max_iter)
        self._start = None if self.loss.is_quadratic else found.blocks
        return found.blocks

    def _risk(self, at: Strengths) -> float:
        losses, whole = self._without(at)
        risk = float(losses.sum()) if np.isfinite(losses).all() else np.inf
        self.best = min(self.best, (risk, losses), key=lambda seen: seen[0])
        self._seen.append((risk, whole if np.isfinite(risk) else np.zeros(len(whole))))
        return risk

    def _without(self, at: Strengths) -> tuple[np.ndarray, np.ndarray]:
        """Share of the risk (m,) of each task by the w0 of the others, and that of all."""
        data, loss, problem = self.data, self.loss, self.problem(at)
        if loss.is_quadratic:
            H, slope = data.grams, -data.weight * data.y
        else:
            f = problem.predict(self.solve(at))
            v = data.weight * loss.curvature(data.y, f)
            H, slope = data.design.grams(v), data.weight * loss.gradient(data.y, f) - v * f
        r = -data.design.adjoint(slope)
        D, G = (2.0 * problem.penalties[b].strength for b in ("deviation", "common"))  # type: ignore[attr-defined]
        # S_i = D (H_i + D)^-1 H_i and g_i = D (H_i + D)^-1 r_i: no subtraction
        Hr = np.concatenate([H, r[:, :, None]], axis=2)
        Sg = D[:, None] * np.linalg.solve(H + np.diag(D), Hr)
        total = Sg.sum(axis=0)
        system = total[:, :-1] + np.diag(G + _RIDGE * np.diag(total[:, :-1])) - Sg[:, :, :-1]
        left = total[:, -1] - Sg[:, :, -1]
        try:
            without = np.linalg.solve(system, left[:, :, None])[:, :, 0]
            whole = np.linalg.solve(system[0] + Sg[0, :, :-1], total[:, -1])
        except np.linalg.LinAlgError:
            return np.full(data.n_tasks, np.inf), np.zeros(data.n_coefs)
        return self.losses(without), whole
