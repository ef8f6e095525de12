"""Layers as services: their features, tiles and rasters."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_noop

SENTENCES: Final = (
    gettext_noop("This is not an instant."),
    gettext_noop("Write TIMESTAMP('2024-03-20T10:00:00Z')."),
    gettext_noop("This is not a number."),
    gettext_noop("Give digits, with a point where due."),
    gettext_noop("There is no such feature in this layer."),
    gettext_noop("See the identifiers in /ogc/%(path)s/items."),
    gettext_noop("There is no such collection here, or you may not see it."),
    gettext_noop("See the collections in /ogc/collections."),
    gettext_noop("Tiles are vector tiles."),
    gettext_noop("Give mvt."),
    gettext_noop("Ask for deeper zooms; a tile holds at most %(shapes)s shapes and %(size)s bytes."),
    gettext_noop("This layer is no raster."),
    gettext_noop("Ask for its vector tiles instead."),
    gettext_noop("The file of the raster is missing."),
    gettext_noop("This is not a longitude or latitude in degrees."),
    gettext_noop("Give lon=48.35&lat=33.49."),
)
