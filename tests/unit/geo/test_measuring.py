"""Measures against pyproj's own geometry methods, against planes, and against each other."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from geo.core.crs import STORAGE_EPSG, project, utm_epsg
from geo.core.measuring import area_m2, distance_m, length_m, planar_area_m2
from geo.errors import CrsError, InvalidInput

GEOD = Geod(ellps="WGS84")
KHORRAMABAD = shapely.Point(48.36, 33.49)


def on_the_ground(geometry_m: shapely.Geometry, lon: float = 51.0, lat: float = 33.5) -> shapely.Geometry:
    """Put a geometry in metres onto the globe around a point near the central meridian of a zone."""
    epsg = utm_epsg(lon, lat)
    origin = project(shapely.Point(lon, lat), STORAGE_EPSG, epsg)[0]
    moved = shapely.transform(geometry_m, lambda xy: xy + shapely.get_coordinates(origin))
    return project(moved, epsg, STORAGE_EPSG)[0]


SQUARE_WITH_HOLE = on_the_ground(shapely.box(0, 0, 1000, 1000).difference(shapely.box(200, 200, 300, 300)))


def test_a_square_kilometre_with_a_hole() -> None:
    # On the central meridian UTM shortens lengths by 0.9996, so the true area is larger by 0.9996**-2.
    assert area_m2(SQUARE_WITH_HOLE)[0] == pytest.approx(990_000 / 0.9996**2, rel=1e-6)
    assert length_m(SQUARE_WITH_HOLE)[0] == pytest.approx(4400 / 0.9996, rel=1e-6)
    assert planar_area_m2(SQUARE_WITH_HOLE, 32639)[0] == pytest.approx(990_000, rel=1e-9)


@given(st.integers(0, 10_000))
@settings(derandomize=True, deadline=None, max_examples=30)
def test_area_and_length_are_those_of_pyproj_for_any_turn_of_rings(seed: int) -> None:
    rng = np.random.default_rng(seed)
    centre = rng.uniform((-179, -80), (179, 80))
    turn = np.linspace(0, 2 * math.pi, 9)[:-1]
    star = shapely.Polygon(
        np.clip(centre + rng.uniform(0.05, 0.5, (8, 1)) * np.column_stack((np.cos(turn), np.sin(turn))), -180, 180)
    )
    hole = shapely.affinity.scale(star, 0.3, 0.3)
    ring = shapely.Polygon(star.exterior.coords, [hole.exterior.coords])
    expected_area, _ = GEOD.geometry_area_perimeter(shapely.orient_polygons(ring))
    for geometry in (ring, ring.reverse(), shapely.MultiPolygon([ring])):
        assert area_m2(geometry)[0] == pytest.approx(expected_area, rel=1e-12)
    assert length_m(star.exterior)[0] == pytest.approx(GEOD.geometry_length(star.exterior), rel=1e-12)


def test_parts_sum_to_the_whole_and_order_is_kept() -> None:
    parts = [shapely.box(48 + i / 100, 33, 48.01 + i / 100, 33.01) for i in range(5)]
    collection = shapely.GeometryCollection([shapely.MultiPolygon(parts[:2]), shapely.GeometryCollection(parts[2:])])
    mixed = area_m2([*parts, KHORRAMABAD, None, collection, shapely.LineString([(0, 0), (1, 1)])])
    assert mixed[7] == pytest.approx(mixed[:5].sum(), rel=1e-12)
    assert mixed[5] == mixed[8] == 0
    assert np.isnan(mixed[6])
    lengths = length_m([parts[0], None, KHORRAMABAD, collection])
    assert lengths[3] == pytest.approx(length_m(parts).sum(), rel=1e-12)
    assert np.isnan(lengths[1])
    assert lengths[2] == 0
    assert area_m2([]).shape == length_m([]).shape == (0,)


def test_a_measure_in_degrees_would_be_wrong() -> None:
    one_cell = shapely.box(48.36, 33.49, 48.37, 33.50)
    assert one_cell.area == pytest.approx(1e-4)
    assert 1.0e6 < area_m2(one_cell)[0] < 1.1e6


def test_distance_between_points_is_the_geodesic() -> None:
    tehran = shapely.Point(51.42, 35.69)
    expected = GEOD.inv(48.36, 33.49, 51.42, 35.69)[2]
    assert distance_m(KHORRAMABAD, tehran)[0] == pytest.approx(expected, rel=1e-12)


def test_distance_between_shapes_in_several_zones() -> None:
    for lon, lat in ((51.0, 33.5), (47.9, 30.0), (-46.4, -23.96)):
        a = on_the_ground(shapely.box(0, 0, 100, 100), lon, lat)
        b = on_the_ground(shapely.box(400, 500, 600, 600), lon, lat)
        assert distance_m(a, b)[0] == pytest.approx(500, rel=1.2e-3)  # UTM's own stretch
    places = [on_the_ground(shapely.box(0, 0, 100, 100), lon, lat) for lon, lat in ((51.0, 33.5), (47.9, 30.0))]
    point = on_the_ground(shapely.Point(0, 200))
    assert distance_m(places, point)[0] == pytest.approx(100 / 0.9996, rel=1e-6)


def test_touching_is_no_distance_and_missing_is_none() -> None:
    square = on_the_ground(shapely.box(0, 0, 100, 100))
    inside = on_the_ground(shapely.Point(50, 50))
    assert distance_m([square, None, square, square], [inside, inside, shapely.Point(), square]).tolist()[0] == 0
    result = distance_m([square, None, square, square], [inside, inside, shapely.Point(), square])
    assert np.isnan(result[1:3]).all()
    assert result[3] == 0


def test_what_is_not_in_degrees_is_refused() -> None:
    metres = shapely.box(500_000, 3_700_000, 500_100, 3_700_100)
    for measure in (area_m2, length_m):
        with pytest.raises(CrsError, match="not a longitude and latitude"):
            measure(metres)
    with pytest.raises(CrsError, match="not a longitude and latitude"):
        distance_m(metres, metres)
    with pytest.raises(CrsError, match="not measured in metres"):
        planar_area_m2(SQUARE_WITH_HOLE, 4326)
    with pytest.raises(InvalidInput, match="cannot be paired"):
        distance_m([KHORRAMABAD] * 2, [KHORRAMABAD] * 3)
