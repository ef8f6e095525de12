"""Reblocking: against all trees on tiny blocks, by its promises on random ones, and at the edges."""

from itertools import combinations, pairwise

import networkx as nx
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.core.complexity import block_complexity
from analysis.core.parcels import Parcels, cells_of_buildings
from analysis.core.path_counts import BlockGround, block_ground, recount
from analysis.core.plots import tiled_plots
from analysis.core.reblocking import Reblocking, reblock
from analysis.core.through_paths import NEAR_M
from geo.errors import InvalidInput
from tests.unit.analysis.plot_plans import crooked_grid, crowded, drawn, grid


def ground_of(plots: np.ndarray, block: shapely.Polygon, street: shapely.Geometry, buildings=()) -> BlockGround:
    parcels = tiled_plots([block], plots)
    return block_ground(parcels, 0, street, buildings, homes=np.ones(len(parcels.polygons)))


def south_of(block: shapely.Polygon) -> shapely.LineString:
    x0, y0, x1, _ = block.bounds
    return shapely.LineString([(x0, y0), (x1, y0)])


def shortest_of_all(plots: np.ndarray, street: shapely.Geometry) -> float:
    """The least length by trying every set of corners: the tree over a set is its minimum spanning tree."""
    graph = nx.Graph()
    for plot in plots:
        ring = [tuple(xy) for xy in np.round(shapely.get_coordinates(plot), 3).tolist()]
        for a, b in pairwise(ring):
            graph.add_edge(a, b, weight=float(np.hypot(a[0] - b[0], a[1] - b[1])))
    roots = [xy for xy in graph if shapely.Point(xy).distance(street) < 0.001]
    others = sorted(set(graph) - set(roots))
    for a, b in pairwise(roots):
        graph.add_edge(a, b, weight=0.0)
    corners = [{tuple(xy) for xy in np.round(shapely.get_coordinates(plot), 3).tolist()} for plot in plots]
    wanted = [own for own in corners if not own & set(roots)]
    best = np.inf if wanted else 0.0
    for size in range(1, len(others) + 1):
        for chosen in combinations(others, size):
            if all(own & set(chosen) for own in wanted):
                part = graph.subgraph([*roots, *chosen])
                if nx.is_connected(part):
                    best = min(best, _spanning(part))
    return float(best)


def _spanning(graph: nx.Graph) -> float:
    return sum(data["weight"] for _, _, data in nx.minimum_spanning_edges(graph, data=True))


def assert_promises(ground: BlockGround, found: Reblocking) -> None:
    """Everybody is served, k is at most 2, and paths are on edges and lead to streets, each by another way of asking."""
    counts = found.recount
    assert counts.k_after <= 2
    assert counts.without_access.tolist() == found.unreachable.tolist()
    assert counts.not_joined.tolist() == []
    assert counts.off_edges_m == 0
    assert counts.length_m == pytest.approx(found.path_length_m.sum())
    edges = shapely.union_all(shapely.boundary(ground.parcels.polygons))
    assert shapely.difference(shapely.union_all(found.paths), shapely.buffer(edges, 0.002)).length < 1e-6
    # Counted as if the paths were streets.
    ways = np.append(ground.streets, found.paths)
    after = block_complexity(ground.parcels, ways, homes=ground.homes)
    assert after.k[0] == counts.k_after
    assert after.homes_without_access[0] == counts.homes_without_access_after
    union = shapely.union_all(ways, grid_size=0.001)
    graph = nx.Graph()
    for one in shapely.get_parts(union):
        ends = [tuple(xy) for xy in np.round(shapely.get_coordinates(one)[[0, -1]], 2).tolist()]
        graph.add_edge(*ends)
    streets = shapely.union_all(ground.streets)
    for part in nx.connected_components(graph):
        assert min(streets.distance(shapely.Point(xy)) for xy in part) < 0.02
    if found.bound_m is not None and found.gap is not None:
        assert found.bound_m <= counts.length_m + 1e-6
        assert 0 <= found.gap <= 1


@pytest.mark.parametrize(
    ("columns", "rows", "seed"), [(3, 3, 1), (4, 4, 1), (4, 4, 2), (5, 4, 3), (5, 4, 4), (5, 4, 5)]
)
def test_the_shortest_of_all_trees_with_streets_around(columns: int, rows: int, seed: int) -> None:
    plots, block = crooked_grid(columns, rows, seed)
    ground = ground_of(plots, block, block.exterior)
    best = shortest_of_all(plots, block.exterior)
    found = reblock(ground)
    assert found.recount.length_m == pytest.approx(best, abs=0.02)
    assert found.bound_m is not None
    assert 0 < found.bound_m <= best + 0.02
    assert_promises(ground, found)


