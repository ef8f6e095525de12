"""What the forms of reports tell their script."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.urls import reverse

from geo.models import Place
from interventions.models import Capacity, Sector
from maps.needs.selectors import map_config
from maps.pages.reader import language


def form_config(request: HttpRequest, city: Place, *, worker: str, wrong: dict[str, str]) -> dict[str, Any]:
    """Return what a form tells its script: whose reports these are, where they go, and the words for what they name.

    Parameters
    ----------
    worker
        The name of the address of its worker.
    wrong
        What is said beside a field that cannot be read.
    """
    places = Place.objects.visible_to(request.user).within(city)
    return {
        "language": language(),
        "city": city.code,
        "user": request.user.get_username(),
        "csrf": get_token(request),
        "api": f"/api/v1/cities/{city.code}",
        "map": map_config(city, request.user),
        "worker": reverse(worker, args=[city.code]),
        "wrong": wrong,
        # What waits on the phone is shown by each of the forms, and changed in its own.
        "forms": {
            "need": reverse("need-report", args=[city.code]),
            "capacity": reverse("capacity-new", args=[city.code]),
        },
        "labels": {
            "place": {one.code: one.name for one in places},
            "sector": {one.code: one.name for one in Sector.objects.all()},
            "kind": {one.value: str(one.label) for one in Capacity.Kind},
        },
    }
