"""The place page as data. Pure, like `maps.pages.presenters`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.utils.translation import gettext as _

from analysis.disclosure import public_share
from analysis.results import CityCoverage, CityPriority, ServiceRow, TravelRow
from maps.pages import formats, measured, telling
from maps.pages.controls import weight_text
from maps.pages.figures import SETTLEMENT, ranks_of, told_of, values_of
from maps.pages.reader import language, word
from maps.pages.telling import Told

CHART_WIDTH: Final = 720.0
CHART_HEIGHT: Final = 290.0
PLOT: Final = (48.0, 16.0, 700.0, 236.0)
"""Left, top, right and bottom of the plot inside the chart."""


@dataclass(frozen=True, slots=True)
class Reason:
    """What one service adds to a place's score, and everything that number was made from."""

    code: str
    name: str
    points: float
    points_text: str
    bar: float
    weight_text: str
    threshold_text: str
    standard_source: str
    is_verified: bool
    covered_text: str
    covered_bar: float
    uncovered_text: str
    distance_text: str
    layer_name: str
    source: str
    date_text: str
    facilities_text: str
    is_near_edge: bool


@dataclass(frozen=True, slots=True)
class StackPart:
    """One part of the bar that adds up to the score, in per cent of a hundred points."""

    x: float
    width: float
    css: str
    title: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the chart."""

    points: str
    css: str


@dataclass(frozen=True, slots=True)
class AxisMark:
    """A mark of an axis of the chart."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Curve:
    """Which share of a place's people lives within a distance of a service, as a chart and as its table."""

    service_code: str
    service_name: str
    sentence: str
    lines: tuple[Line, ...]
    x_marks: tuple[AxisMark, ...]
    y_marks: tuple[AxisMark, ...]
    limit_x: float
    limit_text: str
    axis_text: str
    mark_y: float | None
    mark_text: str
    table: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class PlaceView:
    """All that a place page says about results."""

    code: str
    name: str
    is_settlement: bool
    headline: str
    rank_text: str
    of_text: str
    score_text: str
    people_text: str
    reliability_text: str
    reasons: tuple[Reason, ...]
    stack: tuple[StackPart, ...]
    curve: Curve | None
    why: str


def place_view(
    result: CityPriority,
    row: int,
    chosen: str,
    curves: tuple[Sequence[float], Mapping[str, Sequence[float | None]]],
    *,
    is_insider: bool,
) -> PlaceView:
    """Present a place.

    Parameters
    ----------
    result : CityPriority
        Of its city.
    row : int
        Which place.
    chosen : str
        Code of the service of the chart; empty for the one that contributes most.
    curves : tuple
        Distances in metres, and by service the shares within each.
    is_insider : bool
        Whether exact small counts may be told.
    """
    covered, lang = result.coverage, language()
    place = covered.places[row]
    whole = float(covered.values.population[row])
    people = telling.people(whole, is_insider)
    is_withheld = people.kind == "below"
    has_score = result.priority.reliability[row] > 0 and not is_withheld
    reasons = _reasons(result, row, is_insider) if has_score else ()
    values = values_of(result, "priority", None, is_insider)
    needs = [value.need for value in values]
    rank = ranks_of(needs)[row]
    reliability = float(result.priority.reliability[row])
    chosen = chosen or (reasons[0].code if reasons else covered.services[0].code if covered.services else "")
    return PlaceView(
        code=place.code,
        name=place.name,
        is_settlement=place.kind == SETTLEMENT,
        headline=_headline(result, row, is_insider),
        rank_text=formats.number(rank, lang) if has_score else formats.DASH,
        of_text=formats.number(sum(need is not None for need in needs), lang),
        score_text=values[row].text if has_score else formats.DASH,
        people_text=people.as_people(lang),
        reliability_text=formats.percent(reliability, lang) if reliability < 1 else "",
        reasons=reasons,
        stack=_stack(reasons),
        curve=None if is_withheld else _curve(covered, row, chosen, curves, is_insider),
        why=_why(reasons, lang),
    )


def _headline(result: CityPriority, row: int, is_insider: bool) -> str:
    """Say the most important thing about a place: who lacks what its rank owes most to."""
    covered, lang = result.coverage, language()
    place = formats.isolated(covered.places[row].name, lang)
    contributions = result.priority.contributions[row]
    for k in sorted(range(len(covered.services)), key=lambda k: -float(contributions[k])):
        share, count, _distance = told_of(covered, row, k, is_insider)
        if share.kind == "withheld":
            return _("So few people live in %(place)s that its numbers are not published.") % {"place": place}
        if share.kind == "none":
            return _("No residents are counted in %(place)s.") % {"place": place}
        if count.value:
            return lacking_text(covered, row, k, is_insider=is_insider)
    return _("Everybody in %(place)s lives near every service that is measured.") % {"place": place}


