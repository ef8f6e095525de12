"""From results and geometry to what a published map holds: ordered rows, classes, features to download.

Pure: numbers and shapes in, frozen data out. Numbers come as `Told`: already cut to what the public may know. The classes
are the live map's own, so that a published map has the colours its analyst saw.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

import shapely

from geo.core.text import clean_name
from maps.pages.classes import NO_DATA, Classes, two_digits
from maps.pages.telling import Told

Measure = Literal["coverage", "uncovered", "priority"]
Unit = Literal["people", "share", "m", "km2", "points", "rank"]
WITHHELD: Final = -2
"""Class of a place whose value exists but concerns too few people to be told."""
SETTLEMENT: Final = "settlement"
DOWNLOAD_DECIMALS: Final = 6
"""Decimals of degrees in downloads: about 0.1 m."""


@dataclass(frozen=True, slots=True)
class Column:
    """One number of a place: its key, its unit, the decimals it is kept with, and whether the page's table shows it.

    The downloads hold every column.
    """

    key: str
    unit: Unit
    decimals: int = 0
    in_table: bool = True


@dataclass(frozen=True, slots=True)
class PlaceResult:
    """One place as the public may see it.

    Attributes
    ----------
    geometry : shapely.Geometry
        EPSG:4326.
    need : float or None
        What the colour shows, the larger the worse; for coverage the share of people *not* covered.
    numbers : mapping
        Column key → what may be told.
    reasons : tuple of str
        Codes of the services that add most to the place's score.
    """

    code: str
    kind: str
    name_fa: str
    name_en: str
    geometry: shapely.Geometry
    need: float | None
    numbers: Mapping[str, Told]
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the published table; the same line is one shape of the map."""

    code: str
    kind: str
    name_fa: str
    name_en: str
    class_index: int
    numbers: Mapping[str, Told]
    reasons: tuple[str, ...] = ()

    @property
    def is_settlement(self) -> bool:
        """Tell whether the place is an informal settlement, which lies over neighbourhoods."""
        return self.kind == SETTLEMENT


@dataclass(frozen=True, slots=True)
class LegendClass:
    """One colour of the map: bounds of need, and the places and people that have it."""

    colour: str
    lower: float
    upper: float
    places: int
    people: float


@dataclass(frozen=True, slots=True)
class Frozen:
    """All a published map shows, without language.

    Attributes
    ----------
    rows : tuple of Row
        Worst first.
    classes : tuple of LegendClass
        From the best (light) to the worst (dark); `Row.class_index` counts them from 0.
    geometries : tuple
        Of the rows, in their order, EPSG:4326.
    """

    measure: Measure
    shown: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    classes: tuple[LegendClass, ...]
    geometries: tuple[shapely.Geometry, ...] = field(repr=False)


def freeze(
    places: Sequence[PlaceResult], measure: Measure, shown: str, columns: Sequence[Column], ruler: Classes
) -> Frozen:
    """Freeze results: round them, class them, put the worst first.

    Parameters
    ----------
    places : sequence of PlaceResult
        As the public may see them.
    measure : {"coverage", "uncovered", "priority"}
        What the colour shows.
    shown : str
        Key of the column the colour shows.
    columns : sequence of Column
        The numbers of the table, in order. ``population`` gives the legend its counts of people.
    ruler : Classes
        Of the live map; its last bound is raised where a place lies beyond it, so that the legend stays true.
    """
    ruler = raised(ruler, [place.need for place in places])
    ordered = sorted(places, key=lambda place: (place.need is None, -(place.need or 0.0), place.code))
    rows = tuple(_row(place, columns, _class_of(place, shown, ruler)) for place in ordered)
    counted = counted_rows(rows)
    classes = tuple(
        LegendClass(
            colour=colour,
            lower=ruler.bounds[index],
            upper=ruler.bounds[index + 1],
            places=sum(row.class_index == index for row in rows),
            people=sum(exact(row, "population") or 0 for row in counted if row.class_index == index),
        )
        for index, colour in enumerate(ruler.colours)
    )
    return Frozen(measure, shown, tuple(columns), rows, classes, tuple(place.geometry for place in ordered))


def raised(ruler: Classes, needs: Iterable[float | None]) -> Classes:
    """Return a ruler whose last bound holds the greatest need.

    Examples
    --------
    >>> raised(Classes("deficit", (0.0, 100.0, 200.0)), [None, 431.0]).bounds
    (0.0, 100.0, 440.0)
    """
    most = max((need for need in needs if need is not None), default=0.0)
    if most <= ruler.bounds[-1]:
        return ruler
    return replace(ruler, bounds=(*ruler.bounds[:-1], two_digits(most, up=True)))


def counted_rows(rows: Sequence[Row]) -> list[Row]:
    """Return the rows that may be added up: settlements lie over neighbourhoods, so only where there are no others."""
    return [row for row in rows if not row.is_settlement] or list(rows)


def exact(row: Row, key: str) -> float | None:
    """Return a number of a row where it may be told exactly."""
    told = row.numbers.get(key)
    return told.exact if told else None


def totals(frozen: Frozen) -> dict[str, float]:
    """Return people and places of the city, added up from the numbers the table shows.

    ``population_known`` and ``uncovered_people`` count the places where both numbers may be told.
    """
    counted = counted_rows(frozen.rows)
    both = [
        (population, uncovered)
        for row in counted
        if (population := exact(row, "population")) is not None
        and (uncovered := exact(row, "uncovered_people")) is not None
    ]
    return {
        "neighbourhoods": sum(not row.is_settlement for row in frozen.rows),
        "settlements": sum(row.is_settlement for row in frozen.rows),
        "population": sum(exact(row, "population") or 0 for row in counted),
        "population_known": sum(population for population, _ in both),
        "uncovered_people": sum(uncovered for _, uncovered in both),
    }


def rounded(value: float, decimals: int) -> float:
    """Return a number rounded half up; whole numbers as such.

    Examples
    --------
    >>> rounded(12.5, 0), rounded(0.14999, 1)
    (13, 0.1)
    """
    scale = float(10**decimals)
    whole = math.floor(value * scale + 0.5)
    return whole if decimals == 0 else whole / scale


def geometry_json(geometry: shapely.Geometry) -> dict[str, Any] | None:
    """Return a geometry as RFC 7946 wants it: right-hand rings, `DOWNLOAD_DECIMALS` decimals; None where none is left."""
    snapped = shapely.set_precision(geometry, 10**-DOWNLOAD_DECIMALS)
    if snapped.is_empty:
        return None
    oriented = shapely.orient_polygons(snapped)
    written = shapely.geometry.mapping(oriented)
    return {"type": written["type"], "coordinates": _round(written["coordinates"])}


def _row(place: PlaceResult, columns: Sequence[Column], class_index: int) -> Row:
    numbers = {}
    for column in columns:
        told = place.numbers[column.key]
        numbers[column.key] = told if told.value is None else replace(told, value=rounded(told.value, column.decimals))
    return Row(
        code=place.code,
        kind=place.kind,
        name_fa=clean_name(place.name_fa),
        name_en=clean_name(place.name_en),
        class_index=class_index,
        numbers=numbers,
        reasons=place.reasons,
    )


def _class_of(place: PlaceResult, shown: str, ruler: Classes) -> int:
    if place.need is None:
        return WITHHELD if place.numbers[shown].kind == "withheld" else NO_DATA
    return ruler.of(place.need)


def _round(coordinates: Any) -> Any:
    if isinstance(coordinates, float):
        return round(coordinates, DOWNLOAD_DECIMALS)
    return [_round(item) for item in coordinates]
