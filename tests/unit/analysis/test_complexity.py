"""Block complexity: on drawn blocks, against networkx, and by rank against the published complexity of Djibouti."""

import csv
import json
import sys
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from analysis.core.blocks import bounded_by_streets, street_blocks
from analysis.core.complexity import block_complexity, complexity_by_place, neighbours, parcel_layers
from analysis.core.parcels import cells_of_buildings
from analysis.core.plots import tiled_plots
from geo.core.crs import project
from geo.errors import InvalidInput
from tests.unit.analysis.plot_plans import crooked_grid, crowded, drawn, grid


def k_of(plan: str, street: shapely.Geometry | None = None) -> tuple[int, dict[str, int]]:
    parcels, names, block = drawn(plan)
    found = block_complexity(parcels, block.exterior if street is None else street, homes=np.ones(len(names)))
    return int(found.k[0]), dict(zip(names, found.layer.tolist(), strict=True))


@pytest.mark.parametrize(
    ("columns", "rows", "k"), [(1, 1, 1), (6, 1, 1), (6, 2, 1), (3, 3, 2), (5, 5, 3), (9, 4, 2), (7, 9, 4)]
)
def test_grids_with_streets_all_around(columns: int, rows: int, k: int) -> None:
    parcels, block = grid(columns, rows)
    found = block_complexity(parcels, block.exterior, homes=np.ones(columns * rows))
    assert found.k.tolist() == [k]
    assert found.homes_without_access.tolist() == [max(columns - 2, 0) * max(rows - 2, 0)]
    assert found.homes_by_layer.sum() == columns * rows
    assert found.is_complex.tolist() == [k > 2]


def test_rows_behind_one_street() -> None:
    parcels, _ = grid(4, 5)
    found = block_complexity(parcels, shapely.LineString([(0, 0), (40, 0)]), homes=np.ones(20))
    assert found.k.tolist() == [5]
    assert found.homes_by_layer.tolist() == [[4, 4, 4, 4, 4]]
    assert found.homes_without_access.tolist() == [16]


def test_a_street_that_touches_a_corner_touches_the_parcel() -> None:
    _, layer = k_of("AB\nCD", shapely.LineString([(10, 10), (20, 10)]))
    assert layer == {"A": 1, "B": 1, "C": 1, "D": 1}


def test_corners_do_not_make_neighbours() -> None:
    # B touches A at a corner only; the way goes by C or D.
    _, layer = k_of("DB\nAC", shapely.LineString([(0, 0), (0, 5)]))
    assert layer == {"A": 1, "C": 2, "D": 2, "B": 3}


def test_one_entrance_at_a_corner_leaves_the_other_corner_nine_layers_deep() -> None:
    parcels, _ = grid(5, 5)
    found = block_complexity(parcels, shapely.LineString([(0, 41), (0, 50), (9, 50)]))
    # Steps along rows and columns from the north-western plot.
    assert found.layer.tolist() == [1 + column + 4 - row for row in range(5) for column in range(5)]
    assert found.k.tolist() == [9]


def test_a_street_that_spirals_inwards_serves_everybody() -> None:
    parcels, block = grid(5, 5)
    turns = [(0, 50), (50, 50), (50, 0), (0, 0), (0, 40), (40, 40), (40, 10), (10, 10), (10, 30), (30, 30), (30, 20)]
    for end, k in ((4, 3), (6, 2), (8, 2), (len(turns), 1)):
        found = street_blocks([shapely.LineString(turns[:end])], block)
        assert found.unconnected_length_m == 0
        assert block_complexity(parcels, found.streets).k.tolist() == [k], end


def test_a_dead_end_street_serves_both_its_sides() -> None:
    parcels, block = grid(6, 5)
    without = block_complexity(parcels, block.exterior)
    found = street_blocks([block.exterior, shapely.LineString([(30, 0), (30, 30)])], block)
    assert len(found.polygons) == 1
    with_it = block_complexity(tiled_plots(found.polygons, parcels.polygons), found.streets, homes=np.ones(30))
    assert (without.k.tolist(), with_it.k.tolist()) == ([3], [2])
    # The four plots in the middle two columns and rows 2 and 3, and the two whose corner it ends at.
    assert with_it.homes_without_access.tolist() == [12 - 6]


def test_unconnected_streets_give_no_access() -> None:
    parcels, block = grid(5, 5)
    lost = shapely.LineString([(20, 20), (30, 20)])
    found = street_blocks([shapely.LineString([(0, 0), (50, 0)]), lost], block)
    assert found.unconnected_length_m == 10
    assert block_complexity(parcels, found.streets).k.tolist() == [5]


def test_without_streets_nothing_is_reached_and_all_are_named() -> None:
    parcels, _ = grid(3, 2)
    found = block_complexity(parcels, [], homes=np.ones(6))
    assert (found.k.tolist(), found.homes_unreached.tolist(), found.homes_without_access.tolist()) == ([0], [6], [6])
    assert found.unreached.tolist() == list(range(6))
    assert found.is_complex.tolist() == [True]


def test_open_land_on_a_street_is_access_and_a_closed_yard_is_not() -> None:
    _, by_lane = k_of("ABCDE\nF...G\nHIJKL\nMNOPQ\nRSTUV", shapely.LineString([(0, 0), (50, 0)]))
    assert by_lane[""] == 3 + 1
    plan = "ABCDE\n.....\nHIJKL\nMNOPQ\nRSTUV"
    k, through = k_of(plan, shapely.LineString([(0, 20), (0, 50)]))
    assert (through[""], through["I"], through["B"], through["U"], k) == (0, 1, 1, 3, 3)


