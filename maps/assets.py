"""Which browser modules our pages import by name, and where those files are."""

from __future__ import annotations

import json
from functools import cache

from django.templatetags.static import static

MODULES = {
    "maplibre-gl": "vendor/maplibre-gl/maplibre-gl.mjs",
    "terra-draw": "vendor/terra-draw/terra-draw.modern.js",
    "terra-draw-maplibre-gl-adapter": "vendor/terra-draw-maplibre-gl-adapter/terra-draw-maplibre-gl-adapter.modern.js",
}


@cache
def import_map_json() -> str:
    """Return the import map of every page as the exact text that goes into the page (its hash is in the CSP)."""
    imports = {name: static(path) for name, path in MODULES.items()}
    return json.dumps({"imports": imports}, separators=(",", ":"))


def worker_url() -> str:
    """Return where the map library's worker is; named here because its file name changes with its content."""
    return static("vendor/maplibre-gl/maplibre-gl-worker.mjs")
