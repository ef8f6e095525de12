"""The words of published maps, in the active language: headings, legend, method, codebook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from maps.pages import formats
from maps.pages.formats import Language
from maps.pages.presenters import word
from maps.published.document import told_from_json

CONTRIBUTION: Final = "contribution_"
"""Prefix of the column that holds a service's part of the priority score."""
COLUMN_NAMES: Final = {
    "rank": gettext_lazy("Rank"),
    "score": gettext_lazy("Priority"),
    "population": gettext_lazy("Residents"),
    "covered_share": gettext_lazy("Covered"),
    "uncovered_people": gettext_lazy("People not covered"),
    "mean_distance_m": gettext_lazy("Mean distance"),
    "area_km2": gettext_lazy("Area"),
    "reliability": gettext_lazy("Data present"),
}
COLUMN_MEANINGS: Final = {
    "rank": gettext_lazy("Rank by priority score; 1 has the highest need, equal scores share a rank."),
    "score": gettext_lazy("Priority index from 0 (no need) to 100 (highest need)."),
    "population": gettext_lazy("People who live in the place."),
    "covered_share": gettext_lazy("Share of residents within the threshold of the nearest facility."),
    "uncovered_people": gettext_lazy("Residents farther than the threshold from the nearest facility."),
    "mean_distance_m": gettext_lazy("Mean straight-line distance of residents to the nearest facility."),
    "area_km2": gettext_lazy("Area of the place, on the ellipsoid."),
    "reliability": gettext_lazy("Share of the weight of the index for which the place has data."),
}
UNIT_NAMES: Final = {
    "people": gettext_lazy("people"),
    "share": gettext_lazy("share, from 0 to 1"),
    "m": gettext_lazy("metres"),
    "km2": gettext_lazy("km²"),
    "points": gettext_lazy("points of 100"),
    "rank": gettext_lazy("rank"),
}
ROLE_NAMES: Final = {
    "boundaries": gettext_lazy("Boundaries"),
    "population": gettext_lazy("Population"),
    "service": gettext_lazy("Facilities"),
    "backdrop": gettext_lazy("Base map"),
}


def named(thing: Mapping[str, Any], language: Language, key: str = "name") -> str:
    """Return the name of a thing of a document in a language, or in the other one where it has none."""
    first, second = (f"{key}_fa", f"{key}_en") if language == "fa" else (f"{key}_en", f"{key}_fa")
    return str(thing.get(first) or thing.get(second) or "")


def sourced(thing: Mapping[str, Any], key: str, language: Language) -> str:
    """Return the source of a thing of a document in a language; as the source itself says it where it has no other."""
    return str((language == "fa" and thing.get(f"{key}_fa")) or thing[key])


def service_of(document: Mapping[str, Any], code: str) -> Mapping[str, Any]:
    """Return a service of a document."""
    found: Mapping[str, Any] = next(service for service in document["services"] if service["code"] == code)
    return found


def service_word(document: Mapping[str, Any], code: str, language: Language) -> str:
    """Return the name of a service as it stands inside a sentence."""
    return word(named(service_of(document, code), language))


def column_name(document: Mapping[str, Any], key: str, language: Language) -> str:
    """Return the heading of a column."""
    if key.startswith(CONTRIBUTION):
        code = key.removeprefix(CONTRIBUTION)
        return _("Part of the score: %(service)s") % {"service": service_word(document, code, language)}
    return str(COLUMN_NAMES[key])


def column_meaning(document: Mapping[str, Any], key: str, language: Language) -> str:
    """Return what a column means, as the codebook says it."""
    if key.startswith(CONTRIBUTION):
        code = key.removeprefix(CONTRIBUTION)
        return _("Points of the priority score owed to lacking: %(service)s.") % {
            "service": service_word(document, code, language)
        }
    if key == "mean_distance_m" and (travel := document.get("travel")):
        return _("Mean distance of residents to the nearest facility, measured %(travel)s.") % {
            "travel": named(travel, language)
        }
    return str(COLUMN_MEANINGS[key])


def cell_text(number: Any, column: Mapping[str, Any], language: Language) -> str:
    """Return a number of a document as the table prints it."""
    told = told_from_json(number)
    if column["unit"] == "people":
        return told.as_people(language)
    if column["unit"] == "share":
        return told.as_percent(language)
    if column["unit"] == "m":
        return told.as_distance(language)
    if told.kind == "withheld":
        return _("withheld")
    return formats.number(told.value, language, column["decimals"])


def decimals_of(weight: float) -> int:
    """Return how many decimals, two at most, a weight needs.

    Examples
    --------
    >>> decimals_of(2.0), decimals_of(0.5), decimals_of(1 / 3)
    (0, 1, 2)
    """
    return next((places for places in (0, 1) if round(weight, places) == weight), 2)


