"""What a page or a program is told: errors as problems (RFC 9457), faults of a file, notes of repairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext, gettext_noop

from geo.errors import Detail, MahallehError
from layers.reading import Problem
from maps.pages.reader import language
from maps.problems.telling import place_told, told

_OTHERS_WORDS: Final = {
    "bad_body": gettext_noop("This member is not as it should be (%(reason)s)."),
    "bad_form": "%(reason)s",
    "bad_layer": "%(reason)s",
    "bad_place": "%(reason)s",
    "bad_value": "%(reason)s",
}
"""By code: how a message is told that a library worded. Django's forms and models speak the reader's language themselves."""


@dataclass(frozen=True, slots=True)
class Told:
    """One fault of a file, for a reader.

    Attributes
    ----------
    severity, code
        As the reading of files has them.
    message, remedy, place
        In the reader's language; the place names row, field and coordinates, and is empty where the whole file is meant.
    """

    severity: str
    code: str
    message: str
    remedy: str
    place: str


def problem_of(error: MahallehError, status: int | None = None) -> dict[str, Any]:
    """Return an error as the members of a problem, for a page or a program.

    ``title`` and ``remedy`` are in the reader's language, ``place`` is ``where`` in that language; ``language`` says which it
    is. ``code`` and ``where`` are always the same for the same problem, for a program to go by.

    Parameters
    ----------
    status : int, optional
        Of the answer, where it is not the error's own.
    """
    members = error.members() | {"status": status or error.status, "language": "en"}
    if language() == "en":
        return members
    title = _message(error.code, error.message, error.details)
    remedy = told(error.remedy, error.details) if error.remedy else ""
    if title is not None and remedy is not None:
        members["language"] = language()
    members["title"] = title or error.message
    if error.remedy:
        members["remedy"] = remedy or error.remedy
    if error.where:
        members["place"] = place_told(error.where)
    return members


def members_told(members: Mapping[str, Any]) -> dict[str, Any]:
    """Return a problem that was kept as members in the reader's language, such as the one for which an upload failed.

    Parameters
    ----------
    members : mapping
        ``title``, ``code``, and where there are any ``where``, ``remedy`` and ``status``, as `MahallehError.members` gave them.

    Examples
    --------
    >>> from django.utils.translation import override
    >>> with override("en"):
    ...     members_told({"title": "The file has no rows.", "code": "no_rows", "status": 400})["title"]
    'The file has no rows.'
    """
    error = MahallehError(
        str(members.get("title", "")),
        code=str(members.get("code", "")),
        where=str(members.get("where", "")),
        remedy=str(members.get("remedy", "")),
    )
    return dict(members) | problem_of(error, int(members.get("status", error.status)))


def problem_told(problem: Problem) -> Told:
    """Tell a fault that was found in a file; where no sentence is known for it, in English.

    Examples
    --------
    >>> from django.utils.translation import override
    >>> with override("en"):
    ...     problem_told(Problem("error", "no_rows", "The layer has no rows.", row=3)).place
    'row 3'
    """
    if language() == "en":
        return Told(problem.severity, problem.code, problem.message, problem.remedy, problem.where)
    return Told(
        problem.severity,
        problem.code,
        told(problem.message) or problem.message,
        told(problem.remedy) or problem.remedy,
        place_told(problem.where),
    )


def fault_told(members: Mapping[str, Any]) -> Told:
    """Tell a fault that was kept with an upload or a release (`layers.reading.Problem.as_dict`)."""
    known = {name: members[name] for name in Problem.__dataclass_fields__ if name in members}
    return problem_told(Problem(**{"severity": "warning", "code": "", "message": ""} | known))


def text_told(text: str) -> str:
    """Tell a warning of an analysis or a release, or what a repair changed (`geo.core.validity.repair`)."""
    return text if language() == "en" else told(text) or text


def _message(code: str, message: str, details: Mapping[str, Detail]) -> str | None:
    found = told(message, details)
    if found is not None or code not in _OTHERS_WORDS:
        return found
    reason, _, more = message.partition(". (")
    reason = reason.removesuffix(".")
    title = gettext(_OTHERS_WORDS[code]) % {"reason": told(reason) or reason}
    return f"{title} {told(f'({more}') or f'({more}'}" if more else title
