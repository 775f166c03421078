"""What a comparison of models over tasks found: frozen tables and plain values, no computation."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import pandas as pd

from polytask.inspection._json import to_json

__all__ = [
    "Alternative",
    "Comparison",
    "DataSummary",
    "Gain",
    "Interval",
    "Leaning",
    "Provenance",
    "Recommendation",
    "Verdict",
]

VERDICT_LABELS = (
    "joint-helps",  # a joint model is clearly better than single-task and than pooled
    "pooling-suffices",  # pooled is clearly better than single-task, joint adds nothing clear
    "mixed",  # no clear gain on average, but some tasks clearly gain and others clearly lose
    "no-clear-gain",  # nothing differs clearly from the tasks learned alone
    "single-task-best",  # single-task is clearly better than every joint model
    "non-joint-best",  # a model that is not multi-task, such as boosting, is clearly best
    "undetermined",  # the baseline or every other model failed
)
TASK_LABELS = ("gains", "harmed", "undecided")


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence interval; NaN where it could not be computed.

    Attributes
    ----------
    value, low, high : float
        The estimate and the two ends of its interval.
    p : float
        Two-sided p-value of "the truth is zero", NaN where no test belongs to the estimate.
    level : float
        Coverage that the interval claims, such as 0.95.
    """

    value: float
    low: float
    high: float
    p: float = float("nan")
    level: float = 0.95


@dataclass(frozen=True)
class Gain(Interval):
    """A relative gain, the same as a difference, and what it rests on.

    Attributes
    ----------
    difference : Interval
        In units of the loss, per row.
    rests_on : Leaning or None
        A row or task without which a gain that seems clear is not.
    """

    difference: Interval = Interval(float("nan"), float("nan"), float("nan"))
    rests_on: Leaning | None = None


@dataclass(frozen=True)
class Leaning:
    """One row or one task that decides a claim.

    Attributes
    ----------
    what : str
        In words; plain text that holds user strings.
    without : Gain
        The gain without it.
    """

    what: str
    without: Gain


@dataclass(frozen=True)
class Verdict:
    """The answer to "does learning my tasks together help?": what is proved.

    Attributes
    ----------
    text : str
        Two to four plain sentences; plain text that holds user strings, so escape it in HTML.
    headline : str
        One short sentence of the same answer, for a title.
    label : str
        Machine label, one of `VERDICT_LABELS`.
    model : str
        Name of the recommended model (``models.name``; see `Recommendation`), "" where no model
        could be scored.
    title : str
        Title of the recommended model.
    focus : str
        Name of the model whose gains the tasks table shows: the best of the joint and pooled
        models, of the others where there is none.
    gain : Gain
        Relative reduction of the mean loss of `focus` against the baseline (0.06 = 6 % less),
        and the reduction itself. Corrected for the choice of the best model among several.
    gain_over_pooled : Gain
        The same against the pooled model; NaN where pooled is `focus` or absent.
    n_gains, n_harmed, n_undecided : int
        Tasks on which `focus` is clearly better than, clearly worse than, or not
        distinguishable from the baseline (false discovery rate controlled).
    n_better, n_worse : int
        Tasks on which the loss of `focus` is smaller or larger than the baseline's, whether or
        not the data can tell it from chance.
    gain_over_means : Gain
        Of the best model over the mean of each task; where it is not clear, the features are of
        no proved use, and the text says so.
    unlike : str
        Name of a joint model of curves, trees, a logarithm or another loss, where less than half
        of the gain of `focus` is had by lines learned together: what such a model gains over lines
        of each task need not be sharing. "" elsewhere.
    gain_over_alone : Gain
        Of `unlike` over the same model of each task alone, which is sharing; NaN where that was
        not compared. "joint-helps" is not said where it is not clear.
    """

    text: str
    headline: str
    label: str
    model: str
    title: str
    focus: str
    gain: Gain
    gain_over_pooled: Gain
    n_gains: int
    n_harmed: int
    n_undecided: int
    n_better: int = 0
    n_worse: int = 0
    gain_over_means: Gain = Gain(float("nan"), float("nan"), float("nan"))
    unlike: str = ""
    gain_over_alone: Gain = Gain(float("nan"), float("nan"), float("nan"))


