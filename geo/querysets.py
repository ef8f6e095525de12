"""Querysets of places and boundaries; what a user may see is decided here and in no other place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Replace
from django.utils import timezone

from geo.db.paths import Above, Under
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
    return Q(Exists(assignments.filter(Under(OuterRef(path), F("place__path")))))


def assigned_inside_q(user: User, path: str = "path") -> Q:
    """Return the condition "the user is assigned to a place in its subtree"."""
    from geo.models import Assignment

    if not (user.is_authenticated and user.is_active):
        return Q(pk__in=[])
    return Q(Exists(Assignment.objects.filter(Under(F("place__path"), OuterRef(path)), user_id=user.pk)))


def in_hidden_city_q(path: str) -> Q:
    """Return the condition "lies in a city that is not published": then a place is not seen either, whatever it says itself."""
    from geo.models import Place

    hidden = Place.objects.filter(kind="city", is_published=False)
    return Q(Exists(hidden.filter(Above(F("path"), OuterRef(path)))))


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

    def approvable_by(self, user: User) -> Self:
        """Keep the places whose boundaries a user may approve, when another person drew them."""
        if is_administrator(user):
            return self
        return self.filter(assigned_q(user, roles=("planner", "supervisor", "administrator")))

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
        """Keep places whose Persian or English name, or code, contains the text, however either is spaced."""
        from geo.core.text import squeezed

        return self.alias(squeezed=Replace("search_name", Value(" "), Value(""))).filter(
            squeezed__contains=squeezed(text)
        )


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

    def lasting(self) -> Self:
        """Keep the approved editions without an end: what new editions are based on, be they in force today or later."""
        return self.filter(status="approved", valid__upper_inf=True)

    def current(self) -> Self:
        """Keep the approved editions in force today."""
        return self.as_of(timezone.localdate())


class ChangeSetQuerySet(QuerySet[Any]):
    """Change sets."""

    def visible_to(self, user: User) -> Self:
        """Keep the change sets of places the user is assigned to, and those that touch such a place."""
        from geo.models import Change

        if is_administrator(user):
            return self
        touching = Change.objects.filter(assigned_q(user, "place__path"), change_set=OuterRef("pk"))
        return self.filter(assigned_q(user, "place__path") | Q(Exists(touching)))

    def open(self) -> Self:
        """Keep those that still wait for somebody."""
        return self.filter(status__in=("draft", "proposed", "returned"))


class ReviewQuerySet(QuerySet[Any]):
    """Steps in the history of change sets."""

    def visible_to(self, user: User) -> Self:
        """Keep the steps of the change sets the user may see."""
        from geo.models import ChangeSet

        if is_administrator(user):
            return self
        return self.filter(change_set__in=ChangeSet.objects.visible_to(user).order_by().values("pk"))


class ChangeQuerySet(QuerySet[Any]):
    """Changes of single places."""

    def visible_to(self, user: User) -> Self:
        """Keep the changes of places the user is assigned to: of a set that touches others too, no more than that."""
        return self if is_administrator(user) else self.filter(assigned_q(user, "place__path"))


class DescentQuerySet(QuerySet[Any]):
    """Which place came from which."""

    def visible_to(self, user: User) -> Self:
        """Keep what is approved between places the user may see, and all between places the user is assigned to."""
        from geo.models import Place

        if is_administrator(user):
            return self
        seen = Place.objects.visible_to(user).order_by().values("pk")
        approved = Q(change_set__status="approved", predecessor__in=seen)
        approved &= Q(successor__isnull=True) | Q(successor__in=seen)
        own = assigned_q(user, "predecessor__path")
        own &= Q(successor__isnull=True) | assigned_q(user, "successor__path")
        return self.filter(approved | own)


class WorkingCopyQuerySet(QuerySet[Any]):
    """Unsaved work."""

    def visible_to(self, user: User) -> Self:
        """Keep the user's own; administrators see all."""
        if is_administrator(user):
            return self
        return self.filter(user_id=user.pk) if user.is_authenticated and user.is_active else self.none()


class PresenceQuerySet(QuerySet[Any]):
    """Who edits now."""

    def visible_to(self, user: User) -> Self:
        """Keep who works in a city that the user has a role in, or in a part of it."""
        if is_administrator(user):
            return self
        return self.filter(assigned_q(user, "city__path") | assigned_inside_q(user, "city__path"))


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
