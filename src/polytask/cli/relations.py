"""How the tasks of a table are related, where that is cheap to say."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from polytask.cli.candidates import BASELINE

if TYPE_CHECKING:
    from polytask.inspection import TaskRelatedness
    from polytask.inspection.sample import RowSample

__all__ = ["relatedness_of"]

MOST_FEATURES = 60
MOST_CELLS = 5_000_000  # tasks times squared features: some seconds


def relatedness_of(
    models: dict[str, Any], sample: RowSample
) -> tuple[TaskRelatedness | None, tuple[str, ...]]:
    """The relatedness of the tasks on prepared features; None and a note where it is left out."""
    from polytask.inspection import TaskRelatedness

    if BASELINE not in models:
        return None, ()
    if sample.weights is not None:
        return None, ("The relatedness of the tasks is left out: it knows no weights.",)
    pipeline = models[BASELINE]
    if not hasattr(pipeline[-1], "coef_"):  # of a scaled target
        return None, ("The relatedness of the tasks is left out: it takes the target as it is.",)
    d = pipeline[-1].coef_.shape[-1]
    if d > MOST_FEATURES or sample.n_tasks * d**2 > MOST_CELLS:
        return None, (
            f"The relatedness of the tasks is left out: {d} prepared features are too many for a "
            "quick answer. polytask.inspection.TaskRelatedness computes it.",
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its answers carry their own intervals
            return TaskRelatedness.from_sample(sample, pipeline[:-1]), ()
    except ValueError as error:
        return None, (f"The relatedness of the tasks is left out. {error}",)
