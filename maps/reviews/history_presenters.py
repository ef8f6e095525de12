"""The history of a place, two of its editions compared, and a city on a day, as data. Reads nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from geo.models import Boundary, Descent, Place
from geo.selectors import CityShapes, PlaceHistory
from maps.pages import formats
from maps.pages.reader import language
from maps.reviews import sentences
from maps.reviews.permissions import shown_name
from maps.reviews.presenters import Pictures
from maps.reviews.selectors import Measured


@dataclass(frozen=True, slots=True)
class EditionRow:
    """One edition of a boundary."""

    number: int
    version_text: str
    status: str
    status_text: str
    since: str
    until: str
    source: str
    certainty: str
    author: str
    change_number: int | None
    change_title: str
    area: str
    is_in_force: bool
    is_first_chosen: bool
    is_second_chosen: bool
    may_restore: bool


@dataclass(frozen=True, slots=True)
class Relative:
    """A place that this one came from, or that it became."""

    code: str
    name: str
    what: str
    share: str
    since: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two editions beside each other."""

    sentence: str
    first: EditionRow
    second: EditionRow
    gained: str
    lost: str
    people_gained: str
    people_lost: str
    pictures: Pictures | None


@dataclass(frozen=True, slots=True)
class HistoryView:
    """All that the history of a place says."""

    sentence: str
    rows: tuple[EditionRow, ...]
    came_from: tuple[Relative, ...]
    became: tuple[Relative, ...]
    has_authors: bool
    has_changes: bool
    has_restorable: bool


def history_view(
    history: PlaceHistory,
    areas_m2: Sequence[float],
    today: date,
    *,
    chosen: tuple[int | None, int | None],
    is_insider: bool,
    may_restore: bool,
) -> HistoryView:
    """Present what a place has been.

    Parameters
    ----------
    history : PlaceHistory
        As far as the reader may see it.
    areas_m2 : sequence of float
        Of its editions, in the same order.
    today : date
        The day that "in force" means.
    chosen : tuple
        Numbers of the two editions compared.
    is_insider : bool
        Whether authors are named.
    may_restore : bool
        Whether the reader may draw editions of this place.
    """
    rows = tuple(
        _edition_row(edition, area, today, chosen, is_insider=is_insider, may_restore=may_restore)
        for edition, area in zip(history.editions, areas_m2, strict=True)
    )
    return HistoryView(
        sentence=_sentence(history, today),
        rows=rows,
        came_from=tuple(_relative(d, d.predecessor, d.share_of_successor) for d in history.came_from),
        became=tuple(_relative(d, d.successor, d.share_of_predecessor) for d in history.became),
        has_authors=any(row.author for row in rows),
        has_changes=any(row.change_number for row in rows),
        has_restorable=any(row.may_restore for row in rows),
    )


def _edition_row(
    edition: Boundary,
    area_m2: float,
    today: date,
    chosen: tuple[int | None, int | None],
    *,
    is_insider: bool,
    may_restore: bool,
) -> EditionRow:
    lang = language()
    is_in_force = is_approved_on(edition, today)
    change_set = edition.change_set if edition.change_set_id else None
    is_meant = edition.status == Boundary.Status.APPROVED
    return EditionRow(
        number=edition.pk,
        version_text=formats.number(edition.version, lang),
        status=edition.status,
        status_text=_("in force") if is_in_force else str(edition.get_status_display()),
        since=formats.day(edition.valid.lower, lang) if is_meant else formats.DASH,
        until=formats.day(edition.valid.upper, lang) if is_meant and edition.valid.upper else "",
        source=edition.source_text,
        certainty=str(edition.get_certainty_display()),
        author=shown_name(edition.author) if is_insider and edition.author else "",
        change_number=change_set.pk if change_set else None,
        change_title=sentences.title_of(change_set) if change_set else "",
        area=sentences.area(area_m2),
        is_in_force=is_in_force,
        is_first_chosen=edition.pk == chosen[0],
        is_second_chosen=edition.pk == chosen[1],
        may_restore=may_restore and not is_in_force and edition.status in ("approved", "withdrawn"),
    )


