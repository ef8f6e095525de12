"""A change set as data: words and numbers written out for one reader. Reads nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import shapely
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from geo.models import Change, ChangeSet, Descent, Review
from maps.pages import formats
from maps.pages.reader import language
from maps.reviews import sentences, sheets
from maps.reviews.frames import frame_around
from maps.reviews.permissions import shown_name
from maps.reviews.selectors import Measured, Replaced
from maps.reviews.sheets import Sheet, Side

_MOST_VIEWS: Final = 12
"""Places that get a button above the drawing; the others are reached from the table."""
_DETAIL_BELOW: Final = 0.22
"""Where changed ground fills less of the sheet's width than this, it is drawn again, enlarged."""


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """What happens to one place; ``query`` draws its own gain and loss."""

    code: str
    name: str
    was_named: str
    what: str
    kind: str
    is_settlement: bool
    before: str
    after: str
    gained: str
    lost: str
    people_gained: str
    people_lost: str
    people_net: str
    source: str
    certainty: str
    query: str
    is_published: bool


@dataclass(frozen=True, slots=True)
class LineageRow:
    """Which part of one place goes to another."""

    old: str
    new: str
    what: str
    share_of_old: str
    share_of_new: str
    share_of_people: str
    bar: int


@dataclass(frozen=True, slots=True)
class Task:
    """A gap, an overlap, a sliver or a broken shape that the change set leaves."""

    number_text: str
    key: str
    text: str
    area: str
    width: str
    spot: str
    stands: str
    repairs: str
    needs_word: bool
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the history."""

    who: str
    did: str
    action: str
    when: str
    comment: str
    version_text: str


@dataclass(frozen=True, slots=True)
class View:
    """One way to look at the drawing: all places together, or one of them."""

    query: str
    name: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Pictures:
    """The drawings of a change: laid over each other, enlarged where little changes, before and after."""

    overlay: Sheet
    detail: Sheet | None
    before: Sheet
    after: Sheet
    has_gained: bool
    has_lost: bool
    has_moved: bool
    has_disputed: bool
    subject: str


@dataclass(frozen=True, slots=True)
class ChangeView:
    """All that the page of a change set says."""

    number: int
    number_text: str
    title: str
    status: str
    status_text: str
    sentence: str
    comment: str
    drawn: str
    takes_effect: str
    decided: str
    waits: str
    version: int
    rows: tuple[PlaceRow, ...]
    lineage: tuple[LineageRow, ...]
    tasks: tuple[Task, ...]
    steps: tuple[Step, ...]
    views: tuple[View, ...]
    pictures: Pictures | None


def change_view(
    change_set: ChangeSet,
    sides: Sequence[Side],
    measured: Mapping[str, Measured],
    around: Mapping[str, tuple[str, shapely.Geometry]],
    names: Mapping[str, str],
    waiting: Sequence[str],
    chosen: str | None,
) -> ChangeView:
    """Present a change set.

    Parameters
    ----------
    change_set : ChangeSet
        With the changes, descents and reviews that the reader may see.
    sides, measured, around
        The same places before and after, what each gains and loses, and what lies around them.
    names : mapping
        Names of the places that findings are about, by code, as far as the reader may see them.
    waiting : sequence of str
        Who is to act next.
    chosen : str or None
        Code of the place whose gain and loss is drawn; empty for all together; None to choose here.
    """
    lang = language()
    changes = list(change_set.changes.all())
    tasks = tasks_of(change_set, names)
    named = {change.place_id: sentences.renamed(change) or change.place.name for change in changes}
    focus = _focus(sides, measured) if chosen is None else chosen
    steps = tuple(_step(review) for review in change_set.reviews.all())
    return ChangeView(
        number=change_set.pk,
        number_text=formats.number(change_set.pk, lang),
        title=sentences.title_of(change_set),
        status=change_set.status,
        status_text=str(change_set.get_status_display()),
        sentence=sentences.change_sentence(sides, measured, is_insider=True) if sides else "",
        comment=change_set.comment,
        drawn=sentences.by_when(
            shown_name(change_set.author) if change_set.author else "", sentences.moment(change_set.created_at)
        ),
        takes_effect=_takes_effect(change_set),
        decided=_decided(change_set),
        waits=sentences.few(waiting, 5),
        version=change_set.version,
        rows=tuple(_place_row(change, measured[change.place.code], focus) for change in changes),
        lineage=tuple(_lineage_row(descent, named) for descent in _telling(change_set.descents.all())),
        tasks=tasks,
        steps=steps,
        views=_views(sides, focus) if len(sides) > 1 else (),
        pictures=pictures_of(sides, around, focus, tasks),
    )


def _focus(sides: Sequence[Side], measured: Mapping[str, Measured]) -> str:
    """Return whose gain and loss to draw first: of few places the one that changes most, of many all together."""
    if len(sides) > 2 or not sides:
        return ""
    stays = [side for side in sides if side.before is not None and side.after is not None] or list(sides)
    return max(stays, key=lambda side: measured[side.code].gained_m2 + 0.5 * measured[side.code].lost_m2).code


def _views(sides: Sequence[Side], focus: str) -> tuple[View, ...]:
    shown = [View(f"?place={side.code}#drawing", side.name, side.code == focus) for side in sides[:_MOST_VIEWS]]
    return (View("?place=#drawing", _("All together"), not focus), *shown)


def pictures_of(
    sides: Sequence[Side],
    around: Mapping[str, tuple[str, shapely.Geometry]],
    focus: str,
    tasks: Sequence[Task] = (),
    *,
    around_before: Mapping[str, tuple[str, shapely.Geometry]] | None = None,
) -> Pictures | None:
    """Draw a change; None where the reader sees none of its places.

    Parameters
    ----------
    sides, around
        Places that change, and those around them.
    focus : str
        Whose gain and loss is drawn; empty for all together.
    tasks : sequence of Task
        What is numbered on the drawing.
    around_before : mapping
        What lay around before, where it has changed too.
    """
    shapes = [shape for side in sides for shape in (side.before, side.after) if shape is not None]
    frame = frame_around(shapes)
    if frame is None:
        return None
    ground = sheets.visible(sheets.ground_of(sides, focus))
    marks = [(task.lon, task.lat, task.number_text) for task in tasks]
    overlay = sheets.overlay(frame, around, sides, ground, chosen=focus, marks=marks)
    pieces = [piece for piece in (ground.gained, ground.lost, ground.moved) if not piece.is_empty]
    close = frame_around(pieces)
    detail = None
    if close is not None and close.metres_per_unit < _DETAIL_BELOW * frame.metres_per_unit:
        detail = sheets.overlay(close, around, sides, ground, chosen=focus, marks=marks)
    return Pictures(
        overlay=overlay,
        detail=detail,
        before=sheets.one_side(frame, around if around_before is None else around_before, sides, is_after=False),
        after=sheets.one_side(frame, around, sides, is_after=True),
        has_gained=not ground.gained.is_empty,
        has_lost=not ground.lost.is_empty,
        has_moved=not ground.moved.is_empty,
        has_disputed=any(side.disputed is not None for side in sides),
        subject=next((side.name for side in sides if side.code == focus), ""),
    )


def _takes_effect(change_set: ChangeSet) -> str:
    if change_set.valid_from:
        return formats.day(change_set.valid_from, language())
    return _("on the day of its approval") if change_set.is_open else formats.DASH


def _decided(change_set: ChangeSet) -> str:
    if not (change_set.reviewer and change_set.reviewed_at):
        return ""
    return sentences.by_when(shown_name(change_set.reviewer), sentences.moment(change_set.reviewed_at))


def _place_row(change: Change, own: Measured, focus: str) -> PlaceRow:
    place = change.place
    renamed = sentences.renamed(change)
    words = {
        "new": pgettext("place", "new"),
        "ends": pgettext("place", "ends"),
        "reshaped": pgettext("place", "reshaped"),
    }
    is_same = own.gained_m2 < sentences.NOTHING_M2 and own.lost_m2 < sentences.NOTHING_M2
    what = _("renamed") if is_same and renamed else _("described anew") if is_same else words[change.kind]
    net = None if own.people_gained is None or own.people_lost is None else own.people_gained - own.people_lost
    edition = change.boundary or change.base
    return PlaceRow(
        code=place.code,
        name=renamed or place.name,
        was_named=place.name if renamed else "",
        what=what,
        kind=change.kind,
        is_settlement=place.kind == "settlement",
        before=formats.number(own.before_m2, language()),
        after=formats.number(own.after_m2, language()),
        gained=sentences.signed(own.gained_m2),
        lost=sentences.signed(-own.lost_m2),
        people_gained=sentences.signed_people(own.people_gained),
        people_lost=sentences.signed_people(None if own.people_lost is None else -own.people_lost),
        people_net=sentences.signed_people(net),
        source=edition.source_text if edition else "",
        certainty=str(edition.get_certainty_display()) if edition else formats.DASH,
        query=f"?place={place.code}#drawing" if place.code != focus else "#drawing",
        is_published=place.is_published or change.base_id is not None,
    )


def _telling(descents: Iterable[Descent]) -> list[Descent]:
    """Leave out places that keep all they had, which tells nothing; of the others, tell first what they keep."""
    told = [d for d in descents if not (d.successor_id == d.predecessor_id and d.share_of_predecessor > 0.99999)]
    return sorted(told, key=lambda d: (d.predecessor.code, d.successor_id != d.predecessor_id, -d.share_of_predecessor))


def _lineage_row(descent: Descent, named: Mapping[int, str]) -> LineageRow:
    successor = descent.successor
    return LineageRow(
        old=descent.predecessor.name,
        new=named.get(successor.pk, successor.name) if successor else _("no place"),
        what=str(descent.get_kind_display()),
        share_of_old=sentences.share(descent.share_of_predecessor),
        share_of_new=sentences.share(descent.share_of_successor) if successor else formats.DASH,
        share_of_people=sentences.share(descent.share_of_people),
        bar=round(100 * descent.share_of_predecessor),
    )


def tasks_of(change_set: ChangeSet, names: Mapping[str, str]) -> tuple[Task, ...]:
    """Return the findings of a change set as tasks, new ones and large ones first; only those the reader may know of."""
    rows = [row for row in change_set.findings if any(code in names for code in row.get("codes", ()))]
    rows.sort(key=lambda row: (row["is_acknowledged"], not row["is_new"], -row["area_m2"]))
    return tuple(_task(i, row, names) for i, row in enumerate(rows, start=1))


def _task(number: int, row: Mapping[str, Any], names: Mapping[str, str]) -> Task:
    lang = language()
    places = [
        formats.isolated(names[c], lang) if c in names else _("a place that you may not see") for c in row["codes"]
    ]
    words = {"places": formats.listing(places, lang)}
    overlap = row.get("is_overlap", False)
    texts = {
        "gap": _("Gap between %(places)s")
        if len(places) > 1
        else _("Ground beside %(places)s that belongs to no place"),
        "overlap": _("Overlap of %(places)s"),
        "sliver": _("Thin overlap of %(places)s") if overlap else _("Thin gap between %(places)s"),
        "invalid": _("The shape of %(places)s crosses itself"),
    }
    stands = (
        _("meant so")
        if row["is_acknowledged"]
        else pgettext("gap or overlap", "new")
        if row["is_new"]
        else _("was there before")
    )
    return Task(
        number_text=formats.number(number, lang),
        key=row["key"],
        text=texts.get(row["kind"], row["kind"]) % words,
        area=sentences.area(row["area_m2"]),
        width=formats.number(row["width_m"], lang, 1),
        spot=formats.digits(f"{row['lat']:.5f}, {row['lon']:.5f}", lang),
        stands=stands,
        repairs=_repairs(row, names),
        needs_word=row["is_new"] and not row["is_acknowledged"] and row["kind"] != "invalid",
        lon=row["lon"],
        lat=row["lat"],
    )


def _repairs(row: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Say how the workbench can mend it."""
    lang = language()
    into = [formats.isolated(names[way["into"]], lang) for way in row.get("repairs", ()) if way["into"] in names]
    if not into or row["kind"] == "invalid":
        return ""
    return _("Can be given to %(places)s.") % {"places": sentences.either(list(dict.fromkeys(into)))}


