"""What somebody reports, typed into a form or sent by it: read into one body, with a sentence beside each field that is wrong."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Final, TypeVar

from django.http import HttpRequest
from django.utils.translation import gettext as _
from pydantic import BaseModel, ValidationError

from geo.core.text import normalise
from geo.errors import InvalidInput
from geo.models import Place
from geo.querysets import User
from interventions.models import MAX_TEXT, Capacity, Need, Organisation
from maps.api.bodies import body_of
from maps.pages.marked import tree_marked
from maps.pages.typed import Typed

MOST_TEXT: Final = 3 * MAX_TEXT
MOST_MARKED: Final = 40_000
_STEP: Final = re.compile(r"[.\[]")

B = TypeVar("B", bound=BaseModel)
SentT = TypeVar("SentT", Need, Capacity)


def values_cut(data: Mapping[str, Any], names: Collection[str]) -> dict[str, str]:
    """Return the fields of a form as they were sent, cut to a length that none of them needs."""
    return {name: str(data.get(name, ""))[: MOST_MARKED if name == "geometry" else MOST_TEXT] for name in names}


def body_typed(typed: Typed, model: type[B], *, numbers: Collection[str], sentences: Mapping[str, str]) -> B | None:
    """Read a form; None where something is wrong, which is noted beside its field.

    Parameters
    ----------
    numbers
        Fields with whole numbers, in digits of any script.
    sentences
        What is said beside a field that cannot be read, by its name; ``""`` for those without a sentence of their own.
    """
    said: dict[str, Any] = {}
    for name in model.model_fields:
        text = typed.values.get(name, "").strip()
        if name in typed.lists:
            said[name] = typed.lists[name]
        elif name in numbers:
            digits = normalise(text).replace(" ", "")
            said[name] = int(digits) if digits.isdecimal() and len(digits) <= 18 else text or None
        else:
            said[name] = text
    said["ticket"] = said["ticket"] or None
    body = None
    try:
        said["geometry"] = tree_marked(*(typed.values.get(name, "") for name in ("geometry", "lon", "lat")))
    except InvalidInput as error:
        typed.refuse(error)
        said["geometry"] = None
    try:
        body = model.model_validate(said)
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False):
            name = str(fault["loc"][0])
            typed.wrong.setdefault(name, sentences.get(name, sentences[""]))
    if not (said["text_fa"] or said["text_en"]):
        typed.wrong.setdefault("text_fa", sentences["text_fa"])
    return None if typed.wrong else body


def body_sent(request: HttpRequest, model: type[B], sentences: Mapping[str, str]) -> B:
    """Read what a form sent as JSON; what is wrong is told in the words that stand beside its fields.

    Raises
    ------
    UnsupportedMedia, LimitExceeded, InvalidInput
        As `maps.api.bodies.body_of`.
    """
    try:
        return body_of(request, model)
    except InvalidInput as error:
        if error.code != "bad_body":
            raise
        name = _STEP.split(error.where.removeprefix("body."))[0]
        raise InvalidInput(
            sentences.get(name, sentences[""]), code="bad_form", where=error.where, remedy="Correct this member."
        ) from error


def sentences_common() -> dict[str, str]:
    """Return what is said beside fields that all reports have."""
    return {
        "": _("This cannot be used."),
        "place": _("Choose the area."),
        "text_en": _("This is too long."),
        "geometry": _("This is no place on the map: degrees of longitude, then of latitude."),
    }


def sent_before(model: type[SentT], body: Any, user: User) -> SentT | None:
    """Return what a user sent under the ticket of a body before; None where it is the first time.

    Raises
    ------
    InvalidInput
        Where it has no ticket.
    """
    if body.ticket is None:
        raise InvalidInput(
            "The report has no ticket.", code="no_ticket", where="ticket", remedy="Name it by a UUID of its own."
        )
    found: SentT | None = model.objects.filter(ticket=body.ticket, reporter_id=user.pk).first()
    return found


def record_json(record: Need | Capacity, address: str, *, is_new: bool) -> dict[str, Any]:
    """Return what is answered about a report that was sent, for the first time or again."""
    return {
        "is_new": is_new,
        "number": record.pk,
        "state": record.state,
        "version": record.version,
        "ticket": str(record.ticket),
        "address": address,
    }


def place_named(code: str, user: User, city: Place, what: str) -> Place:
    """Return a place of a city that a report names, among those its reporter may know of.

    Raises
    ------
    InvalidInput
        Where there is none.
    """
    found = Place.objects.visible_to(user).within(city).filter(code=code).first()
    if found is None:
        raise no_choice(what, "place")
    return found


def organisation_named(number: int, user: User, what: str) -> Organisation:
    """Return an organisation that a report names, among those its reporter may know of.

    Raises
    ------
    InvalidInput
        Where there is none.
    """
    found: Organisation | None = Organisation.objects.visible_to(user).filter(pk=number).select_related("place").first()
    if found is None:
        raise no_choice(what, "organisation")
    return found


def no_choice(what: str, name: str) -> InvalidInput:
    """Return the error of a report that names what is not there, or not for its reporter to know of."""
    return InvalidInput(
        "There is no such choice here, or you may not see it.",
        code="unknown_choice",
        where=f"{what}, {name}",
        remedy="Choose one of those offered.",
    )


__all__ = [
    "body_sent", "body_typed", "no_choice", "organisation_named", "place_named", "record_json", "sent_before", "sentences_common",
    "values_cut",
]  # fmt: skip
