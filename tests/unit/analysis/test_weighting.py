"""Weights against scikit-criteria, pymcdm and published examples, and what must hold for any table."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pymcdm import weights as peers
from skcriteria.preprocessing import weighters

from analysis.core.data_weighting import critic, entropy, merec, weights_from_scores
from analysis.core.weighting import Weights, budget_allocation, equal_weights
from geo.errors import InvalidInput

METHODS = ("entropy", "critic", "merec")
# Six places or fewer, few different values: ties, constants and repeated columns come often.
tables = hnp.arrays(
    np.float64, st.tuples(st.integers(2, 6), st.integers(1, 5)), elements=st.integers(0, 4).map(lambda n: n / 4)
)


def table_of(seed: int, places: int = 30, indicators: int = 6) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.05, 1.0, (places, indicators))


def found_by(scores: np.ndarray, method: str) -> Weights | None:
    try:
        return weights_from_scores(scores, method)
    except InvalidInput as error:
        assert error.code in ("nothing_differs", "too_few_values")  # noqa: PT017
        return None


@pytest.mark.parametrize("seed", range(4))
def test_weights_from_data_are_those_of_other_tools(seed: int) -> None:
    table = table_of(seed)
    signs = np.array([1, -1, 1, 1, -1, 1])
    directions = ["more-is-better" if sign > 0 else "more-is-worse" for sign in signs]
    for theirs in (weighters.entropy_weights(table), peers.entropy_weights(table)):
        np.testing.assert_allclose(entropy(table).shares, theirs, rtol=1e-9)
    for theirs in (weighters.critic_weights(table, np.ones(6)), peers.critic_weights(table)):
        np.testing.assert_allclose(critic(table).shares, theirs, rtol=1e-9)
    np.testing.assert_allclose(critic(table * signs).shares, weighters.critic_weights(table, signs), rtol=1e-9)
    for theirs in (weighters.merec_weights(table, signs), peers.merec_weights(table, signs)):
        np.testing.assert_allclose(merec(table, directions).shares, theirs, rtol=1e-9)


def test_merec_of_its_paper() -> None:
    """Keshavarz-Ghorabaee et al. 2021: five alternatives, four criteria."""
    table = np.array(
        [[450, 8000, 54, 145], [10, 9100, 2, 160], [100, 8200, 31, 153], [220, 9300, 1, 162], [5, 8400, 23, 158]]
    )
    found = merec(table, ["more-is-better", "more-is-better", "more-is-worse", "more-is-worse"])
    assert found.shares.round(4).tolist() == [0.5752, 0.0141, 0.4016, 0.0091]


def test_critic_of_a_published_example() -> None:
    """Tuş and Aytaç Adalı 2019: five programmes, six criteria; all stretched the same way, as printed."""
    table = np.array(
        [[5000, 3, 3, 4, 3, 2], [680, 5, 3, 2, 2, 1], [2000, 3, 2, 3, 4, 3], [600, 4, 3, 1, 2, 2], [800, 2, 4, 3, 3, 4]]
    )
    assert critic(table).shares.round(3).tolist() == [0.157, 0.249, 0.168, 0.121, 0.154, 0.151]


def test_entropy_of_published_examples() -> None:
    """Xu 2004; Zavadskas and Podvezko 2016."""
    table = np.array([[30, 30, 38, 29], [19, 54, 86, 29], [19, 15, 85, 28.9], [68, 70, 60, 29]])
    assert entropy(table).shares.round(4).tolist() == [0.4630, 0.3992, 0.1378, 0.0000]
    table = np.array([[3.0, 100, 10, 7], [2.5, 80, 8, 5], [1.8, 50, 20, 11], [2.2, 70, 12, 9]])
    assert entropy(table).shares.round(4).tolist() == [0.1146, 0.1981, 0.4185, 0.2689]


@given(tables, st.data())
@settings(derandomize=True, deadline=None)
def test_weights_sum_to_one_whatever_is_missing(scores: np.ndarray, data: st.DataObject) -> None:
    scores = scores.copy()
    scores[data.draw(hnp.arrays(bool, scores.shape))] = np.nan
    for method in METHODS:
        found = found_by(scores, method)
        if found is None:
            continue
        assert found.shares.sum() == pytest.approx(1, abs=1e-12)
        assert (found.shares >= 0).all()
        differs = np.nanmax(scores, axis=0) > np.nanmin(scores, axis=0)
        assert (found.shares[~differs] == 0).all()


@given(tables, st.randoms(use_true_random=False))
@settings(derandomize=True, deadline=None)
def test_order_of_places_and_indicators_does_not_matter(scores: np.ndarray, rng) -> None:
    place, indicator = list(range(scores.shape[0])), list(range(scores.shape[1]))
    rng.shuffle(place)
    rng.shuffle(indicator)
    for method in METHODS:
        one, other = found_by(scores, method), found_by(scores[place][:, indicator], method)
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            np.testing.assert_allclose(other.shares, one.shares[indicator], atol=1e-9)


@given(tables, st.sampled_from([0.01, 3.6, 1000.0]), st.integers(-5, 5))
@settings(derandomize=True, deadline=None)
def test_units_do_not_matter(scores: np.ndarray, factor: float, shift: int) -> None:
    if (np.ptp(scores, axis=0) == 0).all():
        return
    np.testing.assert_allclose(critic(scores * factor + shift).shares, critic(scores).shares, atol=1e-6)
    np.testing.assert_allclose(entropy(scores * factor).shares, entropy(scores).shares, atol=1e-9)
    above = scores + 1
    np.testing.assert_allclose(
        merec(above * factor, "more-is-worse").shares, merec(above, "more-is-worse").shares, atol=1e-9
    )


@given(tables)
@settings(derandomize=True, deadline=None)
def test_a_constant_indicator_gets_nothing_and_changes_nothing(scores: np.ndarray) -> None:
    if (np.ptp(scores, axis=0) == 0).all():
        return
    more = np.column_stack((scores, np.full(len(scores), 0.25)))
    for method in ("entropy", "critic"):
        found, before = weights_from_scores(more, method), weights_from_scores(scores, method)
        assert found.shares[-1] == 0
        np.testing.assert_allclose(found.shares[:-1], before.shares, atol=1e-9)
    assert weights_from_scores(more, "merec").shares[-1] == 0


def test_indicators_that_repeat_each_other_share_alike_by_critic() -> None:
    column = np.array([0.1, 0.7, 0.3])
    twice = np.column_stack((column, 2 * column + 1, np.ones(3)))
    assert critic(twice).shares.tolist() == [0.5, 0.5, 0]
    assert critic(column[:, None]).shares.tolist() == [1]


def test_indicators_that_hardly_differ_and_the_largest_numbers_are_weighed_too() -> None:
    """1 − e of x = 1 ± d is d²/(2 ln 2) to the second order: 4 to 1 for differences of 2 to 1."""
    for d in (1e-3, 1e-7):
        table = 1 + np.array([[2 * d, d], [-2 * d, -d]])
        assert entropy(table).shares == pytest.approx([0.8, 0.2], rel=1e-5)
    for extreme in (1.7e308, 5e-324):
        table = np.array([[extreme, 1.0], [0.0, 0.0], [extreme, 1.0]])
        assert entropy(table).shares == pytest.approx([0.5, 0.5])
        assert critic(table).shares == pytest.approx([0.5, 0.5])


def test_places_without_a_value_are_left_out() -> None:
    """Entropy of each column is that of the column without the gap; so are CRITIC's deviations."""
    table = table_of(9, 8, 3)
    gappy = table.copy()
    gappy[2, 0] = np.nan
    short = np.delete(table[:, 0], 2)
    part = short / short.sum()
    expected = 1 + (part * np.log(part)).sum() / math.log(7)
    assert entropy(gappy).amounts[0] == pytest.approx(expected)
    assert entropy(gappy).amounts[1:] == pytest.approx(entropy(table).amounts[1:])
    stretched = (short - short.min()) / np.ptp(short)
    conflict = [1 - np.corrcoef(short, np.delete(table[:, k], 2))[0, 1] for k in (1, 2)]
    assert critic(gappy).amounts[0] == pytest.approx(stretched.std() * sum(conflict))
    # MEREC: the place has two indicators left, so m is 2 there.
    logs = np.log(gappy / np.nanmin(gappy, axis=0))
    whole = np.log1p(np.nansum(logs, axis=1) / np.isfinite(logs).sum(axis=1))
    without = np.log1p(np.nansum(np.delete(logs, 1, axis=1), axis=1) / np.isfinite(logs).sum(axis=1))
    assert merec(gappy, "more-is-better").amounts[1] == pytest.approx((whole - without).sum())


