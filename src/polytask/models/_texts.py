"""Descriptions that a class shares with its bases: each base says what it adds."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache

__all__ = ["with_shared"]

_SHARED = ("Parameters", "Attributes")
_HEADING = re.compile(r"^(\w[\w ]*)\n-{3,}\n", flags=re.MULTILINE)
_ENTRY = re.compile(r"^(?=\S)", flags=re.MULTILINE)


def with_shared(text: str, base: str, given: Collection[str]) -> str:
    """``text`` with the parameters and attributes of ``base`` that it does not describe itself.

    Both are numpydoc; a section of ``text`` keeps its own entries first. Of the parameters only
    those ``given`` to the constructor are taken.
    """
    own, shared = dict(_sections(text)), _sections(base)
    for title in _SHARED:
        entries = [e for e in _ENTRY.split(shared.get(title, "")) if e.strip()]
        if title == "Parameters":
            entries = [e for e in entries if _names(e) & set(given)]
        if entries:
            own[title] = _joined(own.get(title, ""), entries)
    own = {title: own[title] for title in dict.fromkeys(["", *_SHARED, *own]) if title in own}
    heads = {title: f"{title}\n{'-' * len(title)}\n" if title else "" for title in own}
    return "\n\n".join(heads[title] + body.strip("\n") for title, body in own.items()) + "\n"


@cache
def _sections(text: str) -> dict[str, str]:
    """Bodies by title; the text before the first heading under no title."""
    parts = _HEADING.split(text)
    return dict(zip(["", *parts[1::2]], parts[::2], strict=True))


def _joined(own: str, shared: list[str]) -> str:
    entries = [entry for entry in _ENTRY.split(own) if entry.strip()]
    known = {name for entry in entries for name in _names(entry)}
    entries += [e for e in shared if not _names(e) <= known]
    return "\n".join(entry.strip("\n") for entry in entries)


@cache
def _names(entry: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", entry.split("\n", 1)[0].split(" :")[0]))