def _step(review: Review) -> Step:
    return Step(
        who=shown_name(review.author) if review.author else "",
        did=str(review.get_action_display()),
        action=review.action,
        when=sentences.moment(review.at),
        comment=review.comment,
        version_text=formats.number(review.version, language()),
    )


def steps_since(change_set: ChangeSet, version: int) -> tuple[Step, ...]:
    """Return what has happened to a change set since the version that somebody looked at."""
    return tuple(_step(review) for review in change_set.reviews.all() if review.version > version)


@dataclass(frozen=True, slots=True)
class ReplacedRow:
    """A boundary that was replaced since it was drawn on; ``query`` compares the two in the place's history."""

    code: str
    name: str
    text: str
    query: str


def replaced_row(found: Replaced) -> ReplacedRow:
    """Word what has happened to a boundary since."""
    lang = language()
    name = formats.isolated(found.place.name, lang)
    if found.now is None:
        return ReplacedRow(found.place.code, found.place.name, _("%(place)s has ended.") % {"place": name}, "")
    words = {
        "place": name,
        "version": formats.number(found.now.version, lang),
        "day": formats.day(found.now.valid.lower, lang),
    }
    text = _("The boundary of %(place)s is at edition %(version)s, in force from %(day)s.") % words
    query = f"?a={found.base.pk}&b={found.now.pk}" if found.base else ""
    return ReplacedRow(found.place.code, found.place.name, text, query)
