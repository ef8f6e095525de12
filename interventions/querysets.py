"""Querysets of the network; what a user may see of it is decided here and in no other place.

Needs, capacities and proposals are never seen without a role in their place: the public is told sums only, by the selectors.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from django.db.models import Case, Exists, IntegerField, Max, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Greatest
from django.db.models.lookups import GreaterThanOrEqual

from geo.placed import OfPlaceQuerySet, among_held_q, held_q, places_within, published_q
from geo.querysets import User, is_administrator
from interventions.core.gaps import STAGE_OF_ACTION, STAGE_OF_PROPOSAL, Stage
from interventions.core.transitions import (
    OPEN_NEEDS,
    RUNNING_ACTIONS,
    STANDING_ACTIONS,
    STANDING_PROPOSALS,
    ActivationState,
    MembershipState,
    OrganisationState,
    ProposalState,
    RoundState,
)

LEADING_ROLES = ("supervisor", "administrator")
"""Roles that know who reported a need."""


class OrganisationQuerySet(OfPlaceQuerySet):
    """Organisations."""

    def visible_to(self, user: User) -> Self:
        """Keep the approved ones of visible places; all where the user leads, and those the user applied for or belongs to."""
        if is_administrator(user):
            return self
        shown = Q(state__in=(OrganisationState.APPROVED, OrganisationState.SUSPENDED))
        own = Q(memberships__user_id=user.pk) if user.is_authenticated and user.is_active else Q(pk__in=[])
        found = self.model._default_manager.filter(
            shown & (published_q("place") | held_q(user)) | held_q(user, "place", LEADING_ROLES) | own
        )
        return self.filter(pk__in=found.order_by().values("pk"))

    def approved(self) -> Self:
        """Keep those that may work."""
        return self.filter(state=OrganisationState.APPROVED)

    def of_member(self, user: User) -> Self:
        """Keep the approved organisations of which a user is an approved member."""
        if not (user.is_authenticated and user.is_active):
            return self.none()
        return self.approved().filter(memberships__user_id=user.pk, memberships__state=MembershipState.APPROVED)


class MembershipQuerySet(QuerySet[Any]):
    """Memberships: who is in an organisation is known to itself and to those who lead in its place."""

    def visible_to(self, user: User) -> Self:
        """Keep one's own, for members those of the other members, and those of organisations in places the user leads."""
        if is_administrator(user):
            return self
        if not (user.is_authenticated and user.is_active):
            return self.none()
        fellows = self.model._default_manager.filter(
            organisation=OuterRef("organisation"), user_id=user.pk, state=MembershipState.APPROVED
        )
        led = held_q(user, "organisation__place", LEADING_ROLES)
        # Who applied and was refused is nothing for the other members.
        return self.filter(Q(user_id=user.pk) | Q(Exists(fellows), state=MembershipState.APPROVED) | led)

    def approved(self) -> Self:
        """Keep those that are in force."""
        return self.filter(state=MembershipState.APPROVED, organisation__state=OrganisationState.APPROVED)


class SeatQuerySet(QuerySet[Any]):
    """Seats in councils: persons are named only to those with a role in the place."""

    def visible_to(self, user: User) -> Self:
        """Keep those of places in whose subtree the user has a role, and one's own."""
        if is_administrator(user):
            return self
        if not (user.is_authenticated and user.is_active):
            return self.none()
        return self.filter(Q(user_id=user.pk) | held_q(user, "council__place"))


class ActivationQuerySet(OfPlaceQuerySet):
    """Activations of crisis committees."""

    def active(self) -> Self:
        """Keep those that are not stood down."""
        return self.filter(state=ActivationState.ACTIVE)


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
        return self.filter(published_q("round__place") | held_q(user, "round__place"))


class AdmissionQuerySet(QuerySet[Any]):
    """Admissions after a deadline."""

    def visible_to(self, user: User) -> Self:
        """Keep those of rounds in whose place the user has a role, and those of the user's organisations."""
        if is_administrator(user):
            return self
        own = membership_q(user, "organisation")
        return self.filter(held_q(user, "phase__round__place") | own)


