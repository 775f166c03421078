"""A comparison as it shows itself in a notebook: the verdict, the models, a picture."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any, Protocol

import pandas as pd

__all__ = ["comparison_html"]

LEFT, WIDTH, LINE = 160, 520, 22  # of the picture, in pixels
_HEAD = ("model", "{metric}", "interval", "gain", "tasks better / worse")


class Compared(Protocol):
    """What a `Comparison` holds that is shown."""

    @property
    def verdict(self) -> Any:
        """A headline and a text."""
        ...

    @property
    def models(self) -> pd.DataFrame:
        """A row per model."""
        ...

    @property
    def metric_title(self) -> str:
        """The metric in words."""
        ...

    @property
    def greater_is_better(self) -> bool:
        """Its direction."""
        ...


def comparison_html(comparison: Compared) -> str:
    """HTML that asks nothing of anywhere."""
    verdict = comparison.verdict
    head = [title.format(metric=comparison.metric_title) for title in _HEAD]
    rows = [_row(record) for record in comparison.models.to_dict("records")]
    table = "".join(f"<tr>{_cells('td', row)}</tr>" for row in rows)
    rest = verdict.text.removeprefix(verdict.headline).strip()
    return (
        f"<div><p><strong>{escape(verdict.headline)}</strong> {escape(rest)}</p>"
        f"{_recommended(comparison)}"
        f"<table><thead><tr>{_cells('th', head)}</tr></thead><tbody>{table}</tbody></table>"
        f"{_picture(comparison)}</div>"
    )


def _recommended(comparison: Compared) -> str:
    """What to use, of a comparison that says so."""
    found = getattr(comparison, "recommended", None)
    if found is None or not found.model:
        return ""
    return f"<p><strong>Recommended: {escape(found.title)}</strong> {escape(found.text)}</p>"


def _cells(tag: str, texts: list[str]) -> str:
    return "".join(f"<{tag} style='text-align:left'>{escape(text)}</{tag}>" for text in texts)


def _row(record: dict[Any, Any]) -> list[str]:
    title = f"{record['title']}{' (recommended)' if record['recommended'] else ''}"
    if record["status"] != "ok":
        return [title, "failed", record["reason"], "", ""]
    gain = "" if record["gain"] != record["gain"] else f"{100 * record['gain']:.2g} %"
    counts = f"{record['n_better']} / {record['n_worse']}" if gain else ""
    span = f"{record['low']:.3g} to {record['high']:.3g}"
    return [title, f"{record['metric']:.4g}", span, gain, counts]


def _picture(comparison: Compared) -> str:
    """A line per model: its metric and interval; the recommended one is filled."""
    shown = comparison.models[comparison.models["status"] == "ok"].to_dict("records")
    ends = [r[end] for r in shown for end in ("low", "high", "metric") if r[end] == r[end]]
    if not ends:
        return ""
    low, high = min(ends), max(ends)
    scale = (WIDTH - LEFT - 20) / ((high - low) or 1.0)
    lines = [_line(k, r, lambda v: LEFT + 10 + (v - low) * scale) for k, r in enumerate(shown)]
    height = LINE * len(shown) + 22
    better = "right" if comparison.greater_is_better else "left"
    foot = f"{comparison.metric_title}, {low:.3g} to {high:.3g}; better to the {better}"
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{height}' "
        f"font-family='sans-serif' font-size='11' fill='currentColor' role='img' "
        f"aria-label='{escape(foot, quote=True)}'>{''.join(lines)}"
        f"<text x='{LEFT}' y='{height - 6}'>{escape(foot)}</text></svg>"
    )


def _line(k: int, record: dict[Any, Any], place: Callable[[float], float]) -> str:
    y = LINE * k + LINE // 2
    fill = "#F7931E" if record["recommended"] else "none"
    title = str(record["title"])
    label = title if len(title) <= 24 else f"{title[:23]}…"
    interval = ""
    if record["low"] == record["low"] and record["high"] == record["high"]:
        left, right = place(record["low"]), place(record["high"])
        interval = f"<path d='M{left:.1f} {y}H{right:.1f}' stroke='#29ABE2' stroke-width='3'/>"
    return (
        f"<text x='{LEFT - 6}' y='{y + 4}' text-anchor='end'>{escape(label)}</text>{interval}"
        f"<circle cx='{place(record['metric']):.1f}' cy='{y}' r='4' fill='{fill}' "
        "stroke='#F7931E'/>"
    )
