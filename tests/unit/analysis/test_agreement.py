"""How much rankings agree: against scipy, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import friedmanchisquare, kendalltau, rankdata

from analysis.core.agreement import agreement
from geo.errors import InvalidInput

RANDOM = np.random.default_rng(7)


def ranked(values: np.ndarray) -> np.ndarray:
    """Ranks as the index gives them: ties share the better one."""
    return np.stack([rankdata(row, method="min") for row in values]).astype(int)


@pytest.mark.parametrize("most", [4, 1000], ids=["many-ties", "few-ties"])
@pytest.mark.parametrize("shape", [(3, 5), (4, 12), (9, 40)])
def test_both_coefficients_are_those_of_scipy(shape: tuple[int, int], most: int) -> None:
    ranks = ranked(RANDOM.integers(0, most, shape))
    found = agreement(ranks, first=3)
    m, p = shape
    # Friedman's statistic, corrected for ties, is m (p − 1) W; it takes three rankings or more.
    assert found.concordance == pytest.approx(friedmanchisquare(*ranks.T)[0] / (m * (p - 1)), abs=1e-12)
    for i in range(m):
        for j in range(m):
            assert found.taus[i, j] == pytest.approx(kendalltau(ranks[i], ranks[j]).statistic, abs=1e-12)
    assert found.spread.tolist() == np.ptp(ranks, axis=0).tolist()


def test_friedman_is_asked_about_places_as_treatments() -> None:
    """The check above would pass for a wrong W if scipy were asked the wrong way round: one case by hand."""
    found = agreement([[1, 2, 3], [1, 3, 2], [2, 1, 3]], first=1)
    # Sums of ranks 4, 6, 8 lie 2, 0, 2 from their mean: S = 8, W = 12·8 / (9·24).
    assert found.concordance == pytest.approx(96 / 216)
    assert found.first.tolist() == [[True, False, False], [True, False, False], [False, True, False]]
    assert found.first_of_all.tolist() == [False, False, False]
    assert found.first_of_any.tolist() == [True, True, False]


def test_the_same_order_and_the_reverse() -> None:
    ranks = np.arange(1, 8)
    assert agreement([ranks, ranks], 1).concordance == pytest.approx(1)
    reverse = agreement([ranks, ranks[::-1]], 1)
    assert reverse.concordance == pytest.approx(0)
    assert reverse.taus[0, 1] == -1
    assert reverse.spread.tolist() == [6, 4, 2, 0, 2, 4, 6]


def test_what_cannot_be_said_is_not_said() -> None:
    assert agreement([[1, 2, 3]], 1).concordance is None
    assert agreement([[1], [1]], 1).concordance is None
    tied = agreement([[1, 1, 1], [1, 1, 1]], 1)
    assert tied.concordance is None
    assert np.isnan(tied.taus).all()
    for wrong, first in (([], 1), ([[]], 1), ([1, 2], 1), ([[1, 2]], 0)):
        with pytest.raises(InvalidInput):
            agreement(wrong, first)
