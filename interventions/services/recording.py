"""What every write of the network does: ask the table of transitions, check the record as a form would, store it, log it."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, TypeVar
from uuid import UUID

from django.contrib.auth.models import AbstractUser
from django.contrib.gis.geos import GEOSGeometry, Point
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import connection, models
from django.utils import timezone

from geo.core.crs import STORAGE_EPSG
from geo.core.text import clean_name
from geo.db.spatial import within_distance_q
from geo.errors import Conflict, InvalidInput, MahallehError
from geo.models import Boundary, Place
from geo.querysets import User
from interventions.core.transitions import MACHINES, NEEDS_REASON, state_after
from interventions.models import MAX_TEXT, Capacity, LogEntry, Need, Organisation
from interventions.selectors.records import place_of, subject_of
from interventions.services.notices import change_tell

RecordT = TypeVar("RecordT", bound=models.Model)
SentT = TypeVar("SentT", Need, Capacity)

POINT_TOLERANCE_M: Final = 500.0
"""How far outside its place something may be marked: phones err, and settlements grow past their drawn edge."""


def state_next(
    record: models.Model, event: str, *, state: str, roles: Collection[str], is_late: bool = False, note: str = ""
) -> str:
    """Return the state that an event leads a record to, if its table allows it to these roles.

    Raises
    ------
    Forbidden, Conflict, InvalidInput
        As `state_after`; and ``no_reason`` where one has to be given and is not.
    """
    subject = subject_of(record)
    target = state_after(MACHINES[subject], event, state=state, roles=roles, is_late=is_late)
    if (subject, event) in NEEDS_REASON and not note.strip():
        raise InvalidInput(
            "This is not done without a reason.", code="no_reason", where="reason", remedy="Say why, in a sentence."
        )
    if len(note) > MAX_TEXT:
        raise InvalidInput(
            f"The reason is longer than {MAX_TEXT} characters.", code="too_long", where="reason", remedy="Shorten it."
        )
    return target


def log_write(
    record: models.Model,
    event: str,
    *,
    user: User | None,
    state_from: str = "",
    state_to: str = "",
    at: datetime | None = None,
    note: str = "",
    details: Mapping[str, Any] | None = None,
) -> LogEntry:
    """Write down what was done to a record, and tell those concerned; in the transaction that does it, so that there is none without the others."""
    own = record if isinstance(record, Organisation) else getattr(record, "organisation", None)
    named = user if isinstance(user, AbstractUser) and user.pk is not None else None
    entry: LogEntry = LogEntry.objects.create(
        at=at or timezone.now(),
        actor_id=named.pk if named else None,
        actor_name=(named.get_full_name() or named.get_username())[:200] if named else "",
        subject=subject_of(record),
        subject_id=record.pk,
        event=event,
        state_from=state_from,
        state_to=state_to,
        place=place_of(record),
        organisation=own,
        note=text_clean(note),
        details=dict(details or {}),
    )
    change_tell(record, entry)
    return entry


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


def values_of(record: models.Model, names: Collection[str]) -> dict[str, Any]:
    """Return values of a record's fields as the log keeps them."""
    return {name: _plain(getattr(record, name)) for name in names}


def changes_since(before: Mapping[str, Any], record: models.Model) -> dict[str, Any]:
    """Return what a record said before, of `values_of`, where it says something else now."""
    now = values_of(record, before)
    return {name: was for name, was in before.items() if now[name] != was}


def _plain(value: Any) -> Any:
    if isinstance(value, GEOSGeometry):
        return value.geojson
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return value.pk if isinstance(value, models.Model) else value


def text_clean(text: str) -> str:
    """Return a text as it is stored: its lines kept, each cleaned as names are."""
    return "\n".join(map(clean_name, text.strip().splitlines()))


@contextmanager
def located(where: str) -> Iterator[None]:
    """Say of an error of one of several records, which of them it is about."""
    try:
        yield
    except MahallehError as error:
        if not error.where.startswith(where):
            error.where = ", ".join(filter(None, (where, error.where)))
        raise


def ticket_known(model: type[SentT], ticket: UUID | None, user: User) -> SentT | None:
    """Return what a user stored under a ticket before, None where it is the first time; in a transaction.

    Two sendings of one ticket come here at once when a phone gives up waiting: the second waits until the first is stored.

    Raises
    ------
    Conflict
        Where the ticket is that of another person.
    """
    if ticket is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ticket.int % 2**63])
    known: SentT | None = model.objects.filter(ticket=ticket).first()
    if known is not None and known.reporter_id != user.pk:
        raise ticket_taken()
    return known


def ticket_taken() -> Conflict:
    """Return the error of who sends something under the ticket of something else."""
    return Conflict(
        "Something else was sent under this ticket.",
        code="ticket_taken",
        where="ticket",
        remedy="Send it again under a new one.",
    )


def point_at(lon_lat: tuple[float, float] | None, where: str) -> Point | None:
    """Return a point of the storage CRS from a longitude and a latitude.

    Raises
    ------
    InvalidInput
        Where these are none.
    """
    if lon_lat is None:
        return None
    lon, lat = lon_lat
    if not (math.isfinite(lon) and math.isfinite(lat) and abs(lon) <= 180 and abs(lat) <= 90):
        raise InvalidInput(
            f"{lon}, {lat} is not a longitude and a latitude.",
            code="bad_point",
            where=where,
            remedy="Give degrees, the longitude first.",
        )
    return Point(lon, lat, srid=STORAGE_EPSG)


def check_near(geometry: GEOSGeometry | None, place: Place, where: str) -> None:
    """Refuse what is marked far outside a place whose boundary is known.

    Raises
    ------
    InvalidInput
        With a point of it.
    """
    if geometry is None:
        return
    drawn = Boundary.objects.current().filter(place=place)
    if drawn.exists() and not drawn.filter(within_distance_q(geometry, POINT_TOLERANCE_M)).exists():
        some = geometry if isinstance(geometry, Point) else geometry.point_on_surface
        raise InvalidInput(
            f"The point {some.x:.5f}, {some.y:.5f} lies more than {POINT_TOLERANCE_M:.0f} m outside {place.code!r}.",
            code="point_elsewhere",
            where=where,
            remedy="Mark it inside the place; the longitude comes first.",
        )
