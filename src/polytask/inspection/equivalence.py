"""At how many rows one learning curve reaches what another reaches with fewer."""

from __future__ import annotations

import numpy as np
import pandas as pd

from polytask.inspection.roles import title_of

_MATTERS = 1.1  # rows saved below a tenth are nobody's reason to share

__all__ = ["equal_rows", "equivalence_frame", "sentence"]


def equal_rows(curve: np.ndarray, points: np.ndarray, goal: float) -> float:
    """Rows at which `curve` first comes down to `goal`.

    Interpolated between measured points on the logarithmic axis, after the curve is made to fall
    (a running minimum: more rows cannot hurt but by chance). Infinite where the curve stays above
    the goal, 0 where it starts at or below it.

    Examples
    --------
    >>> import numpy as np
    >>> points = np.array([10, 40, 160])
    >>> equal_rows(np.array([3.0, 2.0, 1.0]), points, 1.5)
    80.0
    >>> equal_rows(np.array([3.0, 2.0, 1.0]), points, 0.5)
    inf
    """
    falling = np.minimum.accumulate(curve)
    if goal >= falling[0]:
        return 0.0 if goal > falling[0] else float(points[0])
    if goal < falling[-1]:
        return np.inf
    right = int(np.argmax(falling <= goal))
    share = (falling[right - 1] - goal) / (falling[right - 1] - falling[right])
    logs = np.log(points[right - 1 : right + 1])
    return float(np.round(np.exp(logs[0] + share * (logs[1] - logs[0])), 6))


def equivalence_frame(
    losses: dict[str, np.ndarray], points: np.ndarray, baseline: str, draws: np.ndarray
) -> pd.DataFrame:
    """A row per model and number of rows; see `TaskLearningCurve.equivalence`.

    Parameters
    ----------
    losses : dict of str to ndarray of shape (points, tasks)
    draws : ndarray of int, shape (draws, tasks)
        Tasks drawn anew; the interval is the middle 95 % of the answers over them. An infinite
        end lies beyond the measured range.
    """
    base = losses[baseline]
    base_drawn = base[:, draws].mean(axis=2).T
    rows = []
    for name, loss in losses.items():
        if name == baseline:
            continue
        drawn = loss[:, draws].mean(axis=2)
        for j, n in enumerate(points):
            value = equal_rows(base.mean(axis=1), points, float(loss[j].mean()))
            many = [
                equal_rows(curve, points, goal)
                for curve, goal in zip(base_drawn, drawn[j], strict=True)
            ]
            low, high = np.quantile(many, [0.025, 0.975], method="closest_observation")
            rows.append(
                {
                    "name": name,
                    "title": title_of(name),
                    "rows": int(n),
                    "equal_rows": value if 0 < value < np.inf else np.nan,
                    "low": low,
                    "high": high,
                    "beyond": "above" if value == np.inf else "" if value > 0 else "below",
                }
            )
    columns = ["name", "title", "rows", "equal_rows", "low", "high", "beyond"]
    return pd.DataFrame(rows, columns=columns)


def sentence(
    frame: pd.DataFrame, points: np.ndarray, baseline: str, roles: dict[str, str], loss_title: str
) -> str:
    """The answer for the joint model whose rows are worth most, at a number in the middle."""
    joint = frame[frame["name"].map(lambda name: roles[name] == "joint")]
    asked = joint if len(joint) else frame
    if asked.empty:
        return "There is no second model to compare with."
    title = title_of(baseline).lower()
    best = _best(asked)
    mine = asked[asked["name"] == best]
    worth = mine["equal_rows"].fillna(np.inf).where(mine["beyond"] != "below", 0.0)
    saves = mine[(mine["low"] > mine["rows"]) & (worth >= _MATTERS * mine["rows"])]
    inside = saves[saves["beyond"] == ""]
    if len(inside):
        row = inside.iloc[(len(inside) - 1) // 2]
        return (
            f"{row['title']} at {row['rows']} rows per task has the {loss_title} of {title} at "
            f"about {row['equal_rows']:.0f} ({_span(row, points)})."
        )
    if len(saves):
        row = saves.iloc[0]
        return (
            f"{row['title']} at {row['rows']} rows per task has less {loss_title} than {title} at "
            f"any number of rows measured: {title} would need more than {points[-1]}."
        )
    row = mine.iloc[(len(mine) - 1) // 2]
    many = f"at about {row['equal_rows']:.0f}" if row["beyond"] == "" else "with fewer"
    if row["beyond"] == "above":
        many = f"with more than {points[-1]}"
    large = row["beyond"] == "above" or row["equal_rows"] >= _MATTERS * row["rows"]
    no_rows = "no rows that could be told from chance" if large else "no rows to speak of"
    return (
        f"{row['title']} saves {no_rows}: what it reaches with "
        f"{row['rows']} rows per task, {title} reaches {many} ({_span(row, points)})."
    )


def _best(frame: pd.DataFrame) -> str:
    """The model whose rows are worth most, on average over the numbers of rows."""
    worth = frame["equal_rows"].where(
        frame["beyond"] == "", np.where(frame["beyond"] == "above", 4 * frame["rows"], 1)
    )
    ratio = pd.Series(np.log((worth / frame["rows"]).to_numpy()), index=frame.index)
    return str(ratio.groupby(frame["name"], sort=False).mean().idxmax())


def _span(row: pd.Series, points: np.ndarray) -> str:
    """The interval in words, honest where an end lies beyond what was measured."""
    low = f"{row['low']:.0f}" if row["low"] > 0 else f"fewer than {points[0]}"
    high = f"{row['high']:.0f}" if np.isfinite(row["high"]) else f"more than {points[-1]}"
    return f"95 % interval {low} to {high}"
