"""`make docs`: the site builds without a warning and reads well in a browser, offline."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.report.browser import Page, browse, chromium

pytest.importorskip("sphinx", reason="sphinx is in the extra `docs`")
ROOT = Path(__file__).resolve().parents[1]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(chromium() is None, reason="chromium is not installed"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = ["-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet", "-b", "html"]
    done = subprocess.run(
        [sys.executable, *command, "docs", str(folder)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browse(tmp_path_factory.mktemp("profile")) as page:
        yield page


def pages(site: Path) -> list[Path]:
    return [path for path in sorted(site.rglob("*.html")) if "generated" not in path.parts]


@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_is_silent_and_no_wider_than_the_window(site, tab, width):
    tab.look(width)
    wide = []
    for path in pages(site):
        tab.said.clear()
        tab.asked.clear()
        tab.open(path.as_uri())
        assert tab.said == [], path
        assert [url for url in tab.asked if not url.startswith(("file:", "data:"))] == [], path
        if tab.value("document.documentElement.scrollWidth") > width:
            wide.append(path.relative_to(site).as_posix())
    assert wide == []


def test_it_prints(site, tab, tmp_path):
    tab.look(1280)
    tab.open((site / "start" / "report.html").as_uri())
    tab.print_to(tmp_path / "page.pdf")
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")


def test_a_search_works_without_a_server(site, tab):
    tab.look(1280)
    tab.open((site / "search.html").as_uri() + "?q=leave-one-out")
    count = "document.querySelectorAll('#search-results li').length"
    for _ in range(100):
        if tab.value(count):
            break
        time.sleep(0.1)
    assert tab.value(count) > 0
