"""Who owes what: the debts of a round that reminders are sent about, who is told for an organisation or a place, what waits for a supervisor."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import Count, Max, Q
from django.db.models.functions import Coalesce

from geo.models import Assignment, Place
from interventions.core.phases import PhaseKind
from interventions.core.reminders import SILENT_DAYS, TEHRAN, Matter, Owed
from interventions.core.transitions import (
    ActionState,
    AssessmentState,
    MembershipState,
    NeedState,
    OrganisationState,
    ProposalState,
)
from interventions.models import (
    PROPOSING_KINDS,
    Action,
    Admission,
    Assessment,
    Membership,
    Need,
    Organisation,
    Progress,
    Proposal,
    Round,
)
from interventions.selectors.rights import paths_around

LOOK_BACK_DAYS: Final = 31
"""Days after which nobody is told any more that an action has passed its end: the pages show it all the same."""


def owed_in(round_: Round) -> tuple[Owed, ...]:
    """Return what is owed in a round by a deadline that was set.

    The first need or proposal is owed by the organisations that work in the place of the round or a part of it. Those that work
    there among other places owe what they began, were given back or were asked.
    """
    due = {phase.kind: phase.due_at for phase in round_.phases.all()}
    admitted: dict[tuple[str, int], datetime] = {}
    for kind, to, until in Admission.objects.filter(phase__round=round_).values_list(
        "phase__kind", "organisation", "until"
    ):
        admitted[kind, to] = max(until, admitted.get((kind, to), until))
    found: list[Owed] = []

    def owe(body: int, matter: Matter, phase: PhaseKind, n: int, asked_at: datetime | None = None) -> None:
        if phase in due:
            moments = (due[phase], admitted.get((phase, body)), asked_at)
            found.append(Owed(round_.pk, body, matter, n, max(moment for moment in moments if moment)))

    needs = _by_organisation(Need.objects.filter(round=round_).exclude(state=NeedState.WITHDRAWN))
    proposals = Proposal.objects.filter(round=round_)
    begun = _by_organisation(proposals.filter(state=ProposalState.DRAFT))
    returned = _by_organisation(proposals.filter(state=ProposalState.RETURNED))
    offered = _by_organisation(proposals.standing())
    inside = Q(place__path=round_.place.path) | Q(place__path__startswith=f"{round_.place.path}/")
    for pk, kind in Organisation.objects.approved().filter(inside).order_by("pk").values_list("pk", "kind"):
        if kind not in PROPOSING_KINDS and pk not in needs:
            owe(pk, Matter.NEEDS, PhaseKind.NEEDS, 0)
        if kind in PROPOSING_KINDS and pk not in offered and pk not in begun:
            owe(pk, Matter.PROPOSALS, PhaseKind.PROPOSALS, 0)
    for pk, n in sorted(begun.items()):
        owe(pk, Matter.DRAFTS, PhaseKind.PROPOSALS, n)
    for pk, n in sorted(returned.items()):
        owe(pk, Matter.RETURNED, PhaseKind.ASSESSMENT, n)
    # Who was asked after the deadline is silent from then on.
    asked = Assessment.objects.filter(proposal__round=round_, state=AssessmentState.ASKED, proposal__state="submitted")
    by_day: dict[tuple[int, date | None], list[datetime]] = defaultdict(list)
    last = due.get(PhaseKind.ASSESSMENT)
    for pk, asked_at in asked.order_by("organisation", "asked_at").values_list("organisation", "asked_at"):
        is_after = last is not None and asked_at > last
        by_day[pk, asked_at.astimezone(TEHRAN).date() if is_after else None].append(asked_at)
    for (pk, day), moments in by_day.items():
        owe(pk, Matter.ASSESSMENTS, PhaseKind.ASSESSMENT, len(moments), max(moments) if day else None)
    undecided = proposals.filter(state=ProposalState.SUBMITTED).count()
    if undecided:
        owe(0, Matter.DECISIONS, PhaseKind.DECISION, undecided)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Lagging:
    """Actions of one organisation that all passed their end, or were all last heard of, on the same day.

    Attributes
    ----------
    months
        For how many times `SILENT_DAYS` nothing was heard of them; 0 where they are past their end.
    """

    organisation: int
    place: int
    since: date
    months: int
    actions: tuple[int, ...]

    @property
    def key(self) -> str:
        """The same for the same day and organisation."""
        return f"action:{'silent' if self.months else 'late'}:{self.organisation}:{self.since}:{self.months}"


def actions_lagging(today: date) -> Iterator[Lagging]:
    """Give the actions past their end since at most `LOOK_BACK_DAYS`, and those under way that nobody has reported on."""
    late = Action.objects.running().filter(ends_on__lt=today, ends_on__gte=today - timedelta(days=LOOK_BACK_DAYS))
    rows = [(*row, 0) for row in late.order_by("pk").values_list("organisation", "place", "ends_on", "pk")]
    heard = Progress.objects.filter(action__state=ActionState.UNDER_WAY).order_by()
    last = dict(heard.values_list("action").annotate(last=Max("reported_at")))
    under_way = Action.objects.filter(state=ActionState.UNDER_WAY).annotate(
        begun_on=Coalesce("started_on", "starts_on")
    )
    for body, place, begun_on, pk in under_way.order_by("pk").values_list("organisation", "place", "begun_on", "pk"):
        since = max(begun_on, last[pk].astimezone(TEHRAN).date()) if pk in last else begun_on
        months = (today - since).days // SILENT_DAYS
        if months >= 1:
            rows.append((body, place, since, pk, months))
    grouped: dict[tuple[int, date, int], list[tuple[int, int]]] = defaultdict(list)
    for body, place, since, pk, months in rows:
        grouped[body, since, months].append((pk, place))
    for (body, since, months), found in sorted(grouped.items()):
        yield Lagging(body, found[0][1], since, months, tuple(pk for pk, _ in found))


# ---- who is told


def contacts_of(organisations: Collection[int]) -> dict[int, tuple[int, ...]]:
    """Return the people who are told for each organisation: its contact persons; where it named none, all its members."""
    named: dict[int, list[tuple[bool, int]]] = defaultdict(list)
    held = Membership.objects.approved().filter(organisation__in=organisations, user__is_active=True)
    for body, is_contact, user in held.order_by("pk").values_list("organisation", "is_contact", "user"):
        named[body].append((is_contact, user))
    return {
        body: tuple(user for is_contact, user in people if is_contact) or tuple(user for _, user in people)
        for body, people in named.items()
    }


def supervisors_of(place: Place) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the supervisors of a place, or of the nearest place around it that has any; and those of the next one above."""
    by_path: dict[str, list[int]] = defaultdict(list)
    held = Assignment.objects.filter(
        place__path__in=paths_around(place), role=Assignment.Role.SUPERVISOR, user__is_active=True
    )
    for path, user in held.order_by("pk").values_list("place__path", "user"):
        by_path[path].append(user)
    levels = [tuple(by_path[path]) for path in sorted(by_path, key=len, reverse=True)]
    return (levels[0] if levels else ()), (levels[1] if len(levels) > 1 else ())


