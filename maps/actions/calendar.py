"""The calendar of actions: twelve months, Jalali in Persian, with a strip for each action. Pure: the day and the language are arguments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import jdatetime

from interventions.selectors.actions import ActionMark, ActionRow
from maps.pages import formats

MONTHS: Final = 12
MONTH_UNITS: Final = 100
"""Width of a month in a strip; all months are equally wide."""


@dataclass(frozen=True, slots=True)
class Month:
    """A column of the calendar: its name, its year where that begins or the calendar does, and whether it is now."""

    name: str
    year: str
    is_now: bool


@dataclass(frozen=True, slots=True)
class Strip:
    """When an action is planned, and when it was at work, in units of `MONTH_UNITS` from the left; None where outside.

    ``is_before`` and ``is_after`` say that it goes on beyond the twelve months.
    """

    planned: tuple[float, float] | None
    worked: tuple[float, float] | None
    is_before: bool
    is_after: bool


@dataclass(frozen=True, slots=True)
class Calendar:
    """Twelve months.

    Attributes
    ----------
    starts
        The first day of each month, and the day after the last.
    today
        Where today is, in units; None where it is outside.
    """

    starts: tuple[date, ...]
    months: tuple[Month, ...]
    today: float | None
    earlier: date
    later: date
    is_rtl: bool

    @property
    def width(self) -> int:
        """All months together, in units."""
        return MONTHS * MONTH_UNITS

    def strip(self, row: ActionRow, today: date) -> Strip:
        """Return the strip of an action."""
        begun = row.started_on
        ended = row.done_on or (today if row.is_running else row.ends_on)
        worked = self._span(begun, min(ended, today)) if begun is not None and begun <= min(ended, today) else None
        return Strip(
            self._span(row.starts_on, row.ends_on),
            worked,
            row.starts_on < self.starts[0],
            row.ends_on >= self.starts[-1],
        )

    def _span(self, first: date, last: date) -> tuple[float, float] | None:
        """Return where a span of days begins and how wide it is; both days belong to it."""
        begin, end = max(first, self.starts[0]), min(last + timedelta(days=1), self.starts[-1])
        if begin >= end:
            return None
        low, high = self.units(begin), self.units(end)
        return (round(self.width - high if self.is_rtl else low, 1), round(high - low, 1))

    def units(self, day: date) -> float:
        """Return how far a day is from the beginning of the calendar."""
        k = max((k for k, start in enumerate(self.starts) if start <= day), default=0)
        if k >= MONTHS:
            return float(self.width)
        length = (self.starts[k + 1] - self.starts[k]).days
        return MONTH_UNITS * (k + (day - self.starts[k]).days / length)


def calendar_of(rows: Sequence[ActionMark], today: date, begin: date | None, language: str) -> Calendar:
    """Return the twelve months from a day's month on; without one, those in which most of the work is now.

    That is from two months before this one, or earlier where then all of it can be seen.
    """
    if begin is None:
        begin = month_start(today, -2, language)
        if rows:
            first, last = min(row.starts_on for row in rows), max(row.ends_on for row in rows)
            if month_start(first, MONTHS, language) > last:
                begin = month_start(min(first, begin), 0, language)
                if month_start(begin, MONTHS, language) <= last:
                    begin = month_start(first, 0, language)
    begin = month_start(begin, 0, language)
    starts = tuple(month_start(begin, k, language) for k in range(MONTHS + 1))
    months = []
    for k, start in enumerate(starts[:-1]):
        _day, name, year = formats.day(start, language).split(" ")
        is_new = k == 0 or _number(start, language)[1] == 1
        months.append(Month(name, year if is_new else "", start <= today < starts[k + 1]))
    is_rtl = language == "fa"
    found = Calendar(
        starts,
        tuple(months),
        None,
        month_start(begin, -6, language),
        month_start(begin, 6, language),
        is_rtl,
    )
    if not starts[0] <= today < starts[-1]:
        return found
    at = found.units(today) + MONTH_UNITS / 60
    return Calendar(
        starts, tuple(months), round(found.width - at if is_rtl else at, 1), found.earlier, found.later, is_rtl
    )


def month_start(day: date, months: int, language: str) -> date:
    """Return the first day of the month that lies so many months after that of a day: Jalali in Persian.

    Examples
    --------
    >>> month_start(date(2026, 11, 22), 0, "fa"), month_start(date(2026, 11, 22), 0, "en"), month_start(date(2026, 3, 25), -1, "fa")
    (datetime.date(2026, 11, 22), datetime.date(2026, 11, 1), datetime.date(2026, 2, 20))
    """
    year, month = _number(day, language)
    at = year * 12 + month - 1 + months
    year, month = at // 12, at % 12 + 1
    if language != "fa":
        return date(year, month, 1)
    start: date = jdatetime.date(year, month, 1).togregorian()
    return start


def _number(day: date, language: str) -> tuple[int, int]:
    if language != "fa":
        return day.year, day.month
    jalali = jdatetime.date.fromgregorian(date=day)
    return jalali.year, jalali.month
