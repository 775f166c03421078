"""What formulations with norms found: which task keeps which feature, and who belongs to whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from polytask.inspection.displays import CoefficientPatternDisplay, TaskPairsDisplay
from polytask.inspection.roles import final_step, title_of
from polytask.report.figures import draw

__all__ = ["pattern_figures"]

_FOUND = (
    "support_", "own_coef_", "clusters_", "change_points_", "outlier_tasks_", "component_shares_"
)  # fmt: skip
_PATTERN = (
    "A row per task, a column per feature, in shares of the feature's largest coefficient, which "
    "stands beside its name; blank is exactly zero."
)
_LEGEND = {
    "own_coef_": "Dots are a task's own parts.",
    "outlier_tasks_": "Triangles are outlier tasks.",
    "clusters_": "Lines part the clusters.",
    "component_shares_": "Columns that rise and fall together over the tasks are along one "
    "direction of the shared subspace.",
    "change_points_": "Lines stand where coefficients change from one task to the next.",
}
_PAIRS = "Correlations of the tasks' coefficients as the model learned them."


def pattern_figures(fitted: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A figure, its model and its caption for every model fitted on all rows that found something.

    Models whose coefficients have no pattern, such as those without exact zeros, have none.
    """
    figures = []
    for name, estimator in fitted.items():
        model = final_step(estimator)
        display: CoefficientPatternDisplay | TaskPairsDisplay
        if hasattr(model, "task_correlation_"):
            display, narrow, caption = TaskPairsDisplay.from_estimator(model), None, _PAIRS
        elif _has_pattern(model):
            display, narrow = CoefficientPatternDisplay.from_estimator(model), {"max_features": 16}
            legend = [words for found, words in _LEGEND.items() if hasattr(model, found)]
            caption = " ".join([_PATTERN, *legend])
        else:
            continue
        title = title_of(name)
        drawn = draw(
            display, key=f"pattern-{name}", title=title, height=display.height(), narrow=narrow
        )
        figures.append(
            {"figure": drawn, "title": title, "caption": caption, "words": display.description}
        )
    return figures


def _has_pattern(model: Any) -> bool:
    """Whether a linear model of tasks has zeros, parts, clusters, changes or outliers to show."""
    linear = getattr(getattr(model, "coef_", None), "ndim", 0) == 2 and hasattr(model, "tasks_")
    return linear and any(hasattr(model, found) for found in _FOUND)
