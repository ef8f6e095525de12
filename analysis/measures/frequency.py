"""How often public transport leaves from within reach of people: lines with their stops and departures a week."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
import shapely
from django.contrib.gis.db.models.functions import AsWKB
from numpy.typing import NDArray

from analysis.caching import arrays, content_key
from analysis.core.changes import changes_to_json
from analysis.core.coverage import coverage_of, covered_share
from analysis.core.frequency import Frequency, frequency
from analysis.measures.asking import Asked, asked, facilities_only, sum_or_none
from analysis.measures.catchments import MOST_EFFORT_S
from analysis.measures.facilities import Facilities
from analysis.measures.results import (
    CityFrequency,
    FrequencyClassRow,
    LineRow,
    LinesWay,
    ServiceFrequency,
    TimetableRow,
)
from analysis.results import Question, ServiceRow
from analysis.selectors import CityReading, timetables_read
from analysis.travel import Measuring, cost_key
from geo.core.crs import STORAGE_EPSG, project
from geo.core.text import clean_name, normalise
from geo.errors import InvalidInput, LimitExceeded
from geo.models import Place
from geo.querysets import User
from layers.models import Feature, Release, Timetable
from layers.standards import frequency_classes_for

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MOST_CLASSES: Final = 12
_NOBODY: Final = 0.005
"""Fewer people than this are an error of floating point, not people."""
_NAMED: Final = 12
"""How many unknown names of lines a warning tells."""
_BETWEEN: Final = re.compile(r"[,;|،؛\n]+")
"""What stands between the names of lines of a stop."""


def frequency_compute(
    *,
    city: Place,
    user: User,
    question: Question | None = None,
    edges: Sequence[float] | None = None,
    cell_m: float | None = None,
    reading: CityReading | None = None,
) -> CityFrequency:
    """Compute how many departures a week leave from within reach of the people of each place, and who is in which class of them.

    A line counts once for whoever reaches any of its stops. Services without a timetable are left out.

    Parameters
    ----------
    city, user, question, cell_m, reading
        As for `analysis.services.coverage_compute`; the threshold of the service is its reach.
    edges
        Departures a week at which classes begin, ascending; those of the service if left out.

    Raises
    ------
    NotFound
        Where the city has no places in force, or the question names something it has not.
    InvalidInput
        Where the question names a service without a timetable, or no service has one (``no_timetable``); or the edges are
        not ascending (``bad_edges``).
    LimitExceeded
        Where the lines would take a processor too long (``too_much_work``).

    Notes
    -----
    Departures within reach in classes as in [@poelman2015]; see `analysis.core.frequency`.
    """
    asked_edges = None if edges is None else _edges_required(edges)
    what = asked(city=city, user=user, question=question, cell_m=cell_m, reading=reading)
    timetables = timetables_read(city, user)
    services = [
        service for service in facilities_only(what.inputs.services, what.question) if service.code in timetables
    ]
    if not services:
        raise InvalidInput(
            f"No timetable tells how often public transport of {city.name_en} leaves.",
            code="no_timetable",
            where="service",
            remedy="Name a layer of lines with departures a week, as a [[timetable]] of the city's description.",
            details={"city": city.name},
        )
    lines_of = [_lines(what, service, *timetables[service.code]) for service in services]
    _effort_required((what.measuring(service), lines) for service, lines in zip(services, lines_of, strict=True))
    found: list[ServiceFrequency] = []
    warnings: list[str] = []
    for service, lines in zip(services, lines_of, strict=True):
        classes = _classes(city, timetables[service.code][0], asked_edges)
        found.append(_service(what, service, lines, classes))
        warnings += _warnings(service, lines.timetable)
    return CityFrequency(what.basis(warnings), what.inputs.arrays.ground.population, tuple(found))


def _effort_required(asked_for: Iterable[tuple[Measuring, _Lines]]) -> None:
    """Refuse more lines than `MOST_EFFORT_S` is enough for: each is measured to from everywhere, as if it had one stop.

    More stops of a line cost little: they are searched for together.
    """
    n_lines, seconds = 0, 0.0
    for measuring, lines in asked_for:
        first = np.array([stops[0] for stops in lines.stops if stops.size], dtype=np.int64)
        n_lines += len(lines.stops)
        seconds += measuring.effort_s(lines.facilities.geometries_m[first], np.inf)
    if seconds > MOST_EFFORT_S:
        raise LimitExceeded(
            f"How often {n_lines:,} lines leave would take about {seconds:,.0f} s, more than {MOST_EFFORT_S:.0f} s.",
            code="too_much_work",
            where="service",
            remedy="Ask about one service at a time, or in a straight line; or bring fewer lines.",
            details={"lines": n_lines, "seconds": round(seconds), "most": round(MOST_EFFORT_S)},
        )


def _edges_required(edges: Sequence[float]) -> tuple[float, ...]:
    steps = tuple(float(edge) for edge in edges)
    is_ascending = list(steps) == sorted(set(steps)) and bool(np.isfinite(steps).all())
    if not 0 < len(steps) <= MOST_CLASSES or not is_ascending or steps[0] < 0:
        raise InvalidInput(
            "The classes of departures do not ascend.",
            code="bad_edges",
            where="edges",
            remedy=f"Give departures a week, the smallest first, at most {MOST_CLASSES}.",
            details={"most": MOST_CLASSES},
        )
    return steps


# ---- classes


def _classes(city: Place, timetable: Timetable, edges: tuple[float, ...] | None) -> tuple[FrequencyClassRow, ...]:
    """Give the classes that hold, the first of which begins at zero."""
    if edges is not None:
        lows = edges if edges[0] == 0 else (0.0, *edges)
        return tuple(
            FrequencyClassRow(
                f"از {low:g}", f"From {low:g}", low, high, "asked", "Given in the question", "داده‌شده در پرسش", True
            )
            for low, high in zip(lows, (*lows[1:], None), strict=True)
        )
    kept = frequency_classes_for(city, timetable.service_id)
    lows = tuple(one.departures_week for one in kept)
    rows = [
        FrequencyClassRow(
            one.name_fa, one.name_en, one.departures_week, high, "city" if one.city_id else "general", one.source,
            one.source_fa, one.is_verified,
        )
        for one, high in zip(kept, (*lows[1:], None), strict=False)
    ]  # fmt: skip
    if not lows or lows[0] > 0:  # nobody named the lowest
        rows.insert(0, FrequencyClassRow("کمتر", "Fewer", 0.0, lows[0] if lows else None, "general"))
    return tuple(rows)


# ---- lines and their stops


@dataclass(frozen=True, slots=True, eq=False)
class _Lines:
    """The lines of a service: codes and names, departures a week, and the positions of their stops among the facilities."""

    codes: tuple[str, ...]
    names: tuple[str, ...]
    weekly: Floats
    stops: tuple[Integers, ...]
    facilities: Facilities
    timetable: TimetableRow


def _lines(what: Asked, service: ServiceRow, timetable: Timetable, release: Release | None) -> _Lines:
    facilities = what.facilities(service)
    if release is None:
        return _stops_alone(service, timetable, facilities)
    told = _told(release, timetable)
    known = np.isfinite(told.weekly)
    runs = np.flatnonzero(known & (told.weekly > 0))
    stops: list[list[int]] = [[] for _ in told.codes]
    unknown: dict[str, None] = {}
    way: LinesWay = "named" if timetable.stop_field else "near"
    if way == "named":
        row_of = {_form(code): row for row, code in enumerate(told.codes)}
        named = _attributes(service, timetable.stop_field)
        for position, number in enumerate(facilities.numbers.tolist()):
            for name in _names(named.get(number)):
                row = row_of.get(_form(name))
                if row is None:
                    unknown.setdefault(name)
                elif not stops[row] or stops[row][-1] != position:
                    stops[row].append(position)
    else:
        shapes_m = project(told.shapes, STORAGE_EPSG, what.inputs.grid.epsg) if told.codes else told.shapes
        tree = shapely.STRtree(facilities.geometries_m)
        row_at, stop_at = tree.query(shapes_m, predicate="dwithin", distance=timetable.match_m)
        for row, position in sorted(zip(row_at.tolist(), stop_at.tolist(), strict=True)):
            stops[row].append(position)
    matched = {position for row in runs for position in stops[row]}
    return _Lines(
        tuple(told.codes[row] for row in runs),
        tuple(told.names[row] for row in runs),
        told.weekly[runs],
        tuple(np.array(stops[row], dtype=np.int64) for row in runs),
        facilities,
        TimetableRow(
            way=way,
            layer_code=release.layer.code,
            release_number=release.number,
            release_hash=release.content_hash,
            line_field=timetable.line_field,
            departures_field=timetable.departures_field,
            stop_field=timetable.stop_field,
            match_m=timetable.match_m,
            stops=len(facilities),
            matched=len(matched),
            unknown_lines=tuple(sorted(unknown)),
            left_out=int((~known).sum()),
        ),
    )


def _stops_alone(service: ServiceRow, timetable: Timetable, facilities: Facilities) -> _Lines:
    """Take stops of as many departures for one line: of those within reach the greatest number counts."""
    told = _attributes(service, timetable.departures_field)
    weekly = np.array([_departures(told.get(number)) for number in facilities.numbers.tolist()], dtype=np.float64)
    different = np.unique(weekly[weekly > 0])
    return _Lines(
        (),
        (),
        different,
        tuple(np.flatnonzero(weekly == each) for each in different),
        facilities,
        TimetableRow(
            way="stops",
            layer_code=service.layer_code,
            release_number=service.release_number,
            release_hash=service.release_hash,
            line_field="",
            departures_field=timetable.departures_field,
            stop_field="",
            match_m=None,
            stops=len(facilities),
            matched=int(np.isfinite(weekly).sum()),
            unknown_lines=(),
            left_out=0,
        ),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Told:
    """What a layer of lines says; rows of one code are one line, whose departures add up."""

    codes: tuple[str, ...]
    names: tuple[str, ...]
    weekly: Floats
    shapes: NDArray[np.object_]


def _told(release: Release, timetable: Timetable) -> _Told:
    fields = (timetable.line_field, timetable.departures_field)
    return cast(
        _Told, arrays.get(content_key("lines", release.content_hash, fields), lambda: _lines_read(release, *fields))
    )


def _lines_read(release: Release, line_field: str, departures_field: str) -> _Told:
    rows = Feature.objects.of(release).order_by("number").values_list("number", "name", "attributes", AsWKB("geometry"))
    codes: dict[str, str] = {}
    names: dict[str, str] = {}
    weekly: dict[str, float] = {}
    shapes: dict[str, list[shapely.Geometry]] = {}
    for number, name, attributes, wkb in rows:
        said = _names(attributes.get(line_field)) if line_field else [str(number)]
        if not said:
            continue
        code, form = said[0], _form(said[0])
        codes.setdefault(form, code)
        names[form] = names.get(form) or name
        each, before = _departures(attributes.get(departures_field)), weekly.get(form, np.nan)
        weekly[form] = before if np.isnan(each) else each if np.isnan(before) else before + each
        shapes.setdefault(form, []).append(shapely.from_wkb(bytes(wkb)))
    merged = np.empty(len(codes), dtype=np.object_)
    merged[:] = [shapely.geometrycollections(shapes[form]) for form in codes]
    return _Told(tuple(codes.values()), tuple(names[form] for form in codes), np.array([*weekly.values()]), merged)


def _attributes(service: ServiceRow, field: str) -> Mapping[int, Any]:
    """Give what a field says of each stop, by its row in the release."""

    def read() -> dict[int, Any]:
        found = Feature.objects.filter(release_id=service.release_id, shelf__in=(0, service.release_id))
        rows = found.supplying(service.where).values_list("number", "attributes")
        return {number: attributes.get(field) for number, attributes in rows}

    return cast(Mapping[int, Any], arrays.get(content_key("told", service.release_hash, service.where, field), read))


def _names(value: Any) -> list[str]:
    """Give the names of lines in a text that lists them, or in a list; no name twice.

    Examples
    --------
    >>> _names("103, 105;105 ۲۰۲T"), _names([103, "104"]), _names(None)
    (['103', '105', '105 ۲۰۲T'], ['103', '104'], [])
    """
    if value is None or isinstance(value, bool):
        return []
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    parts = value if isinstance(value, list) else _BETWEEN.split(str(value))
    return list(dict.fromkeys(name for name in (clean_name(str(part)) for part in parts) if name))


def _form(name: str) -> str:
    return normalise(name).replace(" ", "")


def _departures(value: Any) -> float:
    """Return a number of zero or more, NaN for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return float("nan")
    return float(value) if 0 <= value < float("inf") else float("nan")


