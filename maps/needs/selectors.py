"""What pages of needs read beside the needs: their city, the map, what a form offers, the indicator that a need would move."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from analysis.disclosure import is_insider
from analysis.results import Question
from analysis.selectors import city_get, city_read
from analysis.services import coverage_compute
from geo.errors import Forbidden, MahallehError
from geo.models import Place
from geo.querysets import User
from interventions.models import Need
from interventions.selectors import NeedRow, needs_alike, works_around
from interventions.services import NeedSpec
from layers.models import Service, Supply
from maps.assets import worker_url
from maps.pages.place_presenters import lacking_text
from maps.pages.reader import language
from maps.pages.selectors import base_layers, drawing_read


def city_of_workers(code: str, request: HttpRequest) -> Place:
    """Return a city whose needs and proposals the reader may see, at least in a part of it.

    Raises
    ------
    NotFound, Forbidden
        Where there is none the reader may know of, or the reader has no role in it.
    """
    city = city_get(code, request.user)
    if not works_around(request.user, city):
        raise Forbidden(
            f"You may not see the needs and proposals of {city.name_en}.",
            code="role_missing",
            where=city.code,
            remedy="Ask the administrator for a role there.",
            details={"city": city.name},
        )
    return city


def map_config(city: Place, user: User) -> dict[str, Any] | None:
    """Return what the browser needs to draw a map of the city; None where it has no place with a boundary."""
    try:
        drawing = drawing_read(city, user)
    except MahallehError:
        return None
    names = {place.code: place for place in Place.objects.visible_to(user).within(city)}
    return {
        "language": language(),
        "urls": {"tiles": f"/tiles/{city.code}/", "worker": worker_url()},
        "bounds": drawing.bounds_4326,
        "layers": base_layers(city, user),
        "colours": ["#ffffff"],
        "points": {o.code: [o.lon, o.lat, *o.box] for o in drawing.outlines},
        "places": {
            o.code: {"name": names[o.code].name, "kind": names[o.code].kind}
            for o in drawing.outlines
            if o.code in names
        },
    }


def services_of(city: Place) -> list[Service]:
    """Return the services that a city counts, in their order."""
    return list(
        Service.objects.filter(pk__in=Supply.objects.filter(city=city).values("service")).order_by("position", "code")
    )


def indicator_text(city: Place, place: str, service: str, user: User) -> str:
    """Say how many people of a place lack a service; empty where it cannot be told or nobody does."""
    if not service:
        return ""
    try:
        reading = city_read(city, user)
        covered = coverage_compute(city=city, user=user, question=Question(services=(service,)), reading=reading)
    except MahallehError:  # such as a service that the city does not count
        return ""
    row = covered.place_index(place)
    if row is None or not covered.services:
        return ""
    return lacking_text(covered, row, 0, is_insider=is_insider(user, city))


def similar_needs(spec: NeedSpec, user: User, *, besides: int | None = None) -> tuple[NeedRow, ...]:
    """Return needs that may say what somebody is about to say, the likeliest first."""
    return needs_alike(
        user=user,
        round_=spec.round,
        place=spec.place,
        sector=spec.sector,
        text=f"{spec.text_fa} {spec.text_en}",
        geometry=spec.geometry,
        besides=besides,
    )


def similar_of(need: Need, user: User) -> tuple[NeedRow, ...]:
    """Return needs that may say what one says."""
    return needs_alike(
        user=user,
        round_=need.round,
        place=need.place,
        sector=need.sector,
        text=f"{need.text_fa} {need.text_en}",
        geometry=need.geometry,
        besides=need.pk,
    )
