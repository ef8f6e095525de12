"""Equity: against formulas over all pairs and over people written out one by one, by hand, and at the edges."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from analysis.core.equity import (
    Contrast,
    Shortfall,
    concentration_index,
    distance_shortfall,
    gini,
    lorenz,
    palma_ratio,
    settlements_against_rest,
    supply_shortfall,
)
from geo.errors import InvalidInput

MEASURES = (
    lambda v, p: gini(v, p),
    lambda v, p: palma_ratio(v, p),
    lambda v, p: concentration_index(v, p, np.arange(v.size)),
    lambda v, p: supply_shortfall(v, p, 3.0).gap,
    lambda v, p: distance_shortfall(v, p, 3.0).severity,
)


@st.composite
def cities(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Values and whole numbers of people; ties, zeros and empty places among them."""
    n = draw(st.integers(1, 12))
    values = draw(st.lists(st.one_of(st.integers(0, 4).map(float), st.floats(0, 1000)), min_size=n, max_size=n))
    people = draw(st.lists(st.integers(0, 6), min_size=n, max_size=n))
    return np.array(values), np.array(people, dtype=float)


def one_by_one(values: np.ndarray, people: np.ndarray) -> np.ndarray:
    return np.repeat(values, people.astype(int))


@given(cities())
@settings(derandomize=True, deadline=None, max_examples=150)
def test_gini_is_the_mean_difference_of_all_pairs_of_people(city) -> None:
    each = one_by_one(*city)
    assume(each.size and each.mean() > 1e-9)
    expected = np.abs(each[:, None] - each).mean() / (2 * each.mean())
    assert gini(*city) == pytest.approx(expected, abs=1e-12)


def test_gini_by_hand() -> None:
    # Shares of (0, 0, 0, 1): everything in the hands of one in four.
    assert gini(np.array([0.0, 5.0]), np.array([3.0, 1.0])) == pytest.approx(0.75)
    # 1, 2, 3: mean difference (1 + 1 + 2) · 2 / 9 over 2 · 2.
    assert gini(np.array([1.0, 2.0, 3.0]), np.ones(3)) == pytest.approx(8 / 9 / 4)