def _warnings(service: ServiceRow, told: TimetableRow) -> list[str]:
    warnings = []
    if told.matched < told.stops:
        warnings.append(
            f"{service.name_en}: {told.stops - told.matched} of {told.stops} stops have no known departures and count for nothing."
        )
    if told.unknown_lines:
        names = ", ".join(told.unknown_lines[:_NAMED])
        warnings.append(f"{service.name_en}: stops name lines that have no departures: {names}.")
    if told.left_out:
        warnings.append(f"{service.name_en}: lines left out, as nobody knows their departures: {told.left_out}.")
    return warnings


# ---- people


@dataclass(frozen=True, slots=True, eq=False)
class _Counted:
    """What the catchments of the lines give: kept by content, as they take the longest."""

    frequency: Frequency
    line_people: Floats
    place_lines: Integers


def _service(
    what: Asked, service: ServiceRow, lines: _Lines, classes: tuple[FrequencyClassRow, ...]
) -> ServiceFrequency:
    inputs, residents = what.inputs, what.residents
    people, limit_m, cell_m = inputs.arrays.people, service.threshold_m, inputs.grid.cell_m
    measuring = what.measuring(service)
    edges = tuple(one.low for one in classes)
    timetable = lines.timetable
    key = content_key(
        "frequency", inputs.key, cost_key(measuring, service), changes_to_json(what.question.changes), limit_m, edges,
        timetable.release_hash, timetable.line_field, timetable.departures_field, timetable.stop_field, timetable.match_m,
    )  # fmt: skip

    def compute() -> _Counted:
        geometries_m = lines.facilities.geometries_m
        line_people = np.zeros(len(lines.stops))
        place_lines = np.zeros(len(inputs.places.rows), dtype=np.int64)

        def reached() -> Iterator[tuple[Integers, Floats]]:
            for number, stops in enumerate(lines.stops):
                covered = covered_share(measuring.cost_m(geometries_m[stops]), limit_m, cell_m)
                part = np.flatnonzero((covered > 0) & (people > 0))
                share = covered[part]
                line_people[number] = share @ residents.counted[part]
                of_parts = np.zeros(people.size)
                of_parts[part] = share * people[part]
                place_lines[what.of_places(of_parts) > _NOBODY] += 1
                yield part, share

        found = frequency(reached(), lines.weekly, edges, people.size, adds_up=timetable.way != "stops")
        return _Counted(found, line_people, place_lines)

    counted = cast(_Counted, arrays.get(key, compute))
    found = counted.frequency
    of_stops = coverage_of(inputs.arrays, inputs.services.index(service), limit_m)
    population = inputs.arrays.ground.population
    has_lines = timetable.way != "stops"

    def mean(values: Floats) -> Floats:
        total = what.of_places(values * people)
        each: Floats = np.divide(total, population, out=np.full(population.shape, np.nan), where=population > 0)
        return each

    return ServiceFrequency(
        service=service,
        timetable=timetable,
        classes=classes,
        lines=tuple(
            LineRow(code, name, float(weekly), int(stops.size), float(whom))
            for code, name, weekly, stops, whom in zip(
                lines.codes, lines.names, lines.weekly, lines.stops, counted.line_people, strict=True
            )
        )
        if has_lines
        else (),
        departures=mean(found.departures),
        lines_each=mean(found.lines) if has_lines else np.full(population.shape, np.nan),
        lines_reached=counted.place_lines,
        class_people=np.array([what.of_places(share * people) for share in found.class_share]),
        unreachable_people=of_stops.unreachable_people,
        edge_flag=of_stops.edge_flag,
        city_departures=sum_or_none(float(found.departures @ residents.counted), residents.total),
        city_lines_each=sum_or_none(float(found.lines @ residents.counted), residents.total) if has_lines else None,
        city_class_people=np.asarray(found.class_share @ residents.counted, dtype=np.float64),
    )
