"""The page as text: complete, escaped, small, silent, the same each time."""

from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from polytask import DirtyTasksRegressor
from polytask.datasets import make_sparse_tasks
from polytask.report import render_report, write_report
from tests.inspection.example import example_comparison, example_related
from tests.report.conftest import N_TASKS, NASTY, example_parts, example_shrinkage

VOID = {"meta", "link", "br", "hr", "img", "input", "use"}
SECTIONS = ["verdict", "models", "tasks", "curve", "newcomers", "relatedness", "coefficients"]
SECTIONS += ["strengths", "card", "data", "how"]
OPTIONAL = {"curve", "newcomers", "relatedness", "coefficients", "card"}


class Outline(HTMLParser):
    """Tags with attributes in order, the text outside script and style, and open tags left."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.text.append(data)


def named(outline: Outline, tag: str) -> list[dict[str, str | None]]:
    return [attributes for name, attributes in outline.tags if name == tag]


def test_models_of_a_pattern_have_a_section() -> None:
    X, y, _ = make_sparse_tasks(5, 4, 30, n_shared=2, random_state=0)
    model = DirtyTasksRegressor(0.1, alpha_own=0.05, task="task").fit(X, y)
    page = Outline(render_report(example_comparison(), fitted={"dirty": model}))
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert "patterns" in ids
    assert "Dots are a task's own parts. 5 tasks, 4 features" in " ".join(page.text)


def test_tags_nest_and_ids_are_unique(html: str) -> None:
    outline = Outline(html)
    assert outline.open == []
    ids = [attributes["id"] for _, attributes in outline.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    known = {f"#{i}" for i in ids}
    links = [a["href"] for name in ("a", "use") for a in named(outline, name)]
    assert [href for href in links if href and href.startswith("#") and href not in known] == []


def test_every_section_has_its_heading(html: str) -> None:
    outline = Outline(html)
    sections = named(outline, "section")
    assert [s["id"] for s in sections] == SECTIONS
    assert len(named(outline, "h1")) == 1
    assert len(named(outline, "main")) == 1


def test_verdict_stands_first_and_is_not_said_twice(html: str) -> None:
    text = " ".join("".join(Outline(html).text).split())
    headline = "Learning the tasks together helps."
    assert text.count(headline) == 2  # the title of the window and the heading
    assert "Mean-regularized has 6\u00a0% less squared error" in html


def test_unclear_gain_is_called_so() -> None:
    plain = example_comparison(6)
    gain = dataclasses.replace(plain.verdict.gain, value=-0.02, low=-0.06, high=0.03)
    verdict = dataclasses.replace(plain.verdict, gain=gain)
    text = render_report(dataclasses.replace(plain, verdict=verdict))
    assert '<strong class="unclear">2.0 % more</strong>' in text
    assert text.count("not clear: 95\u00a0%\u00a0interval") == 1
    assert text.count('<strong class="unclear">') == 1


def test_tables_have_captions_and_scopes(html: str) -> None:
    outline = Outline(html)
    assert len(named(outline, "caption")) == len(named(outline, "table")) >= 6
    assert all(th.get("scope") in ("row", "col") for th in named(outline, "th"))


def test_every_task_is_in_the_table(html: str) -> None:
    body = re.search(r'id="tasks-table".*?</table>', html, re.S)
    assert body is not None
    assert body[0].count('<th scope="row">') == N_TASKS
    assert body[0].count('class="chip harmed"') == example_comparison(N_TASKS).verdict.n_harmed


def test_user_text_stays_text(html: str) -> None:
    assert "<script>alert(1)" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert NASTY not in html
    assert "&lt;img src=x onerror" in html
    assert len(named(Outline(html), "script")) == 1
    assert 'href="tasks%20%26%20more.csv"' in html


def test_user_text_stays_text_everywhere() -> None:
    """The same in titles, target, notes, warnings, strengths, versions and figures."""
    nasty = "</title></script></svg>\"'><script>alert(2)</script>$\\frac$\x00学校"
    plain = example_comparison(12)
    names = {"mean-regularized": nasty, "single-task": nasty + "2"}
    comparison = dataclasses.replace(
        plain,
        task=nasty,
        target=nasty,
        metric_title=nasty,
        loss_title=nasty,
        baseline=nasty + "2",
        notes=(nasty,),
        warnings=(nasty,),
        verdict=dataclasses.replace(plain.verdict, headline=nasty, text=nasty, focus=nasty),
        models=plain.models.assign(
            title=nasty, strengths=nasty, name=plain.models["name"].replace(names)
        ),
        tasks=plain.tasks.assign(task=nasty),
        provenance=dataclasses.replace(plain.provenance, versions={nasty: nasty}, date=nasty),
    )
    text = render_report(comparison, example_shrinkage(12))
    outline = Outline(text)
    assert "\x00" not in text
    assert outline.open == []
    assert len(named(outline, "script")) == 1
    assert len(named(outline, "svg")) == 6


def test_nothing_points_outside(html: str) -> None:
    outline = Outline(html)
    for _, attributes in outline.tags:
        for name in ("src", "href", "srcset", "data", "action"):
            value = attributes.get(name) or "#"
            assert value.startswith(("#", "data:", "tasks%20")), value[:80]
    assert "http:" not in html
    assert "https:" not in html
    assert "@import" not in html
    assert "default-src 'none'" in html


def test_size_and_mode_of_the_file(report: Path) -> None:
    assert report.stat().st_size < 500_000
    assert report.stat().st_mode & 0o777 == 0o644
    assert [p.name for p in report.parent.iterdir()] == ["report.html"]


def test_same_bytes_each_time(html: str) -> None:
    again = render_report(example_comparison(N_TASKS), **example_parts())
    assert again == html


def test_two_thousand_tasks_stay_usable() -> None:
    text = render_report(example_comparison(2000), example_shrinkage(2000))
    table, rest = (
        re.search(pattern, text, re.S)
        for pattern in (r'id="tasks-table".*?</table>', r'id="tasks-rest".*?</template>')
    )
    assert table is not None
    assert rest is not None
    assert table[0].count("<tr") == 101
    assert rest[0].count("<tr") == 1900
    assert len(text) < 1_500_000


@pytest.mark.parametrize("classification", [False, True])
def test_without_coefficients_and_for_classes(classification: bool) -> None:
    outline = Outline(render_report(example_comparison(5, classification)))
    ids = [s["id"] for s in named(outline, "section")]
    assert ids == [s for s in SECTIONS if s not in OPTIONAL]


def test_unknown_numbers_show_as_a_dash() -> None:
    plain = example_comparison(6)
    tasks = plain.tasks.assign(gain=np.nan, low=np.nan, high=np.nan, q=np.nan)
    nothing = dataclasses.replace(plain.verdict.gain, value=np.nan, low=np.nan, high=np.nan)
    verdict = dataclasses.replace(plain.verdict, gain=nothing, gain_over_pooled=nothing, model="")
    text = render_report(dataclasses.replace(plain, tasks=tasks, verdict=verdict))
    assert "nan" not in " ".join(Outline(text).text).lower().replace("explanation", "")


def test_undetermined_comparison_is_still_a_page() -> None:
    plain = example_comparison(6)
    nothing = dataclasses.replace(plain.verdict.gain, value=np.nan, low=np.nan, high=np.nan)
    verdict = dataclasses.replace(
        plain.verdict, label="undetermined", model="", title="", focus="", headline="Undetermined.",
        text="Undetermined.", gain=nothing, gain_over_pooled=nothing,
        n_gains=0, n_harmed=0, n_undecided=0,
    )  # fmt: skip
    models = plain.models.assign(
        status="failed", recommended=False, metric=np.nan, low=np.nan, high=np.nan, strengths=""
    )
    for tasks in (plain.tasks.iloc[:0], plain.tasks.assign(gain=np.nan, low=np.nan, high=np.nan)):
        text = render_report(
            dataclasses.replace(plain, verdict=verdict, models=models, tasks=tasks)
        )
        assert Outline(text).open == []


def test_failed_write_leaves_nothing(tmp_path: Path) -> None:
    goal = tmp_path / "taken"
    goal.mkdir()
    with pytest.raises(OSError, match="taken"):
        write_report(example_comparison(4), goal)
    assert list(tmp_path.iterdir()) == [goal]


def test_sparklines_hold_the_interval_and_zero(html: str) -> None:
    found = re.findall(r"--l:([\d.]+)%;--h:([\d.]+)%;--v:([\d.]+)%;--z:([\d.]+)%", html)
    assert len(found) == N_TASKS - 1  # one task has no gain
    for low, high, value, zero in (map(float, place) for place in found):
        assert 0 <= low <= value <= high <= 100
        assert 0 <= zero <= 100


def test_learning_curve_is_told_in_words_and_numbers(html: str) -> None:
    part = re.search(r'<section id="curve".*?</section>', html, re.S)
    assert part is not None
    assert example_parts()["learning_curve"].text.replace(" %", "\u00a0%") in part[0]
    assert part[0].count("<tr") == 2 + 9 + 6
    assert "more than 32 to more than 32" not in part[0]


def test_relatedness_names_tasks_and_coefficients(html: str) -> None:
    part = re.search(r'<section id="relatedness".*?</section>', html, re.S)
    assert part is not None
    outline = Outline(part[0])
    assert "(level)" in " ".join(outline.text)
    assert part[0].count("<tr") == 3 + 12 + 5 + 60
    assert "Spread between tasks" in part[0]


def test_objectives_and_certificates(html: str) -> None:
    assert "‖ΔW‖_F²" in html
    assert "global optimum" in html


def test_report_of_139_tasks_stays_below_a_megabyte() -> None:
    parts = {**example_parts(), "shrinkage": example_shrinkage(139, 27)}
    parts["relatedness"] = example_related(139)
    text = render_report(example_comparison(139), **parts)
    assert len(text.encode()) < 1_000_000


def test_new_tasks_are_told_in_words_and_numbers(html: str) -> None:
    part = re.findall(r'<section id="newcomers".*?</section>', html, re.DOTALL)
    found = example_parts()["new_tasks"]
    assert found.text.replace(" %", "\u00a0%") in part[0]
    assert part[0].count("<tr>") == 2 + len(found.answers) + found.tasks_tested
    assert "what the others share" in part[0]
    assert "LeaveTasksOut" in html
