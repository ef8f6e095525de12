"""Pages: fetch what the reader may see, ask the analysis, present, render. No decisions live here."""

from __future__ import annotations

from typing import Any, Final

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override
from django.views.decorators.http import require_safe

from analysis.disclosure import is_insider
from analysis.measures.distances import distances_compute, nearest_of_place
from analysis.results import CityPriority, Question
from analysis.scenarios import question_asked
from analysis.selectors import CityReading, city_get, city_read
from analysis.services import priority_beside_standard
from geo.errors import MahallehError, NotFound
from geo.models import Place
from interventions.selectors import needs_summary
from maps.assets import worker_url
from maps.notices import presenters as notices
from maps.pages import curve_presenters, formats, heat_presenters, nearest_presenters, outlines, presenters, selectors
from maps.pages.answers import boundary_of, edition_facts, place_answer
from maps.pages.cards import city_card
from maps.pages.choosing import choices_read
from maps.pages.forms import SHOWS, CityState, city_state_from, service_chosen
from maps.pages.presenters import CityView
from maps.pages.reader import language

CURVE_STEPS: Final = 200
"""Steps of the distance curves: fine enough for the shortest limits beside the longest."""


def _city_answer(request: HttpRequest, city: Place) -> tuple[CityState, CityPriority, CityReading, CityView]:
    question = question_asked(request.GET.dict(), city=city, user=request.user)
    state = city_state_from(request.GET.dict(), question)
    reading = city_read(city, request.user)
    result, standard = priority_beside_standard(city=city, user=request.user, question=state.question, reading=reading)
    column = service_chosen(state.service, result.coverage.services)
    view = presenters.city_view(result, standard, state, column, is_insider=is_insider(request.user, city))
    return state, result, reading, view


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Answer which places there are to see, and what waits for the reader."""
    text = request.GET.get("q", "").strip()[:100]
    cities = [city_card(city, request.user) for city in selectors.cities_visible(request.user)]
    context = {
        "query": text,
        "found": selectors.search(text, request.user) if text else None,
        "cities": cities,
        "publications": selectors.publications_latest(request.user),
        "waiting": [*notices.waiting(request.user, timezone.now()), *selectors.attention(request.user)],
        "roles": selectors.roles_of(request.user),
    }
    return render(request, "maps/home.html", context)


@require_safe
def city(request: HttpRequest, city: str) -> HttpResponse:
    """Answer where it is worst, and for what."""
    place = city_get(city, request.user)
    state, result, reading, view = _city_answer(request, place)
    drawing = selectors.drawing_read(place, request.user)
    context = _city_context(request, place, state, result, view, reading)
    context |= {
        "drawing": drawing,
        "fills": {row.code: row.css for row in view.rows},
        "scale_bar": _scale_bar(drawing),
        "config": _config(request, place, result, view, drawing),
        "may_publish": selectors.may_publish(place, request.user),
        "may_draw": selectors.may_draw(place, request.user),
        "publications": selectors.publications_latest(request.user, city=place, most=3),
    }
    if context["may_publish"]:
        context["suggested"] = _suggested(place, state)
    return render(request, "maps/city.html", context)


@require_safe
def results(request: HttpRequest, city: str) -> JsonResponse:
    """Answer the city page's results as JSON; ``with=html`` adds the page's parts, ready to be put in."""
    place = city_get(city, request.user)
    state, result, reading, view = _city_answer(request, place)
    answer = presenters.results_json(view)
    answer["city"] = place.code
    answer["duration_ms"] = round(result.duration_ms, 2)
    if request.GET.get("with") == "html":
        context = _city_context(request, place, state, result, view, reading)
        answer["html"] = {
            part: render_to_string(f"maps/city/{part}.html", context, request)
            for part in ("finding", "threshold", "key", "ranking", "legend", "method")
        }
        answer["title"] = _title(place, view)
        if selectors.may_publish(place, request.user):
            answer["suggested"] = _suggested(place, state)
    return JsonResponse(answer, json_dumps_params={"ensure_ascii": False})


def _city_context(
    request: HttpRequest, place: Place, state: CityState, result: CityPriority, view: CityView, reading: CityReading
) -> dict[str, Any]:
    return {
        "city": place,
        "state": state,
        "view": view,
        "covered": result.coverage,
        "result": result,
        "choices": choices_read(state, result.coverage, reading),
        "title": _title(place, view),
        "tab": "city",
        "sorts": {key: state_sorted(state, key) for key in ("rank", "name", "value", "people")},
        "standard_query": CityState(state.show, state.service, state.sort, state.is_reversed, Question()).query(),
        "question_query": CityState("priority", state.service, "rank", False, state.question).query(),
    }


def state_sorted(state: CityState, key: str) -> str:
    """Return the query string that sorts the ranking by a column, the other way round where it already is."""
    again = state.sort == key and not state.is_reversed
    value = f"-{key}" if again else key
    return state.query(sort="" if value == "rank" else value)


def _title(place: Place, view: CityView) -> str:
    return f"{place.name}: {view.legend.title}"


def _suggested(place: Place, state: CityState) -> dict[str, str]:
    """Return a title in each language that states the finding, and an address, for the map that would be published.

    The finding is that of the public's own result: no unpublished place is named. Empty where the public sees no result.
    """
    suggested = {"title_fa": "", "title_en": "", "slug": "-".join((place.code, state.show))}
    try:
        result, standard = priority_beside_standard(city=place, user=AnonymousUser(), question=state.question)
        column = service_chosen(state.service, result.coverage.services)
    except MahallehError:  # such as a service whose layer is not published
        return suggested
    for code in ("fa", "en"):
        with override(code):
            view = presenters.city_view(result, standard, state, column, is_insider=False)
            suggested[f"title_{code}"] = view.finding.rstrip(".")[:200]
    if column is not None and state.show != "priority":
        suggested["slug"] += f"-{result.coverage.services[column].code}"
    return suggested


def _scale_bar(drawing: outlines.Drawing) -> dict[str, Any]:
    """Return the scale bar that stands below a drawing, in the drawing's own units."""
    length_m = outlines.nice_length(drawing.metres_per_unit * drawing.width / 4)
    units = length_m / drawing.metres_per_unit
    return {
        "units": round(units, 1),
        "half": round(units / 2, 1),
        "x": 4,
        "y": round(drawing.height + 46, 1),
        "text": formats.distance(length_m, language()),
    }