def is_approved_on(edition: Boundary, day: date) -> bool:
    """Tell whether an edition is in force on a day."""
    lower, upper = edition.valid.lower, edition.valid.upper
    is_within = (lower is None or lower <= day) and (upper is None or day < upper)
    return edition.status == Boundary.Status.APPROVED and is_within


def _relative(descent: Descent, place: Place | None, share: float) -> Relative:
    lang, day = language(), descent.change_set.valid_from
    is_settled = descent.change_set.status == "approved"
    return Relative(
        code=place.code if place else "",
        name=place.name if place else _("no place"),
        what=str(descent.get_kind_display()),
        share=sentences.share(share),
        since=formats.day(day, lang) if is_settled else str(descent.change_set.get_status_display()),
    )


def _sentence(history: PlaceHistory, today: date) -> str:
    lang = language()
    name = formats.isolated(history.place.name, lang)
    approved = [e for e in history.editions if e.status == Boundary.Status.APPROVED]
    current = next((e for e in approved if is_approved_on(e, today)), None)
    if current is not None:
        return ngettext(
            "%(place)s has had one approved boundary, in force since %(day)s; it is %(certainty)s.",
            "%(place)s has had %(n)s approved boundaries; the one in force since %(day)s is %(certainty)s.",
            len(approved),
        ) % {
            "place": name,
            "n": formats.number(len(approved), lang),
            "day": formats.day(current.valid.lower, lang),
            "certainty": current.get_certainty_display(),
        }
    ended = max((e.valid.upper for e in approved if e.valid.upper and e.valid.upper <= today), default=None)
    if ended is not None:
        heirs = [d.successor for d in history.became if d.successor and d.change_set.status == "approved"]
        words = {"place": name, "day": formats.day(ended, lang)}
        if not heirs:
            return _("%(place)s has had no boundary since %(day)s.") % words
        words["heirs"] = formats.listing([formats.isolated(heir.name, lang) for heir in heirs], lang)
        return _("%(place)s ended on %(day)s; its ground became part of %(heirs)s.") % words
    return _("No boundary of %(place)s is in force.") % {"place": name}


def comparison_of(
    place: Place, first: EditionRow, second: EditionRow, own: Measured, pictures: Pictures | None, *, is_insider: bool
) -> Comparison:
    """Present what the second of two editions has more and less than the first."""
    return Comparison(
        sentence=_difference(place, first, second, own, is_insider=is_insider),
        first=first,
        second=second,
        gained=sentences.signed(own.gained_m2),
        lost=sentences.signed(-own.lost_m2),
        people_gained=sentences.people(own.people_gained, is_insider),
        people_lost=sentences.people(own.people_lost, is_insider),
        pictures=pictures,
    )


def _difference(place: Place, first: EditionRow, second: EditionRow, own: Measured, *, is_insider: bool) -> str:
    words = {
        "place": formats.isolated(place.name, language()),
        "first": first.version_text,
        "second": second.version_text,
        "gained": sentences.ground(own.gained_m2, own.people_gained, is_insider),
        "lost": sentences.ground(own.lost_m2, own.people_lost, is_insider),
    }
    grows, shrinks = own.gained_m2 > sentences.NOTHING_M2, own.lost_m2 > sentences.NOTHING_M2
    if first.number == second.number or not (grows or shrinks):
        return _("Editions %(first)s and %(second)s have the same course.") % words
    if grows and shrinks:
        return _("From edition %(first)s to edition %(second)s, %(place)s gains %(gained)s and loses %(lost)s.") % words
    if grows:
        return _("From edition %(first)s to edition %(second)s, %(place)s gains %(gained)s.") % words
    return _("From edition %(first)s to edition %(second)s, %(place)s loses %(lost)s.") % words


# ---------------------------------------------------------------- a city on a day