@given(cities())
@settings(derandomize=True, deadline=None, max_examples=100)
def test_palma_is_top_tenth_over_bottom_four_tenths(city) -> None:
    # Every person cut into ten, so that both shares end between persons.
    each = np.sort(np.repeat(one_by_one(*city), 10))
    assume(each.size and each[: each.size * 4 // 10].sum() > 1e-9)
    expected = each[each.size * 9 // 10 :].sum() / each[: each.size * 4 // 10].sum()
    assert palma_ratio(*city) == pytest.approx(expected, rel=1e-9)


def test_palma_where_the_bottom_has_nothing() -> None:
    assert palma_ratio(np.array([0.0, 1.0]), np.array([6.0, 4.0])) == math.inf
    assert palma_ratio(np.array([0.0, 1.0]), np.array([3.0, 7.0])) == pytest.approx((1 / 7) / (1 / 7))


@given(cities(), st.integers(0, 1000))
@settings(derandomize=True, deadline=None, max_examples=150)
def test_concentration_is_the_covariance_with_the_mean_rank(city, seed: int) -> None:
    values, people = city
    assume(people.sum() and values @ people > 1e-9)
    income = np.random.default_rng(seed).integers(0, 4, values.size).astype(float)
    living = people / people.sum()
    # Those with less, and half of those with as much.
    rank = np.array([living[income < own].sum() + living[income == own].sum() / 2 for own in income])
    mean = living @ values
    expected = 2 * (living @ ((values - mean) * (rank - living @ rank))) / mean
    found = concentration_index(values, people, income)
    assert found == pytest.approx(expected, abs=1e-12)
    assert -1 < found < 1
    # It turns its sign with the ranking, and depends on the order of the indicator alone.
    assert concentration_index(values, people, -income) == pytest.approx(-found, abs=1e-12)
    assert concentration_index(values, people, np.exp(income)) == pytest.approx(found, abs=1e-15)


@given(cities())
@settings(derandomize=True, deadline=None, max_examples=80)
def test_concentration_by_the_value_itself_is_gini(city) -> None:
    values, people = city
    assert concentration_index(values, people, values) == pytest.approx(gini(values, people), abs=1e-12)


def test_ties_of_the_indicator_share_a_rank_in_any_order() -> None:
    values, people = np.array([9.0, 1.0, 5.0]), np.array([1.0, 2.0, 3.0])
    assert concentration_index(values, people, np.array([7.0, 7.0, 7.0])) == pytest.approx(0, abs=1e-15)
    first = concentration_index(values, people, np.array([1.0, 1.0, 2.0]))
    assert concentration_index(values[[1, 0, 2]], people[[1, 0, 2]], np.array([1.0, 1.0, 2.0])) == first
    # Half of the people have 11/3 on average, the other half 5: the curve is at (11/26, ½).
    assert first == pytest.approx(float(Fraction(1, 2) - Fraction(11, 26)))


@given(cities(), st.floats(0.01, 500))
@settings(derandomize=True, deadline=None, max_examples=100)
def test_shortfalls_are_means_over_people(city, line: float) -> None:
    values, people = city
    each = one_by_one(values, people)
    assume(each.size)
    for found, gap, short in (
        (supply_shortfall(values, people, line), np.maximum(1 - each / line, 0), each < line),
        (distance_shortfall(values, people, line), np.clip((each - line) / line, 0, 1), each > line),
        (
            distance_shortfall(values, people, line, 3 * line),
            np.clip((each - line) / (2 * line), 0, 1),
            each > line,
        ),
    ):
        assert found.people == short.sum()
        assert found.headcount == pytest.approx(short.mean())
        assert found.gap == pytest.approx(gap.mean(), abs=1e-12)
        assert found.severity == pytest.approx((gap**2).mean(), abs=1e-12)
        assert 0 <= found.severity <= found.gap + 1e-12 <= found.headcount + 2e-12 <= 1 + 3e-12


def test_those_who_reach_nothing_have_a_complete_gap() -> None:
    assert distance_shortfall(np.array([np.inf]), np.array([5.0]), 100.0) == Shortfall(5.0, 1.0, 1.0, 1.0)
    assert distance_shortfall(np.array([np.inf, 1e8]), np.array([5.0, 5.0]), 1e9).gap == 0.5
    assert distance_shortfall(np.array([0.0, 50.0]), np.ones(2), 0.0, 100.0) == Shortfall(1.0, 0.5, 0.25, 0.125)
    assert supply_shortfall(np.array([0.0]), np.ones(1), 0.0) == Shortfall(0.0, 0.0, 0.0, 0.0)
    assert supply_shortfall(np.array([0.0]), np.ones(1), 1e9) == Shortfall(1.0, 1.0, 1.0, 1.0)


@given(cities())
@settings(derandomize=True, deadline=None, max_examples=60)
def test_no_measure_is_ever_nan_and_curves_ascend(city) -> None:
    for measure in MEASURES:
        assert not math.isnan(measure(*city))
    curve = lorenz(*city)
    for share in (curve.people_share, curve.value_share):
        assert share[0] == 0
        assert share[-1] == 1
        assert (np.diff(share) >= 0).all()
    assert (curve.value_share <= curve.people_share + 1e-12).all()
    assert 0 <= gini(*city) < 1


@given(cities(), st.integers(0, 1000), st.floats(0.01, 100))
@settings(derandomize=True, deadline=None, max_examples=80)
def test_order_units_and_splitting_of_places_change_nothing(city, seed: int, unit: float) -> None:
    values, people = city
    assume(values.max() > 1e-6 or values.max() == 0)
    order = np.random.default_rng(seed).permutation(values.size)
    for measure in (gini, palma_ratio):
        one = measure(values, people)
        assume(one < 1e12)
        assert measure(values[order], people[order]) == pytest.approx(one, abs=1e-9, rel=1e-9)
        assert measure(values * unit, people * 7) == pytest.approx(one, abs=1e-9, rel=1e-9)
        assert measure(np.tile(values, 2), np.tile(people, 2)) == pytest.approx(one, abs=1e-9, rel=1e-9)


def test_giving_to_the_one_with_less_lowers_gini() -> None:
    assert gini(np.array([2.0, 8.0]), np.ones(2)) > gini(np.array([3.0, 7.0]), np.ones(2))


@pytest.mark.parametrize(
    ("values", "people"),
    [([], []), ([5.0], [0.0]), ([5.0], [3.0]), ([5.0, 5.0], [1.0, 2.0]), ([0.0, 0.0], [1.0, 2.0]), ([1.0, 9.0], [0.0, 4.0])],
)  # fmt: skip
def test_nobody_one_place_and_all_equal_are_equal(values: list[float], people: list[float]) -> None:
    value, living = np.array(values), np.array(people)
    assert gini(value, living) == 0
    assert concentration_index(value, living, np.arange(value.size)) == 0
    assert palma_ratio(value, living) == pytest.approx(0.25)
    curve = lorenz(value, living)
    assert curve.people_share.tolist() == curve.value_share.tolist()


def test_tiny_and_huge_numbers_keep_their_proportions() -> None:
    for unit in (1e-300, 1e300):
        assert gini(np.array([1.0, 3.0]) * unit, np.array([3.0, 1.0])) == pytest.approx(0.25)
        assert gini(np.array([1.0, 3.0]), np.array([3.0, 1.0]) * unit) == pytest.approx(0.25)


def test_nobody_falls_short_of_anything() -> None:
    nothing = Shortfall(0.0, 0.0, 0.0, 0.0)
    for value, living in ((np.empty(0), np.empty(0)), (np.array([9.0]), np.zeros(1))):
        assert supply_shortfall(value, living, 5.0) == nothing
        assert distance_shortfall(value, living, 5.0) == nothing


def test_settlements_by_hand() -> None:
    # A quarter of the people of the second place live in a settlement.
    found = settlements_against_rest(
        np.array([0.2, 0.6, 1.0]), np.array([10.0, 40.0, 50.0]), np.array([1.0, 0.25, 0.0])
    )
    assert found.settlement_people == 20
    assert found.rest_people == 80
    assert found.settlements == pytest.approx((10 * 0.2 + 10 * 0.6) / 20)
    assert found.rest == pytest.approx((30 * 0.6 + 50) / 80)
    assert found.difference == pytest.approx(0.4 - 0.85)
    assert found.ratio == pytest.approx(0.4 / 0.85)
    assert found.people_share == pytest.approx(0.2)
    assert found.value_share == pytest.approx(8 / 76)


def test_settlements_where_there_are_none_or_nothing() -> None:
    value = np.array([0.5, 0.5])
    assert settlements_against_rest(value, np.ones(2), np.zeros(2)) == Contrast(
        None, 0.5, None, None, 0.0, 2.0, 0.0, 0.0
    )
    assert settlements_against_rest(value, np.ones(2), np.ones(2)) == Contrast(
        0.5, None, None, None, 2.0, 0.0, 1.0, 1.0
    )
    nobody = settlements_against_rest(np.array([np.nan]), np.zeros(1), np.ones(1))
    assert nobody == Contrast(None, None, None, None, 0.0, 0.0, None, None)
    assert settlements_against_rest(np.zeros(2), np.ones(2), np.array([1, 0])).ratio == 1
    assert settlements_against_rest(np.array([1.0, 0.0]), np.ones(2), np.array([1, 0])).ratio == math.inf


def test_what_does_not_fit_is_refused() -> None:
    one, two = np.ones(1), np.ones(2)
    for code, make in (
        ("length_mismatch", lambda: gini(one, two)),
        ("length_mismatch", lambda: gini(np.ones((1, 1)), np.ones((1, 1)))),
        ("length_mismatch", lambda: concentration_index(two, two, one)),
        ("length_mismatch", lambda: supply_shortfall(one, two, 1.0)),
        ("length_mismatch", lambda: settlements_against_rest(two, two, one)),
        ("bad_value", lambda: gini(-one, one)),
        ("bad_value", lambda: palma_ratio(one * np.nan, one)),
        ("bad_value", lambda: lorenz(one * np.inf, one)),
        ("bad_value", lambda: supply_shortfall(-one, one, 1.0)),
        ("bad_value", lambda: settlements_against_rest(one * np.nan, one, one)),
        ("bad_population", lambda: gini(one, -one)),
        ("bad_population", lambda: distance_shortfall(one, one * np.nan, 1.0)),
        ("bad_indicator", lambda: concentration_index(one, one, one * np.nan)),
        ("bad_cost", lambda: distance_shortfall(-one, one, 1.0)),
        ("bad_cost", lambda: distance_shortfall(one * np.nan, one, 1.0)),
        ("bad_threshold", lambda: distance_shortfall(one, one, -1.0)),
        ("bad_threshold", lambda: distance_shortfall(one, one, 0.0)),
        ("bad_threshold", lambda: distance_shortfall(one, one, 5.0, 5.0)),
        ("bad_threshold", lambda: distance_shortfall(one, one, np.inf)),
        ("bad_threshold", lambda: distance_shortfall(one, one, np.nan)),
        ("bad_standard", lambda: supply_shortfall(one, one, -1.0)),
        ("bad_standard", lambda: supply_shortfall(one, one, np.inf)),
        ("bad_share", lambda: settlements_against_rest(one, one, one * 1.1)),
        ("bad_share", lambda: settlements_against_rest(one, one, one * np.nan)),
    ):
        with pytest.raises(InvalidInput) as caught:
            make()
        assert caught.value.code == code
