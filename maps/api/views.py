"""What is answered below ``/api/v1/`` where there is nothing."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from geo.errors import NotFound


@csrf_exempt
def unknown(request: HttpRequest, rest: str) -> HttpResponse:
    """Answer that there is no such address."""
    raise NotFound(
        "There is no such address.",
        code="unknown_address",
        remedy="The addresses are described at /api/v1/openapi.json.",
    )
