"""Shares of land and people follow the places through splits, merges and reshapes."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.core.lineage import SMALLEST_SHARE, Descent, difference, lineage
from geo.core.measuring import area_m2
from geo.core.partition import cut_out, merge, split, vertex_move
from tests.unit.geo.generated_city import city

CITY = city(16, seed=2)
WHOLE = shapely.box(48.30, 33.40, 48.34, 33.41)
WEST, EAST = shapely.box(48.30, 33.40, 48.33, 33.41), shapely.box(48.33, 33.40, 48.34, 33.41)


def shares(descents: list[Descent]) -> dict[tuple[str, str], tuple[float, float]]:
    return {
        (d.predecessor, d.successor): (
            round(d.share_of_predecessor_area, 6), round(d.share_of_successor_area, 6)
        ) for d in descents
    }  # fmt: skip


def test_a_split_hands_on_its_parts() -> None:
    found = lineage({"a": WHOLE}, {"a": WEST, "b": EAST})
    assert shares(found) == {("a", "a"): (0.75, 1.0), ("a", "b"): (0.25, 1.0)}
    assert [d.successor for d in found] == ["a", "b"]


def test_a_merge_hands_on_all() -> None:
    found = lineage({"a": WEST, "b": EAST}, {"a": WHOLE})
    assert shares(found) == {("a", "a"): (1.0, 0.75), ("b", "a"): (1.0, 0.25)}


def test_land_given_up_goes_to_nobody() -> None:
    assert shares(lineage({"a": WHOLE}, {"a": WEST})) == {("a", "a"): (0.75, 1.0), ("a", ""): (0.25, 0.0)}
    assert shares(lineage({"a": WHOLE}, {})) == {("a", ""): (1.0, 0.0)}


def test_new_land_has_no_predecessor() -> None:
    assert shares(lineage({"a": WEST}, {"a": WHOLE})) == {("a", "a"): (1.0, 0.75)}
    assert lineage({}, {"a": WHOLE}) == []


def test_land_that_two_heirs_cover_is_divided_equally_and_what_is_lost_stays_lost() -> None:
    """The first gets the west half, the second the middle half, and the last quarter goes to nobody."""
    west, middle = shapely.box(48.30, 33.40, 48.32, 33.41), shapely.box(48.31, 33.40, 48.33, 33.41)
    found = lineage({"a": WHOLE}, {"a": west, "b": middle}, people=west_of(48.32))
    assert shares(found) == {("a", "a"): (0.375, 1.0), ("a", "b"): (0.375, 1.0), ("a", ""): (0.25, 0.0)}
    people = {d.successor: d.share_of_predecessor_people for d in found}
    assert people == {"a": pytest.approx(0.75), "b": pytest.approx(0.25), "": 0.0}


def test_the_same_land_twice_goes_half_to_each() -> None:
    found = lineage({"a": WHOLE, "x": WEST}, {"a": WEST, "b": WEST, "c": EAST}, people=west_of(49))
    assert shares(found)["a", "a"] == shares(found)["a", "b"] == (0.375, 1.0)
    assert shares(found)["a", "c"] == (0.25, 1.0)
    assert {d.successor: d.share_of_predecessor_people for d in found if d.predecessor == "a"} == {
        "a": pytest.approx(0.375), "b": pytest.approx(0.375), "c": pytest.approx(0.25)
    }  # fmt: skip


def test_overlapping_places_that_are_merged_are_each_credited_with_what_they_had() -> None:
    east = shapely.box(48.32, 33.40, 48.34, 33.41)
    found = lineage({"a": WEST, "b": east}, {"a": WHOLE})
    assert shares(found) == {("a", "a"): (1.0, 0.75), ("b", "a"): (1.0, 0.5)}


@settings(derandomize=True, deadline=None, max_examples=60)
@given(boxes=st.lists(st.tuples(st.floats(0, 0.9), st.floats(0.05, 0.6)), min_size=2, max_size=5))
def test_however_heirs_overlap_shares_sum_to_one_and_nobodys_is_exact(boxes: list[tuple[float, float]]) -> None:
    heirs = {
        f"h{k}": shapely.box(48.30 + 0.04 * west, 33.40, 48.30 + 0.04 * min(west + wide, 1), 33.41)
        for k, (west, wide) in enumerate(boxes)
    }
    found = lineage({"a": WHOLE}, heirs, people=west_of(49))
    lost = float(area_m2(shapely.difference(WHOLE, shapely.union_all(list(heirs.values()))))[0] / area_m2(WHOLE)[0])
    for share in ("share_of_predecessor_area", "share_of_predecessor_people"):
        told = {d.successor: getattr(d, share) for d in found}
        assert sum(told.values()) == pytest.approx(1.0, abs=1e-12)
        assert told.get("", 0.0) == pytest.approx(lost, abs=1e-4)


def test_an_unchanged_place_is_its_own_only_heir_whatever_overlaps_it() -> None:
    turned = shapely.Polygon([*WEST.exterior.coords[2:], *WEST.exterior.coords[1:3]])
    found = lineage({"a": WEST, "b": EAST}, {"a": turned, "b": shapely.box(48.32, 33.40, 48.34, 33.41)})
    assert shares(found)[("a", "a")] == (1.0, 1.0)
    assert ("a", "b") not in shares(found)


def test_the_rounding_of_a_vertex_is_no_inheritance() -> None:
    tiny = 1e-8
    before = {"a": WEST, "b": EAST}
    after = {
        "a": shapely.box(48.30, 33.40, 48.33 + tiny, 33.41),
        "b": shapely.box(48.33 + tiny, 33.40, 48.34, 33.41),
    }
    assert tiny / 0.01 < SMALLEST_SHARE
    assert shares(lineage(before, after)) == {("a", "a"): (1.0, 1.0), ("b", "b"): (1.0, 1.0)}


def west_of(x: float) -> object:
    """Count 1 person a square metre west of a meridian, none east of it."""
    half = shapely.box(48, 33, x, 34)
    return lambda geometries: area_m2(shapely.intersection(geometries, half))


def test_people_go_with_the_land_they_live_on() -> None:
    found = lineage({"a": WHOLE}, {"a": WEST, "b": EAST}, people=west_of(48.31))
    assert [(d.successor, d.share_of_predecessor_people, d.share_of_successor_people) for d in found] == [
        ("a", 1.0, pytest.approx(1.0)),
        ("b", 0.0, None),
    ]


def test_where_nobody_lives_there_is_no_share_of_people() -> None:
    found = lineage({"a": WHOLE}, {"a": WEST, "b": EAST}, people=west_of(48.2))
    assert {d.share_of_predecessor_people for d in found} == {None}
    assert {d.share_of_successor_people for d in found} == {None}


def test_what_a_boundary_gained_and_lost() -> None:
    change = difference(WEST, shapely.box(48.31, 33.40, 48.34, 33.41))
    assert change.gained.bounds == EAST.bounds
    assert change.lost.bounds == (48.30, 33.40, 48.31, 33.41)
    assert change.gained_m2 == pytest.approx(change.lost_m2, rel=1e-6)
    assert change.gained_m2 == pytest.approx(float(area_m2(EAST)[0]))


def test_a_new_place_gains_all_and_an_ended_one_loses_all() -> None:
    new, ended, same = difference(None, WEST), difference(WEST, None), difference(WEST, WEST)
    assert (new.gained_m2, new.lost_m2) == (pytest.approx(float(area_m2(WEST)[0])), 0.0)
    assert (ended.gained_m2, ended.lost_m2) == (0.0, new.gained_m2)
    assert (same.gained_m2, same.lost_m2, same.gained.is_empty, same.lost.is_empty) == (0.0, 0.0, True, True)


@settings(derandomize=True, deadline=None, max_examples=80)
@given(index=st.integers(0, 15), y=st.floats(0.2, 0.8), seed=st.integers(0, 1000))
def test_shares_sum_to_one_for_every_predecessor(index: int, y: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    code = list(CITY.polygons)[index]
    x0, y0, x1, y1 = CITY.polygons[code].bounds
    at = y0 + y * (y1 - y0)
    after = split(CITY, code, [(x0 - 0.01, at), (x1 + 0.01, at)], "new")
    arc = next(index for index, users in enumerate(after.users) if len(users) == 2)
    after = vertex_move(after, arc, 1, after.arcs[arc][1] + rng.uniform(-1e-5, 1e-5, 2))
    after = cut_out(after, code, after.polygons[code].representative_point().buffer(2e-4), "isle")
    after = merge(after, *next(users for users in after.users if len(users) == 2))

    def people(geometries: np.ndarray) -> np.ndarray:
        return area_m2(geometries) * 0.01

    found = lineage(CITY.polygons, after.polygons, people=people)
    for share in ("share_of_predecessor_area", "share_of_predecessor_people"):
        sums = dict.fromkeys(CITY.polygons, 0.0)
        for descent in found:
            sums[descent.predecessor] += getattr(descent, share)
        assert all(total == pytest.approx(1.0, abs=1e-12) for total in sums.values())
    # The land of each place after came from somewhere: the outline did not move.
    sums = dict.fromkeys(after.polygons, 0.0)
    for descent in found:
        if descent.successor:
            sums[descent.successor] += descent.share_of_successor_area
    assert all(total == pytest.approx(1.0, abs=1e-4) for total in sums.values())
