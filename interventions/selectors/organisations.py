"""Organisations as each reader may see them: who works in a city, one of them with its members and its work, and what waits.

Nobody but those who lead in the place, and the members among themselves, reads a person's name here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.db.models import Case, Count, IntegerField, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Lower, Replace

from geo.core.text import squeezed
from geo.errors import NotFound
from geo.models import Place
from geo.placed import held_q
from geo.querysets import User, is_administrator
from interventions.core.transitions import (
    MEMBERSHIP,
    ORGANISATION,
    STANDING_PROPOSALS,
    MembershipState,
    OrganisationState,
    events_open,
)
from interventions.models import (
    Action,
    Capacity,
    LogEntry,
    Membership,
    Need,
    Organisation,
    OrganisationKind,
    Proposal,
    Sector,
)
from interventions.querysets import LEADING_ROLES
from interventions.selectors.proposals import proposals_found
from interventions.selectors.rights import paths_around, roles_of_person
from interventions.selectors.rows import NamedRow, named_row

MAX_MEMBERS: Final = 500
"""Members of an organisation that its page shows."""

MAX_PLACES: Final = 500
"""Places that are offered to be assigned to a member."""

MAX_WAITING: Final = 200
"""Organisations that wait for approval, or whose members do, on one page."""

LATEST: Final = 20
"""Of the work of an organisation, and of what happened to its members, that its page shows."""

_KINDS: Final = tuple(kind.value for kind in OrganisationKind)


@dataclass(frozen=True, slots=True)
class OrganisationsAsked:
    """Which organisations are asked for; what is left out does not matter.

    Attributes
    ----------
    area
        A place of the city: those that work in it, whole or in a part, and those that work around it.
    text
        Words of the name or of the place, in any spelling.
    """

    kind: str = ""
    area: str = ""
    states: tuple[str, ...] = ()
    text: str = ""


EVERY_ORGANISATION: Final = OrganisationsAsked()


@dataclass(frozen=True, slots=True)
class OrganisationRow:
    """An organisation in a list.

    Attributes
    ----------
    key
        What its address ends with: its code, or its number where another organisation of the city has the same code.
    sectors
        Of its work in the city, as far as the reader may see that.
    needs, proposals, actions, capacities
        How many it stands behind in the city, of those the reader may see.
    members, waiting
        Approved members, and people who ask to be: None but for those who lead in its place; the first for its members too.
    """

    pk: int
    key: str
    kind: str
    state: str
    name_fa: str
    name_en: str
    place: NamedRow
    sectors: tuple[NamedRow, ...]
    needs: int
    proposals: int
    actions: int
    capacities: int
    members: int | None
    waiting: int | None
    is_own: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for the reader's approval in a city: organisations, and organisations with people who ask to be members."""

    organisations: tuple[OrganisationRow, ...]
    with_members: tuple[OrganisationRow, ...]

    @property
    def people(self) -> int:
        """How many people ask to be members of an organisation that works."""
        return sum(row.waiting or 0 for row in self.with_members)


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A member of an organisation, for those who lead in its place and for the other members."""

    pk: int
    name: str
    username: str
    state: str
    is_contact: bool
    is_own: bool
    places: tuple[NamedRow, ...]
    since: datetime


@dataclass(frozen=True, slots=True)
class MemberEvent:
    """Something that happened to a member, for those who lead in the place of the organisation."""

    at: datetime
    event: str
    person: str
    actor: str
    note: str


@dataclass(frozen=True, slots=True)
class OrganisationFound:
    """An organisation, what it does in a city, and what its reader may do with it.

    Attributes
    ----------
    events
        Moves of the organisation's table that are open to the reader now.
    own
        The reader's own membership, of whatever state.
    own_events
        What the reader may do to that: ask for one, or end it.
    members
        Those that the reader may see: all for who leads in its place, the approved ones for the members, nobody for others.
    places
        Places that may be assigned to its members, for who leads.
    """

    organisation: Organisation
    row: OrganisationRow
    events: tuple[str, ...]
    is_leader: bool
    own: Membership | None
    own_events: tuple[str, ...]
    members: tuple[MemberRow, ...]
    places: tuple[Place, ...]
    needs: tuple[Need, ...]
    proposals: tuple[Proposal, ...]
    actions: tuple[Action, ...]
    happened: tuple[MemberEvent, ...]


# ---- the list


def organisations_found(
    city: Place, user: User, asked: OrganisationsAsked = EVERY_ORGANISATION
) -> QuerySet[Organisation]:
    """Return the organisations that work in a city, around it or in a part of it and that a user may see: by kind, then by name."""
    found = _near(city, user)
    if asked.kind:
        found = found.filter(kind=asked.kind)
    if asked.area:
        area = Place.objects.within(city).filter(code=asked.area).first()
        found = found.filter(_touches(area)) if area else found.none()
    if asked.states:
        found = found.filter(state__in=asked.states)
    if asked.text.strip():
        words = squeezed(asked.text)
        found = found.alias(of_name=_bare("search_name"), of_place=_bare("place__search_name"))
        found = found.filter(Q(of_name__contains=words) | Q(of_place__contains=words)) if words else found.none()
    order = Case(*(When(kind=kind, then=n) for n, kind in enumerate(_KINDS)), output_field=IntegerField())
    return found.select_related("place").order_by(order, "name_fa", "pk")


def _bare(field: str) -> Replace:
    return Replace(field, Value(" "), Value(""), output_field=TextField())


def _touches(place: Place) -> Q:
    return Q(place__path__in=paths_around(place)) | Q(place__path__startswith=f"{place.path}/")


def _near(city: Place, user: User) -> QuerySet[Organisation]:
    found: QuerySet[Organisation] = Organisation.objects.visible_to(user).filter(_touches(city))
    return found


def organisation_rows(organisations: Iterable[Organisation], user: User, city: Place) -> tuple[OrganisationRow, ...]:
    """Return organisations as rows, with the counts that the reader may know."""
    found = list(organisations)
    wanted = [one.pk for one in found]
    led = _led(wanted, user)
    own = set(_own(user).filter(organisation__in=wanted).values_list("organisation_id", flat=True))
    people = Membership.objects.filter(organisation__in=wanted).order_by().values_list("organisation_id", "state")
    counted = {(body, state): n for body, state, n in people.annotate(n=Count("pk"))}
    work, sectors = _work(wanted, user, city)
    twins = _twins([one.code for one in found], user, city)
    return tuple(
        OrganisationRow(
            pk=one.pk,
            key=str(one.pk) if one.code in twins else one.code,
            kind=one.kind,
            state=one.state,
            name_fa=one.name_fa,
            name_en=one.name_en,
            place=named_row(one.place),
            sectors=sectors.get(one.pk, ()),
            needs=work["needs"].get(one.pk, 0),
            proposals=work["proposals"].get(one.pk, 0),
            actions=work["actions"].get(one.pk, 0),
            capacities=work["capacities"].get(one.pk, 0),
            members=counted.get((one.pk, MembershipState.APPROVED), 0) if one.pk in led | own else None,
            waiting=counted.get((one.pk, MembershipState.APPLIED), 0) if one.pk in led else None,
            is_own=one.pk in own,
        )
        for one in found
    )


def _led(wanted: Sequence[int], user: User) -> set[int]:
    """Return those of some organisations in whose place a user leads."""
    if is_administrator(user):
        return set(wanted)
    held = Organisation.objects.filter(held_q(user, "place", LEADING_ROLES), pk__in=wanted)
    return set(held.order_by().values_list("pk", flat=True))


def _own(user: User) -> QuerySet[Membership]:
    found: QuerySet[Membership] = Membership.objects.none()
    if user.is_authenticated and user.is_active:
        found = Membership.objects.filter(user_id=user.pk, state=MembershipState.APPROVED).order_by()
    return found


def _work(
    wanted: Sequence[int], user: User, city: Place
) -> tuple[dict[str, dict[int, int]], dict[int, tuple[NamedRow, ...]]]:
    """Return how many needs, proposals, actions and capacities organisations stand behind in a city, and in which sectors."""
    sectors = {sector.pk: sector for sector in Sector.objects.all()}
    of: dict[int, set[int]] = defaultdict(set)

    def counts(records: QuerySet[Any], sector: str) -> dict[int, int]:
        every: dict[int, int] = defaultdict(int)
        mine = records.filter(organisation__in=wanted).order_by()
        for body, number, n in mine.values_list("organisation_id", sector).annotate(n=Count("pk", distinct=True)):
            every[body] += n
            if number is not None:
                of[body].add(number)
        return every

    here = Place.objects.within(city).order_by().values("pk")
    capacities = Capacity.objects.visible_to(user).standing().filter(organisation__in=wanted, place__in=here)
    work = {
        "needs": counts(Need.objects.visible_to(user).within(city).counted(), "sector_id"),
        "proposals": counts(proposals_found(city, user).filter(state__in=STANDING_PROPOSALS), "sector_id"),
        "actions": counts(Action.objects.visible_to(user).within(city), "sector_id"),
        "capacities": dict(capacities.order_by().values_list("organisation_id").annotate(n=Count("pk"))),
    }
    told = {
        body: tuple(named_row(sector) for sector in sectors.values() if sector.pk in found)
        for body, found in of.items()
    }
    return work, told


def _twins(codes: Iterable[str], user: User, city: Place) -> set[str]:
    """Return those of some codes that several organisations of a city have: a county's and a settlement's may be called alike."""
    near = _near(city, user).filter(code__in=list(codes)).order_by()
    # An address of the site's own stands where that code would.
    return {"new"} | set(near.values("code").annotate(n=Count("pk")).filter(n__gt=1).values_list("code", flat=True))


def waiting_for(user: User, city: Place) -> Waiting:
    """Return what waits for a user's approval in a city; nothing for who leads nowhere in it."""
    if not (user.is_authenticated and user.is_active):
        return Waiting((), ())
    near = _near(city, user).select_related("place").order_by("name_fa", "pk")
    led = near if is_administrator(user) else near.filter(held_q(user, "place", LEADING_ROLES))
    asking = list(led.filter(state=OrganisationState.APPLIED)[:MAX_WAITING])
    asked = Membership.objects.filter(state=MembershipState.APPLIED).order_by().values("organisation_id")
    joined = list(led.filter(state=OrganisationState.APPROVED, pk__in=asked)[:MAX_WAITING])
    rows = {row.pk: row for row in organisation_rows([*asking, *joined], user, city)}
    return Waiting(tuple(rows[one.pk] for one in asking), tuple(rows[one.pk] for one in joined))


