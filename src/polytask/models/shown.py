"""What a fitted estimator shows of itself in a notebook: a few facts and a small picture."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np

__all__ = ["fitted_html"]

MOST = 12  # coefficients in the picture
MANY = 200  # strokes of tasks in a line of it
LEFT, WIDTH, LINE = 130, 420, 20  # of the picture, in pixels
_FACTS = (
    ("optimum", "certificate_"),
    ("KKT violation", "violation_"),
    ("solver", "solver_"),
    ("status", "status_"),
    ("iterations", "n_iter_"),
)


def fitted_html(estimator: Any) -> str:
    """Facts and picture, "" before a fit."""
    if not hasattr(estimator, "tasks_") and not hasattr(estimator, "coef_"):
        return ""
    rows = "".join(
        f"<tr><th style='text-align:left'>{escape(name)}</th>"
        f"<td style='text-align:left'>{escape(text)}</td></tr>"
        for name, text in _facts(estimator)
    )
    return (
        "<div style='display:flex;flex-wrap:wrap;gap:1em;font-size:90%'>"
        f"<table><tbody>{rows}</tbody></table>{_picture(estimator)}</div>"
    )


def _facts(estimator: Any) -> list[tuple[str, str]]:
    facts = [("tasks", f"{len(getattr(estimator, 'tasks_', [0])):,}")]
    for strength in getattr(estimator, "strengths", ()):
        value = getattr(estimator, f"{strength.name}_", None)
        if value is not None:
            facts.append((strength.name, _span(np.asarray(value, dtype=float))))
    if hasattr(estimator, "common_weights_"):
        pairs = zip(estimator.candidates_, estimator.common_weights_, strict=True)
        facts.append(("weights", ", ".join(f"{name} {weight:.2f}" for name, weight in pairs)))
    for title, name in _FACTS:
        if hasattr(estimator, name):
            value = getattr(estimator, name)
            facts.append((title, f"{value:.1e}" if isinstance(value, float) else str(value)))
    return facts


def _span(values: np.ndarray) -> str:
    low, high = f"{values.min():.3g}", f"{values.max():.3g}"
    return low if low == high else f"{low} to {high}"


def _picture(estimator: Any) -> str:
    """A line per coefficient: a stroke for each task, a dot for their mean; zero in the middle."""
    coef = np.asarray(getattr(estimator, "coef_", 0.0))
    if coef.ndim != 2 or coef.shape[1] == 0 or not np.isfinite(coef).all():
        return ""
    task = getattr(estimator, "task", None)
    names = [n for n in getattr(estimator, "feature_names_in_", ()) if n != task]
    names = names if len(names) == coef.shape[1] else [f"x{j}" for j in range(coef.shape[1])]
    size = np.abs(coef).max(axis=0)
    shown = np.sort(np.argsort(-size, kind="stable")[:MOST])
    scale = size[shown].max() or 1.0
    lines = [_line(k, str(names[j]), coef[:, j] / scale) for k, j in enumerate(shown)]
    height = LINE * len(shown) + 22
    middle = (LEFT + WIDTH) / 2
    foot = f"coefficients of the tasks and their mean; zero to {scale:.3g}"
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{height}' "
        "font-family='sans-serif' font-size='11' fill='currentColor' role='img' "
        f"aria-label='{escape(foot, quote=True)}'>"
        f"<line x1='{middle}' x2='{middle}' y1='0' y2='{height - 20}' stroke='#999'/>"
        f"{''.join(lines)}<text x='{LEFT}' y='{height - 6}'>{escape(foot)}</text></svg>"
    )


def _line(k: int, name: str, values: np.ndarray) -> str:
    middle, half = (LEFT + WIDTH) / 2, (WIDTH - LEFT) / 2 - 4
    y = LINE * k + LINE // 2
    few = np.quantile(values, np.linspace(0, 1, MANY)) if len(values) > MANY else values
    strokes = "".join(f"M{middle + half * v:.1f} {y - 6}v12" for v in few)
    label = name if len(name) <= 18 else f"{name[:17]}…"
    return (
        f"<text x='{LEFT - 6}' y='{y + 4}' text-anchor='end'>{escape(label)}</text>"
        f"<path d='{strokes}' stroke='#29ABE2' stroke-opacity='0.5'/>"
        f"<circle cx='{middle + half * values.mean():.1f}' cy='{y}' r='4' fill='#F7931E'/>"
    )
