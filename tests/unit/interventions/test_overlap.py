"""Overlaps: against loops over all pairs, areas known by hand, and invariants."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import affinity

from geo.errors import GeometryError, InvalidInput, LimitExceeded
from interventions.core import overlap as module
from interventions.core.overlap import Likeness, Overlaps, Undertakings, overlaps

COLUMNS = ("geometry", "reach_m", "sector", "start_day", "end_day", "groups", "place", "organisation")
SHAPES = [
    shapely.Point(0, 0), shapely.Point(300, 0), shapely.box(0, 0, 400, 300), shapely.box(100, 100, 200, 200),
    shapely.LineString([(0, 0), (900, 100)]), shapely.MultiPoint([(0, 0), (1000, 1000)]), shapely.box(400, 0, 600, 300),
]  # fmt: skip


def of(*rows: tuple) -> Undertakings:
    return Undertakings(*(list(column) for column in zip(*rows, strict=True))) if rows else Undertakings(*[[]] * 8)


@st.composite
def rows(draw: st.DrawFn) -> tuple:
    shape = affinity.translate(
        draw(st.sampled_from(SHAPES)), draw(st.integers(-6, 6)) * 100, draw(st.integers(-6, 6)) * 100
    )
    start = draw(st.sampled_from([-math.inf, 0, 0, 10, 50, 200]))
    length = draw(st.sampled_from([0, 5, 30, 100, math.inf]))
    return (
        shape,
        draw(st.sampled_from([50.0, 200.0, 500.0])),
        draw(st.integers(0, 2)),
        start,
        length if start == -math.inf else start + length,
        draw(st.sampled_from([0, 1, 2, 3, 7, 2**62])),
        draw(st.integers(-1, 2)),
        draw(st.integers(0, 2)),
    )


def brute(given: list[tuple], kin: np.ndarray, near_m: float, near_days: float) -> dict[tuple[int, int], tuple]:
    """All pairs by a loop, on polygons drawn finely and sets of bits."""
    found = {}
    drawn = [shape.buffer(reach, quad_segs=64) for shape, reach, *_ in given]
    for i in range(len(given)):
        for j in range(i + 1, len(given)):
            (one, r, s, a0, a1, g, *_), (other, q, t, b0, b1, h, *_) = given[i], given[j]
            apart = max(0.0, one.distance(other) - r - q)
            days = max(0.0, max(a0, b0) - min(a1, b1) - 1)
            everybody = {*range(63)}
            groups = [{k for k in range(63) if bits >> k & 1} or everybody for bits in (g, h)]
            people = len(groups[0] & groups[1]) / min(map(len, groups))
            if kin[s, t] == 0 or people == 0 or apart > near_m or days > near_days:
                continue
            common, shorter = max(0.0, min(a1, b1) - max(a0, b0) + 1), min(a1 - a0, b1 - b0) + 1
            times = (1.0 if common else 0.0) if math.isinf(shorter) else common / shorter
            space = drawn[i].intersection(drawn[j]).area / min(drawn[i].area, drawn[j].area)
            found[i, j] = (space, kin[s, t], times, people, apart, days)
    return found


def pairs_of(found: Overlaps) -> dict[tuple[int, int], int]:
    return {pair: row for row, pair in enumerate(zip(found.first.tolist(), found.second.tolist(), strict=True))}


KIN = np.array([[1.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 1.0]])


@given(st.lists(rows(), max_size=9), st.booleans(), st.sampled_from([0.0, 150.0]), st.sampled_from([0.0, 30.0]))
@settings(derandomize=True, deadline=None, max_examples=150)
def test_it_is_what_a_loop_over_all_pairs_finds(given_rows, with_kin: bool, near_m: float, near_days: float) -> None:
    kin = KIN if with_kin else np.eye(3)
    found = overlaps(of(*given_rows), kinship=KIN if with_kin else None, near_m=near_m, near_days=near_days)
    expected = brute(given_rows, kin, near_m, near_days)
    at = pairs_of(found)
    assert len(at) == found.first.size
    assert at.keys() == expected.keys()
    for pair, (space, sector, times, people, apart, days) in expected.items():
        row = at[pair]
        # Circles of 64 corners and of 256.
        assert found.space[row] == pytest.approx(space, abs=0.005)
        assert (found.sector[row], found.days_apart[row]) == (sector, days)
        assert found.time[row] == pytest.approx(times)
        assert found.beneficiaries[row] == pytest.approx(people)
        assert found.distance_m[row] == pytest.approx(apart)
        least = min(found.space[row], sector, times, people)
        assert found.score[row] == pytest.approx(least)
        assert found.likeness[row] == (0 if least >= 0.5 else 1 if least > 0 else 2)
        (*_, place, organisation), (*_, other_place, other_organisation) = (given_rows[k] for k in pair)
        assert found.is_same_place[row] == (place == other_place >= 0)
        assert found.is_same_organisation[row] == (organisation == other_organisation)
        assert found.is_done_twice[row] == (least >= 0.5 and organisation != other_organisation)
    keys = list(zip(found.likeness.tolist(), (-found.score).tolist(), at, strict=True))
    assert keys == sorted(keys)
    for column in (found.space, found.time, found.beneficiaries, found.score):
        assert ((column >= 0) & (column <= 1)).all()


@given(st.lists(rows(), min_size=2, max_size=9), st.data())
@settings(derandomize=True, deadline=None, max_examples=80)
def test_asking_for_some_gives_the_pairs_of_those(given_rows, data) -> None:
    asked = data.draw(st.sets(st.integers(0, len(given_rows) - 1)))
    everything, some = overlaps(of(*given_rows)), overlaps(of(*given_rows), of=sorted(asked))
    expected = [pair for pair in pairs_of(everything) if asked & set(pair)]
    assert list(pairs_of(some)) == expected


@given(st.lists(rows(), max_size=8), st.randoms(use_true_random=False), st.integers(-500_000, 500_000))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_order_place_and_day_of_reckoning_change_nothing(given_rows, random, shift: int) -> None:
    order = list(range(len(given_rows)))
    random.shuffle(order)
    moved = [
        (affinity.translate(shape, shift, -shift), reach, sector, start + 700_000, end + 700_000, *rest)
        for shape, reach, sector, start, end, *rest in (given_rows[k] for k in order)
    ]
    one, two = overlaps(of(*given_rows)), overlaps(of(*moved))
    named = {tuple(sorted((order[i], order[j]))): row for (i, j), row in pairs_of(two).items()}
    assert named.keys() == pairs_of(one).keys()
    for pair, row in pairs_of(one).items():
        assert two.score[named[pair]] == pytest.approx(one.score[row], abs=1e-6)


BASE = (shapely.box(0, 0, 100, 100), 0.0, 1, 0, 9, 0b11, 4, 1)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        # Squares of 100 m, half of each in common; ten days and five; all groups and one.
        ((shapely.box(50, 0, 150, 100), 0.0, 1, 5, 14, 0b01, 4, 2), ("SAME", 0.5, 0.5, 1.0, True)),
        ((shapely.box(51, 0, 151, 100), 0.0, 1, 5, 14, 0b01, 4, 2), ("OVERLAPPING", 0.49, 0.5, 1.0, False)),
        # A small one within a large one and without end is the same; so it is for everybody.
        ((shapely.box(40, 40, 50, 50), 0.0, 1, -math.inf, math.inf, 0, -1, 2), ("SAME", 1.0, 1.0, 1.0, True)),
        # The same organisation's own two actions are not two institutions.
        ((shapely.box(0, 0, 100, 100), 0.0, 1, 0, 9, 0b11, 4, 1), ("SAME", 1.0, 1.0, 1.0, False)),
        # Side by side, and one after another.
        ((shapely.box(100, 0, 200, 100), 0.0, 1, 0, 9, 0b11, 5, 2), ("ADJACENT", 0.0, 1.0, 1.0, False)),
        ((shapely.box(0, 0, 100, 100), 0.0, 1, 10, 19, 0b11, 4, 2), ("ADJACENT", 1.0, 0.0, 1.0, False)),
        # Another sector, other people, too far, too long after.
        ((shapely.box(0, 0, 100, 100), 0.0, 2, 0, 9, 0b11, 4, 2), None),
        ((shapely.box(0, 0, 100, 100), 0.0, 1, 0, 9, 0b100, 4, 2), None),
        ((shapely.box(301, 0, 400, 100), 0.0, 1, 0, 9, 0b11, 4, 2), None),
        ((shapely.box(0, 0, 100, 100), 0.0, 1, 101, 102, 0b11, 4, 2), None),
    ],
)
def test_by_hand(other: tuple, expected: tuple | None) -> None:
    found = overlaps(of(BASE, other))
    if expected is None:
        assert found.first.size == 0
        return
    likeness, space, times, people, is_twice = expected
    assert Likeness(found.likeness[0]).name == likeness
    assert (found.space[0], found.time[0], found.beneficiaries[0]) == pytest.approx((space, times, people))
    assert found.is_done_twice.tolist() == [is_twice]


@pytest.mark.parametrize(
    ("apart", "one", "other", "share"),
    [
        # Two unit circles whose centres lie on each other's edges have (2/3 − √3/2π) of a circle in common.
        (100.0, 100.0, 100.0, 2 / 3 - math.sqrt(3) / (2 * math.pi)),
        (0.0, 100.0, 100.0, 1.0),
        (0.0, 50.0, 100.0, 1.0),
        (50.0, 50.0, 100.0, 1.0),
        (200.0, 100.0, 100.0, 0.0),
        (1e-9, 100.0, 100.0, 1.0),
    ],
)
def test_circles(apart: float, one: float, other: float, share: float) -> None:
    found = overlaps(
        of((shapely.Point(0, 0), one, 0, 0, 1, 0, 0, 0), (shapely.Point(apart, 0), other, 0, 0, 1, 0, 0, 1))
    )
    assert found.space[0] == pytest.approx(share, abs=1e-9)


def test_of_two_without_an_end_any_day_in_common_counts() -> None:
    shape = shapely.Point(0, 0)
    found = overlaps(of((shape, 9, 0, -math.inf, 5, 0, 0, 0), (shape, 9, 0, 5, math.inf, 0, 0, 1)))
    assert found.time.tolist() == [1.0]
    assert overlaps(of((shape, 9, 0, -math.inf, 5, 0, 0, 0), (shape, 9, 0, 6, math.inf, 0, 0, 1))).time.tolist() == [
        0.0
    ]


def test_nothing_and_one_overlap_with_nothing() -> None:
    for given_rows in ([], [BASE]):
        found = overlaps(of(*given_rows))
        assert found.first.size == found.is_done_twice.size == found.space.size == 0


@pytest.mark.parametrize("shape", [shapely.Point(0, 0), shapely.LineString([(0, 0), (9, 0)]), shapely.Polygon(), None])
def test_what_reaches_nothing_is_refused(shape: shapely.Geometry | None) -> None:
    with pytest.raises(GeometryError) as caught:
        overlaps(of(BASE, (shape, *BASE[1:])))
    assert caught.value.where == "geometry[1]"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("reach_m", -1.0), ("reach_m", math.nan), ("sector", -1), ("start_day", math.nan), ("start_day", 10),
        ("start_day", math.inf), ("end_day", -math.inf), ("groups", -1), ("place", -2), ("organisation", 0.5),
    ],
)  # fmt: skip
def test_values_out_of_range_are_refused(name: str, value: float) -> None:
    row = list(BASE)
    row[COLUMNS.index(name)] = value
    with pytest.raises(InvalidInput):
        overlaps(of(tuple(row)))


def test_what_else_does_not_fit_is_refused() -> None:
    two = of(BASE, BASE)
    for arguments in (
        {"of": [2]}, {"near_m": -1}, {"near_days": math.nan}, {"kinship": [[1.0]]}, {"kinship": [[1.0, 0.5], [0.2, 1.0]]},
        {"kinship": [[1.0, 2.0], [2.0, 1.0]]},
    ):  # fmt: skip
        with pytest.raises(InvalidInput):
            overlaps(two, **arguments)
    with pytest.raises(InvalidInput):
        overlaps(replace(two, place=[1]))


def test_too_many_pairs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_PAIRS", 10)
    assert overlaps(of(*[BASE] * 5)).first.size == 10
    with pytest.raises(LimitExceeded) as caught:
        overlaps(of(*[BASE] * 6))
    assert caught.value.code == "too_many_pairs"


def province(n: int, seed: int = 0) -> Undertakings:
    """Undertakings about the towns of a province, three in four at points, the others lines and areas."""
    rng = np.random.default_rng(seed)
    towns = rng.uniform(0, 200_000, (n // 1000, 2))
    at = towns[rng.integers(0, len(towns), n)] + rng.normal(0, 1500, (n, 2))
    shapes = shapely.points(at)
    lines = rng.random(n) < 0.1
    shapes[lines] = shapely.linestrings(np.stack([at[lines], at[lines] + rng.normal(0, 500, (lines.sum(), 2))], axis=1))
    areas = ~lines & (rng.random(n) < 0.15)
    shapes[areas] = shapely.buffer(shapes[areas], rng.uniform(100, 800, areas.sum()))
    start = rng.integers(739_000, 740_500, n).astype(float)
    return Undertakings(
        shapes, rng.uniform(50, 800, n), rng.integers(0, 12, n), start, start + rng.integers(10, 700, n),
        rng.integers(0, 64, n), rng.integers(0, 500, n), rng.integers(0, 60, n),
    )  # fmt: skip


def test_20_000_undertakings_take_seconds() -> None:
    began = time.process_time()
    found = overlaps(province(20_000))
    assert time.process_time() - began < 20
    assert found.first.size > 20_000
    assert found.is_done_twice.any()
