"""An index as its page tells it. Pure: results in, frozen words out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from analysis.indexing import CityIndex, IndexQuestion
from analysis.indicators import IndicatorRow
from analysis.models import Indicator
from maps.indices.forms import PREFIX, VARIED
from maps.pages import formats
from maps.pages.measured import Choice
from maps.pages.reader import language

MOST_REASONS: Final = 3
SLIDER_MOST: Final = 5.0
SLIDER_STEP: Final = 0.5

CSS: Final[Mapping[str, str]] = {
    "robustly-worst": "sure-worst",
    "depends-on-choices": "depends",
    "robustly-fine": "sure-fine",
    "no-data": "c-none",
}


@dataclass(frozen=True, slots=True)
class RankView:
    """A place with its rank, and where its rank lies in nearly all draws.

    Attributes
    ----------
    low_x, width, mark_x
        Of the bar of ranks, on 100 units from the first rank to the last.
    """

    code: str
    name: str
    is_settlement: bool
    rank_text: str
    score_text: str
    interval_text: str
    chance_text: str
    message_text: str
    css: str
    reasons: str
    missing: str
    low_x: float
    width: float
    mark_x: float


@dataclass(frozen=True, slots=True)
class CodeView:
    """A row of the codebook."""

    name: str
    definition: str
    domain: str
    origin: str
    unit: str
    direction: str
    goalposts: str
    weight: str
    missing: str
    sources: str


@dataclass(frozen=True, slots=True)
class IndexView:
    """The part of the page that depends on what was chosen."""

    finding: str
    basis: str
    rows: tuple[RankView, ...]
    key: tuple[tuple[str, str, str], ...]
    codes: tuple[CodeView, ...]
    fills: Mapping[str, str]
    first_text: str
    notices: tuple[str, ...]
    moved: str


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


def form_view(known: Sequence[IndicatorRow], question: IndexQuestion, result: CityIndex | None) -> FormView:
    """Present what can be chosen, and what is."""
    lang = language()
    used = {one.code for one in result.matrix.indicators} if result else set(question.weights)
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
                # A weight between two steps stays what it is when another one is moved.
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


def index_view(result: CityIndex) -> IndexView:
    """Present a ranking, and how sure it is."""
    lang = language()
    matrix, sure = result.matrix, result.uncertainty
    order = np.argsort(result.priority.rank, kind="stable").tolist()
    words = _messages(sure.first[0], lang)
    counts = {message: sum(one == message for one in sure.message) for message in CSS}
    moved = int(result.is_moved.sum())
    return IndexView(
        finding=_finding(result, lang),
        basis=_basis(result, lang),
        rows=tuple(_rank_view(result, i, words, lang) for i in order),
        key=tuple(
            (CSS[message], words[message], formats.number(n, lang))
            for message, n in counts.items()
            if n or message != "no-data"
        ),
        codes=tuple(_code_view(result, k, lang) for k in range(len(matrix.indicators))),
        fills={place.code: CSS[sure.message[i]] for i, place in enumerate(matrix.places)},
        first_text=formats.number(sure.first[0], lang),
        notices=tuple(_notices(result, lang)),
        moved=ngettext("%(n)s value was drawn in.", "%(n)s values were drawn in.", moved)
        % {"n": formats.number(moved, lang)}
        if moved
        else "",
    )


def _notices(result: CityIndex, lang: str) -> Iterator[str]:
    for text, rows in (
        (_("Left out, because they have no goalposts: %(names)s."), result.left_out),
        (_("Taken as exact, because no error is known: %(names)s."), result.taken_as_exact),
    ):
        if rows:
            yield text % {"names": formats.listing([one.short for one in rows], lang)}


def _messages(first: int, lang: str) -> dict[str, str]:
    values = {"n": formats.number(first, lang)}
    return {
        "robustly-worst": _("among the first %(n)s, whatever is chosen") % values,
        "depends-on-choices": _("depends on what is chosen"),
        "robustly-fine": _("not among the first %(n)s, whatever is chosen") % values,
        "no-data": _("no data"),
    }


def _finding(result: CityIndex, lang: str) -> str:
    sure, places = result.uncertainty, result.matrix.places
    worst = [
        places[i].name for i in np.argsort(result.priority.rank, kind="stable") if sure.message[i] == "robustly-worst"
    ]
    unsure = sum(message == "depends-on-choices" for message in sure.message)
    names = formats.listing([formats.isolated(name, lang) for name in worst], lang)
    values = {"places": names, "n": formats.number(sure.first[0], lang), "count": formats.number(unsure, lang)}
    if not worst:
        return (
            _(
                "Which places are among the first %(n)s depends on what is chosen: no place is there in nearly every case."
            )
            % values
        )
    first = (
        ngettext(
            "%(places)s is among the first %(n)s whatever is chosen",
            "%(places)s are among the first %(n)s whatever is chosen",
            len(worst),
        )
        % values
    )
    if not unsure:
        return _("%(first)s; no other place ever is.") % {"first": first}
    rest = ngettext("for %(count)s place it depends.", "for %(count)s places it depends.", unsure) % values
    return _("%(first)s; %(rest)s") % {"first": first, "rest": rest}


def _basis(result: CityIndex, lang: str) -> str:
    asked = result.question
    parts = [
        ngettext("%(n)s indicator", "%(n)s indicators", len(result.matrix.indicators))
        % {"n": formats.number(len(result.matrix.indicators), lang)},
        ngettext("%(n)s place", "%(n)s places", len(result.matrix.places))
        % {"n": formats.number(len(result.matrix.places), lang)},
        _("%(n)s rankings drawn") % {"n": formats.number(asked.draws, lang)},
    ]
    return " · ".join(parts)


def _rank_view(result: CityIndex, i: int, words: Mapping[str, str], lang: str) -> RankView:
    matrix, priority, sure = result.matrix, result.priority, result.uncertainty
    place, last = matrix.places[i], max(len(matrix.places), 2)
    low, high, rank = int(sure.low_rank[i]), int(sure.high_rank[i]), int(priority.rank[i])
    reasons: list[str] = []
    if priority.parts is not None:
        largest = np.argsort(-priority.parts[i], kind="stable")[:MOST_REASONS].tolist()
        reasons = [
            f"{matrix.indicators[k].short} ({formats.number(float(priority.parts[i, k]), lang, 1)})"
            for k in largest
            if priority.parts[i, k] > 0.05
        ]
    missing = [matrix.indicators[k].short for k in np.flatnonzero(~priority.present[i]).tolist()]
    step = 100 / last
    same = low == high
    return RankView(
        code=place.code,
        name=place.name,
        is_settlement=place.kind == "settlement",
        rank_text=formats.number(rank, lang),
        score_text=formats.number(float(priority.score[i]), lang, 1),
        interval_text=formats.number(low, lang)
        if same
        else _("%(low)s to %(high)s") % {"low": formats.number(low, lang), "high": formats.number(high, lang)},
        chance_text=formats.percent(float(sure.chance_first[i, 0]), lang),
        message_text=words[sure.message[i]],
        css=CSS[sure.message[i]],
        reasons=formats.listing(reasons, lang) if reasons else "",
        missing=_("Missing: %(names)s.") % {"names": formats.listing(missing, lang)} if missing else "",
        low_x=(low - 1) * step,
        width=(high - low + 1) * step,
        mark_x=(rank - 0.5) * step,
    )


def _code_view(result: CityIndex, k: int, lang: str) -> CodeView:
    matrix, one = result.matrix, result.matrix.indicators[k]
    absent = int((~result.priority.present[:, k]).sum())
    return CodeView(
        name=one.name,
        definition=one.definition,
        domain=str(Indicator.Domain(one.domain).label),
        origin=str(Indicator.Origin(one.origin).label),
        unit=_("share") if one.unit == "share" else _("people") if one.unit == "people" else one.unit,
        direction=str(Indicator.Direction(one.direction).label),
        goalposts=_goalposts_text(one, lang),
        weight=formats.percent(float(result.priority.weights[k]), lang, 1),
        missing=formats.number(absent, lang),
        sources=formats.listing(list(matrix.sources.get(one.code, ())), lang),
    )


def _goalposts_text(one: IndicatorRow, lang: str) -> str:
    if one.goalposts is None:
        return formats.DASH
    low, high = (formats.number(value, lang, 2 if value % 1 else 0) for value in one.goalposts)
    return _("%(low)s to %(high)s") % {"low": low, "high": high}


__all__ = ["FormView", "IndexView", "form_view", "index_view"]
