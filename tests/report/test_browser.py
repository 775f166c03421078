"""The page in a real browser: silent, whole, sortable, searchable, no wider than a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from polytask.report import write_report
from tests.inspection.example import example_comparison
from tests.report.browser import Page, browse, chromium
from tests.report.conftest import N_TASKS

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium() is None, reason="chromium is not installed"),
]

SHOWN = (
    "[...document.querySelectorAll('#tasks-table tbody tr:not(.gap):not([hidden])')]"
    ".map(row => row.cells[{column}].textContent.trim())"
)
ALERTS = "window.alert = () => { throw new Error('a task ran') }"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browse(tmp_path_factory.mktemp("profile")) as tab:
        tab.call("Page.addScriptToEvaluateOnNewDocument", source=ALERTS)
        yield tab


@pytest.fixture
def opened(page: Page, report: Path) -> Iterator[Page]:
    """The report in a fresh state; whatever a test does, the console stays empty."""
    page.look()
    page.open("about:blank")
    page.said.clear()
    page.asked.clear()
    page.open(report.as_uri())
    yield page
    assert page.said == []
    assert page.asked == [report.as_uri()]


def shown(page: Page, column: int = 0) -> list[str]:
    found: list[str] = page.value(SHOWN.format(column=column))
    return found


def numbers(cells: list[str]) -> list[float]:
    return [float(c.replace("−", "-").replace(",", "")) for c in cells if c != "–"]


def test_dom_holds_verdict_figures_and_tasks(opened: Page) -> None:
    assert opened.value("document.querySelector('h1').textContent").endswith("helps.")
    assert opened.value("document.querySelectorAll('svg[role=img] > title').length") == 14
    assert opened.value("document.querySelectorAll('#tasks-table tbody th').length") == N_TASKS
    names = opened.value(
        "[...document.querySelectorAll('#tasks-table tbody th')].map(c => c.textContent)"
    )
    assert "<script>alert(1)</script>" in names


def test_click_sorts_and_says_so(opened: Page) -> None:
    click = "document.querySelectorAll('#tasks-table thead button')[2].click()"
    opened.value("document.querySelector('#tasks-table .gap button').click()")
    opened.value(click)
    rows = numbers(shown(opened, 2))
    assert len(rows) == N_TASKS
    assert rows == sorted(rows, reverse=True)
    state = "document.querySelectorAll('#tasks-table thead th')[2].getAttribute('aria-sort')"
    assert opened.value(state) == "descending"
    opened.value(click)
    assert numbers(shown(opened, 2)) == sorted(rows)
    assert opened.value(state) == "ascending"


def test_keyboard_reaches_the_headings(opened: Page) -> None:
    opened.value("document.querySelectorAll('#models-table thead button')[1].focus()")
    for kind in ("keyDown", "keyUp"):
        opened.call("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", text="\r")
    assert opened.value("document.activeElement.parentElement.ariaSort") == "descending"


def test_unknown_gains_come_last_in_both_directions(opened: Page, report: Path) -> None:
    for direction in ("ascending", "descending"):
        opened.open("about:blank")
        opened.asked.clear()
        opened.open(f"{report.as_uri()}#sort:tasks:3:{direction}")
        cells = shown(opened, 3)
        assert cells[-1] == "–"
        gains = numbers(cells)
        assert gains == sorted(gains, reverse=direction == "descending")
        opened.asked[:] = [url.split("#")[0] for url in opened.asked]


def test_long_table_folds_and_unfolds(opened: Page) -> None:
    assert len(shown(opened)) == 20
    assert "45 more" in opened.value("document.querySelector('#tasks-table .gap').textContent")
    opened.value("document.querySelector('#tasks-table .gap button').click()")
    assert len(shown(opened)) == N_TASKS


def test_search_and_label(opened: Page) -> None:
    opened.value(
        "const box = document.querySelector('.tools input'); box.value = 'SCHOOL 1';"
        "box.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    found = shown(opened)
    assert found
    assert all("school 1" in name for name in found)
    opened.value(
        "const list = document.querySelector('.tools select'); list.value = 'harmed';"
        "list.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    assert set(shown(opened, 1)) == {"harmed"}
    output = opened.value("document.querySelector('.tools output').textContent")
    assert output == f"{len(shown(opened))} of {N_TASKS}"


@pytest.mark.parametrize("width", [360, 390, 700, 1280])
@pytest.mark.parametrize("dark", [False, True])
def test_no_sideways_scrolling(opened: Page, width: int, dark: bool) -> None:
    opened.look(width, dark=dark)
    assert opened.value("document.documentElement.scrollWidth") <= width
    seen = "[...document.querySelectorAll('figure')].every(f => [...f.querySelectorAll('svg')]"
    assert opened.value(seen + ".filter(s => s.getBoundingClientRect().width > 0).length === 1)")
    colour = opened.value("getComputedStyle(document.body).backgroundColor")
    assert (colour == "rgb(255, 255, 255)") is not dark


def test_readable_without_script(page: Page, report: Path) -> None:
    page.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        page.open(report.as_uri())
    finally:
        page.call("Emulation.setScriptExecutionDisabled", value=False)
    assert len(shown(page)) == N_TASKS
    assert page.value("document.querySelectorAll('button').length") == 0
    assert page.value("getComputedStyle(document.querySelector('.tools')).display") == "none"


def test_prints_every_task(opened: Page, tmp_path: Path) -> None:
    opened.call("Emulation.setEmulatedMedia", media="print")
    rows = "[...document.querySelectorAll('#tasks-table tbody tr:not(.gap)')]"
    assert opened.value(f"{rows}.every(row => row.getBoundingClientRect().height > 0)")
    opened.print_to(tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")


def test_two_thousand_tasks(page: Page, tmp_path: Path) -> None:
    path = write_report(example_comparison(2000), tmp_path / "report.html")
    page.said.clear()
    page.open(path.as_uri())
    assert len(shown(page)) == 20
    label = page.value("document.querySelector('#tasks-table .gap button').textContent")
    assert label == "Show all 2,000 rows"
    page.value("document.querySelectorAll('#tasks-table thead button')[2].click()")
    assert numbers(shown(page, 2))[:10] == sorted(numbers(shown(page, 2)), reverse=True)[:10]
    page.value("document.querySelector('#tasks-table .gap button').click()")
    assert len(shown(page)) == 2000
    assert page.said == []
