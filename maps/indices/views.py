"""Pages of indices: ask the analysis what the reader wants to see, present, render."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from analysis.indexing import CityIndex, IndexQuestion, index_compute
from analysis.indicators import indicator_rows
from analysis.selectors import city_get, places_read
from geo.errors import InvalidInput
from geo.models import Place
from interventions.selectors import keeping_of
from maps.indices import presenters
from maps.indices.forms import PREFIX, index_question_from
from maps.pages.selectors import drawing_read, may_draw
from maps.problems import problem_of


@login_required
@require_safe
def builder(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with the places of a city ranked by the indicators, weights and methods that the address asks for.

    With ``part=result`` in the address, the answer is the part of the page that depends on them.
    """
    place = city_get(city, request.user)
    parameters = request.GET.dict()
    is_part = parameters.pop("part", "") == "result"
    # Settlements lie over neighbourhoods: they are ranked among themselves unless somebody asks otherwise.
    rows = places_read(place, request.user).rows
    kind = "settlement" if any(row.kind == Place.Kind.SETTLEMENT for row in rows) else ""
    known = indicator_rows(place, request.user)
    question, result, problem = IndexQuestion(kinds=(kind,) if kind else ()), None, None
    try:
        question = index_question_from(parameters, kind)
        result = index_compute(city=place, user=request.user, question=question)
    except InvalidInput as error:
        problem = problem_of(error)
    context = {"city": place, "tab": "index", "problem": problem} | _result(place, request, result)
    if not is_part:
        context |= {
            "may_draw": may_draw(place, request.user),
            "form": presenters.form_view(known, question, result),
        }
    name = "maps/indices/_result.html" if is_part else "maps/indices/builder.html"
    return render(request, name, context, status=400 if problem else 200)


def _result(city: Place, request: HttpRequest, result: CityIndex | None) -> dict[str, Any]:
    if result is None:
        return {"view": None}
    view = presenters.index_view(result)
    keep = ""
    if keeping_of(request.user, city):
        weights = dict(
            zip((one.code for one in result.matrix.indicators), result.priority.weights.tolist(), strict=True)
        )
        if result.question.weighting == "given" and result.question.weights:
            shares = dict(result.question.weights)
        else:  # what data or nobody chose, with the largest at the end of its slider
            shares = {code: 5 * weight / max(weights.values()) for code, weight in weights.items()}
        keep = f"{reverse('weights-new', args=[city.code])}?{urlencode({PREFIX + k: f'{v:.4g}' for k, v in shares.items()})}"
    return {"view": view, "drawing": drawing_read(city, request.user), "fills": view.fills, "keep": keep}