def test_blocks_do_not_lead_through_each_other() -> None:
    blocks = [shapely.box(0, 0, 10, 40), shapely.box(10, 0, 20, 40)]
    plots = [shapely.box(x, y, x + 10, y + 10) for x in (0, 10) for y in (0, 10, 20, 30)]
    found = block_complexity(tiled_plots(blocks, plots), shapely.LineString([(0, 0), (0, 40)]), homes=np.ones(8))
    assert found.layer.tolist() == [1, 1, 1, 1, -1, -1, -1, -1]
    assert found.k.tolist() == [1, 0]


def test_empty_blocks_have_no_complexity() -> None:
    parcels = tiled_plots([shapely.box(0, 0, 10, 10)], [])
    assert block_complexity(parcels, shapely.box(0, 0, 10, 10).exterior).k.tolist() == [0]
    nothing = cells_of_buildings([shapely.box(0, 0, 10, 10)], [])
    assert block_complexity(nothing, []).k.tolist() == [0]


@given(st.integers(1, 7), st.integers(1, 7), st.integers(0, 50), st.integers(0, 3), st.integers(1, 4))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_layers_are_distances_in_the_dual_graph(columns, rows, seed, first, sides) -> None:
    plots, block = crooked_grid(columns, rows, seed)
    parcels = tiled_plots([block], plots)
    ring = shapely.get_coordinates(block)
    street = shapely.LineString(np.roll(ring[:4], -first, axis=0)[: sides + 1]) if sides < 4 else block.exterior
    found = block_complexity(parcels, street)
    graph = nx.Graph()
    graph.add_nodes_from(range(len(plots)))
    for i in range(len(plots)):
        for j in range(i):
            if shapely.intersection(plots[i], plots[j]).length > 0.01:
                graph.add_edge(i, j)
    touching = [i for i in range(len(plots)) if plots[i].distance(street) < 0.001]
    far = nx.multi_source_dijkstra_path_length(graph, set(touching), weight=None)
    assert found.layer.tolist() == [far.get(i, -2) + 1 for i in range(len(plots))]
    assert found.k[0] == found.layer.max()


@given(st.permutations(range(25)), st.integers(0, 20))
@settings(derandomize=True, deadline=None, max_examples=25)
def test_the_order_of_buildings_does_not_matter(order, seed) -> None:
    block, houses = crowded(25, seed)
    one = block_complexity(cells_of_buildings([block], houses), block.exterior)
    other = block_complexity(cells_of_buildings([block], houses[list(order)]), block.exterior)
    assert one.layer[list(order)].tolist() == other.layer.tolist()


def test_places_by_hand() -> None:
    blocks = [shapely.box(x, 0, x + 50, 50) for x in (0, 100, 200)]
    plots = [
        shapely.box(x + i * 10, y * 10, x + i * 10 + 10, y * 10 + 10)
        for x in (0, 100)
        for i in range(5)
        for y in range(5)
    ]
    parcels = tiled_plots(blocks, plots)
    found = block_complexity(
        parcels, bounded_by_streets(blocks[:1]).streets, homes=np.where(parcels.is_open_land, 0, 2.0)
    )
    assert (found.k.tolist(), found.homes.tolist()) == ([3, 0, 0], [50, 50, 0])
    of = complexity_by_place(found, [0, 0, 1], 3)
    assert of.mean_k[0] == 1.5
    assert of.share_without_access[0] == (18 + 50) / 100
    assert (of.blocks.tolist(), of.complex_blocks.tolist(), of.largest_k.tolist()) == ([2, 0, 0], [2, 0, 0], [3, 0, 0])
    assert np.isnan(of.mean_k[1:]).all()
    assert complexity_by_place(found, [-1, 0, 0], 1).homes.tolist() == [50]
    for wrong in ([0, 0], [0, 0, 3], [0, 0, -2]):
        with pytest.raises(InvalidInput):
            complexity_by_place(found, wrong, 3)


def test_bad_input_is_refused() -> None:
    parcels, block = grid(2, 2)
    for wrong in (np.ones(3), np.full(4, np.nan), -np.ones(4)):
        with pytest.raises(InvalidInput):
            block_complexity(parcels, block.exterior, homes=wrong)
    with pytest.raises(InvalidInput, match="does not exist"):
        parcel_layers([(0, 2)], [True, False])
    assert parcel_layers([], []).tolist() == []
    assert neighbours(cells_of_buildings([block], [])).shape == (0, 2)


def test_ranks_agree_with_the_published_complexity_of_djibouti(real_data: Path) -> None:
    # Published: the number of weak duals of Voronoi cells of centroids, an older measure of the same thing.
    folder = real_data / "djibouti"
    csv.field_size_limit(sys.maxsize)
    with (folder / "complexity_DJI.1.1_1.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    features = json.loads((folder / "buildings_DJI.1.1_1.geojson").read_text(encoding="utf-8"))["features"]
    drawn_houses = shapely.from_geojson([json.dumps(one["geometry"]) for one in features])
    houses = project(shapely.make_valid(drawn_houses), 4326, 32638)
    houses = houses[np.isin(shapely.get_type_id(houses), (3, 6)) & ~shapely.is_empty(houses)]
    blocks = project(shapely.make_valid(shapely.from_wkt([row["geometry"] for row in rows])), 4326, 32638)
    published = np.array([int(row["complexity"]) for row in rows])
    whole = np.flatnonzero(shapely.get_type_id(blocks) == 3)
    cells = cells_of_buildings(blocks[whole], houses)
    found = block_complexity(cells, bounded_by_streets(blocks[whole]).streets)
    inhabited = found.homes > 0
    rho = spearmanr(found.k[inhabited], published[whole][inhabited]).statistic
    print(f"{inhabited.sum()} of {len(rows)} blocks, {len(cells.polygons):,} buildings, Spearman's rho {rho:.3f}")
    assert inhabited.sum() >= 190
    assert rho > 0.8
