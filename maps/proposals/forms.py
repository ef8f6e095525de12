"""What somebody offers, typed into the form: read once and checked; nothing typed is lost."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Final

from django.contrib.gis.geos import GEOSGeometry
from django.http import QueryDict

from geo.core.text import normalise
from geo.errors import InvalidInput
from interventions.models import MAX_PEOPLE, MAX_TEXT, Proposal
from interventions.selectors import Offering
from interventions.services import ProposalSpec
from layers.models import Service
from maps.pages import formats
from maps.pages.dates import day_typed
from maps.pages.marked import geometry_marked
from maps.pages.reader import language
from maps.pages.typed import Typed
from maps.rounds.forms import rials_of

FIELDS: Final = (
    "round", "organisation", "title_fa", "title_en", "effect_fa", "effect_en", "service", "capacity", "cost_irr", "own_funding_irr",
    "starts_on", "ends_on", "people_targeted", "geometry", "lon", "lat", "version", "do", "reason", "assessment", "event",
)  # fmt: skip


def typed_from(data: QueryDict) -> Typed:
    """Return a form as it was sent, texts cut to a length that no field needs."""
    return Typed(
        {name: str(data.get(name, ""))[: 40_000 if name == "geometry" else 3 * MAX_TEXT] for name in FIELDS},
        {name: [str(one)[:20] for one in data.getlist(name)[:500]] for name in ("needs", "departments")},
    )


def typed_of(proposal: Proposal) -> Typed:
    """Return the form as it is filled in with a proposal that is there."""
    lang = language()
    point = proposal.geometry if proposal.geometry is not None and proposal.geometry.geom_type == "Point" else None
    values = {
        "round": str(proposal.round_id),
        "organisation": str(proposal.organisation_id),
        "title_fa": proposal.title_fa,
        "title_en": proposal.title_en,
        "effect_fa": proposal.effect_fa,
        "effect_en": proposal.effect_en,
        "service": proposal.service.code if proposal.service else "",
        "capacity": "" if proposal.capacity is None else formats.digits(f"{proposal.capacity:g}", lang),
        "cost_irr": formats.number(int(proposal.cost_irr), lang),
        "own_funding_irr": formats.number(int(proposal.own_funding_irr), lang) if proposal.own_funding_irr else "",
        "starts_on": formats.day_in_figures(proposal.starts_on, lang),
        "ends_on": formats.day_in_figures(proposal.ends_on, lang),
        "people_targeted": ""
        if proposal.people_targeted is None
        else formats.digits(str(proposal.people_targeted), lang),
        "geometry": proposal.geometry.geojson if proposal.geometry else "",
        "lon": str(point.x) if point is not None else "",
        "lat": str(point.y) if point is not None else "",
        "version": str(proposal.version),
    }
    return Typed(values, {"needs": [str(pk) for pk in proposal.needs.values_list("pk", flat=True)], "departments": []})


def spec_from(typed: Typed, offering: Offering, proposal: Proposal | None = None) -> ProposalSpec | None:
    """Read the form; None where something is wrong, which is noted beside its field."""
    rounds = {str(one.pk): one for one in offering.rounds}
    bodies = {str(one.pk): one for one in offering.organisations}
    needs = {str(one.pk): one for one in offering.needs}
    if proposal is not None:
        rounds = {str(proposal.round_id): proposal.round}
        bodies.setdefault(str(proposal.organisation_id), proposal.organisation)
        needs |= {str(one.pk): one for one in proposal.needs.select_related("place", "sector")}
    round_ = rounds.get(typed.values["round"])
    body = bodies.get(typed.values["organisation"])
    chosen = [needs[one] for one in typed.lists["needs"] if one in needs]
    if round_ is None:
        typed.refuse(_no_choice("round"))
    if body is None:
        typed.refuse(_no_choice("organisation"))
    if not chosen or len(chosen) < len(set(typed.lists["needs"])):
        typed.refuse(
            InvalidInput("The proposal answers no need.", code="no_needs", where="needs", remedy="Choose at least one.")
            if not typed.lists["needs"]
            else _no_choice("needs")
        )
    code = typed.values["service"]
    service = Service.objects.filter(code=code).first() if code else None
    if code and service is None:
        typed.refuse(_no_choice("service"))
    cost = rials_of(typed, "cost_irr")
    if cost is None and "cost_irr" not in typed.wrong:
        typed.refuse(
            InvalidInput(
                "This is no sum of rials.",
                code="bad_number",
                where="cost_irr",
                remedy="Write it in digits, without a unit.",
            )
        )
    own = rials_of(typed, "own_funding_irr")
    people = _whole(typed, "people_targeted", MAX_PEOPLE)
    capacity = _whole(typed, "capacity", 10**9)
    starts_on, ends_on = _day(typed, "starts_on"), _day(typed, "ends_on")
    geometry = _geometry(typed)
    if typed.wrong or round_ is None or body is None or cost is None:
        return None
    return ProposalSpec(
        round=round_,
        organisation=body,
        needs=tuple(chosen),
        cost_irr=cost,
        title_fa=typed.values["title_fa"][:200],
        title_en=typed.values["title_en"][:200],
        effect_fa=typed.values["effect_fa"],
        effect_en=typed.values["effect_en"],
        geometry=geometry,
        service=service,
        capacity=None if capacity is None else float(capacity),
        starts_on=starts_on,
        ends_on=ends_on,
        own_funding_irr=own or Decimal(0),
        people_targeted=people,
    )


def version_of(typed: Typed) -> int:
    """Return the version that the form was filled in from; 0, which is none, where it does not say."""
    text = typed.values["version"]
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _whole(typed: Typed, name: str, most: int) -> int | None:
    text = normalise(typed.values[name]).replace(" ", "")
    if not text:
        return None
    if text.isdecimal() and len(text) <= 12 and int(text) <= most:
        return int(text)
    typed.refuse(
        InvalidInput(
            f"This is not a number from 0 to {most}.",
            code="bad_number",
            where=name,
            remedy=f"Give a number from 0 to {most}.",
            details={"low": 0, "high": most},
        )
    )
    return None


def _day(typed: Typed, name: str) -> date | None:
    if not typed.values[name].strip():
        return None
    try:
        return day_typed(typed.values[name], name)
    except InvalidInput as error:
        typed.refuse(error)
        return None


def _geometry(typed: Typed) -> GEOSGeometry | None:
    """Return what was marked on the map, or the point whose degrees were typed."""
    try:
        return geometry_marked(*(typed.values[name] for name in ("geometry", "lon", "lat")))
    except InvalidInput as error:
        typed.refuse(error)
        return None


def _no_choice(name: str) -> InvalidInput:
    return InvalidInput(
        "There is no such choice here, or you may not see it.",
        code="unknown_choice",
        where=name,
        remedy="Choose one of those offered.",
    )
