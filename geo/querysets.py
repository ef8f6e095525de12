"""Querysets of places and boundaries; what a user may see is decided here and in no other place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat, StrIndex
from django.utils import timezone

from geo.db.spatial import SpatialQuerySet

if TYPE_CHECKING:
    from datetime import date

User = AbstractBaseUser | AnonymousUser


def is_administrator(user: User) -> bool:
    """Tell whether a user sees and may do everything (Django's superuser)."""
    return bool(user.is_authenticated and user.is_active and getattr(user, "is_superuser", False))


def assigned_q(user: User, path: str = "path", roles: tuple[str, ...] | None = None) -> Q:
    """Return the condition "lies in the subtree of a place the user is assigned to".

    Parameters
    ----------
    user : user
        Anonymous and inactive users are assigned to nothing.
    path : str
        Lookup of the place's path from the queryset's model, such as ``place__path``.
    roles : tuple of str, optional
        Only assignments with one of these roles count.
    """
    from geo.models import Assignment

    if not (user.is_authenticated and user.is_active):
        return Q(pk__in=[])
    assignments = Assignment.objects.filter(user_id=user.pk)
    if roles is not None:
        assignments = assignments.filter(role__in=roles)
    return Q(
        Exists(
            assignments.alias(
                _under=StrIndex(Concat(OuterRef(path), Value("/")), Concat(F("place__path"), Value("/")))
            ).filter(_under=1)
        )
    )


def in_hidden_city_q(path: str) -> Q:
    """Return the condition "lies in a city that is not published": then a place is not seen either, whatever it says itself."""
    from geo.models import Place

    hidden = Place.objects.filter(kind="city", is_published=False)
    within = StrIndex(Concat(OuterRef(path), Value("/")), Concat(F("path"), Value("/")))
    return Q(Exists(hidden.alias(_within=within).filter(_within=1)))


class PlaceQuerySet(QuerySet[Any]):
    """Places."""

    def visible_to(self, user: User) -> Self:
        """Keep the places a user may see: published ones, and all in the subtrees the user is assigned to."""
        if is_administrator(user):
            return self
        return self.filter(Q(is_published=True) & ~in_hidden_city_q("path") | assigned_q(user))

    def editable_by(self, user: User) -> Self:
        """Keep the places whose boundaries a user may edit."""
        return self if is_administrator(user) else self.filter(assigned_q(user, roles=("planner", "administrator")))

    def analysable_by(self, user: User) -> Self:
        """Keep the places whose results a user may publish."""
        return (
            self
            if is_administrator(user)
            else self.filter(assigned_q(user, roles=("analyst", "planner", "administrator")))
        )

    def within(self, place: Any) -> Self:
        """Keep the places of a place's subtree, itself included."""
        return self.filter(Q(pk=place.pk) | Q(path__startswith=place.path + "/"))

    def cities(self) -> Self:
        """Keep cities."""
        return self.filter(kind="city")

    def matching(self, text: str) -> Self:
        """Keep places whose Persian or English name, or code, contains the text, after normalising both."""
        from geo.core.text import normalise

        return self.filter(Q(search_name__contains=normalise(text)))


class BoundaryQuerySet(SpatialQuerySet):
    """Boundary editions."""

    def visible_to(self, user: User) -> Self:
        """Keep the editions a user may see: approved ones of published places, and all where the user is assigned."""
        if is_administrator(user):
            return self
        public = Q(status="approved", place__is_published=True) & ~in_hidden_city_q("place__path")
        return self.filter(public | assigned_q(user, "place__path"))

    def approved(self) -> Self:
        """Keep approved editions."""
        return self.filter(status="approved")

    def as_of(self, day: date) -> Self:
        """Keep the approved editions in force on a day: at most one a place."""
        return self.filter(status="approved", valid__contains=day)

    def current(self) -> Self:
        """Keep the approved editions in force today."""
        return self.as_of(timezone.localdate())


class ChangeSetQuerySet(QuerySet[Any]):
    """Change sets."""

    def visible_to(self, user: User) -> Self:
        """Keep the change sets of places the user is assigned to."""
        return self if is_administrator(user) else self.filter(assigned_q(user, "place__path"))


class AssignmentQuerySet(QuerySet[Any]):
    """Assignments of users to places."""

    def visible_to(self, user: User) -> Self:
        """Keep the user's own assignments; administrators see all."""
        if is_administrator(user):
            return self
        return self.filter(user_id=user.pk) if user.is_authenticated else self.none()


def system_user() -> AbstractBaseUser:
    """Return a user that sees everything, for commands run by whoever runs the machine; never saved."""
    from django.contrib.auth import get_user_model

    return get_user_model()(username="system", is_superuser=True, is_active=True)
