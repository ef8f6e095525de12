"""What somebody types of a capacity, and what is asked of the list: read once and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from django.http import QueryDict
from django.utils.translation import gettext as _

from geo.core.geojson import shape_of
from geo.core.text import normalise
from geo.db.shapes import to_geos
from geo.errors import GeometryError, InvalidInput, LimitExceeded
from geo.models import Place
from interventions.models import MAX_PEOPLE, MAX_TEXT, Capacity, Organisation, Sector
from interventions.selectors import CapacitiesAsked
from interventions.services import CapacitySpec
from maps.needs.forms import geometry_typed
from maps.pages.marked import MOST_VERTICES
from maps.pages.typed import Typed

FIELDS: Final = (
    "place", "kind", "organisation", "text_fa", "text_en", "amount", "contact", "geometry", "lon", "lat", "ticket", "version", "do",
    "reason",
)  # fmt: skip
MOST_CONTACT: Final = 300


def typed_from(data: QueryDict) -> Typed:
    """Return the form as it was sent, texts cut to a length that no field needs."""
    values = {name: str(data.get(name, ""))[: 40_000 if name == "geometry" else 3 * MAX_TEXT] for name in FIELDS}
    return Typed(values, {"sectors": [text[:60] for text in data.getlist("sectors")[:200]]})


def spec_from(
    typed: Typed, areas: list[Place], organisations: list[Organisation], sectors: list[Sector]
) -> CapacitySpec | None:
    """Read the form; None where something is wrong, which is noted beside its field."""
    values = typed.values
    place = next((one for one in areas if one.code == values["place"]), None)
    body = next((one for one in organisations if str(one.pk) == values["organisation"]), None)
    chosen = tuple(one for one in sectors if one.code in typed.lists["sectors"])
    number = normalise(values["amount"]).replace(" ", "")
    amount = int(number) if number.isascii() and number.isdecimal() and len(number) <= 12 else None
    wrong = {
        "place": _("Choose the area.") if place is None else "",
        "organisation": _("Choose the organisation.") if body is None else "",
        "kind": _("Choose what it is.") if values["kind"] not in Capacity.Kind.values else "",
        "text_fa": ""
        if values["text_fa"].strip() or values["text_en"].strip()
        else _("Say in Persian or in English what there is."),
        "amount": _("Write a number in digits, or nothing.")
        if values["amount"].strip() and (amount is None or amount > MAX_PEOPLE)
        else "",
        "contact": _("This is too long.") if len(values["contact"]) > MOST_CONTACT else "",
        "sectors": _("Choose among the sectors offered.") if len(chosen) != len(set(typed.lists["sectors"])) else "",
    }
    for name in ("text_fa", "text_en"):
        if len(values[name]) > MAX_TEXT:
            wrong[name] = _("This is too long.")
    typed.wrong |= {name: sentence for name, sentence in wrong.items() if sentence}
    marked = geometry_typed(typed)
    geometry = None
    if marked is not None:
        try:
            geometry = to_geos(shape_of(marked, "capacity, geometry", most_vertices=MOST_VERTICES))
        except (GeometryError, LimitExceeded, InvalidInput) as error:
            typed.refuse(error)
    if typed.wrong or place is None or body is None:
        return None
    return CapacitySpec(
        place=place,
        kind=values["kind"],
        organisation=body,
        text_fa=values["text_fa"],
        text_en=values["text_en"],
        sectors=chosen,
        amount=amount,
        contact=values["contact"],
        geometry=geometry,
        ticket=_ticket(values["ticket"]),
    )


def _ticket(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def typed_of(capacity: Capacity, *, is_contact_told: bool) -> Typed:
    """Return the form filled in with a capacity that is there."""
    return Typed(
        {
            "place": capacity.place.code,
            "kind": capacity.kind,
            "organisation": str(capacity.organisation_id),
            "text_fa": capacity.text_fa,
            "text_en": capacity.text_en,
            "amount": "" if capacity.amount is None else str(capacity.amount),
            "contact": capacity.contact if is_contact_told else "",
            "geometry": capacity.geometry.geojson if capacity.geometry else "",
            "version": str(capacity.version),
        },
        {"sectors": [sector.code for sector in capacity.sectors.all()]},
    )


# ---- the list


@dataclass(frozen=True, slots=True)
class ListState:
    """What the list shows."""

    kind: str
    area: str
    sector: str
    is_withdrawn: bool
    page: int

    @property
    def asked(self) -> CapacitiesAsked:
        """What is asked of the capacities."""
        return CapacitiesAsked(kind=self.kind, area=self.area, sector=self.sector, is_withdrawn=self.is_withdrawn)

    def query(self, **changes: str) -> str:
        """Return the query string of this state with some keys changed; an empty value leaves the key out."""
        values = {
            "kind": self.kind,
            "area": self.area,
            "sector": self.sector,
            "withdrawn": "1" if self.is_withdrawn else "",
            "page": "" if self.page == 1 else str(self.page),
        } | changes
        text = urlencode({key: value for key, value in values.items() if value})
        return f"?{text}" if text else "?"


def list_state_from(parameters: Mapping[str, str]) -> ListState:
    """Read what the list is asked for.

    Raises
    ------
    InvalidInput
        Where a value is none of the page's choices.
    """
    kind, page = parameters.get("kind", ""), parameters.get("page", "").strip()
    if kind and kind not in Capacity.Kind.values:
        raise InvalidInput(
            f"{kind[:40]!r} is none of the choices of this page.",
            code="bad_choice",
            where="kind",
            remedy="Choose one of those offered.",
            details={"value": kind[:40]},
        )
    if page and not (page.isascii() and page.isdecimal() and 0 < int(page[:7]) <= 100_000):
        raise InvalidInput(
            "This is not a number from 1 to 100000.",
            code="bad_number",
            where="page",
            remedy="Choose one of those offered.",
            details={"low": 1, "high": 100_000},
        )
    return ListState(
        kind=kind,
        area=parameters.get("area", "")[:100],
        sector=parameters.get("sector", "")[:60],
        is_withdrawn=parameters.get("withdrawn") == "1",
        page=int(page[:7]) if page else 1,
    )
