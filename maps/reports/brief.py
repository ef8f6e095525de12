"""A place on two sheets of A4: what is presented of it.

Pure: results and presented parts in, frozen words and numbers out, all of them already told as the reader may be told.
`maps.reports.printing` makes a page and a PDF of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from unicodedata import bidirectional

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analysis.results import CityPriority
from interventions.selectors import SectorSummary
from interventions.selectors.actions import ActionRow
from maps.pages import formats, measured
from maps.pages.outlines import Drawing
from maps.pages.place_presenters import BoundaryFacts, PlaceView, Reason
from maps.pages.reader import language
from maps.reports.doing import ActionLine, action_lines, actions_rest
from maps.reports.pictures import Chart, Locator, chart_of, locator_of
from maps.reports.standing import Standing

MAX_REASONS: Final = 20
"""Services that are written out; the rest are told together, so that any place fits two pages."""
MAX_SOURCES: Final = 16
"""Distinct sources that are listed; rows with a further one carry no number, and the list says where it is."""
MAX_SOURCE: Final = 140
"""Letters of a source that are printed; the page of the place has it in full."""
DENSE: Final = 26
"""With more lines of sources, needs and actions the second sheet is set in smaller type."""


@dataclass(frozen=True, slots=True)
class Source:
    """A source, numbered as the table refers to it, in the direction of its own script."""

    mark: str
    text: str
    direction: str
    is_verified: bool


@dataclass(frozen=True, slots=True)
class ReasonRow:
    """A row of the table of contributions: the reason, and which sources its limit and its data have."""

    reason: Reason
    bar: int
    limit_mark: str
    data_mark: str


@dataclass(frozen=True, slots=True)
class NeedRow:
    """What is lacking in one sector: counts only."""

    sector: str
    needs: str
    confirmed: str
    people: str
    proposals: str


@dataclass(frozen=True, slots=True)
class Brief:
    """All that stands on the sheet, in the reader's language."""

    title: str
    headline: str
    context: str
    view: PlaceView
    locator: Locator
    chart: Chart | None
    reasons: tuple[ReasonRow, ...]
    more: str
    sources: tuple[Source, ...]
    has_unverified: bool
    has_more_sources: bool
    standing: Standing | None
    needs: tuple[NeedRow, ...]
    actions: tuple[ActionLine, ...]
    actions_rest: str
    boundary: BoundaryFacts | None
    boundary_direction: str
    method: tuple[str, ...]
    is_additive: bool
    is_insider: bool
    is_illustrative: bool
    is_changed: bool
    printed_on: date
    address: str

    @property
    def is_dense(self) -> bool:
        """Whether there is so much to say that the second sheet is set in smaller type."""
        return len(self.sources) + len(self.needs) + 2 * len(self.actions) > DENSE


def brief_of(
    result: CityPriority,
    standard: CityPriority,
    row: int,
    *,
    view: PlaceView,
    around: Sequence[str],
    drawing: Drawing,
    boundary: BoundaryFacts | None,
    needs: Sequence[SectorSummary],
    actions: Sequence[ActionRow],
    actions_in_all: int,
    standing: Standing | None,
    is_insider: bool,
    is_illustrative: bool,
    is_changed: bool,
    printed_on: date,
    address: str,
) -> Brief:
    """Present a place for paper.

    Parameters
    ----------
    result, standard : CityPriority
        Of its city: for the reader's question, and for the city's own limits and weights.
    row : int
        Which place of them.
    view : PlaceView
        What the place's page says.
    around : sequence of str
        Names of the places it lies in, the nearest first.
    drawing : Drawing
        Of the city's places.
    boundary : BoundaryFacts or None
        The edition the numbers were computed with.
    needs : sequence of SectorSummary
        As the reader may be told them.
    actions : sequence of ActionRow
        Those that are printed, of all that the reader may see: what matters most first.
    actions_in_all : int
        How many the reader may see.
    standing : Standing or None
        How it stands in an index, where the reader may be told.
    is_insider : bool
        Whether exact small counts are told; the sheet then says that it is not for publication.
    printed_on : date
        In the time zone of the service.
    address : str
        Of the place's page, where the same numbers are up to date.
    """
    lang = language()
    comma = "، " if lang == "fa" else ", "
    rows, sources = reason_rows(view.reasons)
    return Brief(
        title=comma.join([view.name, *around]),
        headline=_unparted(view.headline),
        context=comma.join(formats.isolated(name, lang) for name in around),
        view=view,
        locator=locator_of(drawing, view.code, result, standard, is_insider),
        chart=chart_of(view.curve) if view.curve else None,
        reasons=rows,
        more=_more(view.reasons[MAX_REASONS:]),
        sources=sources,
        has_unverified=not all(each.is_verified for each in sources),
        has_more_sources=len(sources) == MAX_SOURCES and any(not (each.limit_mark and each.data_mark) for each in rows),
        standing=standing,
        needs=tuple(need_row(each, lang) for each in needs),
        actions=action_lines(actions),
        actions_rest=actions_rest(actions_in_all),
        boundary=boundary,
        boundary_direction=_direction(boundary.source) if boundary else "",
        method=tuple(_method(result, view.reasons)),
        is_additive=(result.aggregation, result.normalisation) == ("arithmetic", "goalpost"),
        is_insider=is_insider,
        is_illustrative=is_illustrative,
        is_changed=is_changed,
        printed_on=printed_on,
        address=address,
    )