def need_stage(actions: QuerySet[Any] | None = None) -> Greatest:
    """Return the expression "the stage of the furthest answer to the need", by the tables of `interventions.core.gaps`.

    The answers of each need are found by their indexes. Of conditions that some answer exists the database gathers all answers
    of the country first, as soon as a list has some thousand needs.

    Parameters
    ----------
    actions : queryset, optional
        Actions that are told of; without it all.
    """
    from interventions.models import Action, Proposal

    offers = Proposal.needs.through.objects.all()
    works = Action.needs.through.objects.all()
    if actions is not None:
        works = works.filter(Exists(actions.order_by().filter(pk=OuterRef("action_id"))))

    def furthest(answers: QuerySet[Any], state: str, stages: Mapping[str, Stage]) -> Subquery:
        stage = Case(*(When(**{state: one}, then=Value(int(found))) for one, found in stages.items()))
        own = answers.filter(need=OuterRef("pk"), **{f"{state}__in": list(stages)}).order_by().values("need")
        return Subquery(own.annotate(furthest=Max(stage)).values("furthest"), output_field=IntegerField())

    return Greatest(
        Value(int(Stage.UNANSWERED)),
        furthest(offers, "proposal__state", STAGE_OF_PROPOSAL),
        furthest(works, "action__state", STAGE_OF_ACTION),
        output_field=IntegerField(),
    )


def reached_q(stage: Stage, actions: QuerySet[Any] | None = None) -> Q:
    """Return the condition "the need has come to this stage or further", as `need_stage` says."""
    return Q(GreaterThanOrEqual(need_stage(actions), Value(int(stage))))


class NeedQuerySet(QuerySet[Any]):
    """Needs."""

    def visible_to(self, user: User) -> Self:
        """Keep the needs of places in whose subtree the user has a role; never anything for the public."""
        return self if is_administrator(user) else self.filter(among_held_q(user))

    def within(self, place: Any) -> Self:
        """Keep the needs of a place's subtree, the place's own included."""
        return self.filter(place__in=places_within(place))

    def counted(self) -> Self:
        """Keep the needs that sums count: neither merged into another, nor rejected or withdrawn."""
        return self.filter(state__in=OPEN_NEEDS)


class CapacityQuerySet(OfPlaceQuerySet):
    """Capacities of places."""

    def visible_to(self, user: User) -> Self:
        """Keep those of places in whose subtree the user has a role; never anything for the public."""
        return self if is_administrator(user) else self.filter(among_held_q(user))

    def standing(self) -> Self:
        """Keep those that are not archived."""
        return self.filter(archived_at__isnull=True)


class WeightSetQuerySet(QuerySet[Any]):
    """Sets of weights of institutions."""

    def visible_to(self, user: User) -> Self:
        """Keep those of cities in whose subtree the user has a role; never anything for the public."""
        return self if is_administrator(user) else self.filter(among_held_q(user, "city"))

    def standing(self) -> Self:
        """Keep those that are not archived."""
        return self.filter(archived_at__isnull=True)


def membership_q(user: User, organisation: str) -> Q:
    """Return the condition "of an approved organisation of which the user is an approved member"."""
    from interventions.models import Membership

    if not (user.is_authenticated and user.is_active):
        return Q(pk__in=[])
    return Q(Exists(Membership.objects.approved().filter(organisation=OuterRef(organisation), user_id=user.pk)))


def proposal_visible_q(user: User, prefix: str = "") -> Q:
    """Return the condition "a proposal that the user may see", as `ProposalQuerySet.visible_to` describes it.

    Parameters
    ----------
    user : user
        Anybody but an administrator, who sees all.
    prefix : str
        Lookup of the proposal from the queryset's model, such as ``proposal__``.
    """
    from interventions.models import Proposal

    answers = Proposal.needs.through.objects.filter(proposal=OuterRef(f"{prefix}pk"))

    def concerning(roles: tuple[str, ...] | None) -> Q:
        answered_here = Exists(answers.filter(held_q(user, "need__place", roles)))
        return held_q(user, f"{prefix}round__place", roles) | Q(answered_here)

    handed_in = ~Q(**{f"{prefix}state": ProposalState.DRAFT}) & Q(**{f"{prefix}submitted_at__isnull": False})
    own = membership_q(user, f"{prefix}organisation")
    return handed_in & concerning(None) | concerning(LEADING_ROLES) | own


def proposals_about(place: Any) -> list[int]:
    """Return the proposals that answer needs of a place's subtree.

    They are asked for first: the database does not see that they are few, and looks at every proposal of the country.
    """
    from interventions.models import Need, Proposal

    answers = Proposal.needs.through.objects.filter(need__in=Need.objects.within(place).order_by())
    return list(answers.order_by().values_list("proposal_id", flat=True).distinct())


