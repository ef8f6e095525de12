"""Which way of travel is measured, and what measures it."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.caching import content_key
from analysis.core.changes import StreetDrawn
from analysis.ground import Ground
from analysis.results import Question, ServiceRow
from analysis.selectors import CityReading
from analysis.travel.measuring import Measuring
from analysis.travel.straight import STRAIGHT, Straight
from analysis.travel.streets import ALONG_STREETS, AlongStreets
from analysis.travel.surface import OverSurface
from geo.core.grid import Grid
from geo.errors import InvalidInput
from layers.models import Service


def measuring_for(
    reading: CityReading,
    question: Question,
    grid: Grid,
    ground: Ground,
    *,
    service: ServiceRow | None = None,
    drawn: Sequence[StreetDrawn] = (),
) -> Measuring:
    """Return what measures a city's ground in the way a question asks for, or else in the city's own.

    Nothing is read or computed before costs are asked for; then it is kept by content.

    Parameters
    ----------
    reading
        What was read of the city.
    question
        Its ``travel`` counts.
    grid, ground
        Of `analysis.ground`: where is measured from.
    service
        What is gone to: a main of a utility passes by and nobody goes to it, so it is always measured in a straight line.
    drawn
        Streets of a scenario, which come to those of the city.

    Raises
    ------
    InvalidInput
        Where the city has no data for this way of travel (``no_travel_data``).
    """
    way, travel = travel_asked(reading, question), reading.travel
    if service is not None and service.kind == Service.Kind.UTILITY:
        way = STRAIGHT
    if way in ALONG_STREETS and travel is not None and travel.roads is not None:
        return AlongStreets(way, grid, ground, travel, travel.roads, tuple(drawn))
    if way == "surface" and travel is not None and travel.land_cover is not None:
        return OverSurface(grid, ground, travel, travel.land_cover, tuple(drawn))
    return Straight(grid, ground)


def travels_of(reading: CityReading) -> tuple[str, ...]:
    """Return the codes of the ways of travel that a city has data for, as far as the user may see them."""
    travel = reading.travel
    along = ALONG_STREETS if travel is not None and travel.roads is not None else ()
    over = ("surface",) if travel is not None and travel.land_cover is not None else ()
    return (STRAIGHT, *along, *over)


def own_travel(reading: CityReading) -> str:
    """Return the code of the city's own way of travel, whether its data may be seen or not."""
    return reading.travel.data.way if reading.travel is not None else STRAIGHT


def travel_asked(reading: CityReading, question: Question) -> str:
    """Return the code of the way of travel that a question asks for, or else of the city's own.

    A straight line stands for the city's own way where the user may not see the layers that it is measured on.

    Raises
    ------
    InvalidInput
        Where the city has no data for what is asked (``no_travel_data``).
    """
    possible = travels_of(reading)
    if not question.travel:
        own = own_travel(reading)
        return own if own in possible else STRAIGHT
    if question.travel not in possible:
        raise InvalidInput(
            f"{reading.city.name_en} has no data for the way of travel {question.travel!r}.",
            code="no_travel_data",
            where="travel",
            remedy=f"Choose one of: {', '.join(possible)}.",
            details={"city": reading.city.name, "travel": question.travel, "choices": list(possible)},
        )
    return question.travel


def cost_key(measuring: Measuring, service: ServiceRow) -> str:
    """Return the hash of what a service's costs are computed from."""
    return content_key("cost", measuring.key, service.release_hash, service.where)
