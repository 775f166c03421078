"""What a table looks like to a multi-task model, and what will be a problem."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from polytask.model_selection.survival import median_survival
from polytask.tables.facts import Facts, count_facts
from polytask.tables.findings import Finding, find_all, task_level_features
from polytask.tables.further import further_columns
from polytask.tables.restarts import crossed_or_nested
from polytask.tables.targets import Target

__all__ = ["Finding", "TableDescription", "describe_table"]


@dataclass(frozen=True, eq=False)
class TableDescription:
    """A table in numbers, and what to do about it.

    Attributes
    ----------
    task, target : str
    kind : {"regression", "classification", "survival", "unusable"}
    rows, rows_used : int
        All rows, and those with a target and a task id.
    tasks : int
    sizes : dict of str to float
        Rows per task: ``min``, ``q25``, ``median``, ``q75``, ``max``.
    target_summary : dict of str to float or str
        ``mean``, ``std`` and ``between_tasks`` (share of the variance that lies between tasks),
        or the classes with their shares, or of times ``events`` (their share) and ``median``, by
        which half of the events have come (Kaplan-Meier; NaN if fewer ever do).
    columns : DataFrame, a row per column but task and target
        ``name``, ``kind``, ``missing``, ``distinct``, ``constant_tasks`` (tasks of two rows or
        more in which it does not vary), ``task_level`` (in all of them).
    encoded_columns : int
        Columns that a linear model sees after one-hot encoding.
    findings : tuple of Finding
        The worst first.
    groupings : dict of str to int
        Levels of every grouping beside the task, where there are several.
    """

    task: str
    target: str
    kind: str
    rows: int
    rows_used: int
    tasks: int
    sizes: dict[str, float]
    target_summary: dict[str, float | str]
    columns: pd.DataFrame
    encoded_columns: int
    findings: tuple[Finding, ...]
    groupings: dict[str, int] = dataclasses.field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON-ready values."""
        found = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        found["columns"] = self.columns.astype(object).where(self.columns.notna(), None)
        found["columns"] = found["columns"].to_dict("records")
        found["findings"] = [dataclasses.asdict(finding) for finding in self.findings]
        return found


def describe_table(
    table: pd.DataFrame,
    task: str,
    target: str,
    *,
    features: Sequence[str] | None = None,
    categorical: Sequence[str] = (),
    kind: str = "auto",
    loss: str = "auto",
    groups: str | None = None,
    time: str | None = None,
    weights: str | None = None,
    groupings: Sequence[tuple[str, ...]] = (),
    event: str | None = None,
) -> TableDescription:
    """Describe a table before anything is fitted; arguments as in `make_task_table`.

    What would stop a comparison is a finding of severity "error" here, not an exception, except
    for columns that do not exist.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"t": [1, 1, 2, 2], "x": [1.0, 2, 3, 4], "y": [1.0, 1, 2, 3]})
    >>> describe_table(table, "t", "y").findings[0].severity
    'warning'
    """
    further = further_columns(list(table.columns), groupings, task, target)
    levels = {
        "/".join(columns): len(table[list(columns)].dropna().drop_duplicates())
        for columns in groupings[1:]
    }
    facts = count_facts(
        table.drop(columns=list(further)),
        task,
        target,
        features,
        categorical,
        kind,
        loss,
        groups,
        time,
        weights,
        event,
    )
    more: tuple[Finding, ...] = ()
    if further and facts.found is not None:
        at = table.reset_index(drop=True).loc[facts.rows.index]
        by_name = {facts.task: facts.ids, **{name: at[name] for name in further}}
        rows = facts.as_rows(facts.found)
        more = tuple(crossed_or_nested(by_name, groupings, rows.X, rows.y, facts.target))
    return TableDescription(
        task=facts.task,
        target=facts.target,
        kind=facts.found.kind if facts.found else "unusable",
        rows=len(facts.table),
        rows_used=len(facts.rows),
        tasks=len(facts.sizes),
        sizes=_quantiles(facts.sizes),
        target_summary=_target_summary(facts.found, facts.ids),
        columns=_columns(facts),
        encoded_columns=facts.width,
        findings=find_all(facts, more),
        groupings=levels,
    )


def _quantiles(sizes: pd.Series) -> dict[str, float]:
    parts = {"min": 0.0, "q25": 0.25, "median": 0.5, "q75": 0.75, "max": 1.0}
    return {name: float(sizes.quantile(q)) for name, q in parts.items()}


def _target_summary(found: Target | None, ids: pd.Series) -> dict[str, float | str]:
    if found is None:
        return {}
    if found.kind == "classification":
        return {str(label): float((found.y == label).mean()) for label in found.classes}
    if found.kind == "survival":
        time, event = found.y.to_numpy().T
        return {"events": float(event.mean()), "median": median_survival(time, event == 1.0)}
    means = found.y.groupby(ids.to_numpy()).transform("mean").to_numpy()
    total = float(found.y.var(ddof=0))
    between = float(((means - found.y.mean()) ** 2).mean()) / total if total else math.nan
    summary = {"mean": float(found.y.mean()), "std": math.sqrt(total), "between_tasks": between}
    return summary | ({} if found.loss == "auto" else {"loss": found.loss})


def _columns(facts: Facts) -> pd.DataFrame:
    several = facts.levels[facts.sizes.reindex(facts.levels.index) > 1]
    task_level = set(task_level_features(facts))
    records = [
        {
            "name": c.name,
            "kind": c.kind,
            "missing": c.missing,
            "distinct": c.distinct,
            "constant_tasks": int((several[c.name] <= 1).sum()) if c.usable else None,
            "task_level": c.name in task_level,
        }
        for c in facts.columns
    ]
    names = ["name", "kind", "missing", "distinct", "constant_tasks", "task_level"]
    return pd.DataFrame(records, columns=names)
