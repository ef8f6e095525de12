"""People of the demonstration: one for each role, in the demo city."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password

from geo.models import Assignment, Place
from geo.services import assignments_put

DEMO_ROLES = tuple(Assignment.Role.values)


def demo_people_put(*, password: str, city_code: str = "khorramabad") -> list[str]:
    """Make one user per role, named after it, with a role in a city; the administrator may do everything. Return their names."""
    city = Place.objects.get(kind=Place.Kind.CITY, code=city_code)
    users = get_user_model().objects
    hashed = make_password(password)
    names = []
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
        names.append(role)
    return names
