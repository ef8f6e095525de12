"""Pages of capacities: counts for everybody; the list, the form and single ones for people with a role in the city."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from analysis.selectors import city_get
from geo.errors import Conflict, Forbidden, GeometryError, InvalidInput, LimitExceeded
from geo.models import Place
from interventions.core.transitions import CAPACITY
from interventions.models import Sector
from interventions.selectors import (
    CapacityFound,
    Recording,
    capacities_counted,
    capacities_found,
    capacity_found,
    capacity_rows,
    history_of,
    organisation_labels,
    recording_of,
)
from interventions.services import capacity_amend, capacity_put, capacity_review
from maps.capacities import presenters
from maps.capacities.forms import body_from, list_state_from, spec_of, typed_from, typed_of, wrong_sentences
from maps.needs.selectors import city_of_workers, map_config
from maps.offline.selectors import form_config
from maps.pages.typed import Typed

Refusals = (InvalidInput, Conflict, GeometryError, LimitExceeded)

PAGE = 50
"""Capacities on a page of the list."""


@require_safe
def capacities(request: HttpRequest, city: str) -> HttpResponse:
    """Answer what a city has and can give: how much for everybody, what for people with a role in it."""
    place = city_get(city, request.user)
    state = list_state_from(request.GET.dict())
    counts = capacities_counted(place, request.user)
    found = capacities_found(place, request.user, state.asked)
    start = (state.page - 1) * PAGE
    rows = capacity_rows(found[start : start + PAGE + 1], request.user)
    views = [presenters.capacity_view(row, place.code) for row in rows[:PAGE]]
    features = presenters.features_of(rows[:PAGE], views)
    recording = recording_of(request.user, place)
    config = map_config(place, request.user) if features["features"] else None
    context = {
        "city": place,
        "tab": "capacities",
        "state": state,
        "finding": presenters.list_sentence(counts, place.name),
        "counts": [(presenters.kind_words()[one.kind], presenters.count_text(one), one.kind) for one in counts],
        "views": views,
        "is_inside": bool(recording.is_possible or views or _may_read(request, place)),
        "may_record": recording.is_possible,
        "kinds": [(code, word, code == state.kind) for code, word in presenters.kind_words().items()],
        "areas": [
            (one.code, one.name, one.code == state.area)
            for one in Place.objects.visible_to(request.user)
            .within(place)
            .filter(kind__in=(Place.Kind.NEIGHBOURHOOD, Place.Kind.SETTLEMENT))
            .order_by("-kind", "name_fa", "code")
        ],
        "sectors": [(one.code, one.name, one.code == state.sector) for one in Sector.objects.all()],
        "config": {"map": config, "geometry": _together(features)} if config else {},
        "page_before": state.query(page=str(state.page - 1) if state.page > 2 else "") if state.page > 1 else "",
        "page_after": state.query(page=str(state.page + 1)) if len(rows) > PAGE else "",
    }
    return render(request, "maps/capacities/list.html", context)


def _may_read(request: HttpRequest, city: Place) -> bool:
    try:
        city_of_workers(city.code, request)
    except Forbidden:
        return False
    return True


def _together(features: dict[str, Any]) -> dict[str, Any]:
    """Return all that is marked as one geometry, which the map of a need shows too."""
    return {"type": "GeometryCollection", "geometries": [one["geometry"] for one in features["features"]]}


# ---- one capacity


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def capacity(request: HttpRequest, city: str, number: int) -> HttpResponse:
    """Answer what a capacity is; withdraw it or restore it."""
    place = city_of_workers(city, request)
    found = capacity_found(number, request.user, place)
    if request.method != "POST":
        return _page(request, place, found)
    typed = typed_from(request.POST)
    event = typed.values["do"]
    try:
        capacity_review(user=request.user, capacity=found.capacity, event=event, reason=typed.values["reason"])
    except Refusals as error:
        typed.refuse(error)
        return _page(request, place, found, typed, 409 if isinstance(error, Conflict) else 400)
    messages.success(request, presenters.done_sentence(event))
    return redirect("capacity", place.code, number)


def _page(
    request: HttpRequest, city: Place, found: CapacityFound, typed: Typed | None = None, status: int = 200
) -> HttpResponse:
    geometry = presenters.geometry_json(found.capacity)
    context = {
        "city": city,
        "tab": "capacities",
        "capacity": found.capacity,
        "view": presenters.capacity_view(found.row, city.code),
        "texts": presenters.texts_of(found.capacity),
        "events": found.events,
        "history": presenters.history_view(history_of(found.capacity, request.user)),
        "typed": typed or Typed(),
        "config": {"map": map_config(city, request.user), "geometry": geometry} if geometry else {},
    }
    return render(request, "maps/capacities/capacity.html", context, status=status)


# ---- the form


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with the form of a capacity; record it."""
    place = city_of_workers(city, request)
    recording = recording_of(request.user, place)
    if not recording.is_possible:
        raise Forbidden(
            "Your roles in this place do not allow this.",
            code="role_missing",
            remedy=f"It takes one of the roles {', '.join(sorted(CAPACITY['record'].roles))}.",
        )
    if request.method != "POST":
        first = {
            "ticket": str(uuid4()),
            "organisation": str(recording.organisations[0].pk) if len(recording.organisations) == 1 else "",
            "place": next((one.code for one in recording.areas if one.code == request.GET.get("area", "")), ""),
        }
        return _form_page(request, place, recording, Typed(first, {"sectors": []}))
    typed = typed_from(request.POST)
    body, status = body_from(typed), 400
    if body is not None:
        try:
            made = capacity_put(user=request.user, spec=spec_of(body, request.user, place))
        except (*Refusals, Forbidden) as error:
            status = error.status if isinstance(error, Conflict | Forbidden) else 400
            typed.refuse(error)
        else:
            messages.success(request, presenters.done_sentence("record"))
            return redirect("capacity", place.code, made.pk)
    return _form_page(request, place, recording, typed, status=status)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def amend(request: HttpRequest, city: str, number: int) -> HttpResponse:
    """Answer with the form filled in with a capacity; say it otherwise."""
    place = city_of_workers(city, request)
    found = capacity_found(number, request.user, place)
    if "amend" not in found.events:
        raise Forbidden(
            "This capacity cannot be amended by you, or not any more.",
            code="role_missing",
            where=f"capacity {number}",
            remedy="The organisation that recorded it, or the supervisor, amends it.",
        )
    recording = recording_of(request.user, place)
    if request.method != "POST":
        typed = typed_of(found.capacity, is_contact_told=True)
        return _form_page(request, place, recording, typed, found=found)
    typed = typed_from(request.POST)
    typed.values = {**typed.values, "organisation": str(found.capacity.organisation_id), "ticket": ""}
    body, status = body_from(typed), 400
    if body is not None:
        version = typed.values["version"]
        try:
            capacity_amend(
                user=request.user,
                capacity=found.capacity,
                spec=spec_of(body, request.user, place),
                version=int(version) if version.isascii() and version.isdecimal() and len(version) < 10 else 0,
            )
        except (*Refusals, Forbidden) as error:
            status = error.status if isinstance(error, Conflict | Forbidden) else 400
            if isinstance(error, Conflict) and error.code == "stale":
                # What was typed stays; the next try is based on what stands now, which is shown beside it.
                typed.values = {**typed.values, "version": str(found.capacity.version)}
            typed.refuse(error)
        else:
            messages.success(request, presenters.done_sentence("amend"))
            return redirect("capacity", place.code, number)
    return _form_page(request, place, recording, typed, found=found, status=status)


def _form_page(
    request: HttpRequest,
    city: Place,
    recording: Recording,
    typed: Typed,
    *,
    found: CapacityFound | None = None,
    status: int = 200,
) -> HttpResponse:
    values = typed.values
    areas = list(recording.areas)
    if found is not None and found.capacity.place not in areas:
        areas.append(found.capacity.place)
    context = {
        "city": city,
        "tab": "capacities",
        "found": found,
        "theirs": presenters.capacity_view(found.row, city.code) if found is not None and status == 409 else None,
        "typed": typed,
        "organisations": [
            (str(pk), label, str(pk) == values.get("organisation"))
            for pk, label in organisation_labels(recording.organisations)
        ],
        "areas": [(one.code, one.name, one.code == values.get("place")) for one in areas],
        "kinds": [(code, word, code == values.get("kind")) for code, word in presenters.kind_words().items()],
        "sectors": [(one.code, one.name, one.code in typed.lists.get("sectors", [])) for one in Sector.objects.all()],
        "config": form_config(request, city, worker="capacities-worker", wrong=wrong_sentences()),
        "title": _("Amend a capacity") if found else _("Record a capacity"),
    }
    return render(request, "maps/capacities/form.html", context, status=status)
