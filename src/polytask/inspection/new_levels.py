"""What a level that training never saw costs, for every grouping of a multilevel model."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import is_classifier
from sklearn.exceptions import ConvergenceWarning

from polytask.data.frames import frame_columns
from polytask.data.groupings import Grouping, read_groupings
from polytask.data.task_spec import column_names, spelled_out
from polytask.inspection._json import to_json
from polytask.inspection.evidence import Evidence
from polytask.inspection.words import percent, span
from polytask.models.multilevel import MultilevelClassifier, MultilevelRegressor

__all__ = ["NewLevels"]

_MOST_WORK = 2e11  # multiplications of one grouping, some minutes
_COLUMNS = ["grouping", "levels", "loss_seen", "loss_new", "more", "low", "high"]


@dataclass(frozen=True, eq=False)
class NewLevels:
    """How a multilevel model answers for new levels of each grouping, against levels that it saw.

    Every row is predicted from a fit without it, then from one without all rows of its level (of a
    school also its classes), at the variances of the fit to all rows
    (`MultilevelRegressor.left_out`). Judged are levels with two rows or more, each alike.

    Attributes
    ----------
    table : DataFrame, a row per grouping
        ``grouping``; ``levels`` (judged); ``loss_seen`` and ``loss_new`` (means over levels);
        ``more`` (loss of new levels over that of seen ones, less one), with ``low`` and ``high``,
        95 % with the levels as the sampling unit (the rows, of fewer than ten).
    loss_title : str
    text : str
        The same in words, with the groupings that could not be judged.

    Examples
    --------
    >>> from polytask import MultilevelRegressor
    >>> from polytask.datasets import make_crossed_rows
    >>> from polytask.inspection import NewLevels
    >>> X, y, truth = make_crossed_rows(400, level=(2.0, 0.1), random_state=0)
    >>> model = MultilevelRegressor(task=["user", "item"], varying=[]).fit(X, y)
    >>> found = NewLevels.from_estimator(model, X, y).table.set_index("grouping")
    >>> bool(found.loc["user", "more"] > 1 > found.loc["item", "more"])
    True
    """

    table: pd.DataFrame
    loss_title: str
    text: str

    @classmethod
    def from_estimator(
        cls,
        estimator: MultilevelRegressor | MultilevelClassifier,
        X: Any,
        y: Any,
        *,
        sample_weight: Any = None,
        groups: Any = None,
        metric: str = "",
    ) -> NewLevels:
        """Leave rows and levels out of a fitted model.

        Parameters
        ----------
        estimator : MultilevelRegressor or MultilevelClassifier
            Fitted to these rows.
        X, y, sample_weight
            The rows of the fit, those of weight zero left out.
        groups : array of shape (n,), optional
            Rows of one are left out together where their level is seen.
        metric : str, default=""
            Sets the loss, as in `compare_tasks`.

        Raises
        ------
        ValueError
            If the rows are not those of the fit.
        """
        response = estimator.response_.of_targets(np.asarray(y))
        loss = response.row_loss(metric)
        target = np.searchsorted(estimator.classes_, y) if is_classifier(estimator) else y
        target = np.asarray(target, dtype=float)
        answer = getattr(response, "probabilities", response.inverse_link)

        def losses(groups: Any) -> np.ndarray:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # the fit has said so
                f = estimator.left_out(X, y, sample_weight, groups=groups)
            return np.asarray(loss.of(target, answer(f)))

        seen = losses(groups)
        asked = spelled_out(estimator.task, frame_columns(X))[: estimator.n_groupings]
        ids = read_groupings(X, asked)
        lines, told = [], []
        for columns in asked:
            grouping, code = Grouping.of(columns, [ids[name] for name in column_names([columns])])
            why = _why_not(estimator, grouping, code)
            if why:
                told.append(f"New levels of {grouping.name} are not judged: {why}.")
                continue
            gain = _line(code, {"seen": seen, "new": losses(code)}, sample_weight, loss.title)
            lines.append({"grouping": grouping.name, **gain[0]})
            told.append(f"A new {grouping.name}: {gain[1]}.")
        return cls(pd.DataFrame(lines, columns=_COLUMNS), loss.title, " ".join(told))

    def to_dict(self) -> dict[str, Any]:
        """Every field, JSON-ready."""
        plain: dict[str, Any] = to_json(self)
        return plain


def _why_not(
    estimator: MultilevelRegressor | MultilevelClassifier, grouping: Grouping, code: np.ndarray
) -> str:
    rows = np.bincount(code)
    if (rows > 1).sum() < 2:
        return "fewer than two hold two rows or more"
    sizes = [each.size for each in estimator.deviations_.values()]
    beside = float(sum(sizes) - max(sizes))
    work = len(code) * beside**2 + float((rows.astype(float) ** 3).sum())
    return "it would take long; left_out of the model does it" if work > _MOST_WORK else ""


def _line(
    code: np.ndarray, losses: dict[str, np.ndarray], weight: Any, title: str
) -> tuple[dict[str, float], str]:
    """A row of the table without its name, and in words."""
    rows = np.bincount(code)
    share = np.ones(len(code)) if weight is None else np.asarray(weight, dtype=float)
    share = share * (rows / np.bincount(code, share))[code]  # the mean of a level is the weighted
    judged = rows[code] > 1
    level = np.unique(code[judged], return_inverse=True)[1]
    names = {name: name for name in losses}
    evidence = Evidence.of_rows(
        {name: (share * each)[judged] for name, each in losses.items()}, level,
        int(level.max()) + 1, baseline="seen", roles=names, titles=names, inflation=1.0,
        loss_title=title,
    )  # fmt: skip
    gain = evidence.over("seen", ["new"], together=False)["new"]
    word = "more" if gain.value < 0 else "less"
    line = {
        "levels": evidence.n_tasks, "loss_seen": evidence.mean_loss("seen"),
        "loss_new": evidence.mean_loss("new"), "more": -gain.value, "low": -gain.high,
        "high": -gain.low,
    }  # fmt: skip
    return line, f"{percent(gain.value)} {word} {title} than one that was seen ({span(gain)})"
