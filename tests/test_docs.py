"""Every ```python block of README.md and docs/ runs, in a folder of its own.

The blocks of a page share their names, as a reader who types them in order would have it. A block
after the line `<!-- not run: reason -->` is only read.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FENCE = re.compile(
    r"(?P<skip><!-- not run: [^>]+ -->\s*\n)?^```python\n(?P<code>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
LINK = re.compile(r"\]\((?P<target>[^)#\s]+)(?:#[^)]*)?\)")
PAGES = [
    path
    for path in [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *sorted((ROOT / "docs").rglob("*.md")),
    ]
    if path.exists() and not path.name.startswith("_")
]


def page_name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def runnable_blocks(text: str) -> list[tuple[int, str]]:
    """Code of the blocks that run, each with the line where it starts."""
    return [
        (text.count("\n", 0, block.start("code")), block["code"])
        for block in FENCE.finditer(text)
        if not block["skip"]
    ]


LONG = ("docs/gallery.md", "docs/models/targets.md")  # many seconds each


@pytest.mark.parametrize(
    "page",
    [pytest.param(p, marks=pytest.mark.slow if page_name(p) in LONG else ()) for p in PAGES],
    ids=page_name,
)
def test_python_blocks_run(page, tmp_path, monkeypatch):
    blocks = runnable_blocks(page.read_text(encoding="utf-8"))
    if not blocks:
        pytest.skip("no python on this page")
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    for line, code in blocks:
        # Empty lines in front, so that a traceback names the line of the page.
        exec(compile("\n" * line + code, str(page), "exec"), names)


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_links_inside_the_project_lead_somewhere(page):
    targets = [link["target"] for link in LINK.finditer(page.read_text(encoding="utf-8"))]
    local = [
        target for target in targets if "://" not in target and not target.startswith("mailto:")
    ]
    assert [target for target in local if not (page.parent / target).exists()] == []


def test_the_runner_finds_blocks_and_skips_marked_ones():
    text = "a\n```python\nx = 1\n```\n<!-- not run: needs a cluster -->\n```python\nx = 2\n```\n"
    assert runnable_blocks(text) == [(2, "x = 1\n")]
