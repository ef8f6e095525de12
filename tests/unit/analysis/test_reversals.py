"""Pairs that change their order, against comparing every pair before and after by plain loops."""

# mypy: disable-error-code="arg-type, no-any-return, no-untyped-def"

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.core.indicator_draws import NORMALISATIONS, Indicators, Normalisation, scores_of_draws
from analysis.core.ranking import METHODS, Method, ranks_of_many, scores_of_many
from analysis.core.reversals import rank_reversals
from geo.errors import InvalidInput


def ranks(given_: Indicators, weights: np.ndarray, normalisation: Normalisation, method: Method) -> np.ndarray:
    return ranks_of_many(scores_of_many(scores_of_draws(given_, normalisation), weights[None], method))[0]


def plain(
    given_: Indicators, weights: np.ndarray, normalisation: Normalisation, method: Method
) -> dict[tuple[str, int], set[tuple[int, int]]]:
    p, k = given_.values.shape
    before = ranks(given_, weights, normalisation, method)
    found: dict[tuple[str, int], set[tuple[int, int]]] = {}

    def compare(name: str, number: int, after: dict[int, int]) -> None:
        pairs = {(i, j) for i, j in itertools.permutations(after, 2) if before[i] < before[j] and after[i] > after[j]}
        if pairs:
            found[name, number] = pairs

    def of(values: np.ndarray) -> Indicators:
        return Indicators(values, given_.directions, given_.goalposts)

    for place in range(p):
        rest = [j for j in range(p) if j != place]
        after = ranks(of(given_.values[rest]), weights, normalisation, method)
        compare("place-left-out", place, dict(zip(rest, after.tolist(), strict=True)))
        copied = ranks(of(np.vstack((given_.values, given_.values[[place]]))), weights, normalisation, method)
        compare("place-copied", place, dict(enumerate(copied[:p].tolist())))
    for q in range(k):
        left = [c for c in range(k) if c != q]
        if left and weights[left].any():
            part = Indicators(
                given_.values[:, left],
                [given_.directions[c] for c in left],
                None if given_.goalposts is None else given_.goalposts[left],
            )
            compare(
                "indicator-left-out", q, dict(enumerate(ranks(part, weights[left], normalisation, method).tolist()))
            )
    return found


@st.composite
def cases(draw: st.DrawFn) -> tuple[Indicators, np.ndarray, Normalisation]:
    p, k = draw(st.integers(1, 6)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    values = rng.integers(0, 9, (p, k)).astype(float)
    values[rng.random((p, k)) < draw(st.sampled_from([0.0, 0.3]))] = np.nan
    weights = rng.integers(0, 3, k).astype(float)
    weights[int(rng.integers(k))] = 1.0
    goalposts = np.tile([0.0, 8.0], (k, 1))
    return Indicators(values, ["more-is-worse"] * k, goalposts), weights, draw(st.sampled_from(NORMALISATIONS))


@given(cases())
@settings(derandomize=True, deadline=None, max_examples=60)
def test_reversals_are_those_found_pair_by_pair(case: tuple[Indicators, np.ndarray, Normalisation]) -> None:
    given_, weights, normalisation = case
    for method, told in zip(METHODS, rank_reversals(given_, weights, normalisation, METHODS, 100), strict=True):
        assert told.method == method
        expected = plain(given_, weights, normalisation, method)
        assert {(one.change, one.number): set(one.pairs) for one in told.found} == expected
        assert all(one.count == len(one.pairs) for one in told.found)
        assert told.asked + len(told.not_asked) == 2 * len(given_.values) + len(weights)
        assert all(weights[q] > 0 and np.count_nonzero(weights) == 1 for q in told.not_asked)


@given(cases())
@settings(derandomize=True, deadline=None, max_examples=60)
def test_by_goalposts_other_places_never_matter_unless_by_vikor(case) -> None:
    given_, weights, _ = case
    for told in rank_reversals(given_, weights, "goalpost", ("arithmetic", "geometric", "topsis")):
        assert {one.change for one in told.found} <= {"indicator-left-out"}


def test_relative_methods_do_reverse_among_60_places() -> None:
    rng = np.random.default_rng(5)
    given_ = Indicators(rng.lognormal(0, 1, (60, 6)), ["more-is-worse"] * 6, np.tile([0.0, 9.0], (6, 1)))
    by_range, vikor = rank_reversals(given_, np.ones(6), "min-max", ["arithmetic", "vikor"], most_pairs=2)
    assert any(one.change == "place-left-out" for one in by_range.found)
    assert any(one.change == "place-left-out" for one in vikor.found)
    assert max(one.count for one in by_range.found) > 2 == max(len(one.pairs) for one in by_range.found)
    # Named first are pairs at the top.
    before = ranks(given_, np.ones(6), "min-max", "arithmetic")
    for one in by_range.found:
        tops = [before[ahead] for ahead, _ in one.pairs]
        assert tops == sorted(tops)


def test_bad_input_is_refused() -> None:
    given_ = Indicators([[1.0], [2.0]], ["more-is-worse"])
    for arguments, code in (
        (([0], "z", ["arithmetic"]), "bad_weight"),
        (([1, 1], "z", ["arithmetic"]), "length_mismatch"),
        (([1], "goalpost", ["arithmetic"]), "bad_goalposts"),
        (([1], "z", ["borda"]), "bad_method"),
        (([1], "z", ["arithmetic"], -1), "bad_number"),
    ):
        with pytest.raises(InvalidInput) as caught:
            rank_reversals(given_, *arguments)
        assert caught.value.code == code
    only = rank_reversals(given_, [1], "z", ["arithmetic"])[0]
    assert (only.asked, only.not_asked, only.found) == (4, (0,), ())
