"""What may be asked of an index besides its ranks: what they depend on, whether they hold, and how they lie in the city."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from analysis.core.indicator_draws import Indicators
from analysis.core.neighbours import Neighbours, contiguity
from analysis.core.pattern import Autocorrelation, Clusters, local_moran, moran
from analysis.core.reversals import Reversal, rank_reversals
from analysis.core.sensitivity import Sensitivity, sensitivity
from analysis.indices.computing import CityIndex
from analysis.results import PlaceRow
from analysis.selectors import CityPlaces
from geo.core.crs import STORAGE_EPSG, project, utm_epsg_of
from geo.models import Place

GAP_M: Final = 30.0
"""Places whose borders are no farther apart touch: a street or a stream often lies between them."""
BASE_DRAWS: Final = 512
MOST_ASKED: Final = 12
"""Places whose own rank is taken apart, the first ones whose rank depends on choices."""
PERMUTATIONS: Final = 9_999
"""At least; of many places more are needed to find a cluster after correction (`analysis.core.pattern.local_moran`)."""
_MOST_NUMBERS: Final = 60_000_000
"""Rankings times places times indicators that are worked out for sensitivity; where it would be more, fewer are drawn."""


@dataclass(frozen=True, slots=True, eq=False)
class IndexSensitivity:
    """What the ranks of an index depend on.

    Attributes
    ----------
    found
        Factors are ``weights-<domain>``, ``normalisation``, ``aggregation`` and ``errors``.
    places
        Rows of the places whose ranks are among the outputs.
    """

    found: Sensitivity
    places: tuple[int, ...]


def index_sensitivity(result: CityIndex) -> IndexSensitivity:
    """Tell which choices and errors the ranks of an index depend on: weights by domain, methods, errors of values.

    Raises
    ------
    InvalidInput
        Where nothing might be otherwise (``nothing_drawn``).
    """
    groups: dict[str, list[int]] = {}
    for k, one in enumerate(result.matrix.indicators):
        groups.setdefault(f"weights-{one.domain}", []).append(k)
    order = np.argsort(result.priority.rank, kind="stable").tolist()
    asked = [i for i in order if result.uncertainty.message[i] == "depends-on-choices"][:MOST_ASKED]
    p, k = result.indicators.values.shape
    draws = BASE_DRAWS
    while draws > 64 and draws * (len(groups) + 5) * p * k > _MOST_NUMBERS:
        draws //= 2
    found = sensitivity(
        result.indicators,
        result.priority.weights,
        result.choices,
        groups,
        places=asked,
        base_draws=draws,
        seed=result.question.seed,
    )
    return IndexSensitivity(found, tuple(asked))


@dataclass(frozen=True, slots=True)
class IndexReversals:
    """Whether the order of places holds when something else changes.

    Attributes
    ----------
    asked
        How many changes were tried.
    found
        Those that swap pairs of places; numbers are rows of places, or columns of indicators.
    """

    asked: int
    found: tuple[Reversal, ...]

    @property
    def by_places(self) -> tuple[Reversal, ...]:
        """Those that a place makes which is not of the pair."""
        return tuple(one for one in self.found if one.change != "indicator-left-out")


def index_reversals(result: CityIndex) -> IndexReversals:
    """Tell which pairs of places change their order where a place or an indicator is left out, or a place is copied."""
    given = result.indicators
    plain = Indicators(given.values, given.directions, given.goalposts)
    asked = result.question
    (found,) = rank_reversals(plain, result.priority.weights, asked.normalisation, [asked.aggregation])
    return IndexReversals(found.asked, found.found)


@dataclass(frozen=True, slots=True, eq=False)
class IndexPattern:
    """How the scores of an index lie in the city.

    Attributes
    ----------
    places
        Those looked at; of a city with neighbourhoods and settlements the neighbourhoods alone, since settlements lie over them.
    neighbours
        Of each place, how many it has.
    kind
        Shape ``(places,)``: `analysis.core.pattern.KINDS` where a place is significant after correction, else 0.
    """

    places: tuple[PlaceRow, ...]
    scores: NDArray[np.float64]
    neighbours: Neighbours
    whole: Autocorrelation
    clusters: Clusters
    kind: NDArray[np.uint8]

    @property
    def is_of_neighbourhoods_alone(self) -> bool:
        """Whether all places are neighbourhoods."""
        return all(place.kind == Place.Kind.NEIGHBOURHOOD for place in self.places)


def index_pattern(result: CityIndex, places: CityPlaces) -> IndexPattern:
    """Tell whether places of high need lie together: Moran's I of the scores, and clusters.

    Parameters
    ----------
    places
        The city's places with their boundaries, such as of `analysis.selectors.places_read`.

    Raises
    ------
    InvalidInput
        Where the places are too few, are all alike, or do not touch.
    """
    outlines = dict(zip((row.code for row in places.rows), places.geometries_4326, strict=True))
    kinds = {place.kind for place in result.matrix.places}
    rows = [
        i
        for i, place in enumerate(result.matrix.places)
        if place.code in outlines and (len(kinds) == 1 or place.kind == Place.Kind.NEIGHBOURHOOD)
    ]
    chosen = tuple(result.matrix.places[i] for i in rows)
    scores = np.where(result.priority.reliability[rows] > 0, result.priority.score[rows], np.nan)
    near = neighbours_by_border(chosen, outlines)
    seed = result.question.seed
    whole = moran(scores, near, seed)
    clusters = local_moran(scores, near, seed, max(PERMUTATIONS, 40 * len(rows)))
    return IndexPattern(chosen, scores, near, whole, clusters, clusters.significant())


def neighbours_by_border(places: tuple[PlaceRow, ...], outlines_4326: Mapping[str, Any]) -> Neighbours:
    """Return which places touch, borders no more than `GAP_M` apart counting as one."""
    shapes = np.array([outlines_4326[place.code] for place in places], dtype=object)
    flat = project(shapes, STORAGE_EPSG, utm_epsg_of(shapes)) if len(shapes) else shapes
    # Straight edges between moved corners may cross by less than a millimetre.
    is_good = shapely.is_valid(flat)
    flat[~is_good] = shapely.make_valid(flat[~is_good])
    return contiguity(flat, gap=GAP_M)


__all__ = [
    "GAP_M", "IndexPattern", "IndexReversals", "IndexSensitivity", "index_pattern", "index_reversals", "index_sensitivity",
    "neighbours_by_border",
]  # fmt: skip
