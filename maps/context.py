"""What every template knows about the site."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from maps.assets import import_map_json


def site(request: HttpRequest) -> dict[str, Any]:
    """Return the import map, the language facts, and the day that printed pages carry."""
    return {
        "import_map": import_map_json(),
        "is_persian": getattr(request, "LANGUAGE_CODE", "fa") == "fa",
        "today": timezone.localdate(),
    }
