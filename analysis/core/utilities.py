"""Coverage by utilities (water, sewer, power, gas), in three ways that are never mixed silently.

By distance to a main of the network, by the zones that are served, or by a surveyed share of the homes. The three answer
different questions: near a main is not connected, and a zone on a map is not a tap. Every result names its way.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from analysis.core.coverage import CoverageInputs, coverage_of
from geo.errors import InvalidInput

Floats = NDArray[np.float64]

Way = Literal["distance-to-main", "zone", "survey"]


@dataclass(frozen=True, slots=True, eq=False)
class UtilityCoverage:
    """Coverage of places by one utility; every array has the shape ``(places,)``.

    Attributes
    ----------
    ways
        How each place's share was found; the same for all unless `first_known` put them together. Empty where unknown.
    people
        Residents.
    population_share
        Share of the residents who are served, 0 to 1; NaN where unknown and for places without residents.
    covered_people, uncovered_people
        Residents who are served and who are not; both NaN where unknown, 0 without residents.
    threshold_m
        Distance to a main in metres; None for the other ways.
    """

    ways: tuple[Way | Literal[""], ...]
    people: Floats
    population_share: Floats
    covered_people: Floats
    uncovered_people: Floats
    threshold_m: float | None = None


@dataclass(frozen=True, slots=True)
class UtilityTotal:
    """A utility in a whole city.

    Attributes
    ----------
    way
        The one way by which all places were measured.
    people, covered_people
        Of the places whose share is known.
    population_share
        Of these; None without people.
    unknown_people
        Residents of places whose share is unknown.
    """

    way: Way
    people: float
    covered_people: float
    population_share: float | None
    unknown_people: float


def covered_by_main(inputs: CoverageInputs, service_index: int, threshold_m: float) -> UtilityCoverage:
    """Count as served who lives within a distance of a main.

    Parameters
    ----------
    inputs
        From `analysis.core.coverage.prepare`, with the distance to the nearest main as one of the services.
    service_index
        Row of the utility.
    threshold_m
        Metres, zero or more.

    Raises
    ------
    InvalidInput
        If there is no such service, or the threshold is negative or not finite.

    Examples
    --------
    >>> from analysis.core.coverage import prepare
    >>> places = sparse.csr_matrix([[1.0, 1.0]])
    >>> inputs = prepare(places, np.array([30.0, 10.0]), np.array([[20.0, 300.0]]), cell_m=20.0)
    >>> covered = covered_by_main(inputs, 0, 100.0)
    >>> covered.ways, covered.population_share.tolist()
    (('distance-to-main',), [0.75])
    """
    column = coverage_of(inputs, service_index, threshold_m)
    people = inputs.ground.population
    covered = people - column.uncovered_people
    return _result("distance-to-main", people, covered, float(threshold_m))


def covered_by_zones(
    place_fractions: sparse.csr_matrix, people: NDArray[np.floating], zone_fractions: sparse.csr_matrix
) -> UtilityCoverage:
    """Count as served who lives in a zone that is.

    Parameters
    ----------
    place_fractions
        Shape ``(places, cells)``: share of each cell inside each place (`geo.core.cell_shares.cell_fractions`).
    people
        Shape ``(cells,)``.
    zone_fractions
        Shape ``(zones, cells)``: share of each cell inside each served zone. Where zones overlap nobody counts twice.

    Raises
    ------
    InvalidInput
        If the numbers of cells differ, or people are negative or not finite.

    Notes
    -----
    Within a cell that both a place and a zone cut, the zone's share holds for the place's part too.

    Examples
    --------
    >>> places, zones = sparse.csr_matrix([[1.0, 1.0]]), sparse.csr_matrix([[0.5, 0.0], [0.0, 0.0]])
    >>> covered_by_zones(places, np.array([30.0, 10.0]), zones).covered_people.tolist()
    [15.0]
    """
    living = np.asarray(people, dtype=np.float64)
    if living.shape != (place_fractions.shape[1],) or zone_fractions.shape[1] != living.size:
        raise InvalidInput(
            "The cells of places, zones and people differ.", code="length_mismatch", remedy="Compute all on one grid."
        )
    if not (np.isfinite(living) & (living >= 0)).all():
        raise InvalidInput("The number of people in a cell is negative or not finite.", code="bad_population")
    served = np.minimum(np.asarray(zone_fractions.sum(axis=0), dtype=np.float64).ravel(), 1.0)
    population = np.asarray(place_fractions @ living)
    covered = np.minimum(np.asarray(place_fractions @ (living * served)), population)
    return _result("zone", population, covered)


def covered_by_survey(share: NDArray[np.floating], people: NDArray[np.floating]) -> UtilityCoverage:
    """Take over the share of residents that a survey or census found to be served.

    Parameters
    ----------
    share
        Shape ``(places,)``: 0 to 1; NaN where nobody asked.
    people
        Shape ``(places,)``: residents.

    Raises
    ------
    InvalidInput
        If lengths differ, a share is outside 0 to 1, or people are negative or not finite.

    Examples
    --------
    >>> covered_by_survey(np.array([0.9, np.nan]), np.array([100.0, 50.0])).covered_people.tolist()
    [90.0, nan]
    """
    found, living = np.asarray(share, dtype=np.float64), np.asarray(people, dtype=np.float64)
    if found.ndim != 1 or found.shape != living.shape:
        raise InvalidInput("Shares and people of places differ in length.", code="length_mismatch")
    if not (np.isfinite(living) & (living >= 0)).all():
        raise InvalidInput("A number of people is negative or not finite.", code="bad_population")
    if not (np.isnan(found) | ((found >= 0) & (found <= 1))).all():
        raise InvalidInput(
            "A surveyed share is outside 0 to 1.", code="bad_share", remedy="Give shares, not percentages."
        )
    covered = np.where(living > 0, found * living, 0.0)
    return _result("survey", living, covered)


def first_known(results: Sequence[UtilityCoverage]) -> UtilityCoverage:
    """Take for each place the first result that knows it, and name its way place by place.

    The one way to mix: on purpose. A total over the places is refused afterwards if ways differ.

    Parameters
    ----------
    results
        Of the same places and people, the preferred first.

    Raises
    ------
    InvalidInput
        If there is none, or they are not of the same people.

    Examples
    --------
    >>> people = np.array([100.0, 50.0])
    >>> surveyed = covered_by_survey(np.array([0.9, np.nan]), people)
    >>> cells = sparse.identity(2, format="csr")
    >>> both = first_known([surveyed, covered_by_zones(cells, people, cells)])
    >>> both.ways, both.covered_people.tolist()
    (('survey', 'zone'), [90.0, 50.0])
    """
    if not results:
        raise InvalidInput("There is no result to take.", code="no_results")
    people = results[0].people
    ways = list(results[0].ways)
    covered = results[0].covered_people.copy()
    for other in results[1:]:
        if other.people.shape != people.shape or not np.allclose(other.people, people, rtol=1e-6, atol=1e-6):
            raise InvalidInput(
                "The results are not of the same people.", code="length_mismatch", remedy="Use one population for all."
            )
        taken = np.isnan(covered) & ~np.isnan(other.covered_people)
        # The share is kept, not the number, so that nobody is lost to the last digit of another sum.
        share = np.divide(other.covered_people, other.people, out=np.zeros_like(people), where=other.people > 0)
        covered[taken] = (share * people)[taken]
        for place in np.flatnonzero(taken):
            ways[place] = other.ways[place]
    metres = {result.threshold_m for result in results if result.threshold_m is not None}
    threshold_m = metres.pop() if len(metres) == 1 and "distance-to-main" in ways else None
    return UtilityCoverage(tuple(ways), people, _share(covered, people), covered, people - covered, threshold_m)


def utility_total(result: UtilityCoverage) -> UtilityTotal:
    """Add up a utility over all places.

    Raises
    ------
    InvalidInput
        If places were measured in different ways, or none is known.

    Examples
    --------
    >>> utility_total(covered_by_survey(np.array([0.9, np.nan]), np.array([100.0, 50.0])))
    UtilityTotal(way='survey', people=100.0, covered_people=90.0, population_share=0.9, unknown_people=50.0)
    """
    known = ~np.isnan(result.covered_people)
    ways = {way for way in result.ways if way}
    if len(ways) > 1:
        raise InvalidInput(
            f"Places were measured in different ways ({', '.join(sorted(ways))}), which do not add up.",
            code="mixed_ways",
            remedy="Choose one way for all places, or show them apart.",
        )
    if not ways:
        raise InvalidInput("The coverage of no place is known.", code="no_results")
    people, covered = float(result.people[known].sum()), float(result.covered_people[known].sum())
    share = covered / people if people > 0 else None
    return UtilityTotal(next(iter(ways)), people, covered, share, float(result.people[~known].sum()))


def _result(way: Way, people: Floats, covered: Floats, threshold_m: float | None = None) -> UtilityCoverage:
    ways: tuple[Way | Literal[""], ...] = tuple("" if unknown else way for unknown in np.isnan(covered).tolist())
    return UtilityCoverage(ways, people, _share(covered, people), covered, people - covered, threshold_m)


def _share(covered: Floats, people: Floats) -> Floats:
    share: Floats = np.divide(covered, people, out=np.full(people.shape, np.nan), where=people > 0)
    return share
