"""Weights as institutions give them, and what they make of a city: the places ranked by each, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from analysis.core.agreement import Agreement, agreement
from analysis.core.index import Priority, aggregate
from analysis.core.pairwise import combined_comparisons, comparison_matrix, pairwise_weights
from analysis.core.weighting import Consistency, budget_allocation
from analysis.indicators import IndicatorMatrix, IndicatorRow, matrix_read
from analysis.indices.computing import IndexQuestion, check_question, scores_of
from geo.errors import InvalidInput
from geo.models import Place
from geo.querysets import User

Floats = NDArray[np.float64]
Comparisons = Sequence[tuple[str, str, float]]
Joined = Literal["shares", "comparisons"]

MOST_SETS: Final = 12
"""Sets that are compared at once: more columns than that nobody reads."""


@dataclass(frozen=True, slots=True, eq=False)
class DomainWeights:
    """Weights of domains by comparing each two, spread evenly over their indicators.

    Attributes
    ----------
    domains
        In the order of `shares` and of the numbers in `consistency`.
    weights
        Of indicators, by code: they sum to 100.
    """

    domains: tuple[str, ...]
    shares: tuple[float, ...]
    weights: Mapping[str, float]
    consistency: Consistency


def domain_weights(members: Mapping[str, Sequence[str]], comparisons: Comparisons) -> DomainWeights:
    """Weigh domains by comparing each two, and give each indicator of a domain the same part of its weight.

    Parameters
    ----------
    members
        By domain, the codes of its indicators.
    comparisons
        Two domains each, and how many times as important the first is as the second; those of other domains do not count.

    Raises
    ------
    InvalidInput
        As `analysis.core.pairwise.comparison_matrix` and `pairwise_weights`.

    Examples
    --------
    >>> found = domain_weights({"health": ["a", "b"], "social": ["c"]}, [("health", "social", 3)])
    >>> {code: round(weight, 6) for code, weight in found.weights.items()}
    {'a': 37.5, 'b': 37.5, 'c': 25.0}
    """
    domains = tuple(domain for domain, codes in members.items() if codes)
    found = pairwise_weights(_matrix(domains, comparisons))
    if found.consistency is None:  # which those from comparing have
        raise TypeError("pairwise")
    shares = tuple(found.shares.tolist())
    return DomainWeights(domains, shares, _spread(domains, shares, members), found.consistency)


def _matrix(domains: tuple[str, ...], comparisons: Comparisons) -> Floats:
    number = {domain: k for k, domain in enumerate(domains)}
    counted = [((number[a], number[b]), value) for a, b, value in comparisons if a in number and b in number]
    if len(dict(counted)) < len(counted):
        raise InvalidInput(
            "Two indicators are compared twice.",
            code="bad_comparison",
            where="comparisons",
            remedy="Give one comparison for each two.",
        )
    return comparison_matrix(len(domains), dict(counted))


def _spread(domains: Sequence[str], shares: Sequence[float], members: Mapping[str, Sequence[str]]) -> dict[str, float]:
    return {
        code: 100 * share / len(members[domain])
        for domain, share in zip(domains, shares, strict=True)
        for code in members[domain]
    }


@dataclass(frozen=True, slots=True)
class GivenWeights:
    """A set of weights to be compared.

    Attributes
    ----------
    weights
        By code of indicator, above zero.
    comparisons
        Of domains, where the weights come from those; empty otherwise.
    """

    key: str
    weights: Mapping[str, float]
    comparisons: Comparisons = ()


@dataclass(frozen=True, slots=True, eq=False)
class WeightComparison:
    """Places ranked by several sets of weights, all else alike.

    Attributes
    ----------
    shares
        Shape ``(sets, indicators)``: weights summing to 1.
    rankings
        One for each set.
    joint_shares, joint
        What all sets make together, and the ranking by it; None for one set.
    joined
        How they were put together: their shares, or their comparisons where all compare the same domains.
    agreement
        Of the sets; the joint one does not count.
    left_out
        Indicators that a set weighs and that cannot be scored here.
    unknown
        Codes that a set weighs and of which the city has no values.
    """

    matrix: IndicatorMatrix
    keys: tuple[str, ...]
    scores: Floats
    shares: Floats
    rankings: tuple[Priority, ...]
    joint_shares: Floats | None
    joint: Priority | None
    joined: Joined
    agreement: Agreement
    first: int
    left_out: tuple[IndicatorRow, ...]
    unknown: tuple[str, ...]

    @property
    def ranks(self) -> NDArray[np.int64]:
        """Shape ``(sets, places)``."""
        return np.stack([one.rank for one in self.rankings])


def weights_compare(
    *,
    city: Place,
    user: User,
    sets: Sequence[GivenWeights],
    known: Sequence[str],
    question: IndexQuestion | None = None,
) -> WeightComparison:
    """Rank the places of a city by each of several sets of weights.

    Parameters
    ----------
    known
        Codes of the indicators that the city has, as `analysis.indicators.indicator_rows` tells them.
    question : IndexQuestion, optional
        The methods, which are the same for all, the places that are ranked, and how many of them are the first; its weights do
        not count.

    Raises
    ------
    Forbidden, NotFound
        As `analysis.indicators.matrix_read`.
    InvalidInput
        Where there is no set or too many, a method is not known, or a set weighs nothing that the city has.
    """
    asked = question or IndexQuestion()
    check_question(asked)
    if not sets or len(sets) > MOST_SETS:
        raise InvalidInput(
            f"Of sets of weights, 1 to {MOST_SETS} can be compared.",
            code="bad_sets",
            where="set",
            remedy="Choose some of them.",
            details={"most": MOST_SETS},
        )
    named = {code for one in sets for code in one.weights}
    codes = [code for code in known if code in named]
    if not codes:
        raise _weighs_nothing()
    matrix = matrix_read(
        city=city, user=user, codes=codes, kinds=asked.kinds, until=asked.until, question=asked.question
    )
    left_out: tuple[IndicatorRow, ...] = ()
    if asked.normalisation == "goalpost":
        left_out = tuple(one for one in matrix.indicators if one.goalposts is None)
        kept = [k for k, one in enumerate(matrix.indicators) if one.goalposts is not None]
        matrix = matrix.only(kept) if left_out else matrix
    scores = scores_of(matrix, asked)[0]
    weights = np.array([[one.weights.get(row.code, 0.0) for row in matrix.indicators] for one in sets])
    if not weights.size or not weights.any(axis=1).all():
        raise _weighs_nothing()
    shares = weights / weights.sum(axis=1, keepdims=True)
    rankings = tuple(aggregate(scores, row, asked.aggregation) for row in shares)
    joint_shares: Floats | None = None
    joined: Joined = "shares"
    if len(sets) > 1:
        joint_shares, joined = _joint(sets, matrix, shares)
    first = min(asked.first, len(matrix.places))
    return WeightComparison(
        matrix, tuple(one.key for one in sets), scores, shares, rankings, joint_shares,
        None if joint_shares is None else aggregate(scores, joint_shares, asked.aggregation),
        joined, agreement(np.stack([one.rank for one in rankings]), first), first, left_out,
        tuple(sorted(named - set(known))),
    )  # fmt: skip


def _joint(sets: Sequence[GivenWeights], matrix: IndicatorMatrix, shares: Floats) -> tuple[Floats, Joined]:
    """Put sets together: comparisons of the same domains by geometric means, all others by the mean of their shares."""
    members: dict[str, list[str]] = {}
    for row in matrix.indicators:
        members.setdefault(row.domain, []).append(row.code)
    domains = tuple(members)
    if all(one.comparisons for one in sets) and len({frozenset(one.weights) for one in sets}) == 1:
        try:
            together = combined_comparisons([_matrix(domains, one.comparisons) for one in sets])
        except InvalidInput:  # an indicator has moved to a domain that was not compared
            pass
        else:
            spread = _spread(domains, pairwise_weights(together).shares.tolist(), members)
            joint = np.array([spread[row.code] for row in matrix.indicators])
            return joint / joint.sum(), "comparisons"
    return budget_allocation(shares).shares, "shares"


def _weighs_nothing() -> InvalidInput:
    return InvalidInput(
        "A set of weights weighs nothing that is measured here.",
        code="bad_weight",
        where="set",
        remedy="Leave it out, or weigh other indicators.",
    )


__all__ = [
    "MOST_SETS", "DomainWeights", "GivenWeights", "WeightComparison", "domain_weights", "weights_compare",
]  # fmt: skip
