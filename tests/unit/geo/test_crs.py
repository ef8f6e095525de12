"""Reference systems: zones, projecting there and back, and refusing what cannot be projected."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_utm_crs_info

from geo.core.crs import STORAGE_EPSG, TILE_EPSG, project, project_xy, require_metric, utm_epsg, utm_epsg_of
from geo.errors import CrsError, GeometryError


@given(st.floats(-179.9, 179.9), st.floats(-79.9, 83.9))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_the_zone_is_one_that_the_register_lists_for_the_point(lon: float, lat: float) -> None:
    nearby = AreaOfInterest(lon - 1e-9, lat - 1e-9, lon + 1e-9, lat + 1e-9)
    listed = {int(info.code) for info in query_utm_crs_info("WGS 84", nearby)}
    widened = (56 <= lat < 64 and 0 <= lon < 12) or (lat >= 72 and 0 <= lon < 42)
    assert widened or abs(lat) < 1e-6 or utm_epsg(lon, lat) in listed


@pytest.mark.parametrize(
    ("lon", "lat", "epsg"),
    [
        (48.36, 33.49, 32639),
        (44.0, 36.0, 32638),
        (63.0, 27.0, 32641),
        (-46.39, -23.96, 32723),
        (180.0, 0.0, 32660),
        (-180.0, -1.0, 32701),
        (5.3, 60.4, 32632),  # Bergen, the widened zone
        (15.6, 78.2, 32633),  # Longyearbyen
    ],
)
def test_known_zones(lon: float, lat: float, epsg: int) -> None:
    assert utm_epsg(lon, lat) == epsg


@pytest.mark.parametrize(("lon", "lat"), [(181, 0), (0, 91), (float("nan"), 0), (0, float("inf")), (350000, 3700000)])
def test_what_is_not_on_the_globe_has_no_zone(lon: float, lat: float) -> None:
    with pytest.raises(CrsError, match="not a point on the globe"):
        utm_epsg(lon, lat)


def test_the_zone_of_many_is_that_of_the_middle_of_their_bounds() -> None:
    assert utm_epsg_of([shapely.Point(47.0, 33), shapely.Point(49.9, 34), None]) == 32639
    with pytest.raises(GeometryError, match="no coordinate"):
        utm_epsg_of([None, shapely.Point()])


def test_projecting_there_and_back_changes_less_than_a_tenth_of_a_millimetre() -> None:
    city = shapely.box(48.2, 33.3, 48.5, 33.6).segmentize(0.05)
    there = project([city, None, shapely.Point()], STORAGE_EPSG, 32639)
    back = project(there, 32639, STORAGE_EPSG)
    assert there[1] is None
    assert there[2].is_empty
    assert shapely.hausdorff_distance(back[0], city) < 1e-9
    assert project(city, STORAGE_EPSG, TILE_EPSG)[0].is_valid


def test_the_third_dimension_is_dropped() -> None:
    assert not project(shapely.Point(48, 33, 1200), STORAGE_EPSG, STORAGE_EPSG)[0].has_z


def test_bare_coordinates_go_where_points_go() -> None:
    point = project(shapely.Point(48.3, 33.4), STORAGE_EPSG, 32639)[0]
    found = project_xy(np.array([[[48.3, 33.4]]]), STORAGE_EPSG, 32639)
    assert found.tolist() == [[[point.x, point.y]]]
    assert project_xy(np.empty((0, 2)), STORAGE_EPSG, 32639).shape == (0, 2)


def test_coordinates_that_cannot_be_expressed_are_refused() -> None:
    with pytest.raises(CrsError, match="cannot be expressed"):
        project(shapely.Point(350000, 3700000), STORAGE_EPSG, 32639)
    with pytest.raises(CrsError, match="cannot be expressed"):
        project(shapely.Point(float("nan"), 1), STORAGE_EPSG, STORAGE_EPSG)
    with pytest.raises(CrsError, match="cannot be expressed"):
        project_xy(np.array([[0.0, 1000.0]]), STORAGE_EPSG, TILE_EPSG)


def test_unknown_codes_are_refused() -> None:
    with pytest.raises(CrsError, match="EPSG:999999 is not a known reference system"):
        project(shapely.Point(0, 0), 999999, STORAGE_EPSG)


def test_only_metric_systems_are_metric() -> None:
    require_metric(32639)
    for epsg in (4326, 2263):  # degrees; US survey feet
        with pytest.raises(CrsError, match="not measured in metres"):
            require_metric(epsg)