@dataclass(frozen=True, slots=True)
class DayRow:
    """One place on a day."""

    code: str
    name: str
    is_settlement: bool
    version_text: str
    since: str
    source: str
    certainty: str
    differs: str
    change_query: str


@dataclass(frozen=True, slots=True)
class DayLink:
    """A day on which the city's boundaries changed."""

    query: str
    text: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class DayView:
    """A city's boundaries on a day."""

    sentence: str
    day_text: str
    entry: str
    rows: tuple[DayRow, ...]
    fills: Mapping[str, str]
    days: tuple[DayLink, ...]
    gone: tuple[str, ...]


def day_view(city: Place, day: date, today: date, then: CityShapes, now: CityShapes, days: Sequence[date]) -> DayView:
    """Present a city on a day, beside today."""
    lang = language()
    rows, fills = [], {}
    for code, edition in then.editions.items():
        current = now.editions.get(code)
        differs = ""
        if day != today:
            if current is None:
                differs = _("ended since") if day < today else _("not there yet")
            elif current.pk != edition.pk:
                differs = _("redrawn since") if day < today else _("to be redrawn")
        if differs:
            fills[code] = "differs"
        pair = f"?a={edition.pk}&b={current.pk}" if differs and current is not None else ""
        rows.append(_day_row(edition, differs, pair))
    rows.sort(key=lambda row: (not row.differs, row.is_settlement, row.code))
    others = [e.place for code, e in now.editions.items() if code not in then.editions] if day != today else []
    return DayView(
        sentence=_day_sentence(city, day, today, then, sum(bool(row.differs) for row in rows) + len(others)),
        day_text=formats.day(day, lang),
        entry=formats.day_in_figures(day, language()),
        rows=tuple(rows),
        fills=fills,
        days=tuple(DayLink(f"?date={each.isoformat()}", formats.day(each, lang), each == day) for each in days),
        gone=tuple(place.name for place in others),
    )


def _day_row(edition: Boundary, differs: str, change_query: str) -> DayRow:
    lang, place = language(), edition.place
    return DayRow(
        code=place.code,
        name=place.name,
        is_settlement=place.kind == Place.Kind.SETTLEMENT,
        version_text=formats.number(edition.version, lang),
        since=formats.day(edition.valid.lower, lang),
        source=edition.source_text,
        certainty=str(edition.get_certainty_display()),
        differs=differs,
        change_query=change_query,
    )


def _day_sentence(city: Place, day: date, today: date, then: CityShapes, different: int) -> str:
    lang = language()
    words: dict[str, Any] = {"city": formats.isolated(city.name, lang), "day": formats.day(day, lang)}
    parts = []
    if then.neighbourhoods:
        n = len(then.neighbourhoods)
        parts.append(ngettext("%(n)s neighbourhood", "%(n)s neighbourhoods", n) % {"n": formats.number(n, lang)})
    if then.settlements:
        n = len(then.settlements)
        text = ngettext("%(n)s informal settlement", "%(n)s informal settlements", n)
        parts.append(text % {"n": formats.number(n, lang)})
    if not parts:
        return _("No approved boundary of %(city)s was in force on %(day)s.") % words
    words["places"] = formats.listing(parts, lang)
    if day == today:
        return _("Today %(city)s has %(places)s with approved boundaries.") % words
    words["n"] = formats.number(different, lang)
    if day > today:
        if not different:
            return _("By what is approved so far, nothing changes in %(city)s until %(day)s: %(places)s.") % words
        text = ngettext(
            "By what is approved so far, %(city)s will have %(places)s on %(day)s; %(n)s place differs from today.",
            "By what is approved so far, %(city)s will have %(places)s on %(day)s; %(n)s places differ from today.",
            different,
        )
        return text % words
    if not different:
        return _("On %(day)s %(city)s had %(places)s, with the same boundaries as today.") % words
    text = ngettext(
        "On %(day)s %(city)s had %(places)s; %(n)s place differs from today.",
        "On %(day)s %(city)s had %(places)s; %(n)s places differ from today.",
        different,
    )
    return text % words
