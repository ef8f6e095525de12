"""Phases of a round: order, deadlines to the second, whatever the offset they are written in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import InvalidInput
from interventions.core.phases import PhaseKind, is_late, phases_check, phases_running

TEHRAN = timezone(timedelta(hours=3, minutes=30))
OPENED = datetime(2026, 9, 23, 8, 0, tzinfo=TEHRAN)
END_OF_AZAR = datetime(2026, 12, 21, 23, 59, 59, tzinfo=TEHRAN)
END_OF_YEAR = datetime(2027, 3, 20, 23, 59, 59, tzinfo=TEHRAN)
SECOND = timedelta(seconds=1)


def test_the_last_second_is_in_time_and_the_next_is_late() -> None:
    assert not is_late(END_OF_AZAR, END_OF_AZAR)
    assert not is_late(END_OF_AZAR, END_OF_AZAR + timedelta(microseconds=999_999))
    assert is_late(END_OF_AZAR, END_OF_AZAR + SECOND)


def test_a_moment_is_compared_not_its_spelling() -> None:
    assert not is_late(END_OF_AZAR, datetime(2026, 12, 21, 20, 29, 59, tzinfo=UTC))
    assert is_late(END_OF_AZAR, datetime(2026, 12, 21, 20, 30, 0, tzinfo=UTC))


@given(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)), st.integers(-(10**6), 10**6))
def test_late_is_whole_seconds_after(due: datetime, seconds: int) -> None:
    due_at = due.replace(microsecond=0, tzinfo=UTC)
    assert is_late(due_at, (due_at + timedelta(seconds=seconds)).astimezone(TEHRAN)) == (seconds > 0)


def test_phases_run_until_their_deadline_in_the_order_of_work() -> None:
    due = {"proposals": END_OF_YEAR, "needs": END_OF_AZAR}
    assert phases_running(due, OPENED) == (PhaseKind.NEEDS, PhaseKind.PROPOSALS)
    assert phases_running(due, END_OF_AZAR + SECOND) == (PhaseKind.PROPOSALS,)
    assert phases_running(due, END_OF_YEAR + SECOND) == ()


def test_both_phases_may_end_together() -> None:
    phases_check(OPENED, {"needs": END_OF_AZAR, "proposals": END_OF_AZAR})


@pytest.mark.parametrize(
    ("due", "where"),
    [
        ({"needs": OPENED, "proposals": END_OF_YEAR}, "needs_due"),
        ({"needs": OPENED - SECOND, "proposals": END_OF_YEAR}, "needs_due"),
        ({"needs": END_OF_YEAR, "proposals": END_OF_AZAR}, "proposals_due"),
        ({"needs": END_OF_AZAR}, "proposals_due"),
    ],
)
def test_disordered_deadlines_are_refused_by_name(due: dict[str, datetime], where: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        phases_check(OPENED, due)
    assert caught.value.where == where
