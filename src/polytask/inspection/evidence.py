"""Out-of-fold losses of all models, summed by task, and what they say: per task and overall."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from polytask.inspection.clear import seems_clear
from polytask.inspection.comparison import Gain, Interval, Leaning
from polytask.inspection.statistics import FoldLosses, LossMoments, overall_gains, task_gains
from polytask.inspection.statistics.simultaneous import FEW_TASKS, Folds
from polytask.sources.loss_totals import LossTotals

__all__ = ["LEVEL", "Evidence"]

LEVEL = 0.95

Influence = Callable[["Evidence", Gain, str, list[str], str], Leaning | None]


@dataclass(frozen=True, eq=False)
class Evidence:
    """Losses of the models that succeeded on rows that they had not seen.

    Attributes
    ----------
    models : tuple of str
        The baseline first, if it is among them.
    moments : LossMoments
        Of their row losses, means over the repeats, by task.
    roles, titles : dict of str to str
    baseline : str
    inflation : float
        Correction for overlapping training sets.
    loss_title : str
    varies : bool ndarray of shape (m,), optional
        Tasks whose target is not the same in all rows; others prove nothing of themselves.
    folds : FoldLosses, optional
        Without them, what the tasks of a fold share is not in the overall intervals.
    influence : callable, optional
        `Influence.of`: judges claims again without a row and without a task.
    by_tasks : bool, optional
        Whether tasks are drawn at random rather than rows; unless given, from ten on.
    hedges : tuple of str
        Models that lose little anywhere, in the order in which equals are taken.
    unlike : dict of str to bool, optional
        Joint models of another shape than the baseline, and whether each is a mixture of others;
        unless given, nothing is asked of what in a gain is sharing.
    level : float
    unit_rows : ndarray of shape (m,) or float
        Rows of a unit of the moments: 1, or those of a group, or their mean weight.
    rounding : float
        Mean loss up to which models predict but for rounding: there they are equals.
    """

    models: tuple[str, ...]
    moments: LossMoments
    roles: Mapping[str, str]
    titles: Mapping[str, str]
    baseline: str
    inflation: float
    loss_title: str
    varies: np.ndarray | None = None
    folds: FoldLosses | None = None
    influence: Influence | None = None
    by_tasks: bool | None = None
    hedges: tuple[str, ...] = ()
    unlike: Mapping[str, bool] | None = None
    level: float = LEVEL
    unit_rows: np.ndarray | float = 1.0
    rounding: float = 0.0
    _by_task: dict[str, pd.DataFrame] = field(default_factory=dict)
    _claims: dict[tuple[str, ...], Gain] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.by_tasks is None:
            many = int((self.moments.rows > 0).sum()) >= FEW_TASKS
            object.__setattr__(self, "by_tasks", many)

    @classmethod
    def of_rows(
        cls, losses: Mapping[str, np.ndarray], codes: np.ndarray, n_tasks: int, baseline: str,
        **about: object,
    ) -> Evidence:  # fmt: skip
        """From each row's loss (N,) by every model, NaN where it was not scored."""
        models = sorted(losses, key=lambda name: name != baseline)
        each = np.stack([losses[name] for name in models]) if models else np.zeros((1, len(codes)))
        moments = LossMoments.of_rows(each, codes, n_tasks)
        return cls(tuple(models), moments, baseline=baseline, **about)  # type: ignore[arg-type]

    @classmethod
    def of_totals(
        cls, totals: LossTotals, models: tuple[str, ...], at: int, repeats: int,
        by_variance: bool = False, **about: object,
    ) -> Evidence:  # fmt: skip
        """From sums by task, fold and model; the loss at this place leads.

        With ``by_variance`` the losses of a task are taken in the variance of its target.
        """
        if by_variance:
            totals = totals.scaled(totals.variance())
            about["loss_title"] = f"{about['loss_title']} per variance of the task"
        tested, units = totals.rows.sum(axis=1), totals.units
        by_fold = totals.losses[..., at]
        each = np.where(tested > 0, tested, 1.0)[:, None]
        mean = by_fold.sum(axis=1) / each
        sums = units[:, None] * np.concatenate([mean[:, :1], mean[:, :1] - mean[:, 1:]], axis=1)
        size = tested / repeats / np.maximum(units, 1.0)  # rows of a unit
        expected = totals.expected / np.where(size > 0, size, 1.0)[:, None, None] ** 2
        moments = LossMoments.of_sums(units, sums, totals.products, totals.cubes, expected)
        about["unit_rows"] = size
        parts = {name: by_fold[:, :, j] / each for j, name in enumerate(models)}
        folds = FoldLosses(totals.rows / each, parts)
        return cls(models, moments, varies=totals.varies(), folds=folds, **about)  # type: ignore[arg-type]

    @property
    def n_tasks(self) -> int:
        """How many tasks."""
        return len(self.moments.rows)

    @property
    def complete(self) -> bool:
        """Whether there is a baseline, and something to hold against it."""
        return self.baseline in self.models and bool(self.names("pooled", "joint", "non-joint"))

    def names(self, *roles: str) -> list[str]:
        """The models with one of these roles that succeeded."""
        return [name for name in self.models if self.roles[name] in roles]

    def _weights(self, name: str) -> np.ndarray:
        return self.moments.weights(self.models.index(name))

    def task_losses(self, name: str) -> np.ndarray:
        """Mean loss of each task, NaN where none of its rows was tested."""
        if name not in self.models:
            return np.full(self.n_tasks, np.nan)
        return np.where(self.moments.rows > 0, self.moments.mean @ self._weights(name), np.nan)

    def mean_loss(self, name: str) -> float:
        """Mean over tasks of the tasks' mean losses, `rounding` where it is less."""
        return max(float(np.nanmean(self.task_losses(name))), self.rounding)

    def equals(self, name: str, other: str) -> bool:
        """Whether both predict but for rounding."""
        return 0 < self.rounding >= max(self.mean_loss(name), self.mean_loss(other))

    def best(self, names: list[str]) -> str:
        """The one with the least mean loss; the first of equals."""
        return min(names, key=self.mean_loss)

    def by_task(self, name: str) -> pd.DataFrame:
        """Gains of a model over the baseline, a row per task (see `task_gains`)."""
        if name not in self._by_task:
            weights = self._weights(self.baseline) - self._weights(name)
            gain, variance = self.moments.turned(weights[None])
            rows = self.moments.rows
            both = self.task_losses(name), self.task_losses(self.baseline)
            same = np.fmax(*both) <= self.rounding if self.rounding else np.zeros(len(rows), bool)
            known = (rows > 1) & (True if self.varies is None else self.varies) & ~same
            self._by_task[name] = task_gains(
                rows,
                np.where(rows > 0, np.where(same, 0.0, gain[:, 0]), np.nan),
                np.where(known, np.maximum(variance[:, 0, 0], 0.0), np.nan),
                self.task_losses(self.baseline),
                self.moments.skewness(self.models.index(name)),
                inflation=self.inflation,
                level=self.level,
            )
        return self._by_task[name]

    def count(self, name: str, label: str) -> int:
        """Tasks with that label when `name` is held against the baseline."""
        if not self.complete or name not in self.models or name == self.baseline:
            return 0
        return int((self.by_task(name)["label"] == label).sum())

    def signs(self, name: str) -> tuple[int, int]:
        """Tasks on which `name` has less, and more, loss than the baseline, clear or not."""
        if not self.complete or name not in self.models or name == self.baseline:
            return 0, 0
        gain = self.by_task(name)["gain"]
        return int((gain > 0).sum()), int((gain < 0).sum())

    def claim(self, reference: str, family: list[str], name: str) -> Gain:
        """The gain of one of a family over a reference, and what it rests on if it seems clear."""
        key = reference, name, *family
        if key not in self._claims:
            found = self.over(reference, family)[name]
            if self.influence is not None and (seems_clear(found) or seems_clear(found, -1)):
                rests_on = self.influence(self, found, reference, family, name)
                found = replace(found, rests_on=rests_on)
            self._claims[key] = found
        return self._claims[key]

    def leanings(self) -> list[str]:
        """What claims rest on that were asked for, in sentences."""
        return [
            f"The difference between {self.titles[key[1]]} and {self.titles[key[0]]} does not "
            f"stand without {found.rests_on.what}, so it is not called clear."
            for key, found in self._claims.items()
            if found.rests_on is not None
        ]

    def over(self, reference: str, names: list[str], *, together: bool = True) -> dict[str, Gain]:
        """Gains of `names` over `reference`; simultaneous intervals if `together`."""
        if not names or reference not in self.models:
            return {}
        share, itself = (
            self._intervals(reference, names, together=together, relative=relative)
            for relative in (True, False)
        )
        none = Interval(0.0, 0.0, 0.0, 1.0, self.level)
        return {
            name: Gain(**vars(none), difference=none)
            if self.equals(reference, name)
            else Gain(**vars(ratio), difference=difference)
            for name, ratio, difference in zip(names, share, itself, strict=True)
        }

    def _intervals(
        self, reference: str, names: list[str], *, together: bool, relative: bool
    ) -> list[Interval]:
        base = self._weights(reference)
        mean, covariance = self.moments.turned(
            np.array([*(base - self._weights(name) for name in names), base])
        )
        found = overall_gains(
            self.moments.rows,
            mean[:, -1],
            mean[:, :-1],
            covariance,
            inflation=self.inflation,
            level=self.level,
            folds=self._fold_parts(reference, names),
            by_tasks=self.by_tasks,
            relative=relative,
        )
        ends = (found.joint_low, found.joint_high, found.joint_p)
        low, high, p = ends if together else (found.low, found.high, found.p)
        columns = (each.tolist() for each in (found.value, low, high, p))
        return [Interval(a, b, c, d, self.level) for a, b, c, d in zip(*columns, strict=True)]

    def _fold_parts(self, reference: str, names: list[str]) -> Folds | None:
        folds = self.folds
        if folds is None:
            return None
        return lambda ratio: (folds.shares, folds.residual(reference, names, ratio))
