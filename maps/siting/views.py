"""Pages of siting: have a plan computed, follow it, open it, keep it as a scenario."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from analysis.models import Run, RunOrder
from analysis.scenarios import Content, scenario_create
from analysis.selectors import city_read
from analysis.siting import BLOCK_M, plan_geojson, plan_workbook, planned_question, run_get, runs_of
from analysis.siting.orders import (
    maker_required,
    may_site,
    order_cancel,
    order_create,
    order_get,
)
from analysis.travel import travels_of
from geo.errors import InvalidInput, LimitExceeded, MahallehError, NotFound
from geo.models import Place
from geo.querysets import User
from interventions.selectors import offering_of
from layers.models import Layer
from layers.writing.worksheet import MEDIA_TYPE
from maps.actions.views import drawing_points
from maps.needs.selectors import map_config as ground_config
from maps.pages import formats
from maps.pages.measured import Choice, travel_name
from maps.pages.reader import language, page_of
from maps.pages.selectors import may_draw
from maps.problems import problem_of
from maps.scenarios.selectors import what_if_city
from maps.siting import forms, presenters, selectors
from maps.siting.marks import drawn_squares, plan_features
from maps.siting.telling import STEPS, problem_kept

PAGE = 20
OPEN = (RunOrder.State.WAITING, RunOrder.State.RUNNING)


# ---- the form and the list


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def siting(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with the form of a plan and the plans that there are; have one computed."""
    place = what_if_city(city, request.user)
    if request.method != "POST":
        return _page(request, place, forms.typed_from(request.GET.dict()))
    maker_required(place, request.user)
    typed = forms.typed_from(request.POST.dict())
    try:
        made = order_create(city=place, author=request.user, asked=forms.asked_from(typed))
    except (InvalidInput, LimitExceeded, NotFound) as error:
        return _page(request, place, typed, error)
    return redirect("siting-order", place.code, made.pk)


def _page(request: HttpRequest, city: Place, typed: dict[str, str], error: MahallehError | None = None) -> HttpResponse:
    reading = city_read(city, request.user)
    services = selectors.services_of(reading)
    layers = selectors.layers_to_choose(city, request.user)
    if not typed["service"] and services:
        typed["service"] = services[0].code
    found = runs_of(city, request.user)
    page = page_of(request)
    start = (page - 1) * PAGE
    shown, total = list(found[start : start + PAGE]), found.count()
    rows = [presenters.run_row(run) for run in shown]
    lang = language()
    context = {
        "city": city,
        "tab": "siting",
        "may_draw": may_draw(city, request.user),
        "may_site": may_site(city, request.user),
        "typed": typed,
        "problem": problem_of(error) if error else None,
        "wrong": error.where if error else "",
        "services": [
            (
                Choice(one.code, one.name, one.code == typed["service"]),
                formats.distance(one.threshold_m, lang),
            )
            for one in services
        ],
        "models": [
            (
                Choice(code, str(presenters.MODEL_WORDS[code][0]), code == typed["model"]),
                presenters.MODEL_WORDS[code][1],
            )
            for code in forms.MODELS
        ],
        "travels": [Choice(code, travel_name(code), code == typed["travel"]) for code in travels_of(reading)],
        "candidate_layers": [
            (Choice(one.code, one.name, one.code == typed["candidates"]), one.rows, one.fields)
            for one in selectors.candidate_layers(layers)
        ],
        "forbidden_layers": [
            (Choice(one.code, one.name, one.code == typed["forbidden"]), one.rows, one.fields)
            for one in layers
            if one.kind == "polygon"
        ],
        "config": {"map": ground_config(city, request.user)},
        "rows": rows,
        "total": total,
        "page_before": page - 1 if page > 1 else 0,
        "page_after": page + 1 if start + PAGE < total else 0,
        "underway": [
            (one, STEPS.get(one.step, ""))
            for one in RunOrder.objects.visible_to(request.user).filter(
                city=city, author=request.user.pk, state__in=OPEN, kind=Run.Kind.SITING
            )
        ],
    }
    return render(request, "maps/siting/siting.html", context, status=error.status if error else 200)


# ---- on its way


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def order(request: HttpRequest, city: str, key: UUID) -> HttpResponse:
    """Answer how far a plan is that somebody asked for, ``part=state`` as JSON; cancel it."""
    place = what_if_city(city, request.user)
    found = order_get(key, place, request.user)
    if request.method == "POST":
        found = order_cancel(found)
        if found.state == RunOrder.State.CANCELLED:
            messages.success(request, _("Cancelled. Nothing was kept of it."))
            return redirect(_again(place, found))
        return redirect("siting-order", place.code, found.pk)
    is_open = found.state in OPEN
    step = str(STEPS.get(found.step, ""))
    if request.GET.get("part") == "state":
        address = reverse("siting-order", args=[place.code, found.pk])
        told = {"is_open": is_open, "step": step, "done": found.done, "of": found.of, "address": address}
        answer = JsonResponse(told)
        answer["Cache-Control"] = "no-store"
        return answer
    if found.run_id is not None:
        return redirect("siting-plan", place.code, found.run_id)
    context = {
        "city": place,
        "tab": "siting",
        "order": found,
        "is_open": is_open,
        "step": step,
        "asked": presenters.MODEL_WORDS[found.question["model"]][0],
        "problem": problem_kept(found.problem) if found.problem else None,
        "again": _again(place, found),
    }
    return render(request, "maps/siting/order.html", context)


