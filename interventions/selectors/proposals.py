"""Proposals side by side: what they answer, cost and would do, what departments say, what else does the same, what was decided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.db.models import Case, IntegerField, OuterRef, Prefetch, Q, QuerySet, Subquery, Sum, Value, When
from django.utils import timezone

from analysis.results import Question
from analysis.services import priority_compute
from geo.errors import MahallehError, NotFound
from geo.models import Place
from geo.querysets import User, assigned_inside_q, assigned_q, is_administrator
from interventions.core.gaps import Stage
from interventions.core.phases import PhaseKind
from interventions.core.transitions import (
    ASSESSMENT,
    OPEN_NEEDS,
    PROPOSAL,
    AssessmentState,
    ProposalState,
    RoundState,
    events_open,
)
from interventions.models import Assessment, Decision, Need, Organisation, Proposal, Round
from interventions.models.organisations import PROPOSING_KINDS
from interventions.models.wording import in_readers_language
from interventions.querysets import LEADING_ROLES, need_stage, proposals_about
from interventions.selectors.overlapping import OverlapRow, overlaps_with
from interventions.selectors.rights import ACTING_ROLES, is_member, paths_around, roles_at, roles_for
from interventions.selectors.rounds import is_late_for, lateness, organisations_of
from interventions.selectors.rows import NamedRow, named_row
from layers.models import Layer, Supply

ORDER: Final = ("submitted", "returned", "draft", "accepted", "refused", "withdrawn")
"""Of the states in lists: what waits comes first."""

MAX_PROPOSALS: Final = 500
"""Of one round that are shown side by side."""

MAX_NEEDS: Final = 500
"""Needs that a form offers."""


@dataclass(frozen=True, slots=True)
class AssessmentRow:
    """What a department says of a proposal.

    Attributes
    ----------
    is_late
        It has said nothing and the deadline has passed.
    events
        What the reader may say for it now.
    """

    pk: int
    organisation: NamedRow
    state: str
    reason: str
    asked_at: datetime
    said_at: datetime | None
    is_late: bool
    events: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EffectPlace:
    """What a proposal would do in one place: people newly covered, score and rank before and after."""

    place: NamedRow
    people: float
    score_before: float
    score_after: float
    rank_before: int
    rank_after: int


@dataclass(frozen=True, slots=True)
class EffectRow:
    """The computed effect of a proposal: people newly covered in all and place by place, most first."""

    service: NamedRow
    threshold_m: float
    people: float
    places: tuple[EffectPlace, ...]


@dataclass(frozen=True, slots=True)
class ProposalRow:
    """A proposal as lists and tables show it.

    Attributes
    ----------
    people_in_needs
        People of the needs that it answers, counted once for each need.
    effect
        None where nothing was computed, or the reader may not see the layer of the service.
    granted_irr
        Of the decision that stands; None where none does.
    """

    pk: int
    title_fa: str
    title_en: str
    organisation: NamedRow
    sector: NamedRow | None
    state: str
    version: int
    places: tuple[NamedRow, ...]
    needs: int
    people_in_needs: int
    cost_irr: int
    own_funding_irr: int
    effect: EffectRow | None
    assessments: tuple[AssessmentRow, ...]
    overlaps: tuple[OverlapRow, ...]
    submitted_at: datetime | None
    granted_irr: int | None
    reason: str

    @property
    def title(self) -> str:
        """The title in the language of the reader."""
        return in_readers_language(self.title_fa, self.title_en)

    @property
    def asked_irr(self) -> int:
        """What the round is asked for: the cost less the own funding."""
        return self.cost_irr - self.own_funding_irr

    @property
    def people(self) -> float:
        """People newly covered where that is computed, else the people of the needs."""
        return self.effect.people if self.effect else float(self.people_in_needs)

    @property
    def people_per_billion(self) -> float | None:
        """People for each thousand million rials asked for; None where nothing is asked for."""
        return self.people / (self.asked_irr / 1e9) if self.asked_irr > 0 else None

    @property
    def is_silent(self) -> bool:
        """Whether a department has said nothing past the deadline."""
        return any(one.is_late for one in self.assessments)


@dataclass(frozen=True, slots=True)
class ProposalFound:
    """One proposal, with what its reader may do now."""

    proposal: Proposal
    row: ProposalRow
    needs: tuple[Need, ...]
    events: tuple[str, ...]
    is_leader: bool
    departments: tuple[Organisation, ...]


@dataclass(frozen=True, slots=True)
class Offering:
    """Where and for whom somebody may propose: open rounds, organisations, and the needs that stand."""

    rounds: tuple[Round, ...]
    organisations: tuple[Organisation, ...]
    needs: tuple[Need, ...]

    @property
    def is_possible(self) -> bool:
        """Whether anything can be proposed."""
        return bool(self.rounds and self.organisations and self.needs)


@dataclass(frozen=True, slots=True)
class AreaRow:
    """A place under decision: its rank by the index, its needs, those that nobody answers, and its proposals."""

    place: NamedRow
    rank: int | None
    needs: int
    unanswered: int
    proposals: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DecisionTable:
    """All that is before those who decide a round."""

    round: Round
    areas: tuple[AreaRow, ...]
    proposals: tuple[ProposalRow, ...]
    budget_irr: int | None
    granted_irr: int

    @property
    def left_irr(self) -> int | None:
        """What is left of the budget; None where the round has none."""
        return None if self.budget_irr is None else self.budget_irr - self.granted_irr

    @property
    def open(self) -> tuple[ProposalRow, ...]:
        """Those about which may be decided now."""
        return tuple(row for row in self.proposals if row.state == ProposalState.SUBMITTED)


@dataclass(frozen=True, slots=True)
class ToldDecision:
    """A published decision, as everybody reads it."""

    title_fa: str
    title_en: str
    organisation: NamedRow
    places: tuple[NamedRow, ...]
    outcome: str
    granted_irr: int
    reason: str
    published_at: datetime

    @property
    def title(self) -> str:
        """The title in the language of the reader."""
        return in_readers_language(self.title_fa, self.title_en)


# ---- reads


def proposals_found(city: Place, user: User) -> QuerySet[Proposal]:
    """Return the proposals about a city or its parts that a user may see: what waits comes first, then by number."""
    order = Case(*(When(state=state, then=Value(k)) for k, state in enumerate(ORDER)), output_field=IntegerField())
    return _with_bodies(Proposal.objects.visible_to(user).filter(pk__in=proposals_about(city))).order_by(order, "pk")


def _with_bodies(proposals: QuerySet[Proposal]) -> QuerySet[Proposal]:
    return proposals.select_related("round__place", "organisation__place", "sector", "service")


def proposal_get(number: int, user: User, city: Place) -> Proposal:
    """Return a proposal of a city that a user may see.

    Raises
    ------
    NotFound
        Where there is none, or the user may not know of it.
    """
    here = Proposal.objects.filter(pk=number, needs__place__in=Place.objects.within(city))
    seen = _with_bodies(Proposal.objects.visible_to(user).filter(pk=number))
    found: Proposal | None = seen.first() if here.exists() else None
    if found is None:
        raise NotFound(
            f"There is no proposal {number} here, or you may not see it.",
            code="unknown_proposal",
            remedy="Choose one from the list of proposals.",
            details={"number": number},
        )
    return found


def proposal_rows(proposals: Iterable[Proposal], user: User, *, at: datetime | None = None) -> tuple[ProposalRow, ...]:
    """Return proposals that the user may see as rows, as many as `MAX_PROPOSALS`."""
    found = list(proposals)[:MAX_PROPOSALS]
    keys = [proposal.pk for proposal in found]
    moment = at or timezone.now()
    needs: dict[int, list[Need]] = defaultdict(list)
    links = Proposal.needs.through.objects.filter(proposal__in=keys).select_related("need__place").order_by("need")
    for link in links:
        needs[link.proposal_id].append(link.need)
    said: dict[int, list[Assessment]] = defaultdict(list)
    for one in Assessment.objects.filter(proposal__in=keys).select_related("organisation").order_by("asked_at", "pk"):
        said[one.proposal_id].append(one)
    decided = {
        one.proposal_id: one
        for one in Decision.objects.filter(proposal__in=keys)
        .order_by("proposal_id", "-decided_at", "-pk")
        .distinct("proposal_id")
    }
    late = lateness({proposal.round_id for proposal in found}, PhaseKind.ASSESSMENT, moment)
    alike = overlaps_with(found, user)
    seen = _services_seen(user)
    names = _places_of_effects(found)
    return tuple(
        _row(
            proposal,
            needs[proposal.pk],
            [_assessment_row(one, proposal, late) for one in said[proposal.pk]],
            alike.get(proposal.pk, ()),
            _effect_row(proposal, seen, names),
            decided.get(proposal.pk),
        )
        for proposal in found
    )


def proposal_found(number: int, user: User, city: Place, *, at: datetime | None = None) -> ProposalFound:
    """Return a proposal with what departments say and what its reader may do now.

    Raises
    ------
    NotFound
        As `proposal_get`.
    """
    moment = at or timezone.now()
    proposal = proposal_get(number, user, city)
    needs = tuple(proposal.needs.select_related("place", "sector").order_by("-severity", "pk"))
    row = proposal_rows([proposal], user, at=moment)[0]
    is_open = proposal.round.state == RoundState.OPENED
    leading = roles_at(user, proposal.round.place)
    is_leader = not leading.isdisjoint(LEADING_ROLES)
    held = [roles_for(user, need.place, proposal.organisation) for need in needs]
    own = frozenset.intersection(*held) if held else frozenset()
    late = {
        kind: is_late_for(proposal.round, kind, moment, proposal.organisation)
        for kind in (PhaseKind.PROPOSALS, PhaseKind.ASSESSMENT)
    }
    returned = proposal.state == ProposalState.RETURNED
    is_late = late[PhaseKind.ASSESSMENT if returned else PhaseKind.PROPOSALS]
    # What the proposer does is asked in the places of the needs, what is decided in that of the round.
    events: set[str] = set()
    if is_open:
        events = {
            *(
                {"amend", "submit", "withdraw"}
                & {*events_open(PROPOSAL, state=proposal.state, roles=own, is_late=is_late)}
            ),
            *(
                {"accept", "refuse", "reconsider", "return"}
                & {*events_open(PROPOSAL, state=proposal.state, roles=leading)}
            ),
        }
    asked = {one.pk: one for one in proposal.assessments.select_related("organisation")}
    late_there = lateness([proposal.round_id], PhaseKind.ASSESSMENT, moment)
    assessments = []
    for one in row.assessments:
        assessment = asked[one.pk]
        speaking = roles_for(user, proposal.round.place, assessment.organisation)
        for need in needs:
            speaking |= roles_for(user, need.place, assessment.organisation) & ACTING_ROLES
        open_events = events_open(
            ASSESSMENT,
            state=assessment.state,
            roles=speaking,
            is_late=late_there(proposal.round_id, assessment.organisation_id),
        )
        may = is_open and proposal.state == ProposalState.SUBMITTED
        assessments.append(_with(one, events=tuple(e for e in open_events if e != "ask") if may else ()))
    may_ask = is_leader and is_open and proposal.state == ProposalState.SUBMITTED
    departments = tuple(
        one
        for one in (organisations_of(proposal.round) if may_ask else ())
        if one.kind in PROPOSING_KINDS and one.pk != proposal.organisation_id
    )
    return ProposalFound(
        proposal=proposal,
        row=_with(row, assessments=tuple(assessments)),
        needs=needs,
        events=tuple(event for event in PROPOSAL if event in events),
        is_leader=is_leader,
        departments=departments,
    )


def offering_of(user: User, city: Place) -> Offering:
    """Return where and for whom a user may propose; the services decide again when something is sent."""
    rounds = tuple(
        Round.objects.opened()
        .visible_to(user)
        .filter(place__path__in=paths_around(city))
        .select_related("place", "programme")
        .prefetch_related("phases")
        .order_by("-opened_at", "-pk")
    )
    leads = is_administrator(user) or Place.objects.filter(assigned_q(user, "path", LEADING_ROLES), pk=city.pk).exists()
    near = Q(place__path__in=paths_around(city)) | Q(place__path__startswith=f"{city.path}/")
    bodies = Organisation.objects.approved().filter(near, kind__in=PROPOSING_KINDS)
    organisations = (
        (bodies if leads else bodies.of_member(user)).select_related("place").distinct().order_by("name_fa", "code")
    )
    if not leads:
        acting = assigned_q(user, "path", ("agency",)) | assigned_inside_q(user)
        if not Place.objects.filter(acting, pk=city.pk).exists():
            organisations = organisations.none()
    may = Q() if is_administrator(user) else assigned_q(user, "place__path", ("agency", *LEADING_ROLES))
    needs = (
        Need.objects.visible_to(user)
        .within(city)
        .filter(may, round__in=rounds, state__in=OPEN_NEEDS)
        .select_related("place", "sector")
        .order_by("place__name_fa", "-severity", "pk")[:MAX_NEEDS]
    )
    chosen = tuple(organisations)
    found = tuple(need for need in needs if any(_may_offer(user, need, one, leads) for one in chosen))
    return Offering(rounds, chosen, found)


def _may_offer(user: User, need: Need, organisation: Organisation, leads: bool) -> bool:
    return organisation.works_in(need.place) and (leads or is_member(user, organisation, need.place))


def decision_table(round_: Round, city: Place, user: User, *, at: datetime | None = None) -> DecisionTable:
    """Return all that is before those who decide a round about a city; nothing that the user may not see.

    The budget, and what is granted of it, are those of the round, which may be of a county or a province.
    """
    found = proposals_found(city, user).filter(round=round_)
    rows = proposal_rows(found.exclude(state__in=(ProposalState.DRAFT, ProposalState.WITHDRAWN)), user, at=at)
    ranks = _ranks(city, user)
    needs = Need.objects.visible_to(user).within(city).counted().filter(round=round_)
    counts: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for lies_in, stage in needs.order_by().annotate(stage=need_stage()).values_list("place_id", "stage"):
        counts[lies_in][0] += 1
        counts[lies_in][1] += stage == Stage.UNANSWERED
    places = Place.objects.in_bulk(list(counts))
    offered: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        for place in row.places:
            offered[place.code].append(row.pk)
    areas = [
        AreaRow(
            named_row(place), ranks.get(place.code), counts[pk][0], counts[pk][1], tuple(offered.get(place.code, ()))
        )
        for pk, place in places.items()
    ]
    areas.sort(key=lambda area: (area.rank is None, area.rank or 0, -area.unanswered, area.place.code))
    latest = Decision.objects.filter(proposal=OuterRef("pk")).order_by("-decided_at", "-pk").values("granted_irr")[:1]
    accepted = Proposal.objects.filter(round=round_, state=ProposalState.ACCEPTED).annotate(granted=Subquery(latest))
    granted = int(accepted.aggregate(sum=Sum("granted"))["sum"] or 0)
    return DecisionTable(
        round=round_,
        areas=tuple(areas),
        proposals=rows,
        budget_irr=None if round_.budget_irr is None else int(round_.budget_irr),
        granted_irr=granted,
    )


def decisions_told(round_: Round, city: Place) -> tuple[ToldDecision, ...]:
    """Return the decisions of a round about a city that were published and not replaced by a later published one.

    Granted ones come first.

    Whoever may see the round may read them.
    """
    latest = (
        Decision.objects.filter(proposal__in=proposals_about(city), proposal__round=round_, published_at__isnull=False)
        .order_by("proposal_id", "-decided_at", "-pk")
        .distinct("proposal_id")
    )
    found = (
        Decision.objects.filter(pk__in=latest.values("pk"))
        .select_related("proposal__organisation")
        .prefetch_related(Prefetch("proposal__needs", Need.objects.select_related("place").order_by("pk")))
        .order_by("outcome", "-granted_irr", "pk")
    )
    return tuple(
        ToldDecision(
            title_fa=one.proposal.title_fa,
            title_en=one.proposal.title_en,
            organisation=named_row(one.proposal.organisation),
            places=_places(one.proposal.needs.all()),
            outcome=one.outcome,
            granted_irr=int(one.granted_irr),
            reason=one.reason,
            published_at=one.published_at,
        )
        for one in found
        if one.published_at is not None
    )


def late_assessments(round_: Round, at: datetime) -> int:
    """Return how many departments have said nothing past the deadline: what escalates to the supervisor."""
    asked = Assessment.objects.filter(
        proposal__round=round_, proposal__state=ProposalState.SUBMITTED, state=AssessmentState.ASKED
    )
    return sum(
        is_late_for(round_, PhaseKind.ASSESSMENT, at, one.organisation) for one in asked.select_related("organisation")
    )


# ---- rows


def _row(
    proposal: Proposal,
    needs: Sequence[Need],
    assessments: Sequence[AssessmentRow],
    alike: Sequence[OverlapRow],
    effect: EffectRow | None,
    decision: Decision | None,
) -> ProposalRow:
    return ProposalRow(
        pk=proposal.pk,
        title_fa=proposal.title_fa,
        title_en=proposal.title_en,
        organisation=named_row(proposal.organisation),
        sector=named_row(proposal.sector) if proposal.sector else None,
        state=proposal.state,
        version=proposal.version,
        places=_places(needs),
        needs=len(needs),
        people_in_needs=sum(need.people_affected for need in needs),
        cost_irr=int(proposal.cost_irr),
        own_funding_irr=int(proposal.own_funding_irr),
        effect=effect,
        assessments=tuple(assessments),
        overlaps=tuple(alike),
        submitted_at=proposal.submitted_at,
        granted_irr=int(decision.granted_irr) if decision else None,
        reason=decision.reason if decision else "",
    )


def _places(needs: Iterable[Need]) -> tuple[NamedRow, ...]:
    return tuple({need.place_id: named_row(need.place) for need in needs}.values())


def _assessment_row(one: Assessment, proposal: Proposal, late: Callable[[int, int], bool]) -> AssessmentRow:
    waits = one.state == AssessmentState.ASKED and proposal.state == ProposalState.SUBMITTED
    return AssessmentRow(
        pk=one.pk,
        organisation=named_row(one.organisation),
        state=one.state,
        reason=one.reason,
        asked_at=one.asked_at,
        said_at=one.said_at,
        is_late=waits and late(proposal.round_id, one.organisation_id),
    )


def _with(row: Any, **values: Any) -> Any:
    return replace(row, **values)


def _effect_row(proposal: Proposal, seen: set[tuple[str, str]], names: dict[str, NamedRow]) -> EffectRow | None:
    effect = proposal.effect
    if "people" not in effect or (effect["city"], effect["service"]) not in seen or proposal.service is None:
        return None
    return EffectRow(
        service=named_row(proposal.service),
        threshold_m=effect["threshold_m"],
        people=effect["people"],
        places=tuple(
            EffectPlace(names.get(f"{effect['city']}/{code}", NamedRow(code, code, code)), *numbers)
            for code, *numbers in effect["places"]
        ),
    )


def _services_seen(user: User) -> set[tuple[str, str]]:
    """Return the city and the service of each layer of facilities that a user may see."""
    visible = Layer.objects.visible_to(user)
    return set(Supply.objects.filter(layer__in=visible).values_list("city__code", "service__code"))


def _places_of_effects(proposals: Iterable[Proposal]) -> dict[str, NamedRow]:
    cities = {one.effect["city"] for one in proposals if "people" in one.effect}
    found: dict[str, NamedRow] = {}
    for city in Place.objects.filter(kind=Place.Kind.CITY, code__in=cities):
        found |= {f"{city.code}/{place.code}": named_row(place) for place in Place.objects.within(city)}
    return found


def _ranks(city: Place, user: User) -> dict[str, int]:
    """Return the ranks of a city's places by its index; none where it has no index."""
    try:
        found = priority_compute(city=city, user=user, question=Question())
    except MahallehError:
        return {}
    return {place.code: int(found.priority.rank[i]) for i, place in enumerate(found.coverage.places)}


__all__ = [
    "MAX_NEEDS", "MAX_PROPOSALS", "AreaRow", "AssessmentRow", "DecisionTable", "EffectPlace", "EffectRow", "Offering",
    "ProposalFound", "ProposalRow", "ToldDecision", "decision_table", "decisions_told", "late_assessments", "offering_of",
    "proposal_found", "proposal_get", "proposal_rows", "proposals_found",
]  # fmt: skip
