"""Errors of ours as answers in the reader's language: one table from an error's code to a sentence that takes its details."""

from __future__ import annotations

from typing import Any, Final

from django.utils.translation import gettext, gettext_noop

from geo.errors import Detail, MahallehError
from maps.pages import formats
from maps.pages.reader import language

_CHOOSE: Final = gettext_noop("Choose one of: %(choices)s.")
_TOLD: Final[dict[str, tuple[str, str]]] = {
    "unknown_city": (gettext_noop("There is no city “%(city)s”."), _CHOOSE),
    "unknown_place": (
        gettext_noop("%(city)s has no place “%(place)s”."),
        gettext_noop("Choose one from the list on the city's page."),
    ),
    "unknown_service": (gettext_noop("There is no service “%(service)s” here."), _CHOOSE),
    "unknown_publication": (
        gettext_noop("There is no published map at “%(address)s”."),
        gettext_noop("Look for it on the page of its city."),
    ),
    "no_boundary": (
        gettext_noop("%(place)s has no boundary in force."),
        gettext_noop("Approve an edition of its boundary."),
    ),
    "no_places": (
        gettext_noop("%(city)s has no neighbourhood or settlement with an approved boundary."),
        gettext_noop("Load or approve boundaries first."),
    ),
    "no_services": (
        gettext_noop("%(city)s has no service to rank by."),
        gettext_noop("Load a layer and say which service it supplies."),
    ),
    "bad_number": (
        gettext_noop("“%(value)s” cannot be used here."),
        gettext_noop("Give a number from %(low)s to %(high)s."),
    ),
    "bad_method": (gettext_noop("“%(value)s” is not a method."), _CHOOSE),
    "bad_show": (gettext_noop("“%(value)s” cannot be shown."), _CHOOSE),
    "bad_sort": (gettext_noop("The table cannot be sorted by “%(value)s”."), _CHOOSE),
    "may_not_publish": (
        gettext_noop("You may not publish or withdraw maps of %(city)s."),
        gettext_noop("Ask for the role of an analyst."),
    ),
    "database_away": (
        gettext_noop("The database does not answer at this moment."),
        gettext_noop("Nothing was changed. Try again in a moment."),
    ),
    "method_not_allowed": (
        gettext_noop("This address does not take the method %(method)s."),
        gettext_noop("Use one of: %(choices)s."),
    ),
}
"""Message and remedy by code; an error of that code without these details keeps its own English text."""

_AS_THEY_ARE: Final = frozenset({gettext_noop("All weights are zero."), gettext_noop("Give at least one a weight.")})
"""Texts of errors that need no details."""


def problem_of(error: MahallehError, status: int | None = None) -> dict[str, Any]:
    """Return an error as the members of a problem (RFC 9457), for a page or a program.

    ``title`` and ``remedy`` are in the reader's language where the table has them, else in English; ``language`` says which.
    ``code`` is always the same for the same problem.

    Parameters
    ----------
    status : int, optional
        Of the answer, where it is not the error's own.
    """
    title, remedy, told_in = error.message, error.remedy, "en"
    if language() != "en":
        told = _told(error)
        if told is not None:
            (title, remedy), told_in = told, language()
    said = {"title": title, "status": status or error.status, "language": told_in}
    return error.members() | said | ({"remedy": remedy} if remedy else {})


def _told(error: MahallehError) -> tuple[str, str] | None:
    if error.message in _AS_THEY_ARE and error.remedy in _AS_THEY_ARE:
        return gettext(error.message), gettext(error.remedy)
    message, remedy = _TOLD.get(error.code, ("", ""))
    details = {name: _in_words(value) for name, value in error.details.items()}
    try:
        return (gettext(message) % details, gettext(remedy) % details) if message else None
    except KeyError:  # raised without the details that the sentence needs
        return None


def _in_words(value: Detail) -> str:
    lang = language()
    if isinstance(value, str):
        return f"\u2068{value}\u2069"  # in whatever script, it does not reorder the sentence
    if isinstance(value, (int, float)):
        return formats.number(value, lang)
    return formats.listing([f"\u2068{one}\u2069" for one in value], lang) if value else formats.DASH
