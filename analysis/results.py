"""What analyses of a city answer: frozen, with the inputs and parameters they were computed from."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

import numpy as np
from django.utils.translation import get_language
from numpy.typing import NDArray

from analysis.core.changes import Change
from analysis.core.coverage import Coverage
from analysis.core.index import Priority
from geo.models import Place

TRAVELS: Final = {
    "straight": ("در خط راست", "in a straight line"),
    "streets": ("در امتداد معابر", "along streets"),
    "walking": ("پیاده، با شیب و پله", "on foot, by slope and stairs"),
    "cycling": ("با دوچرخه", "by bicycle"),
    "surface": ("پیاده، روی سطح زمین", "on foot, over the surface of the land"),
}
"""Ways of travel by code, with their Persian and English names."""


@dataclass(frozen=True, slots=True)
class ScenarioRow:
    """The scenario that the changes of a question were taken from.

    Attributes
    ----------
    made_on
        By code of a service, the hash of the release of its layer that the changes were made on.
    """

    id: int
    name: str
    version: int
    made_on: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of an analysis; what is left out is taken from the city's standards and index.

    Attributes
    ----------
    thresholds_m
        Service code to metres.
    weights
        Service code to the weight of its indicator.
    needs_per_1000
        Service code to the capacity that 1,000 people need; whoever finds no room at the nearest facility is then
        without the service. Capacity does not count for the services left out.
    services
        Codes of the services asked for; empty for all that the city has.
    normalisation, aggregation
        Methods of the index; empty for the index's own.
    travel
        Way of travel, such as ``streets``; empty for the city's own.
    population
        Code of the source of people; empty for the city's main one.
    changes
        What would be built, moved or closed.
    scenario
        Where the changes were taken from; None where they were not.
    programme
        Code of the programme whose standards hold, such as ``sdg``; empty for none.
    """

    thresholds_m: Mapping[str, float] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    needs_per_1000: Mapping[str, float] = field(default_factory=dict)
    services: tuple[str, ...] = ()
    normalisation: str = ""
    aggregation: str = ""
    travel: str = ""
    population: str = ""
    changes: tuple[Change, ...] = ()
    scenario: ScenarioRow | None = None
    programme: str = ""

    @property
    def as_is(self) -> Question:
        """The same of the city as it is, without changes."""
        return replace(self, changes=(), scenario=None)

    def today(self, standards: Collection[str]) -> Question:
        """Return what a what-if is compared with: the city as it is, by its own weights and limits, measured the same way.

        Parameters
        ----------
        standards
            Codes of the services that have a limit of their own; without one, that of the question holds.
        """
        limits = {code: metres for code, metres in self.thresholds_m.items() if code not in standards}
        return replace(self.as_is, thresholds_m=limits, weights={})

    def about(self, codes: Collection[str]) -> Question:
        """Return what it says of these services, without what it says of any other; its changes stay.

        Examples
        --------
        >>> asked = Question(services=("park", "clinic"), thresholds_m={"clinic": 600.0}, travel="streets")
        >>> asked.about({"park"}) == Question(services=("park",), travel="streets")
        True
        """
        return replace(
            self,
            thresholds_m={code: metres for code, metres in self.thresholds_m.items() if code in codes},
            weights={code: weight for code, weight in self.weights.items() if code in codes},
            needs_per_1000={code: need for code, need in self.needs_per_1000.items() if code in codes},
            services=tuple(code for code in self.services if code in codes),
        )

    def unknown(self, codes: Collection[str]) -> tuple[str, str] | None:
        """Return the first service the question names that is none of these, after what names it; None where all are.

        Examples
        --------
        >>> Question(services=("park",), weights={"harbour": 2.0}).unknown({"park"})
        ('weight', 'harbour')
        """
        named: tuple[tuple[str, Iterable[str]], ...] = (
            ("service", self.services),
            ("threshold", self.thresholds_m),
            ("weight", self.weights),
            ("need", self.needs_per_1000),
        )
        return next(((name, code) for name, asked in named for code in asked if code not in codes), None)


class InTwoLanguages:
    """Gives the name in the language of the reader."""

    __slots__ = ()
    name_fa: str
    name_en: str

    @property
    def name(self) -> str:
        """The name in the language of the reader."""
        return self.name_en if get_language() == "en" else self.name_fa


def in_readers_language(source: str, source_fa: str) -> str:
    """Return a source in the language of the reader, as it is where nobody wrote it in Persian."""
    return source if get_language() == "en" else source_fa or source


@dataclass(frozen=True, slots=True)
class PlaceRow(InTwoLanguages):
    """A place of a result."""

    id: int
    code: str
    kind: str
    name_fa: str
    name_en: str
    zone: str
    district_code: str
    path: str
    edition_id: int
    edition_hash: str


