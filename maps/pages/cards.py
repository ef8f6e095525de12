"""Cities on the first page: each with its finding and its drawing, presented once for the same content."""

from __future__ import annotations

from typing import Any, Final

from analysis.caching import content_key
from analysis.disclosure import is_insider
from analysis.results import Question
from analysis.selectors import city_key, city_read
from analysis.services import priority_compute
from geo.errors import MahallehError
from geo.models import Place
from geo.querysets import User
from maps.pages import presenters, selectors
from maps.pages.forms import CityState
from maps.pages.reader import language
from maps.problems import problem_of

_MOST_CARDS: Final = 256
_cards: Final[dict[str, dict[str, Any]]] = {}


def city_card(city: Place, user: User) -> dict[str, Any]:
    """Return a city with its finding and its drawing; with what is missing instead where it has no results yet.

    What it says depends on what the reader may see of the city, on how exactly it may be told, and on the language; as long
    as all these are as they were, the card is the one made before, in this process.
    """
    insider = is_insider(user, city)
    key = content_key("card", city_key(city, user), insider, language())
    if key not in _cards:
        while len(_cards) >= _MOST_CARDS:
            _cards.pop(next(iter(_cards)), None)
        _cards[key] = _presented(city, user, insider)
    return {"city": city, **_cards[key]}


def _presented(city: Place, user: User, insider: bool) -> dict[str, Any]:
    try:
        reading = city_read(city, user)
        result = priority_compute(city=city, user=user, reading=reading)
    except MahallehError as error:
        return {"problem": problem_of(error)}
    view = presenters.city_view(
        result, result, CityState("priority", "", "rank", False, Question()), 0, is_insider=insider
    )
    return {
        "view": view,
        "drawing": selectors.drawing_of(reading.places),
        "fills": {row.code: row.css for row in view.rows},
    }
