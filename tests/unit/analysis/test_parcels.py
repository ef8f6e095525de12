"""Parcels: cells of buildings against nearest buildings one by one, plots that are closed, and coverages that tile."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.core import parcels
from analysis.core.parcels import cells_of_buildings, common_edges
from analysis.core.plots import tiled_plots
from geo.errors import GeometryError, InvalidInput
from tests.unit.analysis.plot_plans import crooked_grid, crowded

BLOCK = shapely.box(0, 0, 60, 60)
HORSESHOE = shapely.difference(BLOCK, shapely.box(20, 20, 40, 60))


def assert_tiles(parcels, blocks) -> None:
    for number, block in enumerate(blocks):
        own = parcels.polygons[parcels.members(number)]
        if not len(own):
            continue
        assert (shapely.get_type_id(own) == 3).all()
        assert shapely.is_valid(own).all()
        assert shapely.area(own).sum() == pytest.approx(block.area, rel=1e-9)
        assert shapely.symmetric_difference(shapely.union_all(own, grid_size=0.001), block).area < 0.01 * block.length
        i, j = shapely.STRtree(own).query(own, predicate="intersects")
        i, j = i[i < j], j[i < j]
        assert shapely.area(shapely.intersection(own[i], own[j])).max(initial=0) < 1e-3


def test_cells_are_the_land_nearest_to_each_building() -> None:
    block, houses = crowded(49, seed=3)
    cells = cells_of_buildings([block], houses, spacing_m=0.25, smooth_m=0)
    assert_tiles(cells, [block])
    assert cells.building_parcel.tolist() == list(range(49))
    rng = np.random.default_rng(0)
    points = shapely.points(rng.uniform(0, 63, (400, 2)))
    far = np.array([shapely.distance(point, houses) for point in points])
    nearest = far.argmin(axis=1)
    clear = np.partition(far, 1, axis=1)[:, 1] - far.min(axis=1) > 0.5
    inside = shapely.covers(cells.polygons[nearest], points)
    assert clear.sum() > 250
    assert inside[clear].all()


def test_cells_with_houses_that_touch_overlap_and_coincide() -> None:
    row = [shapely.box(x, 20, x + 8, 30) for x in (5, 13, 21)]
    overlapping, twin, tiny = shapely.box(27, 22, 36, 28), shapely.box(5, 20, 13, 30), shapely.box(50, 50, 50.3, 50.3)
    cells = cells_of_buildings([BLOCK], [*row, overlapping, twin, tiny])
    assert_tiles(cells, [BLOCK])
    assert len(cells.polygons) == 5
    assert cells.building_parcel.tolist() == [0, 1, 2, 3, 0, 4]
    assert cells.homes.tolist() == [2, 1, 1, 1, 1]
    # The wall between the first two is the border of their cells.
    border = shapely.intersection(cells.polygons[0], cells.polygons[1])
    assert (
        shapely.hausdorff_distance(
            shapely.intersection(border, shapely.box(5, 20, 21, 30)), shapely.LineString([(13, 20), (13, 30)])
        )
        < 0.6
    )


def test_a_piece_that_the_outline_cuts_off_goes_to_a_neighbour() -> None:
    # The house in the western arm is nearest to the top of the eastern arm, across the gap.
    houses = [shapely.box(15, 50, 19, 58), shapely.box(45, 2, 50, 8)]
    cells = cells_of_buildings([HORSESHOE], houses)
    assert_tiles(cells, [HORSESHOE])
    assert cells.polygons[1].covers(shapely.Point(41, 58))


def test_blocks_do_not_look_across_the_street() -> None:
    blocks = [shapely.box(0, 0, 30, 60), shapely.box(30, 0, 60, 60), shapely.box(70, 0, 80, 60)]
    houses = [
        shapely.box(28, 10, 29.5, 20),
        shapely.box(31, 40, 33, 50),
        shapely.box(40, 5, 50, 15),
        shapely.box(90, 0, 99, 9),
    ]
    cells = cells_of_buildings(blocks, houses)
    assert_tiles(cells, blocks)
    assert (cells.block.tolist(), cells.building_parcel.tolist()) == ([0, 1, 1], [0, 1, 2, -1])
    assert cells.polygons[0].equals(blocks[0])
    assert cells.members(2).tolist() == []


houses = st.lists(
    st.tuples(st.integers(0, 110), st.integers(0, 110), st.integers(1, 30), st.integers(1, 30)), min_size=1, max_size=12
)


@given(houses, st.sampled_from([BLOCK, HORSESHOE]), st.sampled_from([0.0, 0.5]))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_cells_tile_their_block_whatever_the_houses(corners, block, smooth_m) -> None:
    buildings = [shapely.box(x / 2, y / 2, (x + w) / 2, (y + h) / 2) for x, y, w, h in corners]
    cells = cells_of_buildings([block], buildings, smooth_m=smooth_m)
    assert_tiles(cells, [block])
    within = shapely.intersects(block, shapely.point_on_surface(buildings))
    assert ((cells.building_parcel >= 0) == within).all()
    # Inner edges have one parcel on each side; the others make up the outline, and nothing else.
    if len(cells.polygons):
        edges, sides, xy, _ = common_edges(cells.polygons, cells.block)
        length = np.hypot(*(xy[edges[:, 0]] - xy[edges[:, 1]]).T)
        assert length[sides[:, 1] < 0].sum() == pytest.approx(block.length, abs=0.1)


def test_plots_drawn_loosely_are_closed() -> None:
    plots, block = crooked_grid(6, 5, 2)
    rng = np.random.default_rng(5)
    corners = shapely.get_coordinates(plots).reshape(30, 5, 2)[:, :4]
    loose = shapely.polygons(corners + rng.uniform(-0.03, 0.03, corners.shape))
    tiles = tiled_plots([block], loose, tolerance_m=0.2)
    assert_tiles(tiles, [block])
    assert not tiles.is_open_land.any()
    assert tiles.source.tolist() == list(range(30))
    assert np.abs(shapely.area(tiles.polygons) - shapely.area(plots)).max() < 4.0
    _, sides, _, _ = common_edges(tiles.polygons, tiles.block)
    _, exact, _, _ = common_edges(plots, np.zeros(30, dtype=np.int64))
    pairs, wanted = ({tuple(one) for one in both[(both >= 0).all(axis=1)].tolist()} for both in (sides, exact))
    assert wanted <= pairs


def test_a_gap_between_plots_is_closed_where_it_leads_to_open_land() -> None:
    plots = [shapely.box(0, 0, 29.98, 40), shapely.box(30.02, 0, 60, 40)]
    tiles = tiled_plots([BLOCK], plots)
    assert_tiles(tiles, [BLOCK])
    assert shapely.area(tiles.polygons[tiles.is_open_land]).round(2).tolist() == [1200]
    _, sides, _, _ = common_edges(tiles.polygons, tiles.block)
    assert [0, 1] in sides.tolist()


def test_plots_are_cut_at_streets_and_homes_counted() -> None:
    blocks = [shapely.box(0, 0, 30, 60), shapely.box(30, 0, 60, 60)]
    plots = [
        shapely.box(0, 0, 40, 30),
        shapely.box(0, 30, 30, 60),
        shapely.MultiPolygon([shapely.box(40, 0, 60, 10), shapely.box(40, 20, 60, 30)]),
    ]
    tiles = tiled_plots(
        blocks, plots, [shapely.box(2, 2, 8, 8), shapely.box(32, 2, 38, 8), shapely.box(100, 0, 101, 1)]
    )
    assert_tiles(tiles, blocks)
    assert tiles.source.tolist() == [0, 1, 0, 2, 2, -1, -1]
    assert tiles.homes.tolist() == [1, 0, 1, 0, 0, 0, 0]
    assert tiles.building_parcel.tolist() == [0, 2, -1]


def test_overlapping_plots_are_refused_with_their_place() -> None:
    with pytest.raises(GeometryError) as refused:
        tiled_plots([BLOCK], [shapely.box(0, 0, 10, 10), shapely.box(20, 0, 30, 10), shapely.box(5, 5, 15, 15)])
    assert refused.value.code == "plots_overlap"
    assert refused.value.where.startswith("plots 0 and 2 at 7.5, 7.5")
    with pytest.raises(GeometryError, match="overlap"):
        tiled_plots([BLOCK], [shapely.box(0, 0, 10, 10), shapely.box(0, 0, 10, 10)])


@pytest.mark.parametrize("make", [cells_of_buildings, tiled_plots])
def test_what_crosses_itself_is_refused(make) -> None:
    bow = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    with pytest.raises(GeometryError) as refused:
        make([BLOCK], [shapely.box(0, 0, 1, 1), bow])
    assert (refused.value.code, refused.value.where[-1]) == ("bad_polygon", "1")
    with pytest.raises(GeometryError, match="valid polygon"):
        make([shapely.Polygon()], [])


def test_land_whose_border_is_not_closed_is_refused_with_its_block(monkeypatch) -> None:
    # The far points close all cells; where they lie between the houses, they do not.
    monkeypatch.setattr(parcels, "_far_points", lambda land: shapely.get_coordinates(shapely.centroid(land)))
    with pytest.raises(GeometryError) as refused:
        cells_of_buildings([BLOCK], [shapely.box(0, 0, 5, 5), shapely.box(50, 50, 55, 55)])
    assert (refused.value.code, refused.value.where) == ("land_not_divided", "block 0")


def test_bad_lengths_are_refused() -> None:
    for wrong in ({"spacing_m": 0.0}, {"shrink_m": -1.0}, {"smooth_m": np.nan}):
        with pytest.raises(InvalidInput, match="not possible"):
            cells_of_buildings([BLOCK], [], **wrong)
    with pytest.raises(InvalidInput, match="tolerance"):
        tiled_plots([BLOCK], [], tolerance_m=-0.1)


def test_nothing_gives_nothing() -> None:
    assert len(cells_of_buildings([], []).polygons) == len(cells_of_buildings([BLOCK], []).polygons) == 0
    empty = tiled_plots([BLOCK], [])
    assert (empty.is_open_land.tolist(), shapely.area(empty.polygons).tolist()) == ([True], [3600])


def test_threads_share_the_blocks_and_change_nothing() -> None:
    blocks, houses = zip(*(crowded(400, seed) for seed in range(24)), strict=True)
    at = np.arange(24) * 300.0
    moved = [shapely.transform(one, lambda xy, x=x: xy + np.array([x, 0.0])) for one, x in zip(blocks, at, strict=True)]
    homes = np.concatenate(
        [shapely.transform(one, lambda xy, x=x: xy + np.array([x, 0.0])) for one, x in zip(houses, at, strict=True)]
    )
    one, two = (cells_of_buildings(moved, homes, spacing_m=5.0, smooth_m=0.0, threads=n) for n in (1, 2))
    assert len(homes) == len(one.polygons) == 9_600
    assert shapely.to_wkb(one.polygons).tolist() == shapely.to_wkb(two.polygons).tolist()
    assert (one.block == two.block).all()
    assert one.building_parcel.tolist() == two.building_parcel.tolist() == list(range(9_600))
    alone = cells_of_buildings(moved[23:], homes[23 * 400 :], spacing_m=5.0, smooth_m=0.0)
    assert shapely.equals(alone.polygons, one.polygons[23 * 400 :]).all()
