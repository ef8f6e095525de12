"""Days and moments as people type them: Jalali or Gregorian, in digits of any script. Pure but for the zone of the site."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Final

import jdatetime
from django.utils import timezone

from geo.core.text import normalise
from geo.errors import InvalidInput

FIRST_GREGORIAN_YEAR: Final = 1700
"""A year before this one is of the Jalali calendar: 1405 is 2026."""

LAST_YEAR: Final = 9000
"""Later ones have no Jalali date."""

_DAY: Final = re.compile(r"(\d{4})\s+(\d{1,2})\s+(\d{1,2})")
_MOMENT: Final = re.compile(rf"{_DAY.pattern}(?:\s+(\d{{1,2}})\s+(\d{{2}})(?:\s+(\d{{2}}))?)?")


def day_typed(text: str, where: str) -> date:
    """Read a day such as ۱۴۰۵/۰۱/۳۱ or 2026-04-20.

    Raises
    ------
    InvalidInput
        Where it is none; ``where`` names the field.

    Examples
    --------
    >>> day_typed("۱۴۰۵/۱/۳۱", "due"), day_typed("2026-04-20", "due")
    (datetime.date(2026, 4, 20), datetime.date(2026, 4, 20))
    >>> day_typed("1405/12/30", "due")
    Traceback (most recent call last):
    geo.errors.InvalidInput: due: There is no such day in the calendar. Look at the month: the twelfth of a Jalali year has 29 days in most years.
    """
    found = _DAY.fullmatch(normalise(text[:40]))
    if found is None:
        raise _no_date(where)
    return _day(found, where)


def deadline_typed(text: str, where: str) -> datetime:
    """Read the last moment of something, such as ۱۴۰۵/۰۱/۳۱ ۲۳:۵۹, in the zone of the site.

    A minute lasts until its last second, a day without a time until its last minute.

    Raises
    ------
    InvalidInput
        Where it is none; ``where`` names the field.

    Examples
    --------
    >>> deadline_typed("۱۴۰۵/۰۱/۳۱ ۲۳:۵۹", "due").isoformat()
    '2026-04-20T23:59:59+03:30'
    >>> deadline_typed("2026-04-20", "due") == deadline_typed("1405-1-31 23:59:59", "due")
    True
    """
    found = _MOMENT.fullmatch(normalise(text[:40]))
    if found is None:
        raise _no_date(where)
    on = _day(found, where)
    hour, minute, second = (
        int(part) if part else standard for part, standard in zip(found.groups()[3:], (23, 59, 59), strict=True)
    )
    if hour > 23 or minute > 59 or second > 59:
        raise InvalidInput(
            "There is no such time of day.",
            code="bad_time",
            where=where,
            remedy="Write hours and minutes, such as 23:59.",
        )
    return datetime(on.year, on.month, on.day, hour, minute, second, tzinfo=timezone.get_current_timezone())


def _day(found: re.Match[str], where: str) -> date:
    year, month, day = (int(part) for part in found.groups()[:3])
    try:
        on: date = (
            jdatetime.date(year, month, day).togregorian() if year < FIRST_GREGORIAN_YEAR else date(year, month, day)
        )
    except ValueError as error:
        raise InvalidInput(
            "There is no such day in the calendar.",
            code="bad_date",
            where=where,
            remedy="Look at the month: the twelfth of a Jalali year has 29 days in most years.",
        ) from error
    if on.year > LAST_YEAR:
        raise _no_date(where)
    return on


def _no_date(where: str) -> InvalidInput:
    return InvalidInput(
        "This is no date.",
        code="bad_date",
        where=where,
        remedy="Write the year, the month and the day, such as ۱۴۰۵/۰۱/۳۱ or 2026-04-20.",
    )
