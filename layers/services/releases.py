"""Writes of releases: the rows of a file are stored whole, or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import date
from typing import Any, Final

import shapely
from django.db import transaction

from geo.core.crs import STORAGE_EPSG
from geo.db import sql
from layers.models import Feature, Layer, Release
from layers.reading.plan import Plan, RasterPlan

_MAX_KEPT_WARNINGS: Final = 50


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
        release, is_new = release_next(layer, plan, digest.hexdigest(), len(rows), reference_date)
        if is_new:
            sql.copy_rows(Feature, ("release_id", "number", "name", "geometry", "attributes"), records(release.pk))
    return release


def release_next(
    layer: Layer, plan: Plan | RasterPlan, content_hash: str, row_count: int, reference_date: date | None
) -> tuple[Release, bool]:
    """Return the newest release where it holds the same, or the next one made; inside a transaction, one at a time.

    Returns
    -------
    tuple of Release and bool
        And whether it is new, so that its rows are still to be written.
    """
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
