"""What a drawing amounts to: size, people, facilities, what neighbours gain and lose, gaps and overlaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from analysis.caching import arrays, content_key
from analysis.disclosure import is_insider, public_count
from analysis.ground import people_within
from analysis.selectors import CityReading, facilities_read
from geo.core import validity
from geo.core.lineage import Difference, difference
from geo.core.measuring import area_m2, length_m
from geo.errors import GeometryError, InvalidInput, LimitExceeded
from geo.models import Place
from geo.querysets import User
from geo.services import findings_of
from layers.models import Service
from maps.problems import text_told
from maps.workbench.effort import effort_required, is_mendable
from maps.workbench.geometries import polygon_of
from maps.workbench.schemas import Drawn
from maps.workbench.selectors import editable_codes, geojson, ground_in_force, reading_of

NEIGHBOURHOOD: Final = Place.Kind.NEIGHBOURHOOD.value
SETTLEMENT: Final = Place.Kind.SETTLEMENT.value

_NEAR_DEGREES: Final = 2e-5
"""Widening of the boxes in which neighbours are sought: about two metres, more than any tolerance."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A place as drawn: its shape, valid; None where it ends.

    Attributes
    ----------
    note
        What was mended in it; empty if nothing.
    fault
        Where it crosses itself, longitude and latitude; None if nowhere.
    """

    code: str
    kind: str
    geometry: shapely.Geometry | None
    note: str = ""
    fault: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is in force, what is drawn over it, and what analyses know of the city.

    Attributes
    ----------
    before, after
        All neighbourhoods and settlements by code, in EPSG:4326.
    kinds
        Of every code in either.
    shapes
        What was drawn.
    reading
        None while the city has no places.
    """

    city: Place
    before: Mapping[str, shapely.Geometry]
    after: Mapping[str, shapely.Geometry]
    kinds: Mapping[str, str]
    shapes: tuple[Shape, ...]
    reading: CityReading | None = field(compare=False)

    def neighbourhoods(self, shapes: Mapping[str, shapely.Geometry]) -> dict[str, shapely.Geometry]:
        """Keep the neighbourhoods, which tile the city."""
        return {code: shape for code, shape in shapes.items() if self.kinds[code] == NEIGHBOURHOOD}


def drawing_of(city: Place, user: User, edits: Sequence[Drawn]) -> Drawing:
    """Lay edits over what a user sees of a city.

    Raises
    ------
    GeometryError, LimitExceeded
        Where a shape cannot be measured, even mended; ``where`` names the edit and the coordinates.
    InvalidInput
        Where a place is drawn twice.
    """
    reading = reading_of(city, user)
    rows = reading.places.rows if reading else ()
    geometries = reading.places.geometries_4326 if reading else ()
    before = {row.code: shape for row, shape in zip(rows, geometries, strict=True)}
    kinds = {row.code: row.kind for row in rows}
    room = validity.MAX_VERTICES
    shapes = []
    for index, edit in enumerate(edits):
        where = f"edits[{index}].geometry"
        drawn = polygon_of(edit.geometry, where, room=room)
        room -= int(shapely.get_num_coordinates(drawn))
        kind = kinds.get(edit.code) or edit.kind or next((kinds[c] for c in edit.from_codes if c in kinds), SETTLEMENT)
        if kind not in (NEIGHBOURHOOD, SETTLEMENT):
            raise InvalidInput(
                f"{kind!r} is not drawn here.",
                code="bad_kind",
                where=f"edits[{index}].kind",
                remedy="Give neighbourhood or settlement.",
            )
        shapes.append(_sound(edit.code, kind, drawn, f"place {edit.code}, {where}"))
    drawn_at = [(f"place {shape.code}", shape.geometry) for shape in shapes if shape.geometry is not None]
    effort_required(drawn_at, ground_in_force(reading))
    codes = [shape.code for shape in shapes]
    twice = next((code for code in codes if codes.count(code) > 1), None)
    if twice:
        raise InvalidInput("The place is drawn twice.", code="duplicate_code", where=f"place {twice}")
    after = dict(before)
    for shape in shapes:
        kinds.setdefault(shape.code, shape.kind)
        after.pop(shape.code, None)
        if shape.geometry is not None:
            after[shape.code] = shape.geometry
    return Drawing(city, before, after, kinds, tuple(shapes), reading)


