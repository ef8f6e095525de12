"""What the measures answer: frozen, with their units, the standard used, and what they were computed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from analysis.core.equity import Contrast, Shortfall
from analysis.core.land import PerCapitaLand
from analysis.results import PlaceRow, PopulationRow, ServiceRow, TravelRow, in_readers_language
from geo.models import Place

Floats = NDArray[np.float64]

Decaying = Literal["2sfca", "e2sfca", "gaussian", "power"]
LandWay = Literal["cells", "facilities"]
LinesWay = Literal["named", "near", "stops"]


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """What a measure was computed from.

    Attributes
    ----------
    people
        Of all places, each counted once.
    inputs, inputs_key
        Editions and releases with their hashes, for the record, and the hash of all of them.
    warnings
        In English, as errors are.
    """

    city: Place
    places: tuple[PlaceRow, ...]
    population: PopulationRow | None
    travel: TravelRow
    people: float
    cell_m: float
    epsg: int
    inputs: Mapping[str, Any]
    inputs_key: str
    warnings: tuple[str, ...]
    duration_ms: float


@dataclass(frozen=True, slots=True)
class StandardRow:
    """The standard that a result was compared with.

    Attributes
    ----------
    kind
        ``distance``, ``land`` or ``capacity``.
    value, unit
        In ``m``, ``m²/person`` or ``per 1,000 people``.
    scope
        Why it was chosen: ``asked``, ``city``, ``programme``, ``band`` (of sizes of cities) or ``general``.
    programme
        Its code; empty for none.
    population_min, population_max
        Cities it is for: at least, and fewer than, so many people; None for no limit.
    """

    kind: str
    value: float
    unit: str
    scope: str
    source: str = ""
    source_fa: str = ""
    is_verified: bool = False
    programme: str = ""
    population_min: int | None = None
    population_max: int | None = None

    @property
    def source_text(self) -> str:
        """The source in the language of the reader."""
        return in_readers_language(self.source, self.source_fa)


@dataclass(frozen=True, slots=True)
class FacilityAccess:
    """One facility and the people who share it.

    Attributes
    ----------
    number
        Row in the release; 0 for one that a scenario adds.
    load
        People in its catchment, weighted by the decay; somebody in two catchments is in both.
    per_1000
        Capacity for every 1,000 of them; None where nobody reaches it.
    nearest_people
        People whose nearest facility it is.
    people_over
        Of these, those it has no room for by the standard; None without one.
    """

    number: int
    name: str
    lon: float
    lat: float
    capacity: float
    load: float
    per_1000: float | None
    nearest_people: float
    people_over: float | None


@dataclass(frozen=True, slots=True, eq=False)
class ServiceAccess:
    """How much of a service people can count on; arrays have the shape ``(places,)``.

    Attributes
    ----------
    capacity_field
        Field of the layer that holds the capacities; empty where each facility counted as one.
    decay, limit_m, steps
        How the weight falls with the cost: its name, the cost beyond which nobody counts, and upper edges (m) with weights
        where it falls by steps.
    per_1000
        Capacity for every 1,000 people of the place; NaN without people.
    unmet_people
        People whose need by the standard is not met by what they can count on; None without a standard.
    crowded_people
        People who reach nothing, or for whom their nearest facility has no room; None without a standard.
    unreached_people
        People with no facility within the limit.
    city_per_1000
        Mean over all people; None without people.
    capacity, reached_capacity
        Of all facilities, and of those that anybody reaches: what people can count on adds up to it.
    left_out
        Facilities without a known capacity.
    """

    service: ServiceRow
    standard: StandardRow | None
    capacity_field: str
    decay: Decaying
    limit_m: float
    steps: tuple[tuple[float, float], ...]
    facilities: tuple[FacilityAccess, ...]
    per_1000: Floats
    unmet_people: Floats | None
    crowded_people: Floats | None
    unreached_people: Floats
    city_per_1000: float | None
    city_unmet_people: float | None
    city_crowded_people: float | None
    city_unreached_people: float
    capacity: float
    reached_capacity: float
    left_out: int


@dataclass(frozen=True, slots=True, eq=False)
class CityAccess:
    """Access with capacity, of a city's places to some of its services."""

    basis: Basis
    population: Floats
    services: tuple[ServiceAccess, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ServiceLand:
    """Land of a use for each person.

    Attributes
    ----------
    source
        Whether the land is the features' own area or that of a field: ``shape`` or the field's name.
    way
        How land is shared within reach: that of each cell among those near it (``cells``), or that of each facility among
        those near it (``facilities``).
    reach_m
        The threshold within which land is within reach.
    within, reached
        Of places; by reach, each person counts on a share of the land near them.
    city_land_m2, city_per_person_m2
        Inside places, each m² and each person counted once.
    city_deficit_m2, city_deficit_people
        Lacking in the city as a whole.
    left_out
        Features without a known area.
    """

    service: ServiceRow
    standard: StandardRow | None
    source: str
    way: LandWay
    reach_m: float
    within: PerCapitaLand
    reached: PerCapitaLand
    city_land_m2: float
    city_per_person_m2: float | None
    city_deficit_m2: float | None
    city_deficit_people: float | None
    left_out: int


@dataclass(frozen=True, slots=True, eq=False)
class CityLand:
    """Land for each person, of a city's places by some uses."""

    basis: Basis
    population: Floats
    services: tuple[ServiceLand, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ServiceEquity:
    """How unevenly people are near a service.

    Attributes
    ----------
    people
        People whose distance is known.
    unreached_people
        People who reach nothing; they count in the shortfall alone.
    gini, palma
        Of the distance to the nearest facility; Palma is None where the four tenths with the least have none.
    by_settlement, by_priority
        Concentration index of the distance: above 0 if people of settlements, or of places of higher priority, go farther.
    shortfall
        Foster–Greer–Thorbecke of the distance beyond the threshold.
    covered, distance
        Settlements against the rest of the city: share of people within the threshold, and mean distance in metres.
    curve
        Lorenz curve of the distance: share of people, share of all distance, at most some hundred points.
    """

    service: ServiceRow
    people: float
    unreached_people: float
    gini: float
    palma: float | None
    by_settlement: float
    by_priority: float | None
    shortfall: Shortfall
    covered: Contrast
    distance: Contrast
    curve: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, eq=False)
class CityEquity:
    """Equity of a city's services."""

    basis: Basis
    services: tuple[ServiceEquity, ...]


@dataclass(frozen=True, slots=True)
class NearestFacility:
    """The facility that most people of a place have nearest.

    Attributes
    ----------
    people, share
        How many of the place's people, and which share of those who reach any.
    mean_distance_m
        Of these people.
    others
        How many other facilities are the nearest to somebody of the place.
    """

    number: int
    name: str
    lon: float
    lat: float
    people: float
    share: float
    mean_distance_m: float
    others: int


@dataclass(frozen=True, slots=True, eq=False)
class ServiceDistances:
    """How far people have to a service.

    Attributes
    ----------
    percentiles_m
        Shape ``(places, percentiles)``: metres within which so many per cent of a place's people live; ``inf`` where it
        falls among those who reach nothing, NaN without people.
    curve
        Shape ``(places, distances)``: share of a place's people within each distance; NaN without people.
    city_percentiles_m, city_curve
        Of all people, each counted once.
    nearest
        For each place; None where nobody lives or nobody reaches any, or where it was not asked for.
    """

    service: ServiceRow
    percentiles_m: Floats
    curve: Floats
    city_percentiles_m: Floats
    city_curve: Floats
    nearest: tuple[NearestFacility | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class CityDistances:
    """Percentiles, curves and nearest facilities of a city's services."""

    basis: Basis
    population: Floats
    percentiles: tuple[float, ...]
    distances_m: tuple[float, ...]
    services: tuple[ServiceDistances, ...]


@dataclass(frozen=True, slots=True, eq=False)
class CityGroups:
    """Coverage of groups of people.

    Attributes
    ----------
    groups
        Their codes, such as ``women``.
    population
        Shape ``(groups, places)``.
    population_share, uncovered_people
        Shape ``(groups, places, services)``; shares are NaN where nobody of the group lives.
    city_share
        Shape ``(groups, services)``: of all people of the group, each counted once; NaN where there are none.
    city_people
        Shape ``(groups,)``.
    """

    basis: Basis
    services: tuple[ServiceRow, ...]
    groups: tuple[str, ...]
    population: Floats
    population_share: Floats
    uncovered_people: Floats
    city_share: Floats
    city_people: Floats


@dataclass(frozen=True, slots=True, eq=False)
class CityUtility:
    """Coverage of a city's places by a utility, in one way.

    Attributes
    ----------
    way
        ``distance-to-main``, ``zone`` or ``survey``.
    layer_code, field
        The zones, or the field with the surveyed share.
    threshold_m
        Distance to a main; None for the other ways.
    population_share, covered_people, uncovered_people
        Shape ``(places,)``; NaN where nobody knows.
    city_share, city_people, city_unknown_people
        Of places that are known, each person counted once, and people of places that are not.
    """

    basis: Basis
    service: ServiceRow
    way: str
    layer_code: str
    field: str
    threshold_m: float | None
    population: Floats
    population_share: Floats
    covered_people: Floats
    uncovered_people: Floats
    city_share: float | None
    city_people: float
    city_unknown_people: float


@dataclass(frozen=True, slots=True)
class FrequencyClassRow:
    """A class of departures a week, as a result names it.

    Attributes
    ----------
    low, high
        From so many on, to below so many; None for no end.
    scope
        Why it was chosen: ``asked``, ``city`` or ``general``.
    """

    name_fa: str
    name_en: str
    low: float
    high: float | None
    scope: str
    source: str = ""
    source_fa: str = ""
    is_verified: bool = False

    @property
    def name(self) -> str:
        """Its name in the language of the reader."""
        return in_readers_language(self.name_en, self.name_fa)

    @property
    def source_text(self) -> str:
        """The source in the language of the reader."""
        return in_readers_language(self.source, self.source_fa)


@dataclass(frozen=True, slots=True)
class TimetableRow:
    """Where departures were told, and how stops found their lines.

    Attributes
    ----------
    way
        ``named``: stops name their lines; ``near``: lines that pass within ``match_m`` of a stop stop there; ``stops``:
        stops tell their own departures, of which the greatest within reach counts.
    layer_code, release_number, release_hash, source
        Of the lines; of the stops where there are none.
    stops, matched
        All stops, and those that have a line with departures, or departures of their own.
    unknown_lines
        Names of lines that stops name and the lines have not.
    left_out
        Lines whose departures nobody knows.
    """

    way: LinesWay
    layer_code: str
    release_number: int
    release_hash: str
    line_field: str
    departures_field: str
    stop_field: str
    match_m: float | None
    stops: int
    matched: int
    unknown_lines: tuple[str, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line, and who has it within reach.

    Attributes
    ----------
    departures_week
        Departures a week.
    stops
        Stops of the city's data at which it stops.
    people
        With one of them within reach, each counted once.
    """

    code: str
    name: str
    departures_week: float
    stops: int
    people: float


@dataclass(frozen=True, slots=True, eq=False)
class ServiceFrequency:
    """How often public transport leaves from within reach.

    Attributes
    ----------
    classes
        Ascending; who reaches no departure is in none of them.
    lines
        Those that stop anywhere; empty where stops tell their own departures.
    departures
        Shape ``(places,)``: mean departures a week within reach of a person; NaN without people.
    lines_each
        Shape ``(places,)``: mean number of lines within reach of a person; NaN without people.
    lines_reached
        Shape ``(places,)``: lines that anybody of the place has within reach.
    class_people
        Shape ``(classes + 1, places)``: people without any departure, then of each class.
    unreachable_people, edge_flag
        As of coverage.
    city_departures, city_lines_each
        Means over all people, each counted once; None without people.
    city_class_people
        Shape ``(classes + 1,)``: each person counted once.
    """

    service: ServiceRow
    timetable: TimetableRow
    classes: tuple[FrequencyClassRow, ...]
    lines: tuple[LineRow, ...]
    departures: Floats
    lines_each: Floats
    lines_reached: NDArray[np.int64]
    class_people: Floats
    unreachable_people: Floats
    edge_flag: NDArray[np.bool_]
    city_departures: float | None
    city_lines_each: float | None
    city_class_people: Floats


@dataclass(frozen=True, slots=True, eq=False)
class CityFrequency:
    """Frequency of public transport, of a city's places."""

    basis: Basis
    population: Floats
    services: tuple[ServiceFrequency, ...]


@dataclass(frozen=True, slots=True, eq=False)
class CityIsochrone:
    """The part of the map from which a point or a facility is within a cost.

    Attributes
    ----------
    lon, lat
        The point that is gone to.
    facility
        Name of the facility; empty for a point.
    limit_m
        Metres, or time as metres of level walking.
    polygons_4326
        Valid, with holes and islands; empty where nothing is within.
    area_m2
        On the ellipsoid.
    people
        Of the city's places, each counted once, who are within the cost; None without a population source.
    """

    basis: Basis
    lon: float
    lat: float
    facility: str
    limit_m: float
    polygons_4326: shapely.MultiPolygon
    area_m2: float
    people: float | None
