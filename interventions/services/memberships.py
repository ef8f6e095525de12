"""Members of organisations: they apply, are approved with the places assigned to them, and leave.

A membership in force gives the role of the organisation's members as ordinary assignments, which `roles_follow` keeps in step. An
assignment that somebody had before is nobody's to take; one that several memberships of a person rest on goes with the last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from geo.errors import Conflict, InvalidInput
from geo.models import Assignment, Place
from geo.querysets import User
from interventions.core.transitions import NEW, MembershipState, OrganisationState
from interventions.models import Membership, Organisation
from interventions.selectors.rights import paths_around, roles_of_person
from interventions.services.recording import located, log_write, state_next, stored

_REVIEWS: Final = ("approve", "refuse", "end")
MOST_MEMBERS: Final = 1000
"""Members that are entered or reviewed at once."""


@dataclass(frozen=True, slots=True)
class MemberSpec:
    """A person who shall be a member, the places assigned, and where that stands in the table it was read from."""

    person: User
    places: tuple[Place, ...] = ()
    where: str = ""


def membership_apply(*, user: User, organisation: Organisation, at: datetime | None = None) -> Membership:
    """Ask to be a member of an organisation, for oneself.

    Raises
    ------
    Forbidden
        For who is not signed in.
    Conflict
        Where the person has asked already or is a member, or the organisation was refused or suspended.
    """
    with transaction.atomic():
        held = _organisation_locked(organisation)
        if held.state not in (OrganisationState.APPLIED, OrganisationState.APPROVED):
            raise Conflict(
                "This organisation does not work here at present.",
                code="organisation_not_approved",
                remedy="Ask the supervisor of the place.",
            )
        return _put(user, held, user, "apply", at=at)


def membership_enter(
    *,
    user: User,
    organisation: Organisation,
    person: User,
    places: Sequence[Place] = (),
    is_contact: bool = False,
    at: datetime | None = None,
) -> Membership:
    """Make a person a member of an organisation who may not have asked.

    Raises
    ------
    Forbidden
        Unless the user supervises or administers the place where the organisation works.
    InvalidInput
        Where a place lies elsewhere.
    Conflict
        Where the person is a member already.
    """
    with transaction.atomic():
        held = _organisation_locked(organisation)
        return _put(user, held, person, "approve", places=places, is_contact=is_contact, at=at)


def members_enter(
    *, user: User, organisation: Organisation, members: Sequence[MemberSpec], at: datetime | None = None
) -> tuple[Membership, ...]:
    """Make several people members of an organisation: all of them, or none.

    Raises
    ------
    Forbidden, InvalidInput, Conflict
        As `membership_enter`, with where the person stands in the table; and where none is named, or too many are.
    """
    _check_many(members)
    with transaction.atomic():
        held = _organisation_locked(organisation)
        people_held(member.person.pk or 0 for member in members)
        made = []
        for member in members:
            with located(member.where):
                made.append(_put(user, held, member.person, "approve", places=member.places, at=at))
        return tuple(made)


def memberships_review(
    *,
    user: User,
    memberships: Sequence[Membership],
    event: str,
    places: Sequence[Place] | None = None,
    reason: str = "",
    at: datetime | None = None,
) -> tuple[Membership, ...]:
    """Approve, refuse or end several memberships, of one organisation or of many: all of them, or none.

    Raises
    ------
    Forbidden, InvalidInput, Conflict
        As `membership_review`, with the person; and where none is named, or too many are.
    """
    return _each(
        memberships,
        lambda one: membership_review(user=user, membership=one, event=event, places=places, reason=reason, at=at),
    )


def memberships_amend(
    *,
    user: User,
    memberships: Sequence[Membership],
    places: Sequence[Place] | None = None,
    is_contact: bool | None = None,
    at: datetime | None = None,
) -> tuple[Membership, ...]:
    """Assign places to several members, or make them contact persons or none: all of them, or none.

    Raises
    ------
    Forbidden, InvalidInput, Conflict
        As `membership_amend`, with the person; and where none is named, or too many are.
    """
    return _each(
        memberships,
        lambda one: membership_amend(user=user, membership=one, places=places, is_contact=is_contact, at=at),
    )


def _each(memberships: Sequence[Membership], do: Callable[[Membership], Membership]) -> tuple[Membership, ...]:
    """Do the same to several memberships: to all of them, or to none."""
    _check_many(memberships)
    with transaction.atomic():
        _held_in_order(memberships)
        done = []
        for one in memberships:
            with located(f"membership {one.user.get_username()}"):
                done.append(do(one))
        return tuple(done)


def membership_review(
    *,
    user: User,
    membership: Membership,
    event: str,
    places: Sequence[Place] | None = None,
    reason: str = "",
    at: datetime | None = None,
) -> Membership:
    """Approve, refuse or end a membership. It gives its roles as soon as the organisation is approved too.

    Parameters
    ----------
    event : str
        ``approve``, ``refuse`` or ``end``.
    places : sequence of Place, optional
        Places assigned, for ``approve``; where none are given, those that the membership names already.
    reason : str
        Why; nobody is refused without.

    Raises
    ------
    Forbidden
        Unless the user supervises or administers the place where the organisation works; one's own membership may be ended.
    InvalidInput
        Where a place lies elsewhere, or a reason is missing.
    Conflict
        Where somebody decided meanwhile.
    """
    if event not in _REVIEWS:
        raise InvalidInput(
            f"{event[:40]!r} is nothing that can be done to a membership here.",
            code="unknown_event",
            where="event",
            remedy=f"Choose one of {', '.join(_REVIEWS)}.",
        )
    with transaction.atomic():
        held = _organisation_locked(membership.organisation)
        return _put(user, held, membership.user, event, places=places, reason=reason, at=at)


def membership_amend(
    *,
    user: User,
    membership: Membership,
    places: Sequence[Place] | None = None,
    is_contact: bool | None = None,
    at: datetime | None = None,
) -> Membership:
    """Assign other places to a member, or make the member a contact person; what is not given stays.

    Raises
    ------
    Forbidden
        Unless the user supervises or administers the place where the organisation works.
    InvalidInput
        Where a place lies elsewhere.
    Conflict
        Where the membership was refused or is over.
    """
    with transaction.atomic():
        held = _organisation_locked(membership.organisation)
        return _put(user, held, membership.user, "amend", places=places, is_contact=is_contact, at=at)


def roles_follow(organisation: Organisation) -> None:
    """Give all members of an organisation the roles they should have now, and take back those they should not; in a transaction."""
    memberships = list(organisation.memberships.select_related("user").prefetch_related("places", "assignments"))
    people_held(found.user_id for found in memberships)
    for membership in memberships:
        membership.organisation = organisation
        _roles_follow(membership)


def _put(
    user: User,
    organisation: Organisation,
    person: User,
    event: str,
    *,
    places: Sequence[Place] | None = None,
    is_contact: bool | None = None,
    reason: str = "",
    at: datetime | None = None,
) -> Membership:
    moment = at or timezone.now()
    person_id: Any = person.pk
    known = Membership.objects.filter(organisation=organisation, user_id=person_id).first()
    membership = known or Membership(organisation=organisation, user_id=person_id)
    membership.organisation = organisation
    before = known.state if known else NEW
    roles = roles_of_person(user, organisation.place, about=person)
    membership.state = state_next(membership, event, state=before, roles=roles, note=reason)
    for place in places or ():
        if organisation.place.path not in paths_around(place):
            raise InvalidInput(
                f"{place.code!r} is not part of the place where the organisation works.",
                code="place_elsewhere",
                where="membership, places",
                remedy="Choose places inside it.",
            )
    details: dict[str, Any] = {}
    if is_contact is not None and membership.is_contact != is_contact:
        details["is_contact"] = membership.is_contact
        membership.is_contact = is_contact
    if membership.state == MembershipState.APPROVED and before != MembershipState.APPROVED:
        membership.since = moment
    stored(membership, "membership")
    if places is not None:
        assigned = set(membership.places.values_list("pk", flat=True))
        if assigned != {place.pk for place in places}:
            details["places"] = sorted(assigned)
            membership.places.set(places)
    people_held([person_id])
    details |= _roles_follow(membership)
    log_write(
        membership,
        event,
        user=user,
        state_from=before,
        state_to=membership.state,
        at=moment,
        note=reason,
        details=details,
    )
    return membership


def _roles_follow(membership: Membership) -> dict[str, list[int]]:
    """Give and take back what follows from a membership; return the places of both."""
    organisation, role = membership.organisation, membership.organisation.members_role
    wanted: dict[int, Place] = {}
    if membership.state == MembershipState.APPROVED and organisation.state == OrganisationState.APPROVED:
        wanted = {place.pk: place for place in membership.places.all() or [organisation.place]}
    held = {found for found in membership.assignments.all() if found.role != role or found.place_id not in wanted}
    others = Membership.assignments.through.objects.exclude(membership_id=membership.pk)
    for assignment in held:
        membership.assignments.remove(assignment)
        if not others.filter(assignment_id=assignment.pk).exists():
            assignment.delete()
    given = []
    for place in wanted.values():
        assignment, is_made = Assignment.objects.get_or_create(user_id=membership.user_id, role=role, place=place)
        # What was there before is left to who gave it, unless that was another membership.
        if is_made or others.filter(assignment_id=assignment.pk).exists():
            membership.assignments.add(assignment)
        given += [place.pk] if is_made else []
    told = {"given": sorted(given), "taken": sorted(found.place_id for found in held)}
    return {name: places for name, places in told.items() if places}


def _check_many(chosen: Sequence[object]) -> None:
    if not chosen:
        raise InvalidInput("Nobody is chosen.", code="no_choice", where="members", remedy="Choose one person at least.")
    if len(chosen) > MOST_MEMBERS:
        raise InvalidInput(
            f"More than {MOST_MEMBERS} people are named at once.",
            code="too_many",
            where="members",
            remedy="Take them in parts.",
        )


def _held_in_order(memberships: Sequence[Membership]) -> None:
    """Lock the organisations, then the people, each in one order, so that nobody waits in a ring."""
    bodies = {one.organisation_id for one in memberships}
    rows = Organisation.objects.select_for_update(no_key=True).filter(pk__in=bodies).order_by("pk")
    list(rows.values_list("pk", flat=True))
    people_held(one.user_id for one in memberships)


def _organisation_locked(organisation: Organisation) -> Organisation:
    """Return an organisation as it is now: what happens to its members happens one after the other."""
    found: Organisation = (
        Organisation.objects.select_for_update(of=("self",), no_key=True)
        .select_related("place")
        .get(pk=organisation.pk)
    )
    return found


def people_held(people: Iterable[int]) -> None:
    """Keep others from giving the same people roles until the transaction ends; in one order, so that nobody waits in a ring."""
    rows = get_user_model().objects.select_for_update(no_key=True).filter(pk__in=list(people)).order_by("pk")
    list(rows.values_list("pk", flat=True))


__all__ = [
    "MOST_MEMBERS", "MemberSpec", "members_enter", "membership_amend", "membership_apply", "membership_enter", "membership_review",
    "memberships_amend", "memberships_review", "people_held", "roles_follow",
]  # fmt: skip
