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
from layers.models import Feature, Layer, PopulationSource, Service, Supply, Timetable, TravelData


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


def timetable_put(
    *,
    city: Place,
    service_code: str,
    departures_field: str,
    lines: Layer | None = None,
    line_field: str = "",
    stop_field: str = "",
    match_m: float | None = None,
) -> Timetable:
    """Say where departures of a service are told; see `layers.models.Timetable`.

    Raises
    ------
    InvalidInput
        Where the city has no supply of the service, a layer has no such field, or stops and lines cannot find each other
        (``bad_timetable``).
    """
    where = f"timetable of {service_code}"
    supply = Supply.objects.filter(city=city, service__code=service_code).select_related("service", "layer").first()
    if supply is None:
        raise InvalidInput(
            f"Nothing provides the service {service_code}.",
            code="bad_timetable",
            where=where,
            remedy="Name the layer of its stops as a supply first.",
            details={"service": service_code},
        )
    if lines is None and (line_field or stop_field or match_m is not None):
        raise InvalidInput(
            "Stops look for lines, but there is no layer of lines.",
            code="bad_timetable",
            where=where,
            remedy="Name the layer of the lines, or only the stops' field of departures.",
        )
    if lines is not None and (
        bool(stop_field) == (match_m is not None)
        or (stop_field and not line_field)
        or (match_m is not None and not 0 < match_m <= Timetable.MOST_MATCH_M)
    ):
        raise InvalidInput(
            "It is not clear which lines stop where.",
            code="bad_timetable",
            where=where,
            remedy="Name the field in which stops name their lines and the lines' own, or a distance of at most 500 m.",
        )
    for layer, names in ((lines, [line_field, departures_field]), (supply.layer, [stop_field])) if lines else (
        (supply.layer, [departures_field]),
    ):  # fmt: skip
        _require_fields(layer, [name for name in names if name], code="bad_timetable", where=where)
    said = {
        "lines": lines, "line_field": line_field, "departures_field": departures_field, "stop_field": stop_field,
        "match_m": match_m,
    }  # fmt: skip
    return Timetable.objects.update_or_create(city=city, service=supply.service, defaults=said)[0]


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


def _require_fields(layer: Layer, names: list[str], code: str = "bad_travel_data", where: str = "travel") -> None:
    """Require each field in at least one feature of a layer's newest release."""
    newest = layer.releases.order_by("-number").first()
    for name in names:
        if newest is None or not Feature.objects.of(newest).filter(attributes__has_key=name).exists():
            raise InvalidInput(
                f"The layer {layer.code} has no field {name!r}.",
                code=code,
                where=where,
                remedy="Name the field as the file does, and keep it among the layer's `fields`.",
            )
