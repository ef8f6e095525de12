"""Real change: against scipy and formulas written out, by hand, by simulation, and where something is missing."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from geo.errors import InvalidInput
from interventions.core.change import Change, Measured, change, holm

NAN = math.nan


def of(
    baseline: list[float], measured: list[float], error: float | list[float] = 0.0, compared: list[int] | None = None
) -> Measured:
    errors = error if isinstance(error, list) else [error] * len(baseline)
    return Measured(baseline, errors, measured, errors, compared or [0] * len(baseline))


def numbers(found: Change) -> list[np.ndarray]:
    return [
        getattr(tested, name)
        for tested in (found.change, found.effect)
        for name in ("estimate", "error", "statistic", "degrees", "p", "p_holm")
    ]


@given(
    st.lists(
        st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.floats(0.01, 50), st.floats(0.01, 50)),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from([-0.5, 0.0, 0.7]),
)
@settings(derandomize=True, deadline=None, max_examples=100)
def test_a_change_is_tested_by_the_normal_distribution(rows, correlation: float) -> None:
    before, after, first, second = (np.array(column) for column in zip(*rows, strict=True))
    found = change(Measured(before, first, after, second, np.zeros(before.size)), correlation=correlation).change
    error = np.sqrt(first**2 + second**2 - 2 * correlation * first * second)
    assert found.estimate == pytest.approx(after - before, abs=1e-8)
    assert found.error == pytest.approx(error, rel=1e-9)
    assert found.p == pytest.approx(2 * stats.norm.sf(np.abs(after - before) / error), abs=1e-9)
    # Holm by its definition: the k-th smallest is refused as long as each before it is.
    order = np.argsort(found.p, kind="stable")
    expected = np.ones(before.size)
    for k, i in enumerate(order):
        expected[i] = min(1.0, max(found.p[j] * (before.size - m) for m, j in enumerate(order[: k + 1])))
    assert found.p_holm == pytest.approx(expected, abs=1e-12)
    for verdict, p, d in zip(found.verdict, found.p_holm, found.estimate, strict=True):
        assert verdict == ("unclear" if p > 0.05 or d == 0 else "rose" if d > 0 else "fell")


def test_holm_by_the_published_example() -> None:
    """Four chances as in textbooks: 0.01, 0.04, 0.03, 0.005 at level 0.05; the first and the last stand."""
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([])).tolist() == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
@settings(derandomize=True, deadline=None, max_examples=100)
def test_holm_lies_between_each_chance_and_bonferroni(p) -> None:
    p = np.array(p)
    corrected = holm(p)
    assert (corrected >= p).all()
    assert (corrected <= np.minimum(p * p.size, 1) + 1e-15).all()
    assert (np.diff(corrected[np.argsort(p, kind="stable")]) >= 0).all()


@given(st.lists(st.floats(-100, 100), min_size=3, max_size=9), st.lists(st.floats(-100, 100), min_size=2, max_size=9))
@settings(derandomize=True, deadline=None, max_examples=100)
def test_the_mean_effect_is_welchs_and_each_places_crawford_and_howells(compared, helped) -> None:
    """Without errors of measurement both are what scipy's t tests give."""
    if np.std(compared) < 1e-3 or np.std(helped) < 1e-3:
        return
    changes = np.array([*helped, *compared])
    is_compared = np.array([0] * len(helped) + [1] * len(compared))
    found = change(
        Measured(np.zeros(changes.size), np.zeros(changes.size), changes, np.zeros(changes.size), is_compared)
    )
    welch = stats.ttest_ind(helped, compared, equal_var=False)
    assert found.overall.estimate == pytest.approx(np.mean(helped) - np.mean(compared), abs=1e-9)
    assert found.overall.statistic == pytest.approx(welch.statistic, rel=1e-6, abs=1e-9)
    assert found.overall.degrees == pytest.approx(welch.df, rel=1e-6)
    assert found.overall.p == pytest.approx(welch.pvalue, rel=1e-6, abs=1e-12)
    for i, one in enumerate(helped):
        single = stats.ttest_ind([one], compared, equal_var=True)
        assert found.effect.statistic[i] == pytest.approx(single.statistic, rel=1e-6, abs=1e-9)
        assert found.effect.p[i] == pytest.approx(single.pvalue, rel=1e-6, abs=1e-12)
    assert found.effect.verdict[len(helped) :] == ("unknown",) * len(compared)


def test_a_single_place_that_was_helped_is_the_mean_of_all() -> None:
    changes = [9.0, 1.0, 2.0, 4.0]
    found = change(of([0.0] * 4, changes, compared=[0, 1, 1, 1]))
    single = stats.ttest_ind([9.0], [1.0, 2.0, 4.0], equal_var=True)
    assert found.overall.statistic == pytest.approx(single.statistic) == pytest.approx(found.effect.statistic[0])
    assert found.overall.p == pytest.approx(single.pvalue)


def test_comparison_places_that_changed_alike_by_chance_do_not_hide_their_errors() -> None:
    """Both rose by exactly 1, each with an error of 3 twice: the spread is that of the errors, not 0."""
    found = change(of([0, 0, 0], [5, 1, 1], 3.0, [0, 1, 1]))
    spread = 3.0**2 * 2
    assert found.effect.error[0] == pytest.approx(math.sqrt(spread + spread / 2))
    assert found.effect.verdict[0] == "unclear"
    exact = change(of([0, 0, 0], [5, 1, 1], 0.0, [0, 1, 1]))
    assert (exact.effect.estimate[0], exact.effect.error[0], exact.effect.verdict[0]) == (4, 0, "rose")
    assert exact.overall.verdict == "rose"


