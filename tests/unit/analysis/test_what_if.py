"""Who gains and who loses, against counting person by person; adding a facility never uncovers anyone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from analysis.core.cost import straight_cost_m, straight_cost_with
from analysis.core.coverage import CoverageInputs, coverage, coverage_of, prepare, with_costs
from analysis.core.index import aggregate
from analysis.core.what_if import compare, effect_of
from geo.core.grid import Grid
from geo.errors import InvalidInput

GRID = Grid(epsg=32639, x_min_m=700_000.0, y_max_m=3_700_000.0, cell_m=20.0, n_rows=37, n_cols=45)
SPAN = st.tuples(st.floats(-400, 1300), st.floats(-1200, 400))
POINTS = st.lists(SPAN, max_size=6)


def points_m(offsets: list[tuple[float, float]]) -> np.ndarray:
    found = np.empty(len(offsets), dtype=object)
    found[:] = [shapely.Point(GRID.x_min_m + x, GRID.y_max_m + y) for x, y in offsets]
    return found


def city(seed: int, *services: list[tuple[float, float]]) -> CoverageInputs:
    """Places of random shares of random people, and the costs to facilities."""
    rng = np.random.default_rng(seed)
    shares = rng.random((4, GRID.n_cells)) * (rng.random((4, GRID.n_cells)) < 0.3)
    people = rng.random(GRID.n_cells) * 50
    costs = np.stack([straight_cost_m(points_m(offsets), GRID) for offsets in services])
    return prepare(sparse.csr_matrix(shares), people, costs, GRID.cell_m)


@settings(max_examples=40, deadline=None)
@given(stand=POINTS, added=st.lists(SPAN, min_size=1, max_size=3), threshold_m=st.floats(0, 1500))
def test_adding_a_facility_uncovers_nobody(
    stand: list[tuple[float, float]], added: list[tuple[float, float]], threshold_m: float
) -> None:
    before = city(1, stand)
    after = with_costs(before, {0: straight_cost_with(before.cost_m[0], points_m(added), GRID)})
    effect = effect_of(before, after, [threshold_m], [threshold_m])
    assert not effect.lost_people.any()
    fewer = coverage(before, [threshold_m]).uncovered_people - coverage(after, [threshold_m]).uncovered_people
    np.testing.assert_allclose(effect.gained_people, fewer, atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(
    stand=POINTS,
    added=st.lists(SPAN, min_size=1, max_size=3),
    kind=st.sampled_from(["point", "line", "polygon"]),
    corner=st.tuples(st.integers(0, 30), st.integers(0, 30)),
)
def test_costs_with_more_facilities_are_those_of_all_together(
    stand: list[tuple[float, float]], added: list[tuple[float, float]], kind: str, corner: tuple[int, int]
) -> None:
    """To the last bit, also where only some cells are asked for."""
    new = points_m(added)
    if kind == "line":
        new = shapely.union(new, shapely.LineString([new[0], shapely.Point(GRID.x_min_m + 300, GRID.y_max_m - 300)]))
    elif kind == "polygon":
        new = shapely.buffer(new, 90.0)
    only = np.zeros((GRID.n_rows, GRID.n_cols), dtype=bool)
    only[corner[0] :, corner[1] :] = True
    for asked in (None, only.ravel()):
        cost = straight_cost_with(straight_cost_m(points_m(stand), GRID, only=asked), new, GRID, only=asked)
        together = straight_cost_m(np.concatenate((points_m(stand), new)), GRID, only=asked)
        seen = slice(None) if asked is None else asked
        np.testing.assert_array_equal(cost[seen], together[seen])


@settings(max_examples=30, deadline=None)
@given(
    stand=st.lists(SPAN, min_size=2, max_size=5), to=SPAN, thresholds_m=st.tuples(st.floats(0, 900), st.floats(0, 900))
)
def test_who_gains_and_who_loses_is_counted_cell_by_cell(
    stand: list[tuple[float, float]], to: tuple[float, float], thresholds_m: tuple[float, float]
) -> None:
    before, after = city(2, stand, stand), city(2, [to, *stand[1:]], stand)
    effect = effect_of(before, after, thresholds_m, thresholds_m[::-1])
    gained, lost = np.zeros((4, 2)), np.zeros((4, 2))
    shares = before.place_fractions.toarray() * before.people
    for k in range(2):
        ramps = [
            np.clip((t - costs[k].astype(float)) / GRID.cell_m + 0.5, 0, 1) if t >= GRID.cell_m / 2
            else np.where(costs[k] == 0, 1, np.clip((t - costs[k].astype(float)) / GRID.cell_m + 0.5, 0, 1))
            for t, costs in ((thresholds_m[k], before.cost_m), (thresholds_m[1 - k], after.cost_m))
        ]  # fmt: skip
        for place in range(4):
            for cell in np.flatnonzero(shares[place]):
                change = ramps[1][cell] - ramps[0][cell]
                gained[place, k] += shares[place, cell] * max(change, 0)
                lost[place, k] += shares[place, cell] * max(-change, 0)
    np.testing.assert_allclose(effect.gained_people, gained, rtol=1e-4, atol=0.05)
    np.testing.assert_allclose(effect.lost_people, lost, rtol=1e-4, atol=0.05)


def test_what_did_not_change_is_taken_over() -> None:
    before = city(3, [(100, -100)], [(300, -300)])
    same = with_costs(before, {1: before.cost_m[1]})
    assert same.reaches[0] is before.reaches[0]
    effect = effect_of(before, same, [300.0, 300.0], [300.0, 300.0])
    assert not effect.gained_people.any()
    assert not effect.lost_people.any()


def test_different_cities_are_not_compared() -> None:
    one, other = city(4, [(0, 0)]), city(5, [(0, 0)])
    two = city(4, [(0, 0)], [(9, -9)])
    for pair in ((one, other), (one, two)):
        with pytest.raises(InvalidInput) as error:
            effect_of(*pair, [300.0], [300.0] * pair[1].n_services)
        assert error.value.code == "not_comparable"
    found = coverage(one, [300.0])
    side = (found, aggregate(1 - found.population_share, [1.0]))
    narrower = (replace(found, population_share=found.population_share[:, :0]), side[1])
    for sides in ([side], [side, narrower]):
        with pytest.raises(InvalidInput):
            compare(sides, np.arange(4))


def test_results_side_by_side_add_up() -> None:
    inputs = [city(6, [(0, 0)]), city(6, [(0, 0), (400, -400)]), city(6, [])]
    sides = [(found := coverage(one, [300.0]), aggregate(1 - found.population_share, [1.0])) for one in inputs]
    both = compare(sides, np.array([0, 2]))
    assert (both.fewer_uncovered[1] >= 0).all()
    np.testing.assert_array_equal(both.uncovered_people[2, :, 0], inputs[0].ground.population)
    np.testing.assert_allclose(both.total_uncovered[:, 0], both.uncovered_people[:, [0, 2], 0].sum(axis=1))
    assert (both.ranks_down[0] == 0).all()
    assert both.score[2].tolist() == [100.0] * 4


def test_room_takes_its_share_of_who_is_near_enough() -> None:
    """Land is covered whether there is room or not; what room changes is gained and lost like what distance changes."""
    ground = sparse.csr_matrix([[1.0, 1.0, 0.5]])
    inputs = prepare(ground, np.array([40.0, 20.0, 10.0]), np.array([[100.0, 100.0, 900.0]]), 20.0)
    half, full = np.array([0.5, 1.0, 1.0]), np.array([1.0, 0.25, 1.0])
    column = coverage_of(inputs, 0, 300.0, half)
    assert column.uncovered_people.tolist() == [25.0]
    assert column.area_share.tolist() == coverage_of(inputs, 0, 300.0).area_share.tolist()
    effect = effect_of(inputs, inputs, [300.0], [300.0], (half,), (full,))
    assert (effect.gained_people.tolist(), effect.lost_people.tolist()) == ([[20.0]], [[15.0]])
    effect = effect_of(inputs, inputs, [300.0], [300.0], (None,), (half,))
    assert (effect.gained_people.tolist(), effect.lost_people.tolist()) == ([[0.0]], [[20.0]])
