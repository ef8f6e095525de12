"""Who a person is in a place and in an organisation."""

from __future__ import annotations

from django.db.models import Q

from geo.models import Assignment, Place
from geo.querysets import User, is_administrator
from interventions.core.transitions import ONESELF, PERSON
from interventions.models import PROPOSING_KINDS, Membership, Organisation

ACTING_ROLES = frozenset({Assignment.Role.REPORTER.value, Assignment.Role.AGENCY.value})
"""Roles that are held for an organisation."""


def roles_at(user: User, place: Place) -> frozenset[str]:
    """Return the roles a user holds in a place, by assignment to it or to a place around it.

    Django's superusers are administrators everywhere; anonymous and inactive users have no role.
    """
    if is_administrator(user):
        return frozenset({Assignment.Role.ADMINISTRATOR.value})
    if not (user.is_authenticated and user.is_active):
        return frozenset()
    held = Assignment.objects.filter(user_id=user.pk, place__path__in=paths_around(place))
    return frozenset(held.values_list("role", flat=True))


def is_member(user: User, organisation: Organisation, place: Place | None = None) -> bool:
    """Tell whether a user is an approved member of an approved organisation; with a place, whether assigned there by it."""
    if not (user.is_authenticated and user.is_active):
        return False
    held = Membership.objects.approved().filter(user_id=user.pk, organisation=organisation)
    if place is not None:
        held = held.filter(Q(places__isnull=True) | Q(places__path__in=paths_around(place)))
    return bool(held.exists())


def roles_for(user: User, place: Place, organisation: Organisation) -> frozenset[str]:
    """Return the roles a user holds in a place when acting for an organisation.

    `ACTING_ROLES` count only for its approved members whom it assigned there; and nobody is an agency for what is none, such as
    an association to which somebody of an agency belongs besides.
    """
    held = roles_at(user, place)
    if not held.isdisjoint(ACTING_ROLES) and not is_member(user, organisation, place):
        held -= ACTING_ROLES
    return held if organisation.kind in PROPOSING_KINDS else held - {Assignment.Role.AGENCY.value}


def roles_of_person(user: User, place: Place, *, about: User | None = None) -> frozenset[str]:
    """Return the roles a user holds in a place, with what everybody signed in is, and with being the person concerned."""
    if not (user.is_authenticated and user.is_active):
        return frozenset()
    oneself = {ONESELF} if about is not None and about.pk == user.pk else set()
    return roles_at(user, place) | {PERSON} | oneself


def paths_around(place: Place) -> list[str]:
    """Return the path of a place and those of all places around it, the outermost first."""
    parts = place.path.split("/")
    return ["/".join(parts[: end + 1]) for end in range(len(parts))]