def lacking_text(covered: CityCoverage, row: int, column: int, *, is_insider: bool) -> str:
    """Say how many people of a place live too far from a service; empty where nothing may be told, or nobody does."""
    share, count, _distance = told_of(covered, row, column, is_insider)
    if share.kind in ("withheld", "none") or not count.value:
        return ""
    lang, service = language(), covered.services[column]
    return _("In %(place)s %(people)s people, %(share)s, live more than %(distance)s from the nearest %(service)s.") % {
        "place": formats.isolated(covered.places[row].name, lang),
        "people": count.as_people(lang),
        "share": share.as_percent(lang),
        "distance": measured.limit_phrase(service, covered.travel),
        "service": word(service.name),
    }


def _reasons(result: CityPriority, row: int, is_insider: bool) -> tuple[Reason, ...]:
    covered, lang = result.coverage, language()
    contributions = [float(v) for v in result.priority.contributions[row]]
    top = max(contributions, default=0.0) or 1.0
    found = []
    for k in sorted(range(len(covered.services)), key=lambda k: (-contributions[k], k)):
        service = covered.services[k]
        share, count, distance = told_of(covered, row, k, is_insider)
        good = telling.complement(share)
        points = points_told(result, row, k, share)
        found.append(
            Reason(
                code=service.code,
                name=service.name,
                points=points.value or 0.0,
                points_text=points.as_points(lang),
                bar=min(100 * (points.value or 0.0) / top, 100.0),
                weight_text=weight_text(service.weight),
                threshold_text=measured.limit_text(service, covered.travel),
                standard_source=service.standard_source_text,
                is_verified=service.is_verified,
                covered_text=good.as_percent(lang),
                covered_bar=100 * (good.value or 0.0),
                uncovered_text=count.as_people(lang),
                distance_text=distance.as_distance(
                    lang, is_time=covered.travel.is_time and not measured.goes_straight(service, covered.travel)
                ),
                layer_name=service.layer_name_en if lang == "en" else service.layer_name_fa,
                source=service.source_text,
                date_text=formats.day(service.reference_date, lang),
                facilities_text=formats.number(service.facilities, lang),
                is_near_edge=bool(covered.values.edge_flag[row, k]),
            )
        )
    return tuple(found)


def points_told(result: CityPriority, row: int, k: int, share: Told) -> Told:
    """Return what may be told of the points that a service adds: a bound where only a bound of the people is told."""
    points = float(result.priority.contributions[row, k])
    if share.kind not in ("below", "above") or share.value is None:
        return Told(points)
    if result.priority.method != "arithmetic":
        return Told(float(round(points)))
    most = 100 * float(result.priority.weights[k] / result.priority.reliability[row])
    return Told(most * share.value, share.kind)


def _stack(reasons: Sequence[Reason]) -> tuple[StackPart, ...]:
    parts, at = [], 0.0
    for position, reason in enumerate(reasons):
        if reason.points < 0.05:
            continue
        css = ("first", "second")[position] if position < 2 else "rest"
        parts.append(StackPart(round(at, 2), round(reason.points, 2), css, f"{reason.name}: {reason.points_text}"))
        at += reason.points
    return tuple(parts)


def _why(reasons: Sequence[Reason], lang: str) -> str:
    heavy = [reason for reason in reasons if reason.points >= 0.05]
    if not heavy:
        return _("Nothing that is measured here is lacking.")
    half, total, names = 0.0, sum(reason.points for reason in heavy), []
    for reason in heavy:
        names.append(word(reason.name))
        half += reason.points
        if half >= total / 2:
            break
    if len(names) == len(heavy) == 1:
        return _("All of its points come from %(services)s.") % {"services": names[0]}
    return _("More than half of its points come from %(services)s.") % {"services": formats.listing(names[:5], lang)}


