"""Querysets of the network; what a user may see of it is decided here and in no other place.

Needs and proposals are never seen without a role in their place: the public is told sums only, by the selectors.
"""

from __future__ import annotations

from typing import Any, Self

from django.db.models import Exists, OuterRef, Q, QuerySet

from geo.querysets import User, assigned_q, is_administrator
from interventions.core.transitions import OPEN_NEEDS, STANDING_PROPOSALS, ProposalState, RoundState

LEADING_ROLES = ("supervisor", "administrator")
"""Roles that know who reported a need."""


class OfPlaceQuerySet(QuerySet[Any]):
    """What is as visible as its place: committees, organisations, programmes."""

    def visible_to(self, user: User) -> Self:
        """Keep those of published places, and all where the user is assigned."""
        if is_administrator(user):
            return self
        return self.filter(Q(place__is_published=True) | assigned_q(user, "place__path"))


class RoundQuerySet(OfPlaceQuerySet):
    """Rounds, as visible as their place."""

    def opened(self) -> Self:
        """Keep the rounds that are not closed."""
        return self.filter(state=RoundState.OPENED)


class PhaseQuerySet(QuerySet[Any]):
    """Phases, as visible as their round."""

    def visible_to(self, user: User) -> Self:
        """Keep those of rounds a user may see."""
        if is_administrator(user):
            return self
        return self.filter(Q(round__place__is_published=True) | assigned_q(user, "round__place__path"))


class NeedQuerySet(QuerySet[Any]):
    """Needs."""

    def visible_to(self, user: User) -> Self:
        """Keep the needs of places in whose subtree the user has a role; never anything for the public."""
        return self if is_administrator(user) else self.filter(assigned_q(user, "place__path"))

    def within(self, place: Any) -> Self:
        """Keep the needs of a place's subtree, the place's own included."""
        return self.filter(Q(place=place) | Q(place__path__startswith=place.path + "/"))

    def counted(self) -> Self:
        """Keep the needs that sums count: neither merged into another nor rejected."""
        return self.filter(state__in=OPEN_NEEDS)


class ProposalQuerySet(QuerySet[Any]):
    """Proposals."""

    def visible_to(self, user: User) -> Self:
        """Keep the proposals that concern places of the user's roles; drafts only for agencies and those who lead."""
        if is_administrator(user):
            return self
        working = self._concerning(user, ("agency", *LEADING_ROLES))
        return self.filter((~Q(state=ProposalState.DRAFT) & self._concerning(user, None)) | working)

    def standing(self) -> Self:
        """Keep the proposals that were handed in and are not refused."""
        return self.filter(state__in=STANDING_PROPOSALS)

    def _concerning(self, user: User, roles: tuple[str, ...] | None) -> Q:
        answers = self.model.needs.through.objects.filter(proposal=OuterRef("pk"))
        answered_here = Exists(answers.filter(assigned_q(user, "need__place__path", roles)))
        return assigned_q(user, "round__place__path", roles) | Q(answered_here)
