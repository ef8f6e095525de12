"""Overlay: how many features lie in each place, and how much of its land they cover."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.core.crs import GeometryLike, as_geometries


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """What lies in each place.

    Attributes
    ----------
    count
        Shape ``(p,)``: features that touch the place's inside; a point on a shared border counts once, in the first place.
    area_m2, length_m
        Shape ``(p,)``: land under the polygons, counted once where they overlap; length of lines. NaN where the layer has none such.
    area_share
        Shape ``(p,)``: ``area_m2`` of the place's own area.
    outside
        Features that lie in no place.
    """

    count: NDArray[np.int64]
    area_m2: NDArray[np.float64]
    length_m: NDArray[np.float64]
    area_share: NDArray[np.float64]
    outside: int


def overlay(places_m: GeometryLike, features_m: GeometryLike) -> Overlay:
    """Overlay features on places, both in one projected system in metres.

    Parameters
    ----------
    places_m
        Valid polygons, shape ``(p,)``.
    features_m
        Points, lines or polygons, shape ``(n,)``.

    Examples
    --------
    Two squares of 10 m; a point and a strip of 1 m that crosses both:

    >>> places = [shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)]
    >>> result = overlay(places, [shapely.Point(15, 5), shapely.box(0, 0, 20, 1)])
    >>> result.count.tolist(), result.area_m2.tolist(), result.area_share.tolist(), result.outside
    ([1, 2], [10.0, 10.0], [0.1, 0.1], 0)
    """
    places, features = as_geometries(places_m), as_geometries(features_m)
    n_places = len(places)
    dimension = shapely.get_dimensions(features) if len(features) else np.empty(0, dtype=np.int64)
    is_point, is_line, is_polygon = dimension == 0, dimension == 1, dimension == 2
    shapely.prepare(places)
    place, feature = shapely.STRtree(places).query(features, predicate="intersects")[::-1]
    # Points on a shared border belong to the first place only; lines and polygons must share more than a border.
    order = np.lexsort((place, feature))
    place, feature = place[order], feature[order]
    first = np.ones(feature.size, dtype=bool)
    first[1:] = feature[1:] != feature[:-1]
    touches_only = np.zeros(feature.size, dtype=bool)
    large = ~is_point[feature]
    touches_only[large] = shapely.touches(places[place[large]], features[feature[large]])
    counted = np.where(is_point[feature], first, ~touches_only)
    count = np.bincount(place[counted], minlength=n_places).astype(np.int64)

    area_m2 = np.full(n_places, np.nan)
    length_m = np.full(n_places, np.nan)
    if is_polygon.any():
        area_m2[:] = 0.0
        of_polygons = is_polygon[feature] & counted
        for index in np.unique(place[of_polygons]):
            land = shapely.union_all(features[feature[of_polygons & (place == index)]])
            area_m2[index] = shapely.area(shapely.intersection(land, places[index]))
    if is_line.any():
        of_lines = is_line[feature] & counted
        pieces = shapely.length(shapely.intersection(features[feature[of_lines]], places[place[of_lines]]))
        length_m = np.bincount(place[of_lines], weights=pieces, minlength=n_places)
    area_of_place = shapely.area(places)
    area_share = np.divide(area_m2, area_of_place, out=np.full(n_places, np.nan), where=area_of_place > 0)
    outside = len(features) - np.unique(feature[counted]).size
    return Overlay(count, area_m2, length_m, area_share, int(outside))
