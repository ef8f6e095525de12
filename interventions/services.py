"""Writes of the network. Each asks the tables of `interventions.core.transitions` whether the person may, then stores.

The functions named `…_record` store what somebody with the right already decided, without asking again: they serve the
services here and the loading of prepared data.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, TypeVar

from django.contrib.gis.geos import Point
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models, transaction
from django.db.models import Max
from django.utils import timezone

from geo.core.crs import STORAGE_EPSG
from geo.core.text import clean_name
from geo.db.spatial import within_distance_q
from geo.errors import Conflict, Forbidden, InvalidInput
from geo.models import Boundary, Place
from geo.querysets import User
from interventions.core.phases import PhaseKind, is_late, phases_check
from interventions.core.transitions import (
    NEED,
    NEW,
    OPEN_NEEDS,
    PROPOSAL,
    ROUND,
    NeedState,
    ProposalState,
    RoundState,
    state_after,
)
from interventions.models import Need, Organisation, Phase, Programme, Proposal, Round, Sector
from interventions.querysets import LEADING_ROLES
from interventions.selectors import roles_at

RecordT = TypeVar("RecordT", bound=models.Model)

POINT_TOLERANCE_M: Final = 500.0
"""How far outside its place a need may be marked: phones err, and settlements grow past their drawn edge."""


@dataclass(frozen=True, slots=True)
class OrganisationSpec:
    """What an organisation should be."""

    place: Place
    code: str
    kind: str
    name_fa: str
    name_en: str


@dataclass(frozen=True, slots=True)
class RoundSpec:
    """What a round should be; deadlines are the last moments in time."""

    programme: Programme
    place: Place
    name_fa: str
    name_en: str
    needs_due: datetime
    proposals_due: datetime

    @property
    def due(self) -> Mapping[str, datetime]:
        """Deadlines by phase."""
        return {PhaseKind.NEEDS: self.needs_due, PhaseKind.PROPOSALS: self.proposals_due}


@dataclass(frozen=True, slots=True)
class NeedSpec:
    """What a need says; the point is longitude and latitude in EPSG:4326."""

    round: Round
    place: Place
    sector: Sector
    organisation: Organisation
    approach: str
    severity: int
    people_affected: int
    text_fa: str = ""
    text_en: str = ""
    lon_lat: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class ProposalSpec:
    """What a proposal offers."""

    round: Round
    organisation: Organisation
    needs: tuple[Need, ...]
    cost_irr: Decimal
    title_fa: str = ""
    title_en: str = ""
    effect_fa: str = ""
    effect_en: str = ""


def organisation_put(*, user: User, spec: OrganisationSpec) -> Organisation:
    """Make an organisation of a place, or bring the one of that code up to date.

    Raises
    ------
    Forbidden
        Unless the user supervises or administers the place.
    InvalidInput
        Where a name, the code or the kind is missing or malformed.
    """
    if roles_at(user, spec.place).isdisjoint(LEADING_ROLES):
        raise Forbidden(
            "Your roles in this place do not allow this.",
            code="role_missing",
            remedy=f"It takes one of the roles {', '.join(LEADING_ROLES)}.",
        )
    return organisation_record(spec)


def organisation_record(spec: OrganisationSpec) -> Organisation:
    """Store an organisation as `organisation_put` does, without asking for rights."""
    found = Organisation.objects.filter(place=spec.place, code=spec.code).first()
    organisation = found or Organisation(place=spec.place, code=spec.code)
    organisation.kind = spec.kind
    organisation.name_fa, organisation.name_en = clean_name(spec.name_fa), clean_name(spec.name_en)
    return stored(organisation, f"organisation {spec.code}")


def round_open(*, user: User, spec: RoundSpec, at: datetime | None = None) -> Round:
    """Open the next round of a programme in a place.

    Raises
    ------
    Forbidden
        Unless the user supervises or administers the place.
    InvalidInput
        Where the deadlines lie before the opening or out of the order of work, or a name is missing.
    Conflict
        Where a round of the programme is still open there.
    """
    state = state_after(ROUND, "open", state=NEW, roles=roles_at(user, spec.place))
    return round_record(spec, state=state, opened_at=at or timezone.now())


def round_record(
    spec: RoundSpec, *, state: str, opened_at: datetime, closed_at: datetime | None = None, number: int | None = None
) -> Round:
    """Store a round with its phases, without asking for rights; its number is the next one unless given."""
    phases_check(opened_at, spec.due)
    with transaction.atomic():
        Programme.objects.select_for_update().get(pk=spec.programme.pk)  # numbers are given one at a time
        earlier = Round.objects.filter(programme=spec.programme, place=spec.place)
        if state == RoundState.OPENED and earlier.opened().exists():
            raise Conflict(
                "A round of this programme is still open in this place.", code="round_open", remedy="Close it first."
            )
        made = Round(
            programme=spec.programme,
            place=spec.place,
            number=number or 1 + (earlier.aggregate(top=Max("number"))["top"] or 0),
            name_fa=clean_name(spec.name_fa),
            name_en=clean_name(spec.name_en),
            state=state,
            opened_at=opened_at,
            closed_at=closed_at,
        )
        stored(made, "round")
        Phase.objects.bulk_create([Phase(round=made, kind=kind.value, due_at=spec.due[kind]) for kind in PhaseKind])
    return made


def round_close(*, user: User, round_: Round, at: datetime | None = None) -> Round:
    """Close a round: nothing can be handed in any more.

    Raises
    ------
    Forbidden
        Unless the user supervises or administers the round's place.
    Conflict
        Where it is closed already.
    """
    with transaction.atomic():
        locked: Round = Round.objects.select_for_update(of=("self",)).select_related("place").get(pk=round_.pk)
        locked.state = state_after(ROUND, "close", state=locked.state, roles=roles_at(user, locked.place))
        locked.closed_at = at or timezone.now()
        return stored(locked, "round", fields=["state", "closed_at"])


def need_report(*, user: User, spec: NeedSpec, at: datetime | None = None) -> Need:
    """Store a need that a user reports.

    Raises
    ------
    Forbidden
        Unless the user is reporter, supervisor or administrator in the place; after the deadline, unless supervisor or
        administrator.
    Conflict
        Where the round is closed.
    InvalidInput
        Where the place is not of the round, the organisation does not work there, a value is missing or out of range,
        or the point lies far outside the place.
    """
    moment = at or timezone.now()
    with transaction.atomic():
        due_at = _due_at(spec.round, PhaseKind.NEEDS)
        roles = roles_at(user, spec.place)
        state = state_after(NEED, "report", state=NEW, roles=roles, is_late=is_late(due_at, moment))
        return need_record(spec, state=state, reporter=user, reported_at=moment)


def need_record(
    spec: NeedSpec, *, state: str, reporter: User | None, reported_at: datetime, merged_into: Need | None = None
) -> Need:
    """Store a need without asking for rights."""
    need = Need(
        round=spec.round,
        place=spec.place,
        sector=spec.sector,
        organisation=spec.organisation,
        approach=spec.approach,
        text_fa=_clean_text(spec.text_fa),
        text_en=_clean_text(spec.text_en),
        severity=spec.severity,
        people_affected=spec.people_affected,
        point=_point(spec),
        state=state,
        merged_into=merged_into,
        reporter_id=reporter.pk if reporter else None,
        reported_at=reported_at,
    )
    return stored(need, "need")


def need_review(*, user: User, need: Need, event: str, into: Need | None = None) -> Need:
    """Confirm, reject or merge a need.

    Parameters
    ----------
    event : str
        ``confirm``, ``reject`` or ``merge``.
    into : Need, optional
        The need of the same round that says the same; for ``merge`` alone.

    Raises
    ------
    Forbidden
        Unless the user supervises or administers the need's place.
    Conflict
        Where somebody has merged or rejected it meanwhile, or the other one.
    """
    with transaction.atomic():
        wanted = sorted(
            {need.pk, into.pk} if into else {need.pk}
        )  # one order of locking, so that nobody waits in a ring
        locked = {row.pk: row for row in Need.objects.select_for_update().filter(pk__in=wanted).order_by("pk")}
        current, target = locked[need.pk], locked[into.pk] if into else None
        current.state = state_after(NEED, event, state=current.state, roles=roles_at(user, current.place))
        if (target is not None) != (current.state == NeedState.MERGED) or target is current:
            raise InvalidInput(
                "A merger, and nothing else, names another need.", code="bad_merger", remedy="Choose the other need."
            )
        if target is not None and target.state not in OPEN_NEEDS:
            raise Conflict(
                "The other need is itself merged or rejected.", code="state_changed", remedy="Choose one that stands."
            )
        current.merged_into = target
        return stored(current, f"need {current.pk}", fields=["state", "merged_into"])


def proposal_submit(
    *, user: User, spec: ProposalSpec, proposal: Proposal | None = None, at: datetime | None = None
) -> Proposal:
    """Hand in a proposal: a new one, or a draft or returned one in the words of the spec.

    Raises
    ------
    Forbidden
        Unless the user is agency or administrator in the place of every need; after the deadline, unless administrator.
    Conflict
        Where the round is closed, or the proposal was decided meanwhile.
    InvalidInput
        Where it answers no need, or one of another round or that no longer stands, the organisation does not work in
        a need's place, or the cost or title is missing or malformed.
    """
    moment = at or timezone.now()
    with transaction.atomic():
        due_at = _due_at(spec.round, PhaseKind.PROPOSALS)
        current = None
        places = {need.place_id: need.place for need in spec.needs}
        if proposal is not None:
            current = Proposal.objects.select_for_update(of=("self",)).get(pk=proposal.pk)
            places |= {need.place_id: need.place for need in current.needs.select_related("place")}
        held = [roles_at(user, place) for place in (places.values() or [spec.round.place])]
        roles = frozenset.intersection(*held)
        state = state_after(
            PROPOSAL, "submit", state=current.state if current else NEW, roles=roles, is_late=is_late(due_at, moment)
        )
        return proposal_record(spec, state=state, submitted_at=moment, proposal=current)


def proposal_record(
    spec: ProposalSpec, *, state: str, submitted_at: datetime | None, proposal: Proposal | None = None
) -> Proposal:
    """Store a proposal with the needs it answers, without asking for rights."""
    made = proposal or Proposal(round=spec.round)
    if made.round_id != spec.round.pk:
        raise InvalidInput(
            "The proposal belongs to another round.",
            code="other_round",
            where="proposal, round",
            remedy="Make a new proposal in this round.",
        )
    _check_answers(spec)
    made.organisation = spec.organisation
    made.title_fa, made.title_en = clean_name(spec.title_fa), clean_name(spec.title_en)
    made.effect_fa, made.effect_en = _clean_text(spec.effect_fa), _clean_text(spec.effect_en)
    made.cost_irr, made.state, made.submitted_at = spec.cost_irr, state, submitted_at
    if state != ProposalState.DRAFT and submitted_at is None:
        raise InvalidInput(
            "A proposal that was handed in says when.",
            code="no_time",
            where="proposal, submitted_at",
            remedy="Give the time.",
        )
    with transaction.atomic():
        stored(made, "proposal").needs.set(spec.needs)
    return made


def _check_answers(spec: ProposalSpec) -> None:
    if not spec.needs:
        raise InvalidInput(
            "The proposal answers no need.", code="no_needs", where="proposal, needs", remedy="Choose at least one."
        )
    for need in spec.needs:
        if need.round_id != spec.round.pk or need.state not in OPEN_NEEDS:
            raise InvalidInput(
                f"The need {need.pk} is not one that stands in this round.",
                code="bad_need",
                where="proposal, needs",
                remedy="Leave it out, or answer the need it was merged into.",
            )
        if not spec.organisation.works_in(need.place):
            raise InvalidInput(
                f"{spec.organisation.code!r} does not work in {need.place.code!r}.",
                code="works_elsewhere",
                where="proposal, organisation",
                remedy="Choose an organisation that works there.",
            )


def _due_at(round_: Round, kind: PhaseKind) -> datetime:
    """Return a deadline of an open round, keeping the round from being closed until the transaction ends."""
    locked = Round.objects.select_for_update().get(pk=round_.pk)
    if locked.state != RoundState.OPENED:
        raise Conflict("The round is closed.", code="round_closed", remedy="Wait for the next round.")
    due_at: datetime = locked.phases.get(kind=kind).due_at
    return due_at


def _point(spec: NeedSpec) -> Point | None:
    if spec.lon_lat is None:
        return None
    lon, lat = spec.lon_lat
    if not (math.isfinite(lon) and math.isfinite(lat) and abs(lon) <= 180 and abs(lat) <= 90):
        raise InvalidInput(
            f"{lon}, {lat} is not a longitude and a latitude.",
            code="bad_point",
            where="need, point",
            remedy="Give degrees, the longitude first.",
        )
    point = Point(lon, lat, srid=STORAGE_EPSG)
    drawn = Boundary.objects.current().filter(place=spec.place)
    if drawn.exists() and not drawn.filter(within_distance_q(point, POINT_TOLERANCE_M)).exists():
        raise InvalidInput(
            f"The point {lon:.5f}, {lat:.5f} lies more than {POINT_TOLERANCE_M:.0f} m outside {spec.place.code!r}.",
            code="point_elsewhere",
            where="need, point",
            remedy="Mark it inside the place; the longitude comes first.",
        )
    return point


def _clean_text(text: str) -> str:
    """Return a text as it is stored: its lines kept, each cleaned as names are."""
    return "\n".join(map(clean_name, text.strip().splitlines()))


def stored(record: RecordT, where: str, *, fields: Collection[str] | None = None) -> RecordT:
    """Check a record as a form would, save it, and return it.

    Raises
    ------
    InvalidInput
        The first fault, with the field.
    """
    try:
        record.full_clean()
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        place = ", ".join(filter(None, (where, "" if field == NON_FIELD_ERRORS else field)))
        raise InvalidInput(str(messages[0]), code="bad_value", where=place, remedy="Correct it.") from error
    record.save(update_fields=fields)
    return record
