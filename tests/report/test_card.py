"""The model card: in the archive, beside it, in the report; with the tasks that are harmed."""

import dataclasses

from polytask import AutoMultiTaskRegressor
from polytask.datasets import make_related_tasks
from polytask.report import as_markdown, model_card
from polytask.report.card import harm_section, reached_section
from tests.inspection.example import example_comparison
from tests.report.conftest import NASTY, example_fit

ABOUT = {
    "model": "single-task", "task": "shop", "target": NASTY, "kind": "regression", "classes": (),
    "tasks": (1, 2, 3), "rows": 18, "numeric": ("a|b", "x"), "categorical": (),
    "versions": {"polytask": "9"}, "source": "sales.csv", "notes": ("One row *left* out.",),
}  # fmt: skip


def section(sections, title):
    return next(s for s in sections if s.title == title)


def test_a_fit_alone_says_what_is_not_known():
    sections = model_card(example_fit(), ABOUT)
    assert "polytask compare" in section(sections, "Verdict").sentences[0]
    assert "Not known" in section(sections, "Whom it harms").sentences[0]
    facts = dict(section(sections, "Data").facts)
    assert (facts["Table"], facts["Rows"], facts["Tasks"]) == ("sales.csv", "18", "3")
    reached = dict(section(sections, "Strengths and certificate").facts)
    assert reached["Certificate"] == "global optimum"
    assert "alpha" in reached["Strengths"]


def test_markdown_shows_words_as_they_are():
    text = as_markdown(example_fit(), model_card(example_fit(), ABOUT))
    assert "&lt;img src=x" in text
    assert "<img" not in text
    assert r"a\|b" in text
    assert r"\*left\*" in text
    assert "More Information Needed" not in text
    assert text.startswith("# Model\n")


def test_harmed_tasks_are_named_with_their_loss():
    comparison = example_comparison(12)
    name = comparison.verdict.model
    gains = comparison.gains.copy()
    of = gains.index[gains["name"] == name]
    gains.loc[of, "label"] = "gains"
    gains.loc[of, "gain"] = 1.0
    gains.loc[of[2], ["label", "gain", "relative_gain", "loss"]] = ["harmed", -0.5, -0.25, 99.0]
    gains.loc[of[5], "gain"] = -0.1
    told = " ".join(harm_section(name, dataclasses.replace(comparison, gains=gains)).sentences)
    task = gains.loc[of[2], "task"]
    assert f"Clearly worse than learning alone on 1 of 12 tasks: {task} (25 % more)." in told
    assert "On 1 others" in told
    assert f"is largest on {task}," in told
    baseline = harm_section(comparison.baseline, comparison)
    assert "each task learned alone" in baseline.sentences[0]


def test_weights_of_candidates_stand_beside_no_certificate():
    X, y, _ = make_related_tasks(n_tasks=3, n_features=3, random_state=0)
    model = AutoMultiTaskRegressor(["single-task", "pooled"], task="task").fit(X, y)
    facts = dict(reached_section(model).facts)
    assert facts["Weights"].startswith("single-task 0.")
    assert "Certificate" not in facts


def test_the_card_is_in_the_report(html):
    assert 'id="card-heading">The saved model' in html
    assert "Whom it harms" in html
    assert "Not as the only ground of a decision about a person." in html
