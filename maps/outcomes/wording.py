"""Values, units, verdicts and years as readers write them. Pure but for the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext as _

from geo.core.text import normalise
from geo.models import Place
from interventions.core.years import Year
from maps.pages import formats
from maps.pages.reader import language

GLYPHS: Final[Mapping[str, str]] = {"better": "▲", "worse": "▼", "mixed": "◆", "unclear": "○", "unknown": "–"}
"""Marks that tell verdicts apart without colours."""


def year_text(year: Year) -> str:
    """Write a year: in English with the Gregorian years it lies in."""
    lang = language()
    text = formats.digits(year.number, lang)
    return text if lang == "fa" else f"{text} ({year.begins_on.year}/{year.ends_on.year % 100:02d})"


def verdict_name(verdict: str) -> str:
    """Return the word for what became of a place or an indicator."""
    return {
        "better": _("really better"),
        "worse": _("really worse"),
        "mixed": _("better in some, worse in others"),
        "unclear": _("no real change"),
        "unknown": _("not measured"),
    }[verdict]


def kinds_name(kind: str) -> str:
    """Return the plural of a kind of place."""
    return {
        Place.Kind.COUNTRY: _("Countries"),
        Place.Kind.PROVINCE: _("Provinces"),
        Place.Kind.COUNTY: _("Counties"),
        Place.Kind.CITY: _("Cities"),
        Place.Kind.DISTRICT: _("Districts"),
        Place.Kind.NEIGHBOURHOOD: _("Neighbourhoods"),
        Place.Kind.SETTLEMENT: _("Informal settlements"),
    }[Place.Kind(kind)]


def unit_name(unit: str) -> str:
    """Return a unit in the reader's language; one that is not among the usual ones as it was entered."""
    usual = {
        "people": _("people"),
        "households": _("households"),
        "days": _("days"),
        "minutes": _("minutes"),
        "rials": _("rials"),
        "%": _("%"),
    }
    return usual.get(normalise(unit) or unit, unit)


def _decimals(value: float) -> int:
    return 0 if abs(value) >= 100 or abs(value - round(value)) < 0.05 else 1


def value_text(value: float, unit: str) -> str:
    """Write a value with its unit."""
    text = formats.number(value, language(), _decimals(value))
    return f"{text}{unit_name(unit)}" if unit == "%" else f"{text} {unit_name(unit)}"


def number_text(value: float) -> str:
    """Write a value without its unit."""
    return formats.number(value, language(), _decimals(value))


def signed(value: float) -> str:
    """Write a difference with its sign, which stays on the left in Persian too."""
    text = formats.number(abs(value), language(), _decimals(value))
    sign = "" if value == 0 else "+" if value > 0 else "−"
    return f"\u2066{sign}{text}\u2069"


def entry(value: float | None) -> str:
    """Write a value as it stands in the entry of a form: the reader's digits, no separators."""
    if value is None:
        return ""
    text = f"{value:.12g}"
    return formats.digits(text.replace(".", "٫"), "fa") if language() == "fa" else text


__all__ = [
    "GLYPHS",
    "entry",
    "kinds_name",
    "number_text",
    "signed",
    "unit_name",
    "value_text",
    "verdict_name",
    "year_text",
]
