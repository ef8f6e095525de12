"""What several pages answer with: a question read, computed and presented once, for the screen and for paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from analysis.disclosure import is_insider
from analysis.results import CityPriority
from analysis.scenarios import question_asked
from analysis.selectors import CityReading, city_read
from analysis.services import distance_curves, priority_beside_standard
from geo.errors import NotFound
from geo.models import Boundary, Place
from geo.querysets import User
from maps.pages import place_presenters
from maps.pages.forms import CityState, city_state_from, service_chosen
from maps.pages.selectors import edition_read


@dataclass(frozen=True, slots=True)
class PlaceAnswer:
    """How a place stands, for one reader and one question.

    Attributes
    ----------
    result, standard
        The answer to the question, and the city's own.
    row
        The place's row in both.
    reading
        What was read of the city.
    """

    state: CityState
    result: CityPriority
    standard: CityPriority
    row: int
    reading: CityReading
    view: place_presenters.PlaceView
    is_insider: bool


def place_answer(city: Place, place: Place, user: User, parameters: Mapping[str, str]) -> PlaceAnswer:
    """Answer how a place stands, and why.

    Raises
    ------
    NotFound
        Where the place has no boundary in force, or the chart's service is not the city's.
    InvalidInput
        Where the parameters are no question.
    """
    state = city_state_from(dict(parameters), question_asked(parameters, city=city, user=user))
    reading = city_read(city, user)
    result, standard = priority_beside_standard(city=city, user=user, question=state.question, reading=reading)
    row = result.coverage.place_index(place.code)
    if row is None:
        raise NotFound(
            f"{place.name_en} has no boundary in force.",
            code="no_boundary",
            where=place.code,
            remedy="Approve an edition of its boundary.",
            details={"place": place.name},
        )
    if state.service:
        service_chosen(state.service, result.coverage.services)
    insider = is_insider(user, city)
    curves = distance_curves(city=city, place_code=place.code, user=user, question=state.question, reading=reading)
    view = place_presenters.place_view(result, row, state.service, curves, is_insider=insider)
    return PlaceAnswer(state, result, standard, row, reading, view, insider)


def boundary_of(answer: PlaceAnswer, user: User) -> place_presenters.BoundaryFacts | None:
    """Return the edition of the boundary that the answer was computed with, not a later draft of it."""
    found = edition_read(answer.result.coverage.places[answer.row].edition_id, user)
    return edition_facts(*found) if found else None


def edition_facts(edition: Boundary, area_m2: float) -> place_presenters.BoundaryFacts:
    """Return an edition of a boundary as pages tell it."""
    return place_presenters.boundary_facts(
        source=edition.source_text,
        certainty=str(edition.get_certainty_display()),
        status=str(edition.get_status_display()),
        start=edition.valid.lower,
        end=edition.valid.upper,
        version=edition.version,
        area_m2=area_m2,
    )