def _curve(
    covered: CityCoverage,
    row: int,
    chosen: str,
    curves: tuple[Sequence[float], Mapping[str, Sequence[float | None]]],
    is_insider: bool,
) -> Curve | None:
    distances, shares = curves
    k = covered.service_index(chosen)
    if k is None or chosen not in shares or covered.values.population[row] <= 0:
        return None
    lang, service = language(), covered.services[k]
    whole = float(covered.values.population[row])
    farthest = _chart_end(distances, shares[chosen], service)
    left, top, right, bottom = PLOT

    def x(metres: float) -> float:
        return round(left + (right - left) * metres / farthest, 1)

    def y(share: float) -> float:
        return round(bottom - (bottom - top) * share, 1)

    def line(values: Sequence[float | None], css: str) -> Line:
        told = [
            (m, s if is_insider else public_share(s, whole))
            for m, s in zip(distances, values, strict=True)
            if m <= farthest + 1e-6
        ]
        return Line(" ".join(f"{x(m)},{y(s)}" for m, s in told if s is not None), css)

    others = [line(values, "other") for code, values in shares.items() if code != chosen]
    step = round_step(farthest)
    marks = [AxisMark(x(m), formats.distance(m, lang)) for m in _range(0, farthest, step)]
    share, _count, _distance = told_of(covered, row, k, is_insider)
    good = telling.complement(share)
    table = []
    for metres in _range(step / 2, farthest, step / 2):
        nearest = min(range(len(distances)), key=lambda i: abs(distances[i] - metres))
        within = shares[chosen][nearest]
        told = telling.share((within or 0.0) * whole, whole, is_insider) if within is not None else telling.NOTHING
        table.append((formats.distance(distances[nearest], lang), told.as_percent(lang)))
    words = {
        "distance": measured.limit_phrase(service, covered.travel),
        "service": word(service.name),
        "share": good.as_percent(lang),
    }
    return Curve(
        service_code=service.code,
        service_name=service.name,
        sentence=_("%(share)s of its people live within %(distance)s of the nearest %(service)s.") % words,
        lines=(*others, line(shares[chosen], "chosen")),
        x_marks=tuple(marks),
        y_marks=tuple(AxisMark(y(v), formats.percent(v, lang)) for v in (0.0, 0.25, 0.5, 0.75, 1.0)),
        limit_x=x(min(service.threshold_m, farthest)),
        limit_text=measured.limit_text(service, covered.travel),
        axis_text=_axis_text(service, covered.travel),
        mark_y=y(good.value) if good.value is not None else None,
        mark_text=good.as_percent(lang),
        table=tuple(dict.fromkeys(table)),
    )


def _axis_text(service: ServiceRow, travel: TravelRow) -> str:
    if measured.goes_straight(service, travel):
        return _("straight-line distance to the nearest facility")
    if travel.is_time:
        return _("way to the nearest facility %(how)s; 1,000 m stand for 12 minutes") % {
            "how": measured.travel_name(travel.code)
        }
    return _("way to the nearest facility %(how)s") % {"how": measured.travel_name(travel.code)}


def _chart_end(distances: Sequence[float], shares: Sequence[float | None], service: ServiceRow) -> float:
    """Return where the chart ends: twice the threshold, or where nearly everybody is reached if that is farther."""
    reached = next((m for m, s in zip(distances, shares, strict=True) if s is not None and s >= 0.995), distances[-1])
    wanted = max(2 * service.threshold_m, 1.1 * reached)
    return min(float(distances[-1]), wanted)


def round_step(most: float, marks: int = 6) -> float:
    """Return a round step that divides a length into about so many parts.

    Examples
    --------
    >>> round_step(2400.0), round_step(600.0)
    (500.0, 100.0)
    """
    return next(step for step in _STEPS if most / step <= marks)


_STEPS: Final = tuple(base * 10.0**power for power in range(6) for base in (1, 2, 5))


def _range(start: float, end: float, step: float) -> list[float]:
    return [start + step * i for i in range(int((end - start) / step + 1e-6) + 1)]


# ---- a place's boundary


@dataclass(frozen=True, slots=True)
class BoundaryFacts:
    """Where a boundary comes from and how sure it is."""

    source: str
    certainty: str
    status: str
    from_text: str
    until_text: str
    version_text: str
    area_text: str


def boundary_facts(
    *, source: str, certainty: str, status: str, start: date | None, end: date | None, version: int, area_m2: float
) -> BoundaryFacts:
    """Present a boundary edition."""
    lang = language()
    area = formats.number(area_m2 / 1e4, lang, 1 if area_m2 < 1e5 else 0)
    return BoundaryFacts(
        source=source,
        certainty=certainty,
        status=status,
        from_text=formats.day(start, lang),
        until_text=formats.day(end, lang) if end else "",
        version_text=formats.number(version, lang),
        area_text=_("%(area)s hectares") % {"area": area},
    )
