"""What a table itself shows of rows that are not independent, where nothing was said of it."""

from __future__ import annotations

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from polytask.data import drop_task_column, is_frame
from polytask.inspection.sample import RowSample
from polytask.tables.dependence import dependent_rows

__all__ = ["rows_alike"]


def rows_alike(sample: RowSample) -> tuple[str, ...]:
    """A warning where rows look like those of a few people, unless groups or time were given."""
    features = drop_task_column(sample.X, sample.task)
    if sample.together is not None or sample.time is not None:
        return ()
    if is_frame(features):
        frame = nw.from_native(features, eager_only=True)
        table = pd.DataFrame({str(name): frame[name].to_numpy() for name in frame.columns})
    elif isinstance(features, np.ndarray):
        table = pd.DataFrame(features).add_prefix("column ").infer_objects()
    else:  # a sparse matrix
        return ()
    ids = pd.Series(sample.ids[sample.codes])
    found = dependent_rows(table, table, sample.y, ids, "", "")
    return tuple(finding.text for finding in found)
