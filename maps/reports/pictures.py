"""The two pictures of a brief: the locator map, and the curve of distance and coverage.

Labels are HTML set upon the drawings, because the printer sets the text of drawings letter by letter, which would tear
Persian words apart.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from analysis.results import CityPriority
from geo.errors import NotFound
from maps.pages import classes, figures, formats, legend, outlines, telling
from maps.pages.outlines import Drawing, Outline
from maps.pages.place_presenters import PLOT, Curve
from maps.pages.reader import language

MAP_MM: Final = (72.0, 47.0)
"""The largest width and height of the locator map on paper."""
LEGEND_MM: Final = 54.0
"""The width its legend needs."""
RING: Final = 90.0
"""Places drawn smaller than this radius, in the drawing's units, get a ring around them to be found by."""
CHART: Final = (720.0, 266.0)
"""Width and height of the chart that `PLOT` lies in, without the name of its axis."""


@dataclass(frozen=True, slots=True)
class Label:
    """A text upon a picture, at a point in per cent of its width and height."""

    left: float
    top: float
    text: str
    css: str


@dataclass(frozen=True, slots=True)
class LegendClass:
    """A colour of the map and the scores it stands for."""

    colour: str
    bounds: str


@dataclass(frozen=True, slots=True)
class Locator:
    """The city's places on a small map, coloured by priority, with one of them marked.

    Attributes
    ----------
    view_box : str
        Of the SVG, in the drawing's units.
    width_mm, height_mm : float
        On paper.
    column_mm : float
        Width of the column it stands in with its legend.
    fills : mapping
        Colour by place code; places without a value have none.
    here : Outline
        The marked place.
    ring : tuple of float or None
        x, y and radius of the ring around it where it is small.
    scale_mm : float
        Length of the scale bar on paper.
    """

    drawing: Drawing
    view_box: str
    width_mm: float
    height_mm: float
    column_mm: float
    fills: Mapping[str, str]
    here: Outline
    ring: tuple[float, float, float] | None
    scale_mm: float
    scale_text: str
    legend: tuple[LegendClass, ...]
    has_settlements: bool
    has_unvalued: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """The distance–coverage curve with its labels taken off the drawing."""

    curve: Curve
    width: float
    height: float
    plot: tuple[float, float, float, float]
    labels: tuple[Label, ...]


def locator_of(drawing: Drawing, code: str, result: CityPriority, standard: CityPriority, is_insider: bool) -> Locator:
    """Draw the city with one of its places marked.

    Raises
    ------
    NotFound
        Where the place has no boundary in force.
    """
    lang, covered = language(), result.coverage
    values = figures.values_of(result, "priority", None, is_insider)
    own = values if standard is result else figures.values_of(standard, "priority", None, is_insider)
    ruler = legend.classes_of("priority", [value.need for value in own])
    people = [telling.people(float(count), is_insider) for count in covered.values.population]
    key = legend.legend_of(covered, values, people, ruler, "priority", None)
    indices = {place.code: ruler.of(value.need) for place, value in zip(covered.places, values, strict=True)}
    here = next((outline for outline in drawing.outlines if outline.code == code), None)
    if here is None:  # withdrawn between two reads
        raise NotFound(f"{code} has no boundary in force.", code="no_boundary", where=code)
    x, y, reach = _circle_around(here, drawing)
    ring = (round(x, 1), round(y, 1), round(max(reach + 16.0, 40.0), 1)) if reach < RING else None
    margin = 8.0
    left, top, right, bottom = 0.0, 0.0, drawing.width, drawing.height
    if ring:
        left, top = min(left, x - ring[2]), min(top, y - ring[2])
        right, bottom = max(right, x + ring[2]), max(bottom, y + ring[2])
    width, height = right - left + 2 * margin, bottom - top + 2 * margin
    mm_per_unit = min(MAP_MM[0] / width, MAP_MM[1] / height)
    scale_m = outlines.nice_length(drawing.metres_per_unit * drawing.width / 3)
    return Locator(
        drawing=drawing,
        view_box=f"{left - margin:.1f} {top - margin:.1f} {width:.1f} {height:.1f}",
        width_mm=round(width * mm_per_unit, 2),
        height_mm=round(height * mm_per_unit, 2),
        column_mm=max(round(width * mm_per_unit, 2), LEGEND_MM),
        fills={each: ruler.colours[index] for each, index in indices.items() if index != classes.NO_DATA},
        here=here,
        ring=ring,
        scale_mm=round(scale_m / drawing.metres_per_unit * mm_per_unit, 2),
        scale_text=formats.distance(scale_m, lang),
        legend=tuple(LegendClass(colour, each.bounds) for colour, each in zip(ruler.colours, key.classes, strict=True)),
        has_settlements=key.has_settlements,
        has_unvalued=bool(key.without_value),
    )


def _circle_around(here: Outline, drawing: Drawing) -> tuple[float, float, float]:
    """Return the middle and the half diagonal of an outline's box, in the drawing's units.

    Latitudes are taken as evenly spaced across the sheet: over one city Mercator departs from that by less than a ring's width.
    """
    west, south, east, north = drawing.bounds_4326
    across, down = drawing.width / max(east - west, 1e-12), drawing.height / max(north - south, 1e-12)
    x_min, x_max = (here.box[0] - west) * across, (here.box[2] - west) * across
    y_min, y_max = (north - here.box[3]) * down, (north - here.box[1]) * down
    return (x_min + x_max) / 2, (y_min + y_max) / 2, math.hypot(x_max - x_min, y_max - y_min) / 2


def chart_of(curve: Curve) -> Chart:
    """Take the labels off the drawing of a curve."""
    left, top, _right, bottom = PLOT
    width, height = CHART

    def label(x: float, y: float, text: str, css: str) -> Label:
        return Label(round(100 * x / width, 2), round(100 * y / height, 2), text, css)

    labels = [label(left - 6, mark.at, mark.text, "y") for mark in curve.y_marks]
    for mark in curve.x_marks:
        is_last = mark.at > width - 40  # its text would run over the edge of the sheet's column
        labels.append(label(width if is_last else mark.at, bottom + 17, mark.text, "y" if is_last else "x"))
    labels.append(label(curve.limit_x, top - 8, curve.limit_text, "x strong"))
    if curve.mark_y is not None:
        below = curve.mark_y < 48
        labels.append(label(curve.limit_x - 10, curve.mark_y + (14 if below else -14), curve.mark_text, "y strong"))
    return Chart(curve, width, height, PLOT, tuple(labels))


__all__ = ["Chart", "Label", "LegendClass", "Locator", "chart_of", "locator_of"]
