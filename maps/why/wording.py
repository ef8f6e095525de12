"""Values of indicators, ranks and lines as sentences name them. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from django.utils.translation import gettext as _

from analysis.indicators import IndicatorRow
from analysis.indices.computing import CityIndex
from maps.pages import formats
from maps.pages.reader import word


def value_text(unit: str, value: float | None, lang: str, decimals: int | None = None) -> str:
    """Write a value of an indicator in its unit.

    Parameters
    ----------
    decimals
        Of what is no distance; where not said, as many as such a number needs.
    """
    if value is None or math.isnan(value):
        return formats.DASH
    if unit == "share":
        return formats.percent(value, lang, decimals or 0)
    if unit == "%":
        digits = (0 if math.isclose(value, round(value), abs_tol=1e-6) else 1) if decimals is None else decimals
        return formats.percent(value / 100, lang, digits)
    if unit == "m":
        return formats.distance(value, lang)
    digits = (
        (0 if math.isclose(value, round(value), abs_tol=1e-6) or abs(value) >= 100 else 1)
        if decimals is None
        else decimals
    )
    text = formats.number(value, lang, digits)
    if unit in ("", "people"):
        return text
    return f"{text} {formats.isolated(unit, lang)}"


def two_values(one: IndicatorRow, before: float, after: float, lang: str) -> tuple[str, str]:
    """Write two values of an indicator with as many decimals as tell them apart."""
    apart = abs(after - before) * (100 if one.unit == "share" else 1)
    for decimals in range(0 if apart >= 1 else 1, 4):
        told = value_text(one.unit, before, lang, decimals), value_text(one.unit, after, lang, decimals)
        if told[0] != told[1]:
            break
    return told


def two_shares(before: float, after: float, lang: str) -> tuple[str, str]:
    """Write two shares with as many decimals as tell them apart."""
    for decimals in (0, 1, 2, 3):
        told = formats.percent(before, lang, decimals), formats.percent(after, lang, decimals)
        if told[0] != told[1]:
            break
    return told


def name_in_sentence(one: IndicatorRow) -> str:
    """Return the short name of an indicator as it stands inside a sentence."""
    return word(one.short)


def names_text(result: CityIndex, rows: Sequence[int], lang: str) -> str:
    """Return the names of places as a phrase."""
    return formats.listing([formats.isolated(result.matrix.places[i].name, lang) for i in rows], lang)


def kind_text(one: IndicatorRow, value: str) -> str:
    """Return a value with what it means where it is a share of people without a service."""
    if one.measure == "uncovered-share" and value != formats.DASH:
        return _("%(share)s without") % {"share": value}
    return value


__all__ = ["kind_text", "name_in_sentence", "names_text", "two_shares", "two_values", "value_text"]
