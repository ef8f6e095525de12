"""Councils and committees: who sits where, and crisis committees activated in places and stood down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from geo.core.text import clean_name
from geo.errors import Conflict, InvalidInput
from geo.models import Place
from geo.querysets import User
from interventions.core.transitions import NEW
from interventions.models import Activation, Committee, Council, Organisation, Seat, Sector
from interventions.selectors.rights import paths_around, roles_at
from interventions.services.recording import (
    changes_since,
    log_write,
    state_next,
    stored,
    text_clean,
    values_of,
)


@dataclass(frozen=True, slots=True)
class CouncilSpec:
    """What the council of a place should be; the house is where it meets."""

    place: Place
    name_fa: str
    name_en: str
    house_fa: str = ""
    house_en: str = ""


@dataclass(frozen=True, slots=True)
class CommitteeSpec:
    """What a committee of a place should be; the list of committees differs between provinces."""

    place: Place
    code: str
    name_fa: str
    name_en: str
    sectors: tuple[Sector, ...]
    position: int = 0
    is_crisis: bool = False


def council_put(*, user: User, spec: CouncilSpec, at: datetime | None = None) -> Council:
    """Enter the council of a place, or bring it up to date.

    Raises
    ------
    Forbidden
        Unless the user supervises or administers the place.
    InvalidInput
        Where a name is missing or too long.
    """
    with transaction.atomic():
        _held(spec.place)
        found = Council.objects.filter(place=spec.place).first()
        council = found or Council(place=spec.place)
        event = "amend" if found else "enter"
        state_next(council, event, state=NEW, roles=roles_at(user, spec.place))
        before = values_of(council, ("name_fa", "name_en", "house_fa", "house_en"))
        council.name_fa, council.name_en = clean_name(spec.name_fa), clean_name(spec.name_en)
        council.house_fa, council.house_en = clean_name(spec.house_fa), clean_name(spec.house_en)
        changed = changes_since(before, council)
        if found is None or changed:
            stored(council, "council")
            log_write(council, event, user=user, at=at, details=changed if found else {})
        return council


def committee_put(*, user: User, spec: CommitteeSpec, at: datetime | None = None) -> Committee:
    """Enter a committee of a place, or bring the one of that code up to date.

    Raises
    ------
    Forbidden
        Unless the user supervises or administers the place.
    InvalidInput
        Where a name, the code or its sectors are missing or malformed.
    Conflict
        Where it should be no crisis committee any more and is active somewhere.
    """
    with transaction.atomic():
        _held(spec.place)
        found = Committee.objects.select_for_update(no_key=True).filter(place=spec.place, code=spec.code).first()
        committee = found or Committee(place=spec.place, code=spec.code)
        event = "amend" if found else "enter"
        state_next(committee, event, state=NEW, roles=roles_at(user, spec.place))
        if not spec.sectors:
            raise InvalidInput(
                "A committee works on at least one sector.",
                code="no_sectors",
                where="committee, sectors",
                remedy="Choose its sectors.",
            )
        if found and found.is_crisis and not spec.is_crisis and found.activations.active().exists():
            raise Conflict(
                "This committee is active.", code="committee_active", remedy="Stand it down everywhere first."
            )
        before = values_of(committee, ("name_fa", "name_en", "position", "is_crisis"))
        committee.name_fa, committee.name_en = clean_name(spec.name_fa), clean_name(spec.name_en)
        committee.position, committee.is_crisis = spec.position, spec.is_crisis
        changed = changes_since(before, committee)
        stored(committee, f"committee {spec.code}")
        sectors = sorted(committee.sectors.values_list("pk", flat=True))
        if sectors != sorted(sector.pk for sector in spec.sectors):
            changed["sectors"] = sectors
            committee.sectors.set(spec.sectors)
        if found is None or changed:
            log_write(committee, event, user=user, at=at, details=changed if found else {})
        return committee


def seat_give(
    *,
    user: User,
    council: Council,
    committee: Committee | None = None,
    position: str = Seat.Position.MEMBER,
    person: User | None = None,
    organisation: Organisation | None = None,
    at: datetime | None = None,
) -> Seat:
    """Give a person, an organisation, or a person for an organisation a seat in a council or in one of its committees.

    Who has the seat already takes the position named.

    Raises
    ------
    Forbidden
        Unless the user supervises or administers the council's place.
    InvalidInput
        Where nobody is named, or the committee or the organisation works elsewhere.
    """
    with transaction.atomic():
        held = _council_locked(council)
        state_next(held, "seat", state=NEW, roles=roles_at(user, held.place))
        around = paths_around(held.place)
        if committee is not None and committee.place.path not in around:
            raise InvalidInput(
                f"The committee {committee.code!r} is none of {held.place.code!r}.",
                code="works_elsewhere",
                where="seat, committee",
                remedy="Choose a committee of this place or of one around it.",
            )
        if (
            organisation is not None
            and not organisation.works_in(held.place)
            and held.place.path not in paths_around(organisation.place)
        ):
            raise InvalidInput(
                f"{organisation.code!r} does not work in {held.place.code!r}.",
                code="works_elsewhere",
                where="seat, organisation",
                remedy="Choose an organisation that works there.",
            )
        person_id: Any = person.pk if person else None
        found = held.seats.filter(committee=committee, user_id=person_id, organisation=organisation).first()
        seat = found or Seat(council=held, committee=committee, user_id=person_id, organisation=organisation)
        if found and found.position == position:
            return found
        was = found.position if found else ""
        seat.position = position
        stored(seat, "seat")
        log_write(held, "seat", user=user, at=at, details=_seat_told(seat) | ({"was": was} if was else {}))
        return seat


def seat_end(*, user: User, seat: Seat, reason: str = "", at: datetime | None = None) -> None:
    """Take a seat away; who had it stays in the log.

    Raises
    ------
    Forbidden
        Unless the user supervises or administers the council's place.
    Conflict
        Where somebody did so meanwhile.
    """
    with transaction.atomic():
        held = _council_locked(seat.council)
        state_next(held, "unseat", state=NEW, roles=roles_at(user, held.place), note=reason)
        found = held.seats.filter(pk=seat.pk).first()
        if found is None:
            raise Conflict(
                "This seat is not taken any more.",
                code="state_changed",
                remedy="Load the page again to see what has happened meanwhile.",
            )
        log_write(held, "unseat", user=user, at=at, note=reason, details=_seat_told(found))
        found.delete()


def committee_activate(
    *, user: User, committee: Committee, places: Sequence[Place], reason: str, at: datetime | None = None
) -> tuple[Activation, ...]:
    """Set a crisis committee to work in places, such as two counties of its province: in all of them, or in none.

    Raises
    ------
    Forbidden
        Unless the user supervises or administers every one of the places.
    InvalidInput
        Where it is no crisis committee, no place or no reason is given, or a place lies outside that of the committee.
    Conflict
        Where it is active in one of them already.
    """
    moment = at or timezone.now()
    with transaction.atomic():
        # Locked, so that two who activate it at once do so one after the other.
        held: Committee = (
            Committee.objects.select_for_update(of=("self",), no_key=True).select_related("place").get(pk=committee.pk)
        )
        wanted = list({place.pk: place for place in places}.values())
        states = [
            state_next(Activation(place=place), "activate", state=NEW, roles=roles_at(user, place), note=reason)
            for place in wanted
        ]
        if not held.is_crisis:
            raise InvalidInput(
                "Only crisis committees are activated; the others are always at work.",
                code="no_crisis_committee",
                where="committee",
                remedy="Choose a crisis committee.",
            )
        if not wanted:
            raise InvalidInput("No place is named.", code="no_places", where="places", remedy="Choose at least one.")
        made = []
        for place, state in zip(wanted, states, strict=True):
            if held.place.path not in paths_around(place):
                raise InvalidInput(
                    f"{place.code!r} does not lie inside {held.place.code!r}.",
                    code="place_elsewhere",
                    where="places",
                    remedy="Choose places inside the place of the committee.",
                )
            if held.activations.active().filter(place=place).exists():
                raise Conflict(
                    f"This committee is active in {place.code!r} already.",
                    code="committee_active",
                    where="places",
                    remedy="Leave the place out.",
                )
            activation = Activation(
                committee=held, place=place, state=state, reason=text_clean(reason), activated_at=moment
            )
            stored(activation, "activation")
            log_write(activation, "activate", user=user, state_to=state, at=moment, note=reason)
            made.append(activation)
        return tuple(made)


def activation_stand_down(
    *, user: User, activation: Activation, reason: str = "", at: datetime | None = None
) -> Activation:
    """End the work of a crisis committee in a place.

    Raises
    ------
    Forbidden
        Unless the user supervises or administers the place.
    InvalidInput
        Where the moment does not come after its activation.
    Conflict
        Where somebody did so meanwhile.
    """
    with transaction.atomic():
        held: Activation = (
            Activation.objects.select_for_update(of=("self",), no_key=True)
            .select_related("place")
            .get(pk=activation.pk)
        )
        before = held.state
        held.state = state_next(held, "stand-down", state=before, roles=roles_at(user, held.place), note=reason)
        held.stood_down_at = at or timezone.now()
        if held.stood_down_at <= held.activated_at:
            raise InvalidInput(
                "A committee is stood down after it was activated.",
                code="not_later",
                where="activation",
                remedy="Give a later moment.",
            )
        stored(held, "activation", fields=["state", "stood_down_at"])
        log_write(
            held, "stand-down", user=user, state_from=before, state_to=held.state, at=held.stood_down_at, note=reason
        )
        return held


def _held(place: Place) -> None:
    """Let others who enter something of the same place wait until the transaction ends."""
    Place.objects.select_for_update(no_key=True).get(pk=place.pk)


def _council_locked(council: Council) -> Council:
    found: Council = (
        Council.objects.select_for_update(of=("self",), no_key=True).select_related("place").get(pk=council.pk)
    )
    return found


def _seat_told(seat: Seat) -> dict[str, object]:
    told = values_of(seat, ("committee", "position", "user", "organisation"))
    return {name: value for name, value in told.items() if value is not None}


__all__ = [
    "CommitteeSpec", "CouncilSpec", "activation_stand_down", "committee_activate", "committee_put", "council_put", "seat_end", "seat_give",
]  # fmt: skip
