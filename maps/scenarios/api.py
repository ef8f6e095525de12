"""What-ifs and scenarios over JSON, below ``/api/v1/``: thin; what is decided is decided by `analysis`."""

from __future__ import annotations

import json
import time
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router

from analysis import scenarios
from analysis.comparing import scenarios_compared, what_if_compute
from analysis.comparison_tables import comparison_csv, comparison_xlsx
from analysis.ground import grid_kept
from analysis.models import Scenario
from analysis.questions import question_from_json
from analysis.results import Question
from analysis.scenarios import Content, StaleScenario
from analysis.selectors import CityReading, city_read
from geo.models import Place
from layers.writing.worksheet import MEDIA_TYPE
from maps.api.answers import PROBLEM, answer, nothing, version_of
from maps.api.bodies import body_of, takes
from maps.problems import problem_of
from maps.scenarios import presenters, selectors
from maps.scenarios.schemas import NameBody, ScenarioBody, WhatIfBody

router = Router(tags=["what if"])


# ---- what if


@router.post("cities/{slug:city}/what-if", openapi_extra=takes(WhatIfBody))
def what_if(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with what changes would do to a city: who gains, who loses, scores and ranks; nothing is written."""
    started = time.perf_counter()
    place = selectors.what_if_city(city, request.user)
    body = body_of(request, WhatIfBody)
    reading = selectors.readings.get(place, request.user, body.since)
    question = question_from_json(body.question, body.changes, scenarios.bounds_of(reading))
    return _supposed(request, place, reading, question, body.since, started)


@router.get("scenarios/{int:number}/what-if")
def scenario_what_if(request: HttpRequest, number: int, since: str = "") -> HttpResponse:
    """Answer with what a scenario would do to its city."""
    started = time.perf_counter()
    found = scenarios.scenario_get(number, request.user)
    question = scenarios.scenario_question(found, request.user)
    return _supposed(request, found.city, city_read(found.city, request.user), question, since, started)


def _supposed(
    request: HttpRequest, city: Place, reading: CityReading, question: Question, since: str, started: float
) -> HttpResponse:
    found = what_if_compute(city=city, user=request.user, question=question, reading=reading)
    told = presenters.what_if_json(found, since)
    selectors.readings.keep(city, request.user, told["since"], reading)
    told["server_ms"] = round((time.perf_counter() - started) * 1000, 2)
    return answer(told)


@router.get("cities/{slug:city}/facilities")
def facilities(request: HttpRequest, city: str, service: str) -> HttpResponse:
    """Answer with the facilities of a service as they are, each with the number by which changes name it."""
    place = selectors.what_if_city(city, request.user)
    reading = city_read(place, request.user)
    row = selectors.service_row(reading, service)
    return answer(presenters.facilities_json(row, grid_kept(reading, None).epsg))


# ---- scenarios


@router.get("cities/{slug:city}/scenarios")
def scenario_list(request: HttpRequest, city: str, archived: bool = False) -> HttpResponse:
    """Answer with the scenarios of a city that the reader may see: own ones and shared ones, the last saved first."""
    place = selectors.what_if_city(city, request.user)
    found = list(scenarios.scenarios_of(place, request.user, with_archived=archived))
    newer = selectors.newer_releases(found)
    told = [presenters.scenario_json(one, request.user, newer=newer[one.pk], is_whole=False) for one in found]
    return answer({"scenarios": told})


@router.post("cities/{slug:city}/scenarios", openapi_extra=takes(ScenarioBody))
def scenario_create(request: HttpRequest, city: str) -> HttpResponse:
    """Keep a scenario."""
    place = selectors.what_if_city(city, request.user)
    made = scenarios.scenario_create(city=place, author=request.user, content=_content(request, place))
    response = _scenario(request, made, status=201)
    response["Location"] = f"/api/v1/scenarios/{made.pk}"
    return response


@router.get("scenarios/{int:number}")
def scenario_read(request: HttpRequest, number: int) -> HttpResponse:
    """Answer with a scenario, and with what the reader wanted to save of it and could not."""
    return _scenario(request, scenarios.scenario_get(number, request.user))


@router.put("scenarios/{int:number}", openapi_extra=takes(ScenarioBody))
def scenario_save(request: HttpRequest, number: int) -> HttpResponse:
    """Save a scenario again, in place of all it held. Needs ``If-Match``; a stale save is kept as the reader's draft."""
    found = scenarios.scenario_get(number, request.user)
    version, content = version_of(request, found.version), _content(request, found.city)
    try:
        saved = scenarios.scenario_save(scenario=found, user=request.user, version=version, content=content)
    except StaleScenario as error:
        return _stale(error, request)
    return _scenario(request, saved)


@router.patch("scenarios/{int:number}", openapi_extra=takes(NameBody))
def scenario_rename(request: HttpRequest, number: int) -> HttpResponse:
    """Give a scenario another name. Needs ``If-Match``."""
    found = scenarios.scenario_get(number, request.user)
    version, name = version_of(request, found.version), body_of(request, NameBody).name
    try:
        saved = scenarios.scenario_rename(scenario=found, user=request.user, version=version, name=name)
    except StaleScenario as error:
        return _stale(error, request)
    return _scenario(request, saved)


@router.post("scenarios/{int:number}/archive")
def scenario_archive(request: HttpRequest, number: int) -> HttpResponse:
    """Put a scenario away; it can be taken out again. Needs ``If-Match``."""
    return _put_away(request, number, is_archived=True)


@router.post("scenarios/{int:number}/restore")
def scenario_restore(request: HttpRequest, number: int) -> HttpResponse:
    """Take a scenario out again. Needs ``If-Match``."""
    return _put_away(request, number, is_archived=False)


@router.delete("scenarios/{int:number}/draft")
def draft_drop(request: HttpRequest, number: int) -> HttpResponse:
    """Give up what the reader wanted to save of a scenario."""
    scenarios.draft_drop(scenarios.scenario_get(number, request.user), request.user)
    return nothing()


@router.get("cities/{slug:city}/scenarios/compare")
def compare(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with scenarios side by side (``with=now,3,5``); the first is the one that the others are compared with.

    ``format=xlsx`` is a workbook with its codebook, ``format=csv`` one sheet of it: coverage, priority, totals or codebook.
    """
    place = selectors.what_if_city(city, request.user)
    sides = selectors.sides_of(request.GET.get("with", ""), place, request.user)
    form = selectors.chosen(request.GET, "format", ("json", "csv", "xlsx"))
    sheet = selectors.chosen(request.GET, "sheet", ("coverage", "priority", "totals", "codebook"))
    found = scenarios_compared(city=place, user=request.user, scenarios=sides)
    name = "-".join((place.code, "scenarios", *(str(side.pk) if side else "now" for side in sides)))
    if form == "xlsx":
        return _download(comparison_xlsx(found), MEDIA_TYPE, f"{name}.xlsx")
    if form == "csv":
        return _download(comparison_csv(found, sheet), "text/csv; charset=utf-8", f"{name}-{sheet}.csv")
    return answer(presenters.comparison_json(found))


def _download(content: bytes, content_type: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "private, no-cache"
    return response


def _content(request: HttpRequest, city: Place) -> Content:
    body = body_of(request, ScenarioBody)
    within = scenarios.bounds_of(city_read(city, request.user))
    return Content(body.name, question_from_json(body.question, body.changes, within), body.note, body.is_shared)


def _scenario(request: HttpRequest, scenario: Scenario, status: int = 200) -> HttpResponse:
    newer = selectors.newer_releases([scenario])[scenario.pk]
    told = presenters.scenario_json(scenario, request.user, newer=newer)
    return answer(told, status=status, version=scenario.version)


def _put_away(request: HttpRequest, number: int, *, is_archived: bool) -> HttpResponse:
    found = scenarios.scenario_get(number, request.user)
    version = version_of(request, found.version)
    try:
        saved = scenarios.scenario_archive(scenario=found, user=request.user, version=version, is_archived=is_archived)
    except StaleScenario as error:
        return _stale(error, request)
    return _scenario(request, saved)


def _stale(error: StaleScenario, request: HttpRequest) -> HttpResponse:
    """Answer a save that came too late with both versions."""
    told: dict[str, Any] = problem_of(error, 412) | {
        "version": error.theirs.version,
        "mine": error.mine.as_json(),
        "theirs": presenters.theirs_json(error.theirs, request.user),
    }
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    response = HttpResponse(text, status=412, content_type=PROBLEM)
    response["Cache-Control"] = "no-store"
    return response