def _sound(code: str, kind: str, drawn: shapely.Geometry | None, where: str) -> Shape:
    """Return a shape that can be measured: as drawn, or mended with what was mended."""
    if drawn is None:
        return Shape(code, kind, None)
    fault = None
    for problem in validity.problems(drawn):
        if problem.severity == "note":
            continue
        at = "" if problem.x is None or problem.y is None else f" at {problem.x:.7f}, {problem.y:.7f}"
        if problem.severity != "repairable":
            refused = LimitExceeded if problem.code == "too_many_vertices" else GeometryError
            raise refused(problem.message, code=problem.code, where=where + at, remedy=problem.remedy)
        if not is_mendable(drawn):
            raise GeometryError(problem.message, code=problem.code, where=where + at, remedy="Redraw it there.")
        if problem.x is not None and problem.y is not None:
            fault = (problem.x, problem.y)
    try:
        mended, note = validity.repair(drawn)
        polygon = validity.as_multipolygon(mended)
    except GeometryError as error:
        raise GeometryError(error.message, code=error.code, where=where, remedy=error.remedy) from error
    return Shape(code, kind, polygon, note, fault if note else None)


# ---- the answer


def readout(drawing: Drawing, user: User) -> dict[str, Any]:
    """Measure a drawing.

    Returns
    -------
    dict
        Ready for JSON: ``places`` with size, people, facilities and misfits of each; ``touched`` with what each gains and
        loses; ``findings``; ``notes`` and ``repaired`` where a shape was mended to be measured.
    """
    there = [shape for shape in drawing.shapes if shape.geometry is not None]
    geometries = np.array([shape.geometry for shape in there], dtype=object)
    changes = {shape.code: difference(drawing.before.get(shape.code), shape.geometry) for shape in drawing.shapes}
    changes = {code: change for code, change in changes.items() if change.gained_m2 + change.lost_m2 > 0}
    people = _people(drawing, user, there, changes)
    found = findings(drawing, [shape.code for shape in drawing.shapes])
    sizes = area_m2(geometries) if there else ()
    lengths = length_m(shapely.boundary(geometries)) if there else ()
    facilities = _facilities(drawing.reading, geometries)
    places = {}
    for index, shape in enumerate(there):
        own = [f for f in found if shape.code in f["codes"] and f["kind"] != "invalid"]
        places[shape.code] = {
            "area_m2": round(float(sizes[index]), 2),
            "perimeter_m": round(float(lengths[index]), 2),
            "people": people[shape.code]["people"],
            "facilities": {code: int(counts[index]) for code, counts in facilities.items()},
            "overlap_m2": round(sum(f["area_m2"] for f in own if f["is_overlap"]), 2),
            "gap_m2": round(sum(f["area_m2"] for f in own if not f["is_overlap"]), 2),
        }
    touched = {
        code: {
            "gained_m2": round(change.gained_m2, 2),
            "lost_m2": round(change.lost_m2, 2),
            "people_gained": people[code]["gained"],
            "people_lost": people[code]["lost"],
        }
        for code, change in changes.items()
    }
    return {
        "places": places,
        "touched": touched,
        "findings": found,
        "notes": {shape.code: text_told(shape.note) for shape in drawing.shapes if shape.note},
        "repaired": {shape.code: geojson(shape.geometry) for shape in drawing.shapes if shape.note},
    }


def findings(drawing: Drawing, changed: Sequence[str]) -> list[dict[str, Any]]:
    """Return what does not fit around some places, and shapes that cross themselves.

    Settlements lie freely. What was there before is looked for near the edits alone.
    """
    codes = {code for code in changed if drawing.kinds.get(code) == NEIGHBOURHOOD}
    around = [shapes[code] for shapes in (drawing.before, drawing.after) for code in codes if code in shapes]
    found = []
    if around:
        before = _near(drawing.neighbourhoods(drawing.before), around)
        found = findings_of(before=before, after=drawing.neighbourhoods(drawing.after), changed=codes)
    broken = [_crossing(shape.code, *shape.fault) for shape in drawing.shapes if shape.fault is not None]
    return broken + [{**one, "where": [one["lon"], one["lat"]]} for one in found]


