"""Writes of themes, services, standards and classes of frequency."""

from __future__ import annotations

from itertools import groupby
from typing import Any, Final

from django.db import transaction

from geo.errors import InvalidInput
from geo.models import Place
from layers.models import FrequencyClass, Service, Standard, Theme

MOST_VALUE: Final = 100_000.0
"""Metres of a distance, m² of land for each person, or capacity for every 1,000 people."""
MOST_DEPARTURES: Final = 1_000_000.0
"""A week."""


def standard_put(
    *,
    service_code: str,
    value: float,
    source: str,
    kind: str = Standard.Kind.DISTANCE,
    source_fa: str = "",
    city: Place | None = None,
    programme: str = "",
    population_min: int | None = None,
    population_max: int | None = None,
    is_verified: bool = False,
) -> Standard:
    """Set how much of a service there should be: in general or in one city, for a programme, for cities of some size.

    Parameters
    ----------
    value
        In metres, m² for each person, or capacity for every 1,000 people, as the kind has it.
    programme
        Code of the programme that demands it; empty for none.
    population_min, population_max
        For cities of at least, and of fewer than, so many people; None for no limit.

    Raises
    ------
    InvalidInput
        Where there is no such service, or the value or the band of sizes is not possible.
    """
    service = Service.objects.filter(code=service_code).first()
    if service is None:
        raise InvalidInput(
            f"{service_code!r} is not a service.",
            code="bad_service",
            where="standards",
            remedy="Use the code of a service.",
        )
    if not 0 < value <= MOST_VALUE:
        raise InvalidInput(
            f"A standard of {value} is out of range.",
            code="bad_standard",
            where=f"standard of {service_code}",
            remedy="Give a number above 0, at most 100,000.",
        )
    if population_min is not None and population_max is not None and population_min >= population_max:
        raise InvalidInput(
            f"Cities of {population_min} up to {population_max} people are none.",
            code="bad_standard",
            where=f"standard of {service_code}",
            remedy="Give the smaller number first.",
        )
    found, _ = Standard.objects.update_or_create(
        service=service, kind=kind, city=city, programme=programme, population_min=population_min,
        population_max=population_max,
        defaults={"value": value, "source": source, "source_fa": source_fa, "is_verified": is_verified},
    )  # fmt: skip
    return found


def frequency_class_put(
    *,
    service_code: str,
    departures_week: float,
    name_fa: str,
    name_en: str,
    source: str,
    source_fa: str = "",
    city: Place | None = None,
    is_verified: bool = False,
) -> FrequencyClass:
    """Set a class of departures a week of a service, in general or in one city.

    Raises
    ------
    InvalidInput
        Where there is no such service, or the number of departures is not possible.
    """
    service = Service.objects.filter(code=service_code).first()
    if service is None:
        raise InvalidInput(
            f"{service_code!r} is not a service.",
            code="bad_service",
            where="frequency classes",
            remedy="Use the code of a service.",
        )
    if not 0 <= departures_week <= MOST_DEPARTURES:
        raise InvalidInput(
            f"A class from {departures_week} departures a week is out of range.",
            code="bad_frequency_class",
            where=f"frequency classes of {service_code}",
            remedy="Give a number from 0 to 1,000,000.",
            details={"value": departures_week},
        )
    said = {
        "name_fa": name_fa, "name_en": name_en, "source": source, "source_fa": source_fa, "is_verified": is_verified,
    }  # fmt: skip
    return FrequencyClass.objects.update_or_create(
        service=service, city=city, departures_week=departures_week, defaults=said
    )[0]


_VALUES: Final = {
    "threshold_m": Standard.Kind.DISTANCE,
    "m2_per_person": Standard.Kind.LAND,
    "per_1000_people": Standard.Kind.CAPACITY,
}
"""Names that values have in the data file, which say the unit, and the kinds of standards."""


def taxonomy_put(
    themes: list[dict[str, Any]],
    services: list[dict[str, Any]],
    standards: list[dict[str, Any]],
    frequencies: list[dict[str, Any]],
) -> None:
    """Bring themes, services, general standards and classes of frequency up to date with the data that ship with the project."""
    with transaction.atomic():
        for position, theme in enumerate(themes):
            Theme.objects.update_or_create(
                code=theme["code"],
                defaults={"name_fa": theme["name_fa"], "name_en": theme["name_en"], "position": position},
            )
        for position, service in enumerate(services):
            Service.objects.update_or_create(
                code=service["code"],
                defaults={
                    "name_fa": service["name_fa"],
                    "name_en": service["name_en"],
                    "kind": service.get("kind", Service.Kind.FACILITY),
                    "theme": Theme.objects.get(code=service["theme"]),
                    "position": position,
                },
            )
        for standard in standards:
            name = next(name for name in _VALUES if name in standard)
            standard_put(
                service_code=standard["service"],
                kind=_VALUES[name],
                value=float(standard[name]),
                source=standard["source"],
                source_fa=standard.get("source_fa", ""),
                programme=standard.get("programme", ""),
                population_min=standard.get("population_min"),
                population_max=standard.get("population_max"),
                is_verified=not standard.get("unverified", True),
            )
        for code, rows in groupby(frequencies, key=lambda row: str(row["service"])):
            kept = [
                frequency_class_put(
                    service_code=code,
                    departures_week=float(row["departures_week"]),
                    name_fa=row["name_fa"],
                    name_en=row["name_en"],
                    source=row["source"],
                    source_fa=row.get("source_fa", ""),
                    is_verified=not row.get("unverified", True),
                ).pk
                for row in rows
            ]
            # An edge that moved is another row: the one before it would stay beside it.
            FrequencyClass.objects.filter(service__code=code, city=None).exclude(pk__in=kept).delete()
