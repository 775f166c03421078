"""``polytask models``: what compare and fit know."""

from __future__ import annotations

import argparse

from polytask.cli.candidates import BOOSTING
from polytask.cli.screen import print_json, screen, show_table

__all__ = ["run"]

NEURAL_TEXT = "needs the extra polytask[neural]; the name 'neural' stands for all three networks"
BOOSTING_TEXT = "scikit-learn's gradient boosted trees with the task as one more category"


def run(args: argparse.Namespace) -> int:
    """Print the models."""
    records = _records()
    if args.json:
        print_json(records)
        return 0
    head = [("--models", "left"), ("by default", "left"), ("what it does", "left")]
    rows = [(r["name"], "yes" if r["default"] else "", _text(r)) for r in records]
    show_table(screen(), "", head, rows)
    return 0


def _records() -> list[dict[str, object]]:
    from polytask.models import formulations
    from polytask.models.registry import NEURAL_NAMES

    found = [
        {
            "name": f.name,
            "title": f.title,
            "objective": f.objective,
            "default": f.default,
            "kinds": _kinds(f.regressor, f.classifier),
        }
        for f in formulations().values()
    ]
    boosting = {
        "name": BOOSTING,
        "title": "Gradient boosting",
        "objective": BOOSTING_TEXT,
        "default": True,
        "kinds": ["regression", "classification"],
    }
    networks = [
        {
            "name": name,
            "title": name.replace("-", " ").capitalize(),
            "objective": NEURAL_TEXT,
            "default": False,
            "kinds": ["regression", "classification"],
        }
        for name in NEURAL_NAMES
    ]
    return [*found, *networks, boosting]


def _kinds(regressor: type | None, classifier: type | None) -> list[str]:
    kinds = {"regression": regressor, "classification": classifier}
    return [kind for kind, found in kinds.items() if found is not None]


def _text(record: dict[str, object]) -> str:
    only = record["kinds"][0] if len(record["kinds"]) == 1 else ""  # type: ignore[index, arg-type]
    return f"{record['title']}: {record['objective']}" + (f" ({only} only)" if only else "")
