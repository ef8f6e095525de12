"""The script that keeps the forms of reports on a phone."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

_WORKER: Final = Path(__file__).resolve().parent.parent / "static" / "maps" / "js" / "offline" / "worker.js"


@require_safe
def worker(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with the script that keeps a form on a phone; from here, because it rules the addresses below its own alone."""
    response = HttpResponse(_WORKER.read_bytes(), content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    return response
