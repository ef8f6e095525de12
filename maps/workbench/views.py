"""The page of the workbench."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.views.decorators.http import require_safe

from analysis.selectors import city_get
from geo.models import Boundary, Place
from maps.api.bodies import MOST_BYTES
from maps.assets import worker_url
from maps.pages.reader import language
from maps.pages.selectors import base_layers
from maps.workbench import selectors


@login_required
@require_safe
def edit(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with the workbench of a city, for those who may draw there."""
    place = city_get(city, request.user)
    selectors.drawing_required(place, request.user)
    context = {"city": place, "tab": "edit", "config": _config(request, place)}
    return render(request, "maps/workbench/edit.html", context)


def _config(request: HttpRequest, city: Place) -> dict[str, Any]:
    """Return what the browser needs to begin."""
    return {
        "language": language(),
        "city": city.code,
        "name": city.name,
        "csrf": get_token(request),
        "user": request.user.get_username(),
        "urls": {
            "api": "/api/v1/",
            "tiles": f"/tiles/{city.code}/",
            "worker": worker_url(),
            "city": f"/{city.code}/",
            "changes": f"/{city.code}/changes/",
        },
        "bounds": selectors.bounds_of(city, request.user),
        "layers": base_layers(city, request.user),
        "points": {},
        "shape_layers": selectors.shape_layers(city, request.user),
        "services": selectors.service_names(city, request.user),
        "certainties": {value: str(label) for value, label in Boundary.Certainty.choices},
        "may_edit": True,
        "max_upload_mb": MOST_BYTES // 1_000_000,
    }
