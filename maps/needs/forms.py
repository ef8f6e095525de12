"""What somebody says of a need, typed into the form or sent by it, and what is asked of the list: read once and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

from django.utils.translation import gettext as _
from pydantic import BaseModel, ConfigDict, Field

from geo.models import Place
from geo.querysets import User
from interventions.core.gaps import Stage
from interventions.core.transitions import NeedState
from interventions.models import MAX_PEOPLE, MAX_TEXT, PEOPLE_GROUPS, Need, Round, Sector
from interventions.selectors import NeedsAsked, paths_around
from interventions.services import NeedSpec
from layers.models import Service
from maps.offline.reading import (
    body_typed,
    no_choice,
    organisation_named,
    place_named,
    sentences_common,
    values_cut,
)
from maps.pages.lists import choice_from, number_from, page_from, page_text, query_text
from maps.pages.marked import shape_marked
from maps.pages.typed import Typed

PAGE: Final = 50
"""Needs on a page of the list."""


class NeedBody(BaseModel):
    """A need as it is sent: records by number or code, numbers as numbers."""

    model_config = ConfigDict(extra="ignore")

    round: int = Field(ge=1, le=2**63 - 1)
    organisation: int = Field(ge=1, le=2**63 - 1)
    place: str = Field(min_length=1, max_length=100, description="Code of the neighbourhood or settlement.")
    sector: str = Field(min_length=1, max_length=60)
    approach: Literal["infrastructural", "social"]
    severity: int = Field(ge=1, le=5)
    people_affected: int = Field(ge=1, le=MAX_PEOPLE)
    women: int | None = Field(None, ge=0, le=MAX_PEOPLE)
    children: int | None = Field(None, ge=0, le=MAX_PEOPLE)
    older: int | None = Field(None, ge=0, le=MAX_PEOPLE)
    disabled: int | None = Field(None, ge=0, le=MAX_PEOPLE)
    text_fa: str = Field("", max_length=MAX_TEXT)
    text_en: str = Field("", max_length=MAX_TEXT)
    service: str = Field("", max_length=60)
    geometry: dict[str, Any] | None = Field(None, description="A GeoJSON point, line or area.")
    ticket: UUID | None = Field(None, description="Named by who sends, so that sending again makes no second need.")


_NUMBERS: Final = ("round", "organisation", "severity", "people_affected", *PEOPLE_GROUPS)


def typed_from(data: Mapping[str, Any]) -> Typed:
    """Return the form as it was sent, texts cut to a length that no field needs."""
    steps = ("lon", "lat", "version", "reason", "into", "number", "do", "seen")
    return Typed(values_cut(data, (*NeedBody.model_fields, *steps)))


def body_from(typed: Typed) -> NeedBody | None:
    """Read the form; None where something is wrong, which is noted beside its field."""
    return body_typed(typed, NeedBody, numbers=_NUMBERS, sentences=wrong_sentences())


def wrong_sentences() -> dict[str, str]:
    """Return what is said beside a field that cannot be read; for the script of the form too."""
    number = _("Write a number in digits, or nothing.")
    return sentences_common() | {
        "round": _("Choose the round."),
        "organisation": _("Choose the organisation that you report for."),
        "sector": _("Choose the sector."),
        "approach": _("Choose the approach."),
        "severity": _("Say how grave it is."),
        "people_affected": _("Write how many people it affects, in digits: one at least."),
        **dict.fromkeys(PEOPLE_GROUPS, number),
        "text_fa": _("Say in Persian or in English what is needed."),
    }


def spec_of(body: NeedBody, user: User, city: Place) -> NeedSpec:
    """Return what is said of a need, with the records that it names.

    Raises
    ------
    InvalidInput
        Where there is no such round, area, organisation, sector or service that the user may know of.
    GeometryError, LimitExceeded
        Where what is marked is no geometry.
    """
    around = paths_around(city)
    round_ = (
        Round.objects.visible_to(user).filter(pk=body.round, place__path__in=around).select_related("place").first()
    )
    if round_ is None:
        raise no_choice("need", "round")
    place = place_named(body.place, user, city, "need")
    organisation = organisation_named(body.organisation, user, "need")
    sector = Sector.objects.filter(code=body.sector).first()
    if sector is None:
        raise no_choice("need", "sector")
    service = Service.objects.filter(code=body.service).first() if body.service else None
    if body.service and service is None:
        raise no_choice("need", "service")
    groups = {group: getattr(body, group) for group in PEOPLE_GROUPS}
    return NeedSpec(
        round=round_,
        place=place,
        sector=sector,
        organisation=organisation,
        approach=body.approach,
        severity=body.severity,
        people_affected=body.people_affected,
        text_fa=body.text_fa,
        text_en=body.text_en,
        geometry=shape_marked(body.geometry, "need, geometry"),
        people_by_group={group: count for group, count in groups.items() if count is not None},
        service=service,
        ticket=body.ticket,
    )


def typed_of(need: Need) -> Typed:
    """Return the form as it is filled in with a need that is there."""
    values = {
        "round": str(need.round_id),
        "organisation": str(need.organisation_id),
        "place": need.place.code,
        "sector": need.sector.code,
        "approach": need.approach,
        "severity": str(need.severity),
        "people_affected": str(need.people_affected),
        "text_fa": need.text_fa,
        "text_en": need.text_en,
        "service": need.service.code if need.service else "",
        "geometry": need.geometry.geojson if need.geometry else "",
        "version": str(need.version),
    }
    for group in PEOPLE_GROUPS:
        count = getattr(need, f"{group}_affected")
        values[group] = "" if count is None else str(count)
    return Typed(values)


# ---- the list


BELOW: Final = {"unanswered": Stage.PROPOSED, "undecided": Stage.DECIDED}
REACHED: Final = {"answered": Stage.PROPOSED, "decided": Stage.DECIDED, "done": Stage.DONE}
STANDINGS: Final = (
    "open", "reported", "confirmed", *BELOW, *REACHED, "merged", "rejected", "withdrawn", "all", "mine",
)  # fmt: skip
"""What the list may be narrowed to; ``open`` where nothing is said. Those of a stage are of the needs that count."""


@dataclass(frozen=True, slots=True)
class ListState:
    """What the list shows."""

    area: str
    sector: str
    standing: str
    severity: int
    text: str
    round: int | None
    page: int

    def asked(self, user: User) -> NeedsAsked:
        """Return what is asked of the needs."""
        open_ = (NeedState.REPORTED.value, NeedState.CONFIRMED.value)
        states: tuple[str, ...] = open_ if self.standing in {"open", *BELOW, *REACHED} else (self.standing,)
        return NeedsAsked(
            round=self.round,
            area=self.area,
            sector=self.sector,
            states=() if self.standing in ("all", "mine") else states,
            severity_least=self.severity,
            text=self.text,
            reached=REACHED.get(self.standing),
            below=BELOW.get(self.standing),
            reporter=user if self.standing == "mine" else None,
        )

    def query(self, **changes: str) -> str:
        """Return the query string of this state with some keys changed; an empty value leaves the key out."""
        values = {
            "area": self.area,
            "sector": self.sector,
            "standing": "" if self.standing == "open" else self.standing,
            "severity": "" if self.severity == 1 else str(self.severity),
            "q": self.text,
            "round": "" if self.round is None else str(self.round),
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
        area=parameters.get("area", "")[:100],
        sector=parameters.get("sector", "")[:60],
        standing=choice_from(parameters, "standing", STANDINGS, "open"),
        severity=number_from(parameters, "severity", 1, 5) or 1,
        text=parameters.get("q", "").strip()[:100],
        round=number_from(parameters, "round", 1, 2**31 - 1),
        page=page_from(parameters),
    )
