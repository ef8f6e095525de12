"""Councils and committees of a place and of those around it: who sits there, what their sectors wait for, and crises with dates."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Q

from geo.models import Place
from geo.querysets import User, assigned_q, is_administrator
from interventions.core.gaps import Stage
from interventions.core.transitions import ActivationState
from interventions.models import Activation, Committee, Council, Organisation, Seat
from interventions.querysets import LEADING_ROLES
from interventions.selectors.actions import gap_matrix
from interventions.selectors.rights import paths_around
from interventions.selectors.rows import NamedRow, named_row

MAX_COUNCILS: Final = 300
MAX_ACTIVATIONS: Final = 50


@dataclass(frozen=True, slots=True)
class SeatRow:
    """A seat in a council.

    Attributes
    ----------
    committee
        None for a seat in the council itself.
    organisation
        None where a person sits for themselves, or the reader may not know of the organisation.
    person
        By name; empty but for who leads in the council's place, and for the person.
    """

    pk: int
    position: str
    committee: NamedRow | None
    organisation: NamedRow | None
    person: str


@dataclass(frozen=True, slots=True)
class CouncilRow:
    """A council with its seats, and whether the reader leads in its place."""

    pk: int
    name_fa: str
    name_en: str
    place: Place
    house_fa: str
    house_en: str
    seats: tuple[SeatRow, ...]
    is_led: bool


@dataclass(frozen=True, slots=True)
class CommitteeWork:
    """A committee, and what the needs of its sectors in the city wait for.

    Attributes
    ----------
    needs, unanswered
        Needs of its sectors in the city that count, and those of them that neither a proposal nor an action answers.
    """

    pk: int
    committee: NamedRow
    place: NamedRow
    is_crisis: bool
    sectors: tuple[tuple[NamedRow, int, int], ...]
    is_led: bool

    @property
    def needs(self) -> int:
        """Needs of all its sectors."""
        return sum(needs for _, needs, _ in self.sectors)

    @property
    def unanswered(self) -> int:
        """Those of them without an answer."""
        return sum(unanswered for _, _, unanswered in self.sectors)


@dataclass(frozen=True, slots=True)
class ActivationRow:
    """A crisis committee at work in a place, or that was."""

    pk: int
    committee: NamedRow
    place: NamedRow
    path: str
    is_active: bool
    reason: str
    activated_at: datetime
    stood_down_at: datetime | None


@dataclass(frozen=True, slots=True)
class CouncilsFound:
    """Councils and committees around a city and in it.

    Attributes
    ----------
    led
        Places around the city and in it where the reader leads and that have no council yet.
    """

    councils: tuple[CouncilRow, ...]
    committees: tuple[CommitteeWork, ...]
    activations: tuple[ActivationRow, ...]
    led: tuple[Place, ...]


def councils_found(city: Place, user: User) -> CouncilsFound:
    """Return the councils and committees of a city, of the places around it and of its parts, that a user may see."""
    near = Q(place__path__in=paths_around(city)) | Q(place__path__startswith=f"{city.path}/")
    councils = list(
        Council.objects.visible_to(user).filter(near).select_related("place").order_by("place__path")[:MAX_COUNCILS]
    )
    committees = list(
        Committee.objects.visible_to(user)
        .filter(near)
        .select_related("place")
        .prefetch_related("sectors")
        .order_by("place__path", "is_crisis", "position", "code")
    )
    seats = _seats(councils, user)
    places = list(
        Place.objects.visible_to(user)
        .filter(
            Q(path__in=paths_around(city))
            | Q(path__startswith=f"{city.path}/", kind__in=(Place.Kind.NEIGHBOURHOOD, Place.Kind.SETTLEMENT))
        )
        .exclude(kind=Place.Kind.COUNTRY)
        .order_by("path")
    )
    led = _led([*places, *(one.place for one in councils), *(one.place for one in committees)], user)
    with_council = set(Council.objects.filter(place__in=places).values_list("place_id", flat=True))
    waits = _waits(city, user)
    return CouncilsFound(
        councils=tuple(
            CouncilRow(
                one.pk, one.name_fa, one.name_en, one.place, one.house_fa, one.house_en, seats.get(one.pk, ()),
                one.place_id in led,
            )
            for one in councils
        ),
        committees=tuple(
            CommitteeWork(
                one.pk,
                named_row(one),
                named_row(one.place),
                one.is_crisis,
                tuple((named_row(sector), *waits.get(sector.code, (0, 0))) for sector in one.sectors.all()),
                one.place_id in led,
            )
            for one in committees
        ),
        activations=tuple(
            ActivationRow(
                one.pk, named_row(one.committee), named_row(one.place), one.place.path,
                one.state == ActivationState.ACTIVE, one.reason, one.activated_at, one.stood_down_at,
            )
            for one in Activation.objects.visible_to(user)
            .filter(near)
            .select_related("committee", "place")
            .order_by("state", "-activated_at", "-pk")[:MAX_ACTIVATIONS]
        ),
        led=tuple(place for place in places if place.pk in led and place.pk not in with_council),
    )  # fmt: skip


def _led(places: list[Place], user: User) -> set[int]:
    """Return those of some places in which a user leads."""
    wanted = {place.pk for place in places}
    if is_administrator(user):
        return wanted
    led = Place.objects.filter(assigned_q(user, roles=LEADING_ROLES), pk__in=wanted)
    return set(led.order_by().values_list("pk", flat=True))


def _seats(councils: list[Council], user: User) -> dict[int, tuple[SeatRow, ...]]:
    """Return the seats of councils: organisations as each may see them, people by name for those who lead there."""
    led = _led([council.place for council in councils], user)
    place_of = {council.pk: council.place_id for council in councils}
    order = {position: n for n, position in enumerate(Seat.Position.values)}
    taken = list(Seat.objects.filter(council__in=councils).select_related("committee", "organisation", "user"))
    shown = set(
        Organisation.objects.visible_to(user)
        .filter(pk__in={seat.organisation_id for seat in taken if seat.organisation_id})
        .order_by()
        .values_list("pk", flat=True)
    )
    found: dict[int, list[SeatRow]] = defaultdict(list)
    for seat in sorted(
        taken,
        key=lambda one: (
            (one.committee.position + 1, one.committee.code) if one.committee else (0, ""), order[one.position], one.pk,
        ),
    ):  # fmt: skip
        body, person = seat.organisation, seat.user
        is_told = person is not None and (place_of[seat.council_id] in led or person.pk == user.pk)
        found[seat.council_id].append(
            SeatRow(
                pk=seat.pk,
                position=seat.position,
                committee=named_row(seat.committee) if seat.committee else None,
                organisation=named_row(body) if body is not None and body.pk in shown else None,
                person=(person.get_full_name() or person.get_username()) if person is not None and is_told else "",
            )
        )
    return {council: tuple(rows) for council, rows in found.items()}


def _waits(city: Place, user: User) -> dict[str, tuple[int, int]]:
    """Return by sector how many needs of a city count, and how many of them nothing answers, as a user may know it."""
    matrix = gap_matrix(city, user)
    needs = matrix.found.needs.sum(axis=0)
    unanswered = matrix.found.counts[:, :, Stage.UNANSWERED].sum(axis=0)
    return {sector.code: (int(needs[column]), int(unanswered[column])) for column, sector in enumerate(matrix.sectors)}


__all__ = ["ActivationRow", "CommitteeWork", "CouncilRow", "CouncilsFound", "SeatRow", "councils_found"]
