"""Isochrones: islands, holes, saddles by hand; circles by formula; and what holds of any field of costs."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.core.isochrones import isochrone
from geo.core.grid import Grid
from geo.errors import InvalidInput


def grid(n_rows: int, n_cols: int, cell_m: float = 10.0) -> Grid:
    return Grid(epsg=32639, x_min_m=500_000.0, y_max_m=3_700_000.0, cell_m=cell_m, n_rows=n_rows, n_cols=n_cols)


def drawn(field: list[list[float]], at_most: float) -> shapely.MultiPolygon:
    values = np.array(field, dtype=float)
    found = isochrone(values.ravel(), grid(*values.shape), at_most)
    assert shapely.is_valid(found)
    return found


def test_islands_and_holes_are_kept() -> None:
    inf = math.inf
    ring = [[0, 0, 0, inf, inf], [0, inf, 0, inf, 0], [0, 0, 0, inf, inf]]
    found = drawn(ring, 1)
    assert len(found.geoms) == 2
    with_hole = max(found.geoms, key=shapely.area)
    assert len(with_hole.interiors) == 1
    assert shapely.area(shapely.Polygon(with_hole.interiors[0])) == pytest.approx(50)  # a cell's diamond
    assert len(min(found.geoms, key=shapely.area).interiors) == 0


def test_the_limit_is_interpolated_between_centres() -> None:
    found = drawn([[0, 10, 20], [0, 10, 20]], 15)
    west, south, east, north = found.bounds
    assert east - west == pytest.approx(5 + 10 + 5)  # half a cell to the rim, then halfway from 10 to 20
    assert north - south == 20


def test_opposite_corners_meet_only_if_the_middle_is_within() -> None:
    assert len(drawn([[0, 6], [6, 0]], 5).geoms) == 1
    assert len(drawn([[0, 60], [60, 0]], 5).geoms) == 2
    assert len(drawn([[60, 0], [0, 60]], 5).geoms) == 2


def test_nothing_within_is_empty_and_everything_is_the_grid() -> None:
    assert drawn([[5, 6], [7, 8]], 4).is_empty
    assert drawn([[math.inf, math.inf]], 1e9).is_empty
    assert drawn([[5, 6], [7, 8]], 1e9).area == pytest.approx(400 - 4 * 12.5)  # the corners are cut
    assert drawn([[5, 6], [7, 8]], math.inf).area > 0


@pytest.mark.parametrize("radius_m", [55.0, 130.0, 400.0])
def test_a_circle_is_a_circle(radius_m: float) -> None:
    plan = grid(101, 101)
    centre = np.array([500_505.0, 3_699_495.0])
    cost = np.hypot(*(plan.centres_m() - centre).T).astype(np.float32)
    found = isochrone(cost, plan, radius_m)
    assert len(found.geoms) == 1
    assert found.area == pytest.approx(math.pi * radius_m**2, rel=20 / radius_m**1.5)
    off = shapely.hausdorff_distance(found, shapely.Point(centre).buffer(radius_m, 64))
    assert off < 1.5


@given(st.integers(0, 10_000), st.sampled_from([(1, 1), (2, 3), (7, 9), (20, 20)]), st.sampled_from([0, 3]))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_it_is_valid_grows_with_the_limit_and_holds_the_right_centres(
    seed: int, shape: tuple[int, int], kinds: int
) -> None:
    rng = np.random.default_rng(seed)
    plan = grid(*shape)
    cost = rng.integers(0, kinds, plan.n_cells).astype(float) if kinds else rng.uniform(0, 10, plan.n_cells)
    cost[rng.random(plan.n_cells) < 0.2] = np.inf
    before = shapely.MultiPolygon()
    centres = shapely.points(plan.centres_m())
    for at_most in (0.0, 1.0, 2.0, 5.0, 9.0, np.inf):
        found = isochrone(cost, plan, at_most)
        assert shapely.is_valid(found)
        within = (cost <= at_most) & np.isfinite(cost)
        np.testing.assert_array_equal(shapely.intersects(found, centres), within)
        assert shapely.difference(before, found).area < 0.5
        before = found


@pytest.mark.parametrize("cost", [np.zeros(3), np.array([0, 0, 0, math.nan])])
def test_bad_costs_are_refused(cost: np.ndarray) -> None:
    with pytest.raises(InvalidInput) as caught:
        isochrone(cost, grid(2, 2), 1.0)
    assert caught.value.code == "bad_cost"
    with pytest.raises(InvalidInput):
        isochrone(np.zeros(4), grid(2, 2), math.nan)
