"""An index as its page tells it. Pure: a document of an index in (`analysis.indices.documents`), frozen words out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from analysis.disclosure import SMALL_COUNT
from analysis.indices.documents import Document
from analysis.indices.editions import LONGEST_TITLE
from analysis.models import Indicator
from maps.pages import formats
from maps.pages.reader import language

MOST_REASONS: Final = 3
MOST_NAMED: Final = 5

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


def named(one: Mapping[str, Any], part: str = "name") -> str:
    """Return what is written in two languages in the reader's, or in the other where there is none."""
    first, second = ("en", "fa") if language() == "en" else ("fa", "en")
    return str(one.get(f"{part}_{first}") or one.get(f"{part}_{second}") or "")


def index_view(document: Document) -> IndexView:
    """Present a ranking, and how sure it is."""
    lang = language()
    places = document["places"]
    words = _messages(int(document["method"]["first"]), lang)
    counts = {message: sum(place["message"] == message for place in places) for message in CSS}
    short = {one["code"]: named(one, "short") for one in document["indicators"]}
    moved = int(document["moved"])
    return IndexView(
        finding=finding(document),
        basis=_basis(document, lang),
        rows=tuple(_rank_view(place, len(places), short, words, decimals_of(document), lang) for place in places),
        key=tuple(
            (CSS[message], words[message], formats.number(n, lang))
            for message, n in counts.items()
            if n or message != "no-data"
        ),
        codes=tuple(code_view(one, lang) for one in document["indicators"]),
        fills={place["code"]: CSS[place["message"]] for place in places},
        first_text=formats.number(document["method"]["first"], lang),
        notices=tuple(_notices(document, lang)),
        moved=ngettext("%(n)s value was drawn in.", "%(n)s values were drawn in.", moved)
        % {"n": formats.number(moved, lang)}
        if moved
        else "",
    )


def finding(document: Document) -> str:
    """Return in a sentence which places are among the first whatever is chosen."""
    lang = language()
    places, first_n = document["places"], int(document["method"]["first"])
    worst = [named(place) for place in places if place["message"] == "robustly-worst"]
    unsure = sum(place["message"] == "depends-on-choices" for place in places)
    values = {
        "places": _few_names(worst, lang),
        "n": formats.number(first_n, lang),
        "count": formats.number(unsure, lang),
    }
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


def suggested_titles(document: Document) -> dict[str, str]:
    """Return the finding as a title, in both languages."""
    titles = {}
    for lang in ("fa", "en"):
        with override(lang):
            titles[f"title_{lang}"] = finding(document).rstrip(".")[:LONGEST_TITLE]
    return titles


def _few_names(names: Sequence[str], lang: str) -> str:
    """Return names in a row; of many the first, and how many more there are."""
    isolated = [formats.isolated(name, lang) for name in names]
    if len(names) <= MOST_NAMED + 1:
        return formats.listing(isolated, lang)
    more = len(names) - MOST_NAMED
    rest = ngettext("%(n)s other place", "%(n)s other places", more) % {"n": formats.number(more, lang)}
    return formats.listing([*isolated[:MOST_NAMED], rest], lang)


def _notices(document: Document, lang: str) -> Iterator[str]:
    for text, rows in (
        (_("Left out, because they have no goalposts: %(names)s."), document["left_out"]),
        (_("Taken as exact, because no error is known: %(names)s."), document["taken_as_exact"]),
    ):
        if rows:
            yield text % {"names": formats.listing([named(one, "short") for one in rows], lang)}
    if any(place["withheld"] for place in document["places"]):
        yield _(
            "Values that tell of fewer than %(n)s people are withheld; scores are told in whole points."
        ) % {"n": formats.number(SMALL_COUNT, lang)}  # fmt: skip


def _messages(first: int, lang: str) -> dict[str, str]:
    values = {"n": formats.number(first, lang)}
    return {
        "robustly-worst": _("among the first %(n)s, whatever is chosen") % values,
        "depends-on-choices": _("depends on what is chosen"),
        "robustly-fine": _("not among the first %(n)s, whatever is chosen") % values,
        "no-data": _("no data"),
    }


def _basis(document: Document, lang: str) -> str:
    k, p = len(document["indicators"]), len(document["places"])
    parts = [
        ngettext("%(n)s indicator", "%(n)s indicators", k) % {"n": formats.number(k, lang)},
        ngettext("%(n)s place", "%(n)s places", p) % {"n": formats.number(p, lang)},
        _("%(n)s rankings drawn") % {"n": formats.number(document["method"]["draws"], lang)},
    ]
    return " · ".join(parts)


def _rank_view(
    place: Mapping[str, Any], count: int, short: Mapping[str, str], words: Mapping[str, str], decimals: int, lang: str
) -> RankView:
    low, high, rank = int(place["rank_low"]), int(place["rank_high"]), int(place["rank"])
    parts = {code: part for code, part in (place["contributions"] or {}).items() if part is not None}
    largest = sorted(parts, key=lambda code: -parts[code])[:MOST_REASONS]
    reasons = [f"{short[code]} ({formats.number(parts[code], lang, 1)})" for code in largest if parts[code] > 0.05]
    missing = [
        short[code] for code, value in place["values"].items() if value is None and code not in place["withheld"]
    ]
    step = 100 / max(count, 2)
    return RankView(
        code=place["code"],
        name=named(place),
        is_settlement=place["kind"] == "settlement",
        rank_text=formats.number(rank, lang),
        score_text=formats.number(place["score"], lang, decimals),
        interval_text=formats.number(low, lang)
        if low == high
        else _("%(low)s to %(high)s") % {"low": formats.number(low, lang), "high": formats.number(high, lang)},
        chance_text=formats.percent(float(place["chance_first"]), lang),
        message_text=words[place["message"]],
        css=CSS[place["message"]],
        reasons=formats.listing(reasons, lang) if reasons else "",
        missing=_("Missing: %(names)s.") % {"names": formats.listing(missing, lang)} if missing else "",
        low_x=(low - 1) * step,
        width=(high - low + 1) * step,
        mark_x=(rank - 0.5) * step,
    )


def decimals_of(document: Document) -> int:
    """Return the decimals that scores are told with: none where a score could tell what is withheld."""
    return 0 if any(place["withheld"] for place in document["places"]) else 1


def code_view(one: Mapping[str, Any], lang: str) -> CodeView:
    """Present a row of a codebook."""
    return CodeView(
        name=named(one),
        definition=named(one, "definition"),
        domain=str(Indicator.Domain(one["domain"]).label),
        origin=str(Indicator.Origin(one["origin"]).label),
        unit=_("share") if one["unit"] == "share" else _("people") if one["unit"] == "people" else one["unit"],
        direction=str(Indicator.Direction(one["direction"]).label),
        goalposts=_goalposts_text(one, lang),
        weight=formats.percent(float(one["weight"]), lang, 1),
        missing=formats.number(one["missing"], lang),
        sources=formats.listing(list(one[f"sources_{lang}"]), lang),
    )


def _goalposts_text(one: Mapping[str, Any], lang: str) -> str:
    if one["goalposts"] is None:
        return formats.DASH
    low, high = (formats.number(value, lang, 2 if value % 1 else 0) for value in one["goalposts"])
    return _("%(low)s to %(high)s") % {"low": low, "high": high}


__all__ = ["CSS", "IndexView", "code_view", "decimals_of", "finding", "index_view", "named", "suggested_titles"]
