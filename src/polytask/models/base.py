"""What every linear multi-task estimator does: choose strengths, solve, keep the answer."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from polytask.data import (
    Design,
    MomentData,
    Oracle,
    TaskData,
    callers_level,
    read_rows,
    task_codes,
)
from polytask.data.folds import task_folds
from polytask.data.held_rows import group_folds
from polytask.data.many import FOLD_SEED, FOLDS, summed_up
from polytask.models._fields import FromFields
from polytask.models.doors import Doors
from polytask.models.steps import part_of, step
from polytask.models.unseen import unseen_message
from polytask.problem import Problem
from polytask.responses import Loss, Response
from polytask.solvers import Newton, Solution, Status, select
from polytask.solvers.base import missing
from polytask.solvers.conjugate import NewtonCG
from polytask.structures import Blocks
from polytask.tuning import (
    Strength,
    beyond_paths,
    choose_strengths,
    given_strengths,
    new_task_coefs,
)

__all__ = ["MultiTaskLinear", "Strengths"]

Strengths = dict[str, Any]
Grids = dict[str, np.ndarray]
_CHUNK = 4_000_000  # numbers of X that predictions copy at a time: 32 MB
_ROUNDS = 100  # of a fit and what the response learns from it
_SETTLED = 1e-10  # relative change of what it learned


class MultiTaskLinear(FromFields, Doors):
    """Base of the linear formulations; a formulation says what its problem is.

    A subclass declares its ``strengths`` (names, and values to choose from) and defines
    `_make_problem` (structure and penalties at given strengths). It describes what it adds.

    Parameters
    ----------
    loss : str or Response, default="auto"
        What the targets are: "squared", which is a regressor's "auto", "poisson" for counts,
        "gamma" for amounts, "binomial" for shares, "ordinal" for ratings, "huber" for outliers, and
        more in `polytask.responses`; a classifier's is "logistic", of more than two classes, where
        the model takes them, their multinomial loss.
    task : None, str or int, default=None
        Task column of X: a name, or a position. None is one task, or a wide y.
    fit_intercept : bool, default=True
        Whether every task has an intercept.
    task_weight : {"auto", "equal", "size"}
        Whether tasks or rows weigh alike in R. "auto" is "equal" where the leading strength is a
        number, and "size" where it is chosen: one strength then suits a task of 600 rows beside
        others of 6.
    unseen : {"error", "common"}, default="error"
        What to do with an unseen task in `predict`: refuse, or answer with `new_task_coef_`.
    tol : float, default=1e-8
        Largest scale-free KKT violation at the returned coefficients.
    max_iter : int, default=100
        Newton steps at most.
    verbose : int, default=0
        1 prints a line for each step of a fit.

    Attributes
    ----------
    tasks_ : ndarray of shape (m,)
    response_, classes_
        The kind of target that was fitted, and a classifier's labels, sorted.
    objective_, violation_, certificate_, solver_, status_, n_iter_
        The objective and KKT violation at ``coef_``, and how they were reached.
    """

    strengths: ClassVar[tuple[Strength, ...]]
    _is_one: ClassVar[bool] = False  # for all tasks, seen or not
    _exact_paths: ClassVar[bool] = True  # leave-one-out of squares: a long path costs little

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "loss": [str, Response],
        "task": [None, str, Integral, list, tuple],
        "fit_intercept": ["boolean"],
        "task_weight": [StrOptions({"auto", "equal", "size"})],
        "unseen": [StrOptions({"error", "common"})],
        "tol": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "verbose": ["verbose"],
    }

    loss: str | Response = "auto"
    task: str | int | None = None
    fit_intercept: bool = True
    task_weight: str = "equal"
    unseen: str = "error"
    tol: float = 1e-8
    max_iter: int = 100
    verbose: int = 0

    # What a formulation says.

    @property
    def _weight_rule(self) -> str:
        if self.task_weight != "auto":
            return self.task_weight
        return "size" if isinstance(getattr(self, self.strengths[0].name), str) else "equal"

    def _make_problem(self, data: Any, loss: Loss, strengths: Strengths) -> Problem:
        """The problem of whoever holds the rows (`Oracle`)."""
        raise NotImplementedError

    def _given(self) -> Strengths:
        """Strength parameters by name: a number, or None where it is to be chosen."""
        return given_strengths(self)

    def _grids(self, data: TaskData, loss: Loss) -> Grids:
        """A grid for every strength that may be chosen, from strong to weak."""
        return {s.name: s.grid(self, data, loss) for s in self.strengths if s.grid is not None}

    def _tuned_problem(self, data: Any, loss: Loss, strengths: Strengths) -> Problem:
        """The problem whose held-out risk chooses strengths: the formulation's own."""
        return self._make_problem(data, loss, strengths)

    def _store(self, solution: Solution, data: Any) -> None:
        """Keep a formulation's own attributes."""

    # The same for all.

    def _fit_data(self, source: Oracle) -> Any:
        said = self._loss()
        self.response_: Response = said
        if isinstance(source, TaskData):
            self.response_ = said.started(source.y, source.weight, source.code)
        with step(self, "choose strengths", parts=True):
            strengths = self._choose_strengths(self._asked(source), self.response_)
        with step(self, "solve") as say:
            solution = self._solve(source, strengths, None)
            say(f"{solution.solver}, {solution.status.value}, violation {solution.violation:.1e}")
        if said.learns:
            assert isinstance(source, TaskData)
            with step(self, "learn the response", parts=True):
                strengths, solution = self._settle(source, solution)
        self._keep(solution, source, strengths)
        self._answer_new_tasks(source)
        return self

    def _answer_new_tasks(self, source: Oracle) -> None:
        """Coefficients for tasks that were not in training, by whole tasks left out.

        Where strengths are left to the data: with given ones the model says what w0 is.
        """
        if self._must_choose():
            self._answer_beside(source, None)

    def _answer_beside(self, source: Oracle, rival: Callable[[], np.ndarray] | None) -> None:
        """The same where the w0 of the model is a rival that may stay."""
        if self.unseen != "common" or self._wide or self._is_one:
            return
        if not self.response_.by_rows:
            return
        if not isinstance(source, TaskData) or isinstance(source, MomentData):
            return
        with step(self, "answer new tasks", parts=True):
            found, note = new_task_coefs(source, self.response_, self.max_iter, rival)
        if note is not None:
            self.notes_ = (note,)
        if found is not None:
            d = source.n_features
            self.new_task_coef_ = found[:d]
            self.new_task_intercept_ = float(found[d:].sum() - found[:d] @ self._center)

    def _asked(self, source: Oracle) -> Oracle:
        """Who is asked about strengths: sums over rows that are many, as from files of them."""
        if not isinstance(source, TaskData) or isinstance(source, MomentData):
            return source
        if not self._must_choose() or self._wide or source.design.sparse or source.time is not None:
            return source
        if not summed_up(len(source.y), source.n_features, source.n_tasks):
            return source
        if self._why_not_sums(source.tasks, source.n_features) is not None:
            return source
        from polytask.sources.held import HeldRows
        from polytask.sources.moments import MomentJob
        from polytask.sources.passed import Passed
        from polytask.sources.passes import SerialRunner

        labels = source.y if self.response_.has_labels else None
        if source.group is None:  # as files of the rows do
            folds = task_folds(source.code, FOLDS, FOLD_SEED, labels)
        else:
            folds = group_folds(source.code, source.group, FOLDS, FOLD_SEED, labels)
        runner, held = SerialRunner(), HeldRows(source, np.maximum(folds, 0))
        moments = runner.run(MomentJob(FOLDS), held)
        if self.response_.is_quadratic:
            return self._moment_data(moments)
        return Passed(runner, held, moments, source.share, source.intercept)

    def _why_not_sums(self, tasks: np.ndarray | None = None, n_features: int = 1) -> str | None:
        """None, or why sums over the rows are not enough, to follow "where"."""
        loss = self._loss()
        if loss.is_quadratic:
            return None
        if loss.learns:
            return f"loss={loss.name!r} learns from single rows"
        tasks = np.arange(2) if tasks is None else tasks
        m, p = len(tasks), n_features + self.fit_intercept
        design = Design(np.ones((m, p)), None, np.arange(m + 1))  # a row a task will say
        one, row = np.ones(m), np.arange(m)
        some = TaskData(design, one, one, one / m, tasks, self.fit_intercept, row)
        problem = self._make_problem(some, loss, {s.name: 1.0 for s in self.strengths})
        lacks = missing(Newton() if self._must_choose() else NewtonCG(), problem)
        return f"the model lacks {lacks[0].says}" if lacks else None

    def _solve(self, data: Oracle, strengths: Strengths, start: Blocks | None) -> Solution:
        problem = self._make_problem(data, self.response_, strengths).lifted()
        return select(problem).solve(problem, start, self.tol, self.max_iter)

    def _settle(self, data: TaskData, solution: Solution) -> tuple[Strengths, Solution]:
        """Fits and what the response learns from them, in turn, until it learns nothing new.

        Strengths are chosen once more at what it learned from the first fit, and then held.
        """
        strengths: Strengths = {}
        for _ in range(_ROUNDS):
            f = data.design.predict(solution.coefs)
            learned = self.response_.updated(data.y, f, data.weight)
            if strengths and learned.is_near(self.response_, _SETTLED):
                break
            self.response_ = learned
            strengths = strengths or self._choose_strengths(self._asked(data), learned)
            solution = self._solve(data, strengths, solution.blocks)
        return strengths, solution

    def _learned(self) -> Response:
        """The response with what the last fit learned of it."""
        return getattr(self, "response_", None) or self._loss()

    def _keep(self, solution: Solution, data: Oracle, strengths: Strengths) -> None:
        """Fitted attributes of a solution."""
        self._warn(solution)
        for old in ("new_task_coef_", "new_task_intercept_", "notes_"):  # of another fit
            if hasattr(self, old):
                delattr(self, old)
        self.tasks_ = data.tasks
        self._center = np.zeros(data.n_features) if data.center is None else data.center
        self.coef_, self.intercept_ = self._slopes_and_level(solution.coefs)
        for name, value in strengths.items():
            setattr(self, f"{name}_", value)
        self.n_iter_ = max(solution.n_iter, 1)
        self.objective_ = solution.objective
        self.violation_ = solution.violation
        self.status_ = solution.status.value
        self.certificate_ = solution.certificate
        self.solver_ = solution.solver
        self._store(solution, data)

    def _slopes_and_level(self, theta: np.ndarray) -> tuple[np.ndarray, Any]:
        """Slopes (..., d) and levels (...) at x = 0 of coefficients; of classes (..., K, d)."""
        theta, d = self._learned().by_class(theta), len(self._center)
        coef = theta[..., :d]
        level = theta[..., d] if theta.shape[-1] > d else np.zeros(theta.shape[:-1])
        return coef, level - coef @ self._center

    def _must_choose(self) -> bool:
        """Whether a strength or a limit is left to held-out risks."""
        return any(value is None for value in self._given().values())

    def _choose_strengths(self, data: Any, loss: Loss) -> Strengths:
        return self._search(data, loss, self._given())

    def _search(
        self, data: Oracle, loss: Loss, given: Strengths, grids: Grids | None = None
    ) -> Strengths:
        """The strengths of ``given``, those that are None chosen by their held-out risk."""
        if all(value is not None for value in given.values()):
            return given
        rows = data if isinstance(data, TaskData) else data.stand_in  # type: ignore[attr-defined]
        grids = self._grids(rows, loss) if grids is None else grids
        wanted = {name: grids[name] for name, value in given.items() if value is None}
        fixed = {name: value for name, value in given.items() if value is not None}

        def problem_at(part: TaskData, strengths: Strengths) -> Problem:
            part_of(self)
            return self._tuned_problem(part, loss, strengths).lifted()

        choice = choose_strengths(
            problem_at, data, wanted, fixed, self.max_iter,
        )  # fmt: skip
        self.alpha_path_, self.cv_scores_ = choice.path, -choice.risks
        if 0.0 not in wanted.get("alpha", ()):  # no penalty at all knows no units
            self._warn_of_units(rows, loss)
        return {name: choice.strengths[name] for name in given}

    def _warn_of_units(self, data: TaskData, loss: Loss) -> None:
        """Where every strength costs a fit, paths are too short for columns of all scales."""
        if (loss.is_quadratic and self._exact_paths) or not beyond_paths(data):
            return
        warnings.warn(
            f"{type(self).__name__}: features must have standard deviations of a like size for one "
            "strength to serve them; got some 10,000 times others. Scale them (StandardScaler).",
            UserWarning,
            stacklevel=callers_level(),
        )

    def _warn(self, solution: Solution) -> None:
        what, left = "KKT violation", solution.violation
        if solution.gap is not None:
            what, left = "relative duality gap", solution.gap
        if solution.status is not Status.SOLVED:
            above = f", above tol={self.tol:.1e}" if left > self.tol else ""
            warnings.warn(
                f"{type(self).__name__}: {what} {left:.1e} after {solution.n_iter} iterations"
                f"{above}: {solution.status.value}.",
                ConvergenceWarning,
                stacklevel=callers_level(),
            )

    def _linear_predictor(self, X: Any) -> np.ndarray:
        """w_i'x + b_i, shape (n,), or (n, m) after a fit to a wide y."""
        check_is_fitted(self)
        rows = read_rows(self, X, reset=False, split=True)
        if self._wide:
            return _of_classes(_every_task, rows.X, self.coef_) + self.intercept_
        code = task_codes(rows.ids, self.tasks_, rows.X.shape[0])
        coef, intercept = self.coef_, self.intercept_
        if rows.ids is not None and (code < 0).any():
            if self.unseen == "error":
                raise ValueError(unseen_message(self, rows.ids[code < 0]))
            common, level = self._common()  # joined as a last row, which code -1 points at
            coef = np.concatenate([coef, np.asarray(common)[None]])
            intercept = np.concatenate([intercept, np.asarray(level)[None]])
        return _of_classes(_rowwise, rows.X, coef, code) + intercept[code]

    def _common(self) -> tuple[np.ndarray, Any]:
        """Coefficients and intercept for a task that was not in training."""
        if hasattr(self, "new_task_coef_"):
            return self.new_task_coef_, self.new_task_intercept_
        return self._shared()

    def _shared(self) -> tuple[np.ndarray, Any]:
        """Coefficients and intercept that the tasks of the fit have in common."""
        return self.common_coef_, self.common_intercept_

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Attributes; older versions took features about zero, not about a center."""
        super().__setstate__(state)
        if "coef_" in vars(self) and "_center" not in vars(self):
            self._center = np.zeros(self.coef_.shape[1])


def _of_classes(f: Any, X: Any, coef: np.ndarray, *args: Any) -> np.ndarray:
    """F of coefficients (m, d), or of those of each class with a last axis of classes."""
    if coef.ndim == 2:
        return np.asarray(f(X, coef, *args))
    return np.stack([f(X, coef[:, c], *args) for c in range(coef.shape[1])], axis=-1)


def _every_task(X: Any, coef: np.ndarray) -> np.ndarray:
    """X coef', in parts where X would be widened as a whole."""
    if X.dtype == coef.dtype or sparse.issparse(X):
        return np.asarray(X @ coef.T)
    step = max(1, _CHUNK // max(X.shape[1], 1))
    return np.concatenate([X[at : at + step] @ coef.T for at in range(0, X.shape[0], step)])


def _rowwise(X: Any, coef: np.ndarray, code: np.ndarray) -> np.ndarray:
    """x_j'coef[code_j] for every row j, task by task where that reads less memory."""
    if len(coef) == 1 and X.dtype == coef.dtype:
        return np.asarray(X @ coef[0])
    out = np.empty(X.shape[0])
    step = max(1, _CHUNK // max(X.shape[1], 1))  # rows that are gathered, or widened, at a time
    order = np.argsort(code, kind="stable")
    present, first = np.unique(code[order], return_index=True)
    for i, of_task in zip(present, np.split(order, first[1:]), strict=True):
        for at in range(0, len(of_task), step):
            part = of_task[at : at + step]
            out[part] = X[part] @ coef[i]
    return out
