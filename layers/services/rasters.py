"""Writes of rasters: a cloud-optimised GeoTIFF in the raster folder, and the release that names it."""

from __future__ import annotations

import os
import time
from datetime import date
from pathlib import Path
from typing import Final

import rasterio
import rasterio.shutil
from django.conf import settings
from django.db import transaction

from geo.errors import InvalidInput
from layers.models import Layer, Raster, Release
from layers.reading.plan import RasterPlan
from layers.services.releases import release_next

_ORPHAN_AGE_S: Final = 3600


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
        release, is_new = release_next(layer, plan, plan.sha256, plan.valid_pixels, reference_date)
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
