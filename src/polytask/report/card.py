"""The model card: what a saved model is for, whom it harms, and how it was reached."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from polytask.inspection.comparison import Comparison
from polytask.inspection.roles import final_step, strengths_of, strengths_text, title_of
from polytask.inspection.words import percent
from polytask.models.registry import formulations
from polytask.models.without_frameworks import to_write
from polytask.report import formats as f
from polytask.report.fitted import CERTIFICATES, as_formula
from polytask.report.summary import data_facts

__all__ = ["Section", "as_markdown", "harm_section", "model_card", "reached_section", "use_section"]

MOST = 5  # tasks that a sentence names


@dataclass(frozen=True)
class Section:
    """A part of the card: sentences, and facts by name."""

    title: str
    sentences: tuple[str, ...]
    facts: tuple[tuple[str, str], ...] = ()


def model_card(
    estimator: Any, about: Mapping[str, Any], comparison: Comparison | None = None
) -> tuple[Section, ...]:
    """Every section of the card of a fitted model.

    Parameters
    ----------
    estimator : estimator
        Fitted on all rows.
    about : mapping
        ``model``, ``task``, ``target``, ``kind``, ``classes``, ``tasks``, ``rows``, ``numeric``,
        ``categorical``, ``versions``, and ``source`` and ``notes`` of its table.
    comparison : Comparison, optional
        What recommended it; without it the card says that nothing is known of gain and harm.
    """
    about = {**about, "target": ", ".join(about.get("targets") or [str(about["target"])])}
    return (
        _what(about),
        use_section(estimator, str(about["task"]), about["target"]),
        _verdict(comparison),
        harm_section(about["model"], comparison),
        _data(about, comparison),
        reached_section(estimator),
        Section("Versions", (), tuple(about["versions"].items())),
    )


def _what(about: Mapping[str, Any]) -> Section:
    known = formulations().get(about["model"])
    kind = "survival model" if about["kind"] == "survival" else about["kind"]
    if about["classes"]:
        kind += f" ({' or '.join(map(str, about['classes']))})"
    first = f"{title_of(about['model'])}: a {kind} of {about['target']} by {about['task']}."
    if known is None:
        return Section("Model", (first,))
    return Section("Model", (first, f"It minimizes {as_formula(known.objective)}."))


def use_section(estimator: Any, task: str, target: str) -> Section:
    """What the model may be asked, and what it must not be."""
    unseen = "A task that was not in training is answered as one without a name."
    if hasattr(final_step(estimator), "unseen"):
        unseen = (
            "A task that was not in training is refused, unless it is asked for (unseen='common'); "
            "it then gets what the tasks share."
        )
    return Section(
        "Intended use",
        (
            f"To predict {target} of rows whose {task} was in training, where rows come about as "
            "those of the training table did.",
            unseen,
            "Not to say what would happen if a feature were changed: coefficients are "
            "associations. Not outside the range of the training table, nor at another place or "
            "time without a new check. Not as the only ground of a decision about a person.",
        ),
    )


def _verdict(comparison: Comparison | None) -> Section:
    if comparison is None:
        told = "The model was fitted alone. 'polytask compare' says whether it is the right one."
        return Section("Verdict", (told,))
    return Section("Verdict", (comparison.verdict.text, comparison.recommended.text))


def harm_section(name: str, comparison: Comparison | None) -> Section:
    """Tasks on which the model is worse than each task alone, and those it predicts worst."""
    title = "Whom it harms"
    if comparison is None:
        return Section(title, ("Not known: it was not compared with learning each task alone.",))
    small = comparison.data.tasks_in_training_only
    unknown = f"Nothing is known of {small} tasks too small to be scored." if small else ""
    rows = comparison.gains[comparison.gains["name"] == name]
    if rows.empty:
        told = "It is the baseline that the others were compared with: each task learned alone."
        return Section(title, tuple(s for s in (told, unknown) if s))
    harmed = rows[rows["label"] == "harmed"].sort_values("relative_gain")
    worse = rows[(rows["gain"] < 0) & (rows["label"] != "harmed")]
    told = f"Clearly worse than learning alone on {len(harmed)} of {len(rows)} tasks"
    told += f": {_named(harmed)}." if len(harmed) else "."
    more = f"On {len(worse)} others its {comparison.loss_title} is larger, which may be chance."
    last = rows.sort_values("loss", ascending=False).head(MOST)["task"]
    worst = f"Its {comparison.loss_title} is largest on {', '.join(map(str, last))}."
    return Section(title, tuple(s for s in (told, more, worst, unknown) if s))


def _named(harmed: Any) -> str:
    shown = [f"{row['task']} ({percent(-row['relative_gain'])} more)"
             for _, row in harmed.head(MOST).iterrows()]  # fmt: skip
    return ", ".join(shown) + (f" and {len(harmed) - MOST} more" if len(harmed) > MOST else "")


def _data(about: Mapping[str, Any], comparison: Comparison | None) -> Section:
    facts = [("Table", str(about["source"]))]
    if comparison is not None:
        facts += [("Compared", f.moment(comparison.provenance.date)), *data_facts(comparison)]
    else:
        facts += [("Rows", f.count(about["rows"])), ("Tasks", f.count(len(about["tasks"])))]
    for kind in ("numeric", "categorical"):
        if about[kind]:
            facts.append((f"{kind.capitalize()} features", ", ".join(about[kind])))
    return Section("Data", tuple(about["notes"]), tuple(facts))


def reached_section(estimator: Any) -> Section:
    """Strengths, and how near the optimum the solver came."""
    model = final_step(estimator)
    facts = [("Strengths", strengths_text([strengths_of(estimator)]))]
    if hasattr(model, "common_weights_"):
        pairs = zip(model.candidates_, model.common_weights_, strict=True)
        facts.append(("Weights", ", ".join(f"{n} {w:.2f}" for n, w in pairs)))
    for title, name in (("Objective", "objective_"), ("Violation", "violation_")):
        if hasattr(model, name):
            facts.append((title, f"{float(getattr(model, name)):.2g}"))
    if hasattr(model, "certificate_"):
        facts.append(("Certificate", CERTIFICATES.get(model.certificate_, model.certificate_)))
    facts += [(t, str(getattr(model, n))) for t, n in (("Solver", "solver_"), ("Status", "status_"))
              if hasattr(model, n)]  # fmt: skip
    found = tuple((title, text) for title, text in facts if text)
    told = () if found else ("The model reports no strengths and no certificate.",)
    return Section("Strengths and certificate", told, found)


def as_markdown(estimator: Any, sections: tuple[Section, ...]) -> str:
    """The card's sections as a page of Markdown, with the parameters of the estimator."""
    card = to_write("skops.card").Card(final_step(estimator), template=None, model_diagram=False)
    for section in sections:
        facts = "\n".join(f"- {_plain(name)}: {_plain(text)}" for name, text in section.facts)
        parts = [*map(_plain, section.sentences), facts]
        card.add(**{section.title: "\n\n".join(part for part in parts if part)})
    card.add_hyperparams(section="Parameters")
    return f"{card.render().strip()}\n"


def _plain(text: str) -> str:
    """Words that Markdown shows as they are, on one line."""
    text = re.sub(r"([\\`*_{}\[\]|#])", r"\\\1", " ".join(str(text).split()))
    return text.replace("<", "&lt;")
