"""Template filters: numbers, distances and dates as the reader of the page writes them; and inline icons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from django import template
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from analysis.results import CityCoverage, ServiceRow, TravelRow
from maps.pages import formats, measured
from maps.problems import text_told

register = template.Library()

_ICONS = Path(__file__).resolve().parent.parent / "static" / "maps" / "icons"


def _language() -> str:
    return "en" if get_language() == "en" else "fa"


@register.filter
def plain(value: float) -> str:
    """Write a number for machines (attributes, drawings): ASCII, no separators, no needless zeros."""
    return f"{float(value):.6g}" if abs(float(value)) < 1e6 else f"{float(value):.0f}"


@register.filter
def get(mapping: Mapping[str, Any] | None, key: str) -> Any:
    """Look a key up; nothing where it is missing."""
    return mapping.get(key) if mapping else None


@register.filter
def isolate(text: object) -> str:
    """Keep a text of either script from reordering the sentence it is put into."""
    return f"\u2068{text}\u2069"


@register.filter
def listed(items: Iterable[str]) -> str:
    """Join words into one phrase."""
    return formats.listing(list(items), _language())


@register.filter
def problem_title(problem: Mapping[str, Any]) -> str:
    """Say in the reader's language what went wrong; the error's own English message stands below it."""
    by_code = {
        "unknown_city": _("There is no such city here, or you may not see it"),
        "unknown_place": _("There is no such place in this city, or you may not see it"),
        "unknown_service": _("This city has no such service"),
        "no_places": _("This city has no approved boundaries yet"),
        "no_services": _("This city has no service to rank by yet"),
        "bad_number": _("A number in the address cannot be used"),
        "bad_weight": _("These weights cannot be used"),
    }
    by_status = {
        400: _("Something in the request cannot be used"),
        403: _("You may not do this here"),
        404: _("This was not found"),
        409: _("Somebody changed this before you"),
        413: _("This is more than the service accepts at once"),
    }
    return by_code.get(problem.get("code", "")) or by_status.get(problem.get("status", 0)) or _("Something went wrong")


@register.filter
def problem_advice(problem: Mapping[str, Any]) -> str:
    """Say in the reader's language what can be done about it."""
    by_code = {
        "unknown_city": _("Choose one from the list of cities, or sign in if it is not public."),
        "unknown_place": _("Choose one from the list on the city's page."),
        "unknown_service": _("Choose one of the services shown on the city's page."),
        "no_places": _("They appear here once somebody with the right approves them."),
        "no_services": _("Load a layer of facilities and say which service it provides."),
        "bad_number": _("Limits go from 1 to 100,000 metres, weights from 0 to 1000."),
        "bad_weight": _("Give at least one service a weight above zero."),
    }
    by_status = {
        403: _(
            "Your account has no role that allows it in this place. The administrator of your province gives roles."
        ),
        409: _("Reload the page to see the newer version; then decide which one holds."),
    }
    return (
        by_code.get(problem.get("code", ""))
        or by_status.get(problem.get("status", 0))
        or _("Nothing was changed. Correct it and try again.")
    )


@register.filter
def told(text: object) -> str:
    """Tell a warning of the layers below in the reader's language."""
    return text_told(str(text))


@register.filter
def digits(value: object) -> str:
    """Write a text's digits in the reader's digits."""
    return formats.digits(value, _language())


@register.filter
def number(value: float | None, decimals: int = 0) -> str:
    """Write a number with the reader's digits and separators."""
    return formats.number(value, _language(), decimals)


@register.filter
def percent(share: float | None, decimals: int = 0) -> str:
    """Write a share (0 to 1) as per cent."""
    return formats.percent(share, _language(), decimals)


@register.filter
def distance(metres: float | None) -> str:
    """Write a distance given in metres."""
    return formats.distance(metres, _language())


@register.filter
def limit_of(service: ServiceRow, travel: TravelRow) -> str:
    """Write the threshold of a service, with minutes where metres stand for time."""
    return measured.limit_text(service, travel)


@register.filter
def measured_how(covered: CityCoverage) -> str:
    """Say how the distances of a result were measured."""
    return measured.method_text(covered)


@register.filter
def day(value: date | datetime | None) -> str:
    """Write a date: Jalali in Persian, Gregorian in English."""
    return formats.day(value, _language())


@register.filter
def moment(value: datetime | None) -> str:
    """Write a date and time of day as the clocks of the place show it: Jalali in Persian, Gregorian in English."""
    return formats.moment(timezone.localtime(value) if value else None, _language())


@register.filter
def local_day(value: datetime | None) -> str:
    """Write the day of a moment as the clocks of the place show it."""
    return formats.day(timezone.localtime(value) if value else None, _language())


@cache
def _icon_text(name: str) -> str:
    return (_ICONS / f"{name}.svg").read_text(encoding="utf-8").strip()


@register.simple_tag
def icon(name: str) -> SafeString:
    """Put one of our own icon files into the page; it says nothing to a screen reader, the words beside it do."""
    return mark_safe(_icon_text(name))  # noqa: S308 - our own file, named in a template
