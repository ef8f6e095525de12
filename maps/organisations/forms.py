"""What somebody types of organisations, members and councils, and what is asked of the list: read once and checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import QueryDict

from geo.core.text import squeezed
from geo.errors import InvalidInput
from geo.models import Place
from interventions.core.transitions import OrganisationState
from interventions.models import MAX_TEXT, Organisation, OrganisationKind
from interventions.selectors import OrganisationsAsked, accounts_named
from interventions.services import MOST_MEMBERS, MemberSpec, OrganisationSpec
from maps.pages.lists import choice_from, page_from, page_text, query_text
from maps.pages.typed import Typed

PAGE: Final = 50
"""Organisations on a page of the list."""

FIELDS: Final = ("name_fa", "name_en", "kind", "place", "about_fa", "about_en")
STEPS: Final = (
    "do", "reason", "table", "seat", "council", "committee", "position", "organisation", "account", "house_fa", "house_en",
)  # fmt: skip
LISTS: Final = ("organisations", "bodies", "members", "places")

STANDINGS: Final = ("working", "applied", "suspended", "refused", "all")
"""What the list may be narrowed to; ``working`` where nothing is said."""

_BETWEEN: Final = re.compile(r"[\t,;،؛|]")


def typed_from(data: QueryDict) -> Typed:
    """Return a form as it was sent, texts cut to a length that no field needs."""
    values = {
        name: str(data.get(name, ""))[: 200_000 if name == "table" else 3 * MAX_TEXT] for name in (*FIELDS, *STEPS)
    }
    return Typed(values, {name: [text[:40] for text in data.getlist(name)[:2000]] for name in LISTS})


def numbers_from(typed: Typed, name: str) -> list[int]:
    """Return the numbers of the records that were ticked.

    Raises
    ------
    InvalidInput
        Where one of them is no number.
    """
    texts = typed.lists.get(name, [])
    if not all(text.isascii() and text.isdecimal() and len(text) < 19 for text in texts):
        raise no_choice(name)
    return [int(text) for text in texts]


def no_choice(name: str) -> InvalidInput:
    """Return the error of somebody who chose what is not offered."""
    return InvalidInput(
        "There is no such choice here, or you may not see it.",
        code="unknown_choice",
        where=name,
        remedy="Choose one of those offered.",
    )


def spec_from(typed: Typed, places: Sequence[Place], *, known: Organisation | None = None) -> OrganisationSpec:
    """Return what somebody says an organisation is; of one that is known, the place and the code stay.

    Raises
    ------
    InvalidInput
        Where a name is missing, or the kind or the place is none of those offered.
    """
    values = typed.values
    place = known.place if known else next((one for one in places if one.path == values["place"]), None)
    if place is None:
        raise no_choice("place")
    if values["kind"] not in set(OrganisationKind):
        raise no_choice("kind")
    for name in ("name_fa", "name_en"):
        if not values[name].strip():
            raise InvalidInput(
                "The name is missing.", code="no_name", where=name, remedy="Write it, in this language too."
            )
    return OrganisationSpec(
        place=place,
        code=known.code if known else "",
        kind=values["kind"],
        name_fa=values["name_fa"],
        name_en=values["name_en"],
        about_fa=values["about_fa"],
        about_en=values["about_en"],
    )


def typed_of(found: Organisation) -> Typed:
    """Return the form filled in with an organisation that is there."""
    values = {name: str(getattr(found, name)) for name in FIELDS if name != "place"}
    return Typed(values | {"place": found.place.path})


def members_from(text: str, places: Sequence[Place]) -> list[MemberSpec]:
    """Read a table of people: in each line an account or e-mail address, then the places assigned, by code or name.

    Raises
    ------
    InvalidInput
        Where there are no lines or too many, an account or a place is not known, or a person stands there twice: with the line.
    """
    lines = [(n, line.strip()) for n, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if not lines:
        raise InvalidInput("The table is empty.", code="no_choice", where="table", remedy="Write one person a line.")
    if len(lines) > MOST_MEMBERS:
        raise InvalidInput(
            f"More than {MOST_MEMBERS} people are named at once.",
            code="too_many",
            where="table",
            remedy="Take them in parts.",
        )
    cells = [(n, [cell.strip() for cell in _BETWEEN.split(line)]) for n, line in lines]
    people = accounts_named([row[0] for _, row in cells])
    by_name: dict[str, Place] = {}
    for place in places:
        for name in (place.code, place.name_fa, place.name_en):
            by_name.setdefault(squeezed(name), place)
    found: list[MemberSpec] = []
    seen: dict[Any, int] = {}
    for n, (account, *named) in cells:
        person = people.get(account)
        if person is None:
            raise InvalidInput(
                f"Line {n}: there is no account {account[:60]!r}.",
                code="unknown_account",
                where=f"line {n}, table",
                remedy="Write the name by which the person signs in. An administrator makes accounts.",
            )
        if person.pk in seen:
            raise InvalidInput(
                f"Line {n}: this person stands in line {seen[person.pk]} already.",
                code="twice",
                where=f"line {n}, table",
                remedy="Take one of the lines out.",
            )
        seen[person.pk] = n
        assigned = []
        for name in filter(None, named):
            if squeezed(name) not in by_name:
                raise InvalidInput(
                    f"Line {n}: there is no place {name[:60]!r} where the organisation works.",
                    code="unknown_place",
                    where=f"line {n}, table",
                    remedy="Write its name or its code as it stands on the map.",
                )
            assigned.append(by_name[squeezed(name)])
        found.append(MemberSpec(person, tuple(dict.fromkeys(assigned)), f"line {n}"))
    return found


# ---- the list


@dataclass(frozen=True, slots=True)
class ListState:
    """What the list shows."""

    kind: str
    area: str
    standing: str
    text: str
    page: int

    @property
    def is_narrowed(self) -> bool:
        """Whether less is asked for than everything that works."""
        return bool(self.kind or self.area or self.text or self.standing != "working")

    @property
    def asked(self) -> OrganisationsAsked:
        """What is asked of the organisations."""
        working = (OrganisationState.APPROVED.value, OrganisationState.SUSPENDED.value, OrganisationState.APPLIED.value)
        states: tuple[str, ...] = {"working": working, "all": ()}.get(self.standing, (self.standing,))
        return OrganisationsAsked(kind=self.kind, area=self.area, states=states, text=self.text)

    def query(self, **changes: str) -> str:
        """Return the query string of this state with some keys changed; an empty value leaves the key out."""
        values = {
            "kind": self.kind,
            "area": self.area,
            "standing": "" if self.standing == "working" else self.standing,
            "q": self.text,
            "page": page_text(self.page),
        }
        return query_text(values | changes)


def list_state_from(parameters: Mapping[str, str]) -> ListState:
    """Read what the list is asked for.

    Raises
    ------
    InvalidInput
        Where a value is none of the page's choices.
    """
    return ListState(
        kind=choice_from(parameters, "kind", [one.value for one in OrganisationKind]),
        area=parameters.get("area", "")[:100],
        standing=choice_from(parameters, "standing", STANDINGS, "working"),
        text=parameters.get("q", "").strip()[:100],
        page=page_from(parameters),
    )
