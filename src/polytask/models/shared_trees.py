"""Boosted trees that all tasks share, with a head for each task on what they learned."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from numbers import Integral, Real
from typing import Any, ClassVar, NamedTuple

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from polytask.data import Rows, TaskData, make_task_data, read_target
from polytask.data.threads import with_trees
from polytask.models._label_stack import LabelStack
from polytask.models._on_columns import (
    HeadsClassifier,
    HeadsRegressor,
    OnColumns,
    OnColumnsRegressor,
    read_dense,
)
from polytask.models._total_effects import some_rows, total_effects
from polytask.models.boosted_trees import MAX_CATEGORIES
from polytask.models.registry import Formulation
from polytask.models.roles import ClassifierRole
from polytask.responses import Response
from polytask.tuning.stacking import HeldOut, common_weights
from polytask.tuning.tree_feature import TreeRows, binned

__all__ = ["SharedTreesClassifier", "SharedTreesRegressor"]

_FOLDS = 5  # in which the feature of a row is learned without it
_BOLD = 3  # times the learning rate, in rounds that only say what tasks add to the common part
_CLEAR, _SURE = 0.5, 1.0  # standard errors of a gain in rows, and in tasks, from which on it is one
_LEAVES = 30  # for which the rows of a table would suffice, but
_FEWEST, _MOST = 3, 10  # that no leaf has to hold fewer rows than this, nor more than that
_LEAST_ROWS = 20  # from which on Auto tries trees: fewer make no two leaves
_LOST = -2.0  # standard errors of a bold round's gain below which there is no last round


class Heads(NamedTuple):
    """Fitted heads, and what they say of the observations."""

    model: Any
    f: np.ndarray  # linear predictors
    own: np.ndarray  # what tasks add to the common part of them
    left_out: np.ndarray  # linear predictors without each observation
    loss: np.ndarray  # of these
    weight: np.ndarray  # of the observations
    table: np.ndarray  # what the model reads of them: the place of the task, and the columns

    def beats(self, other: Heads, clear: float = _CLEAR) -> bool:
        """Whether its last feature counts for something, and clearly lowers the loss left out.

        Trees learn the target itself. A negative coefficient is read from folds: what the other
        folds say on average lies the lower the higher a fold's own targets.
        """
        return bool(self.model._common()[0][-1] > 0 and self.gains(other, clear))

    def gains(self, other: Heads, clear: float) -> bool:
        """Whether it lowers the loss left out by more than so many standard errors."""
        gain = other.loss - self.loss
        return bool(self.weight @ gain > clear * float(np.sqrt(self.weight @ gain**2)))


class _SharedTrees(LabelStack, OnColumns):
    """min over h, w0, ΔW: R((w0 + Δw_i)'[x, h(x)]) + alpha ‖ΔW‖_F², h a sum of trees.

    The trees do not see the task: they learn one feature h(x) from all tasks, and every task has a
    head on h and on the features themselves, so that it stretches the common curve and tilts it.
    Heads on the features come first, then trees and heads in turn. Trees learn the target less what
    the tasks add to the common part (of other losses, of their working target); heads are the
    mean-regularized model, its strengths estimated by restricted maximum likelihood. At the end
    trees that see the task as a category learn what is left, as a second feature, where tasks bend
    in ways of their own; of labels, boosting that sees the task is weighed with the heads instead.

    Heads learn from features at trees without the row's fold, so that they do not believe them
    more than they deserve: of h without the row's task, where there are five tasks or more. The
    folds also say how many trees there are. A feature that does not lower the loss of rows left out
    is dropped; without any, it is the mean-regularized model. Trees of all rows predict, h of a
    task in training moved and stretched to what trees without it say, lest its level and bend
    count twice. Tasks not in training are answered, with the squared loss, by a convex combination
    of the common parts of heads on x, of those on x and h, and h alone, by tasks left out.

    Parameters
    ----------
    learning_rate : float, default=0.1
        Smaller values need more trees.
    max_iter : int, default=150
        Trees of a feature at most.
    max_leaf_nodes : int, default=6
        Larger values let more features act together.
    min_samples_leaf : int or "auto", default="auto"
        Rows in a leaf at least; larger values smooth more. "auto": a thirtieth of the distinct
        rows, from 3 to 10; of labels 10.
    n_rounds : int, default=2
        How often trees and heads take turns after the first heads.

    Attributes
    ----------
    model_ : MeanRegularizedRegressor or MeanRegularizedClassifier
        The heads, on the features and what trees learned as the last columns.
    trees_, task_trees_ : HistGradientBoostingRegressor or None
        The trees of h, and those that see the task, on bins of the features; None where they do
        not lower the loss of rows left out. Of more than 255 tasks there are none of the second.
    n_trees_ : int
        Of both.
    min_samples_leaf_ : int
        Rows in a leaf at least.
    shares_ : ndarray of shape (3,) or None
        Of labels: what ``linear_``, heads on x alone, ``model_``, and ``boosting_``, which sees the
        task as a category, count for in the probability of a label of a task in training. None
        where ``model_`` answers alone.
    bins_ : list of ndarray, length d
        Between which values of each feature trees may split.
    held_out_features_ : ndarray of shape (n, 0 to 2)
        What trees without their fold say of the training rows; heads learned from it.
    importance_ : ndarray of shape (d,)
        Of each feature: how far predictions move, in half their mean square over their variance,
        when it is exchanged with another row's (its total effect). Made when first asked for, or
        when the model is saved, which holds a thousand rows until then.

    References
    ----------
    Hajjem, Bellavance and Larocque, Mixed-effects random forest for clustered data, J. Stat.
    Comput. Simul. 2014 (trees and heads in turn); Jansen, Comput. Phys. Commun. 1999 (total
    effects).

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from polytask import SharedTreesRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"dose": rng.uniform(size=300), "lab": np.arange(300) % 6})
    >>> y = (1 + 0.3 * X["lab"]) * (X["dose"] > 0.5) + 0.1 * rng.normal(size=300)
    >>> model = SharedTreesRegressor(task="lab").fit(X, y)
    >>> model.importance_.shape
    (1,)
    """

    learning_rate: float = 0.1
    max_iter: int = 150
    max_leaf_nodes: int = 6
    min_samples_leaf: int | str = "auto"
    n_rounds: int = 2

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "max_leaf_nodes": [Interval(Integral, 2, None, closed="left")],
        "min_samples_leaf": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "n_rounds": [Interval(Integral, 1, None, closed="left")],
    }
    _made_later: ClassVar[dict[str, str]] = {"_importance_rows": "importance_"}
    _inner: ClassVar[type]
    fit_intercept, task_weight = True, "size"  # what rows are dealt by

    def _fit_rows(
        self, X: np.ndarray, y: Any, weight: np.ndarray, code: np.ndarray | None, groups: Any
    ) -> None:
        target, names = read_target(self, y)
        data = make_task_data(
            self, Rows(X, code), self._encode(target), names, weight, groups=groups
        )
        self._check_data(data)
        told = target[data.row, data.code] if self._wide else target[data.row]
        place = data.code if self._wide or code is not None else None
        whole = groups is None and data.n_tasks >= _FOLDS and not self._wide
        rows, loss = TreeRows(data, X[data.row], _FOLDS, whole), self._loss()
        self.bins_, self._place = rows.edges, rows.place
        self.min_samples_leaf_ = self._least_in_leaf(len(rows.first))

        def heads(*learned: np.ndarray) -> Heads:
            return self._fit_heads(np.column_stack([rows.X, *learned]), place, told, data)

        linear = best = heads()
        last, trees, h = self._take_turns(rows, linear, heads)
        kept: list[np.ndarray] = []
        self.trees_ = self.task_trees_ = None
        answer, clear = None, False
        if trees is not None and whole:
            answer, clear = _for_new_tasks(data, loss, best, last)
        if trees is not None and last.beats(best, 0.0 if clear else _CLEAR):
            best, kept, self.trees_ = last, [h], trees
            known = with_trees(trees.predict, rows.bins)[rows.at]
            self._stretch, self._shift = rows.stretch_and_shift(known, h[:, 0])
        self._no_stack()
        if 1 < data.n_tasks <= MAX_CATEGORIES:
            by_task = TreeRows(data, np.column_stack([rows.X, rows.place[data.code]]), _FOLDS)
            trees = self._unfitted().set_params(categorical_features=[X.shape[1]])
            if loss.has_labels:
                self._weigh(linear, best, by_task, trees.get_params(), _CLEAR)
            else:
                best = self._see_tasks(best, by_task, trees, lambda h: heads(*kept, h))
        self.model_ = best.model
        self.model_.finish(best.table, told, best.weight)
        linear.model.let_go()
        grown = [found for found in (self.trees_, self.task_trees_) if found is not None]
        if answer is not None and self.trees_ is not None:
            more = np.zeros(len(grown) - 1)  # trees that see the task say nothing
            self.model_.new_task_coef_ = np.append(answer[:-1], more)
            self.model_.new_task_intercept_ = float(answer[-1])
        self.n_trees_ = sum(int(found.n_iter_) for found in grown)
        self.doubts_ = tuple(self.model_.doubts)
        if self.task is None:
            self.tasks_ = data.tasks
        if not self._wide:
            self.held_out_features_ = np.full((len(X), len(grown)), np.nan)
            self.held_out_features_[data.row] = best.table[:, best.table.shape[1] - len(grown) :]
        some = some_rows(len(rows.first))
        code = None if place is None else rows.code[some]
        self._importance_rows = rows.X[rows.first[some]], code, len(rows.first)

    def _take_turns(
        self, rows: TreeRows, linear: Heads, heads: Callable[[np.ndarray], Heads]
    ) -> tuple[Heads, Any, np.ndarray]:
        """The last heads, the trees under them, or None, and what these say of rows left out."""
        last, loss = linear, self._loss()
        for left in reversed(range(self.n_rounds)):
            # levels that the first heads add would hold what features constant in a task say
            own = 0.0 * last.own if left and last is linear else last.own
            trees, h = rows.learn(self._unfitted(left), loss, last.f, own, whole=left == 0)
            last = heads(h) if h.shape[1] else last
            if last is not linear and not last.gains(linear, _LOST):
                return last, None, h
        return last, trees, h

    def _see_tasks(
        self, best: Heads, rows: TreeRows, trees: Any, heads: Callable[[np.ndarray], Heads]
    ) -> Heads:
        """Heads on what trees that see the task find in what ``best`` leaves, if that helps."""
        trees, h = rows.learn(trees, self._loss(), best.left_out, best.left_out)
        if trees is None or not (last := heads(h)).beats(best):
            return best
        self.task_trees_ = trees
        return last

    def _fit_heads(
        self, Z: np.ndarray, place: np.ndarray | None, told: np.ndarray, data: TaskData
    ) -> Heads:
        """Heads on columns Z (N, p), and what they say of the observations."""
        model = self._heads(self._inner, place, noise="common")
        table, weight = self._table(Z, place), data.sample_weight
        model.fit_to_predict(table, told, weight)
        slopes, level = model._common()
        f = (model.coef_[data.code] * Z).sum(axis=1) + model.intercept_[data.code]
        left_out = model.left_out(table, told, weight)
        loss = model.response_.value(data.y, left_out)
        return Heads(model, f, f - Z @ slopes - level, left_out, loss, weight, table)

    def _least_in_leaf(self, n_rows: int) -> int:
        """Rows in a leaf at least, of so many distinct rows; labels say less each than numbers."""
        if self.min_samples_leaf != "auto":
            return int(self.min_samples_leaf)
        return _MOST if self._loss().has_labels else min(max(n_rows // _LEAVES, _FEWEST), _MOST)

    def _unfitted(self, left: int = 0) -> HistGradientBoostingRegressor:
        """Trees; of rounds that others follow fewer and bolder ones."""
        bold = _BOLD if left else 1
        return HistGradientBoostingRegressor(
            learning_rate=min(bold * self.learning_rate, 1.0),
            max_iter=-(-self.max_iter // bold),
            max_leaf_nodes=self.max_leaf_nodes, min_samples_leaf=self.min_samples_leaf_,
            early_stopping=False, random_state=0,
        )  # fmt: skip

    def _columns_of(self, X: np.ndarray, code: np.ndarray | None) -> np.ndarray:
        parts, bins = [X], binned(X, self.bins_)
        code = np.full(len(X), -1) if code is None else code
        seen = (code >= 0) & (code < len(self._place))
        if self.trees_ is not None:
            h = with_trees(self.trees_.predict, bins)
            of = code[seen]
            h[seen] = self._stretch[of] * h[seen] + self._shift[of]
            parts.append(h)
        if self.task_trees_ is not None:  # which say nothing of tasks that they did not see
            more = np.zeros(len(X))
            if seen.any():
                own = np.column_stack([bins[seen], self._place[code[seen]]])
                more[seen] = with_trees(self.task_trees_.predict, own)
            parts.append(more)
        return np.column_stack(parts)

    def _read(self, X: Any) -> Any:
        """The table of the heads; of a wide target every row as often as there are tasks."""
        if not self._wide:
            return super()._read(X)
        X, m = read_dense(self, X), len(self.tasks_)
        return self._table_of(np.repeat(X, m, axis=0), np.tile(np.arange(m), len(X)))

    def _shaped(self, f: np.ndarray) -> np.ndarray:
        return f.reshape(-1, len(self.tasks_)) if self._wide else f

    def _linear_predictor(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        table = self._read(X)
        return self._shaped(self._stacked(table, self.model_._linear_predictor(table)))

    def left_out(self, X: Any, y: Any, sample_weight: Any = None) -> np.ndarray | None:
        """Linear predictors of the training rows from heads without each, at the variances found.

        On what trees without the row's fold say, in the order of tasks. None of other rows.
        """
        check_is_fitted(self)
        table = None if self._wide else self._read(X)
        if table is None or len(table) != len(self.held_out_features_):
            return None
        n_held = self.held_out_features_.shape[1]
        table[:, table.shape[1] - n_held :] = self.held_out_features_
        found: np.ndarray = self.model_.left_out(table, y, sample_weight)
        return self._stacked_left_out(table, found, y, sample_weight)

    @cached_property
    def importance_(self) -> np.ndarray:
        """Total effects from rows in an order that does not depend on how the table came."""
        asked = self.__dict__.get("_importance_rows")
        if asked is None:
            raise AttributeError(f"{type(self).__name__} has no importance_ before it is fitted.")
        X, code, n = asked

        def predicted(Z: np.ndarray) -> np.ndarray:
            of = None if code is None else np.tile(code, len(Z) // len(X))
            table = self._table_of(Z, of)
            return np.asarray(self._stacked(table, self.model_._linear_predictor(table)))

        importance = total_effects(predicted, X, n)
        self.__dict__.pop("_importance_rows", None)
        return importance


class SharedTreesRegressor(OnColumnsRegressor, _SharedTrees):
    """Trees of all tasks, a head for each; squared loss."""

    _inner = HeadsRegressor


class SharedTreesClassifier(ClassifierRole, _SharedTrees):
    """Trees of all tasks, a head for each; logistic loss."""

    _inner = HeadsClassifier


def _for_new_tasks(data: TaskData, loss: Response, linear: Heads, last: Heads) -> Any:
    """Coefficients of x and h and a level for tasks not in training; whether h clearly helps them.

    A convex combination of what the heads on x, those on x and h, and h alone say of rows without
    their task: of features far from those seen trees are safer than slopes. None where the heads
    cannot say.
    """
    without = [
        each.model.tasks_left_out(each.table, data.y, each.weight) for each in (linear, last)
    ]
    if without[0] is None or without[1] is None:
        return None, False
    s, h = last.weight, last.table[:, -1]
    level, middle = np.average(data.y, weights=s), np.average(h, weights=s)
    spread = float(s @ (h - middle) ** 2)
    slope = max(float((s * (h - middle)) @ data.y) / spread, 0.0) if spread > 0 else 0.0
    F = np.column_stack([*without, level + slope * (h - middle)])
    share = common_weights(HeldOut.of(F, data, loss), loss)
    gain = s * (loss.value(data.y, F[:, 0]) - loss.value(data.y, F @ share))
    by_task = np.bincount(data.code, gain)
    answers = np.zeros((3, last.table.shape[1]))  # without the task, with a level
    for answer, (slopes, start) in zip(
        answers, (linear.model._common(), last.model._common()), strict=False
    ):
        answer[: len(slopes)], answer[-1] = slopes, start
    answers[2, -2:] = slope, level - slope * middle
    return share @ answers, bool(by_task.sum() > _SURE * np.sqrt((by_task**2).sum()))


def _may_grow(data: TaskData) -> bool:
    """Whether dense, independent rows are enough for a leaf or two."""
    independent = data.group is None and data.time is None
    long = len(np.unique(data.row)) == len(data.row)
    return long and not data.design.sparse and independent and len(data.y) >= _LEAST_ROWS


FORMULATION = Formulation(
    name="shared-trees",
    title="Shared trees",
    objective="min over h, w0, DW: R((w0 + Dw_i)'[x, h(x)]) + alpha ||DW||_F^2, h a sum of trees",
    regressor=SharedTreesRegressor,
    classifier=SharedTreesClassifier,
    order=47,
    linear=False,
    costly=True,
    candidate=_may_grow,
)
