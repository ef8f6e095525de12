"""Pages of indices: ask the analysis what the reader wants to see, present, render."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from analysis.indicators import indicator_rows, require_insider
from analysis.indices.checks import index_pattern, index_sensitivity
from analysis.indices.computing import CityIndex, IndexQuestion, index_compute
from analysis.indices.documents import Document, index_document
from analysis.indices.editions import may_publish_index
from analysis.indices.workbook import index_workbook
from analysis.results import CityCoverage
from analysis.selectors import CityPlaces, city_get, city_read
from analysis.services import coverage_compute
from geo.errors import InvalidInput
from geo.models import Place
from geo.querysets import User
from interventions.selectors import keeping_of
from layers.writing.worksheet import MEDIA_TYPE
from maps.indices import checks, choices, presenters
from maps.indices.forms import PREFIX, index_query, index_question_from
from maps.pages.selectors import drawing_of, may_draw
from maps.problems import problem_of

PARTS: Final = ("result", "live", "sensitivity", "pattern")
"""Parts of the page that are asked for by themselves; ``live`` is the result while something is being moved."""
MORE: Final = ("sensitivity", "pattern")
"""Parts that are not worked out unless somebody asks."""

LIVE_RANKS: Final = 400_000
"""While something is moved, no more places are ranked than this, over all draws."""


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What an address asks, as far as it can be answered; ``is_few`` where fewer rankings were drawn than it asks for."""

    question: IndexQuestion
    places: CityPlaces
    covered: CityCoverage
    result: CityIndex | None
    problem: Any = None
    is_few: bool = False


@login_required
@require_safe
def builder(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with the places of a city ranked by the indicators, weights and methods that the address asks for.

    With ``part`` in the address (`PARTS`), the answer is that part of the page. ``more`` (`MORE`) opens a part on the whole page.
    """
    place = city_get(city, request.user)
    parameters = request.GET.dict()
    part, more = parameters.pop("part", ""), parameters.pop("more", "")
    part = part if part in PARTS else ""
    asked = _asked(place, request, parameters, is_live=part == "live")
    context: dict[str, Any] = {
        "city": place,
        "tab": "index",
        "problem": asked.problem,
        "query": index_query(asked.question),
        "is_few": asked.is_few,
        "may_publish_index": may_publish_index(place, request.user),
    }
    status = 400 if asked.problem else 200
    if part in MORE:
        return _more_part(request, part, asked, context, status)
    context |= _result(asked, request.user)
    if asked.result is not None and more in MORE:
        context |= _more(more, asked.result, asked.places) | {"opened": more}
    if part:
        return render(request, "maps/indices/_result.html", context, status=status)
    used = (
        {one.code for one in asked.result.matrix.indicators}
        if asked.result is not None
        else set(asked.question.weights)
    )
    known = indicator_rows(place, request.user, asked.covered)
    context |= {
        "may_draw": may_draw(place, request.user),
        "form": choices.form_view(known, asked.question, used),
    }
    return render(request, "maps/indices/builder.html", context, status=status)


@login_required
@require_safe
def export(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with the index that the address asks for as a workbook."""
    place = city_get(city, request.user)
    asked = _asked(place, request, request.GET.dict())
    if asked.result is None:
        return render(request, "maps/indices/refused.html", {"city": place, "problem": asked.problem}, status=400)
    return workbook_response(index_document(asked.result), f"{place.code}-index.xlsx")


def workbook_response(document: Document, name: str, heading: Sequence[tuple[str, Any, str]] = ()) -> HttpResponse:
    """Return an index as a workbook to keep."""
    response = HttpResponse(index_workbook(document, heading), content_type=MEDIA_TYPE)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _asked(place: Place, request: HttpRequest, parameters: dict[str, str], *, is_live: bool = False) -> Asked:
    """Read and answer a question; who may not read indicators learns nothing of what is wrong with it."""
    require_insider(place, request.user)
    reading = city_read(place, request.user)
    covered = coverage_compute(city=place, user=request.user, reading=reading)
    kind = default_kind(covered)
    question = IndexQuestion(kinds=(kind,) if kind else ())
    try:
        question = index_question_from(parameters, kind)
        drawn = question
        if is_live:
            count = sum(not question.kinds or one.kind in question.kinds for one in covered.places)
            drawn = replace(question, draws=min(question.draws, max(LIVE_RANKS // max(count, 1), 1000)))
        result = index_compute(city=place, user=request.user, question=drawn, covered=covered)
    except InvalidInput as error:
        return Asked(question, reading.places, covered, None, problem_of(error))
    return Asked(question, reading.places, covered, result, is_few=drawn.draws < question.draws)


def default_kind(covered: CityCoverage) -> str:
    """Return the kind of places that are ranked where nothing is asked.

    Settlements lie over neighbourhoods: they are ranked among themselves unless somebody asks otherwise.
    """
    return "settlement" if any(row.kind == Place.Kind.SETTLEMENT for row in covered.places) else ""


def _result(asked: Asked, user: User) -> dict[str, Any]:
    if asked.result is None:
        return {"view": None}
    view = presenters.index_view(index_document(asked.result))
    keep = _keeping(asked.result) if keeping_of(user, asked.covered.city) else ""
    return {"view": view, "drawing": drawing_of(asked.places), "fills": view.fills, "keep": keep}


def _keeping(result: CityIndex) -> str:
    """Return the address at which an index's weights are kept for an institution."""
    weights = dict(zip((one.code for one in result.matrix.indicators), result.priority.weights.tolist(), strict=True))
    if result.question.weighting == "given" and result.question.weights:
        weights = dict(result.question.weights)
    else:  # what data or nobody chose, with the largest at the end of its slider
        weights = {code: choices.SLIDER_MOST * weight / max(weights.values()) for code, weight in weights.items()}
    query = urlencode({PREFIX + code: f"{weight:.4g}" for code, weight in weights.items()})
    return f"{reverse('weights-new', args=[result.matrix.city.code])}?{query}"


def _more_part(request: HttpRequest, part: str, asked: Asked, context: dict[str, Any], status: int) -> HttpResponse:
    if asked.result is not None:
        context |= _more(part, asked.result, asked.places)
    return render(request, f"maps/indices/_{part}.html", context, status=status)


def _more(part: str, result: CityIndex, places: CityPlaces) -> dict[str, Any]:
    """Work out a part; where it cannot be, that is an answer too."""
    try:
        if part == "sensitivity":
            return {"sensitivity": checks.sensitivity_view(result, index_sensitivity(result))}
        view = checks.pattern_view(index_pattern(result, places))
        return {"pattern": view, "pattern_drawing": drawing_of(places)}
    except InvalidInput as error:
        return {f"{part}_problem": problem_of(error)}
