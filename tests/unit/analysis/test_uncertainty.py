"""The spread of ranks against plain loops over the same draws, known chances, and what must hold of any draws."""

# mypy: disable-error-code="arg-type, index, operator"

import dataclasses
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.core.index import aggregate
from analysis.core.indicator_draws import NORMALISATIONS, Indicators
from analysis.core.normalising import normalise
from analysis.core.rank_draws import Choices, Dirichlet, Within, drawn_ranks, drawn_weights, kept_draws
from analysis.core.ranking import METHODS, ranks_of_many, scores_of_many
from analysis.core.uncertainty import RankUncertainty, rank_uncertainty, rank_uncertainty_of
from geo.errors import InvalidInput

EVERYTHING = Choices(Dirichlet(40.0), NORMALISATIONS, METHODS)


def places(p: int = 12, k: int = 4, seed: int = 1, errors: float | None = None) -> Indicators:
    rng = np.random.default_rng(seed)
    values = rng.random((p, k)) * 10
    values[rng.random((p, k)) < 0.1] = np.nan
    directions = ["more-is-worse", "more-is-better"] * (k // 2) + ["more-is-worse"] * (k % 2)
    given_errors = None if errors is None else np.full(k, errors) * (np.arange(k) != 1)
    return Indicators(values, directions, np.tile([1.0, 9.0], (k, 1)), given_errors)


def same(one: RankUncertainty, other: RankUncertainty) -> bool:
    for field in dataclasses.fields(one):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, np.ndarray):
            if a.dtype != b.dtype or a.tobytes() != b.tobytes():
                return False
        elif a != b:
            return False
    return True


def test_the_summary_is_that_of_a_plain_loop_over_the_draws() -> None:
    given_, weights = places(40), np.array([3.0, 1.0, 1.0, 2.0])
    kept = kept_draws(given_, EVERYTHING, 500, seed=4)
    share = drawn_weights(kept, weights / weights.sum())
    ranks = []
    for i in range(500):
        normalisation = NORMALISATIONS[kept.normalisation[i]]
        scores = kept.exact[kept.normalisation[i]].T
        if normalisation in ("goalpost", "min-max"):
            alone = [
                normalise(given_.values[:, q], given_.directions[q], normalisation, tuple(given_.goalposts[q]))
                for q in range(4)
            ]
            np.testing.assert_array_equal(scores, np.column_stack(alone))
        method = METHODS[kept.aggregation[i]]
        if method in ("arithmetic", "geometric"):
            ranks.append(aggregate(scores, share[i], method).rank)
        else:
            ranks.append(ranks_of_many(scores_of_many(scores, share[i][None], method))[0])
    table = np.array(ranks)
    np.testing.assert_array_equal(drawn_ranks(kept, weights / weights.sum()), table)
    found = rank_uncertainty(given_, weights, EVERYTHING, first=[3, 1, 40, 90], draws=500, seed=4)
    for j, column in enumerate(table.T):
        ordered = sorted(column.tolist())
        assert found.counts[j].tolist() == [Counter(ordered)[rank] for rank in range(1, 41)]
        # The 25th, 250th and 475th of 500.
        assert (found.low_rank[j], found.median_rank[j], found.high_rank[j]) == (
            ordered[24],
            ordered[249],
            ordered[474],
        )
        assert found.mean_rank[j] == pytest.approx(np.mean(column))
        for at, line in enumerate((3, 1, 40, 90)):
            assert found.chance_first[j, at] == np.mean(column <= line)
    expected = aggregate(
        np.column_stack(
            [normalise(given_.values[:, q], given_.directions[q], "goalpost", (1.0, 9.0)) for q in range(4)]
        ),
        weights,
    )
    assert found.published_rank.tolist() == expected.rank.tolist()


def test_errors_are_added_before_normalising_draw_by_draw() -> None:
    given_ = places(errors=1.5)
    kept = kept_draws(given_, EVERYTHING, 60, seed=2)
    assert kept.with_errors is not None
    weights = np.full(4, 0.25)
    share = drawn_weights(kept, weights)
    table = drawn_ranks(kept, weights)
    for i in range(60):
        scores = kept.exact[kept.normalisation[i]].T.copy()
        # The second column has no error, and by a goalpost the drawn scores differ from the exact ones.
        np.testing.assert_array_equal(given_.uncertain, [0, 2, 3])
        scores[:, [0, 2, 3]] = kept.with_errors[i].T
        method = METHODS[kept.aggregation[i]]
        np.testing.assert_array_equal(table[i], ranks_of_many(scores_of_many(scores, share[[i]], method))[0])


