"""Pages of measures: fetch what the reader may see, ask the analysis, present, render."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from analysis.disclosure import is_insider
from analysis.measures.access import access_compute
from analysis.measures.asking import asked
from analysis.measures.equity import equity_compute
from analysis.measures.frequency import frequency_compute
from analysis.measures.groups import groups_compute
from analysis.measures.land import land_compute
from analysis.results import CityCoverage, Question
from analysis.scenarios import question_asked
from analysis.selectors import CityReading, city_get, city_read
from analysis.services import coverage_compute
from geo.errors import InvalidInput, LimitExceeded
from geo.querysets import User
from layers.standards import programmes_known
from maps.measures import page_presenters
from maps.measures.page_forms import MeasuresState, measures_state_from
from maps.pages import formats
from maps.pages.choosing import choices_read, source_of
from maps.pages.measured import Choice, Source
from maps.pages.reader import language
from maps.pages.selectors import may_draw
from maps.problems import problem_of

Found = TypeVar("Found")


@require_safe
def measures(request: HttpRequest, city: str) -> HttpResponse:
    """Answer what a service gives to whom: capacity, land, equity, groups, sources of people, and the standards in use."""
    place = city_get(city, request.user)
    reading = city_read(place, request.user)
    question = question_asked(request.GET.dict(), city=place, user=request.user)
    covered = coverage_compute(city=place, user=request.user, question=question, reading=reading)
    state = measures_state_from(request, question, covered.services)
    context: dict[str, Any] = {
        "city": place,
        "tab": "measures",
        "may_draw": may_draw(place, request.user),
        "covered": covered,
    }
    if state is not None:
        insider = is_insider(request.user, place)
        context |= _sections(state, covered, reading, request.user, insider=insider)
    return render(request, "maps/measures/measures.html", context)


def _sections(
    state: MeasuresState, covered: CityCoverage, reading: CityReading, user: User, *, insider: bool
) -> dict[str, Any]:
    service = covered.services[state.column]
    question = state.city.question
    alone = replace(question, services=(service.code,))
    of_city: dict[str, Any] = {"city": reading.city, "user": user, "reading": reading}
    equity = equity_compute(**of_city, question=alone)
    access = _or_none(
        lambda: access_compute(**of_city, question=alone, how=state.how), "not_for_utilities", "no_capacity"
    )
    if access is None and service.kind != "utility":  # nobody knows a capacity
        access = access_compute(**of_city, question=alone, how=replace(state.how, counts_one=True))
    land = land_compute(**of_city, question=question, m2_per_person=state.m2_per_person)
    groups = _or_none(lambda: groups_compute(**of_city, question=alone), "no_groups")
    frequency, refused = None, None
    try:
        frequency = _or_none(lambda: frequency_compute(**of_city, question=question), "no_timetable")
    except LimitExceeded as error:  # the other sections are not about lines
        refused = problem_of(error)
    standards = asked(city=reading.city, user=user, question=question, cell_m=None, reading=reading)
    kinds = [(kind, standards.standards(kind)) for kind in ("distance", "land", "capacity")]
    query, of_all = state.query(), state.query(service="")
    return {
        "state": state,
        "service": service,
        "choices": choices_read(state.city, covered, reading),
        "services": [Choice(one.code, one.name, one.code == service.code) for one in covered.services],
        "queries": {one.code: state.query(service=one.code) for one in covered.services},
        "ends": [formats.percent(share, language()) for share in (0.0, 0.5, 1.0)],
        "programmes": _programmes(question),
        "equity": page_presenters.equity_view(equity, is_insider=insider),
        "capacity": page_presenters.capacity_view(access, state, is_insider=insider) if access else None,
        "land": page_presenters.land_view(land, service.code, is_insider=insider),
        "groups": page_presenters.groups_view(groups, is_insider=insider) if groups else None,
        "frequency": page_presenters.frequency_view(frequency, service.code, is_insider=insider) if frequency else None,
        "frequency_refused": refused,
        "sources": page_presenters.sources_view(
            _by_source(question, covered, reading, user), service, is_insider=insider
        ),
        "standards": page_presenters.standards_view(covered.services, kinds, covered.travel),
        "workbook_query": f"{query}{'&' if len(query) > 1 else ''}format=xlsx",
        "all_query": f"{of_all}{'&' if len(of_all) > 1 else ''}format=xlsx",
        "place_query": state.city.query(),
    }


def _by_source(
    question: Question, covered: CityCoverage, reading: CityReading, user: User
) -> list[tuple[Source, CityCoverage]]:
    """Return the same question with each source of people of the city; empty for one alone."""
    if len(reading.populations) < 2:
        return []
    found = []
    for release, source in reading.populations:
        is_it = covered.population is not None and covered.population.code == source.code
        by_it = replace(question, population=source.code)
        result = covered if is_it else coverage_compute(city=reading.city, user=user, question=by_it, reading=reading)
        found.append((source_of(release, source), result))
    return found


def _programmes(question: Question) -> list[Choice]:
    codes = programmes_known()
    return [Choice(code, code.upper(), code == question.programme) for code in codes]


def _or_none(compute: Callable[[], Found], *codes: str) -> Found | None:
    """Return what is computed, None where the city lacks what it needs."""
    try:
        return compute()
    except InvalidInput as error:
        if error.code in codes:
            return None
        raise
