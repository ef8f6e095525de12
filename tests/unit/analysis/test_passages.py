"""Narrow passages and small plots: by hand, and widths against rays drawn one by one."""

import numpy as np
import pytest
import shapely
import shapely.affinity
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.core.passages import front_widths, narrow_passages, small_plots
from geo.errors import InvalidInput


def line(*xy: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString(xy)


STREET = line((0, 0), (100, 0))


def rows(gap_north_m: float, gap_south_m: float) -> list[shapely.Polygon]:
    return [shapely.box(0, gap_north_m, 100, 30), shapely.box(0, -30, 100, -gap_south_m)]


def test_shares_by_hand() -> None:
    lines = [line((0, 0), (10, 0)), line((0, 0), (0, 30)), line((0, 0), (60, 0)), None, shapely.LineString()]
    found = narrow_passages(lines, [2.0, 5.99, 6.0, np.nan, np.nan])
    assert (found.share, found.below, found.known, found.unknown, found.limit) == (0.4, 40, 100, 0, 6)
    found = narrow_passages(lines, [np.nan, 5.0, np.nan, np.nan, np.nan])
    assert (found.share, found.known, found.unknown) == (1.0, 30, 70)
    nothing = narrow_passages(lines, np.full(5, np.nan))
    assert (nothing.share, nothing.unknown) == (None, 100)
    assert narrow_passages([], []).share is None
    plots = small_plots([50, 200, np.nan, 199.99], limit_m2=200)
    assert plots.share == pytest.approx(2 / 3)
    assert (plots.below, plots.known, plots.unknown) == (2, 3, 1)


def test_a_street_off_its_middle_is_as_wide() -> None:
    assert front_widths([STREET], rows(1.0, 6.5)).tolist() == [7.5]


def test_gaps_and_a_house_that_stands_back_do_not_count() -> None:
    houses = [shapely.box(x, 3, x + 12, 12) for x in range(0, 100, 15)] + [
        shapely.box(0, -30, 80, -3),
        shapely.box(80, -30, 100, -15),
    ]
    assert front_widths([STREET], houses).tolist() == [6]


def test_one_side_alone_or_too_far_is_unknown() -> None:
    assert np.isnan(front_widths([STREET], rows(2, 2)[:1]))
    assert np.isnan(front_widths([STREET], rows(25, 25)))
    assert front_widths([STREET], rows(25, 25), widest_m=60).tolist() == [50]
    assert np.isnan(front_widths([STREET], []))
    assert front_widths([], rows(2, 2)).shape == (0,)


def test_short_missing_and_built_over_streets() -> None:
    short, dot, over = line((0, 0), (4, 0)), shapely.LineString([(1, 0), (1, 0)]), shapely.box(20, -40, 60, 40)
    parts = shapely.MultiLineString([[(0, 0), (40, 0)], [(60, 0), (100, 0)]])
    found = front_widths([short, dot, None, parts], rows(2, 3))
    assert np.array_equal(found, [5, np.nan, np.nan, 5], equal_nan=True)
    # Under the building nothing is measured; before and behind it the rows are.
    assert front_widths([STREET], [*rows(2, 3), over]).tolist() == [5]
    assert np.isnan(front_widths([STREET], [shapely.box(0, -5, 100, 5)]))


@given(st.floats(0, 6.28), st.floats(0.5, 15), st.floats(0.5, 15), st.floats(-500, 500))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_widths_do_not_depend_on_direction_and_place(angle, north, south, shift) -> None:
    turned = [
        shapely.affinity.translate(shapely.affinity.rotate(one, angle, (0, 0), use_radians=True), shift, -shift)
        for one in (STREET, *rows(north, south))
    ]
    assert front_widths(turned[:1], turned[1:])[0] == pytest.approx(north + south, abs=1e-6)


@given(st.integers(0, 60))
@settings(derandomize=True, deadline=None, max_examples=25)
def test_widths_are_medians_of_rays_drawn_one_by_one(seed) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(-5, 100, 14), rng.choice([-14, -12, 3, 5], 14)
    houses = shapely.box(x, y, x + rng.uniform(4, 15, 14), y + rng.uniform(5, 9, 14)).tolist()
    widths = []
    for x in np.arange(2.5, 100, 5):
        sides = []
        for sign in (1, -1):
            ray = line((x, 0), (x, sign * 40))
            met = [shapely.Point(x, 0).distance(ray.intersection(one)) for one in houses if ray.intersects(one)]
            sides.append(min(met, default=np.inf))
        if sum(sides) <= 40:
            widths.append(sum(sides))
    expected = np.median(widths) if len(widths) > 1 else np.nan
    assert front_widths([STREET], houses)[0] == pytest.approx(expected, nan_ok=True)


def test_refusals() -> None:
    for wrong in ([1.0], [-1.0, 2.0], [np.inf, 2.0]):
        with pytest.raises(InvalidInput):
            narrow_passages([STREET, STREET], wrong)
    for limit in (0.0, -1.0, np.nan):
        with pytest.raises(InvalidInput, match="limit"):
            small_plots([1.0], limit)
    with pytest.raises(InvalidInput, match="negative"):
        small_plots([-1.0])
    with pytest.raises(InvalidInput, match="not a line"):
        front_widths([shapely.box(0, 0, 1, 1)], [])
    with pytest.raises(InvalidInput, match="largest width"):
        front_widths([STREET], [], widest_m=0)
