"""``polytask models``: what compare and fit know."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from typing import TYPE_CHECKING

from polytask.cli.candidates import BOOSTING, NEURAL
from polytask.cli.screen import print_json, screen, show_table

if TYPE_CHECKING:
    from polytask.models.registry import Formulation

__all__ = ["run"]

NEURAL_TEXT = "needs the extra polytask[neural]"
BOOSTING_TEXT = "scikit-learn's gradient boosted trees with the task as one more category"


def run(args: argparse.Namespace) -> int:
    """Print the models."""
    records = _records()
    if args.json:
        print_json(records)
        return 0
    head = [("--models", "left"), ("group", "left"), ("by default", "left")]
    head.append(("what it does", "left"))
    rows = [(r["name"], r["group"], "yes" if r["default"] else "", _text(r)) for r in records]
    show_table(screen(), "", head, rows)
    return 0


def _records() -> list[dict[str, object]]:
    from polytask.models import formulations

    boosting = {
        "name": BOOSTING,
        "title": "Gradient boosting",
        "objective": BOOSTING_TEXT,
        "default": True,
        "group": "",
        "kinds": ["regression", "classification"],
    }
    return [*(_record(f) for f in formulations().values()), *_networks(), boosting]


def _record(formulation: Formulation) -> dict[str, object]:
    return {
        "name": formulation.name,
        "title": formulation.title,
        "objective": formulation.objective,
        "default": formulation.default,
        "group": formulation.group,
        "kinds": [kind for kind, found in formulation.kinds.items() if found is not None],
    }


def _networks() -> list[dict[str, object]]:
    """What is known of the networks: their objectives where PyTorch is there to load them."""
    from polytask.models.registry import NEURAL_NAMES, neural_formulations

    if find_spec("torch") is not None:
        return [_record(f) for f in neural_formulations().values()]
    return [
        {
            "name": name,
            "title": name.replace("-", " ").capitalize(),
            "objective": NEURAL_TEXT,
            "default": False,
            "group": NEURAL,
            "kinds": ["regression", "classification"],
        }
        for name in NEURAL_NAMES
    ]


def _text(record: dict[str, object]) -> str:
    kinds: list[str] = record["kinds"]  # type: ignore[assignment]
    told = f" ({kinds[0]} only)" if len(kinds) == 1 else ""
    told = " (also times to an event)" if "survival" in kinds else told
    return f"{record['title']}: {record['objective']}{told}"
