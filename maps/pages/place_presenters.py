"""The place page and the heat table as data. Pure, like `maps.pages.presenters`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.utils.translation import gettext as _

from analysis.disclosure import public_share
from analysis.results import CityCoverage, CityPriority, ServiceRow
from maps.pages import classes, formats, telling
from maps.pages.presenters import (
    SETTLEMENT,
    city_totals,
    css_class,
    language,
    ranks_of,
    score_text,
    told_of,
    weight_text,
    word,
)
from maps.pages.telling import Told

CHART_WIDTH: Final = 720.0
CHART_HEIGHT: Final = 280.0
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
    scored = [float(s) if r > 0 else None for s, r in zip(result.priority.score, result.priority.reliability, strict=True)]
    rank = ranks_of(scored)[row]
    reliability = float(result.priority.reliability[row])
    chosen = chosen or (reasons[0].code if reasons else covered.services[0].code if covered.services else "")
    return PlaceView(
        code=place.code,
        name=place.name,
        is_settlement=place.kind == SETTLEMENT,
        headline=_headline(result, row, is_insider),
        rank_text=formats.number(rank, lang) if has_score else formats.DASH,
        of_text=formats.number(sum(s is not None for s in scored), lang),
        score_text=score_text(float(result.priority.score[row])) if has_score else formats.DASH,
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
        if not count.value:
            continue
        service = covered.services[k]
        return _("In %(place)s %(people)s people, %(share)s, live more than %(distance)s from the nearest %(service)s.") % {
            "place": place,
            "people": count.as_people(lang),
            "share": share.as_percent(lang),
            "distance": formats.distance(service.threshold_m, lang),
            "service": word(service.name),
        }
    return _("Everybody in %(place)s lives near every service that is measured.") % {"place": place}


def _reasons(result: CityPriority, row: int, is_insider: bool) -> tuple[Reason, ...]:
    covered, lang = result.coverage, language()
    contributions = [float(v) for v in result.priority.contributions[row]]
    top = max(contributions, default=0.0) or 1.0
    found = []
    for k in sorted(range(len(covered.services)), key=lambda k: (-contributions[k], k)):
        service = covered.services[k]
        share, count, distance = told_of(covered, row, k, is_insider)
        good = telling.complement(share)
        hidden = share.kind not in ("exact", "none")
        points = Told(contributions[k], "exact")
        found.append(
            Reason(
                code=service.code,
                name=service.name,
                points=contributions[k],
                points_text=formats.number(points.value, lang, 0 if hidden else 1),
                bar=100 * contributions[k] / top,
                weight_text=weight_text(service.weight),
                threshold_text=formats.distance(service.threshold_m, lang),
                standard_source=service.standard_source,
                is_verified=service.is_verified,
                covered_text=good.as_percent(lang),
                covered_bar=100 * (good.value or 0.0),
                uncovered_text=count.as_people(lang),
                distance_text=distance.as_distance(lang),
                layer_name=service.layer_name_en if lang == "en" else service.layer_name_fa,
                source=service.source,
                date_text=formats.day(service.reference_date, lang),
                facilities_text=formats.number(service.facilities, lang),
                is_near_edge=bool(covered.values.edge_flag[row, k]),
            )
        )
    return tuple(found)


def _stack(reasons: Sequence[Reason]) -> tuple[StackPart, ...]:
    parts, at = [], 0.0
    for position, reason in enumerate(reasons):
        if reason.points < 0.05:
            continue
        parts.append(StackPart(round(at, 2), round(reason.points, 2), ("first", "second")[position] if position < 2 else "rest", f"{reason.name}: {reason.points_text}"))
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
        told = [(m, s if is_insider else public_share(s, whole)) for m, s in zip(distances, values, strict=True) if m <= farthest + 1e-6]
        return Line(" ".join(f"{x(m)},{y(s)}" for m, s in told if s is not None), css)

    others = [line(values, "other") for code, values in shares.items() if code != chosen]
    step = round_step(farthest)
    marks = [AxisMark(x(m), formats.distance(m, lang)) for m in _range(0, farthest, step)]
    share, count, _distance = told_of(covered, row, k, is_insider)
    good = telling.complement(share)
    table = []
    for metres in _range(step / 2, farthest, step / 2):
        nearest = min(range(len(distances)), key=lambda i: abs(distances[i] - metres))
        within = shares[chosen][nearest]
        told = telling.share((within or 0.0) * whole, whole, is_insider) if within is not None else telling.NOTHING
        table.append((formats.distance(distances[nearest], lang), told.as_percent(lang)))
    words = {"distance": formats.distance(service.threshold_m, lang), "service": word(service.name), "share": good.as_percent(lang)}
    return Curve(
        service_code=service.code,
        service_name=service.name,
        sentence=_("%(share)s of its people live within %(distance)s of the nearest %(service)s.") % words,
        lines=(*others, line(shares[chosen], "chosen")),
        x_marks=tuple(marks),
        y_marks=tuple(AxisMark(y(v), formats.percent(v, lang)) for v in (0.0, 0.25, 0.5, 0.75, 1.0)),
        limit_x=x(min(service.threshold_m, farthest)),
        limit_text=formats.distance(service.threshold_m, lang),
        mark_y=y(good.value) if good.value is not None else None,
        mark_text=good.as_percent(lang),
        table=tuple(dict.fromkeys(table)),
    )


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


_STEPS: Final = tuple(base * 10.0**power for power in range(0, 6) for base in (1, 2, 5))


def _range(start: float, end: float, step: float) -> list[float]:
    return [start + step * i for i in range(int((end - start) / step + 1e-6) + 1)]


# ---- the heat table


@dataclass(frozen=True, slots=True)
class HeatCell:
    """Coverage of one place by one service."""

    text: str
    css: str


@dataclass(frozen=True, slots=True)
class HeatRow:
    """One place of the heat table."""

    code: str
    name: str
    is_settlement: bool
    people_text: str
    cells: tuple[HeatCell, ...]


@dataclass(frozen=True, slots=True)
class HeatColumn:
    """One service of the heat table."""

    code: str
    name: str
    threshold_text: str
    is_verified: bool
    whole: HeatCell
    sentence: str


@dataclass(frozen=True, slots=True)
class HeatView:
    """The heat table of a city."""

    finding: str
    columns: tuple[HeatColumn, ...]
    rows: tuple[HeatRow, ...]
    key: tuple[tuple[str, str], ...]
    fills: Mapping[str, Mapping[str, str]]
    sort: str
    is_reversed: bool


def heat_view(result: CityPriority, sort: str, *, is_insider: bool) -> HeatView:
    """Present coverage of all places by all services.

    Parameters
    ----------
    sort : str
        ``rank``, ``name``, or a service's code, with ``-`` before it for the other way round.
    """
    covered, lang, ruler = result.coverage, language(), classes.SHARE
    by, is_reversed = sort.removeprefix("-"), sort.startswith("-")
    columns, fills = [], {}
    totals = [city_totals(covered, k, is_insider) for k in range(len(covered.services))]
    for k, service in enumerate(covered.services):
        uncovered, counted = totals[k]
        need = uncovered / counted if counted > 0 else None
        whole = HeatCell(formats.percent(None if need is None else 1 - need, lang), css_class(ruler, ruler.of(need)))
        sentence = _("%(people)s people are farther away than %(distance)s") % {
            "people": formats.number(round(uncovered), lang),
            "distance": formats.distance(service.threshold_m, lang),
        }
        columns.append(HeatColumn(service.code, service.name, formats.distance(service.threshold_m, lang), service.is_verified, whole, sentence))
        fills[service.code] = {
            place.code: css_class(ruler, ruler.of(told_of(covered, i, k, is_insider)[0].value)) for i, place in enumerate(covered.places)
        }
    rows = []
    for i in _heat_order(result, by, is_reversed, is_insider):
        cells = []
        for k in range(len(covered.services)):
            share, _count, _distance = told_of(covered, i, k, is_insider)
            cells.append(HeatCell(telling.complement(share).as_percent(lang), css_class(ruler, ruler.of(share.value))))
        place = covered.places[i]
        people = telling.people(float(covered.values.population[i]), is_insider)
        rows.append(HeatRow(place.code, place.name, place.kind == SETTLEMENT, people.as_people(lang), tuple(cells)))
    bounds = ruler.bounds
    key = [
        (css_class(ruler, index), _("%(low)s to %(high)s") % {"low": formats.percent(1 - bounds[index + 1], lang), "high": formats.percent(1 - bounds[index], lang)})
        for index in reversed(range(ruler.count))
    ]
    return HeatView(_heat_finding(covered, totals), tuple(columns), tuple(rows), tuple(key), fills, by, is_reversed)


def _heat_order(result: CityPriority, by: str, is_reversed: bool, is_insider: bool) -> list[int]:
    covered = result.coverage
    k = covered.service_index(by)

    def key(i: int) -> tuple[object, ...]:
        if by == "name":
            return (covered.places[i].name,)
        if k is not None:
            need = told_of(covered, i, k, is_insider)[0].value
            return (need is None, -(need or 0.0), covered.places[i].name)
        return (result.priority.reliability[i] <= 0, int(result.priority.rank[i]), covered.places[i].name)

    order = sorted(range(len(covered.places)), key=key)  # type: ignore[arg-type]
    return order[::-1] if is_reversed else order


def _heat_finding(covered: CityCoverage, totals: Sequence[tuple[float, float]]) -> str:
    lang = language()
    city = formats.isolated(covered.city.name, lang)
    needs = [(uncovered / counted, k) for k, (uncovered, counted) in enumerate(totals) if counted > 0]
    if not needs:
        return _("No service of %(city)s can be measured yet.") % {"city": city}
    need, worst = max(needs)
    if need <= 0:
        return _("Everybody in %(city)s lives near every service that is measured.") % {"city": city}
    words = {
        "city": city,
        "service": word(covered.services[worst].name),
        "share": formats.percent(1 - need, lang),
        "distance": formats.distance(covered.services[worst].threshold_m, lang),
    }
    return _("What %(city)s lacks most is the %(service)s: %(share)s of people live within %(distance)s of one.") % words


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


def boundary_facts(*, source: str, certainty: str, status: str, start: date | None, end: date | None, version: int, area_m2: float) -> BoundaryFacts:
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
