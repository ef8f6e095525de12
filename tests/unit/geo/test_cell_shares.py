"""Shares of cells against exactextract and against shapely's own intersections."""

import numpy as np
import pytest
import shapely
from exactextract import exact_extract
from exactextract.raster import NumPyRasterSource
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.core.cell_shares import cell_fractions, cell_parts, centres_inside
from geo.core.grid import Grid, grid_around
from geo.errors import GeometryError

GRID = Grid(epsg=32639, x_min_m=-40.0, y_max_m=60.0, cell_m=10.0, n_rows=11, n_cols=9)

coordinate = st.integers(-90, 110).map(float) | st.floats(-90, 110).map(lambda value: round(value, 3))
vertex = st.tuples(coordinate, coordinate)


@st.composite
def valid_polygons(draw: st.DrawFn) -> shapely.Geometry:
    """Polygons of any shape: unions of triangles and boxes less others, partly on grid lines, rings turning at will."""
    triangles = draw(st.lists(st.tuples(vertex, vertex, vertex), min_size=1, max_size=4))
    boxes = draw(st.lists(st.tuples(vertex, vertex), max_size=3))
    holes = draw(st.lists(st.tuples(vertex, vertex, vertex), max_size=3))
    solid = shapely.unary_union(
        [*(shapely.Polygon(t).buffer(0) for t in triangles), *(shapely.box(*a, *b) for a, b in boxes)]
    )
    shape = solid.difference(shapely.unary_union([shapely.Polygon(h).buffer(0) for h in holes]))
    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon" and part.area > 1e-3]
    turned = [
        shapely.Polygon(part.exterior.reverse() if draw(st.booleans()) else part.exterior, part.interiors)
        for part in parts
    ]
    # Coordinates in millimetres: exactextract itself errs by a whole cell at tips whose sides are nearer than that.
    whole = shapely.transform(shapely.MultiPolygon(turned), lambda xy: np.round(xy, 3))
    return whole if whole.is_valid else shapely.MultiPolygon()


