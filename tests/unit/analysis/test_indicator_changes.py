"""Values that move a place across the line, against fine grids of values and closed forms."""

# mypy: disable-error-code="arg-type, no-untyped-def"

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.core.indicator_changes import smallest_indicator_change
from analysis.core.indicator_draws import NORMALISATIONS, Indicators, Normalisation, scores_of_draws
from analysis.core.ranking import METHODS, Method, ranks_of_many, scores_of_many
from geo.errors import InvalidInput


def rank_with(given_: Indicators, weights: np.ndarray, place: int, q: int, value: float, how) -> int:
    values = given_.values.copy()
    values[place, q] = value
    changed = Indicators(values, given_.directions, given_.goalposts)
    scores = scores_of_many(scores_of_draws(changed, how[0]), weights[None], how[1])
    return int(ranks_of_many(scores)[0, place])


@st.composite
def cases(draw: st.DrawFn) -> tuple[Indicators, np.ndarray, int, int]:
    p, k = draw(st.integers(1, 6)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    values = rng.integers(0, 21, (p, k)) / 2
    values[rng.random((p, k)) < draw(st.sampled_from([0.0, 0.2]))] = np.nan
    weights = rng.integers(0, 4, k).astype(float)
    weights[int(rng.integers(k))] = 1.0
    directions = draw(st.lists(st.sampled_from(["more-is-worse", "more-is-better"]), min_size=k, max_size=k))
    return (
        Indicators(values, directions, np.tile([1.0, 9.0], (k, 1))),
        weights,
        int(rng.integers(p)),
        draw(st.integers(1, 4)),
    )


@pytest.mark.parametrize("normalisation", NORMALISATIONS)
@pytest.mark.parametrize("method", METHODS)
@given(cases())
@settings(derandomize=True, deadline=None, max_examples=25)
def test_the_value_needed_flips_and_no_nearer_one_of_a_grid_does(
    normalisation: Normalisation, method: Method, case
) -> None:
    given_, weights, place, first = case
    how = (normalisation, method)
    p, k = given_.values.shape
    is_in = (
        ranks_of_many(scores_of_many(scores_of_draws(given_, normalisation), weights[None], method))[0, place] <= first
    )
    found = smallest_indicator_change(given_, weights, place, first, normalisation, method)
    assert [change.indicator for change in found] == list(range(k))
    for q, change in enumerate(found):
        value = given_.values[place, q]
        if np.isnan(value):
            assert (change.value, change.needed, change.reason) == (None, None, "missing")
            continue
        assert change.value == value
        is_up = (given_.directions[q] == "more-is-worse") != is_in
        column = given_.values[:, q]
        if normalisation == "goalpost":
            furthest = max(9.0, value) if is_up else min(1.0, value)
        else:
            furthest = np.nanmax(column) if is_up else np.nanmin(column)
        if change.needed is None:
            assert change.rank_after is None
            if change.reason == "all-inside":
                assert p <= first
            elif change.reason == "no-weight":
                assert weights[q] == 0
            else:
                assert change.reason == "not-enough"
                assert (rank_with(given_, weights, place, q, furthest, how) <= first) == is_in
            continue
        assert change.reason is None
        assert change.rank_after == rank_with(given_, weights, place, q, change.needed, how)
        assert (change.rank_after <= first) != is_in
        assert change.needed > value if is_up else change.needed < value
        assert min(value, furthest) <= change.needed <= max(value, furthest)
        if normalisation == "goalpost" and not method.startswith("vikor"):
            # A hair before the value needed, the place has not crossed; neither has it anywhere nearer.
            for share in (0.3, 0.7, 0.99, 1 - 1e-6):
                nearer = value + share * (change.needed - value)
                if nearer != change.needed:
                    assert (rank_with(given_, weights, place, q, nearer, how) <= first) == is_in


def test_the_worked_example() -> None:
    """Coverage of clinics 90 %, 50 %, 10 % (need 0.1, 0.5, 0.9), distance to a park 1000, 300, 400 m (1, 0.125, 0.25).

    Weights 3 : 1: 32.5, 40.625, 73.75 points. For the first place to reach 40.625, its clinics need a score of
    (40.625 − 25)/75 = 5/24, which is a coverage of 19/24. Its park is as far as counts.
    """
    given_ = Indicators(
        [[0.9, 1000], [0.5, 300], [0.1, 400]], ["more-is-better", "more-is-worse"], [[0.0, 1.0], [200.0, 1000.0]]
    )
    clinic, park = smallest_indicator_change(given_, [3, 1], 0, 2)
    assert clinic.needed == pytest.approx(19 / 24, abs=1e-9)
    assert (clinic.rank_after, park.needed, park.reason) == (2, None, "not-enough")
    # The second gets out of the first two below 32.5 points: need (32.5 − 3.125)/75, or not by the park alone.
    clinic, park = smallest_indicator_change(given_, [3, 1], 1, 2)
    assert clinic.needed == pytest.approx(1 - 29.375 / 75, abs=1e-9)
    assert (clinic.rank_after, park.reason) == (3, "not-enough")


def test_bad_input_is_refused() -> None:
    given_ = Indicators([[1.0], [2.0]], ["more-is-worse"], [[0.0, 3.0]])
    for arguments, code in (
        (([1], 2, 1), "bad_place"),
        (([1], 0, 0), "bad_line"),
        (([0], 0, 1), "bad_weight"),
        (([1], 0, 1, "rank"), "bad_method"),
        (([1], 0, 1, "z", "borda"), "bad_method"),
    ):
        with pytest.raises(InvalidInput) as caught:
            smallest_indicator_change(given_, *arguments)
        assert caught.value.code == code
