"""Querysets of indicators, indices, runs and scenarios."""

from __future__ import annotations

from typing import Any, Self

from django.db.models import Q, QuerySet

from geo.placed import OfPlaceQuerySet
from geo.querysets import User, assigned_q, is_administrator


class IndicatorQuerySet(QuerySet[Any]):
    """Indicators are definitions, seen by everybody."""

    def visible_to(self, user: User) -> Self:
        """Keep all."""
        return self

    def stored(self) -> Self:
        """Keep those whose values are brought by people and stored, not computed."""
        return self.exclude(origin__in=self.model.COMPUTED)


class IndicatorValueQuerySet(OfPlaceQuerySet):
    """Values of indicators, as visible as their place."""

    def in_force(self) -> Self:
        """Keep the values that no corrected one replaced."""
        return self.filter(replaced_at__isnull=True)


class IndexQuerySet(QuerySet[Any]):
    """Priority indices of cities."""

    def visible_to(self, user: User) -> Self:
        """Keep the indices of cities a user may see."""
        if is_administrator(user):
            return self
        return self.filter(Q(city__is_published=True) | assigned_q(user, "city__path"))


class IndexEditionQuerySet(QuerySet[Any]):
    """Published indices."""

    def visible_to(self, user: User) -> Self:
        """Keep those that stand published, and withdrawn ones where the user is assigned."""
        if is_administrator(user):
            return self
        return self.filter(Q(withdrawn_at__isnull=True, city__is_published=True) | assigned_q(user, "city__path"))

    def standing(self) -> Self:
        """Leave out withdrawn ones."""
        return self.filter(withdrawn_at__isnull=True)


class RunQuerySet(QuerySet[Any]):
    """Runs of analyses: their inputs may be unpublished, so a run is seen where the user is assigned."""

    def visible_to(self, user: User) -> Self:
        """Keep the runs of places the user is assigned to, and those behind a published map."""
        if is_administrator(user):
            return self
        return self.filter(
            Q(publications__withdrawn_at__isnull=True, publications__isnull=False, city__is_published=True)
            | assigned_q(user, "city__path")
        ).distinct()


class RunOrderQuerySet(QuerySet[Any]):
    """Computations that were asked for."""

    def visible_to(self, user: User) -> Self:
        """Keep what a user asked for, as long as the user has a role in the city; an administrator sees all."""
        if is_administrator(user):
            return self
        if not user.is_authenticated:
            return self.none()
        return self.filter(Q(author_id=user.pk), assigned_q(user, "city__path"))


class ScenarioQuerySet(QuerySet[Any]):
    """Scenarios: unpublished thoughts, seen by people with a role in the city alone."""

    def visible_to(self, user: User) -> Self:
        """Keep a user's own scenarios, and those shared in cities the user is assigned to."""
        if is_administrator(user):
            return self
        if not user.is_authenticated:
            return self.none()
        return self.filter(Q(author_id=user.pk) | Q(is_shared=True), assigned_q(user, "city__path"))

    def editable_by(self, user: User) -> Self:
        """Keep the scenarios a user may save: own ones, and those shared with planners and analysts of the city."""
        if is_administrator(user):
            return self
        if not user.is_authenticated:
            return self.none()
        makes = assigned_q(user, "city__path", roles=("analyst", "planner", "administrator"))
        return self.filter(Q(author_id=user.pk) & assigned_q(user, "city__path") | Q(is_shared=True) & makes)

    def current(self) -> Self:
        """Leave out archived scenarios."""
        return self.filter(archived_at__isnull=True)


class ScenarioDraftQuerySet(QuerySet[Any]):
    """Drafts of scenarios."""

    def visible_to(self, user: User) -> Self:
        """Keep a user's own."""
        return self.filter(user_id=user.pk) if user.is_authenticated else self.none()


class NationalRunQuerySet(QuerySet[Any]):
    """Runs of all cities of a country."""

    def visible_to(self, user: User) -> Self:
        """Keep those of countries the user is assigned to."""
        return self if is_administrator(user) else self.filter(assigned_q(user, "country__path"))


class NationalCityQuerySet(QuerySet[Any]):
    """Cities of national runs."""

    def visible_to(self, user: User) -> Self:
        """Keep the cities the user is assigned to, each by itself or with its province or country."""
        return self if is_administrator(user) else self.filter(assigned_q(user, "city__path"))
