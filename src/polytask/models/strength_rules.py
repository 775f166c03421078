"""``alpha="auto"``: strengths by leave-one-out or restricted likelihood, as held-out rows say."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import clone

from polytask.data import all_or_nothing, forget, make_task_data, read_rows, read_target
from polytask.data.read_once import read_once
from polytask.models._declared import Declared
from polytask.models._held_out import held_out_of
from polytask.models.mixed import why_not_mixed, without_doubts
from polytask.models.shared_fits import SharedFits
from polytask.responses import Response
from polytask.tuning.one_class import judged_labels

__all__ = ["EitherRule"]

_FOLDS = 5  # where leave-one-out cannot serve
_DOUBT = 0.5  # standard errors of a difference that are left to chance, and
_DOUBT_OF_A_ROW = 5.0  # over the rows of a task, where these are few


class EitherRule(Declared):
    """A model whose strengths may come of two rules."""

    @property
    def shares_fits(self) -> bool:
        """Whether it is made of fits by both rules."""
        return isinstance(self.alpha, str) and self.alpha == "auto"

    @all_or_nothing
    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None, time: Any = None
    ) -> Self:
        """Fit to a long table with a task column, or to a wide y with a column per task.

        Parameters
        ----------
        X : table, array or sparse matrix of shape (n, d) or (n, d + 1)
            Features, and the task column that the parameter ``task`` names.
        y : array of shape (n,), or of shape (n, m) with ``task=None``
            Targets. In a wide y NaN means not measured.
        sample_weight : array of shape (n,) or, with a wide y, (n, m)
            Weights of rows inside their task; zero leaves a row out.
        groups, time : array of shape (n,), optional
            What rows are held out by where strengths are chosen. Not both.

        Returns
        -------
        self
        """
        if not self.shares_fits:
            usual: Any = super()
            fitted: Self = usual.fit(X, y, sample_weight, groups=groups, time=time)
            return fitted
        return self._fit_sharing(SharedFits(X, y, sample_weight, groups=groups, time=time))

    @read_once()
    def _fit_sharing(self, fits: SharedFits) -> Self:
        this: Any = self
        this._validate_params()
        forget(self)
        tried = {"cv": fits.fitted(clone(this).set_params(alpha="cv"))}
        if self._may_be_mixed(tried["cv"]._loss(), fits):
            with without_doubts():
                tried["reml"] = fits.fitted(clone(this).set_params(alpha="reml"))
        rule = "cv" if len(tried) == 1 else self._better(tried, fits)
        given = this.get_params(deep=False)
        vars(self).update({k: v for k, v in vars(tried[rule]).items() if k not in given})
        this.alpha_rule_ = rule
        return self

    def _may_be_mixed(self, response: Response, fits: SharedFits) -> bool:
        """Whether loss, weighting and rows, which must be independent, allow a likelihood."""
        independent = fits.groups is None and fits.time is None
        return independent and self.task_weight != "equal" and why_not_mixed(response) is None

    def _better(self, tried: dict[str, Any], fits: SharedFits) -> str:
        """The rule of less held-out loss; of two within chance REML.

        Leave-one-out has chosen its strengths on the rows that judge it, and where tasks have two
        to four of them a lucky row can choose strengths of nearly zero: the fewer rows a task, the
        more of a difference is left to chance.
        """
        target, names = read_target(self, fits.y)
        data = make_task_data(  # from rows that nobody else holds: they may be many
            self, read_rows(self, fits.X, reset=True, split=True),
            tried["cv"]._encode(target), names, fits.sample_weight, center=True,
        )  # fmt: skip
        loss = self._loss()
        held = {
            rule: held_out_of(model, fits, target, names, data, loss, _FOLDS)
            for rule, model in tried.items()
        }
        known = np.isfinite(held["cv"]) & np.isfinite(held["reml"])
        y, weight = judged_labels(data, loss)[known], data.weight[known]
        weight = weight / max(weight.sum(), 1e-300)
        gain = loss.value(y, held["reml"][known]) - loss.value(y, held["cv"][known])
        mean = float(weight @ gain)
        error = float(np.sqrt(weight**2 @ (gain - mean) ** 2))
        doubt = max(_DOUBT, _DOUBT_OF_A_ROW * data.n_tasks / len(data.y))
        return "cv" if mean > doubt * error else "reml"