@pytest.mark.parametrize(("columns", "rows", "seed"), [(3, 3, 1), (3, 3, 2), (2, 4, 3), (3, 3, 4)])
def test_the_shortest_of_all_trees_behind_one_street(columns: int, rows: int, seed: int) -> None:
    plots, block = crooked_grid(columns, rows, seed)
    street = south_of(block)
    found = reblock(ground_of(plots, block, street))
    best = shortest_of_all(plots, street)
    assert found.recount.length_m == pytest.approx(best, abs=0.02)
    assert found.bound_m is not None
    assert found.bound_m <= best + 0.02


@given(
    st.integers(1, 7), st.integers(1, 7), st.integers(0, 99), st.booleans(),
    st.sampled_from(["least-length", "least-homes", "through-streets"]),
)  # fmt: skip
@settings(derandomize=True, deadline=None, max_examples=40)
def test_promises_on_crooked_plots(columns, rows, seed, is_all_around, goal) -> None:
    plots, block = crooked_grid(columns, rows, seed)
    houses = shapely.buffer(shapely.centroid(plots), 2.5)
    ground = ground_of(plots, block, block.exterior if is_all_around else south_of(block), houses)
    found = reblock(ground, goal, seed=seed)
    assert found.unreachable.tolist() == []
    assert_promises(ground, found)


@given(st.integers(9, 60), st.integers(0, 99))
@settings(derandomize=True, deadline=None, max_examples=12)
def test_promises_on_cells_of_houses(n, seed) -> None:
    block, houses = crowded(n, seed)
    cells = cells_of_buildings([block], houses)
    ground = block_ground(cells, 0, south_of(block), houses)
    found = reblock(ground)
    assert_promises(ground, found)
    lacking = np.flatnonzero(ground.layer > 1)
    assert found.recount.served.tolist() == lacking.tolist()


@given(st.permutations(range(20)), st.integers(0, 20))
@settings(derandomize=True, deadline=None, max_examples=15)
def test_the_order_of_plots_does_not_matter(order, seed) -> None:
    plots, block = crooked_grid(5, 4, seed)
    one = reblock(ground_of(plots, block, south_of(block)))
    other = reblock(ground_of(plots[list(order)], block, south_of(block)))
    assert one.recount.length_m == pytest.approx(other.recount.length_m, rel=1e-9)
    assert one.bound_m == pytest.approx(other.bound_m, rel=0.1)


def test_a_seed_gives_the_same_paths_again() -> None:
    block, houses = crowded(100, 4)
    ground = block_ground(cells_of_buildings([block], houses), 0, block.exterior, houses)
    one, same = reblock(ground, seed=7), reblock(ground, seed=7)
    assert shapely.to_wkb(one.paths).tolist() == shapely.to_wkb(same.paths).tolist()
    lengths = {round(reblock(ground, seed=seed).recount.length_m, 3) for seed in range(3)}
    assert max(lengths) < 1.05 * min(lengths)


def test_paths_of_a_crowded_block_are_near_the_bound_and_better_than_one_after_the_other() -> None:
    block, houses = crowded(225, 8)
    ground = block_ground(cells_of_buildings([block], houses), 0, block.exterior, houses)
    found = reblock(ground)
    assert found.gap is not None
    assert found.gap < 0.12
    assert found.recount.length_m < 0.97 * nearest_first(ground)


def nearest_first(ground: BlockGround) -> float:
    """The plain way: again and again the shortest path to the nearest parcel without access."""
    graph = nx.Graph()
    for u, v, length in zip(ground.graph.u, ground.graph.v, ground.graph.length_m, strict=True):
        if not graph.has_edge(u, v) or graph[u][v]["weight"] > length:
            graph.add_edge(u, v, weight=length)
    of_node: dict[int, set[int]] = {}
    for node in range(len(ground.graph.is_street)):
        low, high = ground.graph.node_first[node : node + 2]
        of_node[node] = set(ground.graph.node_parcel[low:high].tolist())
    built = set(np.flatnonzero(ground.graph.is_street).tolist())
    missing = set(np.flatnonzero(ground.layer > 1).tolist())
    total = 0.0
    while missing:
        far, ways = nx.multi_source_dijkstra(graph, built)
        node = min((one for one in far if of_node[one] & missing), key=lambda one: (far[one], one))
        total += far[node]
        built |= set(ways[node])
        for one in ways[node]:
            missing -= of_node[one]
    return total


