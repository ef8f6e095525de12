"""How sure ranks are: the same places ranked again and again as weights, methods and values are drawn at random."""

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from analysis.core.indicator_draws import NORMALISATIONS, Indicators, Normalisation, drawn_scores
from analysis.core.ranking import (
    Method,
    aggregated,
    checked_method,
    checked_weights_many,
    in_parts,
    ranked,
)
from geo.errors import InvalidInput

Floats = NDArray[np.float64]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]

#: What a place's ranks say about it; ``no-data`` is a place without any indicator that has a weight.
Message = Literal["robustly-worst", "depends-on-choices", "robustly-fine", "no-data"]

MOST_DRAWS: Final = 1_000_000
#: Scores with drawn errors are kept between rankings up to so many; beyond that they are drawn again.
MOST_KEPT: Final = 16_000_000

# Streams of random numbers, apart from each other.
_OF_WEIGHTS, _OF_CHOICES, _OF_ERRORS = 1, 2, 3
# Errors of so many values are drawn from one stream, whatever the threads.
_ERRORS_AT_ONCE: Final = 100_000


@dataclass(frozen=True, slots=True)
class Dirichlet:
    """Weights drawn from a Dirichlet distribution with the given weights as its mean.

    Attributes
    ----------
    concentration
        One or more: a weight w has the variance w(1 − w)/(concentration + 1). A weight of zero stays zero.
    """

    concentration: float


@dataclass(frozen=True, slots=True)
class Within:
    """Each weight drawn evenly within a share of itself, by itself; only then are they scaled to sum to 1.

    Attributes
    ----------
    share
        Above 0, up to 1: 0.25 is ±25 %.
    """

    share: float


@dataclass(frozen=True, slots=True)
class Choices:
    """What is drawn besides the errors of the values.

    Attributes
    ----------
    weights
        How weights are drawn; None leaves them as they are.
    normalisations, aggregations
        Among which one is drawn for each ranking, all as likely. The first of each is the one that is published.
    """

    weights: Dirichlet | Within | None = Within(0.25)
    normalisations: tuple[Normalisation, ...] = ("goalpost",)
    aggregations: tuple[Method, ...] = ("arithmetic",)


@dataclass(frozen=True, slots=True, eq=False)
class RankUncertainty:
    """How the ranks of places are spread over all draws.

    Attributes
    ----------
    published_rank
        Shape ``(p,)``: by the given weights and values and the first of the choices.
    median_rank, low_rank, high_rank
        Shape ``(p,)``: the smallest ranks that at least half, 5 % and 95 % of the draws do not exceed. At least 90 %
        of the draws are from ``low_rank`` to ``high_rank``, both included.
    mean_rank
        Shape ``(p,)``.
    first
        The ``k`` that were asked for.
    chance_first
        Shape ``(p, len(first))``: share of draws with a rank of ``k`` or better. Its standard error is √(c(1 − c)/n).
    message
        What to say of each place, for the first of ``first``.
    counts
        Shape ``(p, p)``: how many draws gave the place the rank column + 1. Each row sums to ``draws``.
    draws, seed
        As given.
    """

    published_rank: Int32
    median_rank: Int32
    low_rank: Int32
    high_rank: Int32
    mean_rank: Floats
    first: tuple[int, ...]
    chance_first: Floats
    message: tuple[Message, ...]
    counts: Int32
    draws: int
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class KeptDraws:
    """What stays when only weights change: a slider asks it again and again, with `rank_uncertainty_of`.

    Attributes
    ----------
    indicators, choices, draws, seed
        As given.
    exact
        Shape ``(len(normalisations), k, p)``: scores of the values as they are.
    normalisation, aggregation
        Shape ``(draws,)``: which of the choices each draw has.
    swing
        Shape ``(draws, k)``: between −1 and 1, where weights are drawn `Within` a share; else empty. The same for all
        weights, so that an answer does not tremble as a slider moves.
    with_errors
        Shape ``(draws, u, p)``: scores of the columns that have errors, if they are few enough to be kept.
    """

    indicators: Indicators
    choices: Choices
    draws: int
    seed: int
    exact: Floats
    normalisation: Int64
    aggregation: Int64
    swing: Floats
    with_errors: Floats | None


