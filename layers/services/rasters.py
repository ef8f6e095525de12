"""Writes of rasters: a cloud-optimised GeoTIFF in the raster folder, and the release that names it."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import rasterio
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from rasterio.windows import Window

from geo.errors import InvalidInput
from layers.models import Layer, Raster, Release
from layers.reading.limits import DEFAULT, Limits
from layers.reading.plan import RasterPlan, RefusedError
from layers.reading.raster import store_raster
from layers.services.releases import release_next

_ORPHAN_AGE_S: Final = 3600
_CLASSES: Final = 32
_MOST_VALUES: Final = 256
_ROWS_AT_ONCE: Final = 512


def raster_release_create(
    *,
    layer: Layer,
    plan: RasterPlan,
    path: Path,
    reference_date: date | None = None,
    author: User | None = None,
    how: Mapping[str, Any] | None = None,
    limits: Limits = DEFAULT,
) -> Release:
    """Store a raster as the next release of a layer, as a cloud-optimised GeoTIFF named by its content.

    The file is complete before the release is: a break in between leaves at most a file that nothing names, which
    `raster_sweep` removes.

    Raises
    ------
    InvalidInput
        Where the plan has errors, the raster's reference system has no EPSG code, or the file was changed meanwhile.
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
    # The same file may be read in several ways: another band, or another reference system than it says.
    way = f"-b{plan.band}-epsg{plan.epsg}" if plan.is_crs_named else f"-b{plan.band}"
    content = plan.sha256 if way == "-b1" else hashlib.sha256(f"{plan.sha256}{way}".encode()).hexdigest()
    name = f"{plan.sha256}{way}.tif" if plan.bands == 1 else f"{plan.sha256}{way}-of-{plan.bands}.tif"
    target = settings.RASTER_DIR / name
    if not target.exists():
        part = settings.RASTER_DIR / f".part-{os.getpid()}-{name}"
        try:
            store_raster(path, plan, part, limits=limits)
        except RefusedError as refused:
            raise InvalidInput(
                refused.problem.message,
                code=refused.problem.code,
                where=plan.file_name,
                remedy=refused.problem.remedy,
            ) from refused
        part.replace(target)
    statistics = raster_statistics(target, 1, plan.minimum, plan.maximum)
    with transaction.atomic():
        release, is_new = release_next(layer, plan, content, plan.valid_pixels, reference_date, author=author, how=how)
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
                mean=statistics.mean,
                deviation=statistics.deviation,
                histogram=statistics.histogram,
            )
    return release


@dataclass(frozen=True, slots=True)
class RasterStatistics:
    """What the pixels of a raster that have data look like together.

    Attributes
    ----------
    mean, deviation
        Arithmetic mean, and standard deviation of all pixels; None if none has data.
    histogram
        ``edges`` (n + 1 values, each class from one up to below the next, the last to the maximum) and ``pixels`` (n);
        of a raster of a few whole numbers ``values`` and ``pixels``, one for each of them; empty if none has data.
    """

    mean: float | None = None
    deviation: float | None = None
    histogram: dict[str, list[float] | list[int]] = field(default_factory=dict)


def raster_statistics(path: Path, band: int, minimum: float | None, maximum: float | None) -> RasterStatistics:
    """Go through the pixels of a band, some rows at a time.

    Parameters
    ----------
    path
        The raster.
    band
        Which band, from 1.
    minimum, maximum
        Of the pixels with data; None where there are none.
    """
    if minimum is None or maximum is None:
        return RasterStatistics()
    with rasterio.open(path) as dataset:
        is_whole = np.issubdtype(np.dtype(dataset.dtypes[band - 1]), np.integer)
        is_listed = is_whole and maximum - minimum < _MOST_VALUES
        if is_listed:
            edges = np.arange(minimum, maximum + 2) - 0.5
        else:
            edges = np.linspace(minimum, maximum if maximum > minimum else minimum + 1, _CLASSES + 1)
        pixels = np.zeros(len(edges) - 1, dtype=np.int64)
        n, mean, squares = 0, 0.0, 0.0
        for top in range(0, dataset.height, _ROWS_AT_ONCE):
            rows = min(_ROWS_AT_ONCE, dataset.height - top)
            read = dataset.read(band, window=Window(0, top, dataset.width, rows), masked=True).compressed()
            values = read[np.isfinite(read)].astype(np.float64)
            if not len(values):
                continue
            pixels += np.histogram(values, edges)[0]
            # Sums of squares put together without losing digits where the mean is large (Chan, Golub and LeVeque 1983).
            there = float(values.mean())
            apart = there - mean
            squares += float(((values - there) ** 2).sum()) + apart**2 * n * len(values) / (n + len(values))
            mean += apart * len(values) / (n + len(values))
            n += len(values)
    if not n:
        return RasterStatistics()
    if is_listed:
        there_are = np.flatnonzero(pixels)
        histogram = {"values": (there_are + int(minimum)).tolist(), "pixels": pixels[there_are].tolist()}
    else:
        histogram = {"edges": edges.tolist(), "pixels": pixels.tolist()}
    return RasterStatistics(mean, float(np.sqrt(squares / n)), histogram)


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
