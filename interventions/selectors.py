"""Reads of the network: sums that everybody may be told, rows for those with a role, rounds and their deadlines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from django.db.models import Case, CharField, Count, F, Max, Q, When
from django.utils.translation import get_language

from analysis.disclosure import is_insider, suppressed
from geo.models import Assignment, Place
from geo.querysets import User, assigned_q, is_administrator
from interventions.core.phases import PhaseKind, phases_running
from interventions.core.transitions import NeedState, RoundState
from interventions.models import Need, Proposal, Round, in_readers_language
from interventions.querysets import LEADING_ROLES

MAX_ROWS = 500


@dataclass(frozen=True, slots=True)
class NamedRow:
    """A code and a name in both languages: a sector, a place, an organisation."""

    code: str
    name_fa: str
    name_en: str

    @property
    def name(self) -> str:
        """The name in the language of the reader."""
        return self.name_en if get_language() == "en" else self.name_fa


@dataclass(frozen=True, slots=True)
class SectorSummary:
    """What is lacking in a place in one sector.

    Attributes
    ----------
    sector
        The sector.
    needs
        Needs reported or confirmed; merged and rejected ones are left out.
    confirmed
        Those of them that the supervisor confirmed.
    people_affected
        People affected, at least: of each place the need that affects most, summed over places, so that a person with
        several needs is not counted several times. None where it is too small a number to be told to the public.
    severity_max
        The gravest of the needs, 1 to 5.
    proposals
        Proposals that answer at least one of these needs, handed in and not refused.
    """

    sector: NamedRow
    needs: int
    confirmed: int
    people_affected: int | None
    severity_max: int
    proposals: int


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
class NeedRow:
    """A need as those with a role in its place see it; the reporter only for those who supervise there."""

    pk: int
    place: NamedRow
    sector: NamedRow
    organisation: NamedRow
    approach: str
    text_fa: str
    text_en: str
    severity: int
    people_affected: int
    state: str
    reported_at: datetime
    lon_lat: tuple[float, float] | None
    proposals: int
    reporter: str | None

    @property
    def text(self) -> str:
        """The text in the language of the reader, or in the other where it was not written in that."""
        return in_readers_language(self.text_fa, self.text_en)


def roles_at(user: User, place: Place) -> frozenset[str]:
    """Return the roles a user holds in a place, by assignment to it or to a place around it.

    Django's superusers are administrators everywhere; anonymous and inactive users have no role.
    """
    if is_administrator(user):
        return frozenset({Assignment.Role.ADMINISTRATOR.value})
    if not (user.is_authenticated and user.is_active):
        return frozenset()
    held = Assignment.objects.filter(user_id=user.pk, place__path__in=_paths_around(place))
    return frozenset(held.values_list("role", flat=True))


def needs_summary(place: Place, user: User) -> tuple[SectorSummary, ...]:
    """Return what is lacking in a place, sector by sector; sectors without needs are left out.

    People with a role in the place are told about its whole subtree, exactly. All others are told about the published
    places in it, and small numbers of people not at all; nor is a sum told where what is withheld of its parts is
    small, because the parts that are told could be subtracted from it.
    """
    insider = is_insider(user, place)
    needs = Need.objects.within(place).counted()
    if not insider:
        needs = needs.filter(place__in=Place.objects.visible_to(user))
    grouped = (
        needs.order_by()
        .values("sector__code", "sector__name_fa", "sector__name_en", "sector__position", "place_id")
        .annotate(
            needs=Count("pk"),
            confirmed=Count("pk", filter=Q(state=NeedState.CONFIRMED)),
            people=Max("people_affected"),
            worst=Max("severity"),
        )
    )
    by_sector: dict[tuple[int, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in grouped:
        by_sector[row["sector__position"], row["sector__code"]].append(row)
    if not by_sector:
        return ()
    answers = Proposal.needs.through.objects.filter(need__in=needs, proposal__in=Proposal.objects.standing())
    proposals = dict(
        answers.order_by().values_list("need__sector__code").annotate(found=Count("proposal_id", distinct=True))
    )
    return tuple(
        SectorSummary(
            sector=NamedRow(code, rows[0]["sector__name_fa"], rows[0]["sector__name_en"]),
            needs=sum(row["needs"] for row in rows),
            confirmed=sum(row["confirmed"] for row in rows),
            people_affected=_told([row["people"] for row in rows], exactly=insider),
            severity_max=max(row["worst"] for row in rows),
            proposals=proposals.get(code, 0),
        )
        for (_, code), rows in sorted(by_sector.items())
    )


def _told(by_place: list[int], *, exactly: bool) -> int | None:
    withheld = sum(people for people in by_place if suppressed(people))
    return sum(by_place) if exactly or not (suppressed(sum(by_place)) or suppressed(withheld)) else None


def need_list(place: Place, user: User, *, limit: int = MAX_ROWS) -> tuple[NeedRow, ...]:
    """Return the needs of a place's subtree that a user may see, gravest first; none for the public.

    The reporter's name leaves the database only where the user is supervisor or administrator of the need's place.
    """
    supervised = Q(pk__isnull=False) if is_administrator(user) else assigned_q(user, "place__path", LEADING_ROLES)
    needs = (
        Need.objects.visible_to(user)
        .within(place)
        .annotate(
            told_reporter=Case(When(supervised, then=F("reporter__username")), output_field=CharField()),
            answers=Count("proposals", filter=Q(proposals__in=Proposal.objects.standing())),
        )
        .select_related("place", "sector", "organisation")
        .order_by("-severity", "reported_at", "pk")[:limit]
    )
    return tuple(
        NeedRow(
            pk=need.pk,
            place=_named(need.place),
            sector=_named(need.sector),
            organisation=_named(need.organisation),
            approach=need.approach,
            text_fa=need.text_fa,
            text_en=need.text_en,
            severity=need.severity,
            people_affected=need.people_affected,
            state=need.state,
            reported_at=need.reported_at,
            lon_lat=(need.point.x, need.point.y) if need.point else None,
            proposals=need.answers,
            reporter=need.told_reporter,
        )
        for need in needs
    )


def round_current(city: Place) -> RoundRow | None:
    """Return the newest open round of a city or of a place around it; None where there is none."""
    newest = (
        Round.objects.opened()
        .filter(place__path__in=_paths_around(city))
        .select_related("programme", "place")
        .prefetch_related("phases")
        .order_by("-opened_at", "-pk")
        .first()
    )
    return _round_row(newest) if newest else None


def _round_row(found: Round) -> RoundRow:
    return RoundRow(
        pk=found.pk,
        number=found.number,
        name_fa=found.name_fa,
        name_en=found.name_en,
        programme=_named(found.programme),
        place=_named(found.place),
        is_open=found.state == RoundState.OPENED,
        opened_at=found.opened_at,
        closed_at=found.closed_at,
        due=MappingProxyType({phase.kind: phase.due_at for phase in found.phases.all()}),
    )


def _named(thing: Any) -> NamedRow:
    return NamedRow(thing.code, thing.name_fa, thing.name_en)


def _paths_around(place: Place) -> list[str]:
    parts = place.path.split("/")
    return ["/".join(parts[: end + 1]) for end in range(len(parts))]
