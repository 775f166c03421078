"""SVG for the page: named, themed, with ids of its own and nothing of matplotlib's frame."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from matplotlib.figure import Figure

from polytask.inspection.displays.style import PALETTE, house_style
from polytask.report.svg import inline_svg


def example(key: str = "k", title: str = "T", description: str = "D") -> str:
    with house_style():
        figure = Figure(figsize=(4, 3))
        ax = figure.add_subplot()
        ax.plot([1, 2, 3], [1, 2, 3], "o", color=PALETTE["accent"])
        ax.set_xlabel("<b>&\"'")
        return inline_svg(figure, key=key, title=title, description=description)


def test_role_title_and_description_come_first_and_are_escaped() -> None:
    root = ElementTree.fromstring(example(title="</title><script>", description="a < b"))
    assert root.get("role") == "img"
    assert [child.tag for child in root][:2] == ["title", "desc"]
    assert [child.text for child in root][:2] == ["</title><script>", "a < b"]
    assert root.get("aria-labelledby") == "k-title k-desc"


def test_text_stays_text() -> None:
    texts = [e.text for e in ElementTree.fromstring(example()).iter("text")]
    assert "<b>&\"'" in texts


def test_ids_are_short_prefixed_and_complete() -> None:
    svg = example("abc")
    ids = set(re.findall(r'\bid="([^"]+)"', svg))
    used = set(re.findall(r'href="#([^"]+)"', svg)) | set(re.findall(r"url\(#([^)]+)\)", svg))
    assert used < ids
    assert all(name.startswith("abc") and len(name) <= 10 for name in ids)


def test_nothing_reaches_the_page_around_it() -> None:
    svg = example()
    for foreign in ("<style", "<metadata", "<?xml", "<!DOCTYPE", "http", "font-family"):
        assert foreign not in svg


def test_colours_are_variables_with_a_fallback() -> None:
    svg = example()
    assert f"var(--fig-accent, {PALETTE['accent']})" in svg
    assert not re.search(r"(?<!, )#[0-9a-f]{6}", svg)


def test_same_bytes_each_time() -> None:
    assert example() == example()