def measure_line(document: Mapping[str, Any], language: Language) -> str:
    """Return in one line what the colour shows."""
    if document["measure"] == "priority":
        return _("Priority score, from 0 (no need) to 100 (everybody lacks everything)")
    service = service_of(document, document["service"])
    words = {
        "service": service_word(document, document["service"], language),
        "distance": formats.distance(service["threshold_m"], language),
    }
    if document["measure"] == "coverage":
        return _("Share of people within %(distance)s of the nearest %(service)s") % words
    return _("People more than %(distance)s from the nearest %(service)s") % words


def bounds_text(document: Mapping[str, Any], lower: float, upper: float, language: Language) -> str:
    """Return the bounds of a class as the table writes values: coverage is told as who is covered."""
    if document["measure"] == "coverage":
        low, high = (formats.percent(round(1 - need, 6), language) for need in (upper, lower))
    else:
        low, high = (formats.number(need, language, 0 if need == int(need) else 1) for need in (lower, upper))
    return low if low == high else _("%(low)s to %(high)s") % {"low": low, "high": high}


def _measured(document: Mapping[str, Any], language: Language) -> str:
    """Say how people are counted and distances measured."""
    cell = formats.distance(document["cell_m"], language)
    travel = document.get("travel")
    if not travel:
        return _(
            "People are counted on a grid of %(cell)s squares whose total is that of the source. For every square the straight-line "
            "distance to the nearest facility is measured; facilities outside the boundary count too. A square that the threshold "
            "cuts counts in part."
        ) % {"cell": cell}
    text = _(
        "People are counted on a grid of %(cell)s squares whose total is that of the source. For every square the way to the nearest "
        "facility is measured %(travel)s, and to mains of utilities in a straight line; facilities outside the boundary count too. "
        "A square that the threshold cuts counts in part."
    ) % {"cell": cell, "travel": named(travel, language)}
    if travel["is_time"]:
        text += " " + _("Metres stand for time: those that are walked meanwhile on level ground, at 5 km/h.")
    return text


def method(document: Mapping[str, Any], language: Language) -> list[str]:
    """Return the method in words, a paragraph an item."""
    paragraphs = [_measured(document, language)]
    if document["measure"] == "priority":
        paragraphs += _index_method(document, language)
    else:
        paragraphs.append(_standard(service_of(document, document["service"]), language))
    paragraphs += [
        _(
            "The places are worst first. Informal settlements lie over neighbourhoods, so the people in the legend are those of the "
            "neighbourhoods alone. Counts of fewer than 10 people are withheld."
        ),
        _("Outlines on the map are simplified to about %(tolerance)s; the downloads hold them in full.")
        % {"tolerance": formats.distance(document["tolerance_m"], language)},
    ]
    return paragraphs


def _standard(service: Mapping[str, Any], language: Language) -> str:
    words = {
        "distance": formats.distance(service["threshold_m"], language),
        "service": word(named(service, language)),
        "source": f"\u2068{sourced(service, 'standard_source', language)}\u2069",  # in whatever script, it keeps to itself
    }
    if service["threshold_m"] != service["standard_m"] or not service["standard_source"]:
        return _("The threshold of %(distance)s for %(service)s was chosen by the analyst who made this map.") % words
    text = _("The threshold of %(distance)s for %(service)s comes from: %(source)s.") % words
    return text if service["is_verified"] else " ".join((text, _("It has not been checked against the official text.")))


def _index_method(document: Mapping[str, Any], language: Language) -> list[str]:
    scale = (
        _("the least and the greatest of the city")
        if document["normalisation"] == "min-max"
        else _("nobody and everybody")
    )
    if document["aggregation"] == "geometric":
        mean = _("their weighted geometric mean, in which a bad value is only partly made up for")
    else:
        mean = _("their weighted mean, in which a good value fully makes up for a bad one")
    listed = [
        _("%(service)s %(distance)s (weight %(weight)s)")
        % {
            "service": word(named(service, language)),
            "distance": formats.distance(service["threshold_m"], language),
            "weight": formats.number(service["weight"], language, decimals_of(service["weight"])),
        }
        for service in document["services"]
        if service["weight"]
    ]
    return [
        _(
            "For each service, the share of a place's people who live farther away than the threshold is put on a scale between "
            "%(scale)s; the priority score is %(mean)s, from 0 to 100."
        )
        % {"scale": scale, "mean": mean},
        _("Thresholds and weights: %(list)s.") % {"list": formats.listing(listed, language)},
    ]
