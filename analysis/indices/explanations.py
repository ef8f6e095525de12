"""Why a place stands where it does in an index: beside whom, how near the line, and what would move it across."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from analysis.core.explaining import NearMiss, NeighboursInRank, near_misses, neighbours_in_rank
from analysis.core.indicator_changes import IndicatorChange, smallest_indicator_change
from analysis.core.indicator_draws import Indicators
from analysis.core.neighbours import Surrounded, contiguity, surrounded
from analysis.core.normalising import winsorise
from analysis.core.ranking import ranks_of_many, scores_of_many
from analysis.core.weight_changes import WeightChange, smallest_weight_change
from analysis.indices.computing import CityIndex
from analysis.models import Indicator
from analysis.results import ServiceRow, TravelRow
from analysis.selectors import places_read
from analysis.services import coverage_compute
from geo.core.crs import project, utm_epsg_of
from geo.errors import NotFound
from geo.querysets import User

Floats = NDArray[np.float64]

NEIGHBOURS_WITHIN_M: Final = 100.0
"""Places whose borders are so far apart are neighbours: a street or a stream may lie between them."""

NEAR_POINTS: Final = 5.0
"""Places are near the line if so many points of a hundred would take them there."""

SEARCH_S: Final = 4.0
"""How long the smallest change of weights is looked for."""

_AHEAD_POINTS: Final = (0.1, 0.01)
_BEYOND: Final = (1.1, 1.05, 1.02, 1.01, 1.003, 1.001, 1.0001, 1.0)
_MOST_SLIDER: Final = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """How a place stands in an index.

    Attributes
    ----------
    place
        Its row in the index.
    line
        After the first so many: `IndexQuestion.first`, at most as many as there are places.
    standing
        Who stands just above and below it, and what sets them apart.
    misses
        Places within `NEAR_POINTS` of the line, the nearest first.
    around
        By row of the index: which places are not among the first, but most of their neighbours are.
    services
        By code of an indicator that is computed, the service it is of, with the day and source of its facilities and its limit.
    travel
        How distances to these are measured.
    """

    result: CityIndex
    place: int
    line: int
    standing: NeighboursInRank
    misses: tuple[NearMiss, ...]
    around: Surrounded
    services: Mapping[str, ServiceRow]
    travel: TravelRow


@dataclass(frozen=True, slots=True, eq=False)
class WeightMove:
    """The smallest change of weights that takes a place across the line, and one that can be tried.

    Attributes
    ----------
    change
        The smallest, which may end in a tie.
    tried
        Shape ``(k,)``: weights in the unit of those of the question, a little beyond the smallest change where that still
        moves the place, with few digits; None where nothing was found.
    rank_tried
        The place's rank by these.
    instead
        Rows of the places that cross the line the other way by them.
    """

    change: WeightChange
    tried: Floats | None
    rank_tried: int | None
    instead: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ValueMove:
    """What one indicator of a place would have to be.

    Attributes
    ----------
    people
        How many people more or fewer that is where the indicator is a share of people without a service; else None.
    size
        The change as a share of the way between the goalposts, or between the ends of the places; infinite where there is none.
    """

    change: IndicatorChange
    people: float | None
    size: float


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """What would take a place across the line; ``values`` has the smallest change first, what cannot do it last."""

    weight: WeightMove
    values: tuple[ValueMove, ...]
    duration_ms: float


def place_row(result: CityIndex, code: str) -> int:
    """Return the row of a place in an index.

    Raises
    ------
    NotFound
        Where it is not among the places that are ranked.
    """
    for row, place in enumerate(result.matrix.places):
        if place.code == code:
            return row
    raise NotFound(
        f"The place {code!r} is not among those that are ranked.",
        code="not_ranked",
        where=code,
        remedy="Rank places of its kind.",
        details={"place": code},
    )


def place_explain(*, result: CityIndex, code: str, user: User) -> Explanation:
    """Tell how a place stands in an index.

    Raises
    ------
    NotFound
        Where it is not among the places that are ranked.
    """
    row, line = place_row(result, code), int(result.uncertainty.first[0])
    method = result.question.aggregation
    covered = coverage_compute(city=result.matrix.city, user=user, question=result.question.question)
    supplied = {service.code: service for service in covered.services}
    return Explanation(
        result,
        row,
        line,
        neighbours_in_rank(result.scores, result.priority.weights, row, method),
        near_misses(np.clip(result.priority.score, 0.0, 100.0), line, NEAR_POINTS),
        _around(result, line, user),
        {one.code: supplied[one.service] for one in result.matrix.indicators if one.service in supplied},
        covered.travel,
    )


def place_moves(*, result: CityIndex, code: str, search_s: float = SEARCH_S) -> Moves:
    """Find what would take a place across the line: the smallest change of weights, and of each indicator alone.

    Parameters
    ----------
    search_s
        For the weights; what was found until then is answered.

    Raises
    ------
    NotFound
        Where the place is not among those that are ranked.
    """
    started = time.perf_counter()
    row, line = place_row(result, code), int(result.uncertainty.first[0])
    asked, matrix = result.question, result.matrix
    indicators = _treated(result)
    change = smallest_weight_change(
        result.scores, result.priority.weights, row, line, asked.aggregation, time_limit_s=search_s, seed=asked.seed
    )
    found = smallest_indicator_change(
        indicators, result.priority.weights, row, line, asked.normalisation, asked.aggregation
    )
    moves = []
    for one in found:
        people, size = None, float("inf")
        if one.value is not None and one.needed is not None:
            share = abs(one.needed - one.value)
            low, high = _ends(indicators, asked.normalisation, one.indicator)
            size = share / (high - low) if high > low else share
            if matrix.indicators[one.indicator].measure == Indicator.Measure.UNCOVERED_SHARE:
                people = share * float(matrix.people[row])
        moves.append(ValueMove(one, people, size))
    moves.sort(key=lambda move: (move.size, move.change.indicator))
    took_ms = (time.perf_counter() - started) * 1000
    return Moves(_tried(result, row, line, change, search_s), tuple(moves), took_ms)


def _treated(result: CityIndex) -> Indicators:
    """Return the values as they were scored, with what is needed to score others."""
    matrix = result.matrix
    values = matrix.values.copy()
    if result.question.treatment == "winsorise":
        for k in range(values.shape[1]):
            values[:, k] = winsorise(values[:, k]).values
    posts = [one.goalposts for one in matrix.indicators if one.goalposts is not None]
    return Indicators(
        values,
        [one.direction for one in matrix.indicators],  # type: ignore[misc]
        np.array(posts) if len(posts) == len(matrix.indicators) else None,
    )


def _ends(indicators: Indicators, normalisation: str, k: int) -> tuple[float, float]:
    if normalisation == "goalpost" and indicators.goalposts is not None:
        return float(indicators.goalposts[k, 0]), float(indicators.goalposts[k, 1])
    return float(np.nanmin(indicators.values[:, k])), float(np.nanmax(indicators.values[:, k]))


def _tried(result: CityIndex, row: int, line: int, change: WeightChange, search_s: float) -> WeightMove:
    """Go a little beyond the smallest change, where ties end and few digits suffice, as far as the place stays across."""
    if change.weights is None:
        return WeightMove(change, None, None, ())
    method = result.question.aggregation
    before = result.priority.rank <= line
    for weights in _beyond(result, row, line, change, search_s):
        many = _as_asked(result, weights)
        ranks = ranks_of_many(scores_of_many(result.scores, (many / many.sum())[None], method))[0]
        inside = ranks <= line
        if inside[row] == (change.moves == "in"):
            crossed = np.flatnonzero((inside != before) & (inside != inside[row]))
            return WeightMove(change, many, int(ranks[row]), tuple(crossed.tolist()))
    return WeightMove(change, None, None, ())


def _beyond(result: CityIndex, row: int, line: int, change: WeightChange, search_s: float) -> Iterator[Floats]:
    """Give weights beyond the smallest change, the clearest first."""
    share, method = result.priority.weights, result.question.aggregation
    if change.bound > 0:
        for points in _AHEAD_POINTS:
            found = smallest_weight_change(
                result.scores, share, row, line, method, time_limit_s=search_s / 2, ahead_points=points
            )
            if found.weights is not None:
                yield found.weights
    if change.weights is not None:
        for beyond in _BEYOND:
            raw = np.maximum(share + beyond * (change.weights - share), 0.0)
            yield raw / raw.sum()


def _as_asked(result: CityIndex, share: Floats) -> Floats:
    """Return weights in the unit of the question's own, so that those that stay are the same, with few digits."""
    given = [result.question.weights.get(one.code, 0.0) for one in result.matrix.indicators]
    total = sum(given) if result.question.weighting == "given" and any(given) else float(len(share))
    many = share * total
    many *= min(1.0, _MOST_SLIDER / many.max())
    return np.array([float(f"{weight:.7f}") for weight in many])


def _around(result: CityIndex, line: int, user: User) -> Surrounded:
    """Find the places that most neighbours of are among the first."""
    drawn = places_read(result.matrix.city, user)
    at = {place.id: i for i, place in enumerate(drawn.rows)}
    shapes = drawn.geometries_4326[[at[place.id] for place in result.matrix.places]]
    planar = project(shapes, 4326, utm_epsg_of(shapes))
    near = contiguity(planar, "queen", gap=NEIGHBOURS_WITHIN_M)
    return surrounded(result.priority.rank <= line, near)


__all__ = [
    "NEAR_POINTS", "NEIGHBOURS_WITHIN_M", "SEARCH_S", "Explanation", "Moves", "ValueMove", "WeightMove",
    "place_explain", "place_moves", "place_row",
]  # fmt: skip
