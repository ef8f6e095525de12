"""How sure ranks are: the same places ranked again and again, and what may be said of each from all of it."""

import math
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from analysis.core.indicator_draws import Indicators
from analysis.core.rank_draws import Choices, KeptDraws, drawn_ranks, kept_draws, rank_into
from analysis.core.ranking import checked_weights_many
from geo.errors import InvalidInput

Floats = NDArray[np.float64]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]

#: What a place's ranks say about it; ``no-data`` is a place without any indicator that has a weight.
Message = Literal["robustly-worst", "depends-on-choices", "robustly-fine", "no-data"]


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
    Reference: [@saisana2005]; [@oecd2008], step 7.

    Examples
    --------
    One place is worst in both; the other two change places as the weights do:

    >>> from analysis.core.rank_draws import Within
    >>> three = Indicators([[9, 9], [5, 1], [1, 5]], ["more-is-worse"] * 2, [[0, 10], [0, 10]])
    >>> found = rank_uncertainty(three, [1, 1], Choices(Within(0.5)), first=[1, 2], draws=4000)
    >>> found.message
    ('robustly-worst', 'robustly-fine', 'robustly-fine')
    >>> found.low_rank.tolist(), found.high_rank.tolist(), found.chance_first[:, 1].round(1).tolist()
    ([1, 2, 2], [1, 3, 3], [1.0, 0.5, 0.5])
    """
    kept = kept_draws(indicators, choices, draws, seed, threads, keep_errors=False)
    return rank_uncertainty_of(kept, weights, first, sure, threads)


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
        raise InvalidInput("The number of first places must be one or more.", code="bad_line")
    if not 0.5 < sure <= 1:
        raise InvalidInput(f"{sure:g} is not a chance above one half.", code="bad_share", remedy="Give 0.95, or so.")
    given = checked_weights_many(np.asarray(weights, dtype=np.float64).reshape(1, -1), kept.exact.shape[1])
    p = kept.exact.shape[2]
    published = np.empty((1, p), np.int32)
    rank_into(kept.exact[:1], given, kept.choices.aggregations[0], published)
    ranks = drawn_ranks(kept, given[0], threads)
    counts = _counted(ranks, threads)
    below = np.cumsum(counts, axis=1, dtype=np.int64)
    low, median, high = (_quantiles(below, share, kept.draws) for share in (0.05, 0.5, 0.95))
    chance = (
        np.stack([below[:, min(line, p) - 1] / kept.draws for line in lines], axis=1)
        if p
        else np.empty((0, len(lines)))
    )
    is_missing = np.isnan(kept.indicators.values[:, given[0] > 0])
    has_data = [not row.all() for row in is_missing]
    mean = counts @ np.arange(1.0, p + 1) / kept.draws
    message = tuple(
        _message(float(c), sure) if known else "no-data" for c, known in zip(chance[:, 0], has_data, strict=True)
    )
    return RankUncertainty(
        published[0], median, low, high, mean, lines, chance, message, counts, kept.draws, kept.seed
    )  # fmt: skip


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
    return np.asarray((below < enough).sum(axis=1) + 1, dtype=np.int32)


def _message(chance: float, sure: float) -> Message:
    # Chances are shares of whole draws: what is short of the limit by rounding alone has reached it.
    if chance >= sure - 1e-12:
        return "robustly-worst"
    return "robustly-fine" if chance <= 1.0 - sure + 1e-12 else "depends-on-choices"
