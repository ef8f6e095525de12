"""Street blocks: by hand, against areas that must add up, and with streets that lead nowhere."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.core.blocks import bounded_by_streets, street_blocks
from geo.errors import GeometryError, InvalidInput

SQUARE = shapely.box(0, 0, 100, 100)


def line(*xy: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString(xy)


def test_a_cross_of_streets_makes_four_blocks() -> None:
    found = street_blocks([line((50, -20), (50, 120)), line((-5, 40), (105, 40))], SQUARE)
    assert sorted(shapely.area(found.polygons).round(6).tolist()) == [2000, 2000, 3000, 3000]
    assert shapely.length(found.streets).sum() == pytest.approx(200)
    assert found.access_length_m.tolist() == [0, 0, 0, 0]
    # A quarter of 50 × 40: two of its sides are streets, the others the settlement's outline.
    quarter = int(np.argmin(shapely.area(found.polygons)))
    assert found.street_share[quarter] == pytest.approx(0.5)


def test_a_dead_end_stays_as_access_in_its_block() -> None:
    found = street_blocks([line((50, 0), (50, 60))], SQUARE)
    assert len(found.polygons) == 1
    assert found.access_length_m.tolist() == [60]
    assert found.unconnected_length_m == 0


def test_a_loop_around_a_green_makes_a_block_in_a_block() -> None:
    ring = shapely.box(30, 30, 60, 60).exterior
    apart = street_blocks([ring], SQUARE)
    assert sorted(shapely.area(apart.polygons).tolist()) == [900, 9100]
    assert apart.unconnected_length_m == pytest.approx(120)
    joined = street_blocks([ring, line((0, 45), (30, 45))], SQUARE)
    assert joined.unconnected_length_m == 0
    assert joined.access_length_m.sum() == pytest.approx(30)


def test_streets_that_end_just_before_the_outline_lead_out_within_the_distance() -> None:
    near = line((0.8, 50), (60, 50))
    assert len(street_blocks([near], SQUARE).streets) == 1
    assert len(street_blocks([near], SQUARE, outside_m=0.5).streets) == 0


def test_streets_inside_a_hole_and_outside_do_not_count() -> None:
    settlement = shapely.difference(SQUARE, shapely.box(40, 40, 60, 60))
    found = street_blocks([line((-50, 50), (150, 50)), line((200, 0), (300, 0))], settlement)
    assert shapely.area(found.polygons).sum() == pytest.approx(9600)
    assert len(found.polygons) == 2
    assert shapely.length(found.streets).sum() == pytest.approx(80)


def test_without_streets_the_settlement_is_one_block() -> None:
    for nothing in ([], [None], [shapely.LineString()]):
        found = street_blocks(nothing, SQUARE)
        assert shapely.area(found.polygons).tolist() == [10_000]
        assert (len(found.streets), found.street_share.tolist()) == (0, [0])


coordinates = st.integers(-20, 120).map(float)


@given(st.lists(st.tuples(coordinates, coordinates, coordinates, coordinates), max_size=8))
@settings(derandomize=True, deadline=None, max_examples=80)
def test_blocks_are_the_settlement_and_no_street_is_lost(ends) -> None:
    streets = [line(one[:2], one[2:]) for one in ends if one[:2] != one[2:]]
    found = street_blocks(streets, SQUARE)
    # What is smaller than the smallest block is left out.
    assert shapely.area(found.polygons).sum() == pytest.approx(10_000, abs=1.0 * len(streets) + 1)
    overlap = shapely.STRtree(found.polygons).query(found.polygons, predicate="overlaps")
    assert shapely.area(shapely.intersection(*(found.polygons[one] for one in overlap))).sum() < 0.01
    whole = shapely.length(shapely.intersection(shapely.union_all(streets), SQUARE)) if streets else 0.0
    told = shapely.length(found.streets).sum() + found.unconnected_length_m
    assert told == pytest.approx(whole, abs=0.05)
    assert ((found.street_share >= 0) & (found.street_share <= 1)).all()


def test_blocks_of_others_count_as_bounded_by_streets() -> None:
    found = bounded_by_streets([shapely.MultiPolygon([SQUARE, shapely.box(200, 0, 210, 10)])])
    assert shapely.area(found.polygons).tolist() == [10_000, 100]
    assert shapely.length(found.streets).sum() == pytest.approx(440)


@pytest.mark.parametrize(
    ("streets", "boundary", "code"),
    [
        ([], shapely.Polygon(), "empty_settlement"),
        ([], None, "empty_settlement"),
        ([], shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)]), "bad_polygon"),
        ([], line((0, 0), (1, 1)), "bad_polygon"),
        ([SQUARE], SQUARE, "street_not_line"),
        ([shapely.Point(1, 1)], SQUARE, "street_not_line"),
    ],
)
def test_refusals(streets, boundary, code: str) -> None:
    with pytest.raises(GeometryError) as refused:
        street_blocks(streets, boundary)
    assert refused.value.code == code


def test_a_negative_distance_is_refused() -> None:
    with pytest.raises(InvalidInput, match="not possible"):
        street_blocks([], SQUARE, outside_m=-1)


def test_a_coordinate_that_is_no_number_is_refused() -> None:
    with np.errstate(invalid="ignore"):
        wrong = line((0, 0), (np.nan, 5))
    with pytest.raises(GeometryError, match="finite"):
        street_blocks([wrong], SQUARE)
