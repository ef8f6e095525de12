"""Needs as those with a role in their place see them: lists, one need, and those that may say the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib.gis.geos import GEOSGeometry
from django.db.models import Case, CharField, Count, F, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Replace
from django.utils import timezone

from analysis.disclosure import is_insider
from geo.core.crs import STORAGE_EPSG, project, utm_epsg_of
from geo.core.text import squeezed
from geo.db.shapes import to_shapely
from geo.db.spatial import within_distance_q
from geo.errors import NotFound
from geo.models import Place
from geo.querysets import User, assigned_q, is_administrator
from interventions.core.gaps import Stage
from interventions.core.near_duplicates import Telling, near_duplicates
from interventions.core.phases import PhaseKind
from interventions.core.transitions import NEED, OPEN_NEEDS, STANDING_PROPOSALS, RoundState, events_open
from interventions.models import Need, Organisation, Round, Sector, in_readers_language
from interventions.querysets import LEADING_ROLES, reached_q
from interventions.selectors.rights import ACTING_ROLES, paths_around, roles_for
from interventions.selectors.rounds import is_late_for
from interventions.selectors.rows import NamedRow, named_row

MAX_ROWS = 500

NEARBY_M: Final = 300.0
"""Needs of a sector that lie nearer to each other than this may be the same; so may those of one place."""

MAX_SIMILAR: Final = 200
"""How many needs are looked through for one that says the same."""


MOST_ALIKE: Final = 5
"""How many of them are shown to somebody who is about to send one."""


@dataclass(frozen=True, slots=True)
class NeedRow:
    """A need as those with a role in its place see it; the reporter only for those who supervise there."""

    pk: int
    place: NamedRow
    sector: NamedRow
    organisation: NamedRow
    approach: str
    text_fa: str
    text_en: str
    severity: int
    people_affected: int
    state: str
    reported_at: datetime
    geometry: GEOSGeometry | None
    proposals: int
    reporter: str | None

    @property
    def text(self) -> str:
        """The text in the language of the reader, or in the other where it was not written in that."""
        return in_readers_language(self.text_fa, self.text_en)


@dataclass(frozen=True, slots=True)
class NeedsAsked:
    """Which needs are asked for; what is left out does not matter.

    Attributes
    ----------
    area
        The place, with all places inside it.
    text
        Words of the need, of its place or organisation, or its number.
    reached, below
        Those that have come to a stage or further; those that have not come to it yet.
    severity_least
        The least severity, 1 to 5.
    """

    round: int | None = None
    area: str = ""
    sector: str = ""
    states: tuple[str, ...] = ()
    severity_least: int = 1
    text: str = ""
    reached: Stage | None = None
    below: Stage | None = None
    reporter: User | None = None


EVERY_NEED: Final = NeedsAsked()


def needs_found(place: Place, user: User, asked: NeedsAsked = EVERY_NEED) -> QuerySet[Need]:
    """Return the needs of a place's subtree that a user may see and asks for, gravest first; none for the public."""
    # Whose role covers the place sees all of it: asking so for each need again would keep the database from the index of the order.
    seen = Need.objects.all() if is_insider(user, place) else Need.objects.visible_to(user)
    found = seen.within(place)
    if asked.round is not None:
        found = found.filter(round=asked.round)
    if asked.area:
        area = Place.objects.within(place).filter(code=asked.area).first()
        found = found.within(area) if area else found.none()
    if asked.sector:
        found = found.filter(sector__code=asked.sector)
    if asked.states:
        found = found.filter(state__in=asked.states)
    if asked.severity_least > 1:
        found = found.filter(severity__gte=asked.severity_least)
    if asked.reached is not None:
        found = found.filter(reached_q(asked.reached))
    if asked.below is not None:
        found = found.filter(~reached_q(asked.below))
    if asked.reporter is not None:
        found = found.filter(reporter_id=asked.reporter.pk)
    words = squeezed(asked.text)
    if asked.text.strip():
        number = asked.text.strip().removeprefix("#")
        own = Q(pk=int(number)) if number.isdecimal() and len(number) <= 15 else Q(pk__in=[])

        def bare(field: str) -> Replace:
            return Replace(field, Value(" "), Value(""), output_field=TextField())

        names = {"of_text": "search_text", "of_place": "place__search_name", "of_body": "organisation__search_name"}
        if words:
            found = found.alias(**{alias: bare(field) for alias, field in names.items()})
            for alias in names:
                own |= Q(**{f"{alias}__contains": words})
        found = found.filter(own)
    return found.select_related("place", "sector", "organisation").order_by("-severity", "reported_at", "pk")


