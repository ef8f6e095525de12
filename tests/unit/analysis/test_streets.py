"""Noding of roads and their costs: small plans checked by hand, and what holds of any."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.core.street_speeds import (
    STAIRS_DOWN,
    STAIRS_UP,
    cycling_costs,
    driving_costs,
    walking_costs,
    walking_kmh,
)
from analysis.core.street_tags import roads_of_osm
from analysis.core.streets import Roads, StreetGraph, street_graph
from geo.errors import GeometryError, InvalidInput
from tests.unit.analysis.street_plans import lines, tehran


def edges(graph: StreetGraph) -> set[frozenset[tuple[float, float]]]:
    xy = graph.node_xy_m
    return {frozenset((tuple(xy[a]), tuple(xy[b]))) for a, b in zip(graph.u, graph.v, strict=True)}


def test_lines_are_joined_where_they_share_a_vertex() -> None:
    graph = street_graph(lines([(0, 0), (10, 0), (20, 0)], [(10, 0), (10, 7)]))
    assert (graph.n_nodes, graph.n_edges) == (4, 3)
    assert sorted(graph.length_m) == [7, 10, 10]
    assert graph.line.tolist() == [0, 0, 1]
    assert graph.component_nodes.tolist() == [4]
    assert graph.share_outside_largest == 0


def test_a_bridge_crosses_without_meeting() -> None:
    plan = lines([(0, 0), (10, 0)], [(5, -5), (5, 5)])
    flat = street_graph(plan, is_cut_at_crossings=True)
    assert (flat.n_nodes, flat.n_edges, flat.n_crossings) == (5, 4, 1)
    for above in (Roads(is_bridge=[False, True]), Roads(is_tunnel=[True, False]), Roads(level=[0, 1])):
        graph = street_graph(plan, above, is_cut_at_crossings=True)
        assert (graph.n_edges, graph.n_crossings, len(graph.component_nodes)) == (2, 0, 2)
    both = street_graph(plan, Roads(is_bridge=[True, True], level=[1, 1]), is_cut_at_crossings=True)
    assert both.n_edges == 2


def test_without_the_option_crossings_are_left() -> None:
    graph = street_graph(lines([(0, 0), (10, 0)], [(5, -5), (5, 5)]))
    assert (graph.n_edges, graph.n_crossings, len(graph.component_nodes)) == (2, 0, 2)


def test_a_bridge_meets_where_it_shares_a_vertex_or_ends() -> None:
    shared = street_graph(lines([(0, 0), (5, 0), (10, 0)], [(5, -5), (5, 0), (5, 5)]), Roads(is_bridge=[False, True]))
    assert len(shared.component_nodes) == 1
    ends = lines([(0, 0), (10, 0)], [(5, 0), (5, 5)])
    graph = street_graph(ends, Roads(is_bridge=[False, True], level=[0, 1]), is_cut_at_crossings=True)
    assert (graph.n_edges, len(graph.component_nodes)) == (3, 1)


def test_a_t_junction_drawn_short_is_snapped() -> None:
    plan = lines([(0, 0), (10, 0)], [(4, 0.3), (4, 5)])
    assert len(street_graph(plan, is_cut_at_crossings=True).component_nodes) == 2
    graph = street_graph(plan, is_cut_at_crossings=True, snap_m=0.5)
    assert (graph.n_edges, len(graph.component_nodes)) == (3, 1)


def test_lines_that_overlap_are_cut_at_each_others_ends() -> None:
    graph = street_graph(lines([(0, 0), (10, 0)], [(4, 0), (14, 0)]), is_cut_at_crossings=True)
    assert (graph.n_nodes, graph.n_edges) == (4, 4)  # 0-4, 4-10 twice, 10-14
    assert sorted(graph.length_m) == [4, 4, 6, 6]


def test_three_lines_through_one_point_meet_there() -> None:
    graph = street_graph(lines([(-3, -1), (3, 1)], [(-1, 3), (1, -3)], [(-2, 2), (2, -2)]), is_cut_at_crossings=True)
    assert (graph.n_nodes, graph.n_edges, len(graph.component_nodes)) == (7, 6, 1)


def test_pieces_of_no_length_are_dropped_and_counted() -> None:
    graph = street_graph(lines([(0, 0), (0, 0), (5, 0), (5, 0)], [(9, 9), (9, 9)]))
    assert (graph.n_nodes, graph.n_edges, graph.n_zero_length) == (2, 1, 3)


def test_near_vertices_are_one_where_asked() -> None:
    plan = lines([(0, 0), (10, 0)], [(10.4, 0), (20, 0)])
    assert len(street_graph(plan).component_nodes) == 2
    graph = street_graph(plan, snap_m=0.5)
    assert (graph.n_nodes, len(graph.component_nodes)) == (3, 1)


def test_components_are_reported_by_length() -> None:
    graph = street_graph(lines([(0, 0), (1, 0)], [(0, 5), (30, 5), (30, 14)]))
    assert graph.component_length_m.tolist() == [39, 1]
    assert graph.component_nodes.tolist() == [3, 2]
    assert graph.share_outside_largest == pytest.approx(1 / 40)
    assert {tuple(xy): c for xy, c in zip(graph.node_xy_m, graph.component, strict=True)}[(0, 0)] == 1


def test_nothing_gives_an_empty_graph() -> None:
    for nothing in ([], [None], [shapely.LineString()], lines([(1, 1), (1, 1)])):
        for is_cut in (False, True):
            graph = street_graph(nothing, is_cut_at_crossings=is_cut)
            assert (graph.n_nodes, graph.n_edges, graph.share_outside_largest) == (0, 0, 0)
            assert walking_costs(graph, "min").forward.shape == (0,)
            assert driving_costs(graph).forward.shape == (0,)


def test_multilines_and_missing_ones_keep_their_row() -> None:
    both = shapely.MultiLineString([[(0, 0), (1, 0)], [(5, 5), (6, 5)]])
    graph = street_graph([None, both, shapely.LineString([(1, 0), (2, 0)])], Roads(road_class=["a", "b", "c"]))
    assert [graph.class_names[code] for code in graph.class_code] == ["b", "b", "c"]
    assert graph.line.tolist() == [1, 1, 2]


@pytest.mark.parametrize(
    ("given_lines", "roads", "options", "code"),
    [
        ([shapely.Point(0, 0)], None, {}, "not_lines"),
        ([shapely.box(0, 0, 1, 1)], None, {}, "not_lines"),
        ([shapely.LineString([(0, 0), (math.inf, 1)])], None, {}, "not_finite"),
        (lines([(0, 0), (1, 0)]), Roads(oneway=[2]), {}, "bad_oneway"),
        (lines([(0, 0), (1, 0)]), Roads(oneway=[0, 1]), {}, "street_attributes"),
        (lines([(0, 0), (1, 0)]), Roads(speed_kmh=[0.0]), {}, "bad_speed"),
        (lines([(0, 0), (1, 0)]), None, {"snap_m": -1.0}, "bad_snap"),
        (lines([(0, 0), (1, 0)]), None, {"snap_m": math.nan}, "bad_snap"),
    ],
)
def test_bad_input_is_refused(given_lines: object, roads: Roads | None, options: dict, code: str) -> None:
    with pytest.raises((GeometryError, InvalidInput)) as caught:
        street_graph(given_lines, roads, **options)
    assert caught.value.code == code


@given(st.integers(0, 10_000), st.integers(1, 25))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_random_lines_are_noded_as_shapely_does(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    plan = shapely.linestrings(rng.uniform(0, 100, (n, 3, 2)))
    graph = street_graph(plan, is_cut_at_crossings=True)
    expected = shapely.get_parts(shapely.node(shapely.multilinestrings(plan)))
    assert graph.length_m.sum() == pytest.approx(shapely.length(plan).sum(), rel=1e-9)
    assert graph.n_crossings == len(graph.node_xy_m) - 3 * n
    corners = np.unique(shapely.get_coordinates(expected).round(5), axis=0)
    assert len(corners) == graph.n_nodes
    assert shapely.distance(shapely.multipoints(corners), shapely.points(graph.node_xy_m)).max() < 1e-4


def test_walking_on_slopes_follows_tobler() -> None:
    slopes = np.array([-0.5, -0.05, 0.0, 0.2, 1.0])
    by_hand = [6 * math.exp(-3.5 * abs(s + 0.05)) for s in slopes]
    np.testing.assert_allclose(walking_kmh(slopes), by_hand, rtol=1e-12)
    graph = street_graph(lines([(0, 0), (100, 0)]))
    up = walking_costs(graph, "min", height_m=graph.node_xy_m[:, 0] * 0.1)
    assert up.forward[0] == pytest.approx(0.1 / walking_kmh(np.array(0.1)) * 60)
    assert up.backward[0] == pytest.approx(0.1 / walking_kmh(np.array(-0.1)) * 60)
    assert up.off_street_per_m == pytest.approx(60 / 5000)


def test_missing_heights_and_bridges_count_as_flat() -> None:
    plan = lines([(0, 0), (100, 0)], [(100, 0), (200, 0)], [(200, 0), (300, 0)])
    graph = street_graph(plan, Roads(is_bridge=[False, True, False]))
    height = np.array([0.0, 30.0, 60.0, np.nan])[np.argsort(np.argsort(graph.node_xy_m[:, 0]))]
    found = walking_costs(graph, "min", height_m=height)
    assert found.forward[0] == pytest.approx(6 / walking_kmh(np.array(0.3)))
    assert found.forward[1:].tolist() == [pytest.approx(1.2), pytest.approx(1.2)]


def test_a_cliff_counts_as_the_steepest_slope() -> None:
    graph = street_graph(lines([(0, 0), (1, 0)]))
    found = walking_costs(graph, "min", height_m=np.array([0.0, 500.0]))
    assert found.forward[0] == pytest.approx(0.06 / walking_kmh(np.array(1.0)))


def test_stairs_are_slower_and_know_up_from_down() -> None:
    graph = street_graph(lines([(0, 0), (100, 0)]), Roads(is_stairs=[True]))
    flat = walking_costs(graph, "min")
    assert flat.forward[0] == flat.backward[0] == pytest.approx(1.2 * (STAIRS_UP + STAIRS_DOWN) / 2)
    found = walking_costs(graph, "min", height_m=np.array([0.0, 50.0]))
    assert (found.forward[0], found.backward[0]) == (pytest.approx(1.2 * STAIRS_UP), pytest.approx(1.2 * STAIRS_DOWN))
    assert walking_costs(graph).forward.tolist() == [100]


def test_one_way_rules_hold_for_wheels_and_not_on_foot() -> None:
    plan = lines([(0, 0), (100, 0)], [(100, 0), (200, 0)], [(200, 0), (300, 0)])
    names = ["residential", "steps", "motorway"]
    graph = street_graph(plan, Roads(road_class=names, oneway=[1, 0, -1], is_stairs=[False, True, False]))
    assert np.isfinite(walking_costs(graph, "min").backward).all()
    cycle, drive = cycling_costs(graph), driving_costs(graph)
    assert cycle.forward.tolist() == [pytest.approx(0.4), np.inf, np.inf]
    assert cycle.backward.tolist() == [np.inf] * 3
    assert drive.forward.tolist() == [pytest.approx(0.24), np.inf, np.inf]
    assert drive.backward.tolist() == [np.inf, np.inf, pytest.approx(60 / 900)]
    assert cycling_costs(graph, "m").forward.tolist() == [100, np.inf, np.inf]


def test_a_speed_of_its_own_counts_before_the_class() -> None:
    plan = lines([(0, 0), (100, 0)], [(100, 0), (200, 0)], [(200, 0), (300, 0)])
    roads = Roads(road_class=["residential", "residential", "footway"], speed_kmh=[50, math.nan, 30])
    found = driving_costs(street_graph(plan, roads))
    assert found.forward.tolist() == [pytest.approx(0.12), pytest.approx(0.24), np.inf]


@pytest.mark.parametrize("speed", [0.0, -1.0, math.nan, math.inf])
def test_impossible_speeds_and_heights_are_refused(speed: float) -> None:
    graph = street_graph(lines([(0, 0), (100, 0)]))
    with pytest.raises(InvalidInput) as caught:
        walking_costs(graph, flat_kmh=speed)
    assert caught.value.code == "bad_speed"
    if speed != 0:
        with pytest.raises(InvalidInput):
            cycling_costs(graph, kmh={"": speed})
    with pytest.raises(InvalidInput) as caught:
        walking_costs(graph, "min", height_m=np.zeros(3))
    assert caught.value.code == "street_heights"


def test_tags_of_openstreetmap_are_read() -> None:
    roads = roads_of_osm(
        [
            {"highway": "motorway"},
            {"highway": "footway", "tunnel": "building_passage", "oneway": "no"},
            {"highway": "primary", "junction": "roundabout", "maxspeed": "30 mph", "layer": "x"},
            {"highway": "residential", "access": "private", "foot": "yes", "oneway": "yes", "maxspeed": "50"},
            {"highway": "service", "access": "private", "maxspeed": "walk"},
            {"highway": "proposed", "tunnel": "yes", "layer": "-1"},
        ]
    )
    assert list(roads.oneway) == [1, 0, 1, 1, 0, 0]
    assert list(roads.may_walk) == [False, True, True, True, False, False]
    assert list(roads.is_tunnel) == [False] * 5 + [True]
    assert list(roads.level) == [0, 0, 0, 0, 0, -1]
    np.testing.assert_allclose(roads.speed_kmh, [np.nan, np.nan, 48.28032, 50, np.nan, np.nan])


def test_the_network_of_tehran_is_read_whole(real_data: Path) -> None:
    plan, tags = tehran(real_data)
    graph = street_graph(plan, roads_of_osm(tags))
    assert (len(plan), graph.n_nodes) == (6913, 21_125)
    assert graph.length_m.sum() / 1000 == pytest.approx(925, rel=0.01)
    assert graph.n_zero_length == 0
    assert 0.01 < graph.share_outside_largest < 0.02
