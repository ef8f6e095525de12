"""Sentences of the catalogue in the reader's language: what a layer is, how fresh, who sees it, what was found in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from geo.models import Assignment
from layers.models import Layer, Release
from maps.pages import formats
from maps.pages.measured import travel_name
from maps.pages.reader import language, word


def amount(layer: Layer, release: Release) -> str:
    """Say how much a release holds: «۳۴ نقطه», “34 points”."""
    n, text = release.row_count, formats.number(release.row_count, language())
    phrase = {
        "point": ngettext("%(n)s point", "%(n)s points", n),
        "line": ngettext("%(n)s line", "%(n)s lines", n),
        "polygon": ngettext("%(n)s area", "%(n)s areas", n),
        "raster": ngettext("%(n)s pixel", "%(n)s pixels", n),
    }[layer.kind]
    return phrase % {"n": text}


def months_between(earlier: date, later: date) -> int:
    """Return whole months from a day to a later one.

    Examples
    --------
    >>> months_between(date(2024, 1, 31), date(2024, 3, 1)), months_between(date(2024, 1, 1), date(2025, 1, 1))
    (1, 12)
    """
    months = (later.year - earlier.year) * 12 + later.month - earlier.month
    return max(months - (later.day < earlier.day), 0)


def span(months: int) -> str:
    """Say a number of months, in years where that says it."""
    if months >= 24 or (months >= 12 and months % 12 == 0):
        years = months // 12
        return ngettext("%(n)s year", "%(n)s years", years) % {"n": formats.number(years, language())}
    return ngettext("%(n)s month", "%(n)s months", months) % {"n": formats.number(months, language())}


def ago(day: date, today: date | None = None) -> str:
    """Say how long ago a day was."""
    months = months_between(day, today or timezone.localdate())
    if months < 1:
        return _("less than a month ago")
    return _("%(span)s ago") % {"span": span(months)}


def freshness(state: str, due: date | None, today: date | None = None) -> str:
    """Say how fresh the newest release of a layer is."""
    now = today or timezone.localdate()
    if state == "fresh" and due:
        return _("renewed by %(day)s") % {"day": formats.day(due, language())}
    if state == "old" and due:
        months = months_between(due, now)
        if months < 1:
            return _("due for renewal")
        return _("overdue for %(span)s") % {"span": span(months)}
    if state == "empty":
        return _("no data yet")
    return _("no renewal agreed")


def sentence(layer: Layer, release: Release | None, state: str, due: date | None, today: date | None = None) -> str:
    """Say in one sentence what a layer is, of which day, from whom, and how fresh."""
    lang = language()
    about = {"name": formats.isolated(layer.name, lang), "city": layer.city.name, "theme": word(layer.theme.name)}
    if release is None:
        return _("“%(name)s” of %(city)s holds no data yet.") % about
    whose = formats.isolated((layer.owner or layer.source_text).rstrip("."), lang)
    about |= {"amount": amount(layer, release), "source": whose}
    if release.reference_date is None:
        return _("%(amount)s of %(city)s; which day they describe is not known. Source: %(source)s.") % about
    about |= {"day": formats.day(release.reference_date, lang), "ago": ago(release.reference_date, today)}
    if state == "old":
        about["late"] = freshness(state, due, today)
        return _("%(amount)s of %(city)s as of %(day)s, %(ago)s: %(late)s. Source: %(source)s.") % about
    if state == "fresh":
        return _("%(amount)s of %(city)s as of %(day)s, %(ago)s: up to date. Source: %(source)s.") % about
    return _("%(amount)s of %(city)s as of %(day)s, %(ago)s. Source: %(source)s.") % about


def seen_by(layer: Layer) -> str:
    """Say who sees a layer."""
    if layer.visibility == Layer.Visibility.PUBLIC:
        return _("everybody") if layer.city.is_published else _("everybody, once the city is published")
    if layer.visibility == Layer.Visibility.SIGNED_IN:
        return _("everybody who is signed in")
    if not layer.seen_by_roles:
        return _("people with a role in %(city)s") % {"city": layer.city.name}
    names = dict(Assignment.Role.choices)
    roles = formats.listing([str(names.get(role, role)) for role in layer.seen_by_roles], language())
    return _("of the people with a role in %(city)s: %(roles)s") % {"city": layer.city.name, "roles": roles}


def value(found: Any) -> str:
    """Write an attribute's value as a reader of the page writes it."""
    lang = language()
    if found is None or found == "":
        return formats.DASH
    if isinstance(found, bool):
        return _("yes") if found else _("no")
    if isinstance(found, int):
        return formats.number(found, lang) if abs(found) < 10_000_000 else formats.digits(found, lang)
    if isinstance(found, float):
        if abs(found) >= 1e7 or 0 < abs(found) < 0.0005:
            return formats.digits(f"{found:.6g}", lang)
        most = 1 if abs(found) >= 1000 else 2 if abs(found) >= 1 else 4
        decimals = next((n for n in range(most) if round(found, n) == round(found, most)), most)
        return formats.number(found, lang, decimals)
    if isinstance(found, str):
        return found
    if isinstance(found, list):
        return formats.listing([value(one) for one in found[:20]], lang)
    return ", ".join(f"{key}: {value(one)}" for key, one in list(found.items())[:20])