# ---- one of them


def organisation_get(key: str, user: User, city: Place) -> Organisation:
    """Return an organisation of a city by its code, or by its number, that a user may see.

    Raises
    ------
    NotFound
        Where there is none, or the user may not know of it.
    """
    near = _near(city, user).select_related("place")
    named = list(near.filter(code=key).order_by("pk")[:2])
    if len(named) != 1 and key.isascii() and key.isdecimal() and len(key) < 19:
        named = list(near.filter(pk=int(key)))
    if len(named) != 1:
        raise NotFound(
            f"There is no organisation “{key[:60]}” here, or you may not see it.",
            code="unknown_organisation",
            remedy="Choose one from the list of organisations.",
            details={"name": key[:60]},
        )
    return named[0]


def organisation_found(key: str, user: User, city: Place) -> OrganisationFound:
    """Return an organisation with what its reader may know of it and do now.

    Raises
    ------
    NotFound
        As `organisation_get`.
    """
    found = organisation_get(key, user, city)
    roles = roles_of_person(user, found.place)
    is_leader = not roles.isdisjoint(LEADING_ROLES)
    own = None
    if user.is_authenticated and user.is_active:
        own = Membership.objects.filter(organisation=found, user_id=user.pk).first()
    may_join = found.state in (OrganisationState.APPLIED, OrganisationState.APPROVED)
    own_events = tuple(
        event
        for event in events_open(
            MEMBERSHIP,
            state=own.state if own else "",
            roles=roles_of_person(user, found.place, about=user) - set(LEADING_ROLES),
        )
        if may_join or event != "apply"
    )
    return OrganisationFound(
        organisation=found,
        row=organisation_rows([found], user, city)[0],
        events=events_open(ORGANISATION, state=found.state, roles=roles),
        is_leader=is_leader,
        own=own,
        own_events=own_events,
        members=_members(found, user),
        places=_places(found, user, city) if is_leader else (),
        needs=tuple(
            Need.objects.visible_to(user)
            .within(city)
            .counted()
            .filter(organisation=found)
            .select_related("place", "sector")
            .order_by("-severity", "reported_at", "pk")[:LATEST]
        ),
        proposals=tuple(
            proposals_found(city, user).filter(state__in=STANDING_PROPOSALS).filter(organisation=found)[:LATEST]
        ),
        actions=tuple(
            Action.objects.visible_to(user)
            .within(city)
            .filter(organisation=found)
            .select_related("place", "sector")
            .order_by("-starts_on", "pk")[:LATEST]
        ),
        happened=_happened(found, user) if is_leader else (),
    )


