"""Measures of a city over JSON, below ``/api/v1/``: thin; what is computed is computed by `analysis.measures`.

Everybody may ask who may see the city; outsiders are not told of few people. ``format=xlsx`` answers with a workbook.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from ninja import Router

from analysis.disclosure import is_insider
from analysis.forms import number
from analysis.measures import answers
from analysis.measures.access import access_compute
from analysis.measures.distances import MOST_STEPS, distances_compute, nearest_to_point
from analysis.measures.equity import equity_compute
from analysis.measures.frequency import frequency_compute
from analysis.measures.geojson import isochrone_feature
from analysis.measures.groups import groups_compute
from analysis.measures.isochrone import MOST_LIMIT_M, isochrone_compute
from analysis.measures.land import land_compute
from analysis.measures.tables import Answer
from analysis.measures.utilities import utility_compute
from analysis.measures.workbooks import workbook
from analysis.results import Question
from analysis.selectors import city_get
from analysis.services import coverage_compute
from geo.errors import InvalidInput
from geo.models import Place
from layers.writing.worksheet import MEDIA_TYPE
from maps.api.answers import answer
from maps.measures.parameters import edges_of, format_of, number_of, question_of, sharing_of
from maps.measures.presenters import answer_json, basis_json

router = Router(tags=["measures"])


@router.get("cities/{slug:city}/coverage", auth=None)
def coverage(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with the coverage of places by services: the matrix of shares, and all values."""

    def compute(place: Place, question: Question) -> Answer:
        return answers.coverage_answer(coverage_compute(city=place, user=request.user, question=question))

    return _measured(request, city, compute)


@router.get("cities/{slug:city}/access", auth=None)
def access(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with how much of each service's capacity people can count on (2SFCA, E2SFCA)."""

    def compute(place: Place, question: Question) -> Answer:
        how = sharing_of(request)
        return answers.access_answer(access_compute(city=place, user=request.user, question=question, how=how))

    return _measured(request, city, compute)


@router.get("cities/{slug:city}/land", auth=None)
def land(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with the land of each use for each person, against the standard (``m2-per-person`` or that of the city)."""

    def compute(place: Place, question: Question) -> Answer:
        standard = number_of(request, "m2-per-person", 0.001, 100_000)
        return answers.land_answer(
            land_compute(city=place, user=request.user, question=question, m2_per_person=standard)
        )

    return _measured(request, city, compute)


@router.get("cities/{slug:city}/equity", auth=None)
def equity(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with how unevenly people are near services, and what settlements have against the rest of the city."""

    def compute(place: Place, question: Question) -> Answer:
        return answers.equity_answer(equity_compute(city=place, user=request.user, question=question))

    return _measured(request, city, compute)


@router.get("cities/{slug:city}/curves", auth=None)
def curves(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with percentiles and the whole curve of distances; ``nearest=1`` adds nearest facilities."""

    def compute(place: Place, question: Question) -> Answer:
        return answers.distances_answer(
            distances_compute(
                city=place,
                user=request.user,
                question=question,
                steps=int(number_of(request, "steps", 1, MOST_STEPS) or 60),
                farthest_m=number_of(request, "farthest", 1, 100_000),
                has_nearest=request.GET.get("nearest", "") in ("1", "true", "on"),
            )
        )

    return _measured(request, city, compute)


@router.get("cities/{slug:city}/groups", auth=None)
def groups(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with the coverage of each group of people, where a source of people counts them."""

    def compute(place: Place, question: Question) -> Answer:
        return answers.groups_answer(groups_compute(city=place, user=request.user, question=question))

    return _measured(request, city, compute)


@router.get("cities/{slug:city}/utility", auth=None)
def utility(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with who has a utility (``of``), in one ``way``: ``main``, ``zone`` or ``survey`` (``layer``, ``field``)."""

    def compute(place: Place, question: Question) -> Answer:
        asked = request.GET
        return answers.utility_answer(
            utility_compute(
                city=place,
                user=request.user,
                service=asked.get("of", "")[:80],
                way=asked.get("way", "")[:20] or "main",
                layer=asked.get("layer", "")[:80],
                field=asked.get("field", "")[:200],
                question=question,
            )
        )

    return _measured(request, city, compute)


@router.get("cities/{slug:city}/frequency", auth=None)
def frequency(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with the departures a week within reach, and people in classes of them (``edges=100,400`` or the service's)."""

    def compute(place: Place, question: Question) -> Answer:
        edges = edges_of(request)
        return answers.frequency_answer(
            frequency_compute(city=place, user=request.user, question=question, edges=edges)
        )

    return _measured(request, city, compute)


@router.get("cities/{slug:city}/isochrone", auth=None)
def isochrone(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with from where a point (``lon``, ``lat``) or a facility (``of``, ``number``) is within ``limit``; GeoJSON.

    How many people live there is told to those with a role in the city alone: a point may be anywhere, so that from two
    answers few people could be told apart.
    """
    place = city_get(city, request.user)
    asked = request.GET
    limit_m = number_of(request, "limit", 1, MOST_LIMIT_M)
    if limit_m is None:
        raise InvalidInput(
            "An isochrone needs a limit.", code="bad_limit", where="limit", remedy="Give metres, such as limit=800."
        )
    found = isochrone_compute(
        city=place,
        user=request.user,
        limit_m=limit_m,
        lon=number_of(request, "lon", -180, 180),
        lat=number_of(request, "lat", -90, 90),
        service=asked.get("of", "")[:80],
        number=int(number(asked["number"], "number", 0, 2**31 - 1)) if asked.get("number") else None,
        question=question_of(request, place),
    )
    feature = isochrone_feature(found, is_insider=is_insider(request.user, place))
    response = answer(feature | {"basis": basis_json(found.basis)})
    response["Content-Type"] = "application/geo+json"
    return response


@router.get("cities/{slug:city}/nearest", auth=None)
def nearest(request: HttpRequest, city: str) -> HttpResponse:
    """Answer with the facility of each service that is nearest to a point in the city (``lon``, ``lat``)."""
    place = city_get(city, request.user)
    lon, lat = number_of(request, "lon", -180, 180), number_of(request, "lat", -90, 90)
    if lon is None or lat is None:
        raise InvalidInput(
            "A point needs longitude and latitude.",
            code="no_point",
            where="lon, lat",
            remedy="Give degrees, such as lon=48.35&lat=33.49.",
        )
    found = nearest_to_point(city=place, user=request.user, lon=lon, lat=lat, question=question_of(request, place))
    return answer({"city": place.code, "lon": lon, "lat": lat, "services": found})


def _measured(request: HttpRequest, code: str, compute: Callable[[Place, Question], Answer]) -> HttpResponse:
    """Answer with a measure as JSON or as a workbook, as the reader may see it."""
    city = city_get(code, request.user)
    form = format_of(request)
    found = compute(city, question_of(request, city))
    insider = is_insider(request.user, city)
    if form == "json":
        return answer(answer_json(found, is_insider=insider))
    response = HttpResponse(workbook(found, is_insider=insider), content_type=MEDIA_TYPE)
    response["Content-Disposition"] = f'attachment; filename="{city.code}-{found.measure}.xlsx"'
    response["Cache-Control"] = "private, no-cache"
    return response
