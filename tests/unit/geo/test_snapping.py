"""What is drawn beside a boundary comes to lie on it, vertex by vertex, and nothing else moves."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.core.measuring import distance_m, metres_per_degree
from geo.core.noding import noded, with_vertices
from geo.core.snapping import SNAP_TOLERANCE_M, nodes_inserted, snap
from geo.core.topology import findings
from geo.errors import GeometryError
from tests.unit.geo.generated_city import city

EAST_M, NORTH_M = (float(value) for value in metres_per_degree(33.5))
CITY = city(16, seed=4)


def place(x_m: float, y_m: float) -> tuple[float, float]:
    """Give the point so many metres east and north of a corner near Khorramabad."""
    return 48.36 + x_m / EAST_M, 33.5 + y_m / NORTH_M


def area(*corners: tuple[float, float]) -> shapely.Polygon:
    return shapely.Polygon([place(*corner) for corner in corners])


WEST = area((0, 0), (100, 0), (100, 40), (100, 100), (0, 100))


def test_a_vertex_goes_to_the_vertex_in_reach_before_the_edge() -> None:
    drawn = shapely.LineString([place(100.3, 0.3), place(150, 50)])
    snapped, moved_m = snap(drawn, WEST)
    assert snapped.coords[0] == WEST.exterior.coords[1]
    assert snapped.coords[1] == drawn.coords[1]
    assert moved_m == pytest.approx(np.hypot(0.3, 0.3), rel=1e-3)


def test_a_vertex_beside_an_edge_goes_onto_it() -> None:
    snapped, moved_m = snap(shapely.LineString([place(100.4, 20), place(150, 20)]), WEST)
    x, y = snapped.coords[0]
    assert ((x - 48.36) * EAST_M, (y - 33.5) * NORTH_M) == (pytest.approx(100, abs=0.01), pytest.approx(20, abs=0.01))
    assert (x, y) == (round(x, 7), round(y, 7))
    assert moved_m == pytest.approx(0.4, abs=0.01)


def test_out_of_reach_nothing_moves() -> None:
    drawn = shapely.LineString([place(100.6, 20), place(150, 20)])
    assert snap(drawn, WEST) == (drawn, 0.0)
    assert snap(drawn, WEST, 0.7)[1] == pytest.approx(0.6, abs=0.01)
    assert snap(drawn, []) == (drawn, 0.0)
    assert snap(shapely.Polygon(), WEST) == (shapely.Polygon(), 0.0)


def test_vertices_of_the_boundary_are_put_into_the_edge_that_runs_along_it() -> None:
    east = area((100.3, 0), (200, 0), (200, 100), (99.8, 100))
    snapped, _ = snap(east, WEST)
    shared = {WEST.exterior.coords[index] for index in (1, 2, 3)}
    assert shared <= set(snapped.exterior.coords)
    assert shapely.coverage_is_valid(np.array([WEST, snapped]))
    assert snap(snapped, WEST) == (snapped, 0.0)


@pytest.mark.parametrize("kind", ["Point", "MultiPoint", "LineString", "MultiLineString", "MultiPolygon"])
def test_every_kind_of_geometry_comes_back_as_its_kind(kind: str) -> None:
    at, away = place(100.3, 20), place(130, 20)
    geometry = {
        "Point": shapely.Point(at),
        "MultiPoint": shapely.MultiPoint([at, away]),
        "LineString": shapely.LineString([at, away]),
        "MultiLineString": shapely.MultiLineString([[at, away], [away, place(140, 30)]]),
        "MultiPolygon": shapely.MultiPolygon([shapely.Polygon([at, away, place(120, 60)])]),
    }[kind]
    snapped, moved_m = snap(geometry, [WEST, None])
    assert snapped.geom_type == kind
    assert moved_m == pytest.approx(0.3, abs=0.01)
    assert shapely.distance(snapped, WEST) < 1e-7


def test_a_shape_narrower_than_the_tolerance_is_left_alone() -> None:
    """Snapping both its sides onto one line would leave nothing of it."""
    strip = area((100.1, 10), (100.3, 10), (100.3, 30), (100.1, 30))
    assert snap(strip, WEST) == (strip, 0.0)


def test_a_ring_that_comes_together_in_part_loses_a_vertex() -> None:
    drawn = area((100.1, 39.9), (150, 20), (150, 60), (100.2, 40.1))
    snapped, _ = snap(drawn, WEST)
    assert len(snapped.exterior.coords) == 4
    assert WEST.exterior.coords[2] in snapped.exterior.coords


def test_points_on_edges_are_inserted_in_their_order_and_exactly() -> None:
    points = [place(60, 0), place(20, 0), place(0, 50), place(50, 50), place(0, 0)]
    grown = nodes_inserted(WEST, shapely.MultiPoint(points))
    coordinates = list(grown.exterior.coords)
    assert coordinates[:4] == [place(0, 0), place(20, 0), place(60, 0), place(100, 0)]
    assert place(0, 50) in coordinates
    assert len(coordinates) == len(WEST.exterior.coords) + 3
    assert nodes_inserted(WEST, np.array([place(50, 50)])) is WEST
    assert nodes_inserted(grown, shapely.MultiPoint(points)) is grown


def test_vertices_are_put_into_holes_and_parts_too() -> None:
    two = shapely.MultiPolygon([
        (shapely.box(0, 0, 4, 4).exterior.coords, [shapely.box(1, 1, 3, 3).exterior.coords]),
        (shapely.box(5, 0, 6, 4).exterior.coords, []),
    ])  # fmt: skip
    grown = with_vertices(two, np.array([[1.0, 2.0], [5.5, 4.0], [4.5, 2.0]]))
    assert shapely.get_num_coordinates(grown) == shapely.get_num_coordinates(two) + 2
    assert grown.area == two.area
    assert (1.0, 2.0) in grown.geoms[0].interiors[0].coords
    assert (5.5, 4.0) in grown.geoms[1].exterior.coords


def test_lines_are_noded_where_they_cross_and_only_there() -> None:
    both = {"a": shapely.box(0, 0, 1, 1), "b": shapely.box(1, 0, 2, 1)}
    after, line = noded(both, shapely.LineString([(0.5, 0.5), (1.5, 0.25)]), ["a"])
    assert shapely.get_coordinates(line).tolist() == [[0.5, 0.5], [1.0, 0.375], [1.5, 0.25]]
    assert (1.0, 0.375) in after["a"].exterior.coords
    assert (1.0, 0.375) in after["b"].exterior.coords
    assert noded(both, shapely.LineString([(0.2, 0.5), (0.8, 0.25)]), ["a"])[0]["a"] is both["a"]


@pytest.mark.parametrize(("n_teeth", "code"), [(401, "too_close"), (4001, "too_many_crossings")])
def test_lines_too_close_to_tell_apart_are_refused_with_their_place(n_teeth: int, code: str) -> None:
    """A zigzag that crosses the boundary more often than rounding can separate."""
    x = np.linspace(0, 1e-5, n_teeth)
    zigzag = shapely.LineString(np.stack((x, np.where(np.arange(n_teeth) % 2, 1e-10, -1e-10)), axis=1))
    with pytest.raises(GeometryError) as refused:
        noded({"a": shapely.box(0, 0, 1, 1)}, zigzag, ["a"])
    assert refused.value.code == code
    assert refused.value.where.startswith("0.0000")


@settings(derandomize=True, deadline=None, max_examples=150)
@given(
    index=st.integers(0, 15),
    seed=st.integers(0, 10_000),
    drop=st.floats(0, 0.6),
    add=st.integers(0, 3),
    error_m=st.floats(0, 0.45),
)
def test_a_boundary_drawn_again_within_the_tolerance_matches_its_neighbours(
    index: int, seed: int, drop: float, add: int, error_m: float
) -> None:
    """Another hand drew the place from the same imagery: other vertices, each a little off."""
    rng = np.random.default_rng(seed)
    code = list(CITY.polygons)[index]
    others = {other: polygon for other, polygon in CITY.polygons.items() if other != code}
    drawn = redrawn(CITY.polygons[code], rng, drop * error_m, add, error_m)
    snapped, moved_m = snap(drawn, list(others.values()))
    assert moved_m <= SNAP_TOLERANCE_M + 0.011  # a centimetre of rounding
    after = {other: nodes_inserted(polygon, snapped) for other, polygon in others.items()}
    after[code] = snapped
    assert snapped.is_valid
    assert findings(after) == []
    # The neighbours kept their shape to a rounding, and a second time nothing moves.
    for other, polygon in others.items():
        assert shapely.hausdorff_distance(after[other].boundary, polygon.boundary) < 2e-7
    again, moved_again_m = snap(snapped, [after[other] for other in others])
    assert moved_again_m == 0.0
    assert again.equals_exact(snapped, 0.0)


def redrawn(
    polygon: shapely.MultiPolygon, rng: np.random.Generator, simplify_m: float, add: int, error_m: float
) -> shapely.MultiPolygon:
    """Give a polygon with fewer vertices here, more there, each off by an error at most."""
    scale = np.array([EAST_M, NORTH_M])
    thin = shapely.simplify(polygon, simplify_m / EAST_M)
    dense = shapely.segmentize(thin, thin.length / (4 * (add + 1)))
    xy = shapely.get_coordinates(dense)[:-1]
    angle, radius = rng.uniform(0, 2 * np.pi, len(xy)), error_m * (1 - simplify_m) * rng.uniform(0, 0.7, len(xy))
    moved = xy + np.stack((np.cos(angle), np.sin(angle)), axis=1) * radius[:, None] / scale
    return shapely.multipolygons([shapely.Polygon(moved)])


def test_how_far_is_measured_on_the_ground() -> None:
    drawn = shapely.LineString([place(100.3, 0.2), place(150, 50)])
    snapped, moved_m = snap(drawn, WEST)
    ends = [shapely.Point(line.coords[0]) for line in (drawn, snapped)]
    assert moved_m == pytest.approx(float(distance_m(ends[0], ends[1])[0]), rel=1e-9)