def _config(
    request: HttpRequest, place: Place, result: CityPriority, view: CityView, drawing: outlines.Drawing
) -> dict[str, Any]:
    """Return what the browser needs to draw the live map and to keep the page in step."""
    labels = {o.code: [o.lon, o.lat, *o.box] for o in drawing.outlines}
    return {
        "language": language(),
        "city": place.code,
        "urls": {
            "results": reverse("city-results", args=[place.code]),
            "measures": f"/api/v1/cities/{place.code}/",
            "tiles": f"/tiles/{place.code}/",
            "places": reverse("city", args=[place.code]),
            "worker": worker_url(),
        },
        "bounds": drawing.bounds_4326,
        "layers": selectors.base_layers(place, request.user),
        "defaults": {"show": SHOWS[0], "service": result.coverage.services[0].code if result.coverage.services else ""},
        "services": {
            s.code: {"layer": s.layer_code, "standard": s.standard_m, "kind": s.kind} for s in result.coverage.services
        },
        "points": labels,
        "colours": list(view.legend.colours),
        "results": presenters.results_json(view),
    }


@require_safe
def coverage(request: HttpRequest, city: str) -> HttpResponse:
    """Answer which service lacks where."""
    place = city_get(city, request.user)
    state = city_state_from({}, question_asked(request.GET.dict(), city=place, user=request.user))
    reading = city_read(place, request.user)
    result, _standard = priority_beside_standard(
        city=place, user=request.user, question=state.question, reading=reading
    )
    # All services are shown, whichever is named; one that the city has not is refused, as on the other pages.
    service_chosen(request.GET.get("service", "")[:60], result.coverage.services)
    sort = request.GET.get("sort", "rank")[:60]
    if sort.removeprefix("-") not in {"rank", "name", *(s.code for s in result.coverage.services)}:
        raise NotFound(
            f"The table has no column {sort!r}.",
            code="bad_sort",
            where="sort",
            remedy="Sort by rank, name, or a service's code.",
            details={"value": sort, "choices": ["rank", "name", *(s.code for s in result.coverage.services)]},
        )
    distances = distances_compute(
        city=place, user=request.user, question=state.question, reading=reading, steps=CURVE_STEPS
    )
    codes = ["name", *(s.code for s in result.coverage.services)]
    context = {
        "city": place,
        "tab": "coverage",
        "choices": choices_read(state, result.coverage, reading),
        "extra": [("sort", sort)] if sort != "rank" else [],
        "sorts": {code: state.query(sort=f"-{code}" if sort == code else code) for code in codes},
        "queries": {s.code: state.query(show="coverage", service=s.code) for s in result.coverage.services},
        "question_query": state.query(),
        "measure_queries": {s.code: state.query(service=s.code) for s in result.coverage.services},
        "workbook_query": f"{state.query()}{'&' if len(state.query()) > 1 else ''}format=xlsx",
        "curves": curve_presenters.curves_view(distances, is_insider=is_insider(request.user, place)),
        "ends": [formats.percent(share, language()) for share in (0.0, 0.5, 1.0)],
        "zero": formats.number(0, language()),
        "may_draw": selectors.may_draw(place, request.user),
        "state": state,
        "covered": result.coverage,
        "heat": heat_presenters.heat_view(result, sort, is_insider=is_insider(request.user, place)),
        "drawing": selectors.drawing_read(place, request.user),
        "result": result,
    }
    return render(request, "maps/coverage.html", context)


@require_safe
def place(request: HttpRequest, city: str, place: str) -> HttpResponse:
    """Answer why a place has its rank."""
    in_city = city_get(city, request.user)
    found = selectors.place_get(in_city, place, request.user)
    answer = place_answer(in_city, found, request.user, request.GET.dict())
    state, result = answer.state, answer.result
    nearest = nearest_of_place(
        city=in_city, user=request.user, place_code=found.code, question=state.question, reading=answer.reading
    )
    people = float(result.coverage.values.population[answer.row])
    context = {
        "city": in_city,
        "place": found,
        "tab": "place",
        "is_insider": answer.is_insider,
        "state": state,
        "covered": result.coverage,
        "result": result,
        "choices": choices_read(state, result.coverage, answer.reading),
        "view": answer.view,
        "nearest": nearest_presenters.nearest_view(
            nearest, result.coverage.travel, people, is_insider=answer.is_insider
        ),
        "reach_query": state.query(show="coverage", service="", facility=""),
        "drawing": selectors.drawing_read(in_city, request.user),
        "needs": needs_summary(found, request.user),
        "boundary": boundary_of(answer, request.user),
        "editions": [edition_facts(*each) for each in selectors.editions_read(found, request.user)],
        "queries": {s.code: state.query(service=s.code) for s in result.coverage.services},
        "city_query": CityState("priority", "", "rank", False, state.question).query(),
    }
    return render(request, "maps/place.html", context)
