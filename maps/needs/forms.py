"""What somebody says of a need, typed into the form or sent by it, and what is asked of the list: read once and checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import urlencode
from uuid import UUID

from django.utils.translation import gettext as _
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from geo.core.geojson import shape_of
from geo.core.text import normalise
from geo.db.shapes import to_geos
from geo.errors import InvalidInput
from geo.models import Place
from geo.querysets import User
from interventions.core.gaps import Stage
from interventions.core.transitions import NeedState
from interventions.models import MAX_PEOPLE, MAX_TEXT, PEOPLE_GROUPS, Need, Organisation, Round, Sector
from interventions.selectors import NeedsAsked, paths_around
from interventions.services import NeedSpec
from layers.models import Service
from maps.pages.marked import MOST_VERTICES
from maps.pages.typed import Typed

PAGE: Final = 50
"""Needs on a page of the list."""

FIELDS: Final = (
    "round", "organisation", "place", "sector", "approach", "severity", "people_affected", *PEOPLE_GROUPS, "text_fa", "text_en",
    "service", "geometry", "ticket",
)  # fmt: skip


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
    values = {name: str(data.get(name, ""))[: 40_000 if name == "geometry" else 3 * MAX_TEXT] for name in FIELDS}
    for name in ("lon", "lat", "version", "reason", "into", "number", "do", "seen"):
        values[name] = str(data.get(name, ""))[: MAX_TEXT * 3]
    return Typed(values)


def body_from(typed: Typed) -> NeedBody | None:
    """Read the form; None where something is wrong, which is noted beside its field."""
    said: dict[str, Any] = {}
    for name in FIELDS:
        text = typed.values.get(name, "").strip()
        if name in _NUMBERS:
            number = normalise(text).replace(" ", "")
            said[name] = int(number) if number.isdecimal() and len(number) <= 18 else text or None
        else:
            said[name] = text
    said["ticket"] = said["ticket"] or None
    said["geometry"] = geometry_typed(typed)
    try:
        body = NeedBody.model_validate(said)
    except ValidationError as error:
        sentences = wrong_sentences()
        for fault in error.errors(include_url=False, include_input=False):
            name = str(fault["loc"][0])
            typed.wrong.setdefault(name, sentences.get(name, sentences[""]))
        body = None
    if not (said["text_fa"] or said["text_en"]):
        typed.wrong.setdefault("text_fa", wrong_sentences()["text_fa"])
    return None if typed.wrong else body


def geometry_typed(typed: Typed) -> dict[str, Any] | None:
    """Return what was marked on the map, or the point whose degrees were typed; what is wrong with it is noted beside the field."""
    marked = typed.values.get("geometry", "").strip()
    if marked:
        try:
            found = json.loads(marked)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict):
            return found
        typed.wrong["geometry"] = wrong_sentences()["geometry"]
        return None
    texts = [typed.values.get(name, "").strip() for name in ("lon", "lat")]
    if not any(texts):
        return None
    try:
        lon, lat = (float(_latin(text)) for text in texts)
    except ValueError:
        typed.wrong["geometry"] = wrong_sentences()["geometry"]
        return None
    return {"type": "Point", "coordinates": [lon, lat]}


def _latin(text: str) -> str:
    return text.translate(str.maketrans("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩٫", "01234567890123456789."))


def wrong_sentences() -> dict[str, str]:
    """Return what is said beside a field that cannot be read; for the script of the form too."""
    number = _("Write a number in digits, or nothing.")
    return {
        "": _("This cannot be used."),
        "round": _("Choose the round."),
        "organisation": _("Choose the organisation that you report for."),
        "place": _("Choose the area."),
        "sector": _("Choose the sector."),
        "approach": _("Choose the approach."),
        "severity": _("Say how grave it is."),
        "people_affected": _("Write how many people it affects, in digits: one at least."),
        **dict.fromkeys(PEOPLE_GROUPS, number),
        "text_fa": _("Say in Persian or in English what is needed."),
        "text_en": _("This is too long."),
        "geometry": _("This is no place on the map: degrees of longitude, then of latitude."),
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
    place = Place.objects.visible_to(user).within(city).filter(code=body.place).first()
    organisation = Organisation.objects.visible_to(user).filter(pk=body.organisation).select_related("place").first()
    sector = Sector.objects.filter(code=body.sector).first()
    service = Service.objects.filter(code=body.service).first() if body.service else None
    if round_ is None:
        raise _no_choice("round")
    if place is None:
        raise _no_choice("place")
    if organisation is None:
        raise _no_choice("organisation")
    if sector is None:
        raise _no_choice("sector")
    if body.service and service is None:
        raise _no_choice("service")
    geometry = None
    if body.geometry is not None:
        geometry = to_geos(shape_of(body.geometry, "need, geometry", most_vertices=MOST_VERTICES))
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
        geometry=geometry,
        people_by_group={group: count for group, count in groups.items() if count is not None},
        service=service,
        ticket=body.ticket,
    )


def _no_choice(name: str) -> InvalidInput:
    return InvalidInput(
        "There is no such choice here, or you may not see it.",
        code="unknown_choice",
        where=f"need, {name}",
        remedy="Choose one of those offered.",
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
    standing = parameters.get("standing") or "open"
    if standing not in STANDINGS:
        raise InvalidInput(
            f"{standing[:40]!r} is none of the states of needs.",
            code="bad_choice",
            where="standing",
            remedy=f"Choose one of: {', '.join(STANDINGS)}.",
            details={"value": standing[:40], "choices": STANDINGS},
        )
    return ListState(
        area=parameters.get("area", "")[:100],
        sector=parameters.get("sector", "")[:60],
        standing=standing,
        severity=_number(parameters, "severity", 1, 5) or 1,
        text=parameters.get("q", "").strip()[:100],
        round=_number(parameters, "round", 1, 2**31 - 1),
        page=_number(parameters, "page", 1, 100_000) or 1,
    )


def _number(parameters: Mapping[str, str], name: str, low: int, high: int) -> int | None:
    text = parameters.get(name, "").strip()
    if not text:
        return None
    if text.isascii() and text.isdecimal() and len(text) <= 10 and low <= int(text) <= high:
        return int(text)
    raise InvalidInput(
        f"This is not a number from {low} to {high}.",
        code="bad_number",
        where=name,
        remedy="Choose one of those offered.",
        details={"low": low, "high": high},
    )
