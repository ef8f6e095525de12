"""Tasks of a change set: gaps, overlaps and slivers that it opens or leaves, as they are kept with it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any, Final

import numpy as np
import shapely

from geo.core.measuring import metres_per_degree, width_m
from geo.core.snapping import SNAP_TOLERANCE_M
from geo.core.topology import Finding, findings, findings_near

REFUSED_KINDS: Final = ("gap", "overlap", "sliver")
"""What an approval does not open without somebody's saying so."""

Shapes = Mapping[str, shapely.Geometry]


def findings_of(
    *, before: Shapes, after: Shapes, changed: Collection[str], acknowledged: Collection[str] = ()
) -> list[dict[str, Any]]:
    """Find what does not fit around the places of a change set.

    Parameters
    ----------
    before, after : mapping of str to Geometry
        The neighbourhoods around by code, in EPSG:4326, as they stand and as they would.
    changed : collection of str
        Codes of the places that are changed, made or ended.
    acknowledged : collection of str
        Keys of findings that are meant.

    Returns
    -------
    list of dict
        Ready for JSON: ``key, kind, codes, lon, lat, area_m2, width_m, is_overlap, geometry`` (GeoJSON), ``repairs``
        (``key, label_code, into``), ``is_new`` (not there before) and ``is_acknowledged``. Ground that nobody has any
        more counts as a gap also at the edge of the city.
    """
    found = findings_near(after, changed, before=before)
    found += _given_up(before, after, changed, found)
    if not found:
        return []
    old = findings(before)
    return [
        {
            "key": finding.key,
            "kind": finding.kind,
            "codes": list(finding.codes),
            "lon": finding.where[0],
            "lat": finding.where[1],
            "area_m2": finding.area_m2,
            "width_m": finding.width_m,
            "is_overlap": finding.is_overlap,
            "geometry": json.loads(shapely.to_geojson(finding.geometry_4326)),
            "repairs": [{"key": way.key, "label_code": way.label_code, "into": way.into} for way in finding.repairs],
            "is_new": _is_new(finding, old),
            "is_acknowledged": finding.key in acknowledged,
        }
        for finding in found
    ]


def _given_up(before: Shapes, after: Shapes, changed: Collection[str], found: list[Finding]) -> list[Finding]:
    """Find ground at the edge of the city that one of the places had and nobody has any more."""
    drawn_on = [before[code] for code in changed if code in before]
    # Most edits give up nothing wide, or what is found already: then nothing need be laid over the neighbours.
    kept = [after[code] for code in changed if code in after]
    lost = shapely.difference(_all_of(drawn_on), _all_of(kept))
    for finding in found:
        if _is_gap(finding):
            lost = shapely.difference(lost, finding.geometry_4326)
    if not _is_wide(lost):
        return []
    had = shapely.union_all(drawn_on)
    box = shapely.box(*had.bounds)
    left = shapely.difference(had, shapely.union_all([shape for shape in after.values() if shape.intersects(box)]))
    for finding in found:
        if _is_gap(finding):
            left = shapely.difference(left, finding.geometry_4326)
    parts = shapely.get_parts(left)
    parts = parts[shapely.get_type_id(parts) == 3]
    wide = parts[width_m(parts) > SNAP_TOLERANCE_M] if len(parts) else parts
    if not len(wide):
        return []
    outline = shapely.MultiPolygon(list(wide))
    return [f for f in findings_near(after, changed, before=before, outline=outline) if _is_gap(f)]


def _all_of(shapes: list[shapely.Geometry]) -> shapely.Geometry:
    return shapes[0] if len(shapes) == 1 else shapely.union_all(shapes)


def _is_wide(land: shapely.Geometry) -> bool:
    """Tell whether a part of some land may be wider than the tolerance, by its box: the width itself takes longer."""
    parts = shapely.get_parts(land)
    parts = parts[shapely.get_type_id(parts) == 3]
    if not len(parts):
        return False
    boxes = shapely.bounds(parts)
    east, north = metres_per_degree(boxes[:, 1])
    narrow_m = np.minimum((boxes[:, 2] - boxes[:, 0]) * east, (boxes[:, 3] - boxes[:, 1]) * north)
    return bool((narrow_m > 0.9 * SNAP_TOLERANCE_M).any())


def _is_gap(finding: Finding) -> bool:
    return finding.kind != "invalid" and not finding.is_overlap


def _is_new(finding: Finding, old: list[Finding]) -> bool:
    """Tell whether a gap or overlap reaches where none of its sort was before."""
    if finding.kind == "invalid":
        return True
    there = [f.geometry_4326 for f in old if f.kind != "invalid" and f.is_overlap == finding.is_overlap]
    parts = shapely.get_parts(shapely.difference(finding.geometry_4326, shapely.union_all(there)))
    parts = parts[shapely.get_type_id(parts) == 3]
    return bool(len(parts) and np.max(width_m(parts)) > SNAP_TOLERANCE_M)
