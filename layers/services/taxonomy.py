"""Writes of themes, services and standards."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from geo.errors import InvalidInput
from geo.models import Place
from layers.models import Service, Standard, Theme


def standard_put(
    *,
    service_code: str,
    threshold_m: float,
    source: str,
    source_fa: str = "",
    city: Place | None = None,
    is_verified: bool = False,
) -> Standard:
    """Set how near a service should be, in general or in one city."""
    service = Service.objects.filter(code=service_code).first()
    if service is None:
        raise InvalidInput(
            f"{service_code!r} is not a service.",
            code="bad_service",
            where="standards",
            remedy="Use the code of a service.",
        )
    if not 0 < threshold_m <= 100_000:
        raise InvalidInput(
            f"A threshold of {threshold_m} m is out of range.",
            code="bad_threshold",
            where=f"standard of {service_code}",
            remedy="Give 1 to 100,000 metres.",
        )
    said = {"threshold_m": threshold_m, "source": source, "source_fa": source_fa, "is_verified": is_verified}
    return Standard.objects.update_or_create(service=service, city=city, defaults=said)[0]


def taxonomy_put(themes: list[dict[str, Any]], services: list[dict[str, Any]], standards: list[dict[str, Any]]) -> None:
    """Bring themes, services and general standards up to date with the data that ship with the project."""
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
            standard_put(
                service_code=standard["service"],
                threshold_m=float(standard["threshold_m"]),
                source=standard["source"],
                source_fa=standard.get("source_fa", ""),
                is_verified=not standard.get("unverified", True),
            )