def need_list(
    place: Place, user: User, asked: NeedsAsked = EVERY_NEED, *, offset: int = 0, limit: int = MAX_ROWS
) -> tuple[NeedRow, ...]:
    """Return the needs of a place's subtree that a user may see, gravest first; none for the public.

    The reporter's name leaves the database only where the user is supervisor or administrator of the need's place.
    """
    return need_rows(needs_found(place, user, asked)[offset : offset + limit], user)


def need_rows(needs: QuerySet[Need], user: User) -> tuple[NeedRow, ...]:
    """Return needs as rows, with the reporter's name where the user may know it."""
    wanted = list(needs.values_list("pk", flat=True))
    supervised = Q(pk__isnull=False) if is_administrator(user) else assigned_q(user, "place__path", LEADING_ROLES)
    found = (
        Need.objects.visible_to(user)
        .filter(pk__in=wanted)
        .annotate(
            told_reporter=Case(When(supervised, then=F("reporter__username")), output_field=CharField()),
            answers=Count("proposals", filter=Q(proposals__state__in=STANDING_PROPOSALS)),
        )
        .select_related("place", "sector", "organisation")
    )
    by_pk = {need.pk: need for need in found}
    return tuple(_row(by_pk[pk]) for pk in wanted if pk in by_pk)


def _row(need: Any) -> NeedRow:
    return NeedRow(
        pk=need.pk,
        place=named_row(need.place),
        sector=named_row(need.sector),
        organisation=named_row(need.organisation),
        approach=need.approach,
        text_fa=need.text_fa,
        text_en=need.text_en,
        severity=need.severity,
        people_affected=need.people_affected,
        state=need.state,
        reported_at=need.reported_at,
        geometry=need.geometry,
        proposals=need.answers,
        reporter=need.told_reporter,
    )


# ---- one need


@dataclass(frozen=True, slots=True)
class NeedFound:
    """A need, and what its reader may do with it.

    Attributes
    ----------
    events
        Moves of the table that are open to the reader now.
    is_leader
        Whether the reader supervises or administers its place, and may know who reported it.
    merged
        Needs that were merged into it and that the reader may see.
    """

    need: Need
    row: NeedRow
    events: tuple[str, ...]
    is_leader: bool
    merged: tuple[NeedRow, ...]


def need_get(number: int, user: User, city: Place) -> Need:
    """Return a need of a city that a user may see.

    Raises
    ------
    NotFound
        Where there is none, or the user may not know of it.
    """
    found: Need | None = (
        Need.objects.visible_to(user)
        .within(city)
        .filter(pk=number)
        .select_related("round__place", "place", "sector", "organisation__place", "service", "merged_into")
        .first()
    )
    if found is None:
        raise NotFound(
            f"There is no need {number} here, or you may not see it.",
            code="unknown_need",
            remedy="Choose one from the list of needs.",
            details={"number": number},
        )
    return found


def need_found(number: int, user: User, city: Place, *, at: datetime | None = None) -> NeedFound:
    """Return a need with what its reader may do now.

    Raises
    ------
    NotFound
        As `need_get`.
    """
    need = need_get(number, user, city)
    roles = roles_for(user, need.place, need.organisation)
    late = is_late_for(need.round, PhaseKind.NEEDS, at or timezone.now(), need.organisation)
    closed = need.round.state != RoundState.OPENED
    events = tuple(
        event
        for event in events_open(NEED, state=need.state, roles=roles, is_late=late)
        if not (closed and event == "amend")
    )
    return NeedFound(
        need=need,
        row=need_rows(Need.objects.filter(pk=need.pk), user)[0],
        events=events,
        is_leader=not roles.isdisjoint(LEADING_ROLES),
        merged=need_rows(need.merged.order_by("pk")[:MAX_SIMILAR], user),
    )


# ---- those that may say the same


def needs_nearby(
    *,
    user: User,
    round_: Round,
    place: Place,
    sector: Sector,
    geometry: GEOSGeometry | None,
    besides: int | None = None,
) -> tuple[NeedRow, ...]:
    """Return needs of a round that stand, and may say what somebody is about to say: of the sector, in the place or near the geometry.

    Only those that the user may see: others are nobody's business here.
    """
    near = Q(place=place)
    if geometry is not None:
        near |= within_distance_q(geometry, NEARBY_M)
    found = Need.objects.visible_to(user).filter(near, round=round_, sector=sector, state__in=OPEN_NEEDS)
    if besides is not None:
        found = found.exclude(pk=besides)
    return need_rows(found.order_by("-reported_at", "-pk")[:MAX_SIMILAR], user)


