"""Who may change the layers of a city."""

from __future__ import annotations

from geo.errors import Forbidden
from geo.models import Place
from geo.querysets import User, assigned_q, is_administrator
from layers.querysets import EDITORS


def may_edit_layers(city: Place, user: User) -> bool:
    """Tell whether a user may bring data for a city, and describe its layers."""
    if is_administrator(user):
        return True
    return Place.objects.filter(assigned_q(user, roles=EDITORS), pk=city.pk).exists()


def editing_layers_required(city: Place, user: User) -> None:
    """Refuse a person who may not change the layers of a city.

    Raises
    ------
    Forbidden
        With what to ask for.
    """
    if not may_edit_layers(city, user):
        raise Forbidden(
            f"You may not bring data for {city.name_en}.",
            code="may_not_import",
            where=city.code,
            remedy="Ask the administrator for the role of analyst or planner there.",
            details={"city": city.name},
        )
