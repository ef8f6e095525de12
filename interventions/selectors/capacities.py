"""Capacities of a place: lists and single ones for those with a role in it, counts by kind for everybody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.contrib.gis.geos import GEOSGeometry
from django.db.models import Case, Count, IntegerField, Q, QuerySet, When

from analysis.disclosure import is_insider, suppressed
from geo.errors import NotFound
from geo.models import Place
from geo.querysets import User, assigned_q, is_administrator
from interventions.core.transitions import CAPACITY, events_open
from interventions.models import Capacity, Membership, Organisation, in_readers_language
from interventions.querysets import LEADING_ROLES, membership_q
from interventions.selectors.rights import ACTING_ROLES, paths_around, roles_for
from interventions.selectors.rows import NamedRow, named_row


@dataclass(frozen=True, slots=True)
class CapacitiesAsked:
    """Which capacities are asked for; what is left out does not matter.

    Attributes
    ----------
    area
        A place of the city: what it has, and what is given to all of the city around it.
    """

    kind: str = ""
    area: str = ""
    sector: str = ""
    is_withdrawn: bool = False


_KIND_ORDER: Final = Case(
    *(When(kind=kind, then=n) for n, kind in enumerate(Capacity.Kind.values)), output_field=IntegerField()
)

EVERY_CAPACITY: Final = CapacitiesAsked()


@dataclass(frozen=True, slots=True)
class CapacityRow:
    """A capacity as those with a role in its place see it; contact and reporter only for who leads there or recorded it.

    Attributes
    ----------
    contact
        How to reach who gives it: for those who lead in the place, and for members of the organisation.
    reporter
        By name, for those who lead in the place.
    """

    pk: int
    kind: str
    place: NamedRow
    sectors: tuple[NamedRow, ...]
    organisation: NamedRow
    text_fa: str
    text_en: str
    amount: int | None
    contact: str
    geometry: GEOSGeometry | None
    reporter: str
    reported_at: datetime
    is_withdrawn: bool

    @property
    def text(self) -> str:
        """The text in the language of the reader, or in the other where it was not written in that."""
        return in_readers_language(self.text_fa, self.text_en)


@dataclass(frozen=True, slots=True)
class CapacityFound:
    """A capacity, and what its reader may do with it."""

    capacity: Capacity
    row: CapacityRow
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KindCount:
    """How many capacities of a kind a place has; None where that is too small a number to be told to the public."""

    kind: str
    count: int | None


@dataclass(frozen=True, slots=True)
class Recording:
    """In which areas and for which organisations a user may record capacities of a city."""

    areas: tuple[Place, ...]
    organisations: tuple[Organisation, ...]

    @property
    def is_possible(self) -> bool:
        """Whether there is anywhere and anybody to record for."""
        return bool(self.areas and self.organisations)


def capacities_found(city: Place, user: User, asked: CapacitiesAsked = EVERY_CAPACITY) -> QuerySet[Capacity]:
    """Return the capacities of a city's subtree that a user may see and asks for, by kind and place; none for the public."""
    found = Capacity.objects.visible_to(user).within(city).filter(archived_at__isnull=not asked.is_withdrawn)
    if asked.kind:
        found = found.filter(kind=asked.kind)
    if asked.area:
        area = Place.objects.within(city).filter(code=asked.area).first()
        found = found.filter(_given_to(area)) if area else found.none()
    if asked.sector:
        # What is bound to no sector may help in any.
        found = found.filter(Q(sectors__code=asked.sector) | Q(sectors__isnull=True))
    return (
        found.select_related("place", "organisation")
        .prefetch_related("sectors")
        .order_by(_KIND_ORDER, "place__path", "pk")
    )


def _given_to(place: Place) -> Q:
    return Q(place__path__in=paths_around(place)) | Q(place__path__startswith=f"{place.path}/")


def capacities_near(places: tuple[Place, ...], city: Place, user: User, sector: str = "") -> int:
    """Return how many capacities there are in some places of a city, and around them in it, that may help in a sector."""
    if not places:
        return 0
    near = Q(pk__in=[])
    for place in places:
        near |= _given_to(place)
    found = capacities_found(city, user, CapacitiesAsked(sector=sector))
    return found.filter(near).order_by().distinct().count()


