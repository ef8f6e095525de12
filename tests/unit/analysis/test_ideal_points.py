"""TOPSIS and VIKOR against scikit-criteria, pymcdm, published examples and direct formulas, and what must hold."""

import warnings

import numpy as np
import pytest
import skcriteria
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pymcdm import methods, normalizations
from skcriteria.agg.topsis import topsis as peer_topsis
from skcriteria.agg.vikor import VIKOR

from analysis.core.index import Priority, aggregate
from analysis.core.normalising import normalise
from geo.errors import InvalidInput

FIXED = ("arithmetic", "geometric", "topsis")

#: Papathanasiou and Ploskas 2018, chapters 1 and 2: six alternatives, four criteria, more of each is wanted.
BOOK = np.array([[8, 7, 2, 1], [5, 3, 7, 5], [7, 5, 6, 4], [9, 9, 7, 3], [11, 10, 3, 7], [6, 9, 5, 4]], dtype=float)
BOOK_WEIGHTS = (0.4, 0.3, 0.1, 0.2)

score = st.floats(0, 1, width=32)
few = st.integers(0, 4).map(lambda n: n / 4)


@st.composite
def cases(
    draw: st.DrawFn, elements: st.SearchStrategy[float] = few, missing: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    shape = draw(hnp.array_shapes(min_dims=2, max_dims=2, max_side=6))
    scores = draw(hnp.arrays(np.float64, shape, elements=elements))
    if missing:
        scores[draw(hnp.arrays(bool, shape))] = np.nan
    weights = draw(hnp.arrays(np.float64, shape[1], elements=st.floats(0, 10, width=32)))
    weights[draw(st.integers(0, shape[1] - 1))] = 1.0
    return scores, weights


def all_ways(scores: np.ndarray, weights: np.ndarray) -> list[Priority]:
    return [
        aggregate(scores, weights, "topsis"),
        aggregate(scores, weights, "topsis", ideals="data"),
        aggregate(scores, weights, "vikor"),
        aggregate(scores, weights, "vikor", strategy=0.0),
        aggregate(scores, weights, "vikor", strategy=1.0),
    ]


def random_case(seed: int, places: int = 20, indicators: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.random((places, indicators)), rng.dirichlet(np.ones(indicators))


@pytest.mark.parametrize("seed", range(4))
def test_topsis_is_that_of_other_tools(seed: int) -> None:
    scores, weights = random_case(seed)
    wanted = np.ones(5)
    rank, _best, _worst, similarity = peer_topsis(scores, wanted, weights)
    found = aggregate(scores, weights, "topsis", ideals="data")
    np.testing.assert_allclose(found.score, 100 * similarity, rtol=1e-12)
    np.testing.assert_array_equal(found.rank, rank)
    other = methods.TOPSIS(normalizations.minmax_normalization)(scores, weights, wanted)
    stretched = np.column_stack([normalise(column, "more-is-worse", "min-max") for column in scores.T])
    np.testing.assert_allclose(aggregate(stretched, weights, "topsis").score, 100 * other, rtol=1e-12)
    # With a place at both ends, those of the data are the fixed ones.
    ends = np.vstack((scores, np.ones(5), np.zeros(5)))
    similarity = peer_topsis(ends, wanted, weights)[3]
    np.testing.assert_allclose(aggregate(scores, weights, "topsis").score, 100 * similarity[:-2], rtol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_vikor_is_that_of_other_tools(seed: int) -> None:
    scores, weights = random_case(seed)
    for strategy in (0.0, 0.3, 0.5, 1.0):
        found = aggregate(scores, weights, "vikor", strategy=strategy)
        assert found.compromise is not None
        other = methods.VIKOR(v=strategy)(scores, weights, np.ones(5), verbose=False)
        np.testing.assert_allclose(found.score, 100 * (1 - other), atol=1e-9)
        matrix = skcriteria.mkdm(scores, [max] * 5, weights=weights)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            peer = VIKOR(v=strategy, use_compromise_set=False).evaluate(matrix)
        extra = peer.e_
        np.testing.assert_allclose(found.compromise.combined, extra.q_k, atol=1e-12)
        np.testing.assert_allclose(found.compromise.group_distance, extra.s_k, atol=1e-12)
        np.testing.assert_allclose(found.compromise.largest_distance, extra.r_k, atol=1e-12)


def test_the_examples_of_a_textbook() -> None:
    """Closeness 0.387 … 0.493 of vector-normalised values; Q 0.640 … 0.694 with v = 0.625."""
    vectors = BOOK / np.sqrt((BOOK**2).sum(axis=0))
    found = aggregate(vectors, BOOK_WEIGHTS, "topsis", ideals="data")
    assert (found.score / 100).round(3).tolist() == [0.387, 0.327, 0.391, 0.615, 0.868, 0.493]
    assert found.rank.tolist() == [5, 6, 4, 2, 1, 3]
    scores = np.column_stack([normalise(column, "more-is-worse", "min-max") for column in BOOK.T])
    compromise = aggregate(scores, BOOK_WEIGHTS, "vikor", strategy=0.625).compromise
    assert compromise is not None
    assert compromise.combined.round(3).tolist() == [0.640, 1.000, 0.693, 0.271, 0.000, 0.694]
    # 0.271 ahead of the second, more than 1/(6 − 1), and first by S and R: it stands alone.
    assert compromise.advantage_needed == 0.2
    assert (compromise.has_advantage, compromise.is_stable) == (True, True)
    assert compromise.is_in_set.tolist() == [False, False, False, False, True, False]


def test_topsis_by_direct_formula_with_a_missing_score() -> None:
    scores = np.array([[0.9, 0.2, np.nan], [0.3, 0.4, 0.5]])
    found = aggregate(scores, [2.0, 1.0, 5.0], "topsis")
    near, far = np.hypot(2 * 0.9, 0.2), np.hypot(2 * 0.1, 0.8)
    assert found.score[0] == pytest.approx(100 * near / (near + far))
    assert found.contributions[0] == pytest.approx(found.score[0] * np.array([1.8**2, 0.2**2, 0]) / near**2)
    assert found.reliability[0] == pytest.approx(3 / 8)


def test_vikor_by_direct_formula_with_a_missing_score() -> None:
    """d: (0, 1), (1, missing), (0.5, 0); S = 0.5, 1, 0.25; R = 0.5, 1, 0.25."""
    scores = np.array([[0.9, 0.2], [0.1, np.nan], [0.5, 0.6]])
    compromise = aggregate(scores, [1.0, 1.0], "vikor").compromise
    assert compromise is not None
    assert compromise.group_distance == pytest.approx([0.5, 1, 0.25])
    assert compromise.largest_distance == pytest.approx([0.5, 1, 0.25])
    assert compromise.combined == pytest.approx([1 / 3, 1, 0])


@pytest.mark.parametrize(
    ("scores", "weights", "strategy", "conditions", "members"),
    [
        # Second far behind, and first by S: alone.
        ([[1, 1], [0, 0], [0.2, 0.2]], (1, 1), 0.5, (True, True), [0]),
        # Three nearly alike of four: no advantage over 1/3, so all that are less than 1/3 behind.
        ([[1, 1], [0.9, 0.9], [0.8, 0.8], [0, 0]], (1, 1), 0.5, (False, True), [0, 1, 2]),
        # Ties are first together.
        ([[1, 1], [1, 1], [0, 0]], (1, 1), 0.5, (False, True), [0, 1]),
    ],
)
def test_the_conditions_of_a_compromise(scores, weights, strategy, conditions, members) -> None:
    found = aggregate(np.array(scores, dtype=float), weights, "vikor", strategy=strategy).compromise
    assert found is not None
    assert (found.has_advantage, found.is_stable) == conditions
    assert np.flatnonzero(found.is_in_set).tolist() == members


def test_a_first_place_that_is_first_by_neither_measure_shares_with_the_second() -> None:
    """Found among random cases; the conditions by the letter, as loops."""
    seen = set()
    for seed in range(300):
        scores, weights = random_case(seed, 10, 3)
        found = aggregate(scores, weights, "vikor").compromise
        assert found is not None
        q, s, r = found.combined, found.group_distance, found.largest_distance
        order = sorted(range(10), key=lambda place: q[place])
        first, second = order[:2]
        advantage = q[second] - q[first] >= 1 / 9
        stable = s[first] == min(s) or r[first] == min(r)
        if advantage and stable:
            members = {first}
        elif advantage:
            members = {first, second}
        else:
            members = {place for place in range(10) if q[place] - q[first] < 1 / 9}
        assert (found.has_advantage, found.is_stable) == (advantage, stable)
        assert set(np.flatnonzero(found.is_in_set).tolist()) == members
        seen.add((bool(advantage), bool(stable)))
    assert seen == {(True, True), (False, True), (True, False), (False, False)}


@given(cases())
@settings(derandomize=True, deadline=None)
def test_nothing_is_ever_nan_and_contributions_sum_to_the_score(case: tuple[np.ndarray, np.ndarray]) -> None:
    for result in all_ways(*case):
        assert ((result.score >= 0) & (result.score <= 100)).all()
        assert (result.score[result.reliability == 0] == 0).all()
        assert result.rank.min() == 1
        if result.method == "topsis":
            np.testing.assert_allclose(result.contributions.sum(axis=1), result.score, atol=1e-9)
            assert (result.contributions >= 0).all()
            assert (result.contributions[~result.present] == 0).all()
        else:
            compromise = result.compromise
            assert compromise is not None
            for measure in (compromise.group_distance, compromise.largest_distance, compromise.combined):
                assert ((measure >= 0) & (measure <= 1 + 1e-12)).all()
            assert compromise.is_in_set.any() == (result.reliability > 0).any()
            assert result.parts is None
            with pytest.raises(InvalidInput, match="does not divide its score"):
                _ = result.contributions


@given(cases(), st.floats(0.001, 1000), st.randoms(use_true_random=False))
@settings(derandomize=True, deadline=None)
def test_scale_of_weights_and_order_do_not_matter(case: tuple[np.ndarray, np.ndarray], scale: float, rng) -> None:
    scores, weights = case
    place, indicator = list(range(scores.shape[0])), list(range(scores.shape[1]))
    rng.shuffle(place)
    rng.shuffle(indicator)
    turned = all_ways(scores[place][:, indicator], weights[indicator] * scale)
    for one, other in zip(all_ways(scores, weights), turned, strict=True):
        np.testing.assert_allclose(other.score, one.score[place], atol=1e-6)
        np.testing.assert_array_equal(other.rank, one.rank[place])
        if one.parts is not None and other.parts is not None:
            np.testing.assert_allclose(other.parts, one.parts[place][:, indicator], atol=1e-6)
        if one.compromise is not None and other.compromise is not None:
            np.testing.assert_array_equal(other.compromise.is_in_set, one.compromise.is_in_set[place])


@given(cases(missing=False), st.sampled_from([0.25, 3.28084, 1000.0]), st.integers(-100, 100))
@settings(derandomize=True, deadline=None)
def test_ranks_do_not_depend_on_units(case: tuple[np.ndarray, np.ndarray], factor: float, shift: float) -> None:
    values, weights = case

    def ranks(table: np.ndarray, posts: tuple[float, float]) -> list[list[int]]:
        found = []
        for method in ("goalpost", "min-max", "z", "percentile"):
            scores = np.column_stack(
                [
                    normalise(column, "more-is-worse", method, posts if method == "goalpost" else None)
                    for column in table.T
                ]
            )
            # The last digits of a score may change with its unit; ranks by them would be of nothing.
            scores = np.clip(np.round(scores, 9), 0, 1)
            found += [aggregate(scores, weights, way).rank.tolist() for way in (*FIXED, "vikor")]
        return found

    assert ranks(values, (0.0, 0.75)) == ranks(values * factor + shift, (shift, 0.75 * factor + shift))


@given(cases(score, missing=False), st.data())
@settings(derandomize=True, deadline=None)
def test_a_place_added_changes_nothing_among_others(case: tuple[np.ndarray, np.ndarray], data: st.DataObject) -> None:
    """With frozen goalposts scores are fixed; here the new place is better off in everything than another."""
    scores, weights = case
    added = scores[0] * data.draw(hnp.arrays(np.float64, scores.shape[1], elements=score))
    for method in FIXED:
        before, after = aggregate(scores, weights, method), aggregate(np.vstack((scores, added)), weights, method)
        np.testing.assert_allclose(after.score[:-1], before.score, rtol=1e-12, atol=1e-12)
        order = np.argsort(before.score, kind="stable")
        apart = np.diff(before.rank[order]) != 0
        np.testing.assert_array_equal(np.diff(after.rank[:-1][order]) != 0, apart)
        assert after.rank[0] <= after.rank[-1]


def test_relative_ways_can_turn_the_order_of_others_which_is_why_they_are_not_the_default() -> None:
    turned = {"vikor": 0, "data": 0, "fixed": 0}
    for seed in range(200):
        scores, weights = random_case(seed, 5, 3)
        ways = {
            "vikor": lambda s, w=weights: aggregate(s, w, "vikor"),
            "data": lambda s, w=weights: aggregate(s, w, "topsis", ideals="data"),
            "fixed": lambda s, w=weights: aggregate(s, w, "topsis"),
        }
        for name, way in ways.items():
            whole, part = way(scores).rank[:4], way(scores[:4]).rank
            turned[name] += not np.array_equal(np.argsort(whole, kind="stable"), np.argsort(part, kind="stable"))
    assert turned["fixed"] == 0
    assert turned["vikor"] > 0
    assert turned["data"] > 0


@given(cases(score, missing=False))
@settings(derandomize=True, deadline=None)
def test_equal_scores_give_that_score_by_fixed_topsis(case: tuple[np.ndarray, np.ndarray]) -> None:
    scores, weights = case
    equal = np.repeat(scores[:, :1], scores.shape[1], axis=1)
    np.testing.assert_allclose(aggregate(equal, weights, "topsis").score, 100 * equal[:, 0], atol=1e-9)


@given(cases(score, missing=False), st.data())
@settings(derandomize=True, deadline=None)
def test_a_place_that_is_worse_in_everything_is_never_ranked_behind(
    case: tuple[np.ndarray, np.ndarray], data: st.DataObject
) -> None:
    scores, weights = case
    assume(len(scores) > 1)
    better = scores[0] * data.draw(hnp.arrays(np.float64, scores.shape[1], elements=score))
    for result in all_ways(np.vstack((scores, better)), weights):
        assert result.rank[0] <= result.rank[-1]


@given(cases(), few)
@settings(derandomize=True, deadline=None)
def test_an_indicator_in_which_no_places_differ_does_not_count_in_vikor(
    case: tuple[np.ndarray, np.ndarray], value: float
) -> None:
    scores, weights = case
    before = aggregate(scores, weights, "vikor")
    after = aggregate(np.column_stack((scores, np.full(len(scores), value))), [*weights, 2.0], "vikor")
    had = before.reliability > 0
    np.testing.assert_allclose(after.score[had], before.score[had], atol=1e-9)


def test_places_that_do_not_differ() -> None:
    same = np.full((3, 2), 0.3)
    assert aggregate(same, [1, 1], "topsis").score == pytest.approx([30] * 3)
    assert aggregate(same, [1, 3], "topsis", ideals="data").score.tolist() == [50] * 3
    assert aggregate(same, [1, 3], "topsis", ideals="data").contributions[0].tolist() == [12.5, 37.5]
    assert aggregate(same, [1, 1], "vikor").score.tolist() == [50] * 3
    alone = aggregate(np.array([[0.3, np.nan]]), [1, 1], "vikor")
    assert alone.score.tolist() == [50]
    assert alone.compromise is not None
    assert (alone.compromise.has_advantage, alone.compromise.is_stable) == (True, True)
    assert alone.compromise.is_in_set.tolist() == [True]
    nothing = aggregate(np.full((2, 2), np.nan), [1, 1], "vikor")
    assert nothing.score.tolist() == [0, 0]
    assert nothing.compromise is not None
    assert not nothing.compromise.is_in_set.any()
    nobody = aggregate(np.zeros((0, 2)), [1, 1], "vikor")
    assert nobody.score.shape == (0,)


@pytest.mark.parametrize(
    ("choice", "code"),
    [
        ({"ideals": "mean"}, "bad_method"),
        ({"strategy": 1.5}, "bad_strategy"),
        ({"strategy": float("nan")}, "bad_strategy"),
    ],
)
def test_impossible_choices_are_refused(choice, code: str) -> None:
    for method in ("topsis", "vikor"):
        with pytest.raises(InvalidInput) as error:
            aggregate(np.array([[0.5]]), [1.0], method, **choice)
        assert error.value.code == code
