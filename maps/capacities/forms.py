"""What somebody says of a capacity, typed into the form or sent by it, and what is asked of the list: read once and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final
from uuid import UUID

from django.http import QueryDict
from django.utils.translation import gettext as _
from pydantic import BaseModel, ConfigDict, Field

from geo.models import Place
from geo.querysets import User
from interventions.models import MAX_PEOPLE, MAX_TEXT, Capacity, Sector
from interventions.selectors import CapacitiesAsked
from interventions.services import CapacitySpec
from maps.offline.reading import (
    body_typed,
    no_choice,
    organisation_named,
    place_named,
    sentences_common,
    values_cut,
)
from maps.pages.lists import choice_from, page_from, page_text, query_text
from maps.pages.marked import shape_marked
from maps.pages.typed import Typed

MOST_CONTACT: Final = 300
MOST_SECTORS: Final = 200

_KINDS: Final = "|".join(Capacity.Kind.values)


class CapacityBody(BaseModel):
    """A capacity as it is sent: records by number or code, numbers as numbers."""

    model_config = ConfigDict(extra="ignore")

    organisation: int = Field(ge=1, le=2**63 - 1)
    place: str = Field(min_length=1, max_length=100, description="Code of the city, neighbourhood or settlement.")
    kind: str = Field(pattern=f"^({_KINDS})$", description=f"One of {', '.join(Capacity.Kind.values)}.")
    text_fa: str = Field("", max_length=MAX_TEXT)
    text_en: str = Field("", max_length=MAX_TEXT)
    amount: int | None = Field(None, ge=0, le=MAX_PEOPLE, description="People, seats or pieces.")
    contact: str = Field("", max_length=MOST_CONTACT, description="For the supervisor and the organisation alone.")
    sectors: list[Annotated[str, Field(max_length=60)]] = Field(
        [], max_length=MOST_SECTORS, description="Codes of the sectors in which it may help; none where in all."
    )
    geometry: dict[str, Any] | None = Field(None, description="A GeoJSON point, line or area.")
    ticket: UUID | None = Field(None, description="Named by who sends, so that sending again records no second one.")


_NUMBERS: Final = ("organisation", "amount")


def typed_from(data: QueryDict) -> Typed:
    """Return the form as it was sent, texts cut to a length that no field needs."""
    values = values_cut(data, {*CapacityBody.model_fields, "lon", "lat", "version", "do", "reason"} - {"sectors"})
    return Typed(values, {"sectors": [text[:61] for text in data.getlist("sectors")[: MOST_SECTORS + 1]]})


def body_from(typed: Typed) -> CapacityBody | None:
    """Read the form; None where something is wrong, which is noted beside its field."""
    return body_typed(typed, CapacityBody, numbers=_NUMBERS, sentences=wrong_sentences())


def wrong_sentences() -> dict[str, str]:
    """Return what is said beside a field that cannot be read; for the script of the form too."""
    return sentences_common() | {
        "organisation": _("Choose the organisation."),
        "kind": _("Choose what it is."),
        "text_fa": _("Say in Persian or in English what there is."),
        "amount": _("Write a number in digits, or nothing."),
        "contact": _("This is too long."),
        "sectors": _("Choose among the sectors offered."),
    }


def spec_of(body: CapacityBody, user: User, city: Place) -> CapacitySpec:
    """Return what is said of a capacity, with the records that it names.

    Raises
    ------
    InvalidInput
        Where there is no such place, organisation or sector that the user may know of.
    GeometryError, LimitExceeded
        Where what is marked is no geometry.
    """
    codes = set(body.sectors)
    sectors = tuple(Sector.objects.filter(code__in=codes))
    if len(sectors) != len(codes):
        raise no_choice("capacity", "sectors")
    return CapacitySpec(
        place=place_named(body.place, user, city, "capacity"),
        kind=body.kind,
        organisation=organisation_named(body.organisation, user, "capacity"),
        text_fa=body.text_fa,
        text_en=body.text_en,
        sectors=sectors,
        amount=body.amount,
        contact=body.contact,
        geometry=shape_marked(body.geometry, "capacity, geometry"),
        ticket=body.ticket,
    )


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
        kind=choice_from(parameters, "kind", Capacity.Kind.values),
        area=parameters.get("area", "")[:100],
        sector=parameters.get("sector", "")[:60],
        is_withdrawn=parameters.get("withdrawn") == "1",
        page=page_from(parameters),
    )