def capacities_counted(city: Place, user: User) -> tuple[KindCount, ...]:
    """Return how many capacities a city has, by kind: exactly for people with a role, small numbers not for the public.

    The public is told of published places alone, and no sum from which what is withheld could be taken away.
    """
    found = Capacity.objects.within(city).standing()
    insider = is_insider(user, city)
    if not insider:
        found = found.filter(place__in=Place.objects.within(city).visible_to(user).order_by().values("pk"))
    counted = dict(found.order_by().values_list("kind").annotate(n=Count("pk")))
    return tuple(
        KindCount(kind, counted[kind] if insider or not suppressed(counted[kind]) else None)
        for kind in Capacity.Kind.values
        if kind in counted
    )


def capacity_rows(capacities: QuerySet[Capacity], user: User) -> tuple[CapacityRow, ...]:
    """Return capacities as rows, with what the reader may know of people."""
    found = list(capacities.select_related("reporter"))
    wanted = Capacity.objects.filter(pk__in=[one.pk for one in found])
    led = (
        {one.pk for one in found}
        if is_administrator(user)
        else set(wanted.filter(assigned_q(user, "place__path", LEADING_ROLES)).order_by().values_list("pk", flat=True))
    )
    own = set(wanted.filter(membership_q(user, "organisation")).order_by().values_list("pk", flat=True))
    return tuple(
        CapacityRow(
            pk=one.pk,
            kind=one.kind,
            place=named_row(one.place),
            sectors=tuple(named_row(sector) for sector in one.sectors.all()),
            organisation=named_row(one.organisation),
            text_fa=one.text_fa,
            text_en=one.text_en,
            amount=one.amount,
            contact=one.contact if one.pk in led | own else "",
            geometry=one.geometry,
            reporter=one.reporter.get_username() if one.pk in led and one.reporter is not None else "",
            reported_at=one.reported_at,
            is_withdrawn=one.archived_at is not None,
        )
        for one in found
    )


def capacity_found(number: int, user: User, city: Place) -> CapacityFound:
    """Return a capacity of a city with what its reader may do now.

    Raises
    ------
    NotFound
        Where there is none, or the user may not know of it.
    """
    near = Capacity.objects.visible_to(user).within(city).filter(pk=number)
    found = near.select_related("place", "organisation__place").first()
    if found is None:
        raise NotFound(
            f"There is no capacity {number} here, or you may not see it.",
            code="unknown_capacity",
            remedy="Choose one from the list of capacities.",
            details={"number": number},
        )
    roles = roles_for(user, found.place, found.organisation)
    return CapacityFound(
        capacity=found,
        row=capacity_rows(near.select_related("place", "organisation").prefetch_related("sectors"), user)[0],
        events=events_open(CAPACITY, state=found.state, roles=roles),
    )


def recording_of(user: User, city: Place) -> Recording:
    """Return where and for whom a user may record capacities; the services decide again when something is sent."""
    around = Organisation.objects.approved().filter(
        Q(place__path__in=paths_around(city)) | Q(place__path__startswith=f"{city.path}/")
    )
    leads = (
        is_administrator(user) or Place.objects.within(city).filter(assigned_q(user, "path", LEADING_ROLES)).exists()
    )
    own = around if leads else around.of_member(user)
    bodies = tuple(own.select_related("place").distinct().order_by("name_fa", "code"))
    may = Q(pk__isnull=False) if is_administrator(user) else assigned_q(user, "path", (*LEADING_ROLES, *ACTING_ROLES))
    mine = Membership.objects.approved().filter(organisation__in=bodies)
    assigned = [] if leads or not user.is_authenticated else list(mine.filter(user_id=user.pk))
    reach: dict[int, list[str]] = {one.organisation_id: [] for one in assigned}
    for body_pk, path in Membership.places.through.objects.filter(membership__in=assigned).values_list(
        "membership__organisation_id", "place__path"
    ):
        reach[body_pk].append(path)

    def acts_for(body: Organisation, place: Place) -> bool:
        paths = reach.get(body.pk, [])
        return body.works_in(place) and (leads or not paths or not set(paths).isdisjoint(paths_around(place)))

    parts = (Place.Kind.CITY, Place.Kind.NEIGHBOURHOOD, Place.Kind.SETTLEMENT)
    areas = tuple(
        place
        for place in Place.objects.visible_to(user)
        .filter(may, Q(pk=city.pk) | Q(path__startswith=f"{city.path}/"), kind__in=parts)
        .order_by("-kind", "name_fa", "code")
        if any(acts_for(body, place) for body in bodies)
    )
    return Recording(areas, bodies)


__all__ = [
    "EVERY_CAPACITY", "CapacitiesAsked", "CapacityFound", "CapacityRow", "KindCount", "Recording", "capacities_counted",
    "capacities_found", "capacities_near", "capacity_found", "capacity_rows", "recording_of",
]  # fmt: skip
