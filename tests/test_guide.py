"""Pages for practitioners read easily: short sentences, few figures, and a next step at the end."""

import re
from pathlib import Path

import pytest

from polytask.models.registry import formulations

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGES = sorted([*(DOCS / "start").glob("*.md"), *(DOCS / "guide").rglob("*.md")])
MOST_WORDS, MOST_FIGURES = 16.0, 2


def paragraphs(text: str) -> list[str]:
    """Prose: no code, tables, lists of links, headings or comments."""
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    text = re.sub(r"^(#|\||!\[|<!--).*$", "", text, flags=re.MULTILINE)
    return [
        " ".join(p.split()) for p in re.split(r"\n\s*\n|^\d+\. |^- ", text, flags=re.M) if p.strip()
    ]


def sentences(page: Path) -> list[int]:
    """Words of each sentence."""
    found = (s for p in paragraphs(page.read_text("utf-8")) for s in re.split(r"(?<=[.?!:])\s", p))
    return [len(s.split()) for s in found if len(s.split()) > 1]


def test_there_are_pages():
    assert len(PAGES) > 5


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_sentences_are_short(page):
    lengths = sentences(page)
    assert sum(lengths) / len(lengths) <= MOST_WORDS


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_paragraphs_hold_few_figures(page):
    crowded = [
        p for p in paragraphs(page.read_text("utf-8"))
        if len(re.findall(r"(?<![\w`-])\d[\d.,]*", re.sub(r"`[^`]*`", "", p))) > MOST_FIGURES
    ]  # fmt: skip
    assert crowded == []


FORMULATIONS = sorted((DOCS / "guide" / "formulations").glob("*.md"))
PARTS = [
    "What it believes",
    "When to take it",
    "In code",
    "How to read the answer",
    "When it fails",
]


@pytest.mark.parametrize("page", FORMULATIONS, ids=lambda p: p.stem)
def test_pages_of_formulations_have_the_same_parts(page):
    headings = re.findall(r"^## (.*)$", page.read_text("utf-8"), flags=re.MULTILINE)
    assert headings == [*PARTS, "What to do next"]


def test_every_formulation_has_a_page():
    names = {name.replace("-", "_") for name in formulations()} | {"shared_hidden_layer"}
    assert names <= {page.stem for page in FORMULATIONS}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_it_ends_with_what_to_do_next(page):
    headings = re.findall(r"^## (.*)$", page.read_text("utf-8"), flags=re.MULTILINE)
    assert headings[-1] == "What to do next"
