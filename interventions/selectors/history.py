"""What happened to one record of the network, as somebody may read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from django.db.models import Model

from analysis.disclosure import is_insider
from geo.querysets import User
from interventions.core.transitions import MembershipState
from interventions.models import LogEntry, Membership, Organisation
from interventions.selectors.records import place_of, subject_of


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One thing that was done to a record.

    Attributes
    ----------
    event
        A key of the record's table in `interventions.core.transitions`.
    note
        Why; empty for the public, whom reasons given inside the network do not concern.
    details
        What the record said before, by field; empty for the public.
    actor
        Who did it, by name; None for all but those who lead in the place, and the person.
    """

    at: datetime
    event: str
    state_from: str
    state_to: str
    note: str
    details: Mapping[str, Any]
    actor: str | None
    is_own: bool


def history_of(record: Model, user: User) -> tuple[HistoryRow, ...]:
    """Return what happened to a record, the latest first; nothing of a record that the user may not see."""
    if not type(record)._default_manager.visible_to(user).filter(pk=record.pk).exists():  # type: ignore[attr-defined]
        return ()
    is_inside = is_insider(user, place_of(record)) or _belongs(record, user)
    entries = LogEntry.objects.filter(subject=subject_of(record), subject_id=record.pk)
    led = set(entries.visible_to(user).order_by().values_list("pk", flat=True))
    return tuple(
        HistoryRow(
            at=entry.at,
            event=entry.event,
            state_from=entry.state_from,
            state_to=entry.state_to,
            note=entry.note if is_inside else "",
            details=MappingProxyType(entry.details if is_inside else {}),
            actor=entry.actor_name or None if entry.pk in led or _is(user, entry.actor_id) else None,
            is_own=_is(user, entry.actor_id),
        )
        for entry in entries.order_by(
            "-pk"
        )  # as they were written: what happens to a record happens one after the other
    )


def _belongs(record: Model, user: User) -> bool:
    """Tell whether a record is the user's membership, or that of an organisation of which the user is or asks to be a member."""
    if not (user.is_authenticated and user.is_active):
        return False
    if isinstance(record, Membership) and record.user_id == user.pk:
        return True
    organisation_id: Any = record.pk if isinstance(record, Organisation) else getattr(record, "organisation_id", None)
    states = (MembershipState.APPLIED, MembershipState.APPROVED)
    held = Membership.objects.filter(organisation_id=organisation_id, user_id=user.pk, state__in=states)
    # Who only asks is told about the organisation, not about its work.
    return bool(
        held.filter(state=MembershipState.APPROVED).exists() or (isinstance(record, Organisation) and held.exists())
    )


def _is(user: User, actor_id: int | None) -> bool:
    return bool(user.is_authenticated and actor_id is not None and actor_id == user.pk)
