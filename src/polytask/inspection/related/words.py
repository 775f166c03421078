"""How the tasks are related, in sentences."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import pandas as pd

__all__ = ["METHOD", "paragraph"]

METHOD = (
    "Tasks are related as far as their predictions are: the correlation of two tasks is that of "
    "their slopes, weighted by how the features vary over all rows; a task's level does not count.",
    "Correlations are corrected for estimation noise by empirical Bayes: second moments of the "
    "coefficients given the rows, from a mixed model with REML estimates (Laird and Ware 1982). "
    "A pair of tasks with few rows is drawn to the mean correlation.",
    "The interval of the mean correlation takes the tasks as drawn, from ten on (jackknife over "
    "the tasks within posterior draws, summed by Rubin's rule); with fewer it speaks about these "
    "tasks, given the estimated variances, and is too narrow.",
    "The effective rank is the participation ratio of the squared singular values of the tasks' "
    "slopes, from moments that are unbiased under noise; its interval is a parametric bootstrap.",
    "Groups are Ward's clustering; they count as found if the silhouette is larger than in 95 % "
    "of draws from one Gaussian cloud of tasks, and stability is the adjusted Rand index between "
    "these groups and those of posterior draws.",
    "Tasks that stand apart have a robust Mahalanobis distance that is too large, with the false "
    "discovery rate controlled at 5 % (Rousseeuw and van Zomeren 1990; Benjamini and Hochberg "
    "1995).",
    "A coefficient differs between tasks where Cochran's Q says so (false discovery rate 5 %).",
)
_CLASSES = (
    "For classes the logistic likelihood is replaced by its quadratic at a mean-regularized fit "
    "(penalized quasi-likelihood, Breslow and Clayton 1993), which understates the spread where "
    "tasks have few rows of one class.",
)


class Found(Protocol):
    """What `TaskRelatedness` holds that is put in words."""

    @property
    def mean_correlation(self) -> Any:
        """An interval."""
        ...

    @property
    def effective_rank(self) -> Any:
        """An interval."""
        ...

    @property
    def groups(self) -> Any:
        """Their count, and its stability."""
        ...

    @property
    def outliers(self) -> pd.DataFrame:
        """A row per task."""
        ...


def method_of(kind: str) -> tuple[str, ...]:
    """The method, with what classes change about it."""
    return METHOD if kind == "regression" else METHOD + _CLASSES


def headline(mean: float) -> str:
    """One sentence on the mean correlation."""
    if mean >= 0.8:
        return "The tasks are closely related."
    if mean >= 0.4:
        return "The tasks are related."
    if mean >= 0.15:
        return "The tasks are loosely related."
    return "The tasks have little in common on average."


def paragraph(found: Found) -> str:
    """Three to five sentences: how much is shared, directions, groups, tasks that stand apart."""
    mean = found.mean_correlation
    sentences = [
        headline(mean.value),
        f"Their slopes correlate {_number(mean.value)} on average "
        f"(95 % interval {_number(mean.low)} to {_number(mean.high)}, noise taken off).",
        _rank(found),
        _groups(found),
        _outliers(found),
    ]
    return " ".join(sentences)


def _rank(found: Found) -> str:
    rank = found.effective_rank
    text = f"They lie in about {rank.value:.1f} directions"
    if np.isfinite(rank.low):
        return f"{text} (95 % interval {rank.low:.1f} to {rank.high:.1f})."
    return f"{text}; too few tasks determine all their coefficients for an interval."


def _groups(found: Found) -> str:
    if found.groups.count > 1:
        return (
            f"They form {found.groups.count} groups "
            f"(stability {found.groups.stability:.2f}, where 1 is the same groups every time)."
        )
    return "No groups stand out beyond what one cloud of tasks would show."


def _outliers(found: Found) -> str:
    apart = found.outliers[found.outliers["outlier"]].sort_values("distance", ascending=False)
    names = [str(task) for task in apart["task"].head(5)]
    if not names:
        return "No task stands apart from the others."
    more = f" and {len(apart) - len(names)} more" if len(apart) > len(names) else ""
    verb = "stands" if len(apart) == 1 else "stand"
    return f"{len(apart)} of {len(found.outliers)} {verb} apart: {', '.join(names)}{more}."


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")
