"""The compiled loops of parcels against plain ones: unions of Voronoi polygons, edges in dictionaries, walls that touch."""

from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.core.parcel_loops import cells_of_triangles, edges_of_blocks, outline_points
from analysis.core.parcels import _inside_rings, cells_of_buildings, common_edges
from tests.unit.analysis.plot_plans import crowded

FAR = np.array([[1000.0, 0], [0, 1000], [-1000, 0], [0, -1000]])


def cells(points, owner):
    """Return rings and whose they are, for points of one block and four far away that are nobody's."""
    sites = np.concatenate((points, FAR))
    triangles = shapely.delaunay_triangles(shapely.linestrings(sites))
    rings, ends, whose, is_open = cells_of_triangles(
        shapely.get_coordinates(triangles) + 0.0,
        np.array([0, shapely.get_num_geometries(triangles)]),
        sites,
        np.array([0, len(sites)]),
        np.append(owner, np.full(4, -1)),
    )
    assert not len(is_open)
    found: dict[int, list[shapely.LinearRing]] = {}
    for ring, mine in enumerate(whose.tolist()):
        found.setdefault(mine, []).append(shapely.LinearRing(rings[ends[ring] : ends[ring + 1]]))
    return found


@given(st.integers(0, 10_000), st.sampled_from([1, 2, 5, 1_000]), st.booleans())
@settings(derandomize=True, deadline=None, max_examples=60)
def test_cells_are_the_union_of_the_voronoi_polygons_of_an_owner(seed, owners, on_grid) -> None:
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, 50, (40, 2))
    if on_grid:  # many points on one circle
        points = np.unique(np.floor(points / 7), axis=0)
    owner = rng.integers(0, owners, len(points))  # of a thousand, nearly each has one alone
    found = cells(points, owner)
    parts = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(np.concatenate((points, FAR))), ordered=True))
    near = shapely.box(-200, -200, 250, 250)
    assert set(found) == set(owner.tolist())
    for mine, rings in found.items():
        ours = _inside_rings(np.array(rings))
        theirs = shapely.union_all(parts[: len(points)][owner == mine], grid_size=1e-9)
        assert ours.is_valid
        assert shapely.area(shapely.symmetric_difference(ours, theirs).intersection(near)) < 1e-6 * ours.length


def test_land_around_others_and_land_that_lies_apart_have_several_rings() -> None:
    x, y = np.meshgrid(np.arange(5.0), np.arange(5.0))
    points = np.stack((x.ravel(), y.ravel()), axis=1)
    around = (np.abs(points - 2).max(axis=1) == 1).astype(np.int64)  # eight around the one in the middle
    assert {mine: len(rings) for mine, rings in cells(points, around).items()} == {0: 3, 1: 2}
    area = _inside_rings(np.array(cells(points, around)[1]))
    assert (len(area.interiors), area.area) == (1, pytest.approx(8.0))
    columns = (points[:, 0] // 2 % 2).astype(np.int64)  # two, two, and one of the first again
    assert {mine: len(rings) for mine, rings in cells(points, columns).items()} == {0: 2, 1: 1}


def test_sites_on_the_rim_are_told() -> None:
    points = np.array([[0.0, 0], [10, 0], [10, 10], [0, 10]])
    triangles = shapely.delaunay_triangles(shapely.linestrings(points))
    found = cells_of_triangles(
        shapely.get_coordinates(triangles), np.array([0, 2]), points, np.array([0, 4]), np.arange(4)
    )
    assert found[3].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("angle", [0.0, 20.0, 45.0, 117.0])
def test_walls_that_touch_have_their_points_opposite_each_other(angle) -> None:
    turned = [
        shapely.affinity.rotate(shapely.orient_polygons(house), angle, origin=(0, 0))
        for house in (shapely.box(0, 0, 9, 20), shapely.box(9, -3, 16, 14))
    ]
    points = []
    for house in turned:
        drawn_in = shapely.orient_polygons(shapely.buffer(house, -0.4, join_style="mitre"))
        xy = shapely.get_coordinates(drawn_in)
        found, ring = outline_points(xy, np.array([0, len(xy)]), 2.0, 0.4)
        assert (ring == 0).all()
        corners = [one for one in found.tolist() if min(np.hypot(*(xy - one).T)) < 1e-9]
        assert len(corners) == 4
        points.append(found)
    wall = shapely.affinity.rotate(shapely.LineString([(9, 0.5), (9, 13.5)]), angle, origin=(0, 0))
    beside = [found[shapely.distance(shapely.points(found), wall) < 0.41] for found in points]
    assert min(map(len, beside)) >= 4
    # Each has one opposite, 0.8 m away across the wall.
    assert np.allclose(np.sort([np.hypot(*(beside[1] - one).T).min() for one in beside[0]]), 0.8, atol=1e-6)


def test_a_courtyard_keeps_its_points_inside_the_walls() -> None:
    house = shapely.orient_polygons(shapely.difference(shapely.box(0, 0, 20, 20), shapely.box(6, 6, 14, 14)))
    rings = shapely.get_rings(house)
    first = np.append(0, np.cumsum(shapely.get_num_coordinates(rings)))
    found, ring = outline_points(shapely.get_coordinates(rings), first, 2.0, 0.0)
    assert np.bincount(ring).tolist() == [4 + 4 * 9, 4 + 4 * 3]
    assert shapely.intersects(shapely.boundary(house), shapely.points(found)).all()


def test_edges_are_those_of_a_plain_dictionary() -> None:
    blocks, houses = zip(*(crowded(25, seed) for seed in range(3)), strict=True)
    moved = [shapely.affinity.translate(block, 100 * at) for at, block in enumerate(blocks)]
    homes = np.concatenate(
        [shapely.transform(some, lambda xy, at=at: xy + np.array([100.0 * at, 0])) for at, some in enumerate(houses)]
    )
    parcels = cells_of_buildings(moved, homes)
    edges, sides, xy, block = common_edges(parcels.polygons, parcels.block)
    plain: dict[frozenset, set[int]] = {}
    for parcel, polygon in enumerate(parcels.polygons):
        corners = [tuple(np.round(one, 3)) for one in polygon.exterior.coords]
        for pair in pairwise(corners):
            if pair[0] != pair[1]:
                plain.setdefault(frozenset(pair), set()).add(parcel)
    found = {
        frozenset(tuple(np.round(xy[node], 3)) for node in edge): {int(one) for one in side if one >= 0}
        for edge, side in zip(edges, sides, strict=True)
    }
    same = sum(plain.get(edge) == side for edge, side in found.items())
    assert len(found) == len(edges)
    assert same > 0.98 * len(plain)  # a corner may be rounded to the other side in the plain way
    assert (block[edges[:, 0]] == parcels.block[sides[:, 0]]).all()
    assert (np.diff(edges[:, 0] * len(xy) + edges[:, 1]) > 0).all()
    # The order of blocks changes no edge.
    backwards = np.lexsort((np.arange(len(parcels.block)), -parcels.block))
    again = common_edges(parcels.polygons[backwards], parcels.block[backwards])
    assert len(again[0]) == len(edges)
    assert {tuple(sorted(backwards[side].tolist())) for side in again[1] if side[1] >= 0} == {
        tuple(sorted(side.tolist())) for side in sides if side[1] >= 0
    }


def test_nothing_has_no_edges() -> None:
    none = np.zeros(0, dtype=np.int64)
    assert [len(one) for one in edges_of_blocks(none, none, none, np.zeros(1, dtype=np.int64))] == [0, 0, 0, 0]
