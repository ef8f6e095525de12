"""The form of an export: formats, reference systems and releases as the reader's language calls them."""

from __future__ import annotations

from typing import Any, Final

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from geo.core.crs import STORAGE_EPSG, TILE_EPSG, utm_epsg
from layers.models import Layer, Release
from layers.writing import formats_for
from maps.pages import formats as words
from maps.pages.reader import language

_FORMATS: Final = {
    "gpkg": gettext_noop("GeoPackage – for QGIS and ArcGIS, keeps everything"),
    "shp": gettext_noop("Shapefile (zip) – for older programs; short names and texts"),
    "geojson": gettext_noop("GeoJSON – for the web; longitude and latitude"),
    "geojsonseq": gettext_noop("GeoJSON, one row a line – for programs; longitude and latitude"),
    "fgb": gettext_noop("FlatGeobuf – for large data on the web"),
    "parquet": gettext_noop("GeoParquet – for analysis in Python and R"),
    "kml": gettext_noop("KML – for Google Earth; longitude and latitude"),
    "csv": gettext_noop("CSV – table as text"),
    "xlsx": gettext_noop("XLSX – table for Excel"),
    "cog": gettext_noop("GeoTIFF, cloud-optimised – pixels"),
}


def export_form(layer: Layer, releases: list[Release], chosen: str = "") -> dict[str, Any]:
    """Return what ``maps/exports/_form.html`` shows.

    Parameters
    ----------
    releases
        The newest first; without one, nothing can be exported.
    chosen
        Format that is chosen already.
    """
    lang = language()
    kind = str(layer.kind)
    path = {"city": layer.city.code, "layer": layer.code}
    return {
        "action": reverse("layer-export", kwargs=path),
        "codebook_json": reverse("layer-codebook-json", kwargs=path),
        "codebook_csv": reverse("layer-codebook-csv", kwargs=path),
        "formats": [
            {"code": one.code, "title": _(_FORMATS[one.code]), "is_chosen": one.code == chosen}
            for one in formats_for(kind)
        ],
        "systems": _systems(kind, releases[0] if releases else None),
        "releases": [
            {
                "number": one.number,
                "title": _("Release %(number)s, data of %(day)s")
                % {"number": words.number(one.number, lang), "day": words.day(one.reference_date, lang)}
                if one.reference_date
                else _("Release %(number)s") % {"number": words.number(one.number, lang)},
            }
            for one in releases
        ],
        "is_raster": kind == Layer.Kind.RASTER,
    }


def _systems(kind: str, release: Release | None) -> list[dict[str, Any]]:
    """Return the reference systems that are offered; any other can be typed."""
    found: list[dict[str, Any]] = [{"epsg": "", "title": _("The usual one of the format")}]
    found.append({"epsg": STORAGE_EPSG, "title": _("Longitude and latitude (WGS 84, EPSG:4326)")})
    box = release.bounds_4326 if release else None
    if box is not None:
        zone = utm_epsg((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
        found.append({"epsg": zone, "title": _("Metres, UTM zone of the city (EPSG:%(code)s)") % {"code": zone}})
    found.append({"epsg": TILE_EPSG, "title": _("Web maps (EPSG:3857)")})
    return found
