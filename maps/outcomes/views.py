"""Pages of what changed in a year: in a city with its map, in counties, provinces and the country with their parts side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from analysis.disclosure import is_insider
from analysis.selectors import city_get
from geo.errors import MahallehError
from geo.models import Place
from geo.querysets import User
from interventions.core.years import Year
from interventions.selectors.national import place_of_network, side_by_side
from interventions.selectors.outcomes import Changed, changed_in, may_measure
from interventions.services.tallies import READERS_S, tallies_count
from maps.assets import worker_url
from maps.outcomes import exporting, presenters
from maps.outcomes.wording import year_text
from maps.pages import selectors as pages_selectors
from maps.pages.reader import language
from maps.pages.selectors import may_draw


@require_safe
def in_city(request: HttpRequest, city: str, year: int | None = None) -> HttpResponse:
    """Answer with what changed in a city in a year, or in the latest that was measured."""
    place = city_get(city, request.user)
    found = _changed(place, request.user, year)
    view = presenters.changed_view(found, _address_in(place))
    context = {
        "city": place,
        "tab": "changed",
        "may_draw": may_draw(place, request.user),
        "may_enter": may_enter(place, request.user),
        "export": reverse("outcomes-export", args=[place.code]),
        "bring": reverse("outcomes-import", args=[place.code]),
        "years": [
            (year_text(one), reverse("changed-in", args=[place.code, one.number]), one == found.year)
            for one in found.years
        ],
    }
    return _page(request, found, view, context | _map(place, request.user, found, view))


@require_safe
def in_network(request: HttpRequest, path: str, year: int | None = None) -> HttpResponse:
    """Answer with what changed in a county, a province or the country in a year, its parts side by side."""
    place = place_of_network(path, request.user)
    waiting = tallies_count(most_s=READERS_S)
    found = _changed(place, request.user, year)
    beside = side_by_side(place, request.user, today=timezone.localdate(), areas_waiting=waiting)
    view = presenters.changed_view(found, _address_in_network(found), beside=beside)
    context = {
        "around": beside.around,
        "may_enter": may_measure(place, request.user),
        "export": reverse("network-outcomes-export", args=[place.path]),
        "bring": reverse("network-outcomes-import", args=[place.path]),
        "years": [
            (year_text(one), reverse("network-changed-in", args=[place.path, one.number]), one == found.year)
            for one in found.years
        ],
    }
    return _page(request, found, view, context)


@require_safe
def export_of_city(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with the outcomes of a city as a table that can be brought again."""
    place = city_get(city, request.user)
    return _export(request, place)


@require_safe
def export_of_network(request: HttpRequest, path: str) -> HttpResponse:
    """Answer with the outcomes of a part of the network as a table that can be brought again."""
    return _export(request, place_of_network(path, request.user))


def may_enter(place: Place, user: User) -> bool:
    """Tell whether a user may enter values of a city or of a part of it."""
    return may_measure(place, user) or bool(exporting.places_measured_by(place, user))


def _changed(place: Place, user: User, year: int | None) -> Changed:
    return changed_in(place, user, None if year is None else Year(year), today=timezone.localdate())


def _page(request: HttpRequest, found: Changed, view: presenters.ChangedView, context: dict[str, Any]) -> HttpResponse:
    return render(
        request,
        "maps/outcomes/changed.html",
        {
            "place": found.place,
            "found": found,
            "view": view,
            "is_exact": is_insider(request.user, found.place),
            **context,
        },
    )


def _export(request: HttpRequest, place: Place) -> HttpResponse:
    asked = request.GET.get("year", "")[:8]
    year = int(asked) if asked.isascii() and asked.isdigit() else None
    found = _changed(place, request.user, year)
    response = HttpResponse(exporting.csv_bytes(found), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{place.code}-outcomes-{found.year.number}.csv"'
    response["Cache-Control"] = "private, no-cache"
    return response


def _address_in(city: Place) -> Callable[[str], str]:
    def address(path: str) -> str:
        code = path.rpartition("/")[2]
        return "" if path == city.path else reverse("place", args=[city.code, code])

    return address


def _address_in_network(found: Changed) -> Callable[[str], str]:
    """Return the address of a part: of a city its own page, of areas none but in their city's."""
    depths = found.place.path.count("/") + 1
    cities = {
        place.path: place.code
        for place in Place.objects.filter(parent=found.place, kind=Place.Kind.CITY)
        if place.path in {part.path for part in found.parts}
    }

    def address(path: str) -> str:
        if path in cities:
            return reverse("changed-in", args=[cities[path], found.year.number])
        return (
            reverse("network-changed-in", args=[path, found.year.number]) if path.count("/") <= min(depths, 2) else ""
        )

    return address


def _map(city: Place, user: User, found: Changed, view: presenters.ChangedView) -> dict[str, Any]:
    """Return the drawing of the city coloured by what became of its areas, and what the live map needs."""
    if not found.areas:
        return {"drawing": None, "config": {}}
    try:
        drawing = pages_selectors.drawing_read(city, user)
    except MahallehError:  # no place with a boundary that this reader may see
        return {"drawing": None, "config": {}}
    verdicts = {area.place.code: area for area in found.areas}
    unmeasured = presenters.CLASSES.index("unknown")
    return {
        "drawing": drawing,
        "config": {
            "language": language(),
            "urls": {"tiles": f"/tiles/{city.code}/", "worker": worker_url()},
            "bounds": list(drawing.bounds_4326),
            "layers": pages_selectors.base_layers(city, user),
            "colours": list(presenters.COLOURS),
            "points": {
                outline.code: [outline.lon, outline.lat] for outline in drawing.outlines if outline.code in verdicts
            },
            "places": [
                {
                    "code": outline.code,
                    "name": area.place.name if (area := verdicts.get(outline.code)) else "",
                    "kind": area.kind if area else "",
                    "class": presenters.CLASSES.index(area.verdict) if area else unmeasured,
                }
                for outline in drawing.outlines
            ],
        },
    }
