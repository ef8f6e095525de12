"""Threshold rules against rules written out by hand, with every combination of met, not met and missing."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from analysis.core.threshold_rules import Rule, Threshold, burden_and_income, flag, worn_fabric
from geo.errors import InvalidInput


def test_worn_fabric_needs_more_than_half_of_all_three() -> None:
    small = np.array([0.51, 0.5, 1.0, 0.0, np.nan, np.nan])
    weak = np.array([0.51, 0.9, 1.0, 0.9, 0.9, 0.1])
    narrow = np.array([0.51, 0.9, 1.0, 0.9, 0.9, 0.9])
    found = flag([worn_fabric("small", "weak", "narrow")], {"small": small, "weak": weak, "narrow": narrow})
    assert found.rules == ("worn-fabric",)
    assert found.is_flagged[:, 0].tolist() == [True, False, True, False, False, False]
    assert found.is_undecided[:, 0].tolist() == [False, False, False, False, True, False]
    assert found.met[:, 0].tolist() == [3, 2, 3, 2, 2, 1]
    assert found.needed.tolist() == [3]


def test_burdens_and_income_as_the_screening_tool() -> None:
    """101 places, so that percentiles are 0, 1 … 100: flood at or above 90, or few trees, and income at or above 65."""
    rng = np.random.default_rng(1)
    flood, trees, poor = (rng.permutation(101).astype(float) for _ in range(3))
    rule = burden_and_income("climate", {"flood": "more-is-worse", "trees": "more-is-better"}, "poor")
    found = flag([rule], {"flood": flood * 3 + 7, "trees": trees, "poor": poor / 100})
    expected = ((flood >= 90) | (trees <= 10)) & (poor >= 65)
    np.testing.assert_array_equal(found.is_flagged[:, 0], expected)
    assert 0 < expected.sum() < 101
    assert not found.is_undecided.any()


def test_every_combination_of_met_and_missing_of_a_rule_of_rules() -> None:
    """(a or b) and c: undecided exactly where filling in what is missing can turn the answer."""
    rows = np.array(list(product([0.0, 1.0, np.nan], repeat=3)))
    either = Rule("either", (Threshold("a", 1.0), Threshold("b", 1.0)), at_least=1)
    found = flag([Rule("both", (either, Threshold("c", 1.0)))], dict(zip("abc", rows.T, strict=True)))
    for place, row in enumerate(rows):
        filled = [
            (a or b) and c for a, b, c in product(*([bool(v)] if not np.isnan(v) else [False, True] for v in row))
        ]
        assert found.is_flagged[place, 0] == all(filled)
        assert found.is_undecided[place, 0] == (any(filled) and not all(filled))


@given(hnp.arrays(np.float64, (8, 4), elements=st.sampled_from([0.0, 1.0, np.nan])), st.integers(1, 4))
@settings(derandomize=True, deadline=None)
def test_so_many_of_four(table: np.ndarray, at_least: int) -> None:
    rule = Rule("some", tuple(Threshold(str(k), 1.0) for k in range(4)), at_least)
    found = flag([rule], {str(k): table[:, k] for k in range(4)})
    met, missing = (table == 1).sum(axis=1), np.isnan(table).sum(axis=1)
    np.testing.assert_array_equal(found.met[:, 0], met)
    np.testing.assert_array_equal(found.is_flagged[:, 0], met >= at_least)
    np.testing.assert_array_equal(found.is_undecided[:, 0], (met < at_least) & (met + missing >= at_least))


@given(
    hnp.arrays(np.float64, st.integers(1, 12), elements=st.integers(0, 9).map(float)),
    st.sampled_from([0.0, 25.0, 65.0, 90.0, 100.0]),
    st.sampled_from([0.1, 3.0, 1e6]),
)
@settings(derandomize=True, deadline=None)
def test_percentiles_do_not_depend_on_units_or_direction(values: np.ndarray, limit: float, factor: float) -> None:
    up = Rule("up", (Threshold("x", limit, "percentile"),))
    down = Rule("down", (Threshold("y", limit, "percentile", "more-is-better"),))
    found = flag([up, down], {"x": values * factor - 5, "y": -values})
    np.testing.assert_array_equal(found.is_flagged[:, 0], found.is_flagged[:, 1])
    if len(values) > 1 and np.ptp(values) > 0:
        below = [((values < value).sum() + ((values == value).sum() - 1) / 2) / (len(values) - 1) for value in values]
        np.testing.assert_array_equal(found.is_flagged[:, 0], np.round(100 * np.array(below), 9) >= limit)


def test_values_reach_or_exceed_their_limit_either_way() -> None:
    values = np.array([1.0, 2.0, 3.0])
    for direction, strict, expected in (
        ("more-is-worse", False, [False, True, True]),
        ("more-is-worse", True, [False, False, True]),
        ("more-is-better", False, [True, True, False]),
        ("more-is-better", True, [True, False, False]),
    ):
        rule = Rule("r", (Threshold("x", 2.0, "value", direction, strict),))
        assert flag([rule], {"x": values}).is_flagged[:, 0].tolist() == expected


ONE = {"x": np.array([0.5])}


@pytest.mark.parametrize(
    ("rules", "values", "code", "where"),
    [
        ([], ONE, "bad_rule", ""),
        ([Rule("r", (Threshold("x", 1.0),))] * 2, ONE, "bad_rule", ""),
        ([Rule("r", ())], ONE, "bad_rule", "r"),
        ([Rule("r", (Threshold("x", 1.0),), at_least=2)], ONE, "bad_rule", "r"),
        ([Rule("r", (Threshold("x", 1.0),), at_least=0)], ONE, "bad_rule", "r"),
        ([Rule("r", (Rule("inner", ()),))], ONE, "bad_rule", "inner"),
        ([Rule("r", (Threshold("y", 1.0),))], ONE, "bad_rule", "r"),
        ([Rule("r", (Threshold("x", 65.0, "share"),))], ONE, "bad_rule", "r"),
        ([Rule("r", (Threshold("x", 101.0, "percentile"),))], ONE, "bad_rule", "r"),
        ([Rule("r", (Threshold("x", float("nan")),))], ONE, "bad_rule", "r"),
        ([Rule("r", (Threshold("x", 1.0, "rank"),))], ONE, "bad_rule", "r"),
        ([Rule("r", (Threshold("x", 1.0, "value", "up"),))], ONE, "bad_direction", "r"),
        ([Rule("r", (Threshold("x", 0.5, "share"),))], {"x": np.array([60.0])}, "bad_indicator", "x"),
        ([Rule("r", (Threshold("x", 50.0, "percentile"),))], {"x": np.array([np.inf])}, "bad_indicator", "place 0"),
        ([Rule("r", (Threshold("x", 1.0),))], {}, "length_mismatch", ""),
        ([Rule("r", (Threshold("x", 1.0),))], {**ONE, "y": np.ones(2)}, "length_mismatch", ""),
        ([Rule("r", (Threshold("x", 1.0),))], {"x": np.ones((1, 1))}, "length_mismatch", ""),
    ],
)
def test_rules_that_cannot_be_meant_are_refused(rules, values, code: str, where: str) -> None:
    with pytest.raises(InvalidInput) as error:
        flag(rules, values)
    assert (error.value.code, error.value.where) == (code, where)