def memberships_chosen(found: Organisation, numbers: Iterable[int], user: User) -> tuple[Membership, ...]:
    """Return the members that somebody chose, among those the user may see."""
    chosen = Membership.objects.visible_to(user).filter(organisation=found, pk__in=list(numbers))
    return tuple(chosen.select_related("user", "organisation__place").order_by("pk"))


def memberships_waiting(organisations: Iterable[Organisation], user: User) -> tuple[Membership, ...]:
    """Return the people who ask to be members of some organisations, among those the user may see."""
    asking = Membership.objects.visible_to(user).filter(
        organisation__in=list(organisations), state=MembershipState.APPLIED
    )
    return tuple(asking.select_related("user", "organisation__place").order_by("organisation", "pk"))


def accounts_named(names: Iterable[str]) -> dict[str, User]:
    """Return the accounts that some texts name: by the name with which people sign in, or by an e-mail address of one account alone."""
    wanted = {name for name in names if name}
    users = get_user_model().objects.filter(is_active=True)
    found: dict[str, User] = {one.get_username(): one for one in users.filter(username__in=wanted)}
    mailed: dict[str, list[Any]] = defaultdict(list)
    addresses = {name.casefold() for name in wanted if "@" in name and name not in found}
    for one in users.alias(mail=Lower("email")).filter(mail__in=addresses):
        mailed[one.email.casefold()].append(one)
    for name in wanted:
        owners = mailed.get(name.casefold(), [])
        if len(owners) == 1:
            found.setdefault(name, owners[0])
    return found