def test_the_deviates_are_normal_with_the_errors_given() -> None:
    errors = np.array([0.5, 2.0])
    given_ = Indicators(np.full((5, 2), 50.0), ["more-is-worse"] * 2, np.tile([0.0, 100.0], (2, 1)), errors)
    kept = kept_draws(given_, Choices(None), 4000, seed=8)
    assert kept.with_errors is not None
    for q, error in enumerate(errors):
        deviates = (kept.with_errors[:, q] * 100 - 50) / error
        assert stats.kstest(deviates.ravel(), "norm").pvalue > 0.01
        assert abs(np.corrcoef(deviates.T)[0, 1]) < 0.05


def test_no_draw_of_errors_comes_twice() -> None:
    given_ = places(40, 6, errors=1.0)
    kept = kept_draws(given_, Choices(None), 2000, seed=8)
    assert kept.with_errors is not None
    # So many draws take several streams of random numbers.
    assert kept.with_errors[0].size * 2000 > 3 * 100_000
    inside = np.nan_to_num(kept.with_errors.reshape(2000, -1))
    assert len(np.unique(inside, axis=0)) == 2000


@pytest.mark.parametrize("errors", [None, 1.0])
def test_the_same_seed_gives_the_same_bytes_on_any_number_of_threads(errors: float | None) -> None:
    given_ = places(40, 6, errors=errors)
    weights = np.arange(1.0, 7.0)
    one = rank_uncertainty(given_, weights, EVERYTHING, draws=3000, seed=9, threads=1)
    assert same(one, rank_uncertainty(given_, weights, EVERYTHING, draws=3000, seed=9, threads=3))
    kept = kept_draws(given_, EVERYTHING, 3000, seed=9, threads=2)
    assert (kept.with_errors is None) == (errors is None)
    assert same(one, rank_uncertainty_of(kept, weights, threads=2))
    assert not same(one, rank_uncertainty(given_, weights, EVERYTHING, draws=3000, seed=10))


@pytest.mark.parametrize("law", [Dirichlet(25.0), Within(0.4)])
def test_weights_are_drawn_from_the_law(law: Dirichlet | Within) -> None:
    weights = np.array([0.5, 0.3, 0.2, 0.0])
    kept = kept_draws(places(), Choices(law), 20_000, seed=3)
    drawn = drawn_weights(kept, weights)
    np.testing.assert_allclose(drawn.sum(axis=1), 1.0)
    assert (drawn[:, 3] == 0).all()
    if isinstance(law, Dirichlet):
        for q in range(3):
            beta = stats.beta(25 * weights[q], 25 * (1 - weights[q]))
            assert stats.kstest(drawn[:, q], beta.cdf).pvalue > 0.01
    else:
        # Two weights drawn by themselves within ±40 %: their ratio is between 5/3 · 0.6/1.4 and 5/3 · 1.4/0.6.
        ratio = drawn[:, 0] / drawn[:, 1]
        assert 5 / 3 * 0.6 / 1.4 <= ratio.min() < 5 / 3 * 0.45
        assert 5 / 3 * 2.2 < ratio.max() <= 5 / 3 * 1.4 / 0.6
        assert np.median(ratio) == pytest.approx(5 / 3, rel=0.02)


def test_a_chance_that_is_known() -> None:
    """Two places, each worst in one of two indicators: the first is ahead where its weight is above one half.

    By Dirichlet (3, 2) that is the chance of Beta(3, 2) above one half, 11/16.
    """
    two = Indicators(np.eye(2), ["more-is-worse"] * 2, np.tile([0.0, 1.0], (2, 1)))
    found = rank_uncertainty(two, [3, 2], Choices(Dirichlet(5.0)), first=[1], draws=100_000, seed=5)
    error = (11 / 16 * 5 / 16 / 100_000) ** 0.5
    assert abs(found.chance_first[0, 0] - 11 / 16) < 4 * error
    assert found.mean_rank[0] == pytest.approx(2 - found.chance_first[0, 0])


