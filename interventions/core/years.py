"""Years of the Iranian calendar, from 1 Farvardin to the last day of Esfand; told everywhere by their first day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import jdatetime

from geo.errors import InvalidInput

FIRST: Final = 1300
LAST: Final = 1500


@dataclass(frozen=True, slots=True, order=True)
class Year:
    """A year of the Iranian calendar.

    Examples
    --------
    >>> Year(1404).begins_on.isoformat(), Year(1403).ends_on.isoformat(), Year(1403).previous
    ('2025-03-21', '2025-03-20', Year(number=1402))
    """

    number: int

    def __post_init__(self) -> None:
        if not FIRST <= self.number <= LAST:
            raise InvalidInput(
                f"The year {self.number} is out of range.",
                code="bad_year",
                where="year",
                remedy=f"Give a year of the Iranian calendar from {FIRST} to {LAST}.",
            )

    @property
    def begins_on(self) -> date:
        """1 Farvardin."""
        first: date = jdatetime.date(self.number, 1, 1).togregorian()
        return first

    @property
    def ends_on(self) -> date:
        """The last day of Esfand."""
        next_: date = jdatetime.date(self.number + 1, 1, 1).togregorian()
        return next_ - timedelta(days=1)

    @property
    def previous(self) -> Year:
        """The year before."""
        return Year(self.number - 1)


def year_of(day: date) -> Year:
    """Return the year in which a day lies.

    Examples
    --------
    >>> year_of(date(2025, 3, 20)), year_of(date(2025, 3, 21))
    (Year(number=1403), Year(number=1404))
    """
    return Year(int(jdatetime.date.fromgregorian(date=day).year))


__all__ = ["FIRST", "LAST", "Year", "year_of"]
