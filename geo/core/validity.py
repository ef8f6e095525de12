"""Is a geometry fit to be stored, what is wrong with it and where, and how it can be mended.

Nothing is mended silently: `problems` names every fault with its place and remedy, `repair` says what it changed.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import shapely

from geo.errors import GeometryError

Severity = Literal["error", "repairable", "note"]

#: More vertices than any boundary or street needs; a 2-million-vertex polygon is a wrongly traced raster.
MAX_VERTICES: Final = 200_000

_PLACE_OF_FAULT: Final = re.compile(r"^(?P<what>.*?)\s*\[\s*(?P<x>[^\s\]]+)\s+(?P<y>[^\s\]]+)\s*\]?")

# A boundary of one place does not span half the globe; one that does has been cut wrongly at the 180th meridian.
_WIDEST_DEGREES: Final = 180.0


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of a geometry.

    Attributes
    ----------
    code
        Stable machine-readable name.
    severity
        ``error``: cannot be stored; ``repairable``: `repair` mends it; ``note``: it is stored, but changed or odd.
    message, remedy
        What is wrong and what to do, complete English sentences.
    x, y
        Where, in the geometry's own coordinates; None if the fault has no single place.
    """

    code: str
    severity: Severity
    message: str
    remedy: str
    x: float | None = None
    y: float | None = None


def problems(
    geometry: shapely.Geometry | None, *, lon_lat: bool = True, max_vertices: int = MAX_VERTICES
) -> list[Problem]:
    """List what is wrong with a geometry, worst first; an empty list means that it can be stored as it is.

    Parameters
    ----------
    geometry
        Any geometry, or None for a row without one.
    lon_lat
        True if coordinates are degrees in EPSG:4326; ranges and the 180th meridian are then checked.
    max_vertices
        The largest number of vertices accepted.

    Examples
    --------
    >>> [(p.code, p.x, p.y) for p in problems(shapely.from_wkt("POLYGON ((0 0, 2 2, 2 0, 0 2, 0 0))"))]
    [('invalid', 1.0, 1.0)]
    >>> problems(shapely.Point(48.36, 33.49))
    []
    """
    if geometry is None:
        return [Problem("missing", "error", "The row has no geometry.", "Draw it, or leave the row out.")]
    if geometry.is_empty:
        return [Problem("empty", "error", "The geometry is empty.", "Draw it, or leave the row out.")]
    n_vertices = int(shapely.get_num_coordinates(geometry))
    if n_vertices > max_vertices:
        # Every other check takes time in proportion, and none of their answers would let it in.
        return [
            Problem(
                "too_many_vertices",
                "error",
                f"The geometry has {n_vertices:,} vertices, more than {max_vertices:,}.",
                "Simplify it, or split it into parts.",
            )
        ]
    xy = shapely.get_coordinates(geometry)
    if not np.isfinite(xy).all():
        return [
            Problem(
                "not_finite",
                "error",
                "A coordinate is not a finite number.",
                "Correct or remove the vertex; the file may be damaged.",
            )
        ]
    found: list[Problem] = []
    if lon_lat:
        found += _lon_lat_problems(xy)
    reason = shapely.is_valid_reason(geometry)
    if reason != "Valid Geometry":
        match = _PLACE_OF_FAULT.match(reason)
        found.append(
            Problem(
                "invalid",
                "repairable",
                f"The geometry is not valid: {match['what'] if match else reason}.",
                "Redraw it at this place, or accept the repair offered.",
                float(match["x"]) if match else None,
                float(match["y"]) if match else None,
            )
        )
    if geometry.has_z or shapely.has_m(geometry):
        found.append(
            Problem("not_2d", "note", "The geometry has heights or measures, which are not stored.", "Nothing to do.")
        )
    return found


