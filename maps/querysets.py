"""Querysets of published maps."""

from __future__ import annotations

from typing import Any, Self

from django.db.models import Q, QuerySet

from geo.querysets import User, assigned_q, is_administrator


class PublicationQuerySet(QuerySet[Any]):
    """Published maps."""

    def visible_to(self, user: User) -> Self:
        """Keep the maps that stand published, and withdrawn ones where the user is assigned."""
        if is_administrator(user):
            return self
        return self.filter(Q(withdrawn_at__isnull=True, city__is_published=True) | assigned_q(user, "city__path"))
