"""Pages of the reference, written from what the package says is public: no name can be missing."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import GenericAlias

ROOMS = {
    "polytask": "Estimators and first steps",
    "polytask.inspection": "Comparison, verdict, figures",
    "polytask.model_selection": "Splitters, scorers, metrics",
    "polytask.datasets": "Data to try things on",
    "polytask.responses": "Kinds of target",
    "polytask.neural": "Shared hidden layers",
    "polytask.tables": "Reading tables",
    "polytask.export": "Models for other programs",
    "polytask.report": "The report",
    "polytask.penalties": "Penalties",
    "polytask.structures": "Structures",
    "polytask.scales": "Strengths of other packages",
}


def public_names(room: str) -> list[str]:
    """What a room says is public, without the rooms themselves."""
    module = importlib.import_module(room)
    top = set(dir(importlib.import_module("polytask")))
    names = top if room == "polytask" else set(module.__all__) - top
    names = {n for n in names if not n.startswith("_") and f"polytask.{n}" not in ROOMS}
    return sorted(n for n in names if not isinstance(getattr(module, n), GenericAlias))


def write_reference(folder: Path) -> None:
    """A page a room with a table of its names; autosummary writes a page for each of them."""
    folder.mkdir(parents=True, exist_ok=True)
    for room, title in ROOMS.items():
        lines = [title, "=" * len(title), "", f".. currentmodule:: {room}", ""]
        lines += [".. autosummary::", "   :toctree: generated", ""]
        lines += [f"   {name}" for name in public_names(room)]
        text = "\n".join([*lines, ""])
        path = folder / f"{room.replace('.', '_')}.rst"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
