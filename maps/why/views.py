"""Why a place stands where it does: ask the analysis, present, render."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from analysis.indicators import matrix_read, require_insider
from analysis.indices.computing import CityIndex, index_compute
from analysis.indices.explanations import Explanation, place_explain, place_moves
from analysis.indices.rules import rules_of
from analysis.selectors import city_get
from geo.errors import InvalidInput, NotFound
from geo.models import Place
from geo.querysets import User
from maps.indices.forms import index_question_from
from maps.pages.selectors import drawing_read, may_draw, place_get
from maps.problems import problem_of
from maps.why import presenters
from maps.why.addresses import query_of
from maps.why.moves_presenters import moves_view
from maps.why.rules_presenters import rules_view


@login_required
@require_safe
def why(request: HttpRequest, city: str, place: str) -> HttpResponse:
    """Answer with how a place stands in the index that the address asks for, and why.

    With ``moves=1`` in the address the page says too what would move the place across the line, which may take seconds;
    with ``part=moves`` the answer is that part alone.
    """
    in_city = city_get(city, request.user)
    require_insider(in_city, request.user)
    found = place_get(in_city, place, request.user)
    parameters = request.GET.dict()
    part, with_moves = parameters.pop("part", ""), parameters.pop("moves", "") == "1"
    context: dict[str, Any] = {"city": in_city, "place": found, "tab": "index", "view": None}
    status = 200
    try:
        question = index_question_from(parameters, found.kind)
        result = index_compute(city=in_city, user=request.user, question=question)
        explained = place_explain(result=result, code=found.code, user=request.user)
    except (InvalidInput, NotFound) as error:
        context["problem"], status = problem_of(error), 404 if isinstance(error, NotFound) else 400
    else:
        context |= {"query": query_of(question), "first": question.first}
        if part == "moves" or with_moves:
            context["moves"] = moves_view(explained, place_moves(result=result, code=found.code))
        if part != "moves":
            context |= _whole(in_city, request.user, result, explained)
    if part != "moves":
        context["may_draw"] = may_draw(in_city, request.user)
    name = "maps/why/_moves.html" if part == "moves" else "maps/why/place.html"
    return render(request, name, context, status=status)


def _whole(city: Place, user: User, result: CityIndex, explained: Explanation) -> dict[str, Any]:
    every = matrix_read(city=city, user=user, kinds=result.question.kinds, until=result.question.until)
    return {
        "view": presenters.why_view(explained),
        "rules": rules_view(rules_of(every, explained.place)),
        "drawing": drawing_read(city, user),
    }
