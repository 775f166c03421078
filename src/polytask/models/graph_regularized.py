"""The graph-regularized model: tasks that are neighbours in a given graph are alike."""

from __future__ import annotations

from dataclasses import field
from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from polytask.data import Oracle, TaskData
from polytask.data.task_graph import laplacian_of
from polytask.models.base import MultiTaskLinear, Strengths
from polytask.models.registry import Formulation
from polytask.models.roles import ClassifierRole, RegressorRole
from polytask.penalties import Coupled, Ridge
from polytask.problem import Problem
from polytask.responses import Loss
from polytask.solvers import Solution
from polytask.structures import CommonDeviation
from polytask.tuning import Strength, common_grid, deviation_grid, intercept_grid, with_zero

__all__ = ["GraphRegularizedClassifier", "GraphRegularizedRegressor"]

_FAR_ABOVE = 1e7  # curvature of a pull over the data's: neighbours are alike to that many digits
_ROUNDING = 1e-12  # share of the largest eigenvalue of a Laplacian


def _within_digits(pulls: np.ndarray, K: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Strengths (p,), of columns of squared size (p,), or the most that leave differences digits.

    Eigenvalues are looked for where some may be beyond: none is above the sums of rows.
    """
    far = np.where(size > 0, _FAR_ABOVE * size, np.inf)
    if (pulls * np.abs(K).sum(axis=1).max() <= far).all():
        return pulls
    values = np.linalg.eigvalsh(K)
    least = values[values > _ROUNDING * values[-1]].min()
    return np.asarray(np.minimum(pulls, far / least))


class _GraphRegularized(MultiTaskLinear):
    """min over W: R(W) + alpha sum over edges a_ij ‖w_i - w_j‖² + alpha_ridge ‖W‖_F².

    R is the mean over tasks of the mean loss over rows. The sum over edges is tr(W L W') with L
    the graph's Laplacian and a column per task in W. Intercepts take part,
    ``alpha_intercept sum a_ij (b_i - b_j)²``, without a ridge. With an edge of weight 1/m between
    any two tasks the model is `MeanRegularized`, with alpha zero `SingleTask`.

    Parameters
    ----------
    alpha : float or "cv", default="cv"
        Strength that pulls neighbours together; larger means more alike. "cv" chooses it by 5 folds
        inside tasks.
    graph : "clique", mapping, table or array, default="clique"
        Which tasks are alike. A mapping ``{(task, task): weight}``; a table of three columns (task,
        task, weight); a table whose index and columns are task ids; or an array (m, m) in the order
        of ``tasks_``, of weights or, where it has negative entries, a Laplacian. Tasks of the graph
        that have no rows connect those that have, and get the coefficients that minimize the
        penalty. "clique": every task is every other's neighbour, weight 1/m.
    alpha_intercept : float or "auto", default="auto"
        The same strength for the intercepts. "auto" is chosen with alpha if ``alpha="cv"``,
        otherwise equal to alpha.
    alpha_ridge : float or "auto", default="auto"
        Ridge on the slopes of every task with rows. Needed where the tasks of a connected part of
        the graph have fewer rows than features in all. "auto" is chosen with alpha if
        ``alpha="cv"``, otherwise 0.
    unseen : {"error", "common"}, default="error"
        What to do in `predict` with a task that is neither in training nor in the graph: refuse, or
        use the mean of the tasks.

    Attributes
    ----------
    coef_ : ndarray of shape (k, d)
    intercept_ : ndarray of shape (k,)
    new_task_coef_, new_task_intercept_ : ndarray of shape (d,), float
        What answers for unseen tasks: with ``unseen="common"`` and strengths that the data choose,
        the common part of a mean-regularized model that predicts whole tasks, left out, best.
    tasks_ : ndarray of shape (k,)
        Tasks of training, then tasks of the graph that have no rows.
    common_coef_, common_intercept_ : ndarray of shape (d,), float
        Mean over tasks.
    alpha_, alpha_intercept_, alpha_ridge_ : float
    alpha_path_, cv_scores_ : ndarray
        Values of alpha that were tried, and minus the estimated risk of each (``alpha="cv"``).

    Raises
    ------
    ValueError
        If a task of training is in no edge, or a weight is negative.

    References
    ----------
    Evgeniou, Micchelli and Pontil, Learning multiple tasks with kernel methods, JMLR 2005.

    Examples
    --------
    >>> from polytask import GraphRegularizedRegressor
    >>> from polytask.datasets import make_related_tasks
    >>> X, y, truth = make_related_tasks(n_tasks=3, n_features=4, random_state=0)
    >>> a, b, c = sorted(set(X["task"]))
    >>> model = GraphRegularizedRegressor(0.1, graph={(a, b): 1.0, (b, c): 0.5}, task="task")
    >>> model.fit(X, y).coef_.shape
    (3, 4)
    """

    alpha: float | str = field(default="cv", kw_only=False)
    graph: Any = "clique"
    alpha_intercept: float | str = "auto"
    alpha_ridge: float | str = "auto"

    strengths = (
        Strength("alpha", lambda model, data, loss: model._pulls(deviation_grid, data, loss, 17)),
        Strength(
            "alpha_intercept",
            lambda model, data, loss: model._pulls(intercept_grid, data, loss, 12),
            auto="alpha",
        ),
        Strength(
            "alpha_ridge",
            lambda _, data, loss: with_zero(common_grid(data, loss, 7, 4) / data.n_tasks),
        ),
    )
    _parameter_constraints = {
        "alpha": [StrOptions({"cv"}), Interval(Real, 0, None, closed="left")],
        "graph": [StrOptions({"clique"}), dict, "array-like"],
        "alpha_intercept": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
        "alpha_ridge": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
    }

    def _coupling(self, tasks: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """K (m, m) among tasks with rows; ids of the others, and their weights on those (k, m)."""
        who, m = type(self).__name__, len(tasks)
        L, ids = laplacian_of(self.graph, tasks, who)
        between = L[m:, :m]
        try:
            others = -np.linalg.solve(L[m:, m:], between)
        except np.linalg.LinAlgError:
            raise ValueError(
                f"{who}: graph must connect every task to one with rows; some of "
                f"{ids[m:].tolist()[:5]} are not. Leave their edges out."
            ) from None
        return L[:m, :m] + between.T @ others, ids[m:], others

    def _pulls(self, grid: Any, data: TaskData, loss: Loss, n: int) -> np.ndarray:
        """Strengths, in units of the graph's mean curvature; the strongest one pools a clique."""
        K = self._coupling(data.tasks)[0]
        mean = float(np.trace(K)) / max(len(K) - 1, 1)
        strengths: np.ndarray = grid(data, loss, n, 8) / (mean or 1.0)
        return strengths

    def _make_problem(self, data: Oracle, loss: Loss, strengths: Strengths) -> Problem:
        p, d = data.n_coefs, data.n_features
        pulls, ridge = np.full(p, float(strengths["alpha"])), np.zeros(p)
        pulls[d:], ridge[:d] = strengths["alpha_intercept"], strengths["alpha_ridge"]
        structure = CommonDeviation(np.zeros(p, dtype=bool), np.ones(p, dtype=bool))
        K = self._coupling(data.tasks)[0]
        pulls = _within_digits(pulls, K, (data.column_norms**2).max(axis=0))
        coupled = Coupled(K, pulls, ridge)
        return Problem(data, loss, structure, {"common": Ridge(np.zeros(0)), "deviation": coupled})

    def _store(self, solution: Solution, data: TaskData) -> None:
        _, ids, weights = self._coupling(data.tasks)
        if len(ids):
            self.tasks_ = np.concatenate([self.tasks_, ids])
            self.coef_ = np.vstack([self.coef_, weights @ self.coef_])
            self.intercept_ = np.append(self.intercept_, weights @ self.intercept_)
        self.common_coef_ = self.coef_.mean(axis=0)
        self.common_intercept_ = float(self.intercept_.mean())


class GraphRegularizedRegressor(RegressorRole, _GraphRegularized):
    """Neighbours in a graph over tasks are alike, squared loss."""


class GraphRegularizedClassifier(ClassifierRole, _GraphRegularized):
    """Neighbours in a graph over tasks are alike, logistic loss."""


FORMULATION = Formulation(
    name="graph-regularized",
    title="Graph-regularized",
    objective="min over W: R(W) + alpha sum over edges a_ij ||w_i - w_j||^2",
    regressor=GraphRegularizedRegressor,
    classifier=GraphRegularizedClassifier,
    default=False,
    order=45,
)