# ---- the table of contributions


def reason_rows(reasons: Sequence[Reason]) -> tuple[tuple[ReasonRow, ...], tuple[Source, ...]]:
    """Return the rows of the table, and each distinct source once, numbered in the order of their mention."""
    lang = language()
    numbers: dict[tuple[str, bool], str] = {}

    def mark(text: str, is_verified: bool) -> str:
        if not text or (len(numbers) == MAX_SOURCES and (text, is_verified) not in numbers):
            return ""
        return numbers.setdefault((text, is_verified), formats.number(len(numbers) + 1, lang))

    rows = tuple(
        ReasonRow(
            reason=reason,
            bar=round(reason.bar),
            limit_mark=mark(reason.standard_source, reason.is_verified),
            data_mark=mark(reason.source, True),
        )
        for reason in reasons[:MAX_REASONS]
    )
    return rows, tuple(
        Source(number, _shortened(text), _direction(text), is_verified)
        for (text, is_verified), number in numbers.items()
    )


def _unparted(sentence: str) -> str:
    """Return a sentence whose numbers keep their units beside them at the end of a line.

    Examples
    --------
    >>> len(_unparted("more than 650 m away").split(" ")), len(_unparted("بیش از ۶۵۰ متر دورند").split(" "))
    (4, 4)
    """
    return re.sub(r"(?<=[0-9۰-۹]) (?=(?:k?m|کیلومتر|متر)\b)", "\u00a0", sentence)


def _direction(text: str) -> str:
    """Return which way a text runs: of the script of its first letter.

    Examples
    --------
    >>> _direction("(IBGE, 2022)"), _direction("۱. شهرداری")
    ('ltr', 'rtl')
    """
    strong = next((kind for kind in map(bidirectional, text) if kind in ("L", "R", "AL")), "L")
    return "ltr" if strong == "L" else "rtl"


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_SOURCE else f"{text[: MAX_SOURCE - 1].rstrip()}…"


def _more(rest: Sequence[Reason]) -> str:
    if not rest:
        return ""
    lang = language()
    return ngettext(
        "%(n)s more service adds %(points)s points; the page of the place tells which.",
        "%(n)s more services add %(points)s points; the page of the place tells which.",
        len(rest),
    ) % {"n": formats.number(len(rest), lang), "points": formats.number(sum(each.points for each in rest), lang)}


def need_row(summary: SectorSummary, lang: str) -> NeedRow:
    """Return what is lacking in one sector as it is printed."""
    people = summary.people_affected
    return NeedRow(
        sector=summary.sector.name,
        needs=formats.number(summary.needs, lang),
        confirmed=formats.number(summary.confirmed, lang),
        people=_("withheld") if people is None else formats.number(people, lang),
        proposals=formats.number(summary.proposals, lang),
    )


def _method(result: CityPriority, reasons: Sequence[Reason]) -> list[str]:
    """Return the method in words, a sentence or two an item."""
    covered, lang = result.coverage, language()
    said = [
        measured.method_text(covered),
        _(
            "Priority is the weighted geometric mean of the shares of people without each service, from 0 to 100: a bad value is "
            "only partly made up for by good ones."
        )
        if result.aggregation == "geometric"
        else _(
            "Priority is the weighted mean of the shares of people without each service, from 0 to 100: a good value makes up for "
            "a bad one."
        ),
    ]
    if result.normalisation == "min-max":
        said.append(_("Each share is first put on a scale between the least and the greatest of the city."))
    if covered.population:
        words = {
            "layer": covered.population.name,
            "date": formats.day(covered.population.reference_date, lang),
            "source": f"\u2068{covered.population.source_text}\u2069",
        }
        said.append(_("People: %(layer)s, %(date)s; source: %(source)s.") % words)
    if any(each.is_near_edge for each in reasons):
        said.append(
            _("The place lies near the edge of the data: facilities beyond it may be nearer and are not counted.")
        )
    said.append(_("Counts of fewer than 10 people are not told to the public."))
    return said