def test_what_rose_everywhere_is_a_change_and_no_effect() -> None:
    found = change(of([10, 20, 30, 40], [30, 41, 49, 60], 0.5, [0, 0, 1, 1]))
    assert found.change.verdict == ("rose",) * 4
    assert found.effect.verdict[:2] == ("unclear", "unclear")
    assert found.overall.verdict == "unclear"


def test_complete_counts_change_for_certain() -> None:
    found = change(of([10, 10, 10, 0.1 + 0.2], [11, 9, 10, 0.3])).change
    assert found.verdict == ("rose", "fell", "unclear", "unclear")  # the last differs by rounding alone
    assert found.statistic.tolist() == [math.inf, -math.inf, 0.0, 0.0]
    assert found.p.tolist() == [0.0, 0.0, 1.0, 1.0]


def test_what_is_missing_is_said_and_never_nan() -> None:
    values = Measured(
        baseline=[1, NAN, 1, 1, 5, 6],
        baseline_error=[NAN, 1, NAN, 1e-300, 0, 0],
        measured=[9, 9, NAN, 9, 5, 7],
        measured_error=[1, 1, 1, 1e-300, 0, 1e30],
        is_comparison=[0, 0, 0, 0, 1, 1],
    )
    found = change(values)
    assert found.change.verdict == ("unclear", "unknown", "unknown", "rose", "unclear", "unclear")
    assert found.change.is_known.tolist() == [True, False, False, True, True, True]
    assert found.change.estimate.tolist() == [8, 0, 0, 8, 0, 1]
    assert np.isinf(found.change.error[:3]).all()
    assert not np.isnan(np.concatenate(numbers(found))).any()
    assert found.overall.places == 2
    # A place whose error nobody knows does not weaken the test of the others.
    alone = change(of([1.0], [9.0], 1.0)).change.p_holm
    assert change(of([1.0, 1.0], [9.0, 9.0], [1.0, NAN])).change.p_holm[0] == alone[0]


anything = st.one_of(st.just(NAN), st.floats(-1e60, 1e60), st.sampled_from([0.0, 1.0, 5e-324, 1e-200]))
any_error = st.one_of(st.just(NAN), st.floats(0, 1e60), st.sampled_from([0.0, 5e-324]))


@given(st.lists(st.tuples(anything, any_error, anything, any_error, st.booleans()), max_size=8))
@settings(derandomize=True, deadline=None, max_examples=300)
def test_nothing_is_ever_nan(rows) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)] if rows else [[]] * 5
    found = change(Measured(*columns))
    assert not np.isnan(np.concatenate(numbers(found))).any()
    told = (
        found.overall.estimate,
        found.overall.error,
        found.overall.statistic,
        found.overall.degrees,
        found.overall.p,
    )
    assert not np.isnan(told).any()
    for tested in (found.change, found.effect):
        assert ((tested.p >= 0) & (tested.p <= tested.p_holm) & (tested.p_holm <= 1)).all()
        assert (tested.error >= 0).all()


def test_of_too_few_comparison_places_nothing_is_said() -> None:
    for compared in ([0, 0, 1], [0, 0, 0], [1, 1, 1]):
        found = change(of([1, 2, 3], [4, 6, 8], 0.1, compared))
        assert found.effect.verdict == ("unknown",) * 3
        assert found.overall.verdict == "unknown"
        assert (found.overall.p, found.overall.error) == (1.0, math.inf)


def test_false_alarms_are_as_rare_as_promised() -> None:
    """A thousand programmes that change nothing, in 40 places: one in twenty raises any alarm."""
    rng = np.random.default_rng(3)
    alarms = 0
    for _ in range(1000):
        before, after = rng.normal(50, 2, 40), rng.normal(50, 2, 40)
        values = Measured(before, np.full(40, 2.0), after, np.full(40, 2.0), np.zeros(40))
        alarms += any(verdict != "unclear" for verdict in change(values).change.verdict)
    assert 0.03 < alarms / 1000 < 0.07


def test_order_and_unit_decide_nothing() -> None:
    rng = np.random.default_rng(5)
    columns = [rng.normal(50, 9, 12), rng.uniform(0, 3, 12), rng.normal(55, 9, 12), rng.uniform(0, 3, 12)]
    compared = rng.integers(0, 2, 12)
    order = rng.permutation(12)
    one = change(Measured(*columns, compared))
    turned = change(Measured(*(column[order] for column in columns), compared[order]))
    scaled = change(Measured(*(column * 1000 for column in columns), compared))
    assert turned.effect.p_holm == pytest.approx(one.effect.p_holm[order])
    assert scaled.change.p_holm == pytest.approx(one.change.p_holm)
    assert scaled.overall.p == pytest.approx(one.overall.p) == pytest.approx(turned.overall.p)
    assert scaled.effect.verdict == one.effect.verdict


def test_what_does_not_fit_is_refused() -> None:
    good = of([1, 2], [3, 4], 1.0)
    for wrong in (
        replace(good, measured=[1]),
        replace(good, baseline=[1, math.inf]),
        replace(good, measured_error=[1, -1]),
        replace(good, is_comparison=[0, NAN]),
    ):
        with pytest.raises(InvalidInput):
            change(wrong)
    for level, correlation in ((0, 0), (1, 0), (NAN, 0), (0.05, 1.1), (0.05, NAN)):
        with pytest.raises(InvalidInput):
            change(good, level=level, correlation=correlation)
