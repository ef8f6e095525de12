"""Pages of what-ifs and scenarios, for people with a role in a city. Nothing here touches the data themselves."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from analysis import scenarios
from analysis.comparing import WhatIf, scenarios_compared, what_if_compute
from analysis.models import Scenario
from analysis.questions import question_to_json
from analysis.results import Question
from analysis.scenarios import StaleScenario
from analysis.selectors import CityReading, city_read
from analysis.travel import travels_of
from geo.models import Place
from interventions.selectors import offering_of
from maps.assets import worker_url
from maps.pages.choosing import source_of
from maps.pages.controls import weights_text
from maps.pages.reader import language
from maps.pages.selectors import base_layers, drawing_read
from maps.scenarios import compare_presenters, page_presenters, presenters, selectors
from maps.scenarios.forms import step_from, what_if_state_from
from maps.workbench.selectors import service_names

# ---- what if


@login_required
@require_safe
def what_if(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with the page on which facilities are moved about; without script it shows what a scenario does."""
    place = selectors.what_if_city(city, request.user)
    parameters = request.GET.dict()
    question = scenarios.question_asked(parameters, city=place, user=request.user)
    scenario = scenarios.scenario_get(question.scenario.id, request.user, place) if question.scenario else None
    reading = city_read(place, request.user)
    found = what_if_compute(city=place, user=request.user, question=question, reading=reading)
    state = what_if_state_from(parameters, found.before.coverage.services)
    view = page_presenters.what_if_view(found, state.column, state.show)
    context = {
        "city": place,
        "tab": "what-if",
        "scenario": scenario,
        "state": state,
        "view": view,
        "services": found.before.coverage.services,
        "drawing": drawing_read(place, request.user),
        "config": _config(request, place, reading, question, found, scenario)
        | {"service": state.service, "show": state.show},
        "travels": page_presenters.travel_choices(travels_of(reading), found.before.coverage.travel.code),
        "populations": page_presenters.population_choices(
            [source_of(*one) for one in reading.populations], found.before.coverage
        ),
        "weights": page_presenters.weight_sliders(found),
        "weights_text": weights_text(found.before.coverage.services),
        "shows": page_presenters.show_choices(state.show),
    }
    return render(request, "maps/scenarios/what_if.html", context)


def _config(
    request: HttpRequest,
    city: Place,
    reading: CityReading,
    question: Question,
    found: WhatIf,
    scenario: Scenario | None,
) -> dict[str, Any]:
    """Return what the browser needs to begin: the city as it is, what the scenario does, and how its map is drawn."""
    told = presenters.what_if_json(found, "")
    selectors.readings.keep(city, request.user, told["since"], reading)
    newer = selectors.newer_releases([scenario])[scenario.pk] if scenario else []
    drawing = drawing_read(city, request.user)
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
            "city": reverse("city", args=[city.code]),
            "coverage": reverse("city-coverage", args=[city.code]),
            "page": reverse("what-if", args=[city.code]),
            "compare": reverse("scenarios-compare", args=[city.code]),
        },
        "bounds": drawing.bounds_4326,
        "layers": base_layers(city, request.user),
        "points": {o.code: [o.lon, o.lat, *o.box] for o in drawing.outlines},
        "services": page_presenters.services_json(
            found.before.coverage.services, selectors.capacity_standards(reading, question.programme)
        ),
        "classes": page_presenters.classes_json(found.before),
        "travels": list(travels_of(reading)),
        "question": question_to_json(question),
        "scenario": presenters.scenario_json(scenario, request.user, newer=newer) if scenario else None,
        "answer": told,
    }


# ---- the list


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def scenario_list(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with the scenarios of a city; a form puts one away or takes it out again."""
    place = selectors.what_if_city(city, request.user)
    if request.method == "POST":
        return _step(request, place)
    with_archived = request.GET.get("archived") == "true"
    found = list(scenarios.scenarios_of(place, request.user, with_archived=True))
    shown = [one for one in found if with_archived or one.archived_at is None]
    newer = selectors.newer_releases(shown)
    names = service_names(place, request.user)
    context = {
        "city": place,
        "tab": "scenarios",
        "rows": [
            page_presenters.scenario_row(
                presenters.scenario_json(one, request.user, newer=newer[one.pk], is_whole=False),
                one,
                [names.get(code, code) for code in newer[one.pk]],
                is_own=one.author_id == request.user.pk,
            )
            for one in shown
        ],
        "proposable": _proposable(shown) if offering_of(request.user, place).is_possible else set(),
        "with_archived": with_archived,
        "archived_count": sum(1 for one in found if one.archived_at is not None),
    }
    return render(request, "maps/scenarios/list.html", context)


def _proposable(shown: list[Scenario]) -> set[int]:
    """Return the scenarios that add a facility, of which a proposal can be made."""
    return {one.pk for one in shown if any(change.get("type") == "facility-added" for change in one.changes)}


def _step(request: HttpRequest, city: Place) -> HttpResponse:
    asked = step_from(request.POST.dict())
    scenario = scenarios.scenario_get(asked.scenario, request.user, city)
    try:
        scenarios.scenario_archive(
            scenario=scenario, user=request.user, version=asked.version, is_archived=asked.is_archived
        )
    except StaleScenario:
        messages.error(request, _("The scenario was saved by somebody meanwhile. Look at it again before you decide."))
    else:
        done = (
            _("Put away: %(name)s. It can be taken out again.")
            if asked.is_archived
            else _("Taken out again: %(name)s.")
        )
        messages.success(request, done % {"name": scenario.name})
    return redirect(reverse("scenarios", args=[city.code]) + ("?archived=true" if not asked.is_archived else ""))


# ---- side by side


@login_required
@require_safe
def compare(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with scenarios side by side: what differs, where, and for how many people."""
    place = selectors.what_if_city(city, request.user)
    asked = ",".join(request.GET.getlist("with"))
    sides = selectors.sides_of(asked, place, request.user)
    found = scenarios_compared(city=place, user=request.user, scenarios=sides)
    chosen = compare_presenters.chosen_of(request.GET.get("show", ""), found)
    context = {
        "city": place,
        "tab": "scenarios",
        "view": compare_presenters.compare_view(found, chosen, is_whole=request.GET.get("rows") == "all"),
        "drawing": drawing_read(place, request.user),
        "with": asked,
        "download": f"/api/v1/cities/{place.code}/scenarios/compare?{urlencode({'with': asked})}",
    }
    return render(request, "maps/scenarios/compare.html", context)