def rank_uncertainty(
    indicators: Indicators,
    weights: Sequence[float] | NDArray[np.floating],
    choices: Choices,
    first: Sequence[int] = (10,),
    draws: int = 10_000,
    seed: int = 1,
    sure: float = 0.95,
    threads: int | None = None,
) -> RankUncertainty:
    """Rank places many times, each time with drawn weights, methods and errors, and tell how their ranks are spread.

    Parameters
    ----------
    indicators
        Values before normalising, with their errors: a draw adds to each value a normal deviate times its error.
    weights
        Shape ``(k,)``: those that are published; zero or more, not all zero; only their proportions matter.
    choices
        What else is drawn.
    first
        Chances are told of being among the first so many; the first of them is the line that messages are about.
    draws
        How many rankings.
    seed
        The same seed gives the same bytes, on any number of threads.
    sure
        Above 0.5, up to 1. ``robustly-worst``: at least this chance to be among the first; ``robustly-fine``: at most
        1 − this chance; else ``depends-on-choices``.
    threads
        At most so many; as many as there are processors if None.

    Returns
    -------
    RankUncertainty
        It tells how the ranks depend on what was drawn, and on nothing else: an indicator that should not be there
        is as wrong in every draw.

    Raises
    ------
    InvalidInput
        If weights or choices cannot be used, or a number is out of its range.

    Notes
    -----
    Reference: [@saisana2005], sections 3 and 4.

    Examples
    --------
    One place is worst in both; the other two change places as the weights do:

    >>> three = Indicators([[9, 9], [5, 1], [1, 5]], ["more-is-worse"] * 2, [[0, 10], [0, 10]])
    >>> found = rank_uncertainty(three, [1, 1], Choices(Within(0.5)), first=[1, 2], draws=4000)
    >>> found.message
    ('robustly-worst', 'robustly-fine', 'robustly-fine')
    >>> found.low_rank.tolist(), found.high_rank.tolist(), found.chance_first[:, 1].round(1).tolist()
    ([1, 2, 2], [1, 3, 3], [1.0, 0.5, 0.5])
    """
    kept = kept_draws(indicators, choices, draws, seed, threads, keep_errors=False)
    return rank_uncertainty_of(kept, weights, first, sure, threads)


def kept_draws(
    indicators: Indicators,
    choices: Choices,
    draws: int = 10_000,
    seed: int = 1,
    threads: int | None = None,
    *,
    keep_errors: bool = True,
) -> KeptDraws:
    """Draw what does not depend on the weights.

    Parameters
    ----------
    indicators, choices, draws, seed, threads
        As for `rank_uncertainty`.
    keep_errors
        Whether scores with errors are kept too, where they are no more than `MOST_KEPT`. It changes no answer, only
        how fast it comes.

    Raises
    ------
    InvalidInput
        If the choices cannot be used, or there are no draws or too many.
    """
    checked_choices(choices)
    if not 1 <= draws <= MOST_DRAWS:
        raise InvalidInput(
            f"{draws:,} rankings cannot be drawn.", code="bad_draws", remedy=f"Draw from 1 to {MOST_DRAWS:,}."
        )
    if seed < 0:
        raise InvalidInput("A seed is negative.", code="bad_seed", remedy="Give a whole number of zero or more.")
    p, k = indicators.values.shape
    exact = np.concatenate([drawn_scores(indicators, method, None) for method in choices.normalisations])
    rng = np.random.default_rng([seed, _OF_CHOICES])
    normalisation = rng.integers(len(choices.normalisations), size=draws)
    aggregation = rng.integers(len(choices.aggregations), size=draws)
    swing = np.empty((0, k))
    if isinstance(choices.weights, Within):
        swing = np.random.default_rng([seed, _OF_WEIGHTS]).uniform(-1.0, 1.0, (draws, k))
    kept = KeptDraws(indicators, choices, draws, seed, exact, normalisation, aggregation, swing, None)
    numbers = draws * indicators.uncertain.size * p
    if not keep_errors or not 0 < numbers <= MOST_KEPT:
        return kept
    with_errors = np.empty((draws, indicators.uncertain.size, p))

    def work(part: slice) -> None:
        _draw_errors(kept, part, with_errors[part])

    _in_streams(kept, work, threads)
    return KeptDraws(indicators, choices, draws, seed, exact, normalisation, aggregation, swing, with_errors)


