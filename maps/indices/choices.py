"""What can be chosen of an index, each choice with what it means in a sentence. Pure: a question in, frozen words out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from analysis.indicators import IndicatorRow
from analysis.indices.computing import IndexQuestion
from analysis.models import Indicator
from maps.indices.forms import PREFIX, VARIED
from maps.pages import formats
from maps.pages.measured import Choice
from maps.pages.reader import language

SLIDER_MOST: Final = 5.0
SLIDER_STEP: Final = 0.5


@dataclass(frozen=True, slots=True)
class WeightView:
    """The slider of an indicator."""

    field: str
    name: str
    definition: str
    weight: str
    text: str
    most: str
    step: str


@dataclass(frozen=True, slots=True)
class ChoiceView:
    """A choice of method with what it means, in a sentence for each."""

    name: str
    label: str
    options: tuple[tuple[Choice, str], ...]

    @property
    def sentence(self) -> str:
        """What is chosen, in words."""
        return next((text for choice, text in self.options if choice.is_chosen), "")


@dataclass(frozen=True, slots=True)
class FormView:
    """The form of an index."""

    domains: tuple[tuple[str, tuple[WeightView, ...]], ...]
    kinds: tuple[Choice, ...]
    choices: tuple[ChoiceView, ...]
    varied: tuple[Choice, ...]
    varies_methods: bool
    first: int


_CHOICES: Final[tuple[tuple[str, Any, tuple[tuple[str, Any, Any], ...]], ...]] = (
    (
        "weighting",
        gettext_lazy("Weights"),
        (
            ("given", gettext_lazy("as set above"), gettext_lazy("The sliders say how much each indicator counts.")),
            (
                "equal",
                gettext_lazy("all the same"),
                gettext_lazy("Every indicator counts the same, which is a judgement, too."),
            ),
            (
                "entropy",
                gettext_lazy("by contrast (entropy)"),
                gettext_lazy("Indicators count more the more the places differ in them."),
            ),
            (
                "critic",
                gettext_lazy("by contrast and conflict (CRITIC)"),
                gettext_lazy("Indicators count more if places differ in them and no other indicator says the same."),
            ),
            (
                "merec",
                gettext_lazy("by effect (MEREC)"),
                gettext_lazy("Indicators count more the more the result would change without them."),
            ),
        ),
    ),
    (
        "treatment",
        gettext_lazy("Values that stand out"),
        (
            (
                "none",
                gettext_lazy("left as they are"),
                gettext_lazy("One extreme value may decide how all others are scored."),
            ),
            (
                "winsorise",
                gettext_lazy("drawn in"),
                gettext_lazy(
                    "Up to five extreme values of an indicator are set to the next one, where its distribution is very skewed."
                ),
            ),
        ),
    ),
    (
        "normalisation",
        gettext_lazy("Scores"),
        (
            (
                "goalpost",
                gettext_lazy("between fixed goalposts"),
                gettext_lazy("A score says how far a value is from fixed goals: it can be compared over the years."),
            ),
            (
                "min-max",
                gettext_lazy("from the best place to the worst"),
                gettext_lazy("A score says where a value lies between the best and the worst place of today."),
            ),
            (
                "z",
                gettext_lazy("by distance from the mean"),
                gettext_lazy("A score says how unusual a value is among these places."),
            ),
            (
                "percentile",
                gettext_lazy("by rank alone"),
                gettext_lazy("A score says how many places are better; how much better does not count."),
            ),
        ),
    ),
    (
        "aggregation",
        gettext_lazy("Put together"),
        (
            (
                "arithmetic",
                gettext_lazy("by mean"),
                gettext_lazy("A good value makes up in full for a bad one."),
            ),
            (
                "geometric",
                gettext_lazy("by geometric mean"),
                gettext_lazy("One bad value is only partly hidden by good ones."),
            ),
            (
                "topsis",
                gettext_lazy("by distance from the worst and the best (TOPSIS)"),
                gettext_lazy(
                    "Places come first that are near to the worst need in everything; large weights count by their squares."
                ),
            ),
            (
                "vikor",
                gettext_lazy("by the greatest objection (VIKOR)"),
                gettext_lazy(
                    "Half counts the sum, half the single indicator in which a place is best: compared with these places alone."
                ),
            ),
        ),
    ),
)


def form_view(known: Sequence[IndicatorRow], question: IndexQuestion, used: Collection[str]) -> FormView:
    """Present what can be chosen, and what is.

    Parameters
    ----------
    used
        Codes of the indicators that are in the index.
    """
    lang = language()
    domains: dict[str, list[WeightView]] = {}
    for one in known:
        weight = question.weights.get(one.code, 1.0 if one.code in used else 0.0)
        domains.setdefault(one.domain, []).append(
            WeightView(
                PREFIX + one.code,
                one.short,
                one.definition or one.name,
                f"{weight:g}",
                formats.number(weight, lang, 1 if weight % 1 else 0),
                f"{max(SLIDER_MOST, weight):g}",
                # A weight that somebody worked out, between two steps, stays what it is when another one is moved.
                "any" if weight % SLIDER_STEP else f"{SLIDER_STEP:g}",
            )
        )
    chosen = {
        "weighting": question.weighting,
        "treatment": question.treatment,
        "normalisation": question.normalisation,
        "aggregation": question.aggregation,
    }
    kind = question.kinds[0] if question.kinds else ""
    kinds = (("settlement", _("informal settlements")), ("neighbourhood", _("neighbourhoods")), ("", _("all places")))
    return FormView(
        tuple(
            (str(Indicator.Domain(code).label), tuple(domains[code]))
            for code in Indicator.Domain.values
            if code in domains
        ),
        tuple(Choice(code, word, code == kind) for code, word in kinds),
        tuple(
            ChoiceView(
                name,
                str(label),
                tuple((Choice(code, str(word), code == chosen[name]), str(text)) for code, word, text in options),
            )
            for name, label, options in _CHOICES
        ),
        tuple(
            Choice(
                share,
                pgettext("weights", "certain") if share == "0" else "±" + formats.percent(float(share), lang),
                float(share) == question.vary_weights,
            )
            for share in VARIED
        ),
        question.vary_methods,
        question.first,
    )


def method_words(name: str, value: str) -> tuple[str, str]:
    """Return what a choice of method is called, and its sentence; empty where there is none of that name.

    Examples
    --------
    >>> method_words("aggregation", "other")
    ('', '')
    """
    for choice, _label, options in _CHOICES:
        for code, word, sentence in options:
            if (choice, code) == (name, value):
                return str(word), str(sentence)
    return "", ""


def method_labels() -> tuple[tuple[str, str], ...]:
    """Return the names of the choices of methods with their labels, in the order of the page."""
    return tuple((name, str(label)) for name, label, _options in _CHOICES)


__all__ = ["FormView", "form_view", "method_labels", "method_words"]
