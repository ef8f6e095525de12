"""Writes of what a city uses its layers for."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from django.db.models.fields.json import KeyTransform

from geo.errors import InvalidInput
from geo.models import Place
from layers.models import Feature, Layer, PopulationSource, Service, Supply


def supply_put(*, city: Place, service_code: str, layer: Layer, where: dict[str, Any] | None = None) -> Supply:
    """Say which features of a layer provide a service in a city.

    Raises
    ------
    InvalidInput
        Where the service is unknown, or the layer's newest release has no such feature.
    """
    service = Service.objects.filter(code=service_code).first()
    if service is None:
        known = ", ".join(Service.objects.values_list("code", flat=True))
        raise InvalidInput(
            f"{service_code!r} is not a service.",
            code="bad_service",
            where=f"supply of {layer.code}",
            remedy=f"Choose one of {known}.",
        )
    conditions = where or {}
    newest = layer.releases.order_by("-number").first()
    if conditions and (newest is None or not Feature.objects.of(newest).supplying(conditions).exists()):
        raise InvalidInput(
            f"No feature of the layer {layer.code} has {json.dumps(conditions, ensure_ascii=False)}.",
            code="bad_condition",
            where=f"supply of {service_code}",
            remedy="Check the field's name and value; both must be written as in the file.",
        )
    supply, _ = Supply.objects.update_or_create(
        city=city, service=service, defaults={"layer": layer, "where": conditions}
    )
    return supply


def population_source_put(
    *,
    city: Place,
    layer: Layer,
    field: str,
    source: str = "",
    source_fa: str = "",
    reference_date: date | None = None,
) -> PopulationSource:
    """Say where a city's people are counted, and of the numbers the source and date where they differ from the layer's.

    Raises
    ------
    InvalidInput
        Where a vector layer has no such field, or a negative number in it, or a field is given for a raster.
    """
    if layer.kind == Layer.Kind.RASTER:
        if field:
            raise InvalidInput(
                "A raster of people has no field.",
                code="bad_population",
                where=f"layer {layer.code}",
                remedy="Leave `field` out.",
            )
    else:
        newest = layer.releases.order_by("-number").first()
        values = (
            Feature.objects.of(newest).values_list("number", KeyTransform(field, "attributes"))
            if newest and field
            else []
        )
        numbers = [(row, value) for row, value in values if value is not None]
        if not numbers:
            raise InvalidInput(
                f"The layer {layer.code} has no field {field!r} with numbers of people.",
                code="bad_population",
                where=f"layer {layer.code}",
                remedy="Name the field as the file does.",
            )
        for row, value in numbers:
            if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
                raise InvalidInput(
                    f"{value!r} is not a number of people.",
                    code="bad_population",
                    where=f"layer {layer.code}, row {row}, field {field}",
                    remedy="Correct the value: zero or more.",
                )
    said = {"layer": layer, "field": field, "source": source, "source_fa": source_fa, "reference_date": reference_date}
    return PopulationSource.objects.update_or_create(city=city, defaults=said)[0]
