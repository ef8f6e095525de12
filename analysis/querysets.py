"""Querysets of indicators, indices and runs."""

from __future__ import annotations

from typing import Any, Self

from django.db.models import Q, QuerySet

from geo.querysets import User, assigned_q, is_administrator


class IndicatorQuerySet(QuerySet[Any]):
    """Indicators are definitions, seen by everybody."""

    def visible_to(self, user: User) -> Self:
        """Keep all."""
        return self


class IndexQuerySet(QuerySet[Any]):
    """Priority indices of cities."""

    def visible_to(self, user: User) -> Self:
        """Keep the indices of cities a user may see."""
        if is_administrator(user):
            return self
        return self.filter(Q(city__is_published=True) | assigned_q(user, "city__path"))


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
