"""What every template knows about the site."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from interventions.selectors.notices import MOST_COUNTED, notices_unread
from maps.assets import import_map_json
from maps.notices.presenters import count_text


def site(request: HttpRequest) -> dict[str, Any]:
    """Return the import map, the language facts, the day that printed pages carry, and how much a reader has not read."""
    return {
        "import_map": import_map_json(),
        "is_persian": getattr(request, "LANGUAGE_CODE", "fa") == "fa",
        "today": timezone.localdate(),
        # Asked by pages of people who are signed in, when they are made.
        "notices_unread": lambda: _unread(request),
    }


def _unread(request: HttpRequest) -> str:
    n = notices_unread(request.user)
    return count_text(n, MOST_COUNTED) if n else ""