def by_exactextract(polygon: shapely.Geometry, grid: Grid) -> np.ndarray:
    expected = np.zeros(grid.n_cells)
    if polygon.is_empty or not polygon.intersects(shapely.box(*grid.bounds_m)):
        return expected
    x_min, y_min, x_max, y_max = grid.bounds_m
    cells = np.arange(grid.n_cells, dtype=np.int32).reshape(grid.n_rows, grid.n_cols)
    raster = NumPyRasterSource(cells, xmin=x_min, ymin=y_min, xmax=x_max, ymax=y_max)
    feature = {"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(polygon)}
    found = exact_extract(raster, [feature], ["values", "coverage"])[0]["properties"]
    np.add.at(expected, np.asarray(found["values"], dtype=np.int64), np.asarray(found["coverage"], dtype=np.float64))
    return expected


@given(valid_polygons())
@settings(derandomize=True, deadline=None, max_examples=300)
def test_shares_equal_exactextract(polygon: shapely.Geometry) -> None:
    shares = cell_fractions(polygon, GRID).toarray()[0]
    np.testing.assert_allclose(shares, by_exactextract(polygon, GRID), atol=1e-6)


@given(valid_polygons())
@settings(derandomize=True, deadline=None, max_examples=150)
def test_shares_equal_the_areas_of_intersections(polygon: shapely.Geometry) -> None:
    expected = shapely.area(shapely.intersection(polygon, cell_boxes(GRID))) / GRID.cell_area_m2
    np.testing.assert_allclose(cell_fractions(polygon, GRID).toarray()[0], expected, atol=1e-10)


@given(st.lists(valid_polygons(), min_size=1, max_size=4))
@settings(derandomize=True, deadline=None, max_examples=100)
def test_shares_sum_to_the_area_inside_the_grid_whatever_the_neighbours(polygons: list[shapely.Geometry]) -> None:
    shares = cell_fractions(polygons, GRID)
    inside = shapely.area(shapely.intersection(np.array(polygons), shapely.box(*GRID.bounds_m)))
    np.testing.assert_allclose(np.asarray(shares.sum(axis=1)).ravel() * GRID.cell_area_m2, inside, atol=1e-9)
    for index, polygon in enumerate(polygons):
        np.testing.assert_allclose(shares[index].toarray(), cell_fractions(polygon, GRID).toarray(), atol=1e-12)


@given(valid_polygons())
@settings(derandomize=True, deadline=None, max_examples=100)
def test_turning_the_rings_changes_nothing(polygon: shapely.Geometry) -> None:
    one, other = cell_fractions(polygon, GRID), cell_fractions(polygon.reverse(), GRID)
    np.testing.assert_allclose(one.toarray(), other.toarray(), atol=1e-12)


@given(valid_polygons())
@settings(derandomize=True, deadline=None, max_examples=100)
def test_the_matrix_is_canonical_and_sparse(polygon: shapely.Geometry) -> None:
    shares = cell_fractions([polygon, polygon], GRID)
    assert (shares.data > 0).all()
    assert (shares.data <= 1 + 1e-9).all()
    for start, end in zip(shares.indptr[:-1], shares.indptr[1:], strict=True):
        assert (np.diff(shares.indices[start:end]) > 0).all()
    # A cell that only touches an outline is not part of the place.
    area = shapely.area(shapely.intersection(polygon, cell_boxes(GRID)))
    assert not (shares[0].toarray()[0][area < 1e-12] > 1e-9).any()


def cell_boxes(grid: Grid) -> np.ndarray:
    centres, half = grid.centres_m(), grid.cell_m / 2
    return shapely.box(centres[:, 0] - half, centres[:, 1] - half, centres[:, 0] + half, centres[:, 1] + half)


@given(valid_polygons())
@settings(derandomize=True, deadline=None, max_examples=150)
def test_centres_inside_are_those_shapely_finds(polygon: shapely.Geometry) -> None:
    centres = shapely.points(GRID.centres_m())
    off_the_outline = shapely.distance(centres, polygon.boundary) > 1e-9 if not polygon.is_empty else np.True_
    found = centres_inside(polygon, GRID)
    assert (found == shapely.contains(polygon, centres))[np.broadcast_to(off_the_outline, found.shape)].all()


def test_overlapping_polygons_with_holes_fill_each_other() -> None:
    ring = shapely.box(-40, -50, 50, 60).difference(shapely.box(0, 0, 30, 30))
    assert centres_inside([ring, shapely.box(0, 0, 30, 30), ring], GRID).all()


def test_edges_on_grid_lines_are_exact() -> None:
    shares = cell_fractions(shapely.box(-40, 0, 50, 20), GRID)
    assert shares.nnz == 18
    assert (shares.data == 1.0).all()
    assert shares.indices[0] == 4 * 9


def test_a_polygon_around_the_grid_fills_it_and_one_beside_it_is_empty() -> None:
    around, west, east, north = (
        shapely.box(-1e6, -1e6, 1e6, 1e6), shapely.box(-90, 0, -50, 20), shapely.box(60, 0, 90, 20),
        shapely.box(0, 70, 20, 90),
    )  # fmt: skip
    shares = cell_fractions([around, west, east, north, None, shapely.Polygon()], GRID)
    assert (shares[0].toarray() == 1.0).all()
    assert shares[1:].nnz == 0
    assert shares.shape == (6, GRID.n_cells)


def test_only_polygons_with_finite_coordinates_have_shares() -> None:
    with pytest.raises(GeometryError, match="geometry 1: A Point is not a polygon"):
        cell_fractions([shapely.box(0, 0, 1, 1), shapely.Point(0, 0)], GRID)
    bad = shapely.transform(shapely.box(0, 0, 1, 1), lambda xy: np.where(xy == (1, 1), np.inf, xy))
    with pytest.raises(GeometryError, match="geometry 1: A coordinate is not finite"):
        cell_fractions([shapely.box(0, 0, 1, 1), bad], GRID)


def test_a_tiling_city_far_from_the_origin_fills_every_cell_once() -> None:
    rng = np.random.default_rng(7)
    area = shapely.box(240_000, 3_700_000, 243_000, 3_702_000)
    seeds = shapely.multipoints(rng.uniform((240_000, 3_700_000), (243_000, 3_702_000), (40, 2)))
    tiles = shapely.intersection(shapely.get_parts(shapely.voronoi_polygons(seeds, extend_to=area)), area)
    grid = grid_around(area.bounds, 32639, 20.0, 100.0)
    shares = cell_fractions(tiles, grid)
    np.testing.assert_allclose(np.asarray(shares.sum(axis=1)).ravel() * 400, shapely.area(tiles), rtol=1e-9)
    together = np.asarray(shares.sum(axis=0)).ravel()
    assert set(np.round(together, 6)) == {0.0, 1.0}


@given(valid_polygons())
@settings(derandomize=True, deadline=None, max_examples=200)
def test_centroids_of_parts_equal_those_of_intersections(polygon: shapely.Geometry) -> None:
    parts = cell_parts(polygon, GRID)
    assert (parts.shares != cell_fractions(polygon, GRID)).nnz == 0
    cells = parts.shares.indices
    pieces = shapely.intersection(polygon, cell_boxes(GRID)[cells])
    large = parts.shares.data > 1e-6  # the centroid of less is rounding
    expected = shapely.get_coordinates(shapely.centroid(pieces)) - GRID.centres_m()[cells]
    np.testing.assert_allclose(parts.east[large] * GRID.cell_m, expected[large, 0], atol=1e-6)
    np.testing.assert_allclose(parts.south[large] * -GRID.cell_m, expected[large, 1], atol=1e-6)
    assert (np.abs(parts.east) <= 0.5).all()
    assert (np.abs(parts.south) <= 0.5).all()
