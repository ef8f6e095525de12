"""Drawn streets joined to those that there are: by hand, and through the graph that is made of them."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from analysis.core.drawn_streets import joined
from analysis.core.streets import Roads, street_graph

MAIN = shapely.LineString([(0, 0), (100, 0)])
SIDE = shapely.LineString([(0, 80), (100, 80)])


def drawn(*lines: str, streets: tuple[shapely.LineString, ...] = (MAIN, SIDE), apart: bool = False, bridge: bool = False) -> list[str]:  # fmt: skip
    made = joined(
        np.array(streets, dtype=object),
        np.array([shapely.from_wkt(line) for line in lines], dtype=object),
        is_apart=np.full(len(streets), apart),
        is_bridge=np.full(len(lines), bridge),
    )
    return [line.wkt for line in made]


def test_ends_are_led_to_the_nearest_street_and_no_further_than_thirty_metres() -> None:
    assert drawn("LINESTRING (40 20, 40 70)") == [
        "LINESTRING (0 0, 40 0, 100 0)", "LINESTRING (0 80, 40 80, 100 80)", "LINESTRING (40 0, 40 80)",
    ]  # fmt: skip
    assert drawn("LINESTRING (40 31, 40 49)")[2] == "LINESTRING (40 31, 40 49)"


def test_what_is_crossed_is_met_unless_one_is_a_bridge() -> None:
    across = "LINESTRING (50 -40, 50 120)"
    assert drawn(across)[2] == "LINESTRING (50 -40, 50 0, 50 80, 50 120)"
    assert drawn(across, bridge=True) == [MAIN.wkt, SIDE.wkt, across]
    assert drawn(across, apart=True) == [MAIN.wkt, SIDE.wkt, across]


def test_an_end_may_lie_on_a_bridge() -> None:
    assert drawn("LINESTRING (50 5, 50 50)", streets=(MAIN,), apart=True)[0] == "LINESTRING (0 0, 50 0, 100 0)"


def test_a_later_one_ends_at_an_earlier_one() -> None:
    first, second = "LINESTRING (200 0, 200 100)", "LINESTRING (210 50, 400 50)"
    made = drawn(first, second)
    assert made[2:] == ["LINESTRING (200 0, 200 50, 200 100)", "LINESTRING (200 50, 400 50)"]


def test_a_vertex_that_is_there_is_used() -> None:
    assert drawn("LINESTRING (0.0001 10, 50 60)")[0] == MAIN.wkt


def test_without_streets_drawn_ones_stand_alone() -> None:
    assert drawn("LINESTRING (0 0, 5 5)", streets=()) == ["LINESTRING (0 0, 5 5)"]


@pytest.mark.parametrize("seed", range(5))
def test_every_drawn_street_hangs_together_with_what_it_crosses(seed: int) -> None:
    """In the graph, as in the drawing: components are those of the shapes that touch each other."""
    rng = np.random.default_rng(seed)
    streets = shapely.linestrings(rng.uniform(0, 1000, (12, 2, 2)))
    added = shapely.linestrings(rng.uniform(0, 1000, (6, 3, 2)))
    none, bridge = np.zeros(12, dtype=bool), np.zeros(6, dtype=bool)
    lines = joined(streets, added, is_apart=none, is_bridge=bridge)
    graph = street_graph(lines, Roads())
    for number in range(12, 18):
        own = set(graph.component[graph.u[graph.line == number]].tolist())
        for other in range(12):
            if lines[number].intersects(streets[other]):
                assert own == set(graph.component[graph.u[graph.line == other]].tolist())
    assert graph.length_m.sum() == pytest.approx(shapely.length(lines).sum())