def rank_uncertainty_of(
    kept: KeptDraws,
    weights: Sequence[float] | NDArray[np.floating],
    first: Sequence[int] = (10,),
    sure: float = 0.95,
    threads: int | None = None,
) -> RankUncertainty:
    """Answer as `rank_uncertainty` from draws that were kept; the answer is the same bytes.

    Parameters
    ----------
    kept
        From `kept_draws`.
    weights, first, sure, threads
        As for `rank_uncertainty`.
    """
    lines = tuple(int(line) for line in first)
    if not lines or min(lines) < 1:
        raise InvalidInput("The first so many places must be one or more.", code="bad_line")
    if not 0.5 < sure <= 1:
        raise InvalidInput(f"{sure:g} is not a chance above one half.", code="bad_share", remedy="Give 0.95, or so.")
    given = checked_weights_many(np.asarray(weights, dtype=np.float64).reshape(1, -1), kept.exact.shape[1])
    p = kept.exact.shape[2]
    published = np.empty((1, p), np.int32)
    _rank(kept.exact[:1], given, kept.choices.aggregations[0], published)
    ranks = drawn_ranks(kept, given[0], threads)
    counts = _counted(ranks, threads)
    below = np.cumsum(counts, axis=1, dtype=np.int64)
    low, median, high = (_quantiles(below, share, kept.draws) for share in (0.05, 0.5, 0.95))
    chance = (
        np.stack([below[:, min(line, p) - 1] / kept.draws for line in lines], axis=1)
        if p
        else np.empty((0, len(lines)))
    )
    has_data = (~np.isnan(kept.indicators.values[:, given[0] > 0])).any(axis=1)
    mean = counts @ np.arange(1.0, p + 1) / kept.draws
    message = tuple(
        _message(float(c), sure) if known else "no-data" for c, known in zip(chance[:, 0], has_data, strict=True)
    )
    return RankUncertainty(
        published[0], median, low, high, mean, lines, chance, message, counts, kept.draws, kept.seed
    )  # fmt: skip


def drawn_weights(kept: KeptDraws, weights: Floats) -> Floats:
    """Return the weights of each draw, shape ``(draws, k)``, around ``weights`` that sum to 1; each row sums to 1."""
    law = kept.choices.weights
    if law is None:
        return np.repeat(weights[None], kept.draws, axis=0)
    if isinstance(law, Within):
        drawn = weights * (1.0 + law.share * kept.swing)
    else:
        # Gamma variates over their sum. A share of 0.1 % of a concentration of one or more cannot lose them all.
        shape = law.concentration * weights
        drawn = np.random.default_rng([kept.seed, _OF_WEIGHTS]).standard_gamma(shape, (kept.draws, weights.size))
    total = drawn.sum(axis=1)
    drawn[total <= 0] = weights
    return np.asarray(drawn / drawn.sum(axis=1)[:, None])


def drawn_ranks(kept: KeptDraws, weights: Floats, threads: int | None = None) -> Int32:
    """Return the ranks of each draw, shape ``(draws, p)``, around ``weights`` that sum to 1."""
    share = drawn_weights(kept, weights)
    p = kept.exact.shape[2]
    ranks = np.empty((kept.draws, p), np.int32)
    columns = kept.indicators.uncertain
    methods = kept.choices.aggregations
    if not columns.size:
        for a, normalised in enumerate(kept.exact):
            for b, method in enumerate(methods):
                here = np.flatnonzero((kept.normalisation == a) & (kept.aggregation == b))
                _rank_rows(normalised[None], share, method, ranks, here, threads)
        return ranks

    def work(part: slice) -> None:
        if kept.with_errors is None:
            noisy = np.empty((part.stop - part.start, columns.size, p))
            _draw_errors(kept, part, noisy)
        else:
            noisy = kept.with_errors[part]
        values = kept.exact[kept.normalisation[part]]
        values[:, columns] = noisy
        for b, method in enumerate(methods):
            here = np.flatnonzero(kept.aggregation[part] == b)
            if here.size:
                found = np.empty((here.size, p), np.int32)
                _rank(values[here], share[part][here], method, found)
                ranks[part.start + here] = found

    _in_streams(kept, work, threads)
    return ranks


