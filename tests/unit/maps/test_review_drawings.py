"""Drawings of change, without a database: ground is neither lost nor invented, sheets keep their measure, sentences count."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
import shapely
from django.utils.translation import override
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.core.measuring import distance_m
from maps.reviews import sentences
from maps.reviews.frames import WIDTH, frame_around
from maps.reviews.sheets import Side, ground_of, one_side, overlay, visible

LON, LAT, STEP = 48.35, 33.48, 1e-3


def box(x: float, y: float, width: float = 1.0, height: float = 1.0) -> shapely.MultiPolygon:
    west, south = LON + x * STEP, LAT + y * STEP
    return shapely.MultiPolygon([shapely.box(west, south, west + width * STEP, south + height * STEP)])


@dataclass(frozen=True)
class Gains:
    gained_m2: float = 0.0
    lost_m2: float = 0.0
    people_gained: float | None = None
    people_lost: float | None = None


cuts = st.floats(0.1, 1.9)


@settings(max_examples=60, deadline=None)
@given(before=cuts, after=cuts, outer=st.floats(2.0, 3.0))
def test_together_every_piece_is_counted_once(before: float, after: float, outer: float) -> None:
    """Two places side by side whose common edge moves, the second growing outwards too."""
    a = Side("a", "A", box(0, 0, before), box(0, 0, after))
    b = Side("b", "B", box(before, 0, 2 - before), box(after, 0, outer - after))
    whole = ground_of([a, b])
    assert whole.moved.area == pytest.approx(abs(before - after) * STEP**2, abs=1e-12)
    assert whole.gained.area == pytest.approx((outer - 2) * STEP**2, abs=1e-12)
    assert whole.lost.area == pytest.approx(0, abs=1e-12)
    own = [ground_of([a, b], code) for code in "ab"]
    net = sum(piece.gained.area - piece.lost.area for piece in own)
    assert net == pytest.approx(whole.gained.area - whole.lost.area, abs=1e-12)


def test_what_nobody_drew_is_not_drawn() -> None:
    """A rim of a few centimetres beside a real change is left out; alone, it is all there is to see."""
    rim = Side("a", "A", box(0, 0), box(0, 0, 1 + 2e-4))
    assert visible(ground_of([rim], "a")).gained.area > 0
    both = Side("a", "A", shapely.union(box(0, 0), box(0, 3)), shapely.union(box(0, 0, 1 + 2e-4), box(0, 3, 1.5)))
    kept = visible(ground_of([both], "a"))
    assert kept.gained.area == pytest.approx(0.5 * STEP**2, rel=1e-6)


@settings(max_examples=60, deadline=None)
@given(width=st.floats(0.02, 40), height=st.floats(0.02, 40), lat=st.floats(-60, 60))
def test_a_sheet_shows_everything_to_scale(width: float, height: float, lat: float) -> None:
    shape = shapely.box(LON, lat, LON + width * STEP, lat + height * STEP)
    frame = frame_around([shape])
    assert frame is not None
    assert 1.39 < WIDTH / frame.height < 1.81
    west, south, east, north = shape.bounds
    (x0, y1), (x1, y0) = frame.point(west, south), frame.point(east, north)
    assert 0 < x0 < x1 < WIDTH
    assert 0 < y0 < y1 < frame.height
    across_m = float(
        distance_m([shapely.Point(west, (south + north) / 2)], [shapely.Point(east, (south + north) / 2)])[0]
    )
    assert (x1 - x0) * frame.metres_per_unit == pytest.approx(across_m, rel=0.01, abs=0.2 * frame.metres_per_unit)


def test_a_sheet_of_nothing_is_none() -> None:
    assert frame_around([]) is None
    assert frame_around([shapely.MultiPolygon()]) is None


def test_old_edges_are_dashed_new_ones_solid_and_pieces_have_signs() -> None:
    side = Side("a", "A", box(0, 0), box(0.5, 0))
    around = {"n": ("N", box(-3, -3, 2, 2))}
    frame = frame_around([side.before, side.after])
    assert frame is not None
    sheet = overlay(frame, around, [side], ground_of([side], "a"), chosen="a")
    assert [shape.css for shape in sheet.shapes] == ["touched", "lost", "gained", "edge-before", "edge-after"]
    assert [(label.text, label.css) for label in sheet.labels if label.is_mark] == [
        ("+", "sign gained"),
        ("−", "sign lost"),
    ]
    by_css = {shape.css: shape.d for shape in sheet.shapes}
    assert by_css["edge-after"] == by_css["touched"] != by_css["edge-before"]


def test_a_place_that_ends_is_not_on_the_sheet_of_after() -> None:
    sides = [Side("a", "A", box(0, 0), box(0, 0, 2)), Side("b", "B", box(1, 0), None)]
    frame = frame_around([side.before for side in sides if side.before is not None])
    assert frame is not None
    names = [[label.text for label in one_side(frame, {}, sides, is_after=after).labels] for after in (False, True)]
    assert names == [["A", "B"], ["A"]]
    both = overlay(frame, {}, sides, ground_of(sides))
    assert "(B)" in [label.text for label in both.labels]


def test_a_settlement_lets_the_ground_below_be_seen() -> None:
    side = Side("s", "S", box(0, 0), box(0, 0, 2), is_settlement=True)
    frame = frame_around([side.after] if side.after is not None else [])
    assert frame is not None
    assert one_side(frame, {}, [side], is_after=True).shapes[0].css == "whole over"


def test_paths_are_whole_numbers_cut_at_the_edge() -> None:
    side = Side("a", "A", box(0, 0), box(0, 0))
    frame = frame_around([box(0, 0)])
    assert frame is not None
    far = one_side(frame, {"n": ("N", box(-500, -500, 1000, 1000))}, [side], is_after=True).shapes[0].d
    numbers = [int(number) for number in re.findall(r"-?\d+", far)]
    assert min(numbers) >= -31
    assert max(numbers) <= WIDTH + 31


@pytest.mark.parametrize(
    ("sides", "gains", "sentence"),
    [
        (
            [Side("a", "A", box(0, 0), box(0, 0, 2))],
            {"a": Gains(1234.4, 0, 12.4, 0)},
            "A gains 1,234 m² with 12 people.",
        ),
        (
            [Side("a", "A", box(0, 0), box(1, 0))],
            {"a": Gains(50, 70, 1.2, 0.2)},
            "A gains 50 m² with 1 person and loses 70 m² without residents.",
        ),
        (
            [Side("a", "A", box(0, 0), box(0, 0, 2)), Side("b", "B", box(1, 0), box(2, 0))],
            {"a": Gains(9000, 5), "b": Gains(2, 9000)},
            "9,000 m² pass from B to A.",
        ),
        (
            [Side("a", "A", box(0, 0), None)],
            {"a": Gains(0, 100, 0, 3)},
            "A ends; its 100 m² with 3 people belong to no place.",
        ),
        ([Side("a", "A", None, box(0, 0))], {"a": Gains(100)}, "A new place, A, is drawn: 100 m²."),
        (
            [Side(c, c.upper(), box(0, 0), box(0, 0, 2)) for c in "abc"],
            {"a": Gains(10, 0, 1, 0), "b": Gains(20, 0, 2, 0), "c": Gains(0, 30, 0, 3)},
            "3 places change; 30 m² with 3 people come to another place.",
        ),
    ],
)
def test_a_sentence_says_what_changes(sides: list[Side], gains: dict[str, Gains], sentence: str) -> None:
    with override("en"):
        assert sentences.change_sentence(sides, gains, is_insider=True) == sentence


def test_the_public_hears_of_few_people_only_that_they_are_few() -> None:
    with override("en"):
        assert sentences.ground(100, 4.0, is_insider=False) == "100 m² with fewer than 10 people"
        assert sentences.ground(100, 4.0, is_insider=True) == "100 m² with 4 people"
