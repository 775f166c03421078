"""The few numbers and facts that the report states outside its tables."""

from __future__ import annotations

import re
from typing import NamedTuple

from polytask.inspection.comparison import Comparison, Interval, Verdict
from polytask.inspection.displays.style import digits_for
from polytask.inspection.words import percent, span
from polytask.report import formats as f
from polytask.report.tables import METRIC_DIGITS


class KeyNumber(NamedTuple):
    """A number that the page shows large: what it is, its value, a remark, and its standing."""

    title: str
    value: str
    note: str
    clear: bool = True


def rest_of_verdict(verdict: Verdict) -> str:
    """Return the verdict's text without its first sentence where the headline says it already."""
    text, headline = verdict.text.strip(), verdict.headline.strip()
    rest = text[len(headline) :].strip() if text.startswith(headline) else text
    return re.sub(r"(\d) %", "\\1\u00a0%", rest)


def key_numbers(comparison: Comparison) -> list[KeyNumber]:
    """Return the metric of the recommended model and its gain over single-task and pooled."""
    verdict = comparison.verdict
    level = f"{100 * comparison.level:g}\u00a0% interval"
    found = []
    chosen = comparison.models[comparison.models["recommended"].astype(bool)]
    for _, row in chosen.head(1).iterrows():
        digits = digits_for(comparison.models["metric"], METRIC_DIGITS)
        found.append(
            KeyNumber(
                f.sentence(comparison.metric_title),
                f.number(row["metric"], digits),
                f"{row['title']}; {_together(level)}\u00a0"
                f"{f.interval(row['low'], row['high'], digits)}",
            )
        )
    focus = title_of(comparison, verdict.focus)
    against = [(comparison.baseline, verdict.gain), ("pooled", verdict.gain_over_pooled)]
    for name, gain in against:
        if name != verdict.focus and gain.value == gain.value:
            found.append(_gain(comparison, focus, name, gain))
    return found


def _together(text: str) -> str:
    """Keep a short text on one line."""
    return text.replace(" ", "\u00a0")


def title_of(comparison: Comparison, name: str) -> str:
    """Return what the page calls a model."""
    titles = comparison.models.set_index("name")["title"]
    return str(titles.get(name, name))


def _gain(comparison: Comparison, focus: str, against: str, gain: Interval) -> KeyNumber:
    more = "less" if gain.value >= 0 else "more"
    clear = not gain.low <= 0 <= gain.high
    return KeyNumber(
        f"{comparison.loss_title} against {title_of(comparison, against).lower()}",
        f"{percent(gain.value)} {more}",
        f"{focus}; {'' if clear else 'not clear: '}{_together(span(gain))}",
        clear,
    )


def data_facts(comparison: Comparison) -> list[tuple[str, str]]:
    """Return what the table held: sizes, missing values, the target."""
    data = comparison.data
    facts = [
        ("Rows", f.count(data.rows)),
        ("Tasks", f"{f.count(data.tasks)}, by {comparison.task}"),
        (
            "Rows per task",
            f"{f.count(data.rows_min)} to {f.count(data.rows_max)}, "
            f"median {f.count(data.rows_median)}",
        ),
        ("Features", f.count(data.features)),
        ("Missing feature values", _missing(comparison)),
        ("Target", _target(comparison)),
    ]
    if data.tasks_in_training_only:
        facts.append(
            ("Tasks too small to be scored", f"{f.count(data.tasks_in_training_only)}, in training")
        )
    return facts


def _missing(comparison: Comparison) -> str:
    data = comparison.data
    if not data.missing_cells:
        return "none"
    names = list(map(str, data.features_with_missing))
    shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
    return f"{f.count(data.missing_cells)}, in {shown}" if names else f.count(data.missing_cells)


def _target(comparison: Comparison) -> str:
    data = comparison.data
    if data.classes:
        share = f", {f.percent(data.positive_share)} {data.classes[-1]}"
        known = share if data.positive_share is not None else ""
        *some, last = data.classes
        return f"{comparison.target}, classes {', '.join(some)} and {last}{known}"
    if data.target_mean is None or data.target_std is None:
        return comparison.target
    digits = digits_for([data.target_std])
    mean, std = (f.number(v, digits) for v in (data.target_mean, data.target_std))
    return f"{comparison.target}, mean {mean}, standard deviation {std}"


def how_facts(comparison: Comparison) -> list[tuple[str, str]]:
    """Return splits, seeds, time and versions."""
    how = comparison.provenance
    versions = ", ".join(f"{name}\u00a0{version}" for name, version in how.versions.items())
    repeats = "" if how.n_repeats == 1 else f", drawn anew {how.n_repeats} times"
    return [
        ("Splits", f"{how.splitter}{repeats}; the same for every model"),
        ("Seed", str(how.random_state)),
        ("Ranked by", comparison.metric_title),
        ("Gains measured in", f"{comparison.loss_title} per row, against {comparison.baseline}"),
        ("Computed", f"{f.moment(how.date)}, in {f.seconds(how.seconds)}"),
        ("Versions", versions),
    ]