def test_fewer_homes_are_touched_when_they_matter() -> None:
    block, houses = crowded(81, 2, pitch_m=8.0)
    ground = block_ground(cells_of_buildings([block], houses), 0, block.exterior, houses)
    short, mild = reblock(ground), reblock(ground, "least-homes")
    assert len(mild.recount.homes_touched) < len(short.recount.homes_touched)
    assert mild.recount.length_m > short.recount.length_m
    assert mild.bound_m is None
    assert mild.gap is None


def test_homes_touched_are_those_within_half_the_width() -> None:
    parcels, block = grid(3, 3)
    houses = [
        shapely.box(11.9, 2, 18, 8),
        shapely.box(2, 2, 7.9, 8),
        shapely.box(12.1, 12.1, 18, 18),
        shapely.box(12, 22, 14, 24),
    ]
    ground = block_ground(parcels, 0, block.exterior, houses)
    path = [shapely.LineString([(10, 0), (10, 10)])]
    assert recount(ground, path).homes_touched.tolist() == [0]
    assert recount(ground, path, width_m=4.2).homes_touched.tolist() == [0, 1]
    assert recount(ground, path, width_m=6.0).homes_touched.tolist() == [0, 1, 2]
    assert recount(ground, path, cost_per_m=12.5).cost == 125


def test_through_streets_shorten_detours() -> None:
    plots, block = crooked_grid(10, 10, 3)
    ground = ground_of(plots, block, block.exterior)
    tree, through = reblock(ground), reblock(ground, "through-streets", detour_limit=1.8)
    assert tree.detour is None
    assert through.detour is not None
    assert through.detour <= 1.8
    assert through.recount.length_m > tree.recount.length_m
    assert through.recount.without_access.tolist() == []
    assert worst_detour(ground, tree) > 1.8
    assert worst_detour(ground, through) == pytest.approx(through.detour, rel=1e-6)


def worst_detour(ground: BlockGround, found: Reblocking) -> float:
    """By networkx, over all corners on paths and streets."""
    ways = shapely.union_all(np.append(ground.streets, found.paths), grid_size=0.001)
    graph = nx.Graph()
    for one in shapely.get_parts(shapely.node(ways)):
        xy = [tuple(at) for at in np.round(shapely.get_coordinates(one), 2).tolist()]
        for a, b in pairwise(xy):
            graph.add_edge(a, b, weight=float(np.hypot(a[0] - b[0], a[1] - b[1])))
    nodes = {tuple(xy) for xy in np.round(ground.graph.node_xy_m, 2).tolist()}
    paths = shapely.union_all(found.paths)
    on_path = [xy for xy in graph if xy in nodes and paths.distance(shapely.Point(xy)) < 0.02]
    worst = 0.0
    for start in on_path:
        for end, far in nx.single_source_dijkstra_path_length(graph, start).items():
            away = float(np.hypot(start[0] - end[0], start[1] - end[1]))
            if away > NEAR_M and end in nodes:
                worst = max(worst, far / away)
    return worst


def test_a_dead_end_street_is_a_root_too() -> None:
    plots, block = crooked_grid(6, 6, 5)
    ground = ground_of(plots, block, south_of(block))
    lane = shapely.LineString([(30, -5), (33, 37)])
    with_lane = ground_of(plots, block, shapely.MultiLineString([south_of(block), lane]))
    assert with_lane.graph.is_street.sum() > ground.graph.is_street.sum()
    one, other = reblock(ground), reblock(with_lane)
    assert_promises(with_lane, other)
    assert other.recount.length_m < one.recount.length_m - 20


def test_one_parcel_and_served_blocks_need_nothing() -> None:
    for columns, rows in ((1, 1), (5, 2)):
        parcels, block = grid(columns, rows)
        found = reblock(block_ground(parcels, 0, block.exterior))
        assert (found.recount.length_m, found.bound_m, found.gap, len(found.paths)) == (0, 0, 0, 0)
        assert (found.recount.k_before, found.recount.k_after) == (1, 1)


def test_a_plot_within_a_plot_is_named_as_unreachable() -> None:
    plots = np.append(grid(3, 3)[0].polygons, shapely.box(3, 3, 6, 6))
    plots[0] = shapely.difference(plots[0], plots[9])
    ground = ground_of(plots, shapely.box(0, 0, 30, 30), shapely.box(0, 0, 30, 30).exterior)
    found = reblock(ground)
    assert found.unreachable.tolist() == [9]
    assert found.recount.without_access.tolist() == [9]
    assert found.recount.served.tolist() == [4]
    assert (found.recount.k_after, found.recount.homes_without_access_after) == (2, 1)


