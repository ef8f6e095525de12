"""Pages of settlement form: ask the analysis, present, render; planners and analysts keep what was measured and planned."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import numpy as np
import shapely
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from analysis import settlement_form as forms
from analysis.caching import ArrayCache, content_key
from analysis.indicators import require_insider
from analysis.models import Run
from analysis.selectors import city_get, place_number
from analysis.settlement_form import FormReading, SettlementForm
from analysis.settlement_form.pieces import piece_name
from geo.core.crs import STORAGE_EPSG, project
from geo.errors import Forbidden, InvalidInput, MahallehError
from geo.models import Place
from layers.writing.worksheet import MEDIA_TYPE
from maps.assets import worker_url
from maps.blocks import map_presenters, presenters
from maps.blocks.forms import Asked, asked_from, kind_from, plan_from, plan_number
from maps.pages.reader import language
from maps.pages.selectors import base_layers, drawing_read, may_draw
from maps.problems import problem_of

_found = ArrayCache(max_bytes=20_000_000)
"""Alternatives that were found for readers who may not keep them."""


# ---- the places of a city


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def city_blocks(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with the places of a city and how many of their homes have no access; a form measures one more place."""
    place = city_get(city, request.user)
    require_insider(place, request.user)
    parameters = request.GET.dict()
    if request.method == "POST":
        return _measure(request, place, parameters)
    problem, asked = _asked(parameters)
    reading = forms.form_reading(place, request.user, asked.question)
    kind, numbers = _places_of(reading, parameters)
    rows = [reading.places.rows[number] for number in numbers]
    records = {code: run.result for code, run in forms.forms_kept(reading, request.user, asked.question).items()}
    known = [row.code for row in rows if row.code in records]
    marks = forms.worn_of_records(asked.rule, [records[code] for code in known])
    view = presenters.city_view(rows, records, dict(zip(known, marks, strict=True)), asked, kind)
    context = {
        "city": place,
        "tab": "blocks",
        "problem": problem,
        "view": view,
        "kinds": presenters.kind_choices(kind),
        "choices": presenters.choices_view(asked),
        "query": asked.query,
        "export_query": urlencode({"kind": kind} | dict(asked.chosen)),
        "drawing": drawing_read(place, request.user),
        "may_keep": forms.may_keep(place, request.user),
        "may_draw": may_draw(place, request.user),
    }
    return render(request, "maps/blocks/city.html", context, status=400 if problem else 200)


def _measure(request: HttpRequest, city: Place, parameters: Mapping[str, str]) -> HttpResponse:
    """Measure a place and keep it; a script is told in a word, others are shown the page again."""
    if not forms.may_keep(city, request.user):
        raise Forbidden(
            "You may not keep what is measured here.",
            code="may_not_keep",
            where=city.code,
            remedy="Ask a planner or an analyst of the city.",
        )
    asked = asked_from(parameters)
    reading = forms.form_reading(city, request.user, asked.question)
    number = place_number(city, reading.places, str(request.POST.get("place", ""))[:80])
    try:
        forms.form_keep(reading, number, asked.question, request.user)
    except MahallehError as error:
        told = problem_of(error)
        messages.error(
            request, f"{reading.places.rows[number].name}: {told['title']} {told.get('remedy') or ''}".strip()
        )
    return redirect(f"{reverse('city-blocks', args=[city.code])}?{urlencode(dict(parameters))}")