def all_findings(drawing: Drawing) -> list[dict[str, Any]]:
    """Return what does not fit in the whole city."""
    tiles = drawing.neighbourhoods(drawing.after)
    found = findings_of(before=drawing.neighbourhoods(drawing.before), after=tiles, changed=set(tiles))
    broken = [_crossing(shape.code, *shape.fault) for shape in drawing.shapes if shape.fault is not None]
    return broken + [{**one, "where": [one["lon"], one["lat"]]} for one in found]


def _crossing(code: str, lon: float, lat: float) -> dict[str, Any]:
    return {
        "key": f"invalid:{code}:{lon:.5f},{lat:.5f}",
        "kind": "invalid",
        "codes": [code],
        "where": [lon, lat],
        "lon": lon,
        "lat": lat,
        "area_m2": 0.0,
        "width_m": 0.0,
        "is_overlap": False,
        "geometry": {"type": "Point", "coordinates": [lon, lat]},
        "repairs": [{"key": f"mend:{code}", "label_code": "mend", "into": code}],
        "is_new": True,
        "is_acknowledged": False,
    }


def _near(shapes: dict[str, shapely.Geometry], around: Sequence[shapely.Geometry]) -> dict[str, shapely.Geometry]:
    """Keep the shapes whose boxes overlap those of others."""
    if not shapes:
        return {}
    codes = list(shapes)
    wide = shapely.bounds(around) + np.array([-1, -1, 1, 1]) * _NEAR_DEGREES
    tree = shapely.STRtree(list(shapes.values()))
    found = np.unique(tree.query(shapely.box(*wide.T))[1])
    return {codes[index]: shapes[codes[index]] for index in found}


def _people(
    drawing: Drawing, user: User, there: Sequence[Shape], changes: Mapping[str, Difference]
) -> dict[str, dict[str, float | None]]:
    """Count the people in each shape, and in what each gains and loses, at once."""
    wanted: list[tuple[str, str, shapely.Geometry]] = [(s.code, "people", s.geometry) for s in there if s.geometry]
    for code, change in changes.items():
        wanted += [(code, "gained", change.gained), (code, "lost", change.lost)]
    told: dict[str, dict[str, float | None]] = {
        code: dict.fromkeys(("people", "gained", "lost")) for code, _, _ in wanted
    }
    if drawing.reading is None or drawing.reading.population is None or not wanted:
        return told
    counts = people_within(drawing.reading, np.array([geometry for _, _, geometry in wanted], dtype=object))
    is_exact = is_insider(user, drawing.city)
    own = frozenset() if is_exact else editable_codes(drawing.city, user)
    for (code, name, _), count in zip(wanted, counts, strict=True):
        number = round(float(count), 1)
        told[code][name] = number if is_exact or code in own else public_count(number)
    return told


def _facilities(reading: CityReading | None, geometries: NDArray[np.object_]) -> dict[str, NDArray[np.int64]]:
    """Count facilities by service: each is where its point is, or a point inside it."""
    if reading is None or not len(geometries):
        return {}
    asked = [s for s in reading.supplied if s.release and s.supply.service.kind == Service.Kind.FACILITY]
    key = content_key("facility points", [(s.release.content_hash, s.supply.where) for s in asked if s.release])

    def points() -> tuple[NDArray[np.object_], NDArray[np.int64]]:
        read = [facilities_read(s.release.pk, s.supply.where) for s in asked if s.release]
        owner = np.repeat(np.arange(len(read)), [len(one) for one in read])
        return shapely.point_on_surface(np.concatenate([*read, np.empty(0, dtype=object)])), owner

    at, service = arrays.get(key, points)
    shape, point = shapely.STRtree(at).query(geometries, predicate="covers")
    counts = np.zeros((len(asked), len(geometries)), dtype=np.int64)
    np.add.at(counts, (service[point], shape), 1)
    return {one.supply.service.code: counts[index] for index, one in enumerate(asked)}
