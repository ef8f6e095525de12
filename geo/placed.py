"""What lies in a place and is as visible as that."""

from __future__ import annotations

from typing import Any, Final, Self

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL

from geo.models import Assignment, Place
from geo.querysets import User, assigned_q, in_hidden_city_q, is_administrator

_HELD: Final = """(
    SELECT p.id FROM geo_assignment AS a JOIN geo_place AS q ON q.id = a.place_id
    JOIN geo_place AS p ON p.path = q.path OR p.path ~>=~ (q.path || '/') AND p.path ~<~ (q.path || '0')
    WHERE a.user_id = %s AND a.role = ANY(%s)
)"""


def published_q(place: str) -> Q:
    """Return the condition "shown to everybody": a published place, in no city that is not published."""
    return place_q(place, Q(is_published=True) & ~in_hidden_city_q("path"))


def held_q(user: User, place: str = "place", roles: tuple[str, ...] | None = None) -> Q:
    """Return the condition "in the subtree of a place the user is assigned to", as `geo.querysets.assigned_q`.

    It is asked of each record: lists are of one city, and a country has too many places to gather those of a role first.

    Parameters
    ----------
    user : user
        Anonymous and inactive users are assigned to nothing.
    place : str
        Lookup of the place from the queryset's model.
    roles : tuple of str, optional
        Only assignments with one of these roles count.
    """
    return place_q(place, assigned_q(user, "path", roles)) if _has_roles(user) else Q(pk__in=[])


def among_held_q(user: User, place: str = "place", roles: tuple[str, ...] | None = None) -> Q:
    """Return what `held_q` does, for where no other condition may hold instead: the places are gathered first, by their index.

    Records of few places are then found among millions, and those of many by whatever narrows them more.
    """
    if not _has_roles(user):
        return Q(pk__in=[])
    counted = list(Assignment.Role.values if roles is None else roles)
    return Q(**{f"{place}__in": RawSQL(_HELD, (user.pk, counted))})  # noqa: S611 - a constant, with parameters


def _has_roles(user: User) -> bool:
    return bool(user.is_authenticated and user.is_active)


def place_q(place: str, condition: Q) -> Q:
    """Return a condition on the place of a record."""
    return Q(Exists(Place.objects.filter(condition, pk=OuterRef(f"{place}_id"))))


def places_within(place: Any) -> QuerySet[Any]:
    """Return the keys of a place's subtree."""
    return Place.objects.within(place).order_by().values("pk")


class OfPlaceQuerySet(QuerySet[Any]):
    """What is as visible as its place: values of indicators, committees, councils, programmes."""

    def visible_to(self, user: User) -> Self:
        """Keep those of published places, and all where the user is assigned."""
        if is_administrator(user):
            return self
        return self.filter(published_q("place") | held_q(user))

    def within(self, place: Any) -> Self:
        """Keep those of a place's subtree, the place's own included."""
        return self.filter(place__in=places_within(place))


__all__ = ["OfPlaceQuerySet", "among_held_q", "held_q", "place_q", "places_within", "published_q"]