@login_required
@require_safe
def city_export(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with the places that the page of a city shows as a workbook."""
    of = city_get(city, request.user)
    require_insider(of, request.user)
    parameters = request.GET.dict()
    asked = asked_from(parameters)
    reading = forms.form_reading(of, request.user, asked.question)
    _, numbers = _places_of(reading, parameters)
    runs = forms.forms_kept(reading, request.user, asked.question)
    content = forms.city_workbook(reading, numbers, runs, asked.question, asked.rule, written_at=timezone.now())
    return _workbook(content, f"{of.code}-blocks.xlsx")


def _places_of(reading: FormReading, parameters: Mapping[str, str]) -> tuple[str, list[int]]:
    """Return the kind of places that is asked for, settlements where there are some, and the numbers of those places."""
    rows = reading.places.rows
    has_settlements = any(row.kind == Place.Kind.SETTLEMENT for row in rows)
    kind = kind_from(parameters, "settlement" if has_settlements else "")
    return kind, [number for number, row in enumerate(rows) if not kind or row.kind == kind]


def _workbook(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=MEDIA_TYPE)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "private, no-cache"
    return response


def _asked(parameters: Mapping[str, str]) -> tuple[dict[str, Any] | None, Asked]:
    """Read what is asked; where it cannot be, the problem, and what is asked by default."""
    try:
        return None, asked_from(parameters)
    except InvalidInput as error:
        return problem_of(error), asked_from({})


# ---- one place


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def place_blocks(request: HttpRequest, city: str, place: str) -> HttpResponse:
    """Answer with the form of a place and with new paths: alternatives, a plan that was kept, or one edited by hand."""
    of = city_get(city, request.user)
    require_insider(of, request.user)
    parameters = request.GET.dict()
    problem, asked = _asked(parameters)
    reading = forms.form_reading(of, request.user, asked.question)
    number = place_number(of, reading.places, place)
    context: dict[str, Any] = {
        "city": of,
        "tab": "blocks",
        "place": reading.places.rows[number],
        "choices": presenters.choices_view(asked),
        "asked": asked,
        "may_keep": forms.may_keep(of, request.user),
        "problem": problem,
    }
    try:
        form = forms.form_of(reading, number, asked.question)
        if request.method == "POST":
            return _done(request, reading, number, form, asked)
    except MahallehError as error:
        if isinstance(error, Forbidden):
            raise
        context["problem"] = problem_of(error)
        if request.method != "POST":
            return render(request, "maps/blocks/place.html", context, status=400)
        form = forms.form_of(reading, number, asked.question)
        parameters = parameters | {"typed": "1"}
        context["typed"] = plan_from(request.POST)
    context |= _place_context(request, reading, form, asked, parameters)
    return render(request, "maps/blocks/place.html", context, status=400 if context["problem"] else 200)


def _place_context(
    request: HttpRequest, reading: FormReading, form: SettlementForm, asked: Asked, parameters: Mapping[str, str]
) -> dict[str, Any]:
    city, code = reading.city, form.place.code
    ground, record = forms.ground_of(form), forms.form_record(form)
    opened = plan_number(parameters.get("plan", ""))
    plan = forms.plan_get(opened, city, code, request.user) if opened else None
    on_plots = forms.plan_open(plan, ground) if plan else None
    found = _alternatives(request, form, asked, city, parameters)
    chosen = list(map(piece_name, on_plots.pieces)) if on_plots else []
    begun_from = f"plan-{plan.pk}" if plan else ""
    for one in found["alternatives"] if found and not plan else ():
        if one["goal"] == parameters.get("from"):
            chosen, begun_from = list(one["pieces"]), one["goal"]
    return {
        "view": presenters.form_view(
            record,
            form.place.name,
            asked,
            forms.worn_of_records(asked.rule, record["by_block"]),
            ground.isolated,
            {"streets": reading.streets.layer.name, "buildings": reading.buildings.layer.name},
        ),
        "form_drawing": map_presenters.form_drawing(form),
        "alternatives": presenters.alternatives_view(found, record, asked.question.cost_per_m) if found else (),
        "has_pieces": bool(ground.pieces),
        "plan": plan,
        "plan_opened": on_plots,
        "plans": [presenters.plan_view(run, opened) for run in forms.plans_of(city, code, request.user)[:50]],
        "chosen": " ".join(chosen),
        "begun_from": begun_from,
        "config": _config(request, city, form, asked, chosen, found),
    }


def _alternatives(
    request: HttpRequest, form: SettlementForm, asked: Asked, city: Place, parameters: Mapping[str, str]
) -> Mapping[str, Any] | None:
    """Return the alternatives that were kept; where none were, they are looked for if that is asked."""
    run = forms.alternatives_of(form, asked.question, city, request.user)
    if run is not None:
        result: Mapping[str, Any] = run.result
        return result
    if parameters.get("paths") != "1":
        return None
    key = content_key(form.key, asked.question.path_width_m, asked.question.cost_per_m)
    found: Mapping[str, Any] = _found.get(key, lambda: forms.alternatives_find(form, asked.question)[0])
    return found


def _config(
    request: HttpRequest,
    city: Place,
    form: SettlementForm,
    asked: Asked,
    chosen: list[str],
    found: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Return what the browser needs to draw the place and to edit paths."""
    west, south, east, north = (
        float(edge) for edge in shapely.total_bounds(project(np.array([form.outline]), form.epsg, STORAGE_EPSG))
    )
    drawing = drawing_read(city, request.user)
    of = f"cities/{city.code}/places/{form.place.code}/blocks"
    return {
        "language": language(),
        "csrf": get_token(request),
        "urls": {
            "tiles": f"/tiles/{city.code}/",
            "worker": worker_url(),
            "api": "/api/v1/",
            "map": f"{of}/map?{urlencode({'narrowest': asked.chosen['narrowest'], 'width': asked.chosen['width']})}",
            "recount": f"{of}/recount",
        },
        "bounds": [west, south, east, north],
        "layers": base_layers(city, request.user),
        "colours": ["#faf9f5"],  # places are not coloured here
        "points": {o.code: [o.lon, o.lat, *o.box] for o in drawing.outlines if o.code == form.place.code},
        "places": {form.place.code: {"name": form.place.name, "kind": form.place.kind}},
        "narrowest": asked.question.narrowest_m,
        "asked": {name: asked.chosen[name] for name in ("narrowest", "width", "cost")},
        "has_cost": asked.question.cost_per_m > 0,
        "before": {"homes_without_access": int(form.homes_without_access), "k": form.k, "homes": form.buildings},
        "chosen": chosen,
        "alternatives": {one["goal"]: one["pieces"] for one in found["alternatives"]} if found else {},
    }


def _done(request: HttpRequest, reading: FormReading, number: int, form: SettlementForm, asked: Asked) -> HttpResponse:
    """Find the alternatives, or keep a plan, as the form asks."""
    city, code = reading.city, form.place.code
    address = reverse("place-blocks", args=[city.code, code])
    query = dict(asked.chosen)
    if request.POST.get("do") == "keep":
        run = forms.plan_keep(reading, number, form, asked.question, plan_from(request.POST), request.user)
        messages.success(request, _("Kept: %(name)s.") % {"name": run.parameters["name"]})
        return redirect(f"{address}?{urlencode(query | {'plan': run.pk})}#plans")
    if forms.may_keep(city, request.user) and forms.alternatives_of(form, asked.question, city, request.user) is None:
        forms.alternatives_keep(reading, number, form, asked.question, request.user)
    return redirect(f"{address}?{urlencode(query | {'paths': 1})}#paths")


@login_required
@require_safe
def place_export(request: HttpRequest, city: str, place: str) -> HttpResponse:
    """Answer with what the page of a place shows as a workbook."""
    of = city_get(city, request.user)
    require_insider(of, request.user)
    parameters = request.GET.dict()
    asked = asked_from(parameters)
    reading = forms.form_reading(of, request.user, asked.question)
    number = place_number(of, reading.places, place)
    form = forms.form_of(reading, number, asked.question)
    content = forms.form_workbook(
        reading,
        number,
        form,
        asked.question,
        asked.rule,
        alternatives=_alternatives(request, form, asked, of, parameters),
        plans=forms.plans_of(of, form.place.code, request.user).iterator(chunk_size=20),
        written_at=timezone.now(),
    )
    return _workbook(content, f"{of.code}-{form.place.code}-blocks.xlsx")


@login_required
@require_safe
def plan_geojson(request: HttpRequest, city: str, place: str, number: int) -> HttpResponse:
    """Answer with the paths of a plan as a file of GeoJSON."""
    of = city_get(city, request.user)
    require_insider(of, request.user)
    run: Run = forms.plan_get(number, of, place, request.user)
    told = run.result["features"] | {
        "name": run.parameters["name"],
        "properties": {
            name: run.result[name]
            for name in ("length_m", "cost", "homes_touched", "homes_without_access_before", "homes_without_access_after", "k_before", "k_after")
        },
    }  # fmt: skip
    response = HttpResponse(json.dumps(told, ensure_ascii=False, allow_nan=False), content_type="application/geo+json")
    response["Content-Disposition"] = f'attachment; filename="{of.code}-{place}-paths-{run.pk}.geojson"'
    response["Cache-Control"] = "private, no-cache"
    return response
