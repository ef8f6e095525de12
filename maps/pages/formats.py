"""Numbers, shares, distances and dates as a Persian or English reader writes them. Pure: the language is an argument.

What is stored and computed stays ASCII and Gregorian; these functions are the edge where it becomes reading matter.
The browser's twin of this module is ``static/maps/js/numbers.js``; both are tested with the same examples.
"""

from __future__ import annotations

import math
import re
from datetime import date, datetime
from typing import Final, Literal

import jdatetime

Language = Literal["fa", "en"]

DASH: Final = "–"
"""Stands where there is no value."""

LEVEL_M_PER_HOUR: Final = 5000.0
"""What is walked on level ground in an hour: time is told as such metres too."""

_PERSIAN_DIGITS: Final = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
_PERSIAN_LETTER: Final = re.compile("[\u0600-\u06ff]")
_JALALI_MONTHS: Final = (
    "فروردین", "اردیبهشت", "خرداد", "تیر", "مرداد", "شهریور", "مهر", "آبان", "آذر", "دی", "بهمن", "اسفند",
)  # fmt: skip
_ENGLISH_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def digits(text: object, language: str) -> str:
    """Write the digits of a text in the reader's digits; nothing else changes.

    Examples
    --------
    >>> digits("n12", "fa")
    'n۱۲'
    """
    return str(text).translate(_PERSIAN_DIGITS) if language == "fa" else str(text)


def number(value: float | None, language: str, decimals: int = 0) -> str:
    """Write a number with thousands separators, rounded half up.

    Examples
    --------
    >>> number(8430.4, "fa"), number(8430.4, "en"), number(-1.25, "en", 1), number(None, "fa")
    ('۸٬۴۳۰', '8,430', '−1.3', '–')
    """
    if value is None or not math.isfinite(value):
        return DASH
    scale = 10**decimals
    rounded = math.floor(abs(value) * scale + 0.5) / scale
    text = f"{rounded:,.{decimals}f}"
    if language == "fa":
        text = text.replace(",", "٬").replace(".", "٫").translate(_PERSIAN_DIGITS)
    return f"−{text}" if value < 0 and rounded > 0 else text


def percent(share: float | None, language: str, decimals: int = 0) -> str:
    """Write a share (0 to 1) as per cent; a share that is nearly none or nearly all gets a decimal and is never rounded to it.

    Examples
    --------
    >>> percent(0.62, "fa"), percent(0.62, "en"), percent(0.997, "en"), percent(0.9999, "en"), percent(1.0, "en")
    ('۶۲٪', '62%', '99.7%', '99.9%', '100%')
    """
    if share is None or not math.isfinite(share):
        return DASH
    value = share * 100
    if decimals == 0 and (0 < value < 1 or 99 < value < 100):
        decimals, value = 1, min(max(value, 0.1), 99.9)
    return number(value, language, decimals) + ("٪" if language == "fa" else "%")


def distance(metres: float | None, language: str) -> str:
    """Write a distance: metres below one kilometre, else kilometres with one decimal where it says something.

    Examples
    --------
    >>> distance(800, "fa"), distance(1200, "en"), distance(2000, "en"), distance(999.7, "en")
    ('۸۰۰ متر', '1.2 km', '2 km', '1 km')
    """
    if metres is None or not math.isfinite(metres):
        return DASH
    rounded = math.floor(metres + 0.5)
    if rounded < 1000:
        return f"{number(rounded, language)} {'متر' if language == 'fa' else 'm'}"
    kilometres = math.floor(metres / 100 + 0.5) / 10
    text = number(kilometres, language, 0 if kilometres == int(kilometres) or kilometres >= 100 else 1)
    return f"{text} {'کیلومتر' if language == 'fa' else 'km'}"


def cost(metres: float | None, language: str, is_time: bool) -> str:
    """Write a distance; where it stands for time, with the minutes in which it is walked on level ground, at 5 km/h.

    Examples
    --------
    >>> cost(800, "fa", True), cost(2500, "en", True), cost(800, "en", False), cost(None, "en", True)
    ('۸۰۰ متر (۱۰ دقیقه)', '2.5 km (30 min)', '800 m', '–')
    """
    if not is_time or metres is None or not math.isfinite(metres):
        return distance(metres, language)
    minutes = number(metres * 60 / LEVEL_M_PER_HOUR, language)
    return f"{distance(metres, language)} ({minutes} {'دقیقه' if language == 'fa' else 'min'})"


def day(value: date | datetime | None, language: str) -> str:
    """Write a date: Jalali in Persian, Gregorian in English.

    Examples
    --------
    >>> day(date(2022, 8, 1), "fa"), day(date(2022, 8, 1), "en"), day(None, "en")
    ('۱۰ مرداد ۱۴۰۱', '1 August 2022', '–')
    """
    if value is None:
        return DASH
    if language != "fa":
        return f"{value.day} {_ENGLISH_MONTHS[value.month - 1]} {value.year}"
    jalali = jdatetime.date.fromgregorian(day=value.day, month=value.month, year=value.year)
    return digits(f"{jalali.day} {_JALALI_MONTHS[jalali.month - 1]} {jalali.year}", "fa")


def moment(value: datetime | None, language: str) -> str:
    """Write a local date and time of day.

    Examples
    --------
    >>> moment(datetime(2026, 12, 21, 23, 59, 59), "fa"), moment(datetime(2026, 12, 21, 23, 59), "en")
    ('۳۰ آذر ۱۴۰۵، ساعت ۲۳:۵۹', '21 December 2026, 23:59')
    """
    if value is None:
        return DASH
    between = "، ساعت " if language == "fa" else ", "
    return f"{day(value, language)}{between}{digits(f'{value:%H:%M}', language)}"


def day_in_figures(value: date | datetime | None, language: str) -> str:
    """Write a date in figures, as it is typed into forms: Jalali in Persian, Gregorian in English.

    Examples
    --------
    >>> day_in_figures(date(2026, 4, 20), "fa"), day_in_figures(date(2026, 4, 20), "en"), day_in_figures(None, "fa")
    ('۱۴۰۵/۰۱/۳۱', '2026-04-20', '')
    """
    if value is None:
        return ""
    if language != "fa":
        return f"{value:%Y-%m-%d}"
    jalali = jdatetime.date.fromgregorian(day=value.day, month=value.month, year=value.year)
    return digits(f"{jalali.year:04d}/{jalali.month:02d}/{jalali.day:02d}", "fa")


def isolated(name: str, language: str) -> str:
    """Keep a name of the other script from reordering the sentence it stands in (Unicode isolates; nothing visible).

    Without it, a Latin name and the number after it change places in a Persian sentence.

    Examples
    --------
    >>> isolated("ماسور", "fa") == "ماسور", isolated("Japuí", "en") == "Japuí", len(isolated("Japuí", "fa"))
    (True, True, 7)
    """
    is_other = (_PERSIAN_LETTER.search(name) is None) == (language == "fa")
    return f"\u2068{name}\u2069" if is_other else name


def listing(items: list[str], language: str) -> str:
    """Join words into one phrase: «الف، ب و پ», "a, b and c".

    Examples
    --------
    >>> listing(["a", "b", "c"], "en"), listing(["الف", "ب"], "fa"), listing([], "en")
    ('a, b and c', 'الف و ب', '')
    """
    comma, and_ = ("، ", " و ") if language == "fa" else (", ", " and ")
    return and_.join(filter(None, [comma.join(items[:-1]), *items[-1:]]))
