"""Normalising many draws against one at a time, scipy and direct formulas."""

# mypy: disable-error-code="arg-type, no-untyped-def"

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from analysis.core.indicator_draws import NORMALISATIONS, Indicators, Normalisation, scores_of_draws
from analysis.core.normalising import normalise
from geo.errors import InvalidInput

DIRECTIONS = ("more-is-better", "more-is-worse")


def alone(values: np.ndarray, direction: str, method: Normalisation, goalposts: np.ndarray) -> np.ndarray:
    """One indicator of one draw by another way."""
    if method in ("goalpost", "min-max"):
        return normalise(values, direction, method, tuple(goalposts))
    present = ~np.isnan(values)
    found = np.full(values.shape, np.nan)
    known = values[present]
    if known.size and known.min() == known.max():
        found[present] = 0.5
    elif known.size and method == "percentile":
        found[present] = (stats.rankdata(known, "average") - 1) / (known.size - 1)
    elif known.size:
        found[present] = stats.norm.cdf(stats.zscore(known))
    return 1 - found if direction == "more-is-better" else found


@st.composite
def indicators(draw: st.DrawFn) -> tuple[Indicators, np.ndarray]:
    n, p, k = draw(st.integers(1, 3)), draw(st.integers(1, 6)), draw(st.integers(1, 4))
    # Few different values, so that there are ties; whole quarters, so that none are of rounding.
    numbers = st.integers(-40, 40).map(lambda v: v / 4)
    values = draw(hnp.arrays(np.float64, (p, k), elements=numbers))
    values[draw(hnp.arrays(bool, (p, k)))] = np.nan
    errors = draw(
        hnp.arrays(np.float64, draw(st.sampled_from([(k,), (p, k)])), elements=st.sampled_from([0.0, 0.5, 2.0]))
    )
    low = draw(hnp.arrays(np.float64, k, elements=st.integers(-20, 20).map(float)))
    directions = draw(st.lists(st.sampled_from(DIRECTIONS), min_size=k, max_size=k))
    deviates = draw(hnp.arrays(np.float64, (n, p, k), elements=st.integers(-6, 6).map(lambda v: v / 2)))
    return Indicators(values, directions, np.stack((low, low + 7.0), axis=1), errors), deviates


@pytest.mark.parametrize("method", NORMALISATIONS)
@given(case=indicators())
@settings(derandomize=True, deadline=None)
def test_each_draw_is_normalised_as_if_it_were_alone(method: Normalisation, case) -> None:
    given_, deviates = case
    found = scores_of_draws(given_, method, deviates)
    errors = np.broadcast_to(given_.errors, given_.values.shape)
    for i, off in enumerate(deviates):
        values = given_.values + errors * off
        for q, direction in enumerate(given_.directions):
            expected = alone(values[:, q], direction, method, given_.goalposts[q])
            if method in ("goalpost", "min-max"):
                np.testing.assert_array_equal(found[i, :, q], expected)
            else:
                np.testing.assert_allclose(found[i, :, q], expected, atol=1e-12)
    present = ~np.isnan(found)
    assert (present == ~np.isnan(given_.values)).all()
    assert ((found[present] >= 0) & (found[present] <= 1)).all()
    exact = scores_of_draws(given_, method)
    assert exact.shape == given_.values.shape
    np.testing.assert_array_equal(exact, scores_of_draws(given_, method, 0 * deviates)[0])


def test_constant_single_and_missing_indicators_are_defined() -> None:
    values = np.array([[7.0, 3.0, np.nan], [7.0, np.nan, np.nan], [7.0, np.nan, np.nan]])
    given_ = Indicators(values, ["more-is-worse", "more-is-better", "more-is-worse"])
    for method in ("min-max", "percentile", "z"):
        found = scores_of_draws(given_, method)
        assert found[:, 0].tolist() == [0.5, 0.5, 0.5]
        assert found[0, 1] == 0.5
        assert np.isnan(found[1:, 1]).all()
        assert np.isnan(found[:, 2]).all()


def test_very_large_and_very_small_values_keep_their_order() -> None:
    for values in ([-1e150, 0.0, 1e150], [1e-310, 2e-310, 3e-310], [0.0, 5e-324, 5e-324]):
        for method in ("min-max", "percentile", "z"):
            found = scores_of_draws(Indicators(np.array([values]).T, ["more-is-worse"]), method)[:, 0]
            assert not np.isnan(found).any()
            assert (np.diff(found) >= 0).all()


def test_what_was_given_is_not_changed_later() -> None:
    values = np.array([[1.0], [2.0]])
    given_ = Indicators(values, ["more-is-worse"])
    scores_of_draws(given_, "min-max")
    values[0] = 9
    assert given_.values[:, 0].tolist() == [1, 2]


def test_bad_input_is_refused() -> None:
    one = np.array([[1.0], [2.0]])
    for change, code in (
        ({"values": np.array([1.0])}, "length_mismatch"),
        ({"directions": ["more-is-worse"] * 2}, "length_mismatch"),
        ({"directions": ["up"]}, "bad_direction"),
        ({"values": np.array([[np.inf], [0.0]])}, "bad_indicator"),
        ({"goalposts": np.array([[1.0, 1.0]])}, "bad_goalposts"),
        ({"goalposts": np.array([[0.0, np.nan]])}, "bad_goalposts"),
        ({"goalposts": np.array([0.0, 1.0])}, "length_mismatch"),
        ({"errors": np.array([-1.0])}, "bad_standard_error"),
        ({"errors": np.array([np.nan])}, "bad_standard_error"),
        ({"errors": np.ones(3)}, "length_mismatch"),
    ):
        with pytest.raises(InvalidInput) as caught:
            Indicators(**{"values": one, "directions": ["more-is-worse"], **change})
        assert caught.value.code == code
    # The error of a value that is missing is nobody's business.
    Indicators(np.array([[1.0], [np.nan]]), ["more-is-worse"], errors=np.array([[1.0], [np.nan]]))
    plain = Indicators(one, ["more-is-worse"])
    for method, deviates, code in (
        ("goalpost", None, "bad_goalposts"),
        ("rank", None, "bad_method"),
        ("z", np.zeros((2, 1)), "length_mismatch"),
        ("z", np.full((1, 2, 1), np.nan), "bad_indicator"),
    ):
        with pytest.raises(InvalidInput) as caught:
            scores_of_draws(plain, method, deviates)
        assert caught.value.code == code