# ---- digests


@dataclass(frozen=True, slots=True)
class Digest:
    """What a supervisor is told in the morning, each as numbers by kind.

    Attributes
    ----------
    came
        What came in.
    late
        What is owed past its deadline.
    newly_late
        How much of that was not late before.
    waits
        What waits for the supervisor.
    """

    came: Mapping[str, int]
    late: Mapping[str, int]
    newly_late: int
    waits: Mapping[str, int]

    @property
    def has_news(self) -> bool:
        """Whether anything is new."""
        return self.newly_late > 0 or any(self.came.values())


def digest_of(place: Place, rounds: Collection[Round], since: datetime, until: datetime) -> Digest:
    """Return what came in to the rounds of a place in a span of time, what is late at its end, and what waits."""
    keys = [round_.pk for round_ in rounds]
    span = (since, until - timedelta(microseconds=1))
    proposals = Proposal.objects.filter(round__in=keys)
    owed = [one for round_ in rounds for one in owed_in(round_) if one.due_at < until]
    late: dict[str, int] = defaultdict(int)
    for one in owed:
        late[one.matter] += max(one.n, 1)
    inside = Q(place__path=place.path) | Q(place__path__startswith=f"{place.path}/")
    bodies = Organisation.objects.filter(inside)
    asking = Membership.objects.filter(organisation__in=bodies, state=MembershipState.APPLIED)
    return Digest(
        came={
            "needs": Need.objects.filter(round__in=keys, reported_at__range=span).count(),
            "proposals": proposals.filter(submitted_at__range=span).exclude(state=ProposalState.WITHDRAWN).count(),
            "assessments": Assessment.objects.filter(proposal__round__in=keys, said_at__range=span).count(),
            "reports": Progress.objects.filter(action__round__in=keys, reported_at__range=span).count(),
        },
        late=dict(late),
        newly_late=sum(max(one.n, 1) for one in owed if one.due_at >= since),
        waits={
            "needs": Need.objects.filter(round__in=keys, state=NeedState.REPORTED).count(),
            "proposals": proposals.filter(state=ProposalState.SUBMITTED).count(),
            "organisations": bodies.filter(state=OrganisationState.APPLIED).count(),
            "members": asking.count(),
        },
    )


def _by_organisation(records: Any) -> dict[int, int]:
    return dict(records.order_by().values_list("organisation").annotate(n=Count("pk")))


__all__ = [
    "LOOK_BACK_DAYS", "Digest", "Lagging", "actions_lagging", "contacts_of", "digest_of", "owed_in", "supervisors_of",
]  # fmt: skip