def test_intervals_cover_new_draws_and_the_ranks_of_the_true_values() -> None:
    rng = np.random.default_rng(6)
    truth = np.linspace(10, 90, 30)[:, None] + rng.normal(0, 3, (30, 5))
    goalposts, directions = np.tile([0.0, 100.0], (5, 1)), ["more-is-worse"] * 5
    weights = np.ones(5)
    true_rank = rank_uncertainty(
        Indicators(truth, directions, goalposts), weights, Choices(None), draws=1
    ).published_rank
    errors = np.full(5, 4.0)
    inside, inside_new = [], []
    for trial in range(30):
        measured = Indicators(truth + rng.normal(0, 4.0, truth.shape), directions, goalposts, errors)
        found = rank_uncertainty(measured, weights, Choices(None), draws=400, seed=trial)
        inside.append((found.low_rank <= true_rank) & (true_rank <= found.high_rank))
        new = drawn_ranks(kept_draws(measured, Choices(None), 400, seed=1000 + trial), weights / 5)
        inside_new.append(((found.low_rank <= new) & (new <= found.high_rank)).mean())
    assert np.mean(inside) >= 0.90
    assert np.mean(inside_new) >= 0.90


@st.composite
def small(draw: st.DrawFn) -> tuple[Indicators, np.ndarray, Choices]:
    p, k = draw(st.integers(1, 6)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    values = rng.integers(0, 6, (p, k)).astype(float)
    values[rng.random((p, k)) < draw(st.sampled_from([0.0, 0.4]))] = np.nan
    errors = draw(st.sampled_from([None, np.full(k, 0.7)]))
    weights = rng.integers(0, 3, k).astype(float)
    weights[int(rng.integers(k))] = 1.0
    law = draw(st.sampled_from([None, Within(0.3), Dirichlet(20.0)]))
    normalisations = tuple(draw(st.sets(st.sampled_from(NORMALISATIONS), min_size=1)))
    aggregations = tuple(draw(st.sets(st.sampled_from(METHODS), min_size=1)))
    goalposts = np.tile([0.0, 5.0], (k, 1))
    return (
        Indicators(values, ["more-is-worse"] * k, goalposts, errors),
        weights,
        Choices(law, normalisations, aggregations),
    )


@given(small())
@settings(derandomize=True, deadline=None, max_examples=80)
def test_whatever_is_drawn_the_summary_is_consistent(case: tuple[Indicators, np.ndarray, Choices]) -> None:
    given_, weights, choices = case
    p = len(given_.values)
    found = rank_uncertainty(given_, weights, choices, first=range(1, p + 1), draws=60)
    assert (found.counts.sum(axis=1) == 60).all()
    assert (found.low_rank >= 1).all()
    assert (found.low_rank <= found.median_rank).all()
    assert (found.median_rank <= found.high_rank).all()
    assert (found.high_rank <= p).all()
    assert (found.mean_rank >= 1).all()
    assert (found.chance_first[:, -1] == 1).all()
    assert all((later >= sooner).all() for sooner, later in pairwise(found.chance_first.T))
    # In every draw there is a first one, and no fewer than m among the first m.
    assert (found.chance_first.sum(axis=0) >= np.arange(1, p + 1) - 1e-9).all()
    # Places that are worse in everything never stand behind, so neither do their chances.
    for i in range(p):
        for j in range(p):
            a, b = given_.values[i], given_.values[j]
            if given_.errors is None and not np.isnan([a, b]).any() and (a >= b).all():
                assert (found.chance_first[i] >= found.chance_first[j]).all()


@given(small())
@settings(derandomize=True, deadline=None, max_examples=40)
def test_where_nothing_is_drawn_every_rank_is_the_published_one(case: tuple[Indicators, np.ndarray, Choices]) -> None:
    given_, weights, choices = case
    exact = Indicators(given_.values, given_.directions, given_.goalposts)
    fixed = Choices(None, choices.normalisations[:1], choices.aggregations[:1])
    found = rank_uncertainty(exact, weights, fixed, draws=7)
    for ranks in (found.low_rank, found.median_rank, found.high_rank, found.mean_rank):
        np.testing.assert_array_equal(ranks, found.published_rank)
    assert "depends-on-choices" not in found.message


@given(small(), st.floats(0.01, 100))
@settings(derandomize=True, deadline=None, max_examples=40)
def test_units_and_scale_of_weights_change_no_rank(case: tuple[Indicators, np.ndarray, Choices], scale: float) -> None:
    given_, weights, choices = case
    other = Indicators(
        given_.values * 8.0,
        given_.directions,
        given_.goalposts * 8.0,
        None if given_.errors is None else given_.errors * 8.0,
    )
    one = rank_uncertainty(given_, weights, choices, draws=40)
    assert one.counts.tolist() == rank_uncertainty(other, weights, choices, draws=40).counts.tolist()
    if not isinstance(choices.weights, Dirichlet):
        scaled = rank_uncertainty(given_, weights * scale, choices, draws=40)
        np.testing.assert_allclose(scaled.mean_rank, one.mean_rank, atol=0.2)


def test_messages_name_what_is_sure_and_what_is_not() -> None:
    values = np.array([[9.0, 9.0], [6.0, 4.0], [4.0, 6.0], [0.0, 0.0], [np.nan, np.nan]])
    given_ = Indicators(values, ["more-is-worse"] * 2, np.tile([0.0, 10.0], (2, 1)))
    found = rank_uncertainty(given_, [1, 1], Choices(Within(0.5)), first=[2], draws=2000)
    assert found.message == (
        "robustly-worst", "depends-on-choices", "depends-on-choices", "robustly-fine", "no-data",
    )  # fmt: skip
    # How sure one wants to be is a choice too.
    leaning = Indicators(np.array([[6.0, 4.0], [4.0, 5.0]]), ["more-is-worse"] * 2, np.tile([0.0, 10.0], (2, 1)))
    for sure, message in ((0.95, "depends-on-choices"), (0.75, "robustly-worst")):
        found = rank_uncertainty(leaning, [1, 1], Choices(Within(0.5)), first=[1], draws=2000, sure=sure)
        assert 0.76 < found.chance_first[0, 0] < 0.94
        assert found.message[0] == message
    only_second = rank_uncertainty(
        Indicators([[np.nan, 1], [1, 0]], ["more-is-worse"] * 2, [[0, 1], [0, 1]]), [1, 0], Choices()
    )
    assert only_second.message[0] == "no-data"


def test_one_place_and_one_indicator() -> None:
    one = Indicators([[5.0]], ["more-is-worse"], [[0.0, 10.0]], [1.0])
    found = rank_uncertainty(one, [2], EVERYTHING, first=[1], draws=50)
    assert found.counts.tolist() == [[50]]
    assert found.message == ("robustly-worst",)


def test_bad_input_is_refused() -> None:
    given_, weights = places(), np.ones(4)
    for change, code in (
        ({"weights": np.zeros(4)}, "bad_weight"),
        ({"weights": np.ones(3)}, "length_mismatch"),
        ({"choices": Choices(Dirichlet(0.5))}, "bad_concentration"),
        ({"choices": Choices(Dirichlet(float("nan")))}, "bad_concentration"),
        ({"choices": Choices(Within(0.0))}, "bad_share"),
        ({"choices": Choices(Within(1.5))}, "bad_share"),
        ({"choices": Choices(normalisations=())}, "bad_method"),
        ({"choices": Choices(aggregations=("arithmetic", "arithmetic"))}, "bad_method"),
        ({"choices": Choices(aggregations=("borda",))}, "bad_method"),
        ({"choices": Choices(normalisations=("rank",))}, "bad_method"),
        ({"draws": 0}, "bad_draws"),
        ({"draws": 2_000_000}, "bad_draws"),
        ({"seed": -1}, "bad_seed"),
        ({"first": []}, "bad_line"),
        ({"first": [0]}, "bad_line"),
        ({"sure": 0.5}, "bad_share"),
    ):
        with pytest.raises(InvalidInput) as caught:
            rank_uncertainty(**{"indicators": given_, "weights": weights, "choices": Choices(), **change})
        assert caught.value.code == code
    no_goalposts = Indicators(given_.values, given_.directions)
    with pytest.raises(InvalidInput, match="goalposts"):
        rank_uncertainty(no_goalposts, weights, Choices())
