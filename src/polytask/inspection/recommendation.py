"""Which model to use: the one of least expected loss, whether or not anything is proved.

What is proved of a difference is one question, which model to take another: one has to be taken.
Expected losses are the measured ones moved towards what is believed before: that models which pull
tasks together as far as the data say (`Formulation.hedge`) lose little anywhere, and others two
hundredths more, give or take three. Each difference is moved by the share of chance in it, so
with few rows the recommendation is a model that is never far from the best, and with many the best
one. What the rows prove to be farther from that belief counts as measured: losses may differ
sixfold, and errors of a ratio grow with it. Proved is what chance makes of none of the models. Of
models whose expected losses differ by less than half a hundredth a hedge is taken, the simplest.

Efron and Morris, Stein's estimation rule and its competitors, JASA 68 (1973).
"""

from __future__ import annotations

from dataclasses import dataclass

from scipy import stats

from polytask.inspection.clear import is_clear
from polytask.inspection.comparison import Alternative, Interval, Recommendation
from polytask.inspection.evidence import Evidence
from polytask.inspection.words import percent

__all__ = ["recommend"]

_BELIEF = 0.02  # how much more loss than a hedge another model has where nothing is known
_DOUBT = 0.03  # standard deviation of that
_CHANCE = 0.05  # that any of the differences is beyond the errors from which on one is proved
_TIE = 0.005  # differences of expected losses that are none


@dataclass(frozen=True)
class _Expected:
    """A model's loss over that of the reference less one: measured, its error, and expected."""

    measured: float
    error: float
    expected: float


def recommend(evidence: Evidence) -> Recommendation:
    """The recommendation on the evidence of a comparison; an empty one where no model succeeded."""
    models = [name for name in evidence.models if evidence.roles[name] not in ("means", "alone")]
    if not models:
        return Recommendation()
    named = [n for n in evidence.hedges if n in models]
    hedges = named or evidence.names("joint")
    expected = _expected(evidence, models, hedges)
    best = min(expected, key=lambda name: expected[name].expected)
    close = [n for n in models if _over(expected, n, best) <= _TIE]
    preferred = named or sorted(hedges, key=lambda n: expected[n].expected)
    model = next((name for name in preferred if name in close), best)
    order = sorted(expected, key=lambda name: expected[name].expected)
    measured = evidence.over(model, [n for n in order if n != model], together=False)
    alternatives = tuple(
        Alternative(name, evidence.titles[name], _over(expected, name, model), _turned(gain))
        for name, gain in measured.items()
    )
    return Recommendation(
        model=model,
        title=evidence.titles[model],
        loss=evidence.mean_loss(model),
        loss_title=evidence.loss_title,
        text=_text(evidence, model, best, alternatives),
        why=_why(model, best, evidence, alternatives),
        alternatives=alternatives,
    )


def _expected(evidence: Evidence, models: list[str], hedges: list[str]) -> dict[str, _Expected]:
    """Of every model, over the hedge that was measured best (any model where there is none)."""
    reference = evidence.best(hedges or models)
    found = {reference: _Expected(0.0, 0.0, 0.0)}
    others = [name for name in models if name != reference]
    proved = float(stats.norm.isf(_CHANCE / 2 / max(len(others), 1)))
    for name, gain in evidence.over(reference, others, together=False).items():
        error = (gain.high - gain.low) / 2 / stats.norm.ppf(0.5 + gain.level / 2)
        belief = 0.0 if name in hedges or not hedges else _BELIEF
        found[name] = _Expected(-gain.value, error, _moved(-gain.value, error, belief, proved))
    return found


def _moved(measured: float, error: float, belief: float, proved: float) -> float:
    """A relative loss moved to what is believed before by the share of chance in it.

    The variance of the belief is what the difference proves it to be at least: what lies beyond
    ``proved`` errors.
    """
    if error != error:
        return belief
    variance = max(_DOUBT**2, (measured - belief) ** 2 - (proved * error) ** 2)
    return belief + variance / (variance + error**2) * (measured - belief)


def _over(expected: dict[str, _Expected], name: str, reference: str) -> float:
    """Expected loss of one over that of the other, less one."""
    return (1.0 + expected[name].expected) / max(1.0 + expected[reference].expected, 1e-9) - 1.0


def _turned(gain: Interval) -> Interval:
    """A gain as more loss."""
    return Interval(-gain.value, -gain.high, -gain.low, gain.p, gain.level)


def _why(model: str, best: str, evidence: Evidence, alternatives: tuple[Alternative, ...]) -> str:
    """The machine's word for the reason."""
    if not alternatives:
        return "only-model"
    if model != best:
        return "tie"
    names = [a.name for a in alternatives]
    measured = all(a.measured.low > 0 for a in alternatives)
    if measured and all(is_clear(evidence.claim(model, names, n), -1) for n in names):
        return "clearly-best"
    better = any(a.measured.value < 0 for a in alternatives)
    return "hedge" if better else "least-loss"


def _text(evidence: Evidence, model: str, best: str, alternatives: tuple[Alternative, ...]) -> str:
    """Two or three sentences: what, how much against the alternatives, why."""
    title, loss = evidence.titles[model], evidence.loss_title
    if not alternatives:
        return f"Use {title}: no other model could be scored."
    by_name = {a.name: a for a in alternatives}
    next_best = by_name[best] if model != best else alternatives[0]
    named = list(dict.fromkeys([next_best.name, evidence.baseline]))
    against = " and ".join(_against(by_name[name]) for name in named if name in by_name)
    why = _why(model, best, evidence, alternatives)
    reason = {
        "clearly-best": "Every other model is clearly worse.",
        "tie": f"{evidence.titles[best]} is expected to be better by less than {percent(_TIE)}, "
        f"which is taken for a tie; of equals, {title} comes first, which pulls tasks together "
        "only as far as the rows ask.",
        "hedge": "Another was measured better by less than chance can make; this one loses little "
        "whichever is right.",
        "least-loss": "Not every difference is proved, but one model has to be used, and none is "
        "expected to have less.",
    }[why]
    apart = "".join(
        f" {evidence.titles[name]} is not counted: it is compared only to tell what is shared."
        for name in evidence.names("alone")
    )
    return f"Use {title}. Expected {loss}: {against}. {reason}{apart}"


def _against(other: Alternative) -> str:
    """How much less than another."""
    if abs(other.more_loss) < 0.0005:
        return f"the same as {other.title}"
    word = "less" if other.more_loss > 0 else "more"
    share = 1.0 - 1.0 / (1.0 + other.more_loss)
    return f"{percent(share)} {word} than {other.title}"
