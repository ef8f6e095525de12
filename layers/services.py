"""Writes of layers: a release is stored whole, or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import rasterio
import rasterio.shutil
import shapely
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.fields.json import KeyTransform

from geo.core.crs import STORAGE_EPSG
from geo.db import sql
from geo.errors import InvalidInput
from geo.models import Place
from layers.models import Feature, Layer, PopulationSource, Raster, Release, Service, Standard, Supply, Theme
from layers.reading.plan import Plan, RasterPlan

_ORPHAN_AGE_S = 3600
_MAX_KEPT_WARNINGS = 50


@dataclass(frozen=True, slots=True)
class LayerSpec:
    """What a layer should be."""

    city: Place
    theme: str
    code: str
    kind: str
    name_fa: str
    name_en: str
    source: str
    licence: str = ""
    is_published: bool = True
    source_fa: str = ""


def layer_put(spec: LayerSpec) -> Layer:
    """Make a layer of a city, or bring the one of that code up to date.

    Raises
    ------
    InvalidInput
        Where the theme is unknown, a text is missing, or the kind differs from that of earlier releases.
    """
    theme = Theme.objects.filter(code=spec.theme).first()
    if theme is None:
        known = ", ".join(Theme.objects.values_list("code", flat=True))
        raise InvalidInput(
            f"{spec.theme!r} is not a theme.",
            code="bad_theme",
            where=f"layer {spec.code}",
            remedy=f"Choose one of {known}.",
        )
    layer = Layer.objects.filter(city=spec.city, code=spec.code).first() or Layer(city=spec.city, code=spec.code)
    if layer.pk and layer.kind != spec.kind and layer.releases.exists():
        raise InvalidInput(
            f"The layer holds {layer.get_kind_display()} and cannot take {spec.kind} data.",
            code="kind_changed",
            where=f"layer {spec.code}",
            remedy="Give the new data a layer code of their own.",
        )
    layer.theme, layer.kind, layer.name_fa, layer.name_en = theme, spec.kind, spec.name_fa, spec.name_en
    layer.source, layer.source_fa = spec.source, spec.source_fa
    layer.licence, layer.is_published = spec.licence, spec.is_published
    try:
        layer.full_clean()
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise InvalidInput(
            str(messages[0]), code="bad_layer", where=f"layer {spec.code}, {field}", remedy="Correct it."
        ) from error
    layer.save()
    return layer


def release_create(*, layer: Layer, plan: Plan, reference_date: date | None = None) -> Release:
    """Store the rows of a plan as the next release of a layer, or return the newest where it holds the same.

    Raises
    ------
    InvalidInput
        Where the plan has errors: the first of them, with its place and remedy.
    """
    plan.require_loadable()
    rows = plan.rows
    attributes = [
        json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":")) for row in rows.attributes()
    ]
    wkb = shapely.to_wkb(shapely.set_srid(rows.geometries_4326, STORAGE_EPSG), hex=True, include_srid=True)
    digest = hashlib.sha256()
    for geometry, name, text in zip(wkb, rows.names, attributes, strict=True):
        digest.update(f"{geometry}\x1f{name}\x1f{text}\x1e".encode())

    def records(release_id: int) -> Iterator[tuple[Any, ...]]:
        for number, name, geometry, text in zip(rows.numbers.tolist(), rows.names, wkb, attributes, strict=True):
            yield release_id, number, name[:300], geometry, text

    with transaction.atomic():
        release, is_new = _release_next(layer, plan, digest.hexdigest(), len(rows), reference_date)
        if is_new:
            sql.copy_rows(Feature, ("release_id", "number", "name", "geometry", "attributes"), records(release.pk))
    return release


def raster_release_create(*, layer: Layer, plan: RasterPlan, path: Path, reference_date: date | None = None) -> Release:
    """Store a raster as the next release of a layer, as a cloud-optimised GeoTIFF named by its content.

    The file is complete before the release is: a break in between leaves at most a file that nothing names, which
    `raster_sweep` removes.
    """
    plan.require_loadable()
    if plan.epsg is None:
        raise InvalidInput(
            "The raster's reference system has no EPSG code.",
            code="bad_crs",
            where=plan.file_name,
            remedy="Name one when the file is read, or reproject it.",
        )
    settings.RASTER_DIR.mkdir(parents=True, exist_ok=True)
    name = f"{plan.sha256}-b{plan.band}.tif"
    target = settings.RASTER_DIR / name
    if not target.exists():
        part = settings.RASTER_DIR / f".part-{os.getpid()}-{name}"
        rasterio.shutil.copy(
            path, part, driver="COG", compress="deflate", predictor="yes", blocksize=256, overview_resampling="average"
        )
        part.replace(target)
    with transaction.atomic():
        release, is_new = _release_next(layer, plan, plan.sha256, plan.valid_pixels, reference_date)
        if is_new:
            transform = plan.transform
            Raster.objects.create(
                release=release,
                file=name,
                epsg=plan.epsg,
                width=plan.width,
                height=plan.height,
                pixel_m=abs(transform[0]) if transform else None,
                minimum=plan.minimum,
                maximum=plan.maximum,
                total=plan.total,
            )
    return release


def raster_sweep() -> int:
    """Remove raster files that no release names and that are older than an hour; return how many."""
    if not settings.RASTER_DIR.is_dir():
        return 0
    known = set(Raster.objects.values_list("file", flat=True))
    removed = 0
    for file in settings.RASTER_DIR.glob("*.tif"):
        if file.name not in known and time.time() - file.stat().st_mtime > _ORPHAN_AGE_S:
            file.unlink(missing_ok=True)
            removed += 1
    return removed


def _release_next(
    layer: Layer, plan: Plan | RasterPlan, content_hash: str, row_count: int, reference_date: date | None
) -> tuple[Release, bool]:
    Layer.objects.select_for_update().get(pk=layer.pk)  # release numbers are given one at a time
    newest = layer.releases.order_by("-number").first()
    if newest and newest.content_hash == content_hash and newest.reference_date == reference_date:
        return newest, False
    release = Release.objects.create(
        layer=layer,
        number=1 + (newest.number if newest else 0),
        reference_date=reference_date,
        file_name=plan.file_name[:255],
        file_sha256=plan.sha256,
        content_hash=content_hash,
        row_count=row_count,
        warnings=[p.as_dict() for p in plan.problems if p.severity != "error"][:_MAX_KEPT_WARNINGS],
    )
    return release, True


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
    if conditions and (newest is None or not newest.features.supplying(conditions).exists()):
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
        values = newest.features.values_list("number", KeyTransform(field, "attributes")) if newest and field else []
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