def test_open_land_leads_inwards_like_a_street() -> None:
    parcels, names, _ = drawn("ABCDE\n.....\nHIJKL\nMNOPQ\nRSTUV")
    ground = block_ground(parcels, 0, shapely.LineString([(0, 30), (0, 40)]), homes=np.ones(len(names)))
    found = reblock(ground)
    served = {names[i] for i in found.recount.served}
    assert served == {"M", "N", "O", "P", "Q", "R", "S", "T", "U", "V"} - {
        names[i] for i in np.flatnonzero(ground.layer == 1)
    }
    assert found.recount.without_access.tolist() == []


def test_refusals_name_the_place_and_the_remedy() -> None:
    parcels, block = grid(3, 3)
    for streets in ([], [shapely.LineString([(100, 0), (100, 50)])]):
        with pytest.raises(InvalidInput, match="connected to the outside") as refused:
            block_ground(parcels, 0, streets)
        assert (refused.value.code, refused.value.where) == ("no_street", "block 0 at 5.0, 5.0")
        assert refused.value.remedy
    with pytest.raises(InvalidInput, match="no block 3"):
        block_ground(parcels, 3, block.exterior)
    with pytest.raises(InvalidInput, match="no parcels"):
        block_ground(cells_of_buildings([block], []), 0, block.exterior)
    with pytest.raises(InvalidInput, match="homes"):
        block_ground(parcels, 0, block.exterior, homes=[1.0])
    ground = block_ground(parcels, 0, block.exterior)
    for wrong in ({"width_m": -1.0}, {"cost_per_m": np.nan}, {"detour_limit": 1.0}, {"seed": -1}, {"goal": "beauty"}):
        with pytest.raises(InvalidInput):
            reblock(ground, **wrong)
    for path in (shapely.Point(0, 0), shapely.LineString(), None):
        with pytest.raises(InvalidInput, match="not a line"):
            recount(ground, [path])
    with pytest.raises(InvalidInput, match="tolerance"):
        recount(ground, [], tolerance_m=-1)


def test_recount_of_drawn_paths() -> None:
    parcels, block = grid(5, 5)
    ground = block_ground(parcels, 0, block.exterior, homes=np.arange(25.0))
    nothing = recount(ground, [])
    assert (nothing.k_before, nothing.k_after, nothing.length_m, len(nothing.served)) == (3, 3, 0, 0)
    # A stub that meets nothing gives no access, until another path joins it to the street.
    stub = shapely.LineString([(20, 20), (30, 20)])
    alone = recount(ground, [stub])
    assert (alone.not_joined.tolist(), alone.served.tolist(), alone.k_after) == ([0], [], 3)
    both = recount(ground, [stub, shapely.LineString([(20, 0), (20, 20)])])
    assert both.not_joined.tolist() == []
    assert both.served.tolist() == [6, 7, 8, 11, 12, 13]
    assert both.homes_without_access_before - both.homes_without_access_after == sum((6, 7, 8, 11, 12, 13))
    assert (both.k_after, both.off_edges_m, both.without_access.tolist()) == (2, 0, [16, 17, 18])
    # Beside an edge by 5 cm is on it; 20 cm beside is not, and a way across a plot is told from where it leaves.
    beside = shapely.LineString([(20.05, 0), (20.05, 20)])
    assert recount(ground, [beside]).off_edges_m == 0
    assert recount(ground, [shapely.LineString([(20.2, 0), (20.2, 20)])]).off_edges_m == pytest.approx(20, abs=0.7)
    across = recount(ground, [shapely.LineString([(0, 10), (10, 10), (10, 15), (20, 15)])])
    assert across.off_edges_m == pytest.approx(9.8, abs=0.05)
    assert shapely.bounds(across.off_edges).round(1).tolist() == [[10.1, 15, 19.9, 15]]
    assert across.served.tolist() == [6, 7]


def test_a_block_of_several_is_chosen_by_its_number() -> None:
    blocks = [shapely.box(0, 0, 30, 30), shapely.box(30, 0, 60, 30)]
    plots = [shapely.box(x, y, x + 10, y + 10) for x in range(0, 60, 10) for y in range(0, 30, 10)]
    parcels: Parcels = tiled_plots(blocks, plots)
    found = reblock(block_ground(parcels, 1, [one.exterior for one in blocks]))
    assert found.recount.served.tolist() == [13]
    assert shapely.total_bounds(found.paths)[0] >= 30