def repair(geometry: shapely.Geometry | None) -> tuple[shapely.Geometry, str]:
    """Mend a geometry, and say what was changed.

    Polygons keep their structure: holes are cut out, shells merged, and what has no area is dropped. Heights are
    dropped. A valid two-dimensional geometry comes back unchanged with an empty note.

    Returns
    -------
    tuple of Geometry and str
        The valid geometry and an English sentence about the change, with the change of area in percent.

    Raises
    ------
    GeometryError
        If there is nothing to mend: no geometry, an empty one, coordinates that are not finite, or nothing left.

    Examples
    --------
    >>> mended, note = repair(shapely.from_wkt("POLYGON ((0 0, 2 2, 2 0, 0 2, 0 0))"))
    >>> mended.is_valid, mended.area, note
    (True, 2.0, 'Repaired: Self-intersection at 1, 1.')
    """
    if geometry is None or geometry.is_empty:
        raise GeometryError("There is no geometry to repair.", code="empty_geometry", remedy="Leave the row out.")
    if not np.isfinite(shapely.get_coordinates(geometry)).all():
        raise GeometryError(
            "A coordinate is not a finite number.", code="not_finite", remedy="Correct or remove the vertex."
        )
    flat = force_2d(geometry)
    notes = [] if flat is geometry else ["Heights or measures were dropped."]
    if flat.is_valid:
        return flat, " ".join(notes)
    reason = shapely.is_valid_reason(flat)
    mended = shapely.make_valid(flat, method="structure", keep_collapsed=False)
    if flat.geom_type in ("Polygon", "MultiPolygon"):
        mended = _polygonal(mended)
    if mended.is_empty or not mended.is_valid:
        raise GeometryError(
            "Nothing is left of the geometry after repair.",
            code="beyond_repair",
            where=reason,
            remedy="Redraw it, or leave the row out.",
        )
    match = _PLACE_OF_FAULT.match(reason)
    notes.insert(0, f"Repaired: {match['what']} at {match['x']}, {match['y']}." if match else f"Repaired: {reason}.")
    # A polygon that crosses itself has no area worth comparing with; other faults leave it meaningful.
    if "Self-intersection" not in reason and flat.area > 0:
        change = 100 * (mended.area / flat.area - 1)
        if abs(change) >= 0.005:
            notes.append(f"Its area changed by {change:+.2f} %.")
    return mended, " ".join(notes)


def as_multipolygon(geometry: shapely.Geometry | None) -> shapely.MultiPolygon:
    """Give a polygonal geometry as a two-dimensional multipolygon; of a collection, its polygons.

    Raises
    ------
    GeometryError
        If the geometry is missing or empty, or has no polygon.

    Examples
    --------
    >>> as_multipolygon(shapely.box(0, 0, 1, 1)).geom_type
    'MultiPolygon'
    """
    if geometry is None or geometry.is_empty:
        raise GeometryError("The geometry is empty.", code="empty_geometry", remedy="Draw it, or leave the row out.")
    polygonal = _polygonal(force_2d(geometry))
    if polygonal.is_empty:
        raise GeometryError(
            f"A {geometry.geom_type} is not a polygon.",
            code="not_polygonal",
            remedy="Choose a layer of areas, or buffer the lines first.",
        )
    return polygonal


def force_2d(geometry: shapely.Geometry) -> shapely.Geometry:
    """Drop heights and measures; a two-dimensional geometry is returned itself.

    Examples
    --------
    >>> force_2d(shapely.Point(1, 2, 3)).wkt
    'POINT (1 2)'
    """
    if not (geometry.has_z or shapely.has_m(geometry)):
        return geometry
    return shapely.force_2d(geometry)


def _polygonal(geometry: shapely.Geometry) -> shapely.MultiPolygon:
    """Collect the polygons of a geometry, also of nested collections."""
    parts = shapely.get_parts(geometry)
    if geometry.geom_type == "MultiPolygon" and not shapely.is_empty(parts).any():
        return geometry
    while (shapely.get_type_id(parts) > 3).any():
        parts = shapely.get_parts(parts)
    polygons = parts[(shapely.get_type_id(parts) == 3) & ~shapely.is_empty(parts)]
    return shapely.MultiPolygon(list(polygons))


def _lon_lat_problems(xy: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> list[Problem]:
    outside = np.flatnonzero((np.abs(xy[:, 0]) > 180) | (np.abs(xy[:, 1]) > 90))
    if outside.size:
        x, y = (float(value) for value in xy[outside[0]])
        if abs(x) <= 90 and abs(y) <= 180:
            remedy = "Longitude and latitude seem to be exchanged; give longitude first."
        elif abs(x) > 1000 or abs(y) > 1000:
            remedy = "These look like metres: name the reference system they are in."
        else:
            remedy = "Give degrees in EPSG:4326, longitude first."
        return [
            Problem(
                "out_of_range", "error", f"The coordinate {x:g}, {y:g} is not a longitude and latitude.", remedy, x, y
            )
        ]
    width = float(np.ptp(xy[:, 0])) if len(xy) else 0.0
    if width > _WIDEST_DEGREES:
        x, y = (float(value) for value in xy[np.argmax(xy[:, 0])])
        return [
            Problem(
                "crosses_antimeridian",
                "error",
                f"The geometry spans {width:.0f} degrees of longitude.",
                "If it crosses the 180th meridian, cut it there into two parts in two rows.",
                x,
                y,
            )
        ]
    return []
