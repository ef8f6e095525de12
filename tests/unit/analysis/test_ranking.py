"""Many rankings at once against one at a time, plain loops, scikit-criteria and pymcdm."""

# mypy: disable-error-code="arg-type, import-untyped, no-any-return, no-untyped-def"

import math
import warnings

import numpy as np
import pymcdm.methods
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from analysis.core.index import aggregate, competition_rank
from analysis.core.ranking import METHODS, MOST_PLACES, Method, ranks_of_many, scores_of_many
from geo.errors import InvalidInput

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import skcriteria
    from skcriteria.agg.topsis import TOPSIS
    from skcriteria.agg.vikor import VIKOR


def plain(scores: np.ndarray, weights: np.ndarray, method: Method) -> list[float]:
    """One ranking as the formulas read, place by place."""
    if method in ("arithmetic", "geometric"):
        return aggregate(scores, weights, method).score.tolist()
    if method == "topsis":
        found = []
        for row in scores:
            pairs = [(w, s) for w, s in zip(weights, row, strict=True) if not math.isnan(s)]
            up = math.sqrt(sum((w * s) ** 2 for w, s in pairs))
            down = math.sqrt(sum((w * (1 - s)) ** 2 for w, s in pairs))
            found.append(100 * up / (up + down) if up + down else 0.0)
        return found
    ends = [(0.0, 1.0)] * scores.shape[1]
    if method == "vikor":
        columns = [[s for s in column if not math.isnan(s)] for column in scores.T]
        ends = [(min(column), max(column)) if column else (0.0, 0.0) for column in columns]
    losses: list[tuple[float, float] | None] = []
    has_any = []
    for row in scores:
        here = [(w, s, *end) for w, s, end in zip(weights, row, ends, strict=True) if w > 0 and not math.isnan(s)]
        has_any.append(bool(here))
        terms = [(w, (high - s) / (high - low)) for w, s, low, high in here if low < high]
        left = sum(w for w, _ in terms)
        losses.append((sum(w * d for w, d in terms) / left, max(w * d for w, d in terms) / left) if terms else None)
    known = [one for one in losses if one is not None]
    found = []
    for one, is_known in zip(losses, has_any, strict=True):
        if one is None:
            found.append(50.0 if is_known else 0.0)
            continue
        q = 0.0
        for at in range(2):
            low, high = min(k[at] for k in known), max(k[at] for k in known)
            q += 0.5 * ((one[at] - low) / (high - low) if high - low > 1e-9 else 0.5)
        found.append(100 * (1 - q))
    return found