@dataclass(frozen=True)
class Alternative:
    """A model beside the recommended one.

    Attributes
    ----------
    name, title : str
    more_loss : float
        Its expected loss over that of the recommended model, less one (0.06 = 6 % more). Expected
        losses are measured ones, moved towards one another by the share of chance in them.
    measured : Interval
        The same as it was measured.
    """

    name: str
    title: str
    more_loss: float
    measured: Interval


@dataclass(frozen=True)
class Recommendation:
    """The model to use: that of least expected loss, proved or not.

    Attributes
    ----------
    model : str
        Name (``models.name``), "" where no model could be scored.
    title : str
    loss : float
        Its mean loss on rows that it had not seen.
    loss_title : str
        What that is, such as "squared error".
    text : str
        What to use, what is expected of it, and why, in two to four plain sentences.
    why : str
        One of "clearly-best" (every other model is clearly worse), "least-loss" (none is expected
        to have less), "hedge" (another was measured better, by less than chance makes), "tie" (as
        good as the best to half a percent, and simpler), "only-model", or "" without a model.
    alternatives : tuple of Alternative
        The other models, the least expected loss first.
    """

    model: str = ""
    title: str = ""
    loss: float = float("nan")
    loss_title: str = ""
    text: str = ""
    why: str = ""
    alternatives: tuple[Alternative, ...] = ()


@dataclass(frozen=True)
class DataSummary:
    """The table that was compared on.

    Attributes
    ----------
    rows, tasks, features : int
        Rows, distinct tasks, feature columns (the task column is not one).
    rows_min, rows_median, rows_max : float
        Size of the smallest, the median and the largest task.
    missing_cells : int
        Missing values among the features.
    features_with_missing : tuple of str
        Names (or positions) of the feature columns that hold them.
    tasks_in_training_only : int
        Tasks with too few rows to be scored out of fold (a single row).
    classes : tuple of str
        The class labels, empty for a regression.
    positive_share : float or None
        Share of the second class.
    target_mean, target_std : float or None
        Of the target, for a regression.
    """

    rows: int
    tasks: int
    features: int
    rows_min: int
    rows_median: float
    rows_max: int
    missing_cells: int = 0
    features_with_missing: tuple[str, ...] = ()
    tasks_in_training_only: int = 0
    classes: tuple[str, ...] = ()
    positive_share: float | None = None
    target_mean: float | None = None
    target_std: float | None = None


