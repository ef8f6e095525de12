"""Who is reminded of what is owed, and when; who is told of silence past a deadline; what a digest covers.

Nothing is remembered here. Each thing that is told has a key that stays the same however often it is asked for, so that whoever
stores the keys tells each once: a run that is broken off, late or done twice loses nothing and repeats nothing.
Days begin and end, and hours are counted, in Tehran.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

TEHRAN: Final = ZoneInfo("Asia/Tehran")

TOLD_AT: Final = time(7, 0)
"""Reminders and digests of a day are told from this hour on, never in the night before."""

DAYS_BEFORE: Final = (14, 7, 3, 1, -1)
"""Days before a deadline on which it is told; −1 is the day after."""

SILENT_DAYS: Final = 30
"""Work under way is reported at least once in so many days."""


class Matter(StrEnum):
    """What is owed."""

    NEEDS = "needs"
    PROPOSALS = "proposals"
    DRAFTS = "drafts"
    RETURNED = "returned"
    ASSESSMENTS = "assessments"
    DECISIONS = "decisions"


class Level(StrEnum):
    """Who is told that a department is silent."""

    DEPARTMENT = "department"
    SUPERVISOR = "supervisor"
    ABOVE = "above"


SILENT_FOR_DAYS: Final = {Level.DEPARTMENT: 1, Level.SUPERVISOR: 3, Level.ABOVE: 7}
"""After how many days of silence past a deadline each is told: the department itself, its supervisor, the one above."""


@dataclass(frozen=True, slots=True)
class Owed:
    """What an organisation owes in a round.

    Attributes
    ----------
    round
        Its number.
    organisation
        Its number; 0 for the supervisor of the round.
    n
        How many; 0 where it is the first that is owed.
    due_at
        By when, extensions and admissions counted.
    """

    round: int
    organisation: int
    matter: Matter
    n: int
    due_at: datetime

    @property
    def key(self) -> str:
        """The same for the same debt; another one when the deadline is moved to another day."""
        return f"{self.round}:{self.organisation}:{self.matter}:{_day(self.due_at)}"


@dataclass(frozen=True, slots=True)
class Reminder:
    """A reminder that is due.

    Attributes
    ----------
    days_before
        Which of `DAYS_BEFORE` it is.
    """

    owed: Owed
    days_before: int

    @property
    def key(self) -> str:
        """What makes it the same reminder."""
        return f"reminder:{self.owed.key}:{self.days_before}"


@dataclass(frozen=True, slots=True)
class Escalation:
    """Silence of a department that somebody has to be told of."""

    owed: Owed
    level: Level

    @property
    def key(self) -> str:
        """What makes it the same escalation."""
        return f"escalation:{self.owed.key}:{self.level}"


def told_from(due_at: datetime, days_before: int) -> datetime:
    """Return the moment from which a deadline is told so many days before, or after where they are negative.

    Examples
    --------
    >>> due = datetime(2026, 12, 21, 23, 59, 59, tzinfo=TEHRAN)
    >>> print(told_from(due, 1), told_from(due, -1))
    2026-12-20 07:00:00+03:30 2026-12-22 07:00:00+03:30
    """
    day = due_at.astimezone(TEHRAN).date() - timedelta(days=days_before)
    return datetime.combine(day, TOLD_AT, TEHRAN)


def reminders_due(owed: Iterable[Owed], at: datetime) -> tuple[Reminder, ...]:
    """Return the reminders that are due: of each debt the latest alone, not those that were missed before it.

    Of assessments that are owed past the deadline nobody is reminded: that is what `escalations_due` is for.

    Examples
    --------
    >>> due = datetime(2026, 12, 21, 23, 59, 59, tzinfo=TEHRAN)
    >>> needs = Owed(1, 5, Matter.NEEDS, 0, due)
    >>> [reminders_due([needs], due - timedelta(days=days))[0].days_before for days in (12, 6, 0)]
    [14, 7, 1]
    >>> reminders_due([needs], due - timedelta(days=15))
    ()
    """
    found = []
    for one in owed:
        steps = [days for days in DAYS_BEFORE if told_from(one.due_at, days) <= at]
        if steps and not (one.matter == Matter.ASSESSMENTS and at > one.due_at):
            found.append(Reminder(one, steps[-1]))
    return tuple(found)


def escalations_due(owed: Iterable[Owed], at: datetime) -> tuple[Escalation, ...]:
    """Return whom silence about assessments has reached: all that are due, as each level is other people.

    Examples
    --------
    >>> due = datetime(2026, 12, 21, 23, 59, 59, tzinfo=TEHRAN)
    >>> asked = Owed(1, 5, Matter.ASSESSMENTS, 2, due)
    >>> [[one.level.value for one in escalations_due([asked], due + timedelta(days=days))] for days in (0, 2, 8)]
    [[], ['department'], ['department', 'supervisor', 'above']]
    """
    return tuple(
        Escalation(one, level)
        for one in owed
        if one.matter == Matter.ASSESSMENTS
        for level, days in SILENT_FOR_DAYS.items()
        if told_from(one.due_at, -days) <= at
    )


def digest_span(last_until: datetime | None, at: datetime) -> tuple[datetime, datetime] | None:
    """Return from when until when the next digest tells what came in; None where the last one told it.

    Parameters
    ----------
    last_until
        Until when the last digest told it; None where there was none.
    at
        The moment of the run.

    Examples
    --------
    >>> at = datetime(2026, 12, 21, 9, 30, tzinfo=TEHRAN)
    >>> print(*digest_span(None, at))
    2026-12-20 07:00:00+03:30 2026-12-21 07:00:00+03:30
    >>> digest_span(datetime(2026, 12, 21, 7, 0, tzinfo=TEHRAN), at) is None
    True
    """
    local = at.astimezone(TEHRAN)
    until = datetime.combine(local.date(), TOLD_AT, TEHRAN)
    if local < until:
        until -= timedelta(days=1)
    since = last_until if last_until is not None else until - timedelta(days=1)
    return (since, until) if since < until else None


def _day(moment: datetime) -> str:
    return moment.astimezone(TEHRAN).date().isoformat()


__all__ = [
    "DAYS_BEFORE", "SILENT_DAYS", "SILENT_FOR_DAYS", "TEHRAN", "TOLD_AT", "Escalation", "Level", "Matter", "Owed", "Reminder",
    "digest_span", "escalations_due", "reminders_due", "told_from",
]  # fmt: skip