@st.composite
def cases(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    p, k, n = draw(st.integers(1, 6)), draw(st.integers(1, 6)), draw(st.integers(1, 4))
    scores = draw(hnp.arrays(np.float64, (p, k), elements=st.floats(0, 1, width=32)))
    scores[draw(hnp.arrays(bool, (p, k)))] = np.nan
    weights = draw(hnp.arrays(np.float64, (n, k), elements=st.floats(0, 10, width=32)))
    weights[:, draw(st.integers(0, k - 1))] = 1.0
    return scores, weights


@pytest.mark.parametrize("method", METHODS)
@given(case=cases())
@settings(derandomize=True, deadline=None)
def test_scores_are_those_of_each_ranking_by_itself(method: Method, case: tuple[np.ndarray, np.ndarray]) -> None:
    scores, weights = case
    found = scores_of_many(scores, weights, method)
    for row, weight in zip(found, weights, strict=True):
        np.testing.assert_allclose(
            row, plain(scores, weight, method), atol=1e-6 if method.startswith("vikor") else 1e-9
        )
    assert ((found >= 0) & (found <= 100)).all()


@pytest.mark.parametrize("method", METHODS)
@given(case=cases(), scale=st.floats(1e-3, 1e3), rng=st.randoms(use_true_random=False))
@settings(derandomize=True, deadline=None, max_examples=50)
def test_order_and_scale_of_weights_do_not_matter(method: Method, case, scale: float, rng) -> None:
    scores, weights = case
    place, indicator = list(range(scores.shape[0])), list(range(scores.shape[1]))
    rng.shuffle(place)
    rng.shuffle(indicator)
    one = scores_of_many(scores, weights, method)
    other = scores_of_many(scores[place][:, indicator], weights[:, indicator] * scale, method)
    np.testing.assert_allclose(other, one[:, place], atol=1e-6 if method.startswith("vikor") else 1e-9)


@pytest.mark.parametrize("method", ["arithmetic", "geometric", "topsis"])
@given(case=cases(), share=st.floats(0, 1))
@settings(derandomize=True, deadline=None, max_examples=50)
def test_a_dominated_place_more_changes_no_score_and_no_rank(method: Method, case, share: float) -> None:
    scores, weights = case
    before = scores_of_many(scores, weights, method)
    # Nowhere as bad as the last place, so it stands behind that one; who is ahead of it keeps its rank.
    after = scores_of_many(np.vstack((scores, scores[-1:] * share)), weights, method)
    assert after[:, :-1].tobytes() == before.tobytes()
    ranks, with_it = ranks_of_many(before), ranks_of_many(after)
    assert (with_it[:, -1] >= with_it[:, -2]).all()
    ahead = before > after[:, -1:] + 1e-8
    assert (ranks[ahead] == with_it[:, :-1][ahead]).all()


@pytest.mark.parametrize("method", METHODS)
def test_a_large_case_with_gaps_agrees_place_by_place_on_any_number_of_threads(method: Method) -> None:
    rng = np.random.default_rng(3)
    scores = rng.random((400, 30))
    scores[rng.random(scores.shape) < 0.05] = np.nan
    weights = rng.dirichlet(np.full(30, 2.0), 700)
    found = scores_of_many(scores, weights, method, threads=1)
    for at in (0, 311, 699):
        np.testing.assert_allclose(found[at], plain(scores, weights[at], method), atol=1e-9)
    assert scores_of_many(scores, weights, method, threads=3).tobytes() == found.tobytes()
    # How many are asked for together does not matter to a byte either.
    assert scores_of_many(scores, weights[311:312], method).tobytes() == found[311:312].tobytes()
    ranks = ranks_of_many(found, threads=1)
    assert ranks.dtype == np.int32
    assert ranks.tobytes() == ranks_of_many(found, threads=3).tobytes()
    for at in (0, 311, 699):
        np.testing.assert_array_equal(ranks[at], competition_rank(found[at]))


def with_ends(rng: np.random.Generator) -> np.ndarray:
    """Scores that have the ideal and its opposite in every column, as the peers take these from the data."""
    scores = rng.random((9, 5))
    for column in range(5):
        scores[column, column], scores[(column + 1) % 9, column] = 1.0, 0.0
    return scores


@pytest.mark.parametrize("seed", range(5))
def test_topsis_and_vikor_agree_with_pymcdm(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, weight = with_ends(rng), rng.dirichlet(np.ones(5))
    topsis = pymcdm.methods.TOPSIS(lambda x, cost=False: x)(scores, weight, np.ones(5))
    np.testing.assert_allclose(scores_of_many(scores, weight[None], "topsis")[0], 100 * topsis, atol=1e-9)
    vikor = pymcdm.methods.VIKOR()(scores, weight, np.ones(5))
    for method in ("vikor", "vikor-fixed"):
        np.testing.assert_allclose(scores_of_many(scores, weight[None], method)[0], 100 * (1 - vikor), atol=1e-9)
    # As published the method stretches whatever it is given.
    narrow = rng.uniform(0.2, 0.7, (9, 5))
    vikor = pymcdm.methods.VIKOR()(narrow, weight, np.ones(5))
    np.testing.assert_allclose(scores_of_many(narrow, weight[None], "vikor")[0], 100 * (1 - vikor), atol=1e-9)
    assert abs(scores_of_many(narrow, weight[None], "vikor-fixed")[0] - 100 * (1 - vikor)).max() > 1


@pytest.mark.parametrize("seed", range(5))
def test_topsis_and_vikor_agree_with_scikit_criteria(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, weight = with_ends(rng), rng.dirichlet(np.ones(5))
    # Its TOPSIS takes values that were weighted before.
    weighted = skcriteria.mkdm(scores * weight, [max] * 5)
    similarity = TOPSIS().evaluate(weighted)
    np.testing.assert_allclose(
        scores_of_many(scores, weight[None], "topsis")[0], 100 * similarity.e_["similarity"], atol=1e-9
    )
    found = ranks_of_many(scores_of_many(scores, weight[None], "topsis"))[0]
    np.testing.assert_array_equal(found, similarity.rank_)
    for values, method in ((scores, "vikor"), (scores, "vikor-fixed"), (rng.uniform(0.2, 0.7, (9, 5)), "vikor")):
        compromise = VIKOR(v=0.5).evaluate(skcriteria.mkdm(values, [max] * 5, weights=weight))
        mine = scores_of_many(values, weight[None], method)
        np.testing.assert_allclose(mine[0], 100 * (1 - compromise.e_["q_k"]), atol=1e-9)
        # Its ranks put a whole compromise set first; ours are those by Q.
        np.testing.assert_array_equal(ranks_of_many(mine)[0], 1 + np.argsort(np.argsort(compromise.e_["q_k"])))


@given(
    hnp.arrays(
        np.float64,
        hnp.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=8),
        elements=st.sampled_from([0.0, 1e-10, 4e-10, 6e-10, 1.0, 33.3333333333, 33.3333333334, 50.0, 100.0]),
    )
)
@settings(derandomize=True, deadline=None)
def test_ranks_are_competition_ranks_ties_included(many: np.ndarray) -> None:
    found = ranks_of_many(many)
    assert found.shape == many.shape
    for row, ranks in zip(many, found, strict=True):
        assert ranks.tolist() == competition_rank(row).tolist()
        keys = [round(value * 1e9) for value in row]
        assert ranks.tolist() == [1 + sum(other > key for other in keys) for key in keys]


def test_places_that_do_not_differ_tie_by_every_method() -> None:
    for method in METHODS:
        for p in (1, 3):
            found = scores_of_many(np.full((p, 4), 0.3), np.array([[1.0, 2.0, 0.0, 5.0]]), method)
            assert ranks_of_many(found).tolist() == [[1] * p]
            assert len(set(found[0].tolist())) == 1


def test_a_place_without_data_is_last_and_leaves_the_others_alone() -> None:
    scores = np.array([[0.2, 0.9], [np.nan, np.nan], [0.7, 0.1], [np.nan, 0.5]])
    weights = np.array([[1.0, 2.0], [1.0, 0.0]])
    for method in METHODS:
        found = scores_of_many(scores, weights, method)
        assert found[:, 1].tolist() == [0, 0]
        assert found[1, 3] == 0  # its only indicator has no weight
        np.testing.assert_allclose(found[:1, [0, 2, 3]], scores_of_many(scores[[0, 2, 3]], weights[:1], method))


def test_a_weight_next_to_nothing_still_counts_where_there_is_no_other() -> None:
    scores = np.array([[np.nan, 0.25], [0.5, 0.5]])
    found = scores_of_many(scores, np.array([[1.0, 1e-200]]), "topsis")
    assert found[0] == pytest.approx([25, 50])
    assert scores_of_many(scores, np.array([[1e300, 1e300]]), "arithmetic")[0].tolist() == [25, 50]


def test_bad_input_is_refused() -> None:
    good = np.full((2, 2), 0.5)
    for scores, weights, code in (
        (np.full(3, 0.5), np.ones((1, 3)), "length_mismatch"),
        (np.empty((2, 0)), np.ones((1, 0)), "length_mismatch"),
        (good, np.ones(2), "length_mismatch"),
        (good, np.ones((1, 3)), "length_mismatch"),
        (np.full((2, 2), 1.5), np.ones((1, 2)), "bad_score"),
        (np.full((2, 2), np.inf), np.ones((1, 2)), "bad_score"),
        (good, np.array([[1.0, 1.0], [0.0, 0.0]]), "bad_weight"),
        (good, np.array([[1.0, -1.0]]), "bad_weight"),
        (good, np.array([[1.0, np.nan]]), "bad_weight"),
        (np.zeros((MOST_PLACES + 1, 1)), np.ones((1, 1)), "too_many_places"),
    ):
        with pytest.raises(InvalidInput) as caught:
            scores_of_many(scores, weights, "arithmetic")
        assert caught.value.code == code
    with pytest.raises(InvalidInput, match="not a method"):
        scores_of_many(good, np.ones((1, 2)), "promethee")
    for many in (np.array([[np.nan]]), np.array([[101.0]]), np.array([[-1.0]]), np.array([1.0])):
        with pytest.raises(InvalidInput):
            ranks_of_many(many)
