"""Writes of what a city uses its layers for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models.fields.json import KeyTransform

from geo.errors import InvalidInput
from geo.models import Place
from layers.models import Feature, Layer, PopulationSource, Service, Supply, TravelData


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
    code: str = "",
    is_main: bool = True,
    groups: Mapping[str, str] | None = None,
    name_fa: str = "",
    name_en: str = "",
    source: str = "",
    source_fa: str = "",
    reference_date: date | None = None,
) -> PopulationSource:
    """Say where a city's people are counted, and of the numbers the source and date where they differ from the layer's.

    Parameters
    ----------
    code : str
        What this source is called in questions; the layer's code if empty.
    is_main : bool
        Whether it is the source that is taken where none is named; the one that was it until now stays, but no longer as that.
    groups : mapping, optional
        Code of a group of people to the field that counts it.

    Raises
    ------
    InvalidInput
        Where a vector layer has no such field, or a negative number in it, or a field is given for a raster.
    """
    if layer.kind == Layer.Kind.RASTER:
        if field or groups:
            raise InvalidInput(
                "A raster of people has no field.",
                code="bad_population",
                where=f"layer {layer.code}",
                remedy="Leave `field` out.",
            )
    else:
        for name in (field, *(groups or {}).values()):
            _require_people(layer, name)
    said = {
        "layer": layer, "field": field, "groups": dict(groups or {}), "is_main": is_main, "name_fa": name_fa, "name_en": name_en,
        "source": source, "source_fa": source_fa, "reference_date": reference_date,
    }  # fmt: skip
    code = code or layer.code[:60]
    with transaction.atomic():
        if is_main:
            PopulationSource.objects.filter(city=city, is_main=True).exclude(code=code).update(is_main=False)
        return PopulationSource.objects.update_or_create(city=city, code=code, defaults=said)[0]


def _require_people(layer: Layer, field: str) -> None:
    """Require numbers of people in a field of a layer's newest release."""
    newest = layer.releases.order_by("-number").first()
    values = (
        Feature.objects.of(newest).values_list("number", KeyTransform(field, "attributes")) if newest and field else []
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


@dataclass(frozen=True, slots=True)
class TravelSpec:
    """What ways in a city are measured on; see `layers.models.TravelData`."""

    way: str = TravelData.Way.STRAIGHT
    roads: Layer | None = None
    has_osm_tags: bool = False
    road_fields: Mapping[str, str] = field(default_factory=dict)
    closed_classes: Sequence[str] = ()
    cycling_kmh: Mapping[str, float] = field(default_factory=dict)
    is_cut_at_crossings: bool = False
    snap_m: float = 0.0
    elevation: Layer | None = None
    land_cover: Layer | None = None
    land_cover_kmh: Mapping[str, float] = field(default_factory=dict)


def travel_data_put(city: Place, spec: TravelSpec) -> TravelData:
    """Say on which streets, heights and land cover ways in a city are measured.

    Raises
    ------
    InvalidInput
        Where a layer is of the wrong kind, the streets have no such field, or the way of travel lacks its data
        (``bad_travel_data``).
    """
    for what, layer, kind in (
        ("roads", spec.roads, Layer.Kind.LINE),
        ("elevation", spec.elevation, Layer.Kind.RASTER),
        ("land_cover", spec.land_cover, Layer.Kind.RASTER),
    ):
        if layer is not None and layer.kind != kind:
            raise InvalidInput(
                f"The layer {layer.code} is no layer of the kind {kind}.",
                code="bad_travel_data",
                where=f"travel, {what}",
                remedy="Streets are lines; elevation and land cover are rasters.",
            )
    if spec.roads is not None:
        _require_fields(spec.roads, [*spec.road_fields.values()])
    needed = {"streets": spec.roads, "walking": spec.roads, "cycling": spec.roads, "surface": spec.land_cover}
    if spec.way in needed and needed[spec.way] is None:
        raise InvalidInput(
            f"The way of travel {spec.way} has no layer to be measured on.",
            code="bad_travel_data",
            where="travel, way",
            remedy="Name the layer of streets (roads), or of land cover for surface.",
        )
    said = {one.name: getattr(spec, one.name) for one in fields(spec)}
    for name in ("road_fields", "cycling_kmh", "land_cover_kmh"):
        said[name] = dict(said[name])
    said["closed_classes"] = list(spec.closed_classes)
    return TravelData.objects.update_or_create(city=city, defaults=said)[0]


def _require_fields(layer: Layer, names: list[str]) -> None:
    """Require each field in at least one feature of a layer's newest release."""
    newest = layer.releases.order_by("-number").first()
    for name in names:
        if newest is None or not Feature.objects.of(newest).filter(attributes__has_key=name).exists():
            raise InvalidInput(
                f"The layer {layer.code} has no field {name!r}.",
                code="bad_travel_data",
                where="travel",
                remedy="Name the field as the file does, and keep it among the layer's `fields`.",
            )