class ProposalQuerySet(QuerySet[Any]):
    """Proposals."""

    def visible_to(self, user: User) -> Self:
        """Keep the proposals that concern places of the user's roles; what was never handed in, only for its organisation and leaders."""
        return self if is_administrator(user) else self.filter(proposal_visible_q(user))

    def standing(self) -> Self:
        """Keep the proposals that were handed in, and are neither refused nor withdrawn."""
        return self.filter(state__in=STANDING_PROPOSALS)


class AssessmentQuerySet(QuerySet[Any]):
    """Assessments, as visible as the proposal."""

    def visible_to(self, user: User) -> Self:
        """Keep those of proposals a user may see."""
        return self if is_administrator(user) else self.filter(proposal_visible_q(user, "proposal__"))


class DecisionQuerySet(QuerySet[Any]):
    """Decisions."""

    def visible_to(self, user: User) -> Self:
        """Keep those of proposals a user may see; published ones of published places for everybody."""
        if is_administrator(user):
            return self
        told = Q(published_at__isnull=False) & published_q("proposal__round__place")
        return self.filter(told | proposal_visible_q(user, "proposal__"))


def action_visible_q(user: User, prefix: str = "") -> Q:
    """Return the condition "an action that the user may see": public ones of published places, and all where one has a role."""
    shown = Q(**{f"{prefix}is_public": True}) & published_q(f"{prefix}place")
    return shown | held_q(user, f"{prefix}place")


class ActionQuerySet(OfPlaceQuerySet):
    """Actions."""

    def visible_to(self, user: User) -> Self:
        """Keep the public ones of published places, and all where the user has a role."""
        return self if is_administrator(user) else self.filter(action_visible_q(user))

    def running(self) -> Self:
        """Keep those that are still to be done."""
        return self.filter(state__in=RUNNING_ACTIONS)

    def standing(self) -> Self:
        """Keep those that answer needs: to be done, or done."""
        return self.filter(state__in=STANDING_ACTIONS)


class OfActionQuerySet(QuerySet[Any]):
    """What is as visible as its action: milestones."""

    def visible_to(self, user: User) -> Self:
        """Keep those of actions a user may see."""
        return self if is_administrator(user) else self.filter(action_visible_q(user, "action__"))


class ProgressQuerySet(QuerySet[Any]):
    """Reports of progress: for those with a role in the place. The public is told the sums of the action."""

    def visible_to(self, user: User) -> Self:
        """Keep those of places in whose subtree the user has a role."""
        return self if is_administrator(user) else self.filter(among_held_q(user, "action__place"))


class EvidenceQuerySet(QuerySet[Any]):
    """Photos and documents."""

    def visible_to(self, user: User) -> Self:
        """Keep those of places of the user's roles, and public ones of actions a user may see; archived ones only for leaders."""
        if is_administrator(user):
            return self
        held = held_q(user, "action__place") | held_q(user, "need__place")
        led = held_q(user, "action__place", LEADING_ROLES) | held_q(user, "need__place", LEADING_ROLES)
        shown = Q(is_public=True, action__isnull=False) & action_visible_q(user, "action__")
        return self.filter(Q(archived_at__isnull=True) & (held | shown) | led)


class TallyQuerySet(QuerySet[Any]):
    """Sums and their marks: nobody reads them as rows; `interventions.selectors.national` tells what each may be told."""

    def visible_to(self, user: User) -> Self:
        """Keep all for administrators, none for others."""
        return self if is_administrator(user) else self.none()


class LogEntryQuerySet(QuerySet[Any]):
    """The log: whole for those who lead in a place; others see the history of a record, by the selectors."""

    def visible_to(self, user: User) -> Self:
        """Keep the entries of places that the user leads."""
        return self if is_administrator(user) else self.filter(among_held_q(user, "place", LEADING_ROLES))


class OwnQuerySet(QuerySet[Any]):
    """What is a person's own and nobody else's."""

    def visible_to(self, user: User) -> Self:
        """Keep one's own; an administrator has no more."""
        return self.filter(user_id=user.pk) if user.is_authenticated and user.is_active else self.none()


class NoticeQuerySet(OwnQuerySet):
    """Notices: each person's own."""

    def unread(self) -> Self:
        """Keep those not yet read."""
        return self.filter(read_at__isnull=True)
