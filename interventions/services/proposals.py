"""Proposals: drafted, handed in, withdrawn; assessed by departments; decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from django.contrib.gis.geos import GEOSGeometry
from django.db import transaction
from django.utils import timezone

from geo.core.text import clean_name
from geo.errors import Conflict, InvalidInput
from geo.querysets import User
from interventions.core.phases import PhaseKind
from interventions.core.transitions import NEW, OPEN_NEEDS, ProposalState
from interventions.models import Need, Organisation, Proposal, Round, Sector
from interventions.selectors.rights import roles_at, roles_for
from interventions.services.notices import overlaps_order
from interventions.services.recording import (
    changes_since,
    check_near,
    log_write,
    point_at,
    state_next,
    stored,
    text_clean,
    values_of,
)
from interventions.services.rounds import late_in
from layers.models import Service

AMENDABLE: Final = (
    "organisation",
    "sector",
    "title_fa",
    "title_en",
    "effect_fa",
    "effect_en",
    "geometry",
    "service",
    "capacity",
    "starts_on",
    "ends_on",
    "people_targeted",
    "cost_irr",
    "own_funding_irr",
)
"""What of a proposal may be said otherwise later, besides the needs it answers."""


@dataclass(frozen=True, slots=True)
class ProposalSpec:
    """What a proposal offers.

    Attributes
    ----------
    lon_lat
        Longitude and latitude in EPSG:4326, where it is a point.
    geometry
        A line or an area in EPSG:4326; instead of the point.
    service
        A new facility of this service at the point.
    """

    round: Round
    organisation: Organisation
    needs: tuple[Need, ...]
    cost_irr: Decimal
    title_fa: str = ""
    title_en: str = ""
    effect_fa: str = ""
    effect_en: str = ""
    sector: Sector | None = None
    lon_lat: tuple[float, float] | None = None
    geometry: GEOSGeometry | None = None
    service: Service | None = None
    capacity: float | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    own_funding_irr: Decimal = Decimal(0)
    people_targeted: int | None = None


def proposal_save(
    *,
    user: User,
    spec: ProposalSpec,
    proposal: Proposal | None = None,
    version: int | None = None,
    at: datetime | None = None,
) -> Proposal:
    """Keep a draft: a new one, or a draft or returned proposal in the words of the spec; nothing is handed in.

    Raises
    ------
    Forbidden
        Unless the user is agency for the organisation, supervisor or administrator in the place of every need.
    Conflict
        Where the round is closed, the proposal was handed in or decided meanwhile, or somebody changed it (code ``stale``).
    InvalidInput
        As `proposal_submit`.
    """
    return _put("amend" if proposal else "draft", user=user, spec=spec, proposal=proposal, version=version, at=at)


def proposal_submit(
    *,
    user: User,
    spec: ProposalSpec,
    proposal: Proposal | None = None,
    version: int | None = None,
    at: datetime | None = None,
) -> Proposal:
    """Hand in a proposal: a new one, or a draft or returned one in the words of the spec.

    Raises
    ------
    Forbidden
        Unless the user is agency for the organisation, supervisor or administrator in the place of every need; after the deadline,
        unless supervisor or administrator, or let in. What was returned is due with the assessment.
    Conflict
        Where the round is closed, the proposal was decided meanwhile, or somebody changed it (code ``stale``).
    InvalidInput
        Where it answers no need, or one of another round or that no longer stands, the organisation does not work in
        a need's place, or the cost or title is missing or malformed.
    """
    return _put("submit", user=user, spec=spec, proposal=proposal, version=version, at=at)


def proposal_withdraw(*, user: User, proposal: Proposal, reason: str = "", at: datetime | None = None) -> Proposal:
    """Take a proposal back.

    Raises
    ------
    Forbidden
        Unless the user is agency for its organisation, supervisor or administrator in the place of every need.
    Conflict
        Where it was decided meanwhile, or the round is closed.
    """
    with transaction.atomic():
        late_in(proposal.round, PhaseKind.PROPOSALS, at or timezone.now(), proposal.organisation)
        current = proposal_locked(proposal)
        before = current.state
        current.state = state_next(current, "withdraw", state=before, roles=_roles(user, current), note=reason)
        current.version += 1
        stored(current, "proposal", fields=["state", "version"])
        log_write(current, "withdraw", user=user, state_from=before, state_to=current.state, at=at, note=reason)
        return current


def proposal_return(
    *, user: User, proposal: Proposal, reason: str, version: int | None = None, at: datetime | None = None
) -> Proposal:
    """Give a proposal back to be completed; handed in again, it is due with the assessment.

    Raises
    ------
    Forbidden
        Unless the user supervises or administers the round's place.
    Conflict
        Where it was withdrawn or decided meanwhile, somebody changed it (code ``stale``), or the round is closed.
    InvalidInput
        Where no reason is given.
    """
    with transaction.atomic():
        late_in(proposal.round, PhaseKind.PROPOSALS, at or timezone.now(), proposal.organisation)
        current = proposal_locked(proposal)
        before, roles = current.state, roles_at(user, current.round.place)
        current.state = state_next(current, "return", state=before, roles=roles, note=reason)
        _version_check(current, version)
        current.version += 1
        stored(current, "proposal", fields=["state", "version"])
        log_write(current, "return", user=user, state_from=before, state_to=current.state, at=at, note=reason)
        return current


def proposal_record(
    spec: ProposalSpec,
    *,
    state: str,
    submitted_at: datetime | None,
    proposal: Proposal | None = None,
    author: User | None = None,
    at: datetime | None = None,
) -> Proposal:
    """Store a proposal with the needs it answers, without asking for rights."""
    made = proposal or Proposal(round=spec.round, author_id=author.pk if author else None)
    before = made.state if proposal else NEW
    if made.round_id != spec.round.pk:
        raise InvalidInput(
            "The proposal belongs to another round.",
            code="other_round",
            where="proposal, round",
            remedy="Make a new proposal in this round.",
        )
    before_values = values_of(made, AMENDABLE) if proposal else {}
    geometry = spec.geometry if spec.geometry is not None else point_at(spec.lon_lat, "proposal, point")
    places = {need.place_id: need.place for need in spec.needs}
    # What answers needs of several places may stand between them.
    check_near(geometry, next(iter(places.values())) if len(places) == 1 else spec.round.place, "proposal, point")
    made.organisation, made.geometry, made.service, made.capacity = (
        spec.organisation,
        geometry,
        spec.service,
        spec.capacity,
    )
    made.sector = spec.sector or _sector_of(spec.needs)
    made.title_fa, made.title_en = clean_name(spec.title_fa), clean_name(spec.title_en)
    made.effect_fa, made.effect_en = text_clean(spec.effect_fa), text_clean(spec.effect_en)
    made.starts_on, made.ends_on, made.people_targeted = spec.starts_on, spec.ends_on, spec.people_targeted
    made.cost_irr, made.own_funding_irr = spec.cost_irr, spec.own_funding_irr
    made.state, made.submitted_at = state, submitted_at
    if proposal is not None:
        made.version += 1
    if state not in (ProposalState.DRAFT, ProposalState.WITHDRAWN) and submitted_at is None:
        raise InvalidInput(
            "A proposal that was handed in says when.",
            code="no_time",
            where="proposal, submitted_at",
            remedy="Give the time.",
        )
    with transaction.atomic():
        _check_answers(spec)
        answered = set(made.needs.values_list("pk", flat=True)) if proposal else set()
        stored(made, "proposal").needs.set(spec.needs)
        handed_in = state != before and submitted_at is not None
        event = "submit" if handed_in else "amend" if proposal else "draft"
        details = changes_since(before_values, made)
        if proposal and answered != {need.pk for need in spec.needs}:
            details["needs"] = sorted(answered)
        log_write(
            made,
            event,
            user=author,
            state_from=before,
            state_to=str(state),
            at=at or (submitted_at if event == "submit" else None),
            details=details,
        )
    return made


def proposal_locked(proposal: Proposal) -> Proposal:
    """Return a proposal as it is now, kept from being changed by others until the transaction ends."""
    found: Proposal = (
        Proposal.objects.select_for_update(of=("self",), no_key=True)
        .select_related("round__place", "organisation__place")
        .get(pk=proposal.pk)
    )
    return found


def _put(
    event: str,
    *,
    user: User,
    spec: ProposalSpec,
    proposal: Proposal | None,
    version: int | None,
    at: datetime | None,
) -> Proposal:
    moment = at or timezone.now()
    with transaction.atomic():
        # The round first, as everywhere, so that nobody waits in a ring.
        late_in(spec.round, PhaseKind.PROPOSALS, moment, spec.organisation)
        current = proposal_locked(proposal) if proposal is not None else None
        returned = current is not None and current.state == ProposalState.RETURNED
        phase = PhaseKind.ASSESSMENT if returned else PhaseKind.PROPOSALS
        is_late = late_in(spec.round, phase, moment, spec.organisation)
        roles = _roles(user, current, spec)
        before = current.state if current else NEW
        state = state_next(current or Proposal(round=spec.round), event, state=before, roles=roles, is_late=is_late)
        if current is not None:
            _version_check(current, version)
        submitted_at = moment if event == "submit" else current.submitted_at if current else None
        made = proposal_record(spec, state=state, submitted_at=submitted_at, proposal=current, author=user, at=moment)
        if event == "submit":
            overlaps_order(made)
        return made


def _version_check(current: Proposal, version: int | None) -> None:
    if version is not None and current.version != version:
        raise Conflict(
            "Somebody has changed this proposal meanwhile.",
            code="stale",
            remedy="Load it again, and enter what you want to change.",
        )


def _roles(user: User, current: Proposal | None, spec: ProposalSpec | None = None) -> frozenset[str]:
    """Return the roles held in the place of every need that the proposal answers, or would answer."""
    places = {need.place_id: need.place for need in spec.needs} if spec else {}
    round_place = (spec or current).round.place  # type: ignore[union-attr]
    if current is not None:
        places |= {need.place_id: need.place for need in current.needs.select_related("place")}
    organisations = {
        found.pk: found for found in (spec and spec.organisation, current and current.organisation) if found
    }
    held = [
        roles_for(user, place, organisation)
        for place in (places.values() or [round_place])
        for organisation in organisations.values()
    ]
    return frozenset.intersection(*held)


def _sector_of(needs: tuple[Need, ...]) -> Sector | None:
    """Return the sector of all needs, None where they are of several."""
    found = {need.sector_id: need.sector for need in needs}
    return next(iter(found.values())) if len(found) == 1 else None


def _check_answers(spec: ProposalSpec) -> None:
    if not spec.needs:
        raise InvalidInput(
            "The proposal answers no need.", code="no_needs", where="proposal, needs", remedy="Choose at least one."
        )
    # As they are now, and until this is stored: somebody may be merging one into another.
    locked = Need.objects.select_for_update(of=("self",), no_key=True).filter(pk__in={need.pk for need in spec.needs})
    for need in locked.select_related("place").order_by("pk"):
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


__all__ = [
    "AMENDABLE",
    "ProposalSpec",
    "proposal_locked",
    "proposal_record",
    "proposal_return",
    "proposal_save",
    "proposal_submit",
    "proposal_withdraw",
]
