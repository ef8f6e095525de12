"""Phases of a round and their deadlines, to the second."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from geo.errors import InvalidInput


class PhaseKind(StrEnum):
    """What is due in a phase; in the order of work."""

    NEEDS = "needs"
    PROPOSALS = "proposals"


def is_late(due_at: datetime, at: datetime) -> bool:
    """Tell whether a deadline has passed; the last second belongs to the time allowed.

    Examples
    --------
    >>> from datetime import UTC
    >>> due = datetime(2026, 12, 21, 20, 29, 59, tzinfo=UTC)
    >>> is_late(due, due.replace(microsecond=999_999)), is_late(due, due.replace(minute=30, second=0))
    (False, True)
    """
    return at.replace(microsecond=0) > due_at


def phases_running(due: Mapping[str, datetime], at: datetime) -> tuple[PhaseKind, ...]:
    """Return the phases whose deadline has not passed, in the order of work; phases may run side by side."""
    return tuple(kind for kind in PhaseKind if kind in due and not is_late(due[kind], at))


def phases_check(opened_at: datetime, due: Mapping[str, datetime]) -> None:
    """Refuse deadlines that lie before the opening, or out of the order of work; two phases may end together.

    Raises
    ------
    InvalidInput
        Naming the phase.
    """
    earlier, after = opened_at, "the opening of the round"
    for kind in PhaseKind:
        if kind not in due:
            raise InvalidInput(
                f"The phase “{kind}” has no deadline.", code="no_deadline", where=f"{kind}_due", remedy="Give one."
            )
        if due[kind] < earlier or due[kind] == opened_at:
            raise InvalidInput(
                f"The deadline of the phase “{kind}” does not come after {after}.",
                code="deadlines_disordered",
                where=f"{kind}_due",
                remedy="Give a later deadline.",
            )
        earlier, after = due[kind], f"that of the phase “{kind}”"


__all__ = ["PhaseKind", "is_late", "phases_check", "phases_running"]
