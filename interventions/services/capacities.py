"""Capacities of a place: recorded as needs are, amended, withdrawn and restored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from django.contrib.gis.geos import GEOSGeometry
from django.db import transaction
from django.utils import timezone

from geo.core.text import clean_name
from geo.errors import Conflict, InvalidInput
from geo.models import Place
from geo.querysets import User
from interventions.core.transitions import NEW, CapacityState
from interventions.models import Capacity, Organisation, Sector
from interventions.selectors.rights import roles_for
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

AMENDABLE: Final = ("place", "kind", "text_fa", "text_en", "amount", "contact", "geometry")
"""What of a capacity may be said otherwise later; its sectors besides."""

_REVIEWS: Final = ("withdraw", "restore")


@dataclass(frozen=True, slots=True)
class CapacitySpec:
    """What a place has and can give.

    Attributes
    ----------
    organisation
        That recorded it, and answers for it.
    sectors
        In which it may help; none where it may help in any.
    contact
        How to reach who gives it: for those who lead in the place and for the organisation.
    lon_lat
        Longitude and latitude in EPSG:4326, where it is a point.
    geometry
        A line or an area in EPSG:4326; instead of the point.
    ticket
        Named by who sends, so that sending again records it once.
    """

    place: Place
    kind: str
    organisation: Organisation
    text_fa: str = ""
    text_en: str = ""
    sectors: tuple[Sector, ...] = ()
    amount: int | None = None
    contact: str = ""
    lon_lat: tuple[float, float] | None = None
    geometry: GEOSGeometry | None = None
    ticket: UUID | None = None


def capacity_put(*, user: User, spec: CapacitySpec, at: datetime | None = None) -> Capacity:
    """Record a capacity; one whose ticket is known is returned as it was recorded.

    Raises
    ------
    Forbidden
        Unless the user acts in the place for the organisation, or leads there.
    Conflict
        Where the ticket is that of another person's capacity.
    InvalidInput
        Where the organisation does not work there, a value is missing or out of range, or the point lies far outside the place.
    """
    moment = at or timezone.now()
    with transaction.atomic():
        known = ticket_known(Capacity, spec.ticket, user)
        if known is not None:
            return known
        roles = roles_for(user, spec.place, spec.organisation)
        state_next(Capacity(place=spec.place), "record", state=NEW, roles=roles)
        return capacity_record(spec, reporter=user, reported_at=moment)


def capacity_record(spec: CapacitySpec, *, reporter: User | None, reported_at: datetime) -> Capacity:
    """Store a capacity without asking for rights."""
    capacity = Capacity(
        organisation=spec.organisation,
        reporter_id=reporter.pk if reporter else None,
        reported_at=reported_at,
        ticket=spec.ticket or uuid4(),
    )
    _fill(capacity, spec)
    with transaction.atomic():
        stored(capacity, "capacity")
        capacity.sectors.set(spec.sectors)
        log_write(capacity, "record", user=reporter, state_to=CapacityState.RECORDED.value, at=reported_at)
    return capacity


def capacity_amend(
    *, user: User, capacity: Capacity, spec: CapacitySpec, version: int, at: datetime | None = None
) -> Capacity:
    """Say a capacity otherwise; what it said before is kept in the log, but for the contact, which is nobody else's to read.

    Parameters
    ----------
    version
        The capacity's version that the person had before them.

    Raises
    ------
    Forbidden
        As `capacity_put`, in the place where it was and in that where it shall be.
    Conflict
        Where it is withdrawn, or somebody amended it meanwhile (code ``stale``).
    InvalidInput
        As `capacity_put`; the organisation stays.
    """
    with transaction.atomic():
        locked = _locked(capacity)
        body = locked.organisation
        roles = roles_for(user, locked.place, body) & roles_for(user, spec.place, body)
        state = state_next(locked, "amend", state=locked.state, roles=roles)
        if locked.version != version:
            raise Conflict(
                "Somebody has amended this capacity meanwhile.",
                code="stale",
                remedy="Load it again, and enter what you want to change.",
            )
        before = values_of(locked, AMENDABLE)
        sectors = sorted(locked.sectors.values_list("pk", flat=True))
        _fill(locked, spec)
        changed = changes_since(before, locked)
        if "contact" in changed:
            changed["contact"] = ""
        if sectors != sorted(sector.pk for sector in spec.sectors):
            changed["sectors"] = sectors
        if not changed:
            return locked
        locked.version += 1
        stored(locked, f"capacity {locked.pk}")
        locked.sectors.set(spec.sectors)
        log_write(locked, "amend", user=user, state_from=state, state_to=state, at=at, details=changed)
        return locked


def capacity_review(
    *, user: User, capacity: Capacity, event: str, reason: str = "", at: datetime | None = None
) -> Capacity:
    """Withdraw what is not there any more, or restore it.

    Parameters
    ----------
    event : str
        ``withdraw`` or ``restore``.

    Raises
    ------
    Forbidden
        Unless the user acts in the place for the organisation, or leads there; only who leads restores.
    Conflict
        Where somebody did so meanwhile.
    """
    if event not in _REVIEWS:
        raise InvalidInput(
            f"{event[:40]!r} is nothing that can be done to a capacity here.",
            code="unknown_event",
            where="event",
            remedy=f"Choose one of {', '.join(_REVIEWS)}.",
        )
    moment = at or timezone.now()
    with transaction.atomic():
        locked = _locked(capacity)
        before = locked.state
        roles = roles_for(user, locked.place, locked.organisation)
        after = state_next(locked, event, state=before, roles=roles, note=reason)
        locked.archived_at = moment if after == CapacityState.WITHDRAWN else None
        locked.version += 1
        stored(locked, f"capacity {locked.pk}", fields=["archived_at", "version"])
        log_write(locked, event, user=user, state_from=before, state_to=after, at=moment, note=reason)
        return locked


def _locked(capacity: Capacity) -> Capacity:
    found: Capacity = (
        Capacity.objects.select_for_update(of=("self",), no_key=True)
        .select_related("place", "organisation__place")
        .get(pk=capacity.pk)
    )
    return found


def _fill(capacity: Capacity, spec: CapacitySpec) -> None:
    """Write what a spec says into a capacity."""
    geometry = spec.geometry if spec.geometry is not None else point_at(spec.lon_lat, "capacity, point")
    check_near(geometry, spec.place, "capacity, point")
    capacity.place, capacity.kind, capacity.amount, capacity.geometry = spec.place, spec.kind, spec.amount, geometry
    capacity.text_fa, capacity.text_en = text_clean(spec.text_fa), text_clean(spec.text_en)
    capacity.contact = clean_name(spec.contact)


__all__ = ["AMENDABLE", "CapacitySpec", "capacity_amend", "capacity_put", "capacity_record", "capacity_review"]
