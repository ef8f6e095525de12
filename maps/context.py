"""What every template knows about the site."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from maps.assets import import_map_json


def site(request: HttpRequest) -> dict[str, Any]:
    """Return the import map and the language facts templates need."""
    return {"import_map": import_map_json(), "is_persian": getattr(request, "LANGUAGE_CODE", "fa") == "fa"}
