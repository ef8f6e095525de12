"""Costs along streets: plans checked by hand, networkx on random towns and on a real district, and invariants."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from analysis.core.street_cost import (
    OnStreets,
    StreetNetwork,
    cells_on_streets,
    entrances,
    node_cost,
    on_streets,
    street_cost,
    street_network,
    with_facilities,
)
from analysis.core.street_search import eliminated, settle, settle_nearest
from analysis.core.street_speeds import StreetCosts, cycling_costs, walking_costs
from analysis.core.street_tags import roads_of_osm
from analysis.core.streets import Roads, StreetGraph, street_graph
from geo.core.grid import Grid
from geo.errors import GeometryError, InvalidInput
from tests.unit.analysis.street_plans import as_networkx, lines, tehran, town

SEEDS = st.integers(0, 10_000)
ODD_LIMITS = [0, 1, 2, 3, 5, 100]


def on_foot(*each: list[tuple[float, float]], **roads: object) -> StreetNetwork:
    graph = street_graph(lines(*each), Roads(**roads))
    return street_network(graph, walking_costs(graph))


def from_to(network: StreetNetwork, place: tuple[float, float], *facilities: tuple[float, float]) -> float:
    points = on_streets(network, np.array([place]))
    return float(street_cost(network, points, [np.array(facilities).reshape(-1, 2)]).cost[0, 0])


def by_class(graph: StreetGraph, rng: np.random.Generator) -> StreetCosts:
    """Costs that differ both ways, some edges closed one way or both."""
    forward, backward = rng.uniform(1, 3, (2, graph.n_edges)) * graph.length_m
    forward[rng.random(graph.n_edges) < 0.2] = np.inf
    backward[rng.random(graph.n_edges) < 0.2] = np.inf
    return StreetCosts(forward, backward, "min", 2.5)


def cut_up(network: StreetNetwork, places: OnStreets, facilities: OnStreets) -> nx.DiGraph:
    """The streets with every place and facility a node of its own: their edges are cut where they are entered."""
    graph, costs = network.graph, network.costs
    made = as_networkx(graph, costs)
    made.add_nodes_from(("place", k) for k in range(len(places.edge)))

    def join(a: object, b: object, weight: float) -> None:
        if np.isfinite(weight) and weight < made.get_edge_data(a, b, {"weight": np.inf})["weight"]:
            made.add_edge(a, b, weight=weight)

    stops: dict[int, list[tuple[float, object]]] = {}
    for kind, found in (("place", places), ("facility", facilities)):
        for k in np.flatnonzero(found.edge >= 0):
            foot = ("foot", kind, k)
            stops.setdefault(int(found.edge[k]), []).append((float(found.share[k]), foot))
            join((kind, k), foot, found.way_m[k] * costs.off_street_per_m)
            join(foot, (kind, k), found.way_m[k] * costs.off_street_per_m)
    for edge, feet in stops.items():
        chain = [(0.0, int(graph.u[edge])), *sorted(feet, key=lambda foot: foot[0]), (1.0, int(graph.v[edge]))]
        for (low, a), (high, b) in pairwise(chain):
            join(a, b, (high - low) * costs.forward[edge] if high > low else 0.0)
            join(b, a, (high - low) * costs.backward[edge] if high > low else 0.0)
    return made


# By hand.


def test_a_walk_around_the_corner() -> None:
    network = on_foot([(0, 0), (100, 0), (100, 50)])
    assert from_to(network, (20, 10), (90, 40)) == 10 + 80 + 40 + 10
    assert from_to(network, (20, 10), (20, -30)) == 40  # straight over the street
    assert from_to(network, (20, 10), (60, 0)) == 50  # along one edge
    assert from_to(network, (-30, 0), (0, 0)) == 30


def test_both_ends_of_the_edge_are_tried() -> None:
    square = on_foot([(0, 0), (100, 0), (100, 100), (0, 100), (0, 0)])
    assert from_to(square, (90, 0), (100, 60)) == 70
    assert from_to(square, (30, 0), (40, 100)) == 30 + 100 + 40
    assert from_to(square, (60, 0), (60, 100)) == 40 + 100 + 40


def test_the_nearest_of_several_counts_along_streets_not_as_the_crow_flies() -> None:
    """A facility behind a wall: 10 m away in a straight line, round by the only way 410 m."""
    network = on_foot([(0, 0), (200, 0), (200, 10), (0, 10)])
    assert from_to(network, (0, 0), (0, 10)) == 410
    assert from_to(network, (0, 0), (0, 10), (300, 0)) == 300
    points = on_streets(network, np.array([[0.0, 0.0]]))
    found = street_cost(network, points, [np.array([[0.0, 10.0], [300.0, 0.0]])], is_nearest_kept=True)
    assert found.nearest is not None
    assert found.nearest.tolist() == [[1]]


def test_a_bridge_without_a_node_is_no_way_down() -> None:
    plan = [(0, 0), (200, 0)], [(100, -100), (100, 100)]
    for is_cut, expected in ((True, 150.0), (False, np.inf)):
        graph = street_graph(lines(*plan), is_cut_at_crossings=is_cut)
        assert from_to(street_network(graph, walking_costs(graph)), (0, 0), (100, 50)) == expected
    graph = street_graph(lines(*plan), Roads(is_bridge=[False, True]), is_cut_at_crossings=True)
    network = street_network(graph, walking_costs(graph))
    assert from_to(network, (0, 0), (100, 50)) == 150  # nobody steps off a bridge: the street below is nearest
    assert node_cost(network, [np.array([[0.0, 0.0]])]).tolist().count([0, 200, np.inf, np.inf]) == 0
    assert np.isinf(node_cost(network, [np.array([[0.0, 0.0]])])).sum() == 2


def test_one_way_streets_lead_one_way() -> None:
    graph = street_graph(lines([(0, 0), (100, 0)], [(100, 0), (100, 50), (0, 50), (0, 0)]), Roads(oneway=[1, 0]))
    network = street_network(graph, cycling_costs(graph, "m"))
    assert from_to(network, (20, 0), (80, 0)) == 60
    assert from_to(network, (80, 0), (20, 0)) == 20 + 200 + 20
    back = street_network(graph, cycling_costs(graph, "m").reversed())  # from the facility to the place
    assert from_to(back, (80, 0), (20, 0)) == 60
    on_way = street_network(graph, walking_costs(graph))
    assert from_to(on_way, (80, 0), (20, 0)) == 60
    dead_end = street_graph(lines([(0, 0), (100, 0)]), Roads(oneway=[1]))
    closed = street_network(dead_end, cycling_costs(dead_end, "m"))
    assert from_to(closed, (80, 0), (20, 0)) == np.inf
    assert from_to(closed, (0, 0), (100, 0)) == 100
    assert from_to(closed, (0, 0), (0, 0)) == 0


def test_stairs_take_their_time() -> None:
    graph = street_graph(lines([(0, 0), (100, 0)], [(100, 0), (130, 0)]), Roads(is_stairs=[False, True]))
    cost = walking_costs(graph, "min")
    network = street_network(graph, cost)
    stairs = 0.03 / 5 * 60 * (1.34 / 0.610 + 1.34 / 0.694) / 2
    assert from_to(network, (0, 50), (130, 0)) == pytest.approx(0.6 + 1.2 + stairs)


def test_disconnected_pieces_are_not_reached_and_told() -> None:
    network = on_foot([(0, 0), (100, 0)], [(0, 300), (100, 300)])
    points = on_streets(network, np.array([[10.0, 0.0], [10.0, 300.0], [10.0, 5000.0]]))
    found = street_cost(network, points, [np.array([[50.0, 0.0]])], is_nearest_kept=True)
    assert found.cost.tolist() == [[40, np.inf, np.inf]]
    assert found.n_unreached.tolist() == [2]
    assert found.nearest is not None
    assert found.nearest.tolist() == [[0, -1, -1]]
    assert points.is_far.tolist() == [False, False, True]


def test_short_components_need_not_be_entered() -> None:
    graph = street_graph(lines([(0, 0), (100, 0)], [(0, 30), (20, 30)]))
    costs = walking_costs(graph)
    assert from_to(street_network(graph, costs), (0, 29), (100, 0)) == np.inf
    assert from_to(street_network(graph, costs, min_component_m=50), (0, 29), (100, 0)) == 129
    assert from_to(street_network(graph, costs, min_component_m=500), (0, 29), (100, 0)) == np.inf


def test_a_facility_far_from_all_streets_serves_nobody_and_is_told() -> None:
    network = on_foot([(0, 0), (100, 0)])
    points = on_streets(network, np.array([[0.0, 0.0]]))
    facilities = [np.array([[50.0, 501.0], [100.0, 0.0]]), np.array([[50.0, 501.0]]), np.zeros((0, 2))]
    found = street_cost(network, points, facilities)
    assert found.cost.tolist() == [[100], [np.inf], [np.inf]]
    assert [rows.tolist() for rows in found.facilities_far] == [[0], [0], []]
    assert street_cost(network, points, facilities, max_to_street_m=501).cost.tolist() == [[100], [551], [np.inf]]
    assert street_cost(network, points, []).cost.shape == (0, 1)


def test_no_streets_at_all() -> None:
    network = on_foot()
    points = on_streets(network, np.array([[0.0, 0.0]]), max_to_street_m=np.inf)
    assert street_cost(network, points, [np.array([[0.0, 0.0]])]).cost.tolist() == [[np.inf]]
    assert node_cost(network, [np.array([[0.0, 0.0]])]).shape == (1, 0)


def test_a_single_node_and_a_loop_are_settled() -> None:
    nothing = np.zeros(0, dtype=np.int32)
    made = eliminated(1, nothing, nothing, np.zeros(0), np.zeros(0))
    cost = np.array([[3.0, np.inf]])
    settle(made, cost)
    assert cost.tolist() == [[3, np.inf]]
    zero = np.zeros(1, dtype=np.int32)
    settle(eliminated(1, zero, zero, np.ones(1), np.ones(1)), cost)
    assert cost.tolist() == [[3, np.inf]]


def test_tunnels_and_closed_streets_are_not_entered_from_the_side() -> None:
    network = on_foot(
        [(0, 0), (100, 0)], [(100, 0), (200, 0)], [(0, 90), (200, 90)], is_tunnel=[False, True, False],
        may_walk=[True, True, False],
    )  # fmt: skip
    points = on_streets(network, np.array([[180.0, 0.0], [180.0, 80.0]]))
    assert points.edge.tolist() == [0, 0]
    assert points.way_m[0] == 80
    assert points.share.tolist() == [1, 1]


def test_cells_that_are_not_asked_for_stay_unreached() -> None:
    network = on_foot([(0, 10), (60, 10)])
    grid = Grid(epsg=32639, x_min_m=0.0, y_max_m=20.0, cell_m=20.0, n_rows=1, n_cols=3)
    facilities = [np.array([[60.0, 10.0]])]
    whole = street_cost(network, cells_on_streets(network, grid), facilities)
    assert whole.cost.tolist() == [[50, 30, 10]]
    assert whole.cost.dtype == np.float32
    only = cells_on_streets(network, grid, np.array([False, True, False]))
    assert street_cost(network, only, facilities).cost.tolist() == [[np.inf, 30, np.inf]]


def test_entrances_of_parks_lie_along_their_outline() -> None:
    park = shapely.box(0, 0, 100, 40)
    xy, facility = entrances([shapely.MultiPoint([(5, 5), (6, 6)]), None, park, shapely.Point()], 25)
    assert facility.tolist() == [0, 0] + [2] * 13
    assert (shapely.distance(shapely.points(xy[2:]), park.exterior) < 1e-9).all()
    with pytest.raises(GeometryError):
        entrances([shapely.Point(np.inf, 0)])


@pytest.mark.parametrize(
    ("points", "limit", "code"),
    [
        (np.array([[np.nan, 0.0]]), 500.0, "bad_points"),
        (np.array([1.0, 2.0]), 500.0, "bad_points"),
        (np.array([[1.0, 2.0, 3.0]]), 500.0, "bad_points"),
        (np.array([[1.0, 2.0]]), -1.0, "bad_max_to_street"),
        (np.array([[1.0, 2.0]]), np.nan, "bad_max_to_street"),
    ],
)
def test_bad_points_are_refused(points: np.ndarray, limit: float, code: str) -> None:
    network = on_foot([(0, 0), (100, 0)])
    with pytest.raises(InvalidInput) as caught:
        on_streets(network, points, max_to_street_m=limit)
    assert caught.value.code == code


@pytest.mark.parametrize("cost", [np.array([-1.0]), np.array([np.nan]), np.ones(2)])
def test_bad_costs_are_refused(cost: np.ndarray) -> None:
    graph = street_graph(lines([(0, 0), (100, 0)]))
    with pytest.raises(InvalidInput) as caught:
        street_network(graph, StreetCosts(cost, np.ones(1), "m", 1.0))
    assert caught.value.code == "street_costs"


# Against other implementations.


@given(SEEDS, st.integers(1, 60), st.sampled_from([0.5, 1.5, 4.0]), st.sampled_from(ODD_LIMITS), st.booleans())
@settings(derandomize=True, deadline=None, max_examples=120)
def test_any_graph_is_settled_as_scipy_does(seed: int, n: int, density: float, limit: int, is_both_ways: bool) -> None:
    """Loops, several edges between two nodes, edges closed one way, costs of 0, starts with a cost: all of it."""
    rng = np.random.default_rng(seed)
    m = int(n * density)
    u, v = rng.integers(0, n, (2, m)).astype(np.int32)
    forward = rng.integers(0, 9, m).astype(float)
    backward = forward if is_both_ways else np.where(rng.random(m) < 0.3, np.inf, rng.integers(0, 9, m))
    made = eliminated(n, u, v, forward, backward, limit)
    assert sorted(made.place) == list(range(n))
    start = np.where(rng.random((n, 5)) < 0.2, rng.integers(0, 20, (n, 5)), np.inf)
    whole = np.full((n + 1, n + 1), np.inf)
    np.minimum.at(whole, (v, u), forward)  # from the facility backwards
    np.minimum.at(whole, (u, v), backward)
    for service in range(5):
        whole[n, :n] = start[:, service]
        rows, cols = np.nonzero(np.isfinite(whole))
        # scipy drops stored zeros: costs are shifted by a hair that no rounding of whole numbers notices.
        weights = coo_array((whole[rows, cols] + 1e-9, (rows, cols)), shape=whole.shape)
        expected = dijkstra(weights.tocsr(), indices=n)[:n]
        for is_nearest_kept in (False, True):
            cost = np.full((n, 1), np.inf)
            cost[made.place, 0] = start[:, service]
            if is_nearest_kept:
                who = np.full((n, 1), -1, dtype=np.int32)
                who[made.place, 0] = np.where(np.isfinite(start[:, service]), np.arange(n), -1)
                settle_nearest(made, cost, who)
                assert ((who[:, 0] >= 0) == np.isfinite(cost[:, 0])).all()
            else:
                settle(made, cost)
            np.testing.assert_allclose(cost[made.place, 0], expected, atol=1e-6)


@given(SEEDS, st.integers(2, 30), st.sampled_from(ODD_LIMITS), st.booleans())
@settings(derandomize=True, deadline=None, max_examples=60)
def test_random_towns_are_as_networkx_finds_them(seed: int, n: int, limit: int, is_both_ways: bool) -> None:
    rng = np.random.default_rng(seed)
    graph = street_graph(town(rng, n))
    network = street_network(
        graph, walking_costs(graph) if is_both_ways else by_class(graph, rng), most_neighbours=limit
    )
    places = on_streets(network, rng.uniform(-100, 1100, (40, 2)), max_to_street_m=150)
    services = [rng.uniform(-100, 1100, (k, 2)) for k in (1, 3, 9)]
    found = street_cost(network, places, services, max_to_street_m=150, is_nearest_kept=True)
    plain = street_cost(network, places, services, max_to_street_m=150)
    np.testing.assert_array_equal(plain.cost, found.cost)
    assert found.nearest is not None
    for service, xy in enumerate(services):
        facilities = on_streets(network, xy, max_to_street_m=150)
        cut = cut_up(network, places, facilities).reverse()
        starts = {("facility", k) for k in np.flatnonzero(~facilities.is_far)}
        lengths = nx.multi_source_dijkstra_path_length(cut, starts) if starts else {}
        expected = [lengths.get(("place", k), np.inf) for k in range(40)]
        np.testing.assert_allclose(found.cost[service], expected, rtol=1e-6, atol=1e-4)
        assert ((found.nearest[service] >= 0) == np.isfinite(expected)).all()
        alone = street_cost(network, places, [xy[[k]] for k in range(len(xy))], max_to_street_m=150).cost
        reached = np.flatnonzero(found.nearest[service] >= 0)
        np.testing.assert_allclose(
            alone[found.nearest[service][reached], reached], found.cost[service][reached], rtol=1e-6
        )


@given(SEEDS, st.sampled_from([1, 40, 600]), st.sampled_from([0.0, 20.0, 500.0, np.inf]))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_the_nearest_street_is_as_shapely_finds_it(seed: int, n: int, limit_m: float) -> None:
    rng = np.random.default_rng(seed)
    plan = shapely.linestrings(rng.uniform(0, 1000, (n, 1, 2)) + rng.normal(0, rng.choice([5, 300]), (n, 2, 2)))
    graph = street_graph(plan)
    network = street_network(graph, walking_costs(graph))
    xy = np.concatenate((rng.uniform(-300, 1300, (150, 2)), rng.normal(0, 1e5, (20, 2)), graph.node_xy_m[:20]))
    found = on_streets(network, xy, max_to_street_m=limit_m)
    pieces = shapely.linestrings(np.stack((graph.node_xy_m[graph.u], graph.node_xy_m[graph.v]), axis=1))
    expected = np.min([shapely.distance(piece, shapely.points(xy)) for piece in pieces], axis=0)
    near = expected <= limit_m if limit_m else expected == 0
    decided = np.abs(expected - limit_m) > 1e-9
    np.testing.assert_array_equal(found.is_far[decided], ~near[decided])
    is_found = ~found.is_far
    np.testing.assert_allclose(found.way_m[is_found], expected[is_found], rtol=1e-9, atol=1e-9)
    e, t = found.edge[is_found], found.share[is_found, None]
    foot = graph.node_xy_m[graph.u[e]] * (1 - t) + graph.node_xy_m[graph.v[e]] * t
    np.testing.assert_allclose(np.hypot(*(foot - xy[is_found]).T), expected[is_found], rtol=1e-6, atol=1e-6)


def test_the_real_network_is_as_networkx_finds_it(real_data: Path) -> None:
    """All nodes of District 6, on foot in metres and by bicycle in minutes with its one-way streets."""
    plan, tags = tehran(real_data)
    graph = street_graph(plan, roads_of_osm(tags))
    for costs in (walking_costs(graph), cycling_costs(graph)):
        is_used = np.isfinite(costs.forward) & np.isfinite(costs.backward) & graph.is_enterable
        starts = np.unique(np.concatenate((graph.u[is_used], graph.v[is_used])))[::1000]
        found = node_cost(street_network(graph, costs), [graph.node_xy_m[starts]])[0]
        reached = nx.multi_source_dijkstra_path_length(as_networkx(graph, costs).reverse(), set(starts.tolist()))
        expected = np.array([reached.get(node, np.inf) for node in range(graph.n_nodes)])
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3)
        assert np.isfinite(expected).mean() > 0.85


# Whatever the town.


@given(SEEDS, st.integers(3, 40))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_one_more_facility_raises_no_cost_and_a_change_is_as_a_new_start(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    graph = street_graph(town(rng, n))
    network = street_network(graph, by_class(graph, rng))
    places = on_streets(network, rng.uniform(0, 1000, (100, 2)))
    services = [rng.uniform(0, 1000, (k, 2)) for k in (3, 0, 2)]
    more = rng.uniform(0, 1000, (2, 2))
    before = street_cost(network, places, services, is_nearest_kept=True)
    for service in range(3):
        joined = np.concatenate((services[service], more))
        afresh = street_cost(network, places, [joined], is_nearest_kept=True)
        assert (afresh.cost[0] <= before.cost[service]).all()
        added = with_facilities(before, network, places, service, more, is_added=True)
        np.testing.assert_array_equal(added.cost[service], afresh.cost[0])
        moved = with_facilities(before, network, places, service, joined)
        np.testing.assert_array_equal(moved.cost[service], afresh.cost[0])
        assert moved.nearest is not None
        assert afresh.nearest is not None
        assert added.nearest is not None
        np.testing.assert_array_equal(moved.nearest[service], afresh.nearest[0])
        is_new = added.nearest[service] <= -2
        np.testing.assert_array_equal(is_new, added.cost[service] < before.cost[service])
        others = [other for other in range(3) if other != service]
        np.testing.assert_array_equal(moved.cost[others], before.cost[others])
        closed = with_facilities(before, network, places, service, np.zeros((0, 2)))
        assert np.isinf(closed.cost[service]).all()


@given(SEEDS, st.integers(3, 40))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_no_edge_is_a_short_cut(seed: int, n: int) -> None:
    """At one end of an edge the cost is never more than along it and on from the other end."""
    rng = np.random.default_rng(seed)
    graph = street_graph(town(rng, n))
    costs = by_class(graph, rng)
    found = node_cost(street_network(graph, costs), [rng.uniform(0, 1000, (4, 2))])[0].astype(float)
    slack = 1e-6 * np.where(np.isfinite(found), found, 0).max() + 1e-4
    assert (found[graph.u] <= costs.forward + found[graph.v] + slack).all()
    assert (found[graph.v] <= costs.backward + found[graph.u] + slack).all()


@given(SEEDS, st.integers(3, 40))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_order_and_direction_of_lines_change_nothing(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    plan = town(rng, n)
    places, facilities = rng.uniform(0, 1000, (100, 2)), rng.uniform(0, 1000, (5, 2))

    def cost(these: np.ndarray, some: np.ndarray) -> np.ndarray:
        graph = street_graph(these)
        network = street_network(graph, walking_costs(graph))
        return street_cost(network, on_streets(network, places), [some]).cost

    turned = np.where(rng.random(len(plan)) < 0.5, shapely.reverse(plan), plan)
    again = cost(rng.permutation(turned), rng.permutation(facilities))
    np.testing.assert_allclose(again, cost(plan, facilities), rtol=1e-6, atol=1e-4)


@given(SEEDS, st.integers(3, 60))
@settings(derandomize=True, deadline=None, max_examples=30)
def test_what_is_taken_out_first_changes_nothing(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    graph = street_graph(town(rng, n, bends=6))
    costs = by_class(graph, rng)
    xy = rng.uniform(0, 1000, (4, 2))
    plain, *others = (node_cost(street_network(graph, costs, most_neighbours=limit), [xy]) for limit in ODD_LIMITS)
    for other in others:
        np.testing.assert_allclose(other, plain, rtol=1e-6, atol=1e-4)


def test_many_services_and_threads_give_the_same(real_data: Path) -> None:
    plan, tags = tehran(real_data)
    graph = street_graph(plan, roads_of_osm(tags))
    network = street_network(graph, walking_costs(graph, "min"))
    rng = np.random.default_rng(1)
    low, high = graph.node_xy_m.min(axis=0), graph.node_xy_m.max(axis=0)
    xy = rng.uniform(low, high, (50_000, 2))
    services = [rng.uniform(low, high, (k, 2)) for k in range(30)]
    alone, together = (
        street_cost(network, on_streets(network, xy, workers=workers), services, workers=workers) for workers in (1, 3)
    )
    np.testing.assert_array_equal(alone.cost, together.cost)
    np.testing.assert_array_equal(node_cost(network, services, workers=1), node_cost(network, services, workers=3))
    single = [street_cost(network, on_streets(network, xy[:500]), [some]).cost[0] for some in services]
    np.testing.assert_array_equal(alone.cost[:, :500], np.array(single))