def _members(found: Organisation, user: User) -> tuple[MemberRow, ...]:
    first = (MembershipState.APPLIED, MembershipState.APPROVED, MembershipState.REFUSED, MembershipState.ENDED)
    order = Case(*(When(state=state, then=n) for n, state in enumerate(first)), output_field=IntegerField())
    rows = (
        Membership.objects.visible_to(user)
        .filter(organisation=found)
        .select_related("user")
        .prefetch_related("places")
        .order_by(order, "user__last_name", "user__username")[:MAX_MEMBERS]
    )
    return tuple(
        MemberRow(
            pk=row.pk,
            name=row.user.get_full_name() or row.user.get_username(),
            username=row.user.get_username(),
            state=row.state,
            is_contact=row.is_contact,
            is_own=row.user_id == user.pk,
            places=tuple(named_row(place) for place in row.places.all()),
            since=row.since,
        )
        for row in rows
    )


def _places(found: Organisation, user: User, city: Place) -> tuple[Place, ...]:
    kinds = (Place.Kind.COUNTY, Place.Kind.CITY, Place.Kind.NEIGHBOURHOOD, Place.Kind.SETTLEMENT)
    within = Place.objects.visible_to(user).filter(kind__in=kinds, path__startswith=f"{found.place.path}/")
    # A province has thousands: of those, what lies in the city whose page this is.
    if within.count() > MAX_PLACES:
        within = within.filter(Q(path=city.path) | Q(path__startswith=f"{city.path}/"))
    return tuple(within.order_by("kind", "name_fa", "code")[:MAX_PLACES])


def _happened(found: Organisation, user: User) -> tuple[MemberEvent, ...]:
    entries = list(
        LogEntry.objects.visible_to(user)
        .filter(organisation=found, subject=LogEntry.Subject.MEMBERSHIP)
        .order_by("-pk")[:LATEST]
    )
    people: Mapping[int, Membership] = (
        Membership.objects.visible_to(user).select_related("user").in_bulk([entry.subject_id for entry in entries])
    )
    return tuple(
        MemberEvent(
            at=entry.at,
            event=entry.event,
            person=people[entry.subject_id].user.get_username() if entry.subject_id in people else "",
            actor=entry.actor_name,
            note=entry.note,
        )
        for entry in entries
    )


__all__ = [
    "EVERY_ORGANISATION", "MAX_MEMBERS", "MemberEvent", "MemberRow", "OrganisationFound", "OrganisationRow", "OrganisationsAsked",
    "Waiting", "accounts_named", "memberships_chosen", "memberships_waiting", "organisation_found", "organisation_get", "organisation_rows",
    "organisations_found", "waiting_for",
]  # fmt: skip