def type_name(code: str) -> str:
    """Say a field's type."""
    names = {
        "text": _("text"), "integer": _("whole number"), "number": _("number"), "boolean": _("yes or no"), "date": _("date"),
        "datetime": _("date and time"), "object": _("list or object"), "empty": _("empty"),
    }  # fmt: skip
    return names.get(code, code or formats.DASH)


def problem_name(code: str) -> str:
    """Say in a few words what an import found; a code without words stands for itself."""
    names = {
        "invalid_geometry": _("invalid shapes"), "broken_geometry": _("broken shapes"), "geometry_collection": _("mixed shapes"),
        "heights_dropped": _("heights left out"), "duplicate_row": _("rows that are there twice"),
        "duplicate_geometry": _("shapes that are there twice"), "same_place": _("things at one place"),
        "duplicate_name": _("names that are there twice"), "far_from_city": _("rows far from the city"),
        "outside_city": _("rows outside the city"), "swapped_coordinates": _("longitude and latitude exchanged"),
        "wrong_unit": _("coordinates in feet"), "wrong_crs": _("a wrong reference system"), "no_crs": _("no reference system"),
        "wrong_encoding": _("letters in a wrong encoding"), "lost_letters": _("letters that were lost"), "text_cut": _("texts cut off"),
        "bad_value": _("values that do not fit their field"), "bad_unit": _("units that do not fit"), "ragged_row": _("rows of another length"),
        "bad_coordinate": _("rows without usable coordinates"), "unknown_place": _("places that are not known"),
        "empty_geometry": _("rows without a shape"), "no_geometry": _("rows without a shape"), "null_island": _("points at zero degrees"),
        "zero_point": _("points at zero degrees"), "binary_field": _("binary fields left out"), "several_bands": _("further bands left out"),
        "left_out": _("fields left out"), "undeclared_encoding": _("an encoding that was guessed"), "several_layers": _("further layers left out"),
    }  # fmt: skip
    return names.get(code, code.replace("_", " "))


def severity_name(code: str) -> str:
    """Say what became of problems."""
    return {"error": _("refused"), "warning": _("noted"), "repaired": _("repaired")}.get(code, code)


def difference(found: dict[str, Any]) -> Sequence[tuple[str, int, str]]:
    """Return what a release adds, removes, moves and changes: code, count and phrase; nothing that is none."""
    phrases = {
        "added": lambda n: ngettext("%(n)s added", "%(n)s added", n),
        "removed": lambda n: ngettext("%(n)s removed", "%(n)s removed", n),
        "moved": lambda n: ngettext("%(n)s moved", "%(n)s moved", n),
        "changed": lambda n: ngettext("%(n)s changed", "%(n)s changed", n),
    }
    lang = language()
    counts = [(code, found.get(code)) for code in phrases]
    return [
        (code, n, phrases[code](n) % {"n": formats.number(n, lang)})
        for code, n in counts
        if isinstance(n, int) and n > 0
    ]


def base_role(role: str) -> str:
    """Say what part of the base map a layer draws."""
    names = {
        "roads": _("the streets"), "water": _("the water"), "buildings": _("the buildings"), "terrain": _("the relief"),
        "green": _("the green"), "transit": _("the lines of public transport"),
    }  # fmt: skip
    return names.get(role, role)


def travel_use(part: str, ways: Sequence[str]) -> str:
    """Say what ways of travel take from a layer."""
    words = {"ways": formats.listing([travel_name(way) for way in ways], language())}
    match part:
        case "roads":
            return _("Its streets are what distances are measured on: %(ways)s.") % words
        case "elevation":
            return _("Its slopes slow down or speed up who walks: %(ways)s.") % words
        case _:
            return _("It tells how fast one walks over the land, and what bars the way: %(ways)s.") % words


def stamp(moment: datetime | None) -> str:
    """Write the day of a moment, as it is where the reader is."""
    return formats.day(timezone.localtime(moment) if moment else None, language())


def row_name(number: int) -> str:
    """Say a row that has no name."""
    return _("Row %(n)s") % {"n": formats.number(number, language())}


def megabytes(size: int) -> str:
    """Write a file's size."""
    lang = language()
    if size < 1_000_000:
        return _("%(n)s kB") % {"n": formats.number(max(round(size / 1000), 1), lang)}
    return _("%(n)s MB") % {"n": formats.number(size / 1_000_000, lang, 1)}