def _again(city: Place, found: RunOrder) -> str:
    return f"{reverse('siting', args=[city.code])}?{forms.address_of(found.question)}"


# ---- a plan


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def plan(request: HttpRequest, city: str, number: int) -> HttpResponse:
    """Answer with a plan: sentence, map, sites, curve, places, method; keep it as a scenario."""
    place = what_if_city(city, request.user)
    run = run_get(number, place, request.user)
    problem = None
    if request.method == "POST":
        kept = forms.kept_from(request.POST.dict())
        content = Content(kept.name, planned_question(run), is_shared=kept.is_shared)
        try:
            scenario = scenario_create(city=place, author=request.user, content=content)
        except InvalidInput as error:
            problem = problem_of(error)
        else:
            messages.success(request, _("Kept as a scenario: move the facilities about, or compare it with today."))
            service = run.parameters["service"]
            return redirect(f"{reverse('what-if', args=[place.code])}?scenario={scenario.pk}&service={service}")
    view = presenters.plan_view(run)
    context: dict[str, Any] = {
        "city": place,
        "tab": "siting",
        "may_draw": may_draw(place, request.user),
        "run": run,
        "view": view,
        "problem": problem,
        "again": f"{reverse('siting', args=[place.code])}?{forms.address_of(run.parameters)}",
        "may_offer": bool(view.sites) and offering_of(request.user, place).is_possible,
        "is_standard": run.parameters["threshold_m"] == run.parameters["standard_m"],
        "inputs": _inputs(run, place, request.user),
    } | _map(request, place, run, view)
    return render(request, "maps/siting/plan.html", context, status=400 if problem else 200)


@login_required
@require_safe
def export(request: HttpRequest, city: str, number: int) -> HttpResponse:
    """Answer with a plan as a workbook."""
    place = what_if_city(city, request.user)
    run = run_get(number, place, request.user)
    return _file(plan_workbook(run), MEDIA_TYPE, f"{place.code}-siting-{run.pk}.xlsx")


@login_required
@require_safe
def sites_geojson(request: HttpRequest, city: str, number: int) -> HttpResponse:
    """Answer with the sites of a plan as a file of GeoJSON."""
    place = what_if_city(city, request.user)
    run = run_get(number, place, request.user)
    text = json.dumps(plan_geojson(run), ensure_ascii=False, allow_nan=False)
    return _file(text.encode(), "application/geo+json", f"{place.code}-siting-{run.pk}.geojson")


def _file(content: bytes, media_type: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=media_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "private, no-cache"
    return response


def _inputs(run: Run, city: Place, user: User) -> list[tuple[str, str, str]]:
    """Return the layers that a plan was computed from, with code, name and the number of the release."""
    inputs = run.inputs
    used = [*inputs.get("services", {}).values(), inputs.get("population"), *inputs.get("travel", {}).values()]
    rows = {one["layer"]: one["release"] for one in used if one}
    rows |= {code: one["release"] for code, one in inputs.get("siting_layers", {}).items()}
    seen = Layer.objects.visible_to(user).filter(city=city, code__in=rows)
    return [(layer.code, layer.name, formats.number(rows[layer.code], language())) for layer in seen]


def _map(request: HttpRequest, city: Place, run: Run, view: presenters.PlanView) -> dict[str, Any]:
    drawing = selectors.drawing_or_none(city, request.user)
    if drawing is None:
        return {"drawing": None}
    existing = selectors.facilities_today(city_read(city, request.user), run.parameters["service"])
    side = BLOCK_M / drawing.metres_per_unit
    squares = {
        name: drawn_squares(drawing_points(drawing, [[lon, lat] for lon, lat, _people in run.result[name]]), side)
        for name in ("reached", "left")
    }
    sites = drawing_points(drawing, [[site.lon, site.lat] for site in view.sites])
    config = selectors.map_config(city, request.user, drawing)
    return {
        "drawing": drawing,
        "squares": squares,
        "dots": [(round(x, 1), round(y, 1)) for x, y in drawing_points(drawing, existing)],
        "marks": [(round(x, 1), round(y, 1), site) for (x, y), site in zip(sites, view.sites, strict=True)],
        "existing_text": formats.number(len(existing), language()),
        "config": config | {"plan": plan_features(run.result, existing, [site.number_text for site in view.sites])},
    }
