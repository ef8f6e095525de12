"""How far the people of settlements and of the rest of a city live from each service, as small charts. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from analysis.disclosure import public_share
from analysis.measures.results import CityDistances, ServiceDistances
from analysis.results import PlaceRow
from maps.pages import formats, measured, telling
from maps.pages.figures import SETTLEMENT
from maps.pages.reader import language, word

BOX: Final = (34.0, 10.0, 232.0, 120.0)
"""Left, top, right and bottom of a chart's plot."""


@dataclass(frozen=True, slots=True)
class SmallCurve:
    """One service: share of people within each distance, of settlements and of the rest."""

    code: str
    name: str
    sentence: str
    settled: str
    rest: str
    limit_x: float
    limit_text: str
    end_text: str


@dataclass(frozen=True, slots=True)
class CurveRow:
    """Shares of one service for the table."""

    name: str
    limit_text: str
    settled_text: str
    rest_text: str
    settled_half: str
    rest_half: str


@dataclass(frozen=True, slots=True)
class CurvesView:
    """The charts of all services and their table; ``has_settlements`` tells whether there is anything to compare."""

    curves: tuple[SmallCurve, ...]
    rows: tuple[CurveRow, ...]
    has_settlements: bool


def curves_view(result: CityDistances, *, is_insider: bool) -> CurvesView:
    """Present distance curves of all services: settlements against the rest of the city.

    Notes
    -----
    People of settlements are those within them, wherever neighbourhoods count them too; the rest is the city without them.
    """
    lang, travel = language(), result.basis.travel
    settled_people, of_place = _settled(result.basis.places, result.population)
    everybody = float(result.basis.people)
    rest_people = max(everybody - settled_people, 0.0)
    distances = result.distances_m
    curves, rows = [], []
    for one in result.services:
        service = one.service
        settled, rest = _both(one, of_place, settled_people, rest_people, everybody)
        farthest = _end(distances, [settled, rest], service.threshold_m)
        within = [_told_at(distances, shares, service.threshold_m, people, is_insider)
                  for shares, people in ((settled, settled_people), (rest, rest_people))]  # fmt: skip
        limit = measured.limit_text(service, travel)
        curves.append(
            SmallCurve(
                code=service.code,
                name=service.name,
                sentence=_sentence(within, measured.limit_phrase(service, travel), word(service.name), lang),
                settled=_line(distances, settled, settled_people, farthest, is_insider),
                rest=_line(distances, rest, rest_people, farthest, is_insider),
                limit_x=round(BOX[0] + (BOX[2] - BOX[0]) * min(service.threshold_m / farthest, 1.0), 1),
                limit_text=formats.distance(service.threshold_m, lang),
                end_text=formats.distance(farthest, lang),
            )
        )
        halves = [
            measured.cost_text(_half(distances, shares), service, travel)
            if people >= 10 or is_insider
            else formats.DASH
            for shares, people in ((settled, settled_people), (rest, rest_people))
        ]
        rows.append(
            CurveRow(service.name, limit, within[0].as_percent(lang), within[1].as_percent(lang), halves[0], halves[1])
        )
    return CurvesView(tuple(curves), tuple(rows), settled_people > telling.NOBODY)


def _settled(places: Sequence[PlaceRow], population: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Return the people of settlements, and each place's part in them."""
    people = np.where([place.kind == SETTLEMENT for place in places], np.nan_to_num(population), 0.0)
    total = float(people.sum())
    return total, people / total if total > 0 else people


def _both(
    one: ServiceDistances, of_place: NDArray[np.float64], settled: float, rest: float, everybody: float
) -> tuple[list[float | None], list[float | None]]:
    """Return the curves of settlements and of the rest; nothing where nobody lives."""
    inside: list[float | None] = [None] * len(one.city_curve)
    share = np.zeros(len(one.city_curve))
    if settled > telling.NOBODY:
        share = np.nansum(of_place[:, None] * one.curve, axis=0)
        inside = [float(v) for v in share]
    if rest <= telling.NOBODY:
        return inside, [None] * len(one.city_curve)
    outside = np.clip((one.city_curve * everybody - share * settled) / rest, 0.0, 1.0)
    return inside, [float(v) if np.isfinite(v) else None for v in np.maximum.accumulate(outside)]


def _line(
    distances: Sequence[float], shares: Sequence[float | None], people: float, farthest: float, is_insider: bool
) -> str:
    left, top, right, bottom = BOX
    told = [s if is_insider or s is None else public_share(s, people) for s in shares]
    return " ".join(
        f"{round(left + (right - left) * x / farthest, 1)},{round(bottom - (bottom - top) * share, 1)}"
        for x, share in zip(distances, told, strict=True)
        if share is not None and x <= farthest + 1e-6
    )


def _end(distances: Sequence[float], both: Sequence[Sequence[float | None]], limit_m: float) -> float:
    """Return where a chart ends: twice the limit, or where nearly everybody is reached, if that is farther."""
    reached = [
        next((m for m, s in zip(distances, shares, strict=True) if s is not None and s >= 0.97), distances[-1])
        for shares in both
    ]
    return float(max(min(distances[-1], max(2 * limit_m, *reached)), limit_m))


def _told_at(
    distances: Sequence[float], shares: Sequence[float | None], metres: float, people: float, is_insider: bool
) -> telling.Told:
    if any(share is None for share in shares):
        return telling.NOTHING
    share = float(np.interp(metres, distances, [s or 0.0 for s in shares]))
    return telling.share(share * people, people, is_insider)


def _half(distances: Sequence[float], shares: Sequence[float | None]) -> float | None:
    """Return the distance within which half of the people live; None where fewer are reached."""
    return next((m for m, s in zip(distances, shares, strict=True) if s is not None and s >= 0.5), None)


def _sentence(within: Sequence[telling.Told], limit: str, service: str, lang: str) -> str:
    settled, rest = within
    words = {"limit": limit, "service": service, "rest": rest.as_percent(lang), "settled": settled.as_percent(lang)}
    if settled.value is None:
        return _("%(rest)s live within %(limit)s.") % words
    return _("Within %(limit)s: %(settled)s of the settlements' people, %(rest)s of the others.") % words
