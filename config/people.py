"""People of the demonstration: one for each role, in the demo city."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import AbstractUser

from geo.models import Assignment, Place
from geo.querysets import system_user
from geo.services import assignments_put
from interventions.models import Membership, Organisation
from interventions.selectors import NamedRow
from interventions.services import (
    MemberSpec,
    OrganisationSpec,
    members_enter,
    membership_apply,
    membership_enter,
    organisation_apply,
)

DEMO_ROLES = tuple(Assignment.Role.values)
DEMO_MEMBERS = {"reporter": "ngo-hamdelan", "agency": "municipality"}
"""The organisations of the demo network for which people act whose roles are held for one."""
DEMO_ABOVE = {
    "governor": (Assignment.Role.SUPERVISOR, Place.Kind.PROVINCE),
    "ministry": (Assignment.Role.VIEWER, Place.Kind.COUNTRY),
}
"""People with a role in a place around the city: the governor-general and the ministry."""


_ASKING = NamedRow("ngo-yaran", "سمن یاران محله", "Yaran-e Mahalleh Association")

DEMO_NGO_MEMBERS = 10
"""Members of each association; their accounts have no password, so that nobody signs in as one of them."""

DEMO_ASKING = 4
"""People who ask to join an association that itself waits for approval, so that the supervisor has something to decide."""


def demo_people_put(*, password: str, city_code: str = "khorramabad") -> list[str]:
    """Make one user per role, named after it, with a role in a city, and those above it. Return their names.

    The administrator may do everything. Who acts for an organisation becomes a member of one, where the network of the city is loaded.
    """
    city = Place.objects.get(kind=Place.Kind.CITY, code=city_code)
    users = get_user_model().objects
    hashed = make_password(password)
    names = []
    around = ["/".join(city.path.split("/")[:depth]) for depth in range(1, city.path.count("/") + 1)]
    for name, (held, kind) in DEMO_ABOVE.items():
        above = Place.objects.get(kind=kind, path__in=around)
        user, _ = users.update_or_create(username=name, defaults={"password": hashed, "is_active": True})
        assignments_put(user, [(held, above)])
        names.append(name)
    for role in DEMO_ROLES:
        is_administrator = role == Assignment.Role.ADMINISTRATOR
        user, _ = users.update_or_create(
            username=role,
            defaults={
                "password": hashed,
                "is_staff": is_administrator,
                "is_superuser": is_administrator,
                "is_active": True,
            },
        )
        assignments_put(user, [(role, city)])
        for organisation in Organisation.objects.filter(code=DEMO_MEMBERS.get(role), place__path__startswith=city.path):
            if not Membership.objects.approved().filter(organisation=organisation, user=user).exists():
                membership_enter(user=system_user(), organisation=organisation, person=user, is_contact=True)
        names.append(role)
    _members_put(city)
    return names


def _members_put(city: Place) -> None:
    """Give each association of the city its members, and let one more wait for approval; what is there already stays."""
    ngos = Organisation.objects.filter(kind=Organisation.Kind.NGO, place__path__startswith=f"{city.path}/")
    for organisation in ngos.exclude(code=_ASKING.code).order_by("code"):
        people = [_account(f"{organisation.code}-{number:02d}") for number in range(1, DEMO_NGO_MEMBERS + 1)]
        known = set(Membership.objects.filter(organisation=organisation).values_list("user_id", flat=True))
        members = [MemberSpec(person) for person in people if person.pk not in known]
        if members:
            members_enter(user=system_user(), organisation=organisation, members=members)
    if not ngos.exists() or Organisation.objects.filter(place=city, code=_ASKING.code).exists():
        return
    founder, *others = [_account(f"{_ASKING.code}-{number:02d}") for number in range(1, DEMO_ASKING + 1)]
    asking = organisation_apply(
        user=founder,
        spec=OrganisationSpec(city, _ASKING.code, Organisation.Kind.NGO.value, _ASKING.name_fa, _ASKING.name_en),
    )
    for person in others:
        membership_apply(user=person, organisation=asking)


def _account(name: str) -> AbstractUser:
    made, _ = get_user_model().objects.get_or_create(username=name, defaults={"password": make_password(None)})
    return made