def test_correlations_that_say_nothing_count_as_none() -> None:
    """Two indicators that only one place has both of: each keeps its deviation, 1 − r is 1."""
    table = np.array([[0.0, np.nan], [1.0, 0.5], [np.nan, 0.0], [np.nan, 1.0]])
    found = critic(table)
    deviations = np.array([0.5, np.std([0.5, 0.0, 1.0])])
    assert found.shares == pytest.approx(deviations / deviations.sum())


def test_budgets_count_each_institution_once() -> None:
    """100 points and 10 points: 0.6, 0.4 and 0.2, 0.8 make 0.4, 0.6; both 0.2 away from the mean."""
    found = budget_allocation([[60, 40], [2, 8]])
    assert found.shares == pytest.approx([0.4, 0.6])
    assert found.spread == pytest.approx([0.2, 0.2])
    assert budget_allocation(np.array([[1e300, 1e300]])).shares.tolist() == [0.5, 0.5]
    assert equal_weights(3).shares.sum() == pytest.approx(1)


@given(hnp.arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(1, 6)), elements=st.floats(0, 100, width=32)))
@settings(derandomize=True, deadline=None)
def test_budgets_sum_to_one(points: np.ndarray) -> None:
    points = points.copy()
    points[:, 0] += 1
    found = budget_allocation(points)
    assert found.shares.sum() == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(found.shares, (points / points.sum(axis=1, keepdims=True)).mean(axis=0), atol=1e-12)


