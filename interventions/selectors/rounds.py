"""Rounds: their deadlines, what is told in each area, and who owes what by when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from django.db.models import Count, Max, Min, Q, QuerySet
from django.utils import timezone
from django.utils.translation import get_language

from geo.errors import NotFound
from geo.models import Place
from geo.querysets import User, assigned_inside_q, assigned_q, is_administrator
from interventions.core.gaps import Stage
from interventions.core.phases import PhaseKind, is_late, phases_running
from interventions.core.transitions import (
    OPEN_NEEDS,
    ROUND,
    AssessmentState,
    NeedState,
    ProposalState,
    RoundState,
    events_open,
)
from interventions.models import (
    Action,
    Admission,
    Assessment,
    LogEntry,
    Need,
    Organisation,
    Phase,
    Programme,
    Proposal,
    Round,
    Sector,
)
from interventions.models.organisations import PROPOSING_KINDS
from interventions.querysets import LEADING_ROLES, need_stage
from interventions.selectors.rights import paths_around, roles_at
from interventions.selectors.rows import NamedRow, named_row

MAX_AREAS: Final = 300
"""Areas that one matrix shows; of more, those with most needs."""

MAX_ORGANISATIONS: Final = 1000
"""Organisations that are looked at for what they owe."""


@dataclass(frozen=True, slots=True)
class RoundRow:
    """A round and its deadlines."""

    pk: int
    number: int
    name_fa: str
    name_en: str
    programme: NamedRow
    place: NamedRow
    is_open: bool
    opened_at: datetime
    closed_at: datetime | None
    due: Mapping[str, datetime]

    @property
    def name(self) -> str:
        """The name in the language of the reader."""
        return self.name_en if get_language() == "en" else self.name_fa

    @property
    def needs_due(self) -> datetime | None:
        """The last moment for needs."""
        return self.due.get(PhaseKind.NEEDS)

    @property
    def proposals_due(self) -> datetime | None:
        """The last moment for proposals."""
        return self.due.get(PhaseKind.PROPOSALS)

    def phases_running(self, at: datetime) -> tuple[PhaseKind, ...]:
        """Return the phases in which work is still in time; none once the round is closed."""
        return phases_running(self.due, at) if self.is_open else ()


@dataclass(frozen=True, slots=True)
class Extension:
    """A deadline that was moved: from when to when, and why."""

    at: datetime
    due_before: datetime
    due_after: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class PhaseRow:
    """A phase: its deadline, the first one where it was moved, and each move."""

    kind: PhaseKind
    due_at: datetime
    first_due_at: datetime
    extensions: tuple[Extension, ...]

    @property
    def is_extended(self) -> bool:
        """Whether the deadline is another than it was at first."""
        return self.due_at != self.first_due_at


@dataclass(frozen=True, slots=True)
class NeedCounts:
    """How far the needs of an area are that count: neither merged, nor rejected or withdrawn.

    Attributes
    ----------
    answered
        With a proposal that stands, or an action.
    decided
        With an accepted proposal, or an action.
    done
        With an action that is done.
    """

    reported: int = 0
    confirmed: int = 0
    answered: int = 0
    decided: int = 0
    done: int = 0

    def __add__(self, other: NeedCounts) -> NeedCounts:
        """Add up."""
        return NeedCounts(
            self.reported + other.reported,
            self.confirmed + other.confirmed,
            self.answered + other.answered,
            self.decided + other.decided,
            self.done + other.done,
        )


@dataclass(frozen=True, slots=True)
class AreaRow:
    """An area of a round, and its needs altogether and by the code of the sector."""

    area: NamedRow
    kind: str
    counts: NeedCounts
    by_sector: Mapping[str, NeedCounts]


@dataclass(frozen=True, slots=True)
class Duty:
    """What somebody owes in a round.

    Attributes
    ----------
    organisation
        Who; None for the supervisor of the round.
    n
        How many: of needs and proposals those handed in, of assessments, decisions and actions those that are owed.
    due_at
        By when; None where no deadline was set.
    admitted_until
        Until when the supervisor lets them in after the deadline.
    """

    organisation: NamedRow | None
    kind: PhaseKind
    n: int
    due_at: datetime | None
    admitted_until: datetime | None
    is_met: bool
    is_late: bool


@dataclass(frozen=True, slots=True)
class RoundFound:
    """A round as one reader sees it.

    Attributes
    ----------
    areas
        Those that the reader may see, by name.
    sectors
        Those of the round; where it names none, those that have needs.
    duties
        Late ones first; empty for readers without a role around the round's place.
    is_insider
        Whether the reader has such a role.
    events
        Moves of the table that are open to the reader now.
    """

    row: RoundRow
    round: Round
    phases: tuple[PhaseRow, ...]
    areas: tuple[AreaRow, ...]
    sectors: tuple[NamedRow, ...]
    total: NeedCounts
    duties: tuple[Duty, ...]
    is_insider: bool
    events: tuple[str, ...]
    organisations: tuple[Organisation, ...] = field(default=())


def works_around(user: User, place: Place) -> bool:
    """Tell whether a user has a role in a place, around it or in a part of it."""
    if is_administrator(user):
        return True
    return Place.objects.filter(assigned_q(user) | assigned_inside_q(user), pk=place.pk).exists()


def rounds_of(city: Place, user: User) -> tuple[RoundRow, ...]:
    """Return the rounds of a city, of places around it and of its parts that a user may see; open ones first, then the newest."""
    found = sorted(
        _around(city, user), key=lambda one: (one.state != RoundState.OPENED, -one.opened_at.timestamp(), -one.pk)
    )
    return tuple(round_row(one) for one in found)


def _around(city: Place, user: User) -> QuerySet[Round]:
    near = Q(place__path__in=paths_around(city)) | Q(place__path__startswith=f"{city.path}/")
    return (
        Round.objects.visible_to(user)
        .filter(near)
        .select_related("programme", "place")
        .prefetch_related("phases", "areas", "sectors")
    )


def round_current(city: Place) -> RoundRow | None:
    """Return the newest open round of a city or of a place around it; None where there is none."""
    newest = (
        Round.objects.opened()
        .filter(place__path__in=paths_around(city))
        .select_related("programme", "place")
        .prefetch_related("phases")
        .order_by("-opened_at", "-pk")
        .first()
    )
    return round_row(newest) if newest else None


def round_row(found: Round) -> RoundRow:
    """Return a round as a row."""
    return RoundRow(
        pk=found.pk,
        number=found.number,
        name_fa=found.name_fa,
        name_en=found.name_en,
        programme=named_row(found.programme),
        place=named_row(found.place),
        is_open=found.state == RoundState.OPENED,
        opened_at=found.opened_at,
        closed_at=found.closed_at,
        due=MappingProxyType({phase.kind: phase.due_at for phase in found.phases.all()}),
    )


def round_get(number: int, user: User, city: Place) -> Round:
    """Return a round that a user may see, of a city, of a place around it or of a part of it.

    Raises
    ------
    NotFound
        Where there is none, or the user may not know of it.
    """
    found = _around(city, user).filter(pk=number).first()
    if found is None:
        raise NotFound(
            f"There is no round {number} here, or you may not see it.",
            code="unknown_round",
            remedy="Choose one from the list of rounds.",
            details={"number": number},
        )
    return found


def round_found(number: int, user: User, city: Place, *, at: datetime | None = None) -> RoundFound:
    """Return a round with its deadlines, what is told in each area, and who owes what by when.

    Raises
    ------
    NotFound
        As `round_get`.
    """
    moment = at or timezone.now()
    found = round_get(number, user, city)
    areas, sectors = _areas(found, city, user)
    insider = works_around(user, found.place)
    bodies = tuple(organisations_of(found)) if insider else ()
    return RoundFound(
        row=round_row(found),
        round=found,
        phases=_phases(found, user),
        areas=areas,
        sectors=sectors,
        total=sum((row.counts for row in areas), NeedCounts()),
        duties=_duties(found, bodies, moment) if insider else (),
        is_insider=insider,
        events=events_open(ROUND, state=found.state, roles=roles_at(user, found.place)),
        organisations=bodies,
    )


def is_late_for(round_: Round, kind: str, at: datetime, organisation: Organisation) -> bool:
    """Tell whether work of a phase would be late for an organisation now, as the services decide it."""
    return lateness([round_.pk], kind, at)(round_.pk, organisation.pk)


def lateness(rounds: Iterable[int], kind: str, at: datetime) -> Callable[[int, int], bool]:
    """Return what tells of a round and an organisation whether work of a phase would be late now; asks for all at once."""
    numbers = set(rounds)
    due = dict(Phase.objects.filter(round__in=numbers, kind=kind).order_by().values_list("round", "due_at"))
    admissions = Admission.objects.filter(phase__round__in=numbers, phase__kind=kind).order_by()
    until = {
        (round_, body): last
        for round_, body, last in admissions.values_list("phase__round", "organisation").annotate(last=Max("until"))
    }
    return lambda round_, body: round_ in due and is_late(due[round_], at, admitted_until=until.get((round_, body)))


def programmes_for(user: User, city: Place) -> tuple[tuple[Programme, Place], ...]:
    """Return the programmes and the places around a city, itself included, in which a user may open a round.

    Places in which a round of the programme is still open are left out.
    """
    around = paths_around(city)
    led = Place.objects.filter(path__in=around)
    if not is_administrator(user):
        led = led.filter(assigned_q(user, "path", LEADING_ROLES))
    places = sorted(led, key=lambda place: -len(place.path))
    programmes = list(
        Programme.objects.filter(place__path__in=around).select_related("place").order_by("place__path", "code")
    )
    running = set(Round.objects.opened().filter(place__in=led).values_list("programme_id", "place_id"))
    return tuple(
        (programme, place)
        for place in places
        for programme in programmes
        if programme.place.path in paths_around(place) and (programme.pk, place.pk) not in running
    )


# ---- phases


def _phases(round_: Round, user: User) -> tuple[PhaseRow, ...]:
    moved: dict[str, list[Extension]] = defaultdict(list)
    entries = LogEntry.objects.filter(subject=LogEntry.Subject.ROUND, subject_id=round_.pk, event="extend").order_by(
        "at", "pk"
    )
    # That a deadline was moved is no secret; why concerns those who work on it.
    is_told = works_around(user, round_.place)
    for entry in entries:
        for kind, (before, after) in entry.details.get("due", {}).items():
            moved[kind].append(
                Extension(
                    entry.at,
                    datetime.fromisoformat(before),
                    datetime.fromisoformat(after),
                    entry.note if is_told else "",
                )
            )
    by_kind = {phase.kind: phase for phase in round_.phases.all()}
    return tuple(
        PhaseRow(kind, by_kind[kind].due_at, by_kind[kind].first_due_at, tuple(moved[kind]))
        for kind in PhaseKind
        if kind in by_kind
    )


# ---- areas


def _areas(round_: Round, city: Place, user: User) -> tuple[tuple[AreaRow, ...], tuple[NamedRow, ...]]:
    """Return the areas of a round in a city that a user may see with their needs, and the sectors."""
    places = Place.objects.visible_to(user).within(city).in_bulk()
    needs = Need.objects.filter(round=round_, state__in=OPEN_NEEDS, place__in=places)
    grouped: dict[int, dict[str, NeedCounts]] = defaultdict(dict)
    sectors = {sector.code: sector for sector in round_.sectors.all()}
    every = Sector.objects.in_bulk()
    for (place, number), counts in _counted(needs, user).items():
        sector = every[number]
        grouped[place][sector.code] = counts
        sectors.setdefault(sector.code, sector)
    near = Q(path__in=paths_around(city)) | Q(path__startswith=f"{city.path}/")
    named = list(round_.areas.filter(near).visible_to(user)) if round_.areas.all() else []
    rows: dict[int, tuple[Place, dict[str, NeedCounts]]] = {area.pk: (area, {}) for area in named}
    by_path = {area.path: area for area in named}
    for pk, by_sector in grouped.items():
        around = [by_path[path] for path in reversed(paths_around(places[pk])) if path in by_path]
        area = around[0] if around else places[pk]
        _place, sums = rows.setdefault(area.pk, (area, {}))
        for code, counts in by_sector.items():
            sums[code] = sums.get(code, NeedCounts()) + counts
    areas = [
        AreaRow(named_row(area), area.kind, sum(sums.values(), NeedCounts()), MappingProxyType(sums))
        for area, sums in rows.values()
    ]
    most = sorted(areas, key=lambda row: -row.counts.reported)[:MAX_AREAS]
    shown = sorted(most, key=lambda row: (row.area.name, row.area.code))
    return tuple(shown), tuple(map(named_row, sorted(sectors.values(), key=lambda one: (one.position, one.code))))


def _counted(needs: QuerySet[Need], user: User) -> dict[tuple[int, int], NeedCounts]:
    """Return by place and sector how many needs reached each stage."""
    found: dict[tuple[int, int], NeedCounts] = defaultdict(NeedCounts)
    grouped = (
        needs.order_by()
        .annotate(stage=need_stage(Action.objects.visible_to(user)))
        .values_list("place_id", "sector_id", "state", "stage")
        .annotate(n=Count("pk"))
    )
    for place, sector, state, stage, n in grouped:
        found[place, sector] += NeedCounts(
            n,
            n * (state == NeedState.CONFIRMED),
            *(n * (stage >= least) for least in (Stage.PROPOSED, Stage.DECIDED, Stage.DONE)),
        )
    return found


# ---- duties


def organisations_of(round_: Round) -> QuerySet[Organisation]:
    """Return the approved organisations that work in the place of a round, or in parts of it."""
    near = Q(place__path__in=paths_around(round_.place)) | Q(place__path__startswith=f"{round_.place.path}/")
    return Organisation.objects.approved().filter(near).order_by("name_fa", "code")[:MAX_ORGANISATIONS]


def _duties(round_: Round, bodies: tuple[Organisation, ...], at: datetime) -> tuple[Duty, ...]:
    phases = {phase.kind: phase for phase in round_.phases.all()}
    admitted: dict[tuple[str, int], datetime] = {}
    for kind, to, until in Admission.objects.filter(phase__round=round_).values_list(
        "phase__kind", "organisation", "until"
    ):
        admitted[kind, to] = max(until, admitted.get((kind, to), until))
    own = {body.pk: body for body in bodies}
    handed_in = _by_organisation(Need.objects.filter(round=round_).exclude(state=NeedState.WITHDRAWN))
    proposals = Proposal.objects.filter(round=round_)
    offered = _by_organisation(proposals.standing())
    returned = _by_organisation(proposals.filter(state=ProposalState.RETURNED))
    asked = _by_organisation(Assessment.objects.filter(proposal__round=round_, state=AssessmentState.ASKED))
    found = []

    def owe(body: Organisation | None, kind: PhaseKind, n: int, *, is_met: bool, due: PhaseKind | None = None) -> None:
        phase = phases.get(due or kind)
        until = admitted.get((due or kind, body.pk)) if body else None
        late = phase is not None and not is_met and is_late(phase.due_at, at, admitted_until=until)
        found.append(
            Duty(named_row(body) if body else None, kind, n, phase.due_at if phase else None, until, is_met, late)
        )

    for pk, body in own.items():
        if body.kind in PROPOSING_KINDS:
            # What was returned is due with the assessment, as `interventions.services.proposals` takes it.
            due = PhaseKind.ASSESSMENT if pk in returned else PhaseKind.PROPOSALS
            is_met = pk in offered and pk not in returned
            owe(body, PhaseKind.PROPOSALS, offered.get(pk, 0), is_met=is_met, due=due)
        else:
            owe(body, PhaseKind.NEEDS, handed_in.get(pk, 0), is_met=pk in handed_in)
    for body in Organisation.objects.filter(pk__in=asked):
        owe(body, PhaseKind.ASSESSMENT, asked[body.pk], is_met=False)
    undecided = proposals.filter(state=ProposalState.SUBMITTED).count()
    if undecided:
        owe(None, PhaseKind.DECISION, undecided, is_met=False)
    found += _overdue(round_, at)
    return tuple(sorted(found, key=_by_urgency))


def _overdue(round_: Round, at: datetime) -> list[Duty]:
    """Return by organisation the actions that should have ended."""
    today = timezone.localdate(at)
    late = (
        Action.objects.running()
        .filter(round=round_, ends_on__lt=today)
        .order_by()
        .values("organisation")
        .annotate(n=Count("pk"), first=Min("ends_on"))
    )
    rows = {row["organisation"]: row for row in late}
    zone = timezone.get_current_timezone()
    return [
        Duty(
            named_row(body),
            PhaseKind.EXECUTION,
            rows[body.pk]["n"],
            datetime.combine(rows[body.pk]["first"], datetime.max.time().replace(microsecond=0), zone),
            None,
            is_met=False,
            is_late=True,
        )
        for body in Organisation.objects.filter(pk__in=rows)
    ]


def _by_organisation(records: QuerySet[Any]) -> dict[int, int]:
    return dict(records.order_by().values_list("organisation").annotate(n=Count("pk")))


def _by_urgency(duty: Duty) -> tuple[Any, ...]:
    due = duty.due_at.timestamp() if duty.due_at else float("inf")
    name = duty.organisation.name if duty.organisation else ""
    return not duty.is_late, duty.is_met, due, list(PhaseKind).index(duty.kind), name


__all__ = [
    "AreaRow", "Duty", "Extension", "NeedCounts", "PhaseRow", "RoundFound", "RoundRow", "is_late_for", "lateness", "organisations_of",
    "programmes_for", "round_current", "round_found", "round_get", "round_row", "rounds_of", "works_around",
]  # fmt: skip