@dataclass(frozen=True)
class Provenance:
    """How the comparison was computed.

    Attributes
    ----------
    date : str
        Start, ISO 8601 with the time zone.
    seconds : float
        Wall-clock time of the whole comparison.
    cv, n_repeats : int
        Folds of a repeat, and repeats.
    random_state : int or None
        Seed of the splits.
    splitter : str
        The splitter in words.
    versions : dict of str to str
        Python and packages.
    method : tuple of str
        How intervals, p-values and labels were computed, one sentence each.
    """

    date: str
    seconds: float
    cv: int
    n_repeats: int
    random_state: int | None
    splitter: str
    versions: dict[str, str]
    method: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Comparison:
    """Everything that `compare_tasks` found, for terminals, reports, files and programs.

    Losses are per row and lower is better; a *gain* is the loss of the baseline minus the loss
    of a model, so positive means better, and a *relative* gain is a share of the baseline's loss.

    Attributes
    ----------
    kind : {"regression", "classification"}
    task : str or int
        The task column.
    target : str
        Name of the target, "target" where y had none.
    baseline : str
        Name of the model that gains are measured against.
    metric : str
        Column of `models` and `folds` that ranks the leaderboard, such as "rmse_tasks".
    metric_title : str
        The same in words, such as "RMSE, mean over tasks".
    greater_is_better : bool
        Of the primary metric.
    loss_title : str
        The row loss that gains are measured in, such as "squared error".
    level : float
        Coverage of every interval (0.95); 1 - level is also the false discovery rate.
    verdict : Verdict
    models : DataFrame, a row per model, best first, failed ones last
        ``name``; ``title``; ``role`` (baseline, means, alone, pooled, joint, non-joint); ``status``
        (ok, failed); ``reason`` (of the failure, else ""); ``recommended`` (bool); ``metric``,
        ``low``, ``high`` (primary metric and its interval); ``spread`` (its standard deviation over
        folds); ``gain``, ``gain_low``, ``gain_high``, ``gain_p`` (relative gain over the baseline,
        each for itself: no correction for the choice of the best); ``n_gains``, ``n_harmed``,
        ``n_undecided`` (tasks against the baseline, by their labels); ``n_better``, ``n_worse`` (by
        the estimates alone); ``seconds`` (mean time of one fit); ``strengths`` (hyper-parameters
        chosen in training, text); and one column per row of `metrics`.
    metrics : DataFrame, a row per metric column
        ``column`` (in `models` and `folds`), ``title``, ``metric``, ``average`` (tasks, rows),
        ``greater_is_better``.
    folds : DataFrame, a row per model, repeat and fold
        ``name``, ``repeat``, ``fold``, ``n_train``, ``n_test``, ``status``, ``reason``,
        ``seconds``, ``strengths``, and the metric columns.
    tasks : DataFrame, a row per task, gains of `verdict.focus`
        ``task`` (id), ``rows``, ``loss_baseline``, ``loss_pooled`` (NaN if absent),
        ``loss_focus``, ``gain``, ``low``, ``high`` (in loss units), ``relative_gain``,
        ``shrunken``, ``shrunken_low``, ``shrunken_high`` (gains after partial pooling, in loss
        units), ``p``, ``q`` (false discovery rate adjusted), ``label`` (gains, harmed,
        undecided), ``rows_to_decide`` (rows that would decide it, if the gain is what the
        shrunken gain says; NaN where decided or not estimable).
    gains : DataFrame, a row per model (but the baseline) and task
        ``name``, ``task``, ``rows``, ``loss``, ``gain``, ``low``, ``high``, ``relative_gain``,
        ``shrunken``, ``shrunken_low``, ``shrunken_high``, ``p``, ``q``, ``label``.
    data : DataSummary
    provenance : Provenance
    notes : tuple of str
        What was done that a reader should know (imputation, encoding, tasks left out).
    warnings : tuple of str
        What may make the answer wrong (failed models, few tasks, solver warnings).
    recommended : Recommendation
        The model to use, which need not be proved to be the best.
    """

    kind: str
    task: str | int
    target: str
    baseline: str
    metric: str
    metric_title: str
    greater_is_better: bool
    loss_title: str
    level: float
    verdict: Verdict
    models: pd.DataFrame
    metrics: pd.DataFrame
    folds: pd.DataFrame
    tasks: pd.DataFrame
    gains: pd.DataFrame
    data: DataSummary
    provenance: Provenance
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    recommended: Recommendation = dataclasses.field(default_factory=Recommendation)

    def to_dict(self) -> dict[str, Any]:
        """Every field as JSON-ready dicts, lists, strings, numbers and None (never NaN).

        Frames become lists of records; ``tasks`` records also carry ``id``, the same as
        ``task``. Integer ids stay integers, every other id is a string.

        Examples
        --------
        >>> from polytask.inspection.comparison import Interval
        >>> from polytask.inspection._json import to_json
        >>> to_json(Interval(0.1, float("nan"), 0.2))["low"] is None
        True
        """
        found = {f.name: to_json(getattr(self, f.name)) for f in dataclasses.fields(self)}
        for record in found["tasks"]:
            record["id"] = record["task"]
        return found

    def _repr_html_(self) -> str:
        """What a notebook shows: the verdict, the models, their picture."""
        from polytask.inspection.shown import comparison_html

        return comparison_html(self)

    def with_notes(self, *notes: str, warnings: tuple[str, ...] = ()) -> Comparison:
        """A copy with more notes and warnings at the front, such as those of a table's reader."""
        return dataclasses.replace(
            self, notes=(*notes, *self.notes), warnings=(*warnings, *self.warnings)
        )
