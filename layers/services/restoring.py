"""A former release of a layer brought back: stored once more, as the next one. Nothing is deleted or changed."""

from __future__ import annotations

from typing import Any, Final

from django.db import transaction

from geo.db import sql
from geo.errors import Conflict
from geo.querysets import User
from layers.models import Feature, Layer, Raster, Release
from layers.partitions import partition_attach, partition_create
from layers.services.layers import changing_required
from layers.services.releases import release_difference, releases_compared, releasing_lock
from layers.services.rows_to_copy import OWN_SHELF_ROWS

MOST_COMPARED: Final = 300_000
"""Above this, comparing two releases takes longer than anybody waits for a page; storing says it exactly."""

_COPIED: Final = (
    "layer", "reference_date", "file_name", "file_sha256", "content_hash", "row_count", "fields", "west", "south",
    "east", "north", "quality", "warnings",
)  # fmt: skip
_OF_RASTER: Final = (
    "file", "epsg", "width", "height", "pixel_m", "minimum", "maximum", "total", "mean", "deviation", "histogram",
)  # fmt: skip


def restoring_difference(former: Release) -> dict[str, Any]:
    """Say what would change in a layer against its newest release if a former one were stored again.

    Returns
    -------
    dict
        As of `release_difference`; empty for rasters, and where there are too many rows to wait for it.
    """
    newest = former.layer.releases.order_by("-number").first()
    is_raster = former.layer.kind == Layer.Kind.RASTER
    if newest is None or is_raster or max(newest.row_count, former.row_count) > MOST_COMPARED:
        return {}
    return releases_compared(former, newest)


def release_restore(former: Release, user: User, *, seen: int) -> Release:
    """Store a former release of a layer again, as its next one.

    Parameters
    ----------
    former : Release
        What is stored again: its rows or its raster, with the day they describe, as they were read then.
    seen : int
        Number of the release that was the newest when the person decided.

    Raises
    ------
    Forbidden
        Where the person has no right to change layers of the city.
    Conflict
        Where the layer is archived (``layer_archived``), another release came meanwhile (``stale_release``), or the newest
        holds the same (``same_release``). Nothing is stored.
    """
    layer: Layer = former.layer
    changing_required(layer, user)
    with transaction.atomic():
        key = sql.next_key(Release)
        shelf = key if former.row_count >= OWN_SHELF_ROWS and layer.kind != Layer.Kind.RASTER else 0
        restorable_required(former, seen)  # before the rows are copied, and once more when nobody else can store any
        _copy_rows(former, key, shelf)
        releasing_lock(layer)
        newest = restorable_required(former, seen)
        release = Release(pk=key, number=newest.number + 1, shelf=shelf, author_id=user.pk)
        for name in _COPIED:
            setattr(release, name, getattr(former, name))
        release.how = {**former.how, "restored": former.number}
        release.save(force_insert=True)
        if shelf:
            partition_attach(shelf)
        if layer.kind == Layer.Kind.RASTER:
            raster = Raster.objects.get(release=former)
            Raster.objects.create(release=release, **{name: getattr(raster, name) for name in _OF_RASTER})
        else:
            release.difference = release_difference(release)
            release.save(update_fields=["difference"])
    return release


def restorable_required(former: Release, seen: int | None = None) -> Release:
    """Return the newest release of the layer of a former one, which can be stored again.

    Raises
    ------
    Conflict
        Where it cannot; see `release_restore`.
    """
    layer: Layer = Layer.objects.get(pk=former.layer_id)
    newest = layer.releases.order_by("-number")[0]
    if layer.archived_at is not None:
        raise Conflict(
            "The layer is archived, and takes no further release.",
            code="layer_archived",
            where=layer.code,
            remedy="Bring it back into the lists first.",
        )
    if seen is not None and newest.number != seen:
        raise Conflict(
            f"Release {newest.number} was stored meanwhile.",
            code="stale_release",
            where=layer.code,
            remedy="Look at what would change now, and decide again.",
            details={"number": newest.number},
        )
    if (newest.content_hash, newest.reference_date) == (former.content_hash, former.reference_date):
        raise Conflict(
            f"The newest release, {newest.number}, holds the same.",
            code="same_release",
            where=layer.code,
            remedy="There is nothing to bring back.",
            details={"number": newest.number},
        )
    return newest


def _copy_rows(former: Release, key: int, shelf: int) -> None:
    """Write the rows again: into a table of their own where they are many."""
    table: Any = partition_create(shelf) if shelf else Feature
    keys = {"new": key, "new_shelf": shelf, "old": former.pk, "old_shelf": former.shelf}
    sql.rows("layers", "release_copy", keys, {"partition": table, "features": Feature})
