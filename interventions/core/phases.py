"""Phases of a round and their deadlines, to the second."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from geo.errors import InvalidInput


class PhaseKind(StrEnum):
    """What is due in a phase; in the order of work."""

    NEEDS = "needs"
    PROPOSALS = "proposals"
    ASSESSMENT = "assessment"
    DECISION = "decision"
    EXECUTION = "execution"
    EVALUATION = "evaluation"


def is_late(due_at: datetime, at: datetime, *, admitted_until: datetime | None = None) -> bool:
    """Tell whether a deadline has passed; the last second belongs to the time allowed.

    Parameters
    ----------
    due_at
        The deadline.
    at
        The moment of the act.
    admitted_until
        Until when the supervisor lets in the one who acts; None where nobody did.

    Examples
    --------
    >>> from datetime import UTC, timedelta
    >>> due = datetime(2026, 12, 21, 20, 29, 59, tzinfo=UTC)
    >>> is_late(due, due.replace(microsecond=999_999)), is_late(due, due.replace(minute=30, second=0))
    (False, True)
    >>> is_late(due, due + timedelta(days=2), admitted_until=due + timedelta(days=3))
    False
    """
    last = due_at if admitted_until is None else max(due_at, admitted_until)
    return at.replace(microsecond=0) > last


def phases_running(due: Mapping[str, datetime], at: datetime) -> tuple[PhaseKind, ...]:
    """Return the phases whose deadline has not passed, in the order of work; phases may run side by side."""
    return tuple(kind for kind in PhaseKind if kind in due and not is_late(due[kind], at))


def phase_current(due: Mapping[str, datetime], at: datetime) -> PhaseKind | None:
    """Return the phase that is due next, the first in the order of work where several end together; None after the last."""
    running = phases_running(due, at)
    return min(running, key=lambda kind: due[kind]) if running else None


REQUIRED_PHASES: Final = (PhaseKind.NEEDS, PhaseKind.PROPOSALS)
"""Phases that every round has; the others have a deadline where one was set, and are never late where none was."""


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
            if kind not in REQUIRED_PHASES:
                continue
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


__all__ = ["REQUIRED_PHASES", "PhaseKind", "is_late", "phase_current", "phases_check", "phases_running"]
