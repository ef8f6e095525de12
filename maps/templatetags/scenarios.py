"""Who is shown the way to what-ifs."""

from __future__ import annotations

from django import template

from analysis.disclosure import is_insider
from geo.models import Place
from geo.querysets import User

register = template.Library()


@register.filter
def supposable_by(city: Place, user: User) -> bool:
    """Tell whether a user may try changes in a city: those with a role there."""
    return bool(user.is_authenticated and is_insider(user, city))
