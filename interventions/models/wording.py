"""What several models of the network share: texts in two languages, states, limits."""

from __future__ import annotations

from enum import StrEnum

from django.db.models import Q
from django.utils.translation import get_language

from geo.models import Place

MAX_PEOPLE = 100_000_000
MAX_TEXT = 2000


def in_readers_language(text_fa: str, text_en: str) -> str:
    """Return the one of two texts that the reader's language asks for, or the other where that is empty."""
    return (text_en or text_fa) if get_language() == "en" else (text_fa or text_en)


def lies_in(place: Place, outer: Place) -> bool:
    """Tell whether a place is another or part of it."""
    return f"{place.path}/".startswith(f"{outer.path}/")


def one_of(field: str, states: type[StrEnum]) -> Q:
    """Return the condition "the field holds one of these", for a check constraint."""
    return Q(**{f"{field}__in": sorted(state.value for state in states)})