@dataclass(frozen=True, slots=True)
class ServiceRow(InTwoLanguages):
    """A service of a result: its standard, its layer, and how much it counts."""

    code: str
    name_fa: str
    name_en: str
    kind: str
    theme: str
    threshold_m: float
    standard_m: float
    standard_source: str
    is_verified: bool
    layer_code: str
    layer_name_fa: str
    layer_name_en: str
    source: str
    release_id: int
    release_number: int
    release_hash: str
    reference_date: date | None
    facilities: int
    where: Mapping[str, Any]
    indicator_code: str
    weight: float
    source_fa: str = ""
    standard_source_fa: str = ""
    standard_programme: str = ""
    need_per_1000: float | None = None
    """Capacity that 1,000 people need, where capacity counts."""

    @property
    def source_text(self) -> str:
        """The source of the facilities in the language of the reader."""
        return in_readers_language(self.source, self.source_fa)

    @property
    def standard_source_text(self) -> str:
        """The source of the standard in the language of the reader."""
        return in_readers_language(self.standard_source, self.standard_source_fa)


@dataclass(frozen=True, slots=True)
class PopulationRow(InTwoLanguages):
    """Where the people of a result were counted."""

    layer_code: str
    name_fa: str
    name_en: str
    source: str
    field: str
    reference_date: date | None
    release_id: int
    release_number: int
    release_hash: str
    total: float
    """People inside the analysis grid."""
    source_fa: str = ""
    code: str = ""
    """What the source is called in questions."""

    @property
    def source_text(self) -> str:
        """The source in the language of the reader."""
        return in_readers_language(self.source, self.source_fa)


@dataclass(frozen=True, slots=True)
class TravelRow(InTwoLanguages):
    """How the costs of a result were measured.

    Attributes
    ----------
    code
        ``straight``, ``streets``, ``walking``, ``cycling`` or ``surface``.
    is_time
        Whether metres stand for time: those that are walked meanwhile on level ground.
    layers
        What it was measured on; empty for a straight line.
    """

    code: str
    name_fa: str
    name_en: str
    is_time: bool = False
    layers: tuple[TravelLayerRow, ...] = ()


@dataclass(frozen=True, slots=True)
class TravelLayerRow(InTwoLanguages):
    """A layer that costs were measured on: roads, elevation or land cover (``use``)."""

    use: str
    layer_code: str
    name_fa: str
    name_en: str
    source: str
    reference_date: date | None
    release_id: int
    release_number: int
    release_hash: str
    source_fa: str = ""

    @property
    def source_text(self) -> str:
        """The source in the language of the reader."""
        return in_readers_language(self.source, self.source_fa)


@dataclass(frozen=True, slots=True, eq=False)
class CityCoverage:
    """Coverage of a city's places by its services.

    ``values`` has one row per place and one column per service, in the order of ``places`` and ``services``.
    """

    city: Place
    places: tuple[PlaceRow, ...]
    services: tuple[ServiceRow, ...]
    values: Coverage
    population: PopulationRow | None
    travel: TravelRow
    cell_m: float
    epsg: int
    inputs: Mapping[str, Any]
    inputs_key: str
    warnings: tuple[str, ...]
    duration_ms: float
    changes: tuple[Change, ...] = ()
    scenario: ScenarioRow | None = None
    rooms: tuple[NDArray[np.float64] | None, ...] = ()
    """For each service the share of each part's people who find room (`analysis.room`), None where all do."""

    @property
    def people_total(self) -> float:
        """People inside the analysis grid, counted once."""
        return self.population.total if self.population else 0.0

    def place_index(self, code: str) -> int | None:
        """Return the row of a place, or None."""
        return next((i for i, place in enumerate(self.places) if place.code == code), None)

    def service_index(self, code: str) -> int | None:
        """Return the column of a service, or None."""
        return next((i for i, service in enumerate(self.services) if service.code == code), None)


@dataclass(frozen=True, slots=True, eq=False)
class CityPriority:
    """The priority of a city's places, with the coverage behind it; columns of contributions follow the services."""

    coverage: CityCoverage
    priority: Priority
    normalisation: str
    aggregation: str
    index_code: str
    duration_ms: float


@dataclass(frozen=True, slots=True)
class OverlayRow:
    """What of a layer lies in a place."""

    code: str
    name_fa: str
    name_en: str
    kind: str
    count: int
    area_m2: float | None
    length_m: float | None
    area_share: float | None


@dataclass(frozen=True, slots=True)
class CityOverlay:
    """A layer overlaid on a city's places, and how many of its features lie in none of them."""

    city: Place
    subject: str
    rows: tuple[OverlayRow, ...]
    outside: int
    inputs: Mapping[str, Any]
    duration_ms: float


def number_or_none(value: float) -> float | None:
    """Return a float for JSON: NaN and infinity become None.

    Examples
    --------
    >>> number_or_none(np.float64("nan")), number_or_none(np.float64(2.0))
    (None, 2.0)
    """
    number = float(value)
    return number if math.isfinite(number) else None  # of one number, numpy asks slowly


Floats = NDArray[np.float64]
