"""Charts of measures: classes hold everybody, bars say what they show, curves stay in their square."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from maps.measures import charts


@given(
    arrays(np.float64, 30, elements=st.floats(0, 1e6) | st.just(float("nan"))),
    arrays(np.float64, 30, elements=st.floats(0, 1e5)),
)
def test_classes_hold_everybody_whose_place_has_a_value(values: np.ndarray, people: np.ndarray) -> None:
    bins = charts.bins_of(values, people)
    counted = people[np.isfinite(values)].sum()
    assert sum(one.people for one in bins) == pytest.approx(counted)
    assert len(bins) <= 14
    assert [one.high for one in bins[:-1]] == [one.low for one in bins[1:]]
    if bins:
        assert bins[-1].high is None


def drawn(values: list[float], people: list[float], mark: float | None) -> charts.Histogram:
    found = charts.histogram(
        charts.bins_of(np.array(values), np.array(people)),
        mark=mark,
        mark_text="standard",
        value_text=lambda value: f"{value:g}",
        people_text=lambda count: f"{count:g}",
        share_text=lambda share: f"{share:.0%}",
        title=lambda ends, count: f"{ends}: {count}",
        and_more=lambda low: f"{low}+",
        between=lambda low, high: f"{low} to {high}",
    )
    assert found is not None
    return found


def test_bars_below_the_standard_are_painted_as_lacking() -> None:
    found = drawn([0.5, 3.5, 6.5], [10, 20, 30], mark=3.75)
    by_title = {bar.title: bar for bar in found.bars}
    assert by_title["0.5 to 1: 10"].css == "lacking"
    assert by_title["3.5 to 4: 20"].css == "mixed"
    assert by_title["6+: 30"].css == "enough"
    assert found.is_mixed
    heights = [by_title[title].height for title in ("0.5 to 1: 10", "3.5 to 4: 20", "6+: 30")]
    assert heights == pytest.approx([heights[2] / 3, heights[2] * 2 / 3, heights[2]], abs=0.1)
    first, last = found.bars[0], found.bars[-1]
    assert found.limit_x is not None
    assert first.x < found.limit_x < last.x + last.width
    assert drawn([1.0], [5], mark=None).bars[0].css == "plain"


def test_nobody_makes_no_chart() -> None:
    assert charts.bins_of(np.array([np.nan, 2.0]), np.array([5.0, 0.0])) == ()


def test_a_lorenz_curve_is_told_at_every_tenth() -> None:
    curve = charts.lorenz([(0.0, 0.0), (0.5, 0.1), (1.0, 1.0)], lambda people, value: f"{people:.1f} {value:.2f}")
    assert [point.title for point in curve.points][4] == "0.5 0.10"
    assert len(curve.points) == 9
    assert all(48 <= point.x <= 348 and 12 <= point.y <= 312 for point in curve.points)