def _rank_rows(values: Floats, share: Floats, method: Method, ranks: Int32, rows: Int64, threads: int | None) -> None:
    """Rank so many draws of the same scores by the same method."""

    def work(part: slice) -> None:
        found = np.empty((part.stop - part.start, values.shape[2]), np.int32)
        _rank(values, share[rows[part]], method, found)
        ranks[rows[part]] = found

    in_parts(work, rows.size, values.shape[2], rows.size * values[0].size, threads)


def _rank(values: Floats, share: Floats, method: Method, ranks: Int32) -> None:
    scores = np.empty(ranks.shape)
    aggregated(values, share, method, scores)
    ranked(scores, ranks)


def _rows_a_stream(kept: KeptDraws) -> int:
    return max(_ERRORS_AT_ONCE // max(kept.indicators.uncertain.size * kept.exact.shape[2], 1), 1)


def _in_streams(kept: KeptDraws, work: Callable[[slice], None], threads: int | None) -> None:
    """Do ``work`` for slices of draws that share a stream of random numbers."""
    rows = _rows_a_stream(kept)
    parts = [slice(start, min(start + rows, kept.draws)) for start in range(0, kept.draws, rows)]
    with ThreadPoolExecutor(min(threads or os.cpu_count() or 1, len(parts))) as pool:
        for _ in pool.map(work, parts):
            pass


def _draw_errors(kept: KeptDraws, part: slice, found: Floats) -> None:
    """Write scores of the columns with errors, of draws that share a stream."""
    rng = np.random.default_rng([kept.seed, _OF_ERRORS, part.start])
    deviates = rng.standard_normal(found.shape)
    for a, method in enumerate(kept.choices.normalisations):
        here = kept.normalisation[part] == a
        if here.any():
            found[here] = drawn_scores(kept.indicators, method, deviates[here])


def _counted(ranks: Int32, threads: int | None) -> Int32:
    n, p = ranks.shape
    counts = np.zeros((p, p), np.int32)
    # By blocks of places, so that the rows that are counted in stay in the processor's own memory.
    wide = max(min(64, math.ceil(p / 2)), 1)
    blocks = [slice(start, min(start + wide, p)) for start in range(0, p, wide)]
    if n * p < 1_000_000:
        for block in blocks:
            _count(ranks[:, block], counts[block])
    else:
        with ThreadPoolExecutor(min(threads or os.cpu_count() or 1, len(blocks))) as pool:
            for _ in pool.map(lambda block: _count(ranks[:, block], counts[block]), blocks):
                pass
    return counts


@njit(cache=True, nogil=True)
def _count(ranks, counts):  # type: ignore[no-untyped-def]
    for i in range(ranks.shape[0]):
        for j in range(ranks.shape[1]):
            counts[j, ranks[i, j] - 1] += 1


def _quantiles(below: Int64, share: float, draws: int) -> Int32:
    """Return the smallest rank that at least this share of the draws does not exceed."""
    enough = max(math.ceil(share * draws - 1e-9), 1)
    return ((below < enough).sum(axis=1) + 1).astype(np.int32)


def _message(chance: float, sure: float) -> Message:
    # Chances are shares of whole draws: what is short of the limit by rounding alone has reached it.
    if chance >= sure - 1e-12:
        return "robustly-worst"
    return "robustly-fine" if chance <= 1.0 - sure + 1e-12 else "depends-on-choices"


def checked_choices(choices: Choices) -> None:
    """Refuse what cannot be drawn."""
    law = choices.weights
    if isinstance(law, Dirichlet) and not 1.0 <= law.concentration < 1e9:
        raise InvalidInput(
            f"{law.concentration:g} is not a concentration of weights.",
            code="bad_concentration",
            remedy="Give one or more; the more, the closer are drawn weights to the given ones.",
        )
    if isinstance(law, Within) and not 0.0 < law.share <= 1.0:
        raise InvalidInput(
            f"Weights cannot be drawn within a share of {law.share:g} of themselves.",
            code="bad_share",
            remedy="Give above 0, up to 1: 0.25 for ±25 %.",
        )
    for given, what in ((choices.normalisations, "normalising"), (choices.aggregations, "aggregating")):
        if not given or len(set(given)) != len(given):
            raise InvalidInput(f"There must be one or more methods of {what}, each once.", code="bad_method")
    for method in choices.normalisations:
        if method not in NORMALISATIONS:
            raise InvalidInput(f"“{method}” is not a method of normalising.", code="bad_method")
    for aggregation in choices.aggregations:
        checked_method(aggregation)