def needs_alike(
    *,
    user: User,
    round_: Round,
    place: Place,
    sector: Sector,
    text: str,
    geometry: GEOSGeometry | None,
    besides: int | None = None,
) -> tuple[NeedRow, ...]:
    """Return the needs nearby that may say what somebody is about to say, the likeliest first."""
    near = needs_nearby(user=user, round_=round_, place=place, sector=sector, geometry=geometry, besides=besides)
    if not near:
        return ()
    marked = [None if one is None else to_shapely(one) for one in (geometry, *(row.geometry for row in near))]
    known = [one for one in marked if one is not None]
    # One metric system for all of them: they lie within some kilometres.
    epsg = utm_epsg_of(known[:1]) if known else 0
    metric = [None if one is None else project([one], STORAGE_EPSG, epsg)[0] for one in marked]
    places = {place.code: 0}
    tellings = [
        Telling(f"{row.text_fa} {row.text_en}", 0, timezone.localdate(row.reported_at).toordinal(), shape, number)
        for row, shape, number in zip(
            near, metric[1:], [places.setdefault(row.place.code, len(places)) for row in near], strict=True
        )
    ]
    told = Telling(text, 0, timezone.localdate().toordinal(), metric[0], 0)
    names = (place.name_fa, place.name_en, *(name for row in near for name in (row.place.name_fa, row.place.name_en)))
    found = near_duplicates(told, tellings, names=names)
    return tuple(near[match.index] for match in found[:MOST_ALIKE])


# ---- where and for whom somebody may report


@dataclass(frozen=True, slots=True)
class Reporting:
    """For which rounds, areas and organisations a user may report needs around a city.

    Attributes
    ----------
    rounds
        Open rounds, the newest first.
    areas
        Places inside the city in which the user may report, by name.
    """

    rounds: tuple[Round, ...]
    areas: tuple[Place, ...]
    organisations: tuple[Organisation, ...]

    @property
    def is_possible(self) -> bool:
        """Whether there is anything to report to, in and for."""
        return bool(self.rounds and self.areas and self.organisations)


def reporting_of(user: User, city: Place) -> Reporting:
    """Return where and for whom a user may report needs; the services decide again when something is sent."""
    rounds = tuple(
        Round.objects.opened()
        .visible_to(user)
        .filter(place__path__in=paths_around(city))
        .select_related("place", "programme")
        .prefetch_related("areas", "sectors", "phases")
        .order_by("-opened_at", "-pk")
    )
    around = Organisation.objects.approved().filter(
        Q(place__path__in=paths_around(city)) | Q(place__path__startswith=f"{city.path}/")
    )
    leads = (
        is_administrator(user) or Place.objects.within(city).filter(assigned_q(user, "path", LEADING_ROLES)).exists()
    )
    own = around if leads else around.of_member(user)
    organisations = tuple(own.select_related("place").distinct().order_by("name_fa", "code"))
    may = Q(pk__isnull=False) if is_administrator(user) else assigned_q(user, "path", (*LEADING_ROLES, *ACTING_ROLES))
    parts = (Place.Kind.NEIGHBOURHOOD, Place.Kind.SETTLEMENT)
    areas = [
        place
        for place in Place.objects.visible_to(user)
        .filter(may, path__startswith=f"{city.path}/", kind__in=parts)
        .order_by("-kind", "name_fa", "code")
        if any(_is_area(round_, place) for round_ in rounds) and any(body.works_in(place) for body in organisations)
    ]
    return Reporting(rounds, tuple(areas), organisations)


def organisation_labels(organisations: tuple[Organisation, ...]) -> list[tuple[int, str]]:
    """Return organisations by number and name; of two with one name, the place is told too."""
    names = [one.name for one in organisations]
    return [
        (one.pk, one.name if names.count(one.name) == 1 else f"{one.name} ({one.place.name})") for one in organisations
    ]


def _is_area(round_: Round, place: Place) -> bool:
    around = paths_around(place)
    named = [area.path for area in round_.areas.all()]
    return round_.place.path in around and (not named or any(path in around for path in named))


__all__ = [
    "EVERY_NEED", "MAX_ROWS", "MAX_SIMILAR", "NEARBY_M", "NeedFound", "NeedRow", "NeedsAsked", "Reporting", "need_found",
    "need_get", "need_list", "need_rows", "needs_alike", "needs_found", "needs_nearby", "organisation_labels", "reporting_of",
]  # fmt: skip