SAME = np.full((3, 2), 0.4)


@pytest.mark.parametrize(
    ("call", "code", "where"),
    [
        (lambda: equal_weights(0), "no_indicators", ""),
        (lambda: budget_allocation([]), "length_mismatch", ""),
        (lambda: budget_allocation([[1.0, 2.0], [0.0, 0.0]]), "bad_weight", "institution 1"),
        (lambda: budget_allocation([[1.0, -2.0]]), "bad_weight", "institution 0"),
        (lambda: budget_allocation([[1.0, math.nan]]), "bad_weight", "institution 0"),
        (lambda: entropy(SAME), "nothing_differs", ""),
        (lambda: critic(SAME), "nothing_differs", ""),
        (lambda: merec(SAME, "more-is-worse"), "nothing_differs", ""),
        (lambda: critic(np.array([[0.1, 0.2]])), "too_few_values", "indicator 0"),
        (lambda: entropy(np.array([[0.1, np.nan], [0.2, 0.3]])), "too_few_values", "indicator 1"),
        (lambda: entropy(np.array([[0.1, -1.0], [0.2, 0.3]])), "bad_indicator", "indicator 1"),
        (lambda: entropy(np.array([[0.1, math.inf], [0.2, 0.3]])), "bad_indicator", "indicator 1"),
        (lambda: entropy(np.array([0.1, 0.2])), "length_mismatch", ""),
        (lambda: merec(np.array([[0.0], [1.0]]), "more-is-worse"), "bad_indicator", "indicator 0"),
        (lambda: merec(table_of(1), ["more-is-worse"]), "length_mismatch", ""),
        (lambda: merec(table_of(1), "up"), "bad_direction", ""),
        (lambda: weights_from_scores(table_of(1) * 2, "entropy"), "bad_score", ""),
        (lambda: weights_from_scores(table_of(1), "gini"), "bad_method", ""),
    ],
)
def test_what_cannot_be_weighed_is_refused(call, code: str, where: str) -> None:
    with pytest.raises(InvalidInput) as error:
        call()
    assert (error.value.code, error.value.where) == (code, where)
