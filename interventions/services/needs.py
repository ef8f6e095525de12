"""Needs: reported, amended, confirmed, merged, rejected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from django.contrib.gis.geos import GEOSGeometry
from django.db import transaction
from django.utils import timezone

from geo.errors import Conflict, InvalidInput
from geo.models import Place
from geo.querysets import User
from interventions.core.phases import PhaseKind
from interventions.core.transitions import NEW, OPEN_NEEDS, NeedState
from interventions.models import PEOPLE_GROUPS, Need, Organisation, Round, Sector
from interventions.selectors.rights import paths_around, roles_at, roles_for
from interventions.services.recording import (
    changes_since,
    check_near,
    log_write,
    point_at,
    state_next,
    stored,
    text_clean,
    ticket_known,
    values_of,
)
from interventions.services.rounds import late_in
from layers.models import Service

AMENDABLE: Final = (
    "place",
    "sector",
    "approach",
    "severity",
    "people_affected",
    *(f"{group}_affected" for group in PEOPLE_GROUPS),
    "text_fa",
    "text_en",
    "geometry",
    "service",
)
"""What of a need may be said otherwise later."""


@dataclass(frozen=True, slots=True)
class NeedSpec:
    """What a need says.

    Attributes
    ----------
    people_by_group
        Of the people affected, how many are of each of `interventions.models.PEOPLE_GROUPS`; groups not counted are left out.
    lon_lat
        Longitude and latitude in EPSG:4326, where it is a point.
    geometry
        A line or an area in EPSG:4326; instead of the point.
    ticket
        Named by who sends, so that sending again makes no second need.
    """

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
    geometry: GEOSGeometry | None = None
    people_by_group: Mapping[str, int] = field(default_factory=dict)
    service: Service | None = None
    ticket: UUID | None = None


def need_report(*, user: User, spec: NeedSpec, at: datetime | None = None) -> Need:
    """Store a need that a user reports; one whose ticket is known is returned as it was stored.

    Raises
    ------
    Forbidden
        Unless the user is reporter in the place for the organisation, or supervisor or administrator; after the deadline, unless
        supervisor or administrator, or let in.
    Conflict
        Where the round is closed, or the ticket is that of another person's need.
    InvalidInput
        Where the place is not of the round, the organisation does not work there, a value is missing or out of range,
        or the point lies far outside the place.
    """
    moment = at or timezone.now()
    with transaction.atomic():
        known = ticket_known(Need, spec.ticket, user)
        if known is not None:
            return known
        is_late = late_in(spec.round, PhaseKind.NEEDS, moment, spec.organisation)
        roles = roles_for(user, spec.place, spec.organisation)
        state = state_next(Need(place=spec.place), "report", state=NEW, roles=roles, is_late=is_late)
        return need_record(spec, state=state, reporter=user, reported_at=moment)


def need_record(
    spec: NeedSpec, *, state: str, reporter: User | None, reported_at: datetime, merged_into: Need | None = None
) -> Need:
    """Store a need without asking for rights."""
    need = Need(
        round=spec.round,
        organisation=spec.organisation,
        state=state,
        merged_into=merged_into,
        reporter_id=reporter.pk if reporter else None,
        reported_at=reported_at,
        ticket=spec.ticket or uuid4(),
    )
    _fill(need, spec)
    with transaction.atomic():
        stored(need, "need")
        log_write(need, "report", user=reporter, state_to=str(state), at=reported_at)
    return need


def need_amend(*, user: User, need: Need, spec: NeedSpec, version: int, at: datetime | None = None) -> Need:
    """Say a need otherwise while nobody has confirmed it; what it said before is kept in the log.

    Parameters
    ----------
    version
        The need's version that the person had before them.

    Raises
    ------
    Forbidden
        As `need_report`.
    Conflict
        Where the round is closed, the need was reviewed meanwhile, or somebody amended it (code ``stale``).
    InvalidInput
        As `need_report`; the round and the organisation stay.
    """
    moment = at or timezone.now()
    with transaction.atomic():
        # The round first, as everywhere, so that nobody waits in a ring.
        is_late = late_in(need.round, PhaseKind.NEEDS, moment, need.organisation)
        locked: Need = Need.objects.select_for_update(of=("self",), no_key=True).select_related("place").get(pk=need.pk)
        organisation = locked.organisation
        roles = roles_for(user, locked.place, organisation) & roles_for(user, spec.place, organisation)
        state = state_next(locked, "amend", state=locked.state, roles=roles, is_late=is_late)
        if locked.version != version:
            raise Conflict(
                "Somebody has amended this need meanwhile.",
                code="stale",
                remedy="Load it again, and enter what you want to change.",
            )
        before = values_of(locked, AMENDABLE)
        _fill(locked, replace(spec, round=locked.round, organisation=organisation))
        changed = changes_since(before, locked)
        if not changed:
            return locked
        locked.version += 1
        stored(locked, f"need {locked.pk}")
        log_write(locked, "amend", user=user, state_from=state, state_to=state, at=moment, details=changed)
        return locked


def need_review(
    *, user: User, need: Need, event: str, into: Need | None = None, reason: str = "", at: datetime | None = None
) -> Need:
    """Confirm, reject, merge, reopen or withdraw a need.

    What answers a need that is merged answers the other one from then on too.

    Parameters
    ----------
    event : str
        ``confirm``, ``reject``, ``merge``, ``reopen`` or ``withdraw``.
    into : Need, optional
        The need of the same round that says the same; for ``merge`` alone.
    reason : str
        Why; a need is not rejected without.

    Raises
    ------
    Forbidden
        Unless the user supervises or administers the need's place, and that of the other one; one's own organisation's need may
        be withdrawn.
    Conflict
        Where somebody has merged or rejected it meanwhile, or the other one; or it is withdrawn from a round that is closed.
    InvalidInput
        Where there is no reason and one is asked for, or a merger names no other need of the round.
    """
    if event not in _REVIEWS:
        raise InvalidInput(
            f"{event[:40]!r} is nothing that can be done to a need here.",
            code="unknown_event",
            where="event",
            remedy=f"Choose one of {', '.join(_REVIEWS)}.",
        )
    with transaction.atomic():
        if event == "withdraw":
            late_in(need.round, PhaseKind.NEEDS, at or timezone.now(), need.organisation)
        # One order of locking, so that nobody waits in a ring.
        wanted = sorted({need.pk, into.pk} if into else {need.pk})
        locked = {
            row.pk: row for row in Need.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by("pk")
        }
        current, target = locked[need.pk], locked[into.pk] if into else None
        before = current.state
        roles = roles_for(user, current.place, current.organisation)
        if target is not None:
            roles &= roles_at(user, target.place)
        current.state = state_next(current, event, state=before, roles=roles, note=reason)
        if (target is not None) != (current.state == NeedState.MERGED) or target is current:
            raise InvalidInput(
                "A merger, and nothing else, names another need.", code="bad_merger", remedy="Choose the other need."
            )
        if target is not None and target.state not in OPEN_NEEDS:
            raise Conflict(
                "The other need is itself merged or rejected.", code="state_changed", remedy="Choose one that stands."
            )
        if current.state == NeedState.MERGED:
            # What was merged into this one now says the same as the other: chains would hide it.
            current.merged.update(merged_into=target)
        current.merged_into = target
        current.version += 1
        stored(current, f"need {current.pk}", fields=["state", "merged_into", "version"])
        if target is not None:
            target.proposals.add(*current.proposals.all())
            target.actions.add(*current.actions.all())
        log_write(
            current,
            event,
            user=user,
            state_from=before,
            state_to=current.state,
            at=at,
            note=reason,
            details={"merged_into": target.pk} if target else {},
        )
        return current


_REVIEWS: Final = ("confirm", "reject", "merge", "reopen", "withdraw")


def _fill(need: Need, spec: NeedSpec) -> None:
    """Write what a spec says into a need."""
    unknown = set(spec.people_by_group) - set(PEOPLE_GROUPS)
    if unknown:
        raise InvalidInput(
            f"No group of people is called {min(unknown)[:40]!r}.",
            code="unknown_group",
            where="need, people",
            remedy=f"Known are {', '.join(PEOPLE_GROUPS)}.",
        )
    if spec.place.path != spec.round.place.path and spec.round.place.path not in paths_around(spec.place):
        raise InvalidInput(
            "This place is not part of the place of the round.",
            code="place_elsewhere",
            where="need, place",
            remedy="Choose a place of the round.",
        )
    areas = list(spec.round.areas.all())
    if areas and not any(area.path in paths_around(spec.place) for area in areas):
        raise InvalidInput(
            f"{spec.place.code!r} is none of the areas of the round.",
            code="place_elsewhere",
            where="need, place",
            remedy=f"Choose one of {', '.join(area.name for area in areas)}.",
        )
    if spec.round.approaches and spec.approach not in spec.round.approaches:
        raise InvalidInput(
            "The round is not about this approach.",
            code="other_approach",
            where="need, approach",
            remedy=f"It is about {', '.join(spec.round.approaches)}.",
        )
    sectors = list(spec.round.sectors.all())
    if sectors and spec.sector not in sectors:
        raise InvalidInput(
            "The round is not about this sector.",
            code="other_sector",
            where="need, sector",
            remedy=f"It is about {', '.join(sector.name for sector in sectors)}.",
        )
    geometry = spec.geometry if spec.geometry is not None else point_at(spec.lon_lat, "need, point")
    check_near(geometry, spec.place, "need, point")
    need.place, need.sector, need.approach = spec.place, spec.sector, spec.approach
    need.severity, need.people_affected = spec.severity, spec.people_affected
    for group in PEOPLE_GROUPS:
        setattr(need, f"{group}_affected", spec.people_by_group.get(group))
    need.text_fa, need.text_en = text_clean(spec.text_fa), text_clean(spec.text_en)
    need.geometry, need.service = geometry, spec.service


__all__ = ["AMENDABLE", "NeedSpec", "need_amend", "need_record", "need_report", "need_review"]
