"""What all measures begin with: one city read once, its people counted once, and the standards that hold."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis import selectors
from analysis.core.changes import StreetDrawn
from analysis.inputs import CityInputs, inputs_read
from analysis.measures.facilities import Facilities, facilities_of
from analysis.measures.residents import Residents, residents_of
from analysis.measures.results import Basis, StandardRow
from analysis.results import Question, ServiceRow
from analysis.selectors import CityReading
from analysis.services import inputs_record
from analysis.travel import Measuring, measuring_for
from geo.errors import InvalidInput
from geo.models import Place
from geo.querysets import User
from layers.models import Service, Standard
from layers.standards import programme_required, standard_for, standards_read

UNITS: Mapping[str, str] = {
    Standard.Kind.DISTANCE: "m",
    Standard.Kind.LAND: "m²/person",
    Standard.Kind.CAPACITY: "per 1,000 people",
}
"""Units of standards by their kind."""


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A question of one reader about one city, with all it is answered from."""

    city: Place
    question: Question
    reading: CityReading
    inputs: CityInputs
    residents: Residents
    started: float

    @property
    def drawn(self) -> tuple[StreetDrawn, ...]:
        """The streets that a scenario draws."""
        return tuple(change for change in self.question.changes if isinstance(change, StreetDrawn))

    def measuring(self, service: ServiceRow | None = None) -> Measuring:
        """Return what measures the way to a service."""
        return measuring_for(
            self.reading, self.question, self.inputs.grid, self.inputs.ground, service=service, drawn=self.drawn
        )

    def facilities(self, service: ServiceRow) -> Facilities:
        """Return the facilities of a service, as the scenario has them."""
        return facilities_of(service, self.inputs.grid.epsg, self.question.changes)

    def standards(self, kind: str) -> dict[str, StandardRow]:
        """Return the standards of a kind that hold, by the code of their service."""
        programme_required(self.question.programme)
        codes = {
            found.supply.service_id: found.supply.service.code
            for found in self.reading.supplied
            if found.supply.service.code in {service.code for service in self.inputs.services}
        }
        chosen = {}
        for service_id, candidates in standards_read(self.city, codes).items():
            standard = standard_for(
                candidates, kind, programme=self.question.programme, people=lambda: self.residents.total
            )
            if standard is not None:
                chosen[codes[service_id]] = standard_row(standard)
        return chosen

    def basis(self, warnings: list[str] | tuple[str, ...] = ()) -> Basis:
        """Return what the answer was computed from, when it is complete."""
        inputs = self.inputs
        return Basis(
            city=self.city,
            places=inputs.places.rows,
            population=inputs.population,
            travel=inputs.travel,
            people=self.residents.total,
            cell_m=inputs.grid.cell_m,
            epsg=inputs.grid.epsg,
            inputs=inputs_record(inputs),
            inputs_key=inputs.key,
            warnings=(*inputs.warnings, *warnings),
            duration_ms=(time.perf_counter() - self.started) * 1000,
        )

    def of_places(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Add values of whole parts, such as people without a service, up over places.

        Parameters
        ----------
        values
            Shape ``(k,)``: for a whole cell as each part is.
        """
        return np.asarray(self.inputs.arrays.place_fractions @ values, dtype=np.float64)


def asked(
    *, city: Place, user: User, question: Question | None, cell_m: float | None, reading: CityReading | None
) -> Asked:
    """Read a city for a measure.

    Parameters
    ----------
    city, user
        Whose places, and as seen by whom.
    question
        Services, thresholds, way of travel, source of people, changes; the city's own where left out.
    cell_m
        Side of a cell; the city's own where left out.
    reading
        `selectors.city_read` of the same city and user, where several questions are asked at once.

    Raises
    ------
    NotFound
        Where the city has no places in force, or the question names something it has not.
    InvalidInput
        Where the city has no data for the way of travel.
    """
    started = time.perf_counter()
    question = question or Question()
    reading = reading or selectors.city_read(city, user)
    inputs = inputs_read(reading, question, cell_m)
    return Asked(city, question, reading, inputs, residents_of(inputs), started)


def facilities_only(services: tuple[ServiceRow, ...], question: Question) -> tuple[ServiceRow, ...]:
    """Return the services that people go to; of utilities, nobody goes to the main.

    Raises
    ------
    InvalidInput
        Where the question names a utility (``not_for_utilities``).
    """
    for service in services:
        if service.kind == Service.Kind.UTILITY and service.code in question.services:
            raise InvalidInput(
                f"{service.name_en} comes by a network, and nobody goes to it.",
                code="not_for_utilities",
                where="service",
                remedy="Choose a service that people go to.",
                details={"service": service.name},
            )
    return tuple(service for service in services if service.kind != Service.Kind.UTILITY)


def standard_row(standard: Standard) -> StandardRow:
    """Return a standard as results name it."""
    has_band = standard.population_min is not None or standard.population_max is not None
    scope = "city" if standard.city_id else "programme" if standard.programme else "band" if has_band else "general"
    return StandardRow(
        kind=standard.kind,
        value=standard.value,
        unit=UNITS[standard.kind],
        scope=scope,
        source=standard.source,
        source_fa=standard.source_fa,
        is_verified=standard.is_verified,
        programme=standard.programme,
        population_min=standard.population_min,
        population_max=standard.population_max,
    )


def standard_asked(kind: str, value: float) -> StandardRow:
    """Return a standard that the question itself gives."""
    return StandardRow(kind, value, UNITS[kind], "asked", "Given in the question", "داده‌شده در پرسش", True)


def sum_or_none(total: float, people: float) -> float | None:
    """Return a mean over people, None where there are none."""
    return total / people if people > 0 else None
