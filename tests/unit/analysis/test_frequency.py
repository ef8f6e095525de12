"""Departures within reach: hand-made cities, brute force with sets of people, and what can never happen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.core.coverage import covered_share
from analysis.core.frequency import Frequency, Reached, frequency
from geo.errors import InvalidInput

EDGES = (0.0, 392.0, 980.0)
LIMIT_M, CELL_M = 500.0, 20.0


def reached_by(cells: Any, stops: Any, lines: list[set[int]], limit_m: float = LIMIT_M) -> list[Reached]:
    """Give for each line the cells near any of its stops, by the cost to each in turn."""
    found: list[Reached] = []
    for at in lines:
        cost = np.min(
            [np.hypot(*(cells - stops[stop]).T) for stop in sorted(at)] or [np.full(len(cells), np.inf)], axis=0
        )
        share = covered_share(cost.astype(np.float32), limit_m, CELL_M)
        near = np.flatnonzero(share > 0)
        found.append((near, share[near]))
    return found


def test_a_town_worked_out_by_hand() -> None:
    """Three hamlets along a road; lines A (300) and B (150) stop at the first, B twice, B and C (600) at the second."""
    cells = np.array([[0.0, 0.0], [2_000.0, 0.0], [4_000.0, 0.0]])
    stops = np.array([[100.0, 0.0], [200.0, 0.0], [300.0, 0.0], [2_100.0, 0.0], [2_000.0, 100.0]])
    lines = [{0}, {1, 2, 3}, {4}]
    found = frequency(reached_by(cells, stops, lines), np.array([300.0, 150.0, 600.0]), EDGES, 3)
    assert found.departures.tolist() == [450.0, 750.0, 0.0]
    assert found.lines.tolist() == [2.0, 2.0, 0.0]
    assert found.class_share.T.tolist() == [[0, 0, 1, 0], [0, 0, 1, 0], [1, 0, 0, 0]]
    most = frequency(reached_by(cells, stops, lines), np.array([300.0, 150.0, 600.0]), EDGES, 3, adds_up=False)
    assert most.departures.tolist() == [300.0, 600.0, 0.0]
    assert most.class_share.T.tolist() == [[0, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0]]


def test_an_edge_belongs_to_the_class_above_it() -> None:
    near = [(np.array([0]), np.array([1.0])), (np.array([1]), np.array([1.0])), (np.array([2]), np.array([1.0]))]
    found = frequency(near, np.array([391.0, 392.0, 980.0]), EDGES, 4)
    assert found.class_share.argmax(axis=0).tolist() == [1, 2, 3, 0]


def test_a_cell_cut_by_two_lines_holds_nested_groups_of_people() -> None:
    """70 in 100 reach 400 departures, of whom 20 reach 700 more; 30 reach none."""
    near = [(np.array([0]), np.array([0.2])), (np.array([0]), np.array([0.7]))]
    found = frequency(near, np.array([700.0, 400.0]), EDGES, 1)
    np.testing.assert_allclose(found.class_share[:, 0], [0.3, 0.0, 0.5, 0.2], atol=1e-12)
    np.testing.assert_allclose(found.departures, [0.7 * 400 + 0.2 * 700])
    np.testing.assert_allclose(found.lines, [0.9])


def test_no_lines_no_cells_and_lines_that_do_not_run() -> None:
    nothing = frequency([], np.empty(0), EDGES, 2)
    assert nothing.departures.tolist() == [0, 0]
    assert nothing.class_share.tolist() == [[1, 1], [0, 0], [0, 0], [0, 0]]
    assert frequency([], np.empty(0), EDGES, 0).class_share.shape == (4, 0)
    stands = frequency([(np.array([0]), np.array([1.0]))], np.array([0.0]), EDGES, 1)
    assert (stands.lines[0], stands.class_share[0, 0]) == (0, 1)


@pytest.mark.parametrize(
    ("weekly", "edges", "code"),
    [
        ([-1.0], EDGES, "bad_departures"), ([np.nan], EDGES, "bad_departures"), ([np.inf], EDGES, "bad_departures"),
        ([1.0], (), "bad_edges"), ([1.0], (5.0,), "bad_edges"), ([1.0], (0.0, 5.0, 5.0), "bad_edges"),
        ([1.0], (0.0, np.nan), "bad_edges"), ([1.0, 2.0], EDGES, "length_mismatch"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(weekly: list[float], edges: tuple[float, ...], code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        frequency([(np.array([0]), np.array([1.0]))], np.array(weekly), edges, 1)
    assert refused.value.code == code


# ---------------------------------------------------------------- brute force


def one_by_one(
    cells: Any, stops: Any, lines: list[set[int]], weekly: Any, *, adds_up: bool, people: int = 400
) -> tuple[list[float], list[list[float]]]:
    """Ask each of many people of each cell which lines they reach: person number u of U stands where u/U of it is reached."""
    means, classes = [], []
    for cell in cells:
        totals = []
        for person in range(people):
            beyond = ((person + 0.5) / people - 0.5) * CELL_M  # half a cell nearer, up to half a cell farther
            mine = {
                number
                for number, at in enumerate(lines)
                if any(np.float32(np.hypot(*(cell - stops[stop]))) + beyond <= LIMIT_M for stop in at)
            }
            departures = [weekly[number] for number in mine]
            totals.append(sum(departures) if adds_up else max(departures, default=0.0))
        means.append(sum(totals) / people)
        in_class = [0, 0, 0, 0]
        for total in totals:
            in_class[0 if total == 0 else 1 if total < 392 else 2 if total < 980 else 3] += 1
        classes.append([count / people for count in in_class])
    return means, classes


@pytest.mark.parametrize("adds_up", [True, False])
@pytest.mark.parametrize("seed", range(6))
def test_small_cities_person_by_person(seed: int, adds_up: bool) -> None:
    rng = np.random.default_rng(seed)
    cells, stops = rng.uniform(0, 1_500, (30, 2)), rng.uniform(0, 1_500, (12, 2))
    angle = rng.uniform(0, 2 * np.pi, 20)  # cells that the limit cuts
    edge = (
        stops[rng.integers(0, 12, 20)] + (LIMIT_M + rng.uniform(-9, 9, (20, 1))) * np.c_[np.cos(angle), np.sin(angle)]
    )
    cells = np.concatenate([cells, edge])
    lines = [set(rng.choice(12, rng.integers(0, 6), replace=False).tolist()) for _ in range(7)]
    weekly = rng.integers(0, 500, 7).astype(float)
    found = frequency(reached_by(cells, stops, lines), weekly, EDGES, len(cells), adds_up=adds_up)
    means, classes = one_by_one(cells, stops, lines, weekly, adds_up=adds_up)
    cut = (found.class_share > 0).sum(axis=0) > 1
    assert cut.any()
    np.testing.assert_allclose(found.departures, means, atol=weekly.sum() / 400 + 1e-3)
    np.testing.assert_allclose(found.class_share.T, classes, atol=2.1 / 400)
    np.testing.assert_allclose(found.departures[~cut], np.array(means)[~cut], atol=weekly.sum() / 400 + 1e-3)


# ---------------------------------------------------------------- what can never happen


@st.composite
def cities(draw: st.DrawFn) -> tuple[Any, Any, list[set[int]], Any]:
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    n_stops, n_lines = draw(st.integers(1, 8)), draw(st.integers(1, 6))
    cells, stops = rng.uniform(0, 1_500, (25, 2)), rng.uniform(0, 1_500, (n_stops, 2))
    lines = [set(rng.choice(n_stops, rng.integers(0, n_stops + 1), replace=False).tolist()) for _ in range(n_lines)]
    return cells, stops, lines, rng.integers(0, 700, n_lines).astype(float)


def at_least(found: Frequency) -> Any:
    """Share of each cell in a class or a higher one."""
    return np.cumsum(found.class_share[::-1], axis=0)[::-1]


@settings(max_examples=60, deadline=None)
@given(cities(), st.floats(0, 1_200), st.floats(0, 600))
def test_a_longer_way_never_reaches_fewer(city: Any, limit_m: float, more_m: float) -> None:
    cells, stops, lines, weekly = city
    near = frequency(reached_by(cells, stops, lines, limit_m), weekly, EDGES, len(cells))
    far = frequency(reached_by(cells, stops, lines, limit_m + more_m), weekly, EDGES, len(cells))
    assert (far.departures >= near.departures - 1e-9).all()
    assert (at_least(far) >= at_least(near) - 1e-9).all()
    np.testing.assert_allclose(near.class_share.sum(axis=0), 1)
    np.testing.assert_allclose(near.departures, sum_of(cells, stops, lines, weekly, limit_m), rtol=1e-9, atol=1e-9)


def sum_of(cells: Any, stops: Any, lines: list[set[int]], weekly: Any, limit_m: float) -> Any:
    total = np.zeros(len(cells))
    for (near, share), each in zip(reached_by(cells, stops, lines, limit_m), weekly, strict=True):
        total[near] += share * each
    return total


@settings(max_examples=60, deadline=None)
@given(cities(), st.data())
def test_another_stop_never_lowers_and_a_second_one_beside_it_changes_nothing(city: Any, data: st.DataObject) -> None:
    cells, stops, lines, weekly = city
    before = frequency(reached_by(cells, stops, lines), weekly, EDGES, len(cells))
    line = data.draw(st.integers(0, len(lines) - 1))
    twin = data.draw(st.integers(0, len(stops) - 1))
    more = np.concatenate([stops, stops[twin : twin + 1]])
    served = [at | {len(stops)} if number == line else at for number, at in enumerate(lines)]
    after = frequency(reached_by(cells, more, served), weekly, EDGES, len(cells))
    assert (after.departures >= before.departures - 1e-9).all()
    assert (at_least(after) >= at_least(before) - 1e-9).all()
    if twin in lines[line]:  # it stops there already
        np.testing.assert_array_equal(after.departures, before.departures)
        np.testing.assert_array_equal(after.class_share, before.class_share)


@settings(max_examples=60, deadline=None)
@given(cities(), st.randoms(use_true_random=False))
def test_the_order_of_lines_stops_and_cells_changes_nothing(city: Any, random: Any) -> None:
    cells, stops, lines, weekly = city
    before = frequency(reached_by(cells, stops, lines), weekly, EDGES, len(cells))
    of_cells, of_stops, of_lines = (random.sample(range(n), n) for n in (len(cells), len(stops), len(lines)))
    named = {stop: number for number, stop in enumerate(of_stops)}
    again = [{named[stop] for stop in lines[line]} for line in of_lines]
    after = frequency(reached_by(cells[of_cells], stops[of_stops], again), weekly[of_lines], EDGES, len(cells))
    np.testing.assert_allclose(after.departures, before.departures[of_cells], rtol=1e-12)
    np.testing.assert_allclose(after.class_share, before.class_share[:, of_cells], atol=1e-12)
    np.testing.assert_allclose(after.lines, before.lines[of_cells], rtol=1e-12)
