"""Isochrones as GeoJSON (RFC 7946): longitude and latitude, seven decimals, rings anticlockwise."""

from __future__ import annotations

import json
from typing import Any

import shapely

from analysis.measures.results import CityIsochrone


def isochrone_feature(found: CityIsochrone, *, is_insider: bool = True) -> dict[str, Any]:
    """Return an isochrone as a feature; how many people live there is told to insiders alone."""
    drawn = shapely.orient_polygons(shapely.set_precision(found.polygons_4326, 1e-7))
    if drawn.geom_type == "Polygon":
        drawn = shapely.MultiPolygon([drawn])
    return {
        "type": "Feature",
        "geometry": json.loads(shapely.to_geojson(drawn)),
        "properties": {
            "city": found.basis.city.code,
            "lon": found.lon,
            "lat": found.lat,
            "facility": found.facility,
            "limit_m": found.limit_m,
            "travel": found.basis.travel.code,
            "area_m2": round(found.area_m2, 1),
            "people": found.people if is_insider else None,
        },
    }


def isochrone_parameters(found: CityIsochrone) -> dict[str, Any]:
    """Return what an isochrone was drawn with."""
    return {
        "lon": found.lon,
        "lat": found.lat,
        "facility": found.facility,
        "limit_m": found.limit_m,
        "travel": found.basis.travel.code,
        "cell_m": found.basis.cell_m,
    }
